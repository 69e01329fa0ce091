import Bytes
import ObjectStorage
import Vectors

/// One top-level column without nesting, read in steps of rows that lie within one of its pages.
///
/// `advance` finds the page of a row by its header alone; `prepare` sets the step; nothing is
/// decompressed before `codes`, `rowVector` or `materialise` asks for values. In a page with NULLs a
/// row's value is found by its rank: how many rows before it have one.
final class FlatCursor {
    let leaf: ParquetLeaf
    let physical: PhysicalType
    private let stream: PageStream
    private let decoder: ValueDecoder
    private let options: ScanOptions

    private(set) var isOpen = false
    private var rowCount = 0
    /// The rows of the page that the last header was of.
    private(set) var pageStart = 0
    private(set) var pageEnd = 0
    private var header: PageHeader?
    private var isPageOpen = false
    private let pageBytes: ScanBuffer
    /// A bit a row of the page; meaningful when `pageHasNulls`.
    private let pageValid: ScanBuffer
    private var pageHasNulls = false
    /// Values before `rankRow` of the page, which only moves forward but for one step back.
    private var rankRow = 0
    private var rank = 0

    // The step.
    private var stepStart = 0
    private var stepCount = 0
    private var isLoaded = false
    private var stepHasNulls = false
    private var stepValueCount = 0
    private let stepValid: ScanBuffer
    private let stepRanks: ScanBuffer
    private let stepCodes: ScanBuffer
    private let indices: ScanBuffer
    private let stepValues: ScanBuffer
    private var hasStepCodes = false
    private var stepVector: Vector?

    private(set) var pagesRead = 0
    private(set) var pagesSkipped = 0
    /// Pages of the chunk by the page index, when it was read.
    var offsetIndex: OffsetIndex?

    init(
        _ file: ParquetFile, _ leaf: ParquetLeaf, _ conversion: LeafConversion,
        options: ScanOptions,
        memory: ScanMemory
    ) {
        self.leaf = leaf
        self.options = options
        physical = conversion.physical
        stream = PageStream(file, readAhead: options.readAheadBytes, memory: memory)
        decoder = ValueDecoder(leaf, conversion, memory)
        pageBytes = ScanBuffer(memory)
        pageValid = ScanBuffer(memory)
        stepValid = ScanBuffer(memory)
        stepRanks = ScanBuffer(memory)
        stepCodes = ScanBuffer(memory)
        indices = ScanBuffer(memory)
        stepValues = ScanBuffer(memory)
    }

    var bytesRead: Int { stream.bytesRead }
    var bytesDecompressed: Int { stream.bytesDecompressed }

    // MARK: - Pages

    /// Forgets the row group before.
    func close() {
        isOpen = false
        header = nil
        isPageOpen = false
        pageStart = 0
        pageEnd = 0
        offsetIndex = nil
        decoder.reset()
        stepVector = nil
        hasStepCodes = false
        isLoaded = false
        stepCount = 0
    }

    /// Opens the column in a row group; the read returned must be done before anything else.
    func open(_ group: RowGroupMetadata) throws(ParquetError) -> RangeRead? {
        isOpen = true
        rowCount = group.rowCount
        return try stream.open(group.columns[leaf.index], leaf)
    }

    /// Moves to the page that has the row, by headers alone.
    func advance(to row: Int) throws(ParquetError) {
        if row < pageEnd { return }
        if let index = offsetIndex, try jump(to: row, index) { return }
        while row >= pageEnd {
            if let header, !isPageOpen {
                stream.skip(header)
                pagesSkipped += 1
            }
            header = nil
            isPageOpen = false
            guard let next = try stream.next() else {
                throw .corrupted(
                    "column \(name) has \(pageEnd) of its row group's \(rowCount) rows")
            }
            switch next.kind {
            case .dictionary: try decoder.openDictionary(stream, next)
            case .index: stream.skip(next)
            case .data, .dataV2:
                header = next
                pageStart = pageEnd
                pageEnd += next.valueCount
                guard pageEnd <= rowCount else {
                    throw .corrupted(
                        "column \(name) has more rows than its row group's \(rowCount)")
                }
            }
        }
    }

    /// Goes straight to the page of a row; false when that is the next page anyway.
    private func jump(to row: Int, _ index: OffsetIndex) throws(ParquetError) -> Bool {
        guard decoder.dictionaryID != 0 || pageEnd > 0 else {
            // The dictionary comes first: take it, and the first page's header, in order.
            return false
        }
        let page = index.page(of: row)
        let start = index.firstRows[page]
        guard start > pageEnd, start <= row else { return false }
        if let header, !isPageOpen {
            stream.skip(header)
            pagesSkipped += 1
        }
        header = nil
        isPageOpen = false
        try stream.seek(to: index.offsets[page])
        guard let next = try stream.next(), next.kind == .data || next.kind == .dataV2 else {
            throw .corrupted("the page index of column \(name) does not point to a page")
        }
        pageStart = start
        pageEnd = start + next.valueCount
        let expected = page + 1 < index.firstRows.count ? index.firstRows[page + 1] : rowCount
        guard pageEnd == expected, row < pageEnd else {
            throw .corrupted("the page index of column \(name) contradicts its pages")
        }
        header = next
        return true
    }

    private var name: String { leaf.path.joined(separator: ".") }

    /// Decompresses the present page and reads its levels.
    private func openPage() throws(ParquetError) {
        guard let header else { throw .corrupted("column \(name) has no page here") }
        let count = header.valueCount
        let payload = try stream.payload(header)
        isPageOpen = true
        pagesRead += 1
        rankRow = 0
        rank = 0
        pageHasNulls = false
        var valueCount = count
        var levels = UnsafeRawBufferPointer(start: nil, count: 0)
        var values: UnsafeRawBufferPointer
        if header.kind == .dataV2 {
            let levelBytes = header.definitionBytes + header.repetitionBytes
            guard levelBytes <= payload.count, levelBytes <= header.uncompressedSize else {
                throw .corrupted("the levels of a page of column \(name) are longer than the page")
            }
            levels = UnsafeRawBufferPointer(
                rebasing: payload[header.repetitionBytes..<levelBytes])
            if leaf.maxDefinition > 0 {
                valueCount = try readValid(levels, count, isBitPacked: false)
            }
            let rest = UnsafeRawBufferPointer(rebasing: payload[levelBytes...])
            values =
                header.isCompressed
                ? try stream.decompressed(
                    rest, size: header.uncompressedSize - levelBytes, into: pageBytes, inPlace: true
                )
                : rest
        } else {
            values = try stream.decompressed(
                payload, size: header.uncompressedSize, into: pageBytes, inPlace: true)
            if leaf.maxDefinition > 0 {
                var start = 0
                var end = 0
                if header.hasBitPackedDefinitions {
                    end = (count + 7) / 8
                } else {
                    guard values.count >= 4 else { throw cutShort() }
                    start = 4
                    end = 4 + Int(UInt32(littleEndian: values.loadUnaligned(as: UInt32.self)))
                }
                guard end <= values.count else { throw cutShort() }
                levels = UnsafeRawBufferPointer(rebasing: values[start..<end])
                valueCount = try readValid(
                    levels, count, isBitPacked: header.hasBitPackedDefinitions)
                values = UnsafeRawBufferPointer(rebasing: values[end...])
            }
        }
        try decoder.openPage(values, encoding: header.encoding, valueCount: valueCount)
    }

    private func cutShort() -> ParquetError {
        .truncated("a page of column \(name) ends too early")
    }

    private func readValid(
        _ levels: UnsafeRawBufferPointer, _ count: Int, isBitPacked: Bool
    ) throws(ParquetError) -> Int {
        let words = ValidityBits.wordCount(count)
        try pageValid.ensure((words + 2) * 8)
        let bits = pageValid.pointer(as: UInt64.self)
        guard
            let present = LevelReader.readBits(
                levels, count: count, isBitPacked: isBitPacked, into: bits)
        else { throw cutShort() }
        bits[words] = 0
        pageHasNulls = present < count
        return present
    }

    // MARK: - Steps

    /// Sets the step: rows of the present page, of which nothing is decoded yet.
    func prepare(_ row: Int, _ count: Int) {
        stepStart = row
        stepCount = count
        isLoaded = false
        hasStepCodes = false
        stepVector = nil
    }

    /// Decodes what the step's values need: their codes or places, and which rows are NULL.
    private func load() throws(ParquetError) {
        if isLoaded { return }
        if !isPageOpen { try openPage() }
        let first = stepStart - pageStart
        stepHasNulls = false
        if pageHasNulls {
            let bits = pageValid.pointer(as: UInt64.self)
            if first < rankRow {
                rankRow = 0
                rank = 0
            }
            rank += countBits(bits, rankRow, first)
            rankRow = first
            let words = ValidityBits.wordCount(stepCount)
            try stepValid.ensure((words + 1) * 8)
            let valid = stepValid.pointer(as: UInt64.self)
            stepValueCount = copyBits(bits, from: first, count: stepCount, to: valid)
            stepHasNulls = stepValueCount < stepCount
            try decoder.load(rank, stepValueCount)
            if stepHasNulls && stepValueCount > 0 { try fillRanks(valid) }
        } else {
            stepValueCount = stepCount
            try decoder.load(first, stepCount)
        }
        isLoaded = true
    }

    /// The rank of each row among the step's values; NULLs take that of a neighbour.
    private func fillRanks(_ valid: UnsafeMutablePointer<UInt64>) throws(ParquetError) {
        try stepRanks.ensure((stepCount + 16) * 4)
        let ranks = stepRanks.pointer(as: UInt32.self)
        let last = UInt32(truncatingIfNeeded: stepValueCount &- 1)
        var rank: UInt32 = 0
        for row in 0..<stepCount {
            ranks[row] = min(rank, last)
            rank &+= UInt32(truncatingIfNeeded: valid[row &>> 6] &>> UInt64(row & 63) & 1)
        }
    }

    /// Whether the step's rows are codes of a dictionary. Decompresses the page.
    func stepIsDictionary() throws(ParquetError) -> Bool {
        if !isPageOpen { try openPage() }
        return decoder.isDictionary && decoder.entryCount > 0
    }

    /// Whether the page has no row but NULLs; asks for nothing more than its levels.
    var dictionaryID: UInt32 { decoder.dictionaryID }
    var entryCount: Int { decoder.entryCount }
    /// The dictionary's entries as a flat vector.
    var entryVector: Vector {
        Vector(physical: physical, values: decoder.entries, entryCount: UInt32(decoder.entryCount))
    }
    var pageCanHaveNulls: Bool { pageHasNulls }

    /// The code of each row of the step, some code for NULLs, and the rows that are not NULL.
    func codes() throws(ParquetError) -> (
        codes: UnsafeMutablePointer<UInt32>, valid: UnsafeMutablePointer<UInt64>?
    ) {
        try load()
        if !stepHasNulls { return (decoder.codes, nil) }
        if !hasStepCodes {
            try stepCodes.ensure((stepCount + 16) * 4)
            let to = stepCodes.pointer(as: UInt32.self)
            if stepValueCount == 0 {
                to.update(repeating: 0, count: stepCount)
            } else {
                let ranks = stepRanks.pointer(as: UInt32.self)
                let from = decoder.codes
                for row in 0..<stepCount { to[row] = from[Int(ranks[row])] }
            }
            hasStepCodes = true
        }
        return (stepCodes.pointer(as: UInt32.self), stepValid.pointer(as: UInt64.self))
    }

    /// All rows of the step, decoded: for filters that look at rows. Lives until the step ends.
    func rowVector() throws(ParquetError) -> Vector {
        if let stepVector { return stepVector }
        try load()
        var vector: Vector
        if physical == .string && decoder.isDictionary && decoder.entryCount > 0
            && options.keepsDictionaries
        {
            let (codes, valid) = try codes()
            vector = Vector(
                physical: .string, form: .dictionary, values: decoder.entries, codes: codes,
                valid: valid,
                dictionaryID: decoder.dictionaryID, entryCount: UInt32(decoder.entryCount))
        } else {
            try stepValues.ensure((stepCount + 8) * physical.width)
            try emit(nil, stepCount, into: stepValues.start)
            vector = Vector(physical: physical, values: stepValues.start)
            if stepHasNulls { vector.valid = stepValid.pointer(as: UInt64.self) }
        }
        stepVector = vector
        return vector
    }

    /// Writes rows of the step as they will leave the scan: those selected, or the first `count`.
    func materialise(
        _ selection: UnsafePointer<UInt32>?, _ count: Int, into slot: OutputSlot
    ) throws(ParquetError) -> Vector {
        try load()
        var vector: Vector
        if physical == .string && decoder.isDictionary && decoder.entryCount > 0
            && options.keepsDictionaries
        {
            try slot.codes.ensure((count + 16) * 4)
            let to = slot.codes.pointer(as: UInt32.self)
            let (from, _) = try codes()
            if let selection {
                for row in 0..<count { to[row] = from[Int(selection[row])] }
            } else {
                to.update(from: from, count: count)
            }
            vector = Vector(
                physical: .string, form: .dictionary, values: decoder.entries, codes: to,
                dictionaryID: decoder.dictionaryID, entryCount: UInt32(decoder.entryCount))
        } else {
            try slot.values.ensure((count + 8) * physical.width)
            try emit(selection, count, into: slot.values.start)
            vector = Vector(physical: physical, values: slot.values.start)
        }
        if stepHasNulls {
            let words = ValidityBits.wordCount(count)
            try slot.valid.ensure((words + 1) * 8)
            let to = slot.valid.pointer(as: UInt64.self)
            let from = stepValid.pointer(as: UInt64.self)
            let present = gatherBits(from, selection, count, to)
            if present < count { vector.valid = to }
        }
        return vector
    }

    /// Decodes rows of the step; NULLs become zeros.
    private func emit(
        _ selection: UnsafePointer<UInt32>?, _ count: Int, into output: UnsafeMutableRawPointer
    ) throws(ParquetError) {
        guard stepHasNulls else {
            try decoder.emit(selection, count, into: output)
            return
        }
        let width = physical.width
        guard stepValueCount > 0 else {
            output.initializeMemory(as: UInt8.self, repeating: 0, count: count * width)
            return
        }
        let ranks = stepRanks.pointer(as: UInt32.self)
        if let selection {
            try indices.ensure((count + 16) * 4)
            let places = indices.pointer(as: UInt32.self)
            for row in 0..<count { places[row] = ranks[Int(selection[row])] }
            try decoder.emit(places, count, into: output)
        } else {
            try decoder.emit(ranks, count, into: output)
        }
        let valid = stepValid.pointer(as: UInt64.self)
        for index in 0..<count {
            let row = selection.map { Int($0[index]) } ?? index
            if valid[row &>> 6] &>> UInt64(row & 63) & 1 == 0 {
                (output + index &* width).initializeMemory(
                    as: UInt8.self, repeating: 0, count: width)
            }
        }
    }
}

/// The memory that one output column of a scan's chunk lies in.
final class OutputSlot {
    let values: ScanBuffer
    let codes: ScanBuffer
    let valid: ScanBuffer

    init(_ memory: ScanMemory) {
        values = ScanBuffer(memory)
        codes = ScanBuffer(memory)
        valid = ScanBuffer(memory)
    }
}

/// Set bits in `from..<to`.
func countBits(_ bits: UnsafePointer<UInt64>, _ from: Int, _ to: Int) -> Int {
    var total = 0
    var at = from
    while at < to {
        let inWord = at & 63
        let taken = min(64 &- inWord, to &- at)
        let mask: UInt64 = taken == 64 ? ~0 : 1 &<< UInt64(taken) &- 1
        total &+= (bits[at &>> 6] &>> UInt64(inWord) & mask).nonzeroBitCount
        at &+= taken
    }
    return total
}

/// Copies bits to the start of `output`, zeros behind them; returns how many are set. `bits` has a word
/// behind its last.
func copyBits(
    _ bits: UnsafePointer<UInt64>, from: Int, count: Int, to output: UnsafeMutablePointer<UInt64>
) -> Int {
    let words = ValidityBits.wordCount(count)
    let shift = UInt64(from & 63)
    let base = bits + from &>> 6
    var total = 0
    for word in 0..<words {
        var value = base[word] &>> shift
        if shift != 0 { value |= base[word &+ 1] &<< (64 &- shift) }
        if word == words &- 1 && count & 63 != 0 { value &= 1 &<< UInt64(count & 63) &- 1 }
        output[word] = value
        total &+= value.nonzeroBitCount
    }
    return total
}

/// Gathers the bits of selected rows (nil: the first `count`); returns how many are set.
func gatherBits(
    _ bits: UnsafePointer<UInt64>, _ selection: UnsafePointer<UInt32>?, _ count: Int,
    _ output: UnsafeMutablePointer<UInt64>
) -> Int {
    guard let selection else {
        return copyBits(bits, from: 0, count: count, to: output)
    }
    let words = ValidityBits.wordCount(count)
    var total = 0
    for word in 0..<words {
        var value: UInt64 = 0
        for bit in 0..<min(64, count &- word &* 64) {
            let row = Int(selection[word &* 64 &+ bit])
            value |= (bits[row &>> 6] &>> UInt64(row & 63) & 1) &<< UInt64(bit)
        }
        output[word] = value
        total &+= value.nonzeroBitCount
    }
    return total
}
