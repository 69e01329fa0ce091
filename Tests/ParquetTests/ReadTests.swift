import ObjectStorage
import Parquet
import Testing
import Vectors

/// Files by pyarrow and DuckDB, and the file that says what they hold.
let fixtures: [(name: String, expected: String)] = [
    ("flat_none", "flat_none"), ("flat_snappy", "flat_snappy"), ("flat_gzip", "flat_none"),
    ("flat_zstd", "flat_none"), ("flat_lz4", "flat_none"), ("flat_brotli", "flat_none"),
    ("flat_v2", "flat_snappy"), ("plain", "flat_none"), ("delta_binary", "delta_binary"),
    ("delta_length", "delta_length"), ("delta_prefix", "delta_prefix"),
    ("stream_split", "stream_split"), ("bool_rle", "bool_rle"), ("int96", "int96"),
    ("nested", "nested"), ("nested_v2", "nested"), ("nested_plain", "nested"),
    ("duck_flat", "duck_flat"), ("duck_nested", "duck_nested"), ("sorted", "sorted"),
    ("empty", "empty"),
]

func expectedLines(_ name: String) -> [String] {
    String(decoding: fixture(name + ".txt"), as: UTF8.self).split(separator: "\n").map(String.init)
}

func open(_ name: String) throws -> ParquetFile {
    try ParquetFile.open(BytesReader(fixture(name + ".parquet")))
}

/// Compares and names the first line that differs.
func expectSame(_ found: [String], _ expected: [String], _ what: String) {
    #expect(found.count == expected.count, "\(what)")
    if let row = zip(found, expected).enumerated().first(where: { $0.element.0 != $0.element.1 }) {
        let left = row.element.0.split(separator: "\t", omittingEmptySubsequences: false)
        let right = row.element.1.split(separator: "\t", omittingEmptySubsequences: false)
        let column = zip(left, right).enumerated().first { $0.element.0 != $0.element.1 }
        Issue.record(
            "\(what): row \(row.offset), column \(column?.offset ?? -1): found \(column?.element.0 ?? "?"), expected \(column?.element.1 ?? "?")"
        )
    }
}

@Suite struct ReadTests {
    @Test(arguments: fixtures) func filesOfOtherWritersReadEqual(name: String, expected: String)
        throws
    {
        let file = try open(name)
        expectSame(try scanLines(file).lines, expectedLines(expected), name)
    }

    @Test(arguments: fixtures) func theStepSizeDoesNotMatter(name: String, expected: String) throws
    {
        let file = try open(name)
        for rows in [1, 7] {
            var options = ScanOptions()
            options.stepRows = rows
            options.readAheadBytes = 4096
            options.keepsDictionaries = rows == 7
            expectSame(
                try scanLines(file, options: options).lines, expectedLines(expected),
                "\(name) by \(rows)")
        }
    }

    @Test func everyColumnReadsAlone() throws {
        let file = try open("flat_snappy")
        let expected = expectedLines("flat_snappy").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        for (index, field) in file.schema.fields.enumerated() {
            let found = try scanLines(file, columns: [.whole(field)]).lines
            expectSame(found, expected.map { $0[index] }, field.name)
        }
    }

    @Test func memoryGoesBackToTheBudget() throws {
        let budget = MemoryBudget(limitBytes: 1 << 30)
        do {
            let memory = ScanMemory(budget: budget)
            _ = try scanLines(try open("nested"), memory: memory)
            _ = try scanLines(try open("flat_snappy"), memory: memory)
            #expect(budget.usedBytes > 0)
        }
        #expect(budget.usedBytes == 0)
    }
}
