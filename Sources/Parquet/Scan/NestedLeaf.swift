import Compression
import ObjectStorage
import Vectors

/// One leaf below a nested column, read row by row into levels and values.
///
/// Rows of nested columns do not end where pages do (in version 1 pages), so a step gathers what it
/// needs over as many pages as that takes. Long strings are copied, for their page may be gone when
/// the step is assembled; those of a dictionary live as long as the row group.
final class NestedLeaf {
    let leaf: ParquetLeaf
    let physical: PhysicalType
    private let stream: PageStream
    private let decoder: ValueDecoder
    private let heap: Arena
    private var rowCount = 0

    // The page: its levels and how far they were read.
    private let pageBytes: ScanBuffer
    private let payloadBytes: ScanBuffer
    private let definitions: ScanBuffer
    private let repetitions: ScanBuffer
    private var entryCount = 0
    private var entry = 0
    private var valuesTaken = 0
    private var isDone = true

    // The step: levels of the rows kept, and their values without NULLs.
    private(set) var stepEntries = 0
    private(set) var stepValueCount = 0
    let stepDefinitions: ScanBuffer
    let stepRepetitions: ScanBuffer
    let stepValues: ScanBuffer

    private(set) var pagesRead = 0
    var bytesRead: Int { stream.bytesRead }
    var bytesDecompressed: Int { stream.bytesDecompressed }

    init(
        _ file: ParquetFile, _ leaf: ParquetLeaf, _ conversion: LeafConversion,
        options: ScanOptions,
        memory: ScanMemory
    ) {
        self.leaf = leaf
        physical = conversion.physical
        stream = PageStream(file, readAhead: options.readAheadBytes, memory: memory)
        decoder = ValueDecoder(leaf, conversion, memory)
        heap = Arena(budget: memory.budget)
        pageBytes = ScanBuffer(memory)
        payloadBytes = ScanBuffer(memory)
        definitions = ScanBuffer(memory)
        repetitions = ScanBuffer(memory)
        stepDefinitions = ScanBuffer(memory)
        stepRepetitions = ScanBuffer(memory)
        stepValues = ScanBuffer(memory)
    }

    func open(_ group: RowGroupMetadata) throws(ParquetError) -> RangeRead? {
        rowCount = group.rowCount
        entryCount = 0
        entry = 0
        valuesTaken = 0
        isDone = false
        decoder.reset()
        return try stream.open(group.columns[leaf.index], leaf)
    }

    private var name: String { leaf.path.joined(separator: ".") }

    /// Begins a step: forgets the levels and values of the one before.
    func beginStep() {
        stepEntries = 0
        stepValueCount = 0
        heap.reset()
    }

    /// Passes over rows.
    func skip(_ rows: Int) throws(ParquetError) {
        if rows > 0 { try take(rows) { _ in false } }
    }

    /// Reads rows of the step: all of `count`, or only those that the ascending selection names.
    func read(
        _ count: Int, _ selection: UnsafePointer<UInt32>?, _ selected: Int
    ) throws(ParquetError) {
        guard let selection else { return try take(count) { _ in true } }
        var next = 0
        try take(count) { row in
            guard next < selected, Int(selection[next]) == row else { return false }
            next &+= 1
            return true
        }
    }

    /// Goes over the entries of `rows` rows and keeps those of rows that `keeps` wants.
    private func take(_ rows: Int, _ keeps: (Int) -> Bool) throws(ParquetError) {
        var started = 0
        var keeping = false
        while true {
            if entry == entryCount {
                let hasPage = isDone ? false : try nextPage()
                if !hasPage {
                    guard started == rows else {
                        throw .corrupted(
                            "column \(name) has fewer rows than its row group's \(rowCount)")
                    }
                    return
                }
            }
            // A run of entries that are all kept, or all passed over.
            let defs = definitions.pointer(as: UInt8.self)
            let reps = repetitions.pointer(as: UInt8.self)
            let most = UInt8(truncatingIfNeeded: leaf.maxDefinition)
            var runStart = entry
            var runValues = 0
            while entry < entryCount {
                if reps[entry] == 0 {
                    if started == rows {
                        try finishRun(runStart, runValues, keeping)
                        return
                    }
                    let wanted = keeps(started)
                    started &+= 1
                    if wanted != keeping {
                        try finishRun(runStart, runValues, keeping)
                        runStart = entry
                        runValues = 0
                        keeping = wanted
                    }
                } else if started == 0 {
                    throw .corrupted("column \(name) begins in the middle of a row")
                }
                runValues &+= defs[entry] == most ? 1 : 0
                entry &+= 1
            }
            try finishRun(runStart, runValues, keeping)
            // Where rows can repeat, the last one may go on in the next page.
            if started == rows && leaf.maxRepetition == 0 { return }
        }
    }

    /// Appends the entries from `start` to the present one, and their values, if they are kept.
    private func finishRun(_ start: Int, _ values: Int, _ keeping: Bool) throws(ParquetError) {
        let count = entry - start
        let first = valuesTaken
        valuesTaken += values
        if !keeping || count == 0 { return }
        guard stepEntries + count <= ParquetLimits.elementsPerStep else {
            throw ParquetError(
                code: .limitExceeded,
                message:
                    "rows of column \(name) have more than \(ParquetLimits.elementsPerStep) elements"
            )
        }
        try stepDefinitions.ensure(stepEntries + count, keeping: stepEntries)
        try stepRepetitions.ensure(stepEntries + count, keeping: stepEntries)
        (stepDefinitions.start + stepEntries).copyMemory(
            from: definitions.start + start, byteCount: count)
        (stepRepetitions.start + stepEntries).copyMemory(
            from: repetitions.start + start, byteCount: count)
        stepEntries += count
        guard values > 0 else { return }
        let width = physical.width
        try stepValues.ensure(
            (stepValueCount + values + 8) * width, keeping: stepValueCount * width)
        let output = stepValues.start + stepValueCount * width
        try decoder.load(first, values)
        if decoder.isDictionary && decoder.entryCount == 0 {
            throw .corrupted("column \(name) has codes but an empty dictionary")
        }
        try decoder.emit(nil, values, into: output)
        if physical == .string && !decoder.isDictionary {
            let views = output.assumingMemoryBound(to: StringView.self)
            do throws(MemoryLimitFault) {
                for row in 0..<values where !views[row].isInline {
                    views[row] = try heap.copy(views[row])
                }
            } catch {
                throw .wrapping(error)
            }
        }
        stepValueCount += values
    }

    /// Decompresses the next data page and its levels; false at the end of the chunk.
    private func nextPage() throws(ParquetError) -> Bool {
        while true {
            guard let header = try stream.next() else {
                isDone = true
                return false
            }
            switch header.kind {
            case .dictionary: try decoder.openDictionary(stream, header)
            case .index: stream.skip(header)
            case .data, .dataV2:
                try openPage(header)
                if entryCount > 0 { return true }
            }
        }
    }

    private func openPage(_ header: PageHeader) throws(ParquetError) {
        let count = header.valueCount
        pagesRead += 1
        entry = 0
        entryCount = count
        valuesTaken = 0
        // Values of a damaged page must not make us take memory that its bytes cannot justify: each
        // run of levels takes at least two bytes for at most 2^31 entries, so the limit is the page's.
        try definitions.ensure(count + 16)
        try repetitions.ensure(count + 16)
        let defs = definitions.pointer(as: UInt8.self)
        let reps = repetitions.pointer(as: UInt8.self)
        let defWidth = bitWidth(of: leaf.maxDefinition)
        let repWidth = bitWidth(of: leaf.maxRepetition)
        let payload = try stream.payload(header)
        var values: UnsafeRawBufferPointer
        var isSound = true
        if header.kind == .dataV2 {
            let levelBytes = header.definitionBytes + header.repetitionBytes
            guard levelBytes <= payload.count, levelBytes <= header.uncompressedSize else {
                throw .corrupted("the levels of a page of column \(name) are longer than the page")
            }
            isSound =
                LevelReader.read(
                    UnsafeRawBufferPointer(rebasing: payload[..<header.repetitionBytes]),
                    width: repWidth,
                    maximum: leaf.maxRepetition, count: count, isBitPacked: false, into: reps)
                && LevelReader.read(
                    UnsafeRawBufferPointer(rebasing: payload[header.repetitionBytes..<levelBytes]),
                    width: defWidth, maximum: leaf.maxDefinition, count: count, isBitPacked: false,
                    into: defs)
            let rest = UnsafeRawBufferPointer(rebasing: payload[levelBytes...])
            if header.isCompressed && stream.codec != .none {
                values = try stream.decompressed(
                    rest, size: header.uncompressedSize - levelBytes, into: pageBytes,
                    inPlace: false)
            } else {
                values = try keep(rest)
            }
        } else {
            values = try stream.decompressed(
                payload, size: header.uncompressedSize, into: pageBytes, inPlace: true)
            if stream.codec == .none { values = try keep(values) }
            let first = try levels(
                &values, repWidth, count, isBitPacked: header.hasBitPackedRepetitions)
            isSound = LevelReader.read(
                first, width: repWidth, maximum: leaf.maxRepetition, count: count,
                isBitPacked: header.hasBitPackedRepetitions, into: reps)
            let second = try levels(
                &values, defWidth, count, isBitPacked: header.hasBitPackedDefinitions)
            isSound =
                isSound
                && LevelReader.read(
                    second, width: defWidth, maximum: leaf.maxDefinition, count: count,
                    isBitPacked: header.hasBitPackedDefinitions, into: defs)
        }
        guard isSound else {
            throw .corrupted("the levels of a page of column \(name) make no sense")
        }
        let most = UInt8(truncatingIfNeeded: leaf.maxDefinition)
        var valueCount = 0
        for index in 0..<count { valueCount &+= defs[index] == most ? 1 : 0 }
        try decoder.openPage(values, encoding: header.encoding, valueCount: valueCount)
    }

    /// Bytes of the window do not outlive the next header, but a step may.
    private func keep(_ bytes: UnsafeRawBufferPointer) throws(ParquetError)
        -> UnsafeRawBufferPointer
    {
        try payloadBytes.ensure(bytes.count)
        if let base = bytes.baseAddress {
            payloadBytes.start.copyMemory(from: base, byteCount: bytes.count)
        }
        return UnsafeRawBufferPointer(start: payloadBytes.start, count: bytes.count)
    }

    /// Cuts the levels off the front of a version 1 page.
    private func levels(
        _ values: inout UnsafeRawBufferPointer, _ width: Int, _ count: Int, isBitPacked: Bool
    ) throws(ParquetError) -> UnsafeRawBufferPointer {
        if width == 0 { return UnsafeRawBufferPointer(start: nil, count: 0) }
        var start = 0
        var size = (count * width + 7) / 8
        if !isBitPacked {
            guard values.count >= 4 else {
                throw .truncated("a page of column \(name) ends too early")
            }
            start = 4
            size = Int(UInt32(littleEndian: values.loadUnaligned(as: UInt32.self)))
        }
        guard size <= values.count - start else {
            throw .truncated("a page of column \(name) ends too early")
        }
        defer { values = UnsafeRawBufferPointer(rebasing: values[(start + size)...]) }
        return UnsafeRawBufferPointer(rebasing: values[start..<(start + size)])
    }

    private func bitWidth(of maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }
}
