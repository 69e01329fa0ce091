import Diagnostics
import Foundation
import SQLSyntax
import Testing

@Suite struct ErrorTests {
    @Test(arguments: [
        ("selct 1", 1, 1, "did you mean SELECT?"),
        ("select a form t", 1, 15, "did you mean FROM instead of form?"),
        ("select a from t wher b = 1", 1, 22, "did you mean WHERE instead of wher?"),
        ("select a from t gruop by a", 1, 23, "did you mean GROUP instead of gruop?"),
        ("select a,\n  order from t", 2, 3, nil), ("select (1", 1, 10, nil),
        ("select a from", 1, 14, nil),
        ("select 'abc", 1, 8, "add ' at its end; inside, write it twice"),
        ("select 1 /* x", 1, 10, "add */"),
        ("select a, from t", 1, 11, "remove the comma before FROM, or name a column"),
        ("", 1, 1, "write a query such as SELECT 1"),
        ("select 1 2", 1, 10, nil), ("select a = b = c", 1, 14, nil),
        ("select 1x", 1, 8, "write \"1x\""),
        (
            "select * from t where a = “x”", 1, 27,
            "use straight quotes: ' for strings, \" for names"
        ),
        (
            "select * from orders$files", 1, 21,
            "names with $ stand in double quotes, such as \"orders$files\""
        ),
        ("create table t (a int b int)", 1, 23, nil), ("drop tabel t", 1, 6, "did you mean TABLE?"),
        ("select x'0g'", 1, 8, nil), ("select x'0'", 1, 8, nil), ("select U&'\\00'", 1, 8, nil),
        ("select é, a from", 1, 8, nil), ("explain (type foo) select 1", 1, 15, nil),
    ])
    func syntaxErrorsSayWhere(text: String, line: Int, column: Int, hint: String?) {
        let error = #expect(throws: SQLSyntaxError.self) { try SQLParser.statement(text) }
        #expect(error?.code == .syntax)
        #expect(error?.span.line == line, "\(error?.message ?? "")")
        #expect(error?.span.column == column, "\(error?.message ?? "")")
        #expect(error?.message.hasPrefix("line \(line):\(column): ") == true)
        if let hint { #expect(error?.hint == hint) }
    }

    @Test(arguments: [
        ("select a::int from t", "write CAST(a AS int)"),
        ("select * from t where a ilike 'x'", "write lower(x) LIKE lower(pattern)"),
        ("select * from t where a not ilike 'x'", "write lower(x) LIKE lower(pattern)"),
        ("select a from t limit 10 offset 5", "write OFFSET 5 LIMIT 10"),
        ("select a from t limit 5, 10", "write OFFSET 5 LIMIT 10"),
        ("select `a b` from t", "write \"a b\""),
        ("select top 5 a from t", "write LIMIT 5 at the end of the query"),
        ("select a from t where a == 1", "write a single ="),
        ("select interval '3' days", "write DAY"),
        ("select interval 3 day", "write INTERVAL '3' DAY"),
        ("insert into t values (1) returning a", "query the table afterwards"),
        ("create temporary table t as select 1", "use WITH name AS (..) in the query"),
        ("create table t (a int primary key)", "leave it out; NOT NULL is kept"),
        ("from t select a", "write SELECT * FROM t"),
        ("select a as 'x' from t", "write \"x\" in double quotes"),
        ("begin", "write START TRANSACTION"),
    ])
    func formsOfOtherDialectsGetTheirEquivalent(text: String, hint: String) {
        let error = #expect(throws: SQLSyntaxError.self) { try SQLParser.statement(text) }
        #expect(error?.code == .foreignDialect, "\(error?.message ?? "")")
        #expect(error?.hint == hint)
    }

    @Test(arguments: [
        "select distinct on (a) a from t",
        "select a from t qualify row_number() over (order by a) = 1", "select * exclude (a) from t",
        "select a from t asof join u on true", "update t set a = 1 from u",
        "select percentile_cont(0.5) within group (order by a) from t",
        "insert into t values (1) on conflict do nothing", "insert overwrite t select 1",
        "select a from t group by all",
    ])
    func otherForeignFormsAreRecognised(text: String) {
        let error = #expect(throws: SQLSyntaxError.self) { try SQLParser.statement(text) }
        #expect(error?.code == .foreignDialect, "\(error?.message ?? "")")
        #expect(error?.hint != nil)
    }

    @Test func errorsTellWhatWouldBeRight() {
        let error = #expect(throws: SQLSyntaxError.self) { try SQLParser.statement("drop 5") }
        #expect(
            error?.message == "line 1:6: mismatched input '5'. Expecting: 'TABLE', 'VIEW', "
                + "'MATERIALIZED', 'MODEL', 'SCHEMA', 'CATALOG', 'BRANCH', 'TAG', 'CHECK', 'ROLE', 'FUNCTION'"
        )
    }

    @Test(arguments: ["select 9223372036854775808", "select 1e999", "select 0xFFFFFFFFFFFFFFFFF"])
    func numbersThatDoNotFitAreFaults(text: String) {
        let error = #expect(throws: SQLSyntaxError.self) { try SQLParser.statement(text) }
        #expect(error?.code == .numberOutOfRange)
    }

    @Test(arguments: [
        String(repeating: "(", count: 100_000),
        "select " + String(repeating: "(", count: 5000) + "1",
        "select " + String(repeating: "- ", count: 5000) + "a",
        "select " + String(repeating: "not ", count: 5000) + "a",
        "select 1" + String(repeating: " + 1", count: 5000),
        "select 1" + String(repeating: " union select 1", count: 5000),
        "select a" + String(repeating: "[1]", count: 5000),
        "select " + String(repeating: "case when ", count: 5000),
        "select " + String(repeating: "f(", count: 5000),
        "select * from " + String(repeating: "(", count: 5000) + "t",
        "select cast(a as " + String(repeating: "array(", count: 5000),
        "select " + String(repeating: "x -> ", count: 5000) + "1",
        "select * from a" + String(repeating: " join a on true", count: 5000),
        "select * from a" + String(repeating: " join a", count: 5000),
        String(repeating: "explain ", count: 5000) + "select 1",
        "select a" + String(repeating: " at time zone b", count: 5000),
    ])
    func deepTextsAreFaults(text: String) {
        let error = #expect(throws: SQLSyntaxError.self) { try SQLParser.statement(text) }
        #expect(error?.code == .limitExceeded || error?.code == .syntax)
    }

    /// Worker threads have small stacks; the deepest text that is accepted must fit one.
    @Test func theDeepestTextsFitASmallStack() {
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            for (open, close) in [
                ("(", ")"), ("f(", ")"), ("(select ", ")"), ("case when true then ", " end"),
                ("cast(", " as int)"), ("not ", ""), ("- ", ""), ("a in (", ")"), ("x -> ", ""),
            ] {
                var accepted = 0
                for depth in stride(from: 10, through: 250, by: 10) {
                    let text =
                        "select " + String(repeating: open, count: depth) + "a"
                        + String(repeating: close, count: depth)
                    guard let tree = try? SQLParser.statement(text) else { break }
                    accepted = depth
                    let again = try? SQLParser.statement(SQLFormatter.format(tree))
                    #expect(again?.hashValue == tree.hashValue)
                }
                #expect(accepted >= 40, "\(open)")
            }
            done.signal()
        }
        thread.stackSize = 4 << 20
        thread.start()
        done.wait()
    }

    @Test func longFlatTextsAreFine() throws {
        _ = try SQLParser.statement(
            "select " + Array(repeating: "a = 1", count: 20_000).joined(separator: " or "))
        _ = try SQLParser.statement(
            "select a in (" + Array(repeating: "1", count: 100_000).joined(separator: ",") + ")")
        _ = try SQLParser.statement(
            "select 1" + String(repeating: " union all select 1", count: 300))
    }

    @Test func mutatedStatementsNeverCrash() {
        var seed: UInt64 = 2026
        func random(_ limit: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % limit
        }
        let corpus = RoundTripTests.queries + RoundTripTests.statements
        for round in 0..<8_000 {
            var bytes = Array(corpus[round % corpus.count].utf8)
            for _ in 0...random(4) where !bytes.isEmpty {
                let at = random(bytes.count)
                switch random(4) {
                case 0: bytes.remove(at: at)
                case 1: bytes.insert(UInt8(32 + random(95)), at: at)
                case 2: bytes[at] = UInt8(random(256))
                default:
                    // A piece of another statement.
                    let other = Array(corpus[random(corpus.count)].utf8)
                    let start = random(other.count)
                    bytes.insert(
                        contentsOf: other[start..<min(other.count, start + random(30))], at: at)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let tree = try SQLParser.statement(text)
                let written = SQLFormatter.format(tree)
                let again = try SQLParser.statement(written)
                #expect(again == tree, "seeded round \(round): \(text)")
            } catch {
                // An accepted text whose formatted form is refused comes here too.
                if (try? SQLParser.statement(text)) != nil {
                    Issue.record("round \(round): \(text): \(error)")
                }
                #expect(error.span.line >= 1 && error.span.column >= 1)
            }
        }
    }
}
