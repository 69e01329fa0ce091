import Parquet
import Testing
import Vectors

/// Keeps values within a range; counts how often it was asked about rows or entries.
private final class RangeFilter: ColumnFilter {
    let range: ClosedRange<Int64>
    let passesNull: Bool
    var isDictionaryCapable = true
    var asked = 0

    init(_ range: ClosedRange<Int64>, passesNull: Bool = false) {
        self.range = range
        self.passesNull = passesNull
    }

    func mayMatch(_ bounds: ColumnBounds) -> Bool {
        if passesNull && bounds.nullCount != 0 { return true }
        guard case .int64(let low)? = bounds.lower, case .int64(let high)? = bounds.upper else {
            return true
        }
        return low <= range.upperBound && high >= range.lowerBound
    }

    func select(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        asked += count
        var kept = 0
        for index in 0..<count {
            let row = selection.map { $0[index] } ?? UInt32(index)
            let passes =
                vector.isValid(Int(row))
                ? range.contains(vector.value(Int(row), as: Int64.self)) : passesNull
            if passes {
                output[kept] = row
                kept += 1
            }
        }
        return kept
    }
}

private final class TextFilter: ColumnFilter {
    let needle: String
    init(_ needle: String) { self.needle = needle }
    var equalityCandidates: [ParquetValue]? { [.bytes(Array(needle.utf8))] }

    func select(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        var kept = 0
        for index in 0..<count {
            let row = selection.map { $0[index] } ?? UInt32(index)
            if vector.isValid(Int(row)) && vector.string(Int(row)).string == needle {
                output[kept] = row
                kept += 1
            }
        }
        return kept
    }
}

/// Keeps rows whose first column is less than the second.
private final class LessFilter: RowFilter {
    let columns: [Int]
    init(_ columns: [Int]) { self.columns = columns }

    func select(
        _ vectors: UnsafePointer<Vector>, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        var kept = 0
        for index in 0..<count {
            let row = selection.map { $0[index] } ?? UInt32(index)
            let left = vectors[0]
            let right = vectors[1]
            if left.isValid(Int(row)), right.isValid(Int(row)),
                left.value(Int(row), as: Int64.self) < right.value(Int(row), as: Int64.self)
            {
                output[kept] = row
                kept += 1
            }
        }
        return kept
    }
}

private func cells(_ name: String) -> [[String]] {
    expectedLines(name).map {
        $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
}

@Suite struct FilterTests {
    @Test(arguments: ["flat_snappy", "flat_v2", "flat_none", "plain"], [1, 7, 2048])
    func filtersNarrowRows(name: String, rows: Int) throws {
        let file = try open(name)
        let expected = cells(
            name == "flat_v2" ? "flat_snappy" : name == "plain" ? "flat_none" : name)
        let at = Dictionary(
            uniqueKeysWithValues: file.schema.fields.enumerated().map { ($1.name, $0) })
        let number = try #require(at["i64n"])
        let word = try #require(at["s"])
        for onDictionaries in [true, false] {
            for passesNull in [true, false] {
                var options = ScanOptions()
                options.stepRows = rows
                options.filtersOnDictionaries = onDictionaries
                let found = try scanLines(
                    file,
                    filters: [
                        ScanFilter(
                            column: number, filter: RangeFilter(2...6, passesNull: passesNull)),
                        ScanFilter(column: word, filter: TextFilter("exactly12byt")),
                    ], options: options
                ).lines
                let wanted = expected.filter { row in
                    let passes = Int64(row[number]).map { (2...6).contains($0) } ?? passesNull
                    return passes && row[word] == "'exactly12byt'"
                }
                expectSame(
                    found, wanted.map { $0.joined(separator: "\t") }, "\(name) \(onDictionaries)")
            }
        }
    }

    @Test func nestedColumnsFollowTheSelection() throws {
        let file = try open("nested")
        let expected = cells("nested")
        for rows in [1, 7, 2048] {
            var options = ScanOptions()
            options.stepRows = rows
            let found = try scanLines(
                file, filters: [ScanFilter(column: 6, filter: RangeFilter(20...99))],
                options: options)
            let wanted = expected.filter { (20...99).contains(Int($0[6]) ?? -1) }
            expectSame(found.lines, wanted.map { $0.joined(separator: "\t") }, "by \(rows)")
        }
    }

    @Test func pagesAreSkippedByTheirIndex() throws {
        let file = try open("sorted")
        let filter = RangeFilter(801...804)
        let (lines, counters) = try scanLines(
            file, filters: [ScanFilter(column: 0, filter: filter)])
        #expect(lines == (801...804).map { "\($0)\t'text for row \($0)'" })
        #expect(counters.rowGroupsPruned == 1)
        #expect(counters.pagesRead <= 4)
        #expect(filter.asked < 600)
    }

    @Test func rowFiltersCompareColumns() throws {
        let file = try open("flat_snappy")
        let expected = cells("flat_snappy")
        let at = Dictionary(
            uniqueKeysWithValues: file.schema.fields.enumerated().map { ($1.name, $0) })
        let left = try #require(at["i64n"])
        let right = try #require(at["i64"])
        let found = try scanLines(file, rowFilters: [LessFilter([left, right])]).lines
        let wanted = expected.filter { row in
            guard let a = Int64(row[left]), let b = Int64(row[right]) else { return false }
            return a < b
        }
        expectSame(found, wanted.map { $0.joined(separator: "\t") }, "row filter")
    }

    @Test func deletedRowsAreDroppedAndPositionsKept() throws {
        let file = try open("sorted")
        let deleted = DeletedPositions((0..<1200).filter { $0 % 3 != 1 }.map { Int64($0) })
        let found = try scanLines(
            file, columns: [.rowPosition, .whole(file.schema.fields[0])], deleted: deleted)
        #expect(found.lines == (0..<1200).filter { $0 % 3 == 1 }.map { "\($0)\t\($0)" })
    }

    @Test func partsOfARowGroupMakeTheWhole() throws {
        let file = try open("nested")
        let memory = ScanMemory(budget: MemoryBudget(limitBytes: 1 << 28))
        let columns = file.schema.fields.map { ScanColumn.whole($0) }
        let scan = try ParquetScan(file, columns: columns, memory: memory)
        var found: [String] = []
        for group in 0..<file.rowGroupCount {
            let count = file.metadata.rowGroups[group].rowCount
            for start in stride(from: 0, to: count, by: 37) {
                #expect(try scan.begin(rowGroup: group, rows: start..<(start + 37)))
                while let chunk = try scan.next() { found += lines(chunk, columns.map(\.type)) }
            }
        }
        expectSame(found, expectedLines("nested"), "parts")
    }

    @Test func absentColumnsAreConstantsAndTypesWiden() throws {
        let file = try open("flat_snappy")
        let wanted = [
            WantedField(name: "I32", type: .bigint),
            WantedField(name: "absent", type: .text),
            WantedField(name: "added", type: .bigint, missingValue: .int64(7)),
            WantedField(name: "dec9", type: .decimal(precision: 30, scale: 2)),
            WantedField(name: "f", type: .double),
        ]
        let columns = wanted.map { ScanColumn.bind($0, in: file.schema) }
        let found = try scanLines(file, columns: columns).lines
        let expected = cells("flat_snappy")
        let at = Dictionary(
            uniqueKeysWithValues: file.schema.fields.enumerated().map { ($1.name, $0) })
        let i32 = try #require(at["i32"])
        let dec9 = try #require(at["dec9"])
        let f = try #require(at["f"])
        expectSame(found, expected.map { "\($0[i32])\tnull\t7\t\($0[dec9])\t\($0[f])" }, "evolved")
        let mismatch = #expect(throws: ParquetError.self) {
            try scanLines(
                file, columns: [.bind(WantedField(name: "s", type: .bigint), in: file.schema)])
        }
        #expect(mismatch?.code == .typeMismatch)
    }

    @Test func structsTakeFewerAndOtherFields() throws {
        let file = try open("nested")
        let type = LogicalType.row([
            RowField(name: "extra", type: .bigint), RowField(name: "name", type: .text),
        ])
        let column = ScanColumn.bind(WantedField(name: "st", type: type), in: file.schema)
        let found = try scanLines(file, columns: [column]).lines
        let expected = cells("nested").map { row -> String in
            guard row[2] != "null", let comma = row[2].firstIndex(of: ",") else { return "null" }
            return "(null" + row[2][comma...]
        }
        expectSame(found, expected, "struct")
    }
}
