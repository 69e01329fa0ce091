import Testing
import Vectors

@testable import TextTables

/// Numbers that follow from a seed.
private struct Dice {
    var state: UInt64
    mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(sides))
    }
}

/// A table, as text of a CSV file, with the kinds of values and slips that people's files have.
private func randomFile(_ dice: inout Dice) -> [UInt8] {
    let width = 1 + dice.roll(6)
    let kinds = (0..<width).map { _ in dice.roll(8) }
    let lineEnd = dice.roll(2) == 0 ? "\n" : "\r\n"
    let rowCount = [0, 1, 30, 400, 12_000][dice.roll(5)]
    let mistake = rowCount > 1 && dice.roll(3) == 0 ? dice.roll(rowCount) : -1
    let kind = dice.roll(4)
    var text = dice.roll(4) == 0 ? "\u{FEFF}" : ""
    text += (0..<width).map { "name_\($0)" }.joined(separator: ",") + lineEnd
    for row in 0..<rowCount {
        var fields = kinds.map { field($0, &dice) }
        if row == mistake {
            switch kind {
            case 0: fields.append("one more")
            case 1: fields[width - 1] = "\"closed\" too early"
            case 2: fields[0] = "\"never closed"
            default: fields[0] = "\u{7}text"
            }
        }
        text += fields.joined(separator: ",")
        if row < rowCount - 1 || dice.roll(2) == 0 { text += lineEnd }
        if dice.roll(50) == 0 { text += lineEnd }
    }
    return Array(text.utf8)
}

private func field(_ kind: Int, _ dice: inout Dice) -> String {
    if dice.roll(12) == 0 { return dice.roll(2) == 0 ? "" : "\"\"" }
    switch kind {
    case 0: return "\(dice.roll(1_000_000) - 500_000)"
    case 1: return "\(dice.roll(100_000)).\(dice.roll(90) + 10)"
    case 2: return "\(1900 + dice.roll(200))-0\(1 + dice.roll(9))-\(10 + dice.roll(18))"
    case 3: return dice.roll(2) == 0 ? "true" : "false"
    case 4:
        return "\"text \"\"\(dice.roll(100))\"\", with\(dice.roll(2) == 0 ? "\n" : ",")"
            + String(repeating: "x", count: dice.roll(90)) + "\""
    case 5: return String(repeating: "wörd ", count: dice.roll(9)) + "\(dice.roll(9))\"z"
    case 6: return "\(dice.roll(9)).5e\(dice.roll(9))"
    default: return "w\(dice.roll(40))"
    }
}

/// Calls the bodies from the last number to the first, so that an order that is only chance shows.
private func backwards(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    for index in (0..<count).reversed() { body(index) }
}

/// What a load gives: its columns and rows, or the mistake that ends it behind them.
private struct Outcome: Equatable {
    var columns: [TextColumn] = []
    var rows: [String] = []
    var mistake: String?
}

private func text(_ chunk: Chunk, _ columns: [TextColumn]) -> [String] {
    (0..<chunk.count).map { row in
        columns.indices.map { index in
            let vector = chunk.columns[index]
            guard vector.isValid(row) else { return "NULL" }
            switch vector.physical {
            case .bool: return "\(vector.value(row, as: UInt8.self))"
            case .int32: return "\(vector.value(row, as: Int32.self))"
            case .int64: return "\(vector.value(row, as: Int64.self))"
            case .int128: return "\(vector.value(row, as: Int128.self))"
            case .double: return "\(vector.value(row, as: Double.self))"
            default: return vector.string(row).string
            }
        }
        .joined(separator: "|")
    }
}

private let budget = MemoryBudget(limitBytes: 1 << 30)

private func oneThread(_ bytes: [UInt8], _ types: [LogicalType]?) -> Outcome {
    var outcome = Outcome()
    do {
        let source = MemoryByteSource(bytes, name: "t.csv")
        var table = try CSVTable(inferring: source, budget: budget)
        outcome.columns = table.columns
        if let types {
            table = try CSVTable(
                source, dialect: table.dialect, columns: given(table.columns, types),
                budget: budget)
        }
        let chunk = Chunk(columnCount: table.columns.count)
        while try table.next(into: chunk) { outcome.rows += text(chunk, table.columns) }
    } catch { outcome.mistake = "\(error)" }
    return outcome
}

private func manyThreads(
    _ bytes: [UInt8], _ types: [LogicalType]?, _ run: @escaping ParallelRun
) -> Outcome {
    var outcome = Outcome()
    do {
        let source = MemoryByteSource(bytes, name: "t.csv")
        var table = try CSVTable(inferring: source, budget: budget, run: run)
        outcome.columns = table.columns
        let columns = given(table.columns, types ?? table.columns.map(\.type))
        table = try CSVTable(source, dialect: table.dialect, columns: columns, budget: budget)
        try table.read(limit: 3, run: run) { chunks in
            for chunk in chunks { outcome.rows += text(chunk, columns) }
        }
    } catch { outcome.mistake = "\(error)" }
    return outcome
}

private func given(_ columns: [TextColumn], _ types: [LogicalType]) -> [TextColumn] {
    columns.indices.map {
        TextColumn(name: columns[$0].name, type: $0 < types.count ? types[$0] : columns[$0].type)
    }
}

@Suite struct CSVParallelTests {
    @Test(
        "stretches side by side give the rows, types and mistakes of one after the other",
        arguments: 1...40)
    func sameAsOneThread(seed: Int) {
        var dice = Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        let bytes = randomFile(&dice)
        // Half of the files are read as types that some values may not have.
        let types: [LogicalType]? =
            dice.roll(2) == 0 ? nil : [.bigint, .text, .date, .decimal(precision: 6, scale: 2)]
        let expected = oneThread(bytes, types)
        let found = manyThreads(bytes, types, backwards)
        #expect(found.columns == expected.columns)
        #expect(found.mistake == expected.mistake)
        // Rows in front of a mistake are handed out by the chunk.
        #expect(found.rows == expected.rows)
    }

    @Test("a mistake behind many stretches is told with its line, and the first of two")
    func mistakes() {
        var lines = ["a,b"]
        for row in 0..<200_000 { lines.append("\(row),x\(row % 7)") }
        lines[100_000] = "100000,x,y"
        lines[199_000] = "\"open,1"
        let found = manyThreads(
            Array(lines.joined(separator: "\n").utf8), nil, backwards)
        #expect(found.mistake?.contains("line 100001 of t.csv has 3 fields") == true)
        lines[100_000] = "100000,x"
        let second = manyThreads(Array(lines.joined(separator: "\n").utf8), nil, backwards)
        #expect(second.mistake?.contains("the quote that opens in line 199001, field 1") == true)
    }

    @Test("a record that is longer than a block is one record")
    func longRecord() {
        let long = String(repeating: "line\n", count: 700_000)
        let text = "a,b\n1,\"\(long)\"\n2,x\n"
        let expected = oneThread(Array(text.utf8), nil)
        #expect(expected.rows == ["1|\(long)", "2|x"])
        #expect(manyThreads(Array(text.utf8), nil, backwards) == expected)
    }

    @Test("the places of a file's stretches are beginnings of records, with their lines")
    func places() throws {
        var text = "a,b\n"
        for row in 0..<90_000 { text += "\(row),\"x\(row % 3 == 0 ? "\n" : "")\(row)\"\r\n" }
        let bytes = Array(text.utf8)
        let table = try CSVTable(
            inferring: MemoryByteSource(bytes), budget: budget, run: backwards)
        let places = try #require(table.inference?.places)
        #expect(places.count == (bytes.count + (1 << 20) - 1) >> 20)
        var read = 0
        for (index, place) in places.enumerated() {
            let end = index + 1 < places.count ? Int(places[index + 1].offset) : bytes.count
            let part = MemoryByteSource(Array(bytes[Int(place.offset)..<end]))
            let lines = 1 + bytes[0..<Int(place.offset)].count { $0 == 0x0A }
            #expect(place.line == lines)
            let reader = try CSVTable(
                part, at: place, dialect: table.dialect, columns: table.columns, wanted: [0],
                budget: budget)
            let chunk = Chunk(columnCount: 2)
            while try reader.next(into: chunk) {
                for row in 0..<chunk.count {
                    if chunk.columns[0].value(row, as: Int64.self) == Int64(read) { read += 1 }
                }
            }
        }
        #expect(read == 90_000)
    }
}

/// Numbers and what only looks like them.
private let numberTexts: [String] = [
    "0", "7", "-7", "+7", "00", "-0", "-00.50", "1.", ".5", "-.5", ".", "-", "+", "1.2.3", "12a",
    "999999999999999999", "1000000000000000000", "9223372036854775807",
    "-9223372036854775808", "9223372036854775808", "123456789012345.67",
    "12345678901234567.8", "0.000000000000000001", "1.10", "1.123", "1.1230", "9999.99",
    "10000.00", "-9999.99", " 1", "1 ", "1e3", "１", "0x10",
]

@Suite struct FastTextTests {
    /// Calls with the text's bytes and the slack that stretches have.
    private func slack<Result>(
        _ text: String, _ body: (UnsafePointer<UInt8>, Int) -> Result
    ) -> Result {
        let bytes = Array(text.utf8) + [UInt8](repeating: 0x37, count: 64)
        return bytes.withUnsafeBufferPointer { body($0.baseAddress!, text.utf8.count) }
    }

    @Test("numbers are those of the slow way", arguments: numberTexts)
    func numbers(text: String) {
        let exact = Array(text.utf8)
        let whole = exact.withUnsafeBufferPointer { TextValue.bigint($0) }
        #expect(slack(text) { FastText.bigint($0, $1) } == whole)
        for scale in [0, 1, 2, 4, 18] {
            let wide = exact.withUnsafeBufferPointer { TextValue.decimal($0, scale: scale) }
            let found = slack(text) { FastText.decimal($0, $1, scale: scale) }
            #expect(found == wide.flatMap { Int64(exactly: $0) })
        }
    }

    @Test("every day of four centuries, and none that is not")
    func dates() {
        var expected: Int32 = -25_567  // 1900-01-01
        for year in 1900..<2301 {
            for month in 1...12 {
                for day in 1...31 {
                    let text =
                        "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
                    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
                    let last = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
                    let found = slack(text) { start, _ in FastText.isoDate(start) }
                    if day > last[month - 1] {
                        if found != nil { Issue.record("\(text) is a day") }
                        continue
                    }
                    if found != expected { Issue.record("\(text) is \(String(describing: found))") }
                    expected += 1
                }
            }
        }
    }

    @Test(
        "what is not written YYYY-MM-DD is left to others",
        arguments: [
            "1996/03/13", "1996-03-1x", "1996-3-013", "0000-01-01", "199 -03-13", "1996-13-01",
            "1996-00-10", "1996-01-00", "1996-01-32", "-996-01-01", "19:6-01-01", "1996-0\u{7f}-01",
            "1996.03-13",
        ])
    func otherDates(text: String) {
        #expect(slack(text) { start, _ in FastText.isoDate(start) } == nil)
    }

    @Test("views and checks of texts of every length", arguments: 0...40)
    func texts(length: Int) {
        let text = String((0..<length).map { Character(Unicode.Scalar(UInt8(97 + $0 % 26))) })
        #expect(slack(text) { FastText.view($0, $1).string } == text)
        let same = slack(text) { start, count in
            FastText.view(start, count) == StringView(start, count: count)
        }
        #expect(same)
        #expect(slack(text) { FastText.isUTF8($0, $1) })
        for place in 0..<length {
            var bytes = Array(text.utf8) + [UInt8](repeating: 0x80, count: 64)
            bytes[place] = 0xE4
            bytes.withUnsafeBufferPointer { buffer in
                #expect(!FastText.isUTF8(buffer.baseAddress!, length))
            }
        }
        #expect(slack(text + "ü") { FastText.isUTF8($0, $1) })
    }
}
