import Testing
import Vectors

@testable import TextTables

/// The rows of a table as texts, for comparison.
func rows(_ table: some TextTableReader) throws -> [[String]] {
    let chunk = Chunk(columnCount: table.columns.count)
    var result: [[String]] = []
    while try table.next(into: chunk) {
        for row in 0..<chunk.count {
            result.append(
                table.columns.indices.map { index in
                    let vector = chunk.columns[index]
                    guard vector.isValid(row) else { return "NULL" }
                    switch vector.physical {
                    case .bool: return vector.value(row, as: UInt8.self) == 1 ? "true" : "false"
                    case .int32: return "\(vector.value(row, as: Int32.self))"
                    case .int64: return "\(vector.value(row, as: Int64.self))"
                    case .int128: return "\(vector.value(row, as: Int128.self))"
                    case .double: return "\(vector.value(row, as: Double.self))"
                    default: return vector.string(row).string
                    }
                })
        }
    }
    return result
}

private func open(_ text: String) throws -> CSVTable {
    try CSVTable(
        inferring: MemoryByteSource(Array(text.utf8), name: "t.csv"),
        budget: MemoryBudget(limitBytes: 1 << 26))
}

@Suite struct CSVTableTests {
    @Test(
        "types are the narrowest that hold every row",
        arguments: [
            ("a\n1\n2\n", "bigint"), ("a\n1\n2.5\n", "decimal(20,1)"),
            ("a\n1.25\n10.5\n", "decimal(18,2)"),
            ("a\n1\n1e3\n", "double"), ("a\ntrue\nfalse\n", "boolean"), ("a\n2024-02-29\n", "date"),
            ("a\n2024-02-29\n2024-02-29 10:00:00\n", "timestamp(6)"), ("a\n00123\n", "varchar"),
            ("a\n1\nx\n", "varchar"), ("a\n\n", "varchar"),
            ("a\n9223372036854775808\n", "decimal(19,0)"),
            ("a\n2023-02-29\n", "varchar"), ("a\n+4366412345\n", "varchar"),
        ])
    func inference(text: String, type: String) throws {
        #expect(try open(text).columns.map { "\($0.type)" } == [type])
    }

    @Test(
        "delimiters and headers are found",
        arguments: [
            ("id,name\n1,x\n", ["id", "name"]), ("id;name\n1;x\n", ["id", "name"]),
            ("id\tname\n1\tx\n", ["id", "name"]), ("id|name\r\n1|x\r\n", ["id", "name"]),
            ("1,2\n3,4\n", ["column_1", "column_2"]),
            ("\u{FEFF}id,Name x\n1,y\n", ["id", "name_x"]),
            ("A,a,B%\n1,2,3\n", ["a", "a_2", "b"]),
            ("a,a,b\n1,2,3\n4,5,6\n", ["a", "a_2", "b"]), ("a,a\n1,2\n", ["a", "a_2"]),
            ("name,name,city\nBob,Ann,Wien\nEve,Joe,Graz\n", ["name", "name_2", "city"]),
            // Spreadsheets end lines with a comma; one letter may be a name.
            ("id,name,\n1,x,\n", ["id", "name", "column_3"]),
            ("name,city,\nann,graz,\neve,wien,\n", ["name", "city", "column_3"]),
            ("id,,v\n1,x,2\n", ["id", "column_2", "v"]),
            ("id,t\n1,5\n", ["id", "t"]), ("f,t\n1,2\n", ["f", "t"]),
            ("no,yes\na,b\nc,d\n", ["no", "yes"]),
            // Data and no header: a value above values of its kind, a gap above texts.
            ("x,true\ny,false\nz,true\n", ["column_1", "column_2"]),
            ("ann,,graz\neve,mag,wien\nbob,,linz\n", ["column_1", "column_2", "column_3"]),
            ("alice,\nbob,5\ncarol,7\n", ["column_1", "column_2"]),
            ("Ann,,Graz\nBob,77,Wien\nEve,78,Linz\n", ["column_1", "column_2", "column_3"]),
            ("no,alice\nmaybe,bob\nyes,carol\n", ["column_1", "column_2"]),
            // Data and no header: the same text comes again, or everything is one text.
            ("red,red,blue\nred,blue,red\nblue,red,red\n", ["column_1", "column_2", "column_3"]),
            ("x,x\ny,z\n", ["column_1", "column_2"]),
            ("Größe,Länge\nklein,kurz\ngroß,lang\n", ["größe", "länge"]),
        ])
    func dialects(text: String, names: [String]) throws {
        #expect(try open(text).columns.map(\.name) == names)
    }

    @Test("what a header has twice is told, with the names of the columns")
    func repeatedNames() throws {
        let told = try open("a,b,a,b,c\n1,2,3,4,5.25\n").inference
        #expect(told?.repeated.map(\.text) == ["a", "b"])
        #expect(told?.repeated.map(\.names) == [["a", "a_2"], ["b", "b_2"]])
        #expect(told?.wholeDigits == [1, 1, 1, 1, 1])
        #expect(try open("a,b\n1,2\n").inference?.repeated.isEmpty == true)
    }

    @Test("quotes, doubled quotes, line feeds in fields, empty against NULL")
    func quoting() throws {
        let text = "a,b\n\"x, \"\"y\"\"\",1\n\"two\nlines\",2\n\"\",3\n,4\n"
        #expect(
            try rows(open(text)) == [
                ["x, \"y\"", "1"], ["two\nlines", "2"], ["", "3"], ["NULL", "4"],
            ])
    }

    @Test("a file without a last line feed gives its last row")
    func unfinishedLine() throws {
        #expect(try rows(open("a,b\n1,2\n3,4")) == [["1", "2"], ["3", "4"]])
    }

    @Test("records that cross the block's end arrive whole")
    func blockEnds() throws {
        var text = "id,text\n"
        for row in 0..<60_000 {
            text += "\(row),\"value \"\"\(row)\"\" \(String(repeating: "x", count: row % 61))\"\n"
        }
        let read = try rows(open(text))
        #expect(read.count == 60_000)
        for row in stride(from: 0, to: 60_000, by: 997) {
            #expect(
                read[row] == [
                    "\(row)", "value \"\(row)\" \(String(repeating: "x", count: row % 61))",
                ])
        }
    }

    @Test(
        "what is malformed is named with its place",
        arguments: [
            ("a,b\n1,2\n3\n", TextTableError.Code.wrongFieldCount, "line 3"),
            ("a,b\n1,\"2\n", .unterminatedQuote, "line 2"),
            ("a,b\n\"1\"x,2\n", .strayQuote, "line 2"),
            ("", .empty, "t.csv"),
        ])
    func faults(text: String, code: TextTableError.Code, place: String) {
        let error = #expect(throws: TextTableError.self) { _ = try rows(open(text)) }
        #expect(error?.code == code)
        #expect(error?.message.contains(place) == true)
    }

    @Test("bytes that are not UTF-8 are refused")
    func badUTF8() {
        let source = MemoryByteSource([0x61, 0x0A, 0xE4, 0x78, 0x0A], name: "t.csv")
        let error = #expect(throws: TextTableError.self) {
            _ = try rows(
                CSVTable(inferring: source, budget: MemoryBudget(limitBytes: 1 << 20)))
        }
        #expect(error?.code == .invalidUTF8)
    }

    @Test(
        "numbers are read exactly or not at all",
        arguments: [
            ("12.34", 2, 1234 as Int128?), ("-0.5", 2, -50), ("12.345", 2, nil),
            ("12.340", 2, 1234), ("", 2, nil),
            (".", 2, nil), ("1e2", 2, nil), ("7", 3, 7000),
        ])
    func decimals(text: String, scale: Int, expected: Int128?) {
        var text = text
        #expect(text.withUTF8 { TextValue.decimal($0, scale: scale) } == expected)
    }
}

@Suite struct JSONLinesTableTests {
    @Test("members become columns in order of appearance, nested ones as JSON")
    func columns() throws {
        let text = "{\"a\":1,\"b\":\"x\"}\n\n{\"b\":null,\"c\":{\"d\":[1,2]},\"a\":2.5}\n"
        let table = try JSONLinesTable(
            inferring: MemoryByteSource(Array(text.utf8)), budget: MemoryBudget(limitBytes: 1 << 20)
        )
        #expect(
            table.columns.map { "\($0.name) \($0.type)" } == ["a double", "b varchar", "c json"])
        #expect(try rows(table) == [["1.0", "x", "NULL"], ["2.5", "NULL", "{\"d\":[1,2]}"]])
    }

    @Test("a line that is no object is refused with its number")
    func malformed() {
        let source = MemoryByteSource(Array("{\"a\":1}\n[1]\n".utf8))
        let error = #expect(throws: TextTableError.self) {
            _ = try JSONLinesTable(inferring: source, budget: MemoryBudget(limitBytes: 1 << 20))
        }
        #expect(error?.code == .invalidJSON)
        #expect(error?.message.contains("line 2") == true)
    }
}
