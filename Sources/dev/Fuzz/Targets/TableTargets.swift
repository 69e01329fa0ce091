import TestSupport
import TextTables
import Vectors

extension FuzzTarget {
    /// CSV with inferred dialect and types.
    static let csv: FuzzTarget = {
        var target = FuzzTarget(
            name: "csv", summary: "CSV with inferred dialect and types, whole and in small reads"
        ) {
            TableSeeds.csv.map { Array($0.utf8) }
        } prepare: {
            { input in
                try TableTrial.run(input) { source in
                    try CSVTable(inferring: source, budget: TableTrial.budget())
                }
            }
        }
        target.tokens = [
            ",", ";", "\t", "|", "\"", "\"\"", "\n", "\r\n", "\r", "id,name\n", "1,2\n", "true",
            "false",
            "2024-02-29", "2024-02-30", "12:30:00", "2024-01-01 10:20:30.123456", "1.5", "1e5",
            "-0",
            "99999999999999999999999999999999999999", "NaN", "null", "\u{FEFF}", "\0", "é", " ",
        ]
        target.generate = { random in TableSeeds.csvText(&random) }
        return target
    }()

    /// JSON lines with inferred columns.
    static let jsonLines: FuzzTarget = {
        var target = FuzzTarget(
            name: "jsonlines", summary: "JSON lines with inferred columns, whole and in small reads"
        ) {
            TableSeeds.jsonLines.map { Array($0.utf8) }
        } prepare: {
            { input in
                try TableTrial.run(input) { source in
                    try JSONLinesTable(inferring: source, budget: TableTrial.budget())
                }
            }
        }
        target.tokens = [
            "{", "}", "\n", "\r\n", "{\"a\":1}\n", "\"a\":", "\"b\":", "null", "true", "[1,2]",
            "{\"c\":{}}",
            "1.5", "1e400", "99999999999999999999", "\"2024-01-01\"", "\"x\"", ",", "\\u0000",
            "\u{FEFF}",
            "\0", "é", "\\ud800",
        ]
        return target
    }()
}

/// Bytes that come a few at a time.
private final class SlowSource: ByteSource {
    private let bytes: [UInt8]
    private var offset = 0
    private var turn = 0
    let name = "memory"

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        turn += 1
        let count = min(buffer.count, bytes.count - offset, 1 + turn % 7)
        guard count > 0 else { return 0 }
        buffer.copyBytes(from: bytes[offset..<(offset + count)])
        offset += count
        return count
    }

    func rewind() throws { offset = 0 }
}

private enum TableTrial {
    static func budget() -> MemoryBudget { MemoryBudget(limitBytes: 256 << 20) }

    static func run(_ input: [UInt8], _ open: (any ByteSource) throws -> any TextTableReader) throws
    {
        let whole = try read(MemoryByteSource(input), open)
        // Short reads are slow; long inputs repeat what short ones show.
        guard input.count <= 4096 else { return }
        let slow = try read(SlowSource(input), open)
        try hold(whole == slow, "in small reads the table differs: \(whole) | \(slow)")
    }

    /// Columns and rows, or the refusal, as text.
    private static func read(
        _ source: any ByteSource, _ open: (any ByteSource) throws -> any TextTableReader
    ) throws -> String {
        var text = ""
        let isRead: Void? = try answer {
            do {
                let table = try open(source)
                text = "\(table.columns)"
                let chunk = Chunk(columnCount: table.columns.count)
                var rows = 0
                while try table.next(into: chunk) {
                    try hold(chunk.count > 0, "a chunk without rows")
                    rows += chunk.count
                }
                text += " \(rows) rows"
            } catch {
                text += " refused: \(error)"
                throw error
            }
        }
        return isRead == nil ? text : text + " read"
    }
}

private enum TableSeeds {
    static let csv = [
        "id,name,amount,day,moment,flag\n1,Ann,1.50,2024-02-29,2024-02-29 10:20:30,true\n"
            + "2,\"B, \"\"C\"\"\",,2024-03-01,2024-03-01T00:00:00Z,false\n",
        "a;b\r\n1,5;x\r\n\"multi\r\nline\";y\r\n", "\u{FEFF}x\ty\n1\t2\n", "only\n", "1|2|3\n4|5|6",
        "n\n1\n9223372036854775808\n99999999999999999999999999999999999999\n1e10\n",
    ]
    static let jsonLines = [
        "{\"a\":1,\"b\":\"x\"}\n{\"a\":2.5,\"c\":[1,2]}\n{\"b\":null,\"d\":{\"e\":true}}\n",
        "{\"t\":\"2024-01-01T10:00:00Z\",\"n\":12345678901234567890}\r\n\r\n{\"t\":\"2024-01-02\"}",
    ]

    static func csvText(_ random: inout SeededGenerator) -> [UInt8] {
        let delimiter = random.pick([",", ";", "\t", "|"])
        let end = random.pick(["\n", "\r\n"])
        let width = 1 + random.below(6)
        let cells = [
            "", "1", "-5", "2.50", "true", "FALSE", "2024-01-31", "2024-02-30", "10:20:30", "text",
            "\"quoted\"", "\"a\(delimiter)b\"", "\"x\"\"y\"", "\"line\(end)two\"", "1e3", "0012",
            " 7 ",
            "2024-01-01 00:00:00.000001", "9999999999999999999999",
        ]
        var text = (0..<width).map { "c\($0)" }.joined(separator: delimiter) + end
        for _ in 0..<random.below(40) {
            let count = random.below(20) == 0 ? random.below(9) : width
            text += (0..<count).map { _ in random.pick(cells) }.joined(separator: delimiter) + end
        }
        return Array(text.utf8)
    }
}
