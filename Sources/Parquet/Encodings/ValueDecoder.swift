import Synchronization
import Vectors

/// Numbers dictionaries over all scans of the process; 0 is never given.
private let dictionaryNumbers = Atomic<UInt32>(0)

/// Decodes the values (without NULLs) of a column's pages, whatever their encoding.
///
/// `openPage` looks at a page; `load` takes a range of its values, which moves forward but for one step
/// back; `emit` writes them, or those that indexes name, converted to the engine's form.
final class ValueDecoder {
    private enum Kind { case none, dictionary, fixed, plainStrings, views }

    let leaf: ParquetLeaf
    private let conversion: LeafConversion
    let physical: PhysicalType
    /// Bytes of an emitted value.
    private let width: Int

    // The dictionary, converted.
    private let entryBuffer: ScanBuffer
    private let dictionaryBytes: ScanBuffer
    private let dictionaryScratch: ScanBuffer
    private(set) var entryCount = 0
    private(set) var dictionaryID: UInt32 = 0

    // The page.
    private var kind = Kind.none
    private var values = UnsafeRawBufferPointer(start: nil, count: 0)
    private var valueCount = 0
    private var pageConversion: LeafConversion
    private let decoded: ScanBuffer
    private let heap: ScanBuffer
    private let scratch: ScanBuffer
    private var hybrid = HybridReader(UnsafeRawBufferPointer(start: nil, count: 0), width: 0)
    private var checksCodes = true
    /// Plain strings: the offset of the value at `position`.
    private var offset = 0
    /// The value that the forward cursor stands at.
    private var position = 0

    // The loaded range: its codes, or the offsets of its strings.
    private let loaded: ScanBuffer
    private var loadedFirst = 0
    private var loadedCount = -1
    private var before: (hybrid: HybridReader, offset: Int)

    init(_ leaf: ParquetLeaf, _ conversion: LeafConversion, _ memory: ScanMemory) {
        self.leaf = leaf
        self.conversion = conversion
        physical = conversion.physical
        width = conversion.physical.width
        pageConversion = conversion
        entryBuffer = ScanBuffer(memory)
        dictionaryBytes = ScanBuffer(memory)
        dictionaryScratch = ScanBuffer(memory)
        decoded = ScanBuffer(memory)
        heap = ScanBuffer(memory)
        scratch = ScanBuffer(memory)
        loaded = ScanBuffer(memory)
        before = (hybrid, 0)
    }

    /// Whether the page's values are codes of the dictionary.
    var isDictionary: Bool { kind == .dictionary }
    /// The dictionary's entries, converted.
    var entries: UnsafeMutableRawPointer { entryBuffer.start }

    /// Forgets the chunk before.
    func reset() {
        entryCount = 0
        dictionaryID = 0
        kind = .none
        loadedCount = -1
    }

    // MARK: - Pages

    /// Takes the dictionary page: PLAIN values.
    func openDictionary(
        _ stream: PageStream, _ header: PageHeader
    ) throws(ParquetError) {
        guard dictionaryID == 0 else {
            throw .corrupted("column \(name) has two dictionaries in a row group")
        }
        guard header.encoding == .plain || header.encoding == .plainDictionary else {
            throw .unsupported("column \(name) has a dictionary with an unknown encoding")
        }
        let payload = try stream.payload(header)
        // The entries may point into the bytes, so these are kept beside the window.
        let bytes = try stream.decompressed(
            payload, size: header.uncompressedSize, into: dictionaryBytes, inPlace: false)
        try openPlain(bytes, header.valueCount, decoded: dictionaryScratch)
        if kind == .plainStrings {
            try dictionaryScratch.ensure(header.valueCount * 16 + 16)
            let views = dictionaryScratch.pointer(as: StringView.self)
            try ByteArrays.plain(bytes, count: header.valueCount, into: views)
            values = UnsafeRawBufferPointer(start: views, count: header.valueCount * 16)
            kind = .views
        }
        try entryBuffer.ensure(header.valueCount * width + 16)
        try emit(from: 0, nil, header.valueCount, into: entryBuffer.start)
        entryCount = header.valueCount
        var number = dictionaryNumbers.wrappingAdd(1, ordering: .relaxed).newValue
        if number == 0 { number = dictionaryNumbers.wrappingAdd(1, ordering: .relaxed).newValue }
        dictionaryID = number
        kind = .none
    }

    /// Takes the values section of a data page.
    func openPage(
        _ bytes: UnsafeRawBufferPointer, encoding: Encoding?, valueCount count: Int
    ) throws(ParquetError) {
        position = 0
        offset = 0
        loadedFirst = 0
        loadedCount = -1
        valueCount = count
        values = bytes
        pageConversion = conversion
        if count == 0 {
            // Nothing but NULLs: some writers leave out the values altogether.
            kind = .fixed
            before = (hybrid, 0)
            return
        }
        switch encoding {
        case .rleDictionary, .plainDictionary:
            guard dictionaryID != 0 else {
                throw .corrupted("column \(name) has codes but no dictionary")
            }
            guard let codeWidth = bytes.first, codeWidth <= 32 else {
                throw .corrupted("a page of column \(name) has codes of an impossible width")
            }
            hybrid = HybridReader(
                UnsafeRawBufferPointer(rebasing: bytes[1...]), width: Int(codeWidth))
            checksCodes = codeWidth >= 32 || 1 << Int(codeWidth) > entryCount
            kind = .dictionary
        case .plain: try openPlain(bytes, count, decoded: decoded)
        case .rle where leaf.type == .boolean: try openRunLengthBooleans(bytes, count)
        case .deltaBinaryPacked where leaf.type == .int32:
            try boundDecoded(count)
            try decoded.ensure(count * 4 + 16)
            let to = decoded.pointer(as: Int32.self)
            _ = try DeltaReader.read(bytes, count: count) { to[$0] = Int32(truncatingIfNeeded: $1) }
            setFixed(UnsafeRawBufferPointer(start: decoded.start, count: count * 4))
        case .deltaBinaryPacked where leaf.type == .int64:
            try boundDecoded(count)
            try decoded.ensure(count * 8 + 16)
            let to = decoded.pointer(as: Int64.self)
            _ = try DeltaReader.read(bytes, count: count) { to[$0] = $1 }
            setFixed(UnsafeRawBufferPointer(start: decoded.start, count: count * 8))
        case .deltaLengthByteArray where leaf.type == .byteArray:
            try boundDecoded(count)
            try decoded.ensure(count * 16 + 16)
            try ByteArrays.deltaLength(
                bytes, count: count, into: decoded.pointer(as: StringView.self))
            try useViews(count)
        case .deltaByteArray where leaf.type == .byteArray || leaf.type == .fixedLengthByteArray:
            try boundDecoded(count)
            try decoded.ensure(count * 16 + 16)
            try ByteArrays.deltaPrefix(
                bytes, count: count, into: decoded.pointer(as: StringView.self), heap: heap,
                prefixes: scratch)
            try useViews(count)
        case .byteStreamSplit
        where leaf.type != .byteArray && leaf.type != .boolean && leaf.type != .int96:
            guard count <= bytes.count / storedWidth else {
                throw .truncated("a page of column \(name) ends too early")
            }
            try heap.ensure(count * storedWidth + 16)
            try joinByteStreams(bytes, count: count, stride: storedWidth, into: heap.start)
            try openPlain(
                UnsafeRawBufferPointer(start: heap.start, count: count * storedWidth), count,
                decoded: decoded)
        default:
            throw .unsupported(
                "a page of column \(name) has the encoding \(encoding.map { "\($0)" } ?? "unknown") "
                    + "for \(leaf.type)")
        }
        before = (hybrid, offset)
    }

    private var name: String { leaf.path.joined(separator: ".") }

    /// Refuses counts for which a page of delta encodings is far too small, before memory is taken.
    private func boundDecoded(_ count: Int) throws(ParquetError) {
        // A miniblock of width 0 takes no bytes, but its block has a header of at least two.
        guard count / ParquetLimits.miniblockValues <= values.count else {
            throw .corrupted(
                "a page of column \(name) claims \(count) values in \(values.count) bytes")
        }
    }

    /// Bytes of a stored value of fixed width.
    private var storedWidth: Int {
        switch leaf.type {
        case .boolean: 1
        case .int32, .float: 4
        case .int64, .double: 8
        case .int96: 12
        case .fixedLengthByteArray: leaf.typeLength
        case .byteArray: 0
        }
    }

    private func setFixed(_ bytes: UnsafeRawBufferPointer) {
        kind = .fixed
        values = bytes
    }

    private func openPlain(
        _ bytes: UnsafeRawBufferPointer, _ count: Int, decoded: ScanBuffer
    ) throws(ParquetError) {
        pageConversion = conversion
        switch leaf.type {
        case .boolean:
            guard count <= bytes.count * 8 else {
                throw .truncated("a page of column \(name) ends too early")
            }
            try decoded.ensure(count + 16)
            let to = decoded.pointer(as: UInt8.self)
            for row in 0..<count { to[row] = bytes[row &>> 3] &>> UInt8(row & 7) & 1 }
            setFixed(UnsafeRawBufferPointer(start: decoded.start, count: count))
        case .byteArray:
            guard count <= bytes.count / 4 else {
                throw .truncated("a page of column \(name) ends too early")
            }
            values = bytes
            kind = .plainStrings
            offset = 0
            if conversion != .strings {
                try decoded.ensure(count * 16 + 16)
                try ByteArrays.plain(
                    bytes, count: count, into: decoded.pointer(as: StringView.self))
                try useViews(count, decoded: decoded)
            }
        default:
            guard count <= bytes.count / storedWidth else {
                throw .truncated("a page of column \(name) ends too early")
            }
            if conversion == .strings {
                try decoded.ensure(count * 16 + 16)
                let to = decoded.pointer(as: StringView.self)
                if let base = bytes.baseAddress {
                    for row in 0..<count {
                        to[row] = pageView(base + row &* storedWidth, storedWidth)
                    }
                }
                values = UnsafeRawBufferPointer(start: decoded.start, count: count * 16)
                kind = .views
            } else {
                setFixed(bytes)
            }
        }
    }

    private func openRunLengthBooleans(
        _ bytes: UnsafeRawBufferPointer, _ count: Int
    ) throws(ParquetError) {
        guard bytes.count >= 4 else { throw .truncated("a page of column \(name) ends too early") }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard length <= bytes.count - 4 else {
            throw .truncated("a page of column \(name) ends too early")
        }
        try decoded.ensure(count + 16)
        guard
            LevelReader.read(
                UnsafeRawBufferPointer(rebasing: bytes[4..<(4 + length)]), width: 1, maximum: 1,
                count: count, isBitPacked: false, into: decoded.pointer(as: UInt8.self))
        else { throw .truncated("a page of column \(name) ends too early") }
        setFixed(UnsafeRawBufferPointer(start: decoded.start, count: count))
    }

    /// Goes on with the views in `decoded`: as they are, or turned into values of fixed width.
    private func useViews(_ count: Int, decoded given: ScanBuffer? = nil) throws(ParquetError) {
        let decoded = given ?? self.decoded
        let views = decoded.pointer(as: StringView.self)
        if conversion == .strings {
            values = UnsafeRawBufferPointer(start: decoded.start, count: count * 16)
            kind = .views
            return
        }
        var fault: UInt8 = 0
        switch conversion {
        case .variableDecimal64:
            // Written in place: 8 bytes of a value are behind the 16 of its view at all times.
            let to = decoded.pointer(as: Int64.self)
            for row in 0..<count {
                let bytes = StringView.bytes(at: views + row)
                var wide: Int128 = 0
                if let base = bytes.baseAddress {
                    wide = bigEndianInteger(base, bytes.count, &fault)
                }
                let narrow = Int64(truncatingIfNeeded: wide)
                if Int128(narrow) != wide { fault = 1 }
                to[row] = narrow
            }
            pageConversion = .copy8
            setFixed(UnsafeRawBufferPointer(start: decoded.start, count: count * 8))
        case .variableDecimal128:
            let to = decoded.pointer(as: Int128.self)
            for row in 0..<count {
                let bytes = StringView.bytes(at: views + row)
                var wide: Int128 = 0
                if let base = bytes.baseAddress {
                    wide = bigEndianInteger(base, bytes.count, &fault)
                }
                to[row] = wide
            }
            pageConversion = .copy16
            setFixed(UnsafeRawBufferPointer(start: decoded.start, count: count * 16))
        default:
            // A fixed-length column in a byte array encoding.
            let stride = leaf.typeLength
            try scratch.ensure(count * stride + 16)
            for row in 0..<count {
                let bytes = StringView.bytes(at: views + row)
                guard bytes.count == stride, let base = bytes.baseAddress else {
                    throw .corrupted(
                        "column \(name) has a value of \(bytes.count) bytes instead of \(stride)")
                }
                (scratch.start + row * stride).copyMemory(from: base, byteCount: stride)
            }
            setFixed(UnsafeRawBufferPointer(start: scratch.start, count: count * stride))
        }
        if fault != 0 { throw outOfRange() }
    }

    private func outOfRange() -> ParquetError {
        ParquetError(
            code: .valueOutOfRange, message: "column \(name) has a value that does not fit its type"
        )
    }

    // MARK: - Values

    /// Makes the values `first..<first + count` of the page ready for `emit`. Ranges move forward, but
    /// may begin again anywhere in the one before.
    func load(_ first: Int, _ count: Int) throws(ParquetError) {
        if first == loadedFirst && count == loadedCount { return }
        guard first >= 0, count >= 0, count <= valueCount - first else {
            throw .corrupted("a page of column \(name) has fewer values than its levels say")
        }
        if first < position {
            guard first >= loadedFirst else {
                throw .corrupted("column \(name) was read out of order")
            }
            (hybrid, offset) = before
            position = loadedFirst
        }
        switch kind {
        case .dictionary:
            guard hybrid.skip(first - position) else { throw cutShort() }
            before.hybrid = hybrid
            try loaded.ensure((count + 16) * 4)
            let codes = loaded.pointer(as: UInt32.self)
            guard hybrid.read(count, into: codes) else { throw cutShort() }
            if checksCodes {
                var largest: UInt32 = 0
                for row in 0..<count { largest = max(largest, codes[row]) }
                guard count == 0 || largest < UInt32(clamping: entryCount) else {
                    throw .corrupted("column \(name) has a code outside of its dictionary")
                }
            }
            // A rank behind the last value, of a NULL, reads this one.
            codes[count] = 0
            position = first + count
        case .plainStrings:
            try walk(first - position, nil)
            before.offset = offset
            try loaded.ensure((count + 2) * 4)
            let offsets = loaded.pointer(as: UInt32.self)
            try walk(count, offsets)
            offsets[count] = offsets[max(count - 1, 0)]
            position = first + count
        case .fixed, .views, .none: position = first + count
        }
        loadedFirst = first
        loadedCount = count
    }

    /// Moves past plain strings and notes where their bytes begin.
    private func walk(
        _ count: Int, _ offsets: UnsafeMutablePointer<UInt32>?
    ) throws(ParquetError) {
        guard count > 0 else { return }
        guard let base = values.baseAddress else { throw cutShort() }
        var at = offset
        let end = values.count
        for row in 0..<count {
            guard at &+ 4 <= end else { throw cutShort() }
            let length = Int(UInt32(littleEndian: (base + at).loadUnaligned(as: UInt32.self)))
            at &+= 4
            offsets?[row] = UInt32(truncatingIfNeeded: at)
            guard length <= end &- at else { throw cutShort() }
            at &+= length
        }
        offset = at
    }

    private func cutShort() -> ParquetError {
        .truncated("a page of column \(name) ends too early")
    }

    /// The loaded range's codes; only where `isDictionary`.
    var codes: UnsafeMutablePointer<UInt32> { loaded.pointer(as: UInt32.self) }

    /// Writes loaded values in the engine's form: the first `count`, or those that `indices` name within
    /// the loaded range. An index of a NULL may be one behind the last; what it writes is meaningless.
    func emit(
        _ indices: UnsafePointer<UInt32>?, _ count: Int, into output: UnsafeMutableRawPointer
    ) throws(ParquetError) {
        try emit(from: loadedFirst, indices, count, into: output)
    }

    private func emit(
        from first: Int, _ indices: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutableRawPointer
    ) throws(ParquetError) {
        guard count > 0 else { return }
        switch kind {
        case .dictionary:
            if entryCount == 0 { return }
            gatherEntries(width: width, entryBuffer.start, codes, indices: indices, count, output)
        case .fixed:
            // A page of nothing but NULLs may have no bytes at all.
            if valueCount == 0 && kind == .fixed && values.baseAddress == nil { return }
            guard let base = values.baseAddress else { return }
            let stride = pageConversion == conversion ? storedStride : width
            let visitor = GatherStored(
                base: base + first &* stride, indices: indices, count: count, output: output)
            if let fault = pageConversion.accept(visitor), fault != 0 { throw outOfRange() }
        case .plainStrings:
            guard let base = values.baseAddress else { return }
            let offsets = loaded.pointer(as: UInt32.self)
            let to = output.assumingMemoryBound(to: StringView.self)
            if let indices {
                for row in 0..<count { to[row] = view(base, offsets[Int(indices[row])]) }
            } else {
                for row in 0..<count { to[row] = view(base, offsets[row]) }
            }
        case .views:
            guard let base = values.baseAddress else { return }
            let from = base.assumingMemoryBound(to: StringView.self) + first
            let to = output.assumingMemoryBound(to: StringView.self)
            if let indices {
                for row in 0..<count { to[row] = from[Int(indices[row])] }
            } else {
                to.update(from: from, count: count)
            }
        case .none: break
        }
    }

    private var storedStride: Int { storedWidth }

    @inline(__always)
    private func view(_ base: UnsafeRawPointer, _ offset: UInt32) -> StringView {
        let at = base + Int(offset)
        // The length in front was checked by `walk`.
        return pageView(at, Int(UInt32(littleEndian: (at - 4).loadUnaligned(as: UInt32.self))))
    }
}
