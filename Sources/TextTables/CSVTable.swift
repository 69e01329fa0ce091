import Diagnostics
package import Vectors

/// A column of a text file.
package struct TextColumn: Sendable, Hashable {
    package var name: String
    package var type: LogicalType

    package init(name: String, type: LogicalType) {
        self.name = name
        self.type = type
    }
}

/// Gives the rows of a text file as chunks.
package protocol TextTableReader: AnyObject {
    var columns: [TextColumn] { get }

    /// Fills `chunk` (one column each of `columns`) with the next rows; false at the end. The memory
    /// is the reader's and lives until the next call.
    func next(into chunk: Chunk) throws -> Bool
}

/// Runs a body for each number below `count`, several at once if it can, and returns when all have
/// returned: threads come from outside, since this module has none.
package typealias ParallelRun = (_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> Void

/// A CSV file with known dialect and types.
package final class CSVTable: TextTableReader {
    package let columns: [TextColumn]
    package let dialect: CSVDialect
    /// What finding out the types told besides: nil for a table with given ones.
    package private(set) var inference: CSVInference?
    private let layout: CSVLayout
    private let budget: MemoryBudget
    private let splitter: CSVSplitter
    private let stretch: CSVStretch
    private let parser: CSVParser
    private let buffers: [ColumnBuffer]
    private var headerIsRead: Bool

    /// Opens a file whose columns are known, in the order of the file. `wanted` are the places of those that
    /// are asked for: values of others are not looked at.
    package init(
        _ source: any ByteSource, dialect: CSVDialect, columns: [TextColumn],
        wanted: Set<Int>? = nil, budget: MemoryBudget
    ) throws {
        try source.rewind()
        self.dialect = dialect
        self.columns = columns
        self.budget = budget
        layout = CSVLayout(name: source.name, dialect, columns, wanted: wanted)
        splitter = CSVSplitter(source, dialect)
        stretch = CSVStretch(budget: budget)
        parser = CSVParser(layout, budget: budget)
        buffers = parser.makeBuffers()
        headerIsRead = !dialect.hasHeader
    }

    /// Opens a part of a file: `source` begins with a record that stands on the place's line.
    package init(
        _ source: any ByteSource, at place: CSVPlace, dialect: CSVDialect, columns: [TextColumn],
        wanted: Set<Int>? = nil, budget: MemoryBudget
    ) throws {
        try source.rewind()
        self.dialect = dialect
        self.columns = columns
        self.budget = budget
        layout = CSVLayout(name: source.name, dialect, columns, wanted: wanted)
        splitter = CSVSplitter(source, dialect, line: place.line)
        stretch = CSVStretch(budget: budget)
        parser = CSVParser(layout, budget: budget)
        buffers = parser.makeBuffers()
        headerIsRead = !dialect.hasHeader || place.offset > 0
    }

    /// Opens a file and finds out its dialect (unless given) and the types of its columns, by reading
    /// it once to its end: on the threads that `run` has, if it is given.
    package convenience init(
        inferring source: any ByteSource, dialect given: CSVDialect? = nil, budget: MemoryBudget,
        run: ParallelRun? = nil
    ) throws {
        let dialect = try given ?? CSVTable.sniff(source)
        let (columns, inference) = try CSVTypeSearch(source, dialect, budget).run(run)
        try self.init(source, dialect: dialect, columns: columns, budget: budget)
        self.inference = inference
    }

    private static func sniff(_ source: any ByteSource) throws -> CSVDialect {
        try source.rewind()
        // A source may give less than there is room for: the dialect must not depend on it.
        let sample = try [UInt8](unsafeUninitializedCapacity: CSVDialect.sampleBytes) {
            buffer, count in
            while count < buffer.count {
                let rest = UnsafeMutableRawBufferPointer(
                    UnsafeMutableBufferPointer(rebasing: buffer[count...]))
                let got = try source.read(into: rest)
                if got == 0 { break }
                count += got
            }
        }
        return CSVDialect.sniff(sample)
    }

    /// Distinct lower-case names that need no quotes where possible.
    package static func columnNames(_ header: [String]) -> [String] {
        var taken: Set<String> = []
        return header.enumerated().map { index, text in
            var name = ""
            for scalar in text.lowercased().unicodeScalars {
                let isWord =
                    scalar == "_" || scalar.properties.isAlphabetic
                    || scalar.properties.numericType != nil
                name.unicodeScalars.append(isWord ? scalar : "_")
            }
            while name.hasPrefix("_") { name.removeFirst() }
            while name.hasSuffix("_") { name.removeLast() }
            if name.isEmpty { name = "column_\(index + 1)" }
            if let first = name.first, first.isNumber { name = "_" + name }
            var unique = name
            var attempt = 2
            while !taken.insert(unique).inserted {
                unique = "\(name)_\(attempt)"
                attempt += 1
            }
            return unique
        }
    }

    // MARK: Rows

    package func next(into chunk: Chunk) throws -> Bool {
        if try headerIsRead && parser.next(into: chunk, buffers) { return true }
        while try splitter.next(into: stretch) {
            parser.scanner.begin(stretch)
            guard try passHeader(parser.scanner) else { continue }
            if try parser.next(into: chunk, buffers) { return true }
        }
        return false
    }

    /// Reads the header when that is to be done; false when there is none in the scanner's stretch.
    private func passHeader(_ scanner: CSVScanner) throws -> Bool {
        if headerIsRead { return true }
        guard try scanner.next() != nil else { return false }
        headerIsRead = true
        return true
    }

    /// Hands all rows to `body`, several chunks at a time, in order; in place of `next(into:)`. They are made
    /// on the threads that `run` has, at most `limit` stretches of the file at once, and live until `body` returns.
    ///
    /// Throws what is wrong first in the file, after the rows in front of it were handed out.
    package func read(
        limit: Int, run: ParallelRun, _ body: ([Chunk]) throws -> Void
    ) throws {
        var slots: [CSVSlot] = []
        for _ in 0..<max(1, limit) { slots.append(CSVSlot(layout, budget)) }
        var isAtEnd = false
        while !isAtEnd {
            let count: Int
            let failure: (any Error)?
            (count, failure) = fill(slots, &isAtEnd)
            let shared = SharedSlots(slots: slots)
            if count > 0 { run(count) { shared.slots[$0].convert() } }
            for (index, slot) in slots[0..<count].enumerated() {
                guard let error = slot.failure else { continue }
                try body(slots[0...index].flatMap(\.filled))
                throw error
            }
            if count > 0 { try body(slots[0..<count].flatMap(\.filled)) }
            if let failure { throw failure }
        }
    }

    /// Fills slots with the next stretches, all of them or until their bytes are as many as all may have.
    private func fill(
        _ slots: [CSVSlot], _ isAtEnd: inout Bool
    ) -> (count: Int, failure: (any Error)?) {
        var (count, bytes) = (0, 0)
        do {
            while count < slots.count, bytes < slots.count * TextLimits.blockBytes {
                let slot = slots[count]
                guard try splitter.next(into: slot.stretch) else {
                    isAtEnd = true
                    break
                }
                slot.parser.scanner.begin(slot.stretch)
                guard try passHeader(slot.parser.scanner) else { continue }
                bytes += slot.stretch.count
                count += 1
            }
        } catch { return (count, error) }
        return (count, nil)
    }

    /// Safe because each slot is touched by one thread at a time: the one whose number it has while a
    /// run lasts, and the caller's before and after it.
    private struct SharedSlots: @unchecked Sendable { let slots: [CSVSlot] }
}

/// A stretch on its way to chunks, with the memory for them.
final class CSVSlot {
    let stretch: CSVStretch
    let parser: CSVParser
    private var chunks: [(chunk: Chunk, buffers: [ColumnBuffer])] = []
    private var filledCount = 0
    private(set) var failure: (any Error)?
    private let columnCount: Int

    init(_ layout: CSVLayout, _ budget: MemoryBudget) {
        stretch = CSVStretch(budget: budget)
        parser = CSVParser(layout, budget: budget)
        columnCount = layout.columns.count
    }

    var filled: [Chunk] { chunks[0..<filledCount].map(\.chunk) }

    /// Converts the records of the stretch, from where its scanner is on.
    func convert() {
        (filledCount, failure) = (0, nil)
        do {
            while true {
                if filledCount == chunks.count {
                    chunks.append((Chunk(columnCount: columnCount), parser.makeBuffers()))
                }
                let (chunk, buffers) = chunks[filledCount]
                guard try parser.next(into: chunk, buffers) else { return }
                filledCount += 1
            }
        } catch { failure = error }
    }
}
