import Vectors

/// The filters on one column of a scan, and what they said about its present dictionary.
final class FilterGroup {
    /// What the entries of a dictionary say about the filters.
    enum Verdict { case unknown, nonePass, allPass, some }

    let column: Int
    let filters: [any ColumnFilter]
    let passesNull: Bool
    let isDictionaryCapable: Bool
    private var dictionaryID: UInt32 = 0
    private var verdict = Verdict.unknown
    /// A byte an entry: 1 passes.
    private let passes: ScanBuffer
    private let scratch: ScanBuffer
    /// Rows asked about and let through, since the row group began: for the order of groups.
    var tested = 0
    var passed = 0

    init(column: Int, filters: [any ColumnFilter], memory: ScanMemory) {
        self.column = column
        self.filters = filters
        passesNull = filters.allSatisfy(\.passesNull)
        isDictionaryCapable = filters.allSatisfy(\.isDictionaryCapable)
        passes = ScanBuffer(memory)
        scratch = ScanBuffer(memory)
    }

    /// Forgets what was learned in the row group before, but for a quarter of the pass rates.
    func beginRowGroup() {
        dictionaryID = 0
        verdict = .unknown
        tested /= 4
        passed /= 4
    }

    /// The share of rows let through, as far as is known.
    var passRate: Double { tested == 0 ? 0.5 : Double(passed) / Double(tested) }

    /// Asks the filters about all entries of a dictionary, once.
    func ask(_ cursor: FlatCursor) throws(ParquetError) -> Verdict {
        if verdict != .unknown && dictionaryID == cursor.dictionaryID { return verdict }
        let count = cursor.entryCount
        try passes.ensure(count + 64)
        try scratch.ensure((Chunk.capacity + 16) * 4)
        let table = passes.pointer(as: UInt8.self)
        let selection = scratch.pointer(as: UInt32.self)
        table.update(repeating: 0, count: count)
        var total = 0
        var first = 0
        while first < count {
            // Filters take at most a chunk's rows at a time.
            let rows = min(Chunk.capacity, count - first)
            var entries = cursor.entryVector
            entries.values += first * cursor.physical.width
            entries.entryCount = UInt32(rows)
            var left = rows
            for (index, filter) in filters.enumerated() where left > 0 {
                left = filter.select(
                    entries, index == 0 ? nil : UnsafePointer(selection), left, into: selection)
            }
            for index in 0..<left { table[first &+ Int(selection[index])] = 1 }
            total += left
            first += rows
        }
        dictionaryID = cursor.dictionaryID
        verdict = total == 0 ? .nonePass : total == count ? .allPass : .some
        return verdict
    }

    /// Narrows a selection (nil: the first `count` rows) by the codes of the step.
    func narrow(
        _ codes: UnsafePointer<UInt32>, _ valid: UnsafePointer<UInt64>?,
        _ selection: UnsafePointer<UInt32>?, _ count: Int, into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let table = UnsafePointer(passes.pointer(as: UInt8.self))
        var kept = 0
        if let valid {
            let null = UInt8(passesNull ? 1 : 0)
            for index in 0..<count {
                let row = selection.map { Int($0[index]) } ?? index
                let bit = UInt8(truncatingIfNeeded: valid[row &>> 6] &>> UInt64(row & 63) & 1)
                output[kept] = UInt32(truncatingIfNeeded: row)
                kept &+= Int(bit & table[Int(codes[row])] | (bit ^ 1) & null)
            }
        } else if let selection {
            for index in 0..<count {
                let row = selection[index]
                output[kept] = row
                kept &+= Int(table[Int(codes[Int(row)])])
            }
        } else {
            for row in 0..<count {
                output[kept] = UInt32(truncatingIfNeeded: row)
                kept &+= Int(table[Int(codes[row])])
            }
        }
        return kept
    }
}
