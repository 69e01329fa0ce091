import Bytes
import Compression
import Vectors

/// Encodes one leaf: values in, finished pages kept until the row group ends.
///
/// A column chunk begins with a dictionary; when the first page shows that values hardly repeat, it is
/// written over as PLAIN, and when the dictionary grows too large, the pages that follow are PLAIN.
final class LeafWriter {
    /// A finished page: where it lies behind the dictionary page, and what it holds.
    struct Page {
        var offset: Int
        var size: Int
        var firstRow: Int
        var rowCount: Int
        var bounds: BoundsTracker
    }

    let leaf: ParquetLeaf
    let form: StoredForm
    let fieldID: Int?
    let type: LogicalType
    private let options: WriterOptions
    private let compressor: Compressor

    // The page being filled.
    private var definitions: [UInt8] = []
    private var repetitions: [UInt8] = []
    private var codes: [UInt32] = []
    private var plain = ByteBuffer()
    private var booleans: [UInt8] = []
    private var integers: [Int64] = []
    private var pageRows = 0
    private var pageValues = 0
    private var bounds = BoundsTracker()

    // The column chunk.
    private var dictionary: DictionaryBuilder?
    private var pages: [Page] = []
    private var finished = ByteBuffer()
    private var uncompressedSize = 0
    private var chunkRows = 0
    private var chunkValues = 0
    private var hasPlainPages = false

    /// Over all row groups.
    private(set) var totals = BoundsTracker()
    private(set) var totalValues = 0
    private(set) var totalSize = 0

    init(
        _ leaf: ParquetLeaf, _ form: StoredForm, type: LogicalType, fieldID: Int?,
        options: WriterOptions,
        compressor: Compressor
    ) {
        self.leaf = leaf
        self.form = form
        self.type = type
        self.fieldID = fieldID
        self.options = options
        self.compressor = compressor
        beginChunk()
    }

    private func beginChunk() {
        dictionary = options.usesDictionaries && form != .boolean ? DictionaryBuilder() : nil
        pages = []
        finished = ByteBuffer()
        uncompressedSize = 0
        chunkRows = 0
        chunkValues = 0
        hasPlainPages = false
    }

    /// Bytes held in memory, about.
    var bufferedBytes: Int {
        finished.count + plain.count + codes.count * 4 + (dictionary?.plain.count ?? 0) * 2
            + definitions.count + repetitions.count + integers.count * 8
    }

    // MARK: - Values

    /// A place without a value: NULL here or above, or an empty list above.
    func appendMissing(definition: Int, repetition: Int) {
        if leaf.maxDefinition > 0 { definitions.append(UInt8(truncatingIfNeeded: definition)) }
        if leaf.maxRepetition > 0 { repetitions.append(UInt8(truncatingIfNeeded: repetition)) }
        pageValues += 1
        bounds.nullCount += 1
    }

    /// The value of a vector's row, which is not NULL.
    func append(_ vector: Vector, _ index: Int, repetition: Int) throws(ParquetError) {
        if leaf.maxDefinition > 0 {
            definitions.append(UInt8(truncatingIfNeeded: leaf.maxDefinition))
        }
        if leaf.maxRepetition > 0 { repetitions.append(UInt8(truncatingIfNeeded: repetition)) }
        pageValues += 1
        let at = vector.valueIndex(index)
        switch form {
        case .boolean:
            let flag = vector.pointer(as: UInt8.self)[at] & 1
            booleans.append(flag)
            bounds.add(.boolean(flag == 1))
        case .int32:
            let number = vector.pointer(as: Int32.self)[at]
            bounds.add(.int32(number))
            store(Int64(number), 4)
        case .decimal32:
            let number = vector.pointer(as: Int64.self)[at]
            guard let narrow = Int32(exactly: number) else { throw outOfRange() }
            bounds.add(.int64(number))
            store(Int64(narrow), 4)
        case .int64:
            let number = vector.pointer(as: Int64.self)[at]
            bounds.add(.int64(number))
            store(number, 8)
        case .time:
            let number = vector.pointer(as: Int64.self)[at]
            bounds.add(.int64(number))
            store(number / 1_000_000, 8)
        case .timeNanos:
            let number = vector.pointer(as: Int64.self)[at]
            bounds.add(.int64(number))
            store(number / 1000, 8)
        case .packedMicros:
            let micros = Int64(truncatingIfNeeded: vector.pointer(as: Int128.self)[at] >> 64)
            bounds.add(.int128(Int128(micros) << 64))
            store(micros, 8)
        case .packedNanos:
            let packed = vector.pointer(as: Int128.self)[at]
            let micros = Int64(truncatingIfNeeded: packed >> 64)
            var picos = Int64(truncatingIfNeeded: packed & 0xFFFF_FFFF_FFFF_FFFF)
            if case .timestampWithTimeZone = type { picos >>= 16 }
            let (scaled, overflow) = micros.multipliedReportingOverflow(by: 1000)
            let (nanos, carry) = scaled.addingReportingOverflow(picos / 1000)
            guard !overflow, !carry else { throw outOfRange() }
            bounds.add(.int128(Int128(micros) << 64 | Int128(picos)))
            store(nanos, 8)
        case .float:
            let number = vector.pointer(as: Double.self)[at]
            bounds.add(.double(number))
            storeBytes(of: Float(number).bitPattern.littleEndian)
        case .double:
            let number = vector.pointer(as: Double.self)[at]
            bounds.add(.double(number))
            storeBytes(of: number.bitPattern.littleEndian)
        case .decimal(let count):
            let number = vector.pointer(as: Int128.self)[at]
            bounds.add(.int128(number))
            storeBigEndian(number, count)
        case .uuid:
            let number = vector.pointer(as: Int128.self)[at]
            bounds.add(.int128(number))
            storeBigEndian(number ^ (Int128(1) << 127), 16)
        case .bytes:
            let bytes = StringView.bytes(at: vector.pointer(as: StringView.self) + at)
            bounds.addBytes(bytes)
            storeByteArray(UnsafeRawBufferPointer(bytes))
        }
    }

    private func outOfRange() -> ParquetError {
        ParquetError(
            code: .valueOutOfRange,
            message:
                "a value of column \(leaf.path.joined(separator: ".")) does not fit \(type) in a file"
        )
    }

    private func store(_ number: Int64, _ width: Int) {
        if dictionary == nil && options.usesDeltas {
            integers.append(number)
        } else if width == 4 {
            storeBytes(of: UInt32(truncatingIfNeeded: number).littleEndian)
        } else {
            storeBytes(of: UInt64(bitPattern: number).littleEndian)
        }
    }

    private func storeBytes<Value: FixedWidthInteger & BitwiseCopyable>(of value: Value) {
        withUnsafeBytes(of: value) { bytes in
            if dictionary != nil { codes.append(code(bytes)) } else { plain.append(bytes) }
        }
    }

    private func storeBigEndian(_ value: Int128, _ count: Int) {
        withUnsafeBytes(of: value.bigEndian) { bytes in
            let part = UnsafeRawBufferPointer(rebasing: bytes[(16 - count)...])
            if dictionary != nil { codes.append(code(part)) } else { plain.append(part) }
        }
    }

    private func storeByteArray(_ bytes: UnsafeRawBufferPointer) {
        if dictionary != nil {
            codes.append(code(bytes))
        } else {
            plain.appendUInt32LE(UInt32(truncatingIfNeeded: bytes.count))
            plain.append(bytes)
        }
    }

    private func code(_ bytes: UnsafeRawBufferPointer) -> UInt32 { dictionary?.code(bytes) ?? 0 }

    /// Says that a row is complete; ends the page when it is full.
    func endRow() throws(ParquetError) {
        pageRows += 1
        if pageRows >= options.pageRows || plain.count >= options.pageBytes
            || pageValues >= options.pageRows * 8
        {
            try endPage()
        } else if let dictionary, dictionary.plain.count > options.dictionaryBytes {
            try endPage()
        }
    }

    // MARK: - Pages

    private func endPage() throws(ParquetError) {
        guard pageRows > 0 else { return }
        if pages.isEmpty, let dictionary, form != .boolean,
            codes.count >= 64, dictionary.count > codes.count / 2
        {
            giveUpDictionary(dictionary)
        }
        var body = ByteBuffer(capacity: plain.count + codes.count * 2 + 64)
        if leaf.maxRepetition > 0 {
            HybridWriter.writeLevels(repetitions, maximum: leaf.maxRepetition, to: &body)
        }
        if leaf.maxDefinition > 0 {
            HybridWriter.writeLevels(definitions, maximum: leaf.maxDefinition, to: &body)
        }
        var encoding = Encoding.plain
        // Without a value there is no dictionary page, and other readers want one before its codes.
        if let dictionary, dictionary.count > 0 {
            encoding = .rleDictionary
            let width =
                dictionary.count <= 1
                ? 1 : Int.bitWidth - (dictionary.count - 1).leadingZeroBitCount
            body.append(UInt8(width))
            codes.withUnsafeBufferPointer { HybridWriter.write($0, width: width, to: &body) }
        } else if form == .boolean {
            for start in stride(from: 0, to: booleans.count, by: 8) {
                var byte: UInt8 = 0
                for (bit, flag) in booleans[start..<min(start + 8, booleans.count)].enumerated() {
                    byte |= flag << UInt8(bit)
                }
                body.append(byte)
            }
        } else if options.usesDeltas && form.isInteger {
            encoding = .deltaBinaryPacked
            DeltaWriter.write(integers, bits: form.physical == .int32 ? 32 : 64, to: &body)
        } else {
            body.append(plain.bytes)
        }
        if encoding != .rleDictionary { hasPlainPages = true }
        let start = finished.count
        let valueCount = pageValues
        uncompressedSize += try LeafWriter.appendPage(
            body.bytes, options, compressor, to: &finished
        ) { writer in
            writer.structure(5) {
                $0.int32(1, valueCount)
                $0.int32(2, encoding.rawValue)
                $0.int32(3, Encoding.rle.rawValue)
                $0.int32(4, Encoding.rle.rawValue)
            }
        }
        pages.append(
            Page(
                offset: start, size: finished.count - start, firstRow: chunkRows,
                rowCount: pageRows,
                bounds: bounds))
        chunkRows += pageRows
        chunkValues += pageValues
        definitions.removeAll(keepingCapacity: true)
        repetitions.removeAll(keepingCapacity: true)
        codes.removeAll(keepingCapacity: true)
        plain.bytes.removeAll(keepingCapacity: true)
        booleans.removeAll(keepingCapacity: true)
        integers.removeAll(keepingCapacity: true)
        pageRows = 0
        pageValues = 0
        bounds = BoundsTracker()
        if let dictionary, dictionary.plain.count > options.dictionaryBytes {
            // Pages from here on are PLAIN; those written keep their dictionary.
            spent = dictionary
            self.dictionary = nil
        }
    }

    /// The dictionary of pages already written, when later ones are PLAIN.
    private var spent: DictionaryBuilder?

    /// Turns the codes of the first page back into values.
    private func giveUpDictionary(_ dictionary: DictionaryBuilder) {
        for code in codes {
            let entry = dictionary.entry(code)
            if form == .bytes { plain.appendUInt32LE(UInt32(truncatingIfNeeded: entry.count)) }
            if options.usesDeltas && form.isInteger {
                integers.append(
                    entry.count == 4
                        ? Int64(Int32(truncatingIfNeeded: littleEndian(entry)))
                        : Int64(bitPattern: littleEndian(entry)))
            } else {
                plain.append(entry)
            }
        }
        codes.removeAll(keepingCapacity: true)
        self.dictionary = nil
    }

    private func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Compresses a page's bytes and appends it behind its header; returns header and plain size.
    private static func appendPage(
        _ body: [UInt8], _ options: WriterOptions, _ compressor: Compressor,
        to output: inout ByteBuffer,
        kind: PageHeader.Kind = .data, _ specifics: (inout ThriftWriter) -> Void
    ) throws(ParquetError) -> Int {
        var packed = body
        if options.codec != .none {
            do throws(CompressionError) {
                packed = try compressor.compress(options.codec, level: options.level, body)
            } catch {
                throw ParquetError(
                    code: .unsupported, message: "a page cannot be compressed: \(error.message)",
                    cause: error)
            }
        }
        var writer = ThriftWriter()
        writer.structureElement { writer in
            writer.int32(1, kind.rawValue)
            writer.int32(2, body.count)
            writer.int32(3, packed.count)
            specifics(&writer)
        }
        output.append(writer.bytes)
        output.append(packed)
        return writer.bytes.count + body.count
    }

    // MARK: - Column chunks

    /// A finished column chunk: its bytes, to be written at `offset`, and what the footer says of it.
    struct Chunk {
        var dictionaryPage: [UInt8]
        var pagesBytes: [UInt8]
        var metadata: ColumnChunkMetadata
        var pages: [Page]
        var dataOffset: Int
    }

    /// Ends the column chunk that will be written at `offset`.
    func finishChunk(at offset: Int) throws(ParquetError) -> Chunk {
        try endPage()
        var dictionaryPage = ByteBuffer()
        let used = dictionary ?? spent
        if let used, used.count > 0 {
            var body = ByteBuffer(capacity: used.plain.count + used.count * 4)
            if form == .bytes {
                for code in 0..<used.count {
                    let entry = used.entry(UInt32(code))
                    body.appendUInt32LE(UInt32(truncatingIfNeeded: entry.count))
                    body.append(entry)
                }
            } else {
                body.append(used.plain.bytes)
            }
            let count = used.count
            uncompressedSize += try LeafWriter.appendPage(
                body.bytes, options, compressor, to: &dictionaryPage, kind: .dictionary
            ) { writer in
                writer.structure(7) {
                    $0.int32(1, count)
                    $0.int32(2, Encoding.plain.rawValue)
                }
            }
        }
        var chunkBounds = BoundsTracker()
        for page in pages { chunkBounds.merge(page.bounds) }
        var metadata = ColumnChunkMetadata()
        metadata.type = form.physical
        metadata.path = leaf.path
        metadata.codec = options.codec
        metadata.valueCount = chunkValues
        metadata.uncompressedSize = uncompressedSize
        metadata.compressedSize = dictionaryPage.count + finished.count
        metadata.dataPageOffset = offset + dictionaryPage.count
        if dictionaryPage.count > 0 { metadata.dictionaryPageOffset = offset }
        metadata.encodings = [.plain, .rle]
        if dictionaryPage.count > 0 { metadata.encodings.append(.rleDictionary) }
        if hasPlainPages && options.usesDeltas && form.isInteger {
            metadata.encodings.append(.deltaBinaryPacked)
        }
        metadata.statistics = statistics(chunkBounds)
        totals.merge(chunkBounds)
        totalValues += chunkValues
        totalSize += metadata.compressedSize
        let chunk = Chunk(
            dictionaryPage: dictionaryPage.bytes, pagesBytes: finished.bytes, metadata: metadata,
            pages: pages, dataOffset: offset + dictionaryPage.count)
        spent = nil
        beginChunk()
        return chunk
    }

    private var isText: Bool {
        switch type {
        case .varchar, .char, .json: true
        default: false
        }
    }

    private var isFloating: Bool { form == .float || form == .double }

    /// What a tracker found, as the file has it.
    func statistics(_ bounds: BoundsTracker) -> RawStatistics {
        var result = RawStatistics()
        result.nullCount = bounds.nullCount
        if isFloating { result.nanCount = bounds.nanCount }
        let (lower, upper) = cut(bounds)
        result.min = lower?.statisticsBytes(form, isUpper: false)
        result.max = upper?.statisticsBytes(form, isUpper: true)
        if form == .bytes {
            result.isMinExact = lower == bounds.lower
            result.isMaxExact = upper == bounds.upper
        }
        return result
    }

    /// Bounds cut to the option's length.
    func cut(_ bounds: BoundsTracker) -> (lower: ParquetValue?, upper: ParquetValue?) {
        guard form == .bytes else { return (bounds.lower, bounds.upper) }
        var lower: ParquetValue?
        var upper: ParquetValue?
        if case .bytes(let bytes)? = bounds.lower {
            lower = .bytes(BoundCutting.lower(bytes, length: options.boundLength, isText: isText))
        }
        if case .bytes(let bytes)? = bounds.upper {
            upper = BoundCutting.upper(bytes, length: options.boundLength, isText: isText).map {
                .bytes($0)
            }
        }
        return (lower, upper)
    }

    /// The bounds over all row groups, in the engine's form. Trackers hold nanosecond timestamps
    /// without the bits of a zone.
    func totalBounds() -> (lower: ParquetValue?, upper: ParquetValue?) {
        let (lower, upper) = cut(totals)
        guard form == .packedNanos, case .timestampWithTimeZone = type else {
            return (lower, upper)
        }
        func zoned(_ value: ParquetValue?) -> ParquetValue? {
            guard case .int128(let packed)? = value else { return value }
            let low = packed & 0xFFFF_FFFF_FFFF_FFFF
            return .int128(packed - low | low << 16)
        }
        return (zoned(lower), zoned(upper))
    }

    /// The column index of a chunk's pages; nil when some page has values but no bounds.
    func columnIndex(_ pages: [Page]) -> [UInt8]? {
        var raw: [RawStatistics] = []
        for page in pages {
            let statistics = statistics(page.bounds)
            if page.bounds.valueCount > 0 && (statistics.min == nil || statistics.max == nil) {
                return nil
            }
            raw.append(statistics)
        }
        let isAscending = ordered(pages) { $0 <= 0 }
        let isDescending = !isAscending && ordered(pages) { $0 >= 0 }
        var writer = ThriftWriter()
        writer.structureElement { writer in
            writer.list(1, .yes, count: pages.count)
            for page in pages { writer.element(page.bounds.valueCount == 0) }
            writer.list(2, .binary, count: pages.count)
            for statistics in raw { writer.element(statistics.min ?? []) }
            writer.list(3, .binary, count: pages.count)
            for statistics in raw { writer.element(statistics.max ?? []) }
            writer.int32(4, isAscending ? 1 : isDescending ? 2 : 0)
            writer.list(5, .int64, count: pages.count)
            for page in pages { writer.element(page.bounds.nullCount) }
            if isFloating {
                writer.list(8, .int64, count: pages.count)
                for page in pages { writer.element(page.bounds.nanCount) }
            }
        }
        return writer.bytes
    }

    /// Whether both bounds of the pages that have any follow one another so.
    private func ordered(_ pages: [Page], _ holds: (Int) -> Bool) -> Bool {
        var last: (lower: ParquetValue, upper: ParquetValue)?
        for page in pages {
            let (low, high) = cut(page.bounds)
            guard let low, let high else { continue }
            if let last {
                guard let first = ParquetValue.compare(last.lower, low), holds(first),
                    let second = ParquetValue.compare(last.upper, high), holds(second)
                else { return false }
            }
            last = (low, high)
        }
        return true
    }

    /// The offset index of a chunk's pages.
    static func offsetIndex(_ chunk: Chunk) -> [UInt8] {
        var writer = ThriftWriter()
        writer.structureElement { writer in
            writer.list(1, .structure, count: chunk.pages.count)
            for page in chunk.pages {
                writer.structureElement {
                    $0.int64(1, chunk.dataOffset + page.offset)
                    $0.int32(2, page.size)
                    $0.int64(3, page.firstRow)
                }
            }
        }
        return writer.bytes
    }
}
