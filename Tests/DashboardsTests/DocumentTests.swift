import Dashboards
import Foundation
import Testing

@Suite struct DocumentTests {
    @Test("The dashboard of the walkthrough can be read")
    func walkthrough() throws {
        let path = "demos/banking-fraud/dashboards/fraud-overview.yml"
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        let document = try DashboardDocument.parse(text, path: path)
        #expect(document.name == "fraud-overview")
        #expect(Set(document.tiles.map(\.kind)).isSuperset(of: ["number", "bar", "line", "table"]))
        #expect(document.watch.contains(["gold", "banking", "mart_fraud_summary"]))
        #expect(document.tile("fraud-rate-by-region")?.options.threshold == 0.05)
    }

    @Test("Names, ids and tables are completed")
    func completed() throws {
        let document = try DashboardDocument.parse(
            """
            title: Sales
            catalog: gold
            schema: shop
            watch: [orders, shop.items, "silver.\\"a.b\\".c"]
            tiles:
              - {kind: number, title: "How many, today?", sql: select 1}
            """, path: "dashboards/sales.yml")
        #expect(document.name == "sales")
        #expect(
            document.watch == [
                ["gold", "shop", "orders"], ["gold", "shop", "items"], ["silver", "a.b", "c"],
            ])
        #expect(document.tiles[0].id == "how-many-today")
        #expect(document.tiles[0].width == .quarter)
    }

    @Test(
        "Faults name the file and the line",
        arguments: [
            ("title: [", "dashboard.invalid_document", 2),
            ("title: x\ntiles: []", "dashboard.limit_exceeded", 2),
            ("titel: x\ntiles: []", "dashboard.invalid_document", 1),
            (
                "title: x\ntiles:\n- {kind: pies, title: a, sql: select 1}",
                "dashboard.unknown_kind", 3
            ),
            (
                "title: x\ntiles:\n- {kind: bar, title: a, sql: ' '}", "dashboard.invalid_document",
                3
            ),
            ("title: x\ntiles:\n- {kind: bar, title: a}", "dashboard.invalid_document", 3),
            (
                "title: x\ntiles:\n- kind: number\n  title: a\n  sql: select 1\n  options: {bins: 3}",
                "dashboard.unknown_option", 6
            ),
            (
                "title: x\ntiles:\n- {kind: histogram, title: a, sql: select 1, options: {bins: 0}}",
                "dashboard.limit_exceeded", 3
            ),
            (
                "title: x\ntiles:\n- {kind: bar, title: a, sql: select 1}\n- {kind: bar, title: a, sql: select 2}",
                "dashboard.duplicate_name", 4
            ),
            (
                "title: x\nwatch: [orders]\ntiles:\n- {kind: bar, title: a, sql: s}",
                "dashboard.invalid_document", 2
            ),
            (
                "name: ../x\ntitle: x\ntiles:\n- {kind: bar, title: a, sql: s}",
                "dashboard.invalid_document", 1
            ),
        ])
    func faults(text: String, code: String, line: Int) {
        do {
            _ = try DashboardDocument.parse(text, path: "d/x.yml")
            Issue.record("the document was taken")
        } catch {
            #expect(error.code.rawValue == code)
            #expect(error.message.hasPrefix("d/x.yml:\(line):"), "\(error.message)")
        }
    }

    @Test("A misspelt kind and option get the nearest name")
    func hints() {
        do {
            _ = try DashboardDocument.parse(
                "title: x\ntiles:\n- {kind: lines, title: a, sql: select 1}", path: "x.yml")
        } catch { #expect(error.hint == "did you mean line?") }
        do {
            _ = try DashboardDocument.parse(
                "title: x\ntiles:\n- {kind: bar, title: a, sql: s, options: {treshold: 1}}",
                path: "x.yml")
        } catch {
            #expect(
                error.hint
                    == "did you mean threshold? options of bar: decimals, format, limit, series, stacked, "
                    + "threshold, unit, vertical, x, y")
        }
        do {
            _ = try DashboardDocument.parse(
                "title: x\ntiles:\n- {kind: table, title: a, sql: s, options: {colour: red}}",
                path: "x.yml")
            Issue.record("the document was taken")
        } catch { #expect(error.hint == "options of table: bars, limit, percent") }
    }

    @Test("A broken file does not hide the others")
    func library() throws {
        func text(_ title: String) -> String {
            "title: \(title)\ntiles:\n- {kind: bar, title: a, sql: select 1}"
        }
        let library = DashboardLibrary.reading([
            ("b/two.yml", text("B")), ("one.yml", text("A")), ("broken.yml", "tiles: 3"),
            ("c/two.yml", text("C")),
        ])
        #expect(library.all.map(\.title) == ["A", "B"])
        #expect(library["two"]?.title == "B")
        #expect(library["nothing"] == nil)
        #expect(library.faults.map(\.code) == [.invalidDocument, .duplicateName])
    }
}

@Suite struct MarkupTests {
    @Test("Literals stay, values are escaped")
    func escaping() {
        let name = "<b a='1' c=\"2\">&\u{0}"
        let markup: Markup = "<p title=\"\(name)\">\(7) \(["<i>", "</i>"] as [Markup])</p>"
        #expect(
            markup.text
                == "<p title=\"&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;\u{FFFD}\">7 <i></i></p>"
        )
    }
}

@Suite struct ChartValueTests {
    @Test(
        "Texts of a type become values, and what does not fit stays a text",
        arguments: [
            ("42", "bigint", .integer(42)), ("-1", "tinyint", .integer(-1)),
            ("99999999999999999999", "bigint", .text("99999999999999999999")),
            ("0.5", "double", .number(0.5)), ("Infinity", "real", .number(.infinity)),
            ("12345678901234567890.10", "decimal(38,2)", .decimal("12345678901234567890.10")),
            ("true", "boolean", .boolean(true)), ("2026-11-21", "date", .date(20_778)),
            ("1970-01-01 00:00:01.5", "timestamp(3)", .timestamp(1_500_000)),
            (
                "1970-01-01 00:00:01 UTC", "timestamp(3) with time zone",
                .text("1970-01-01 00:00:01 UTC")
            ),
            ("[1]", "array(bigint)", .text("[1]")), (nil, "date", .null),
        ] as [(String?, String, ChartValue)])
    func texts(text: String?, type: String, value: ChartValue) {
        #expect(ChartValue(text: text, type: type) == value)
    }

    @Test("Values show as SQL does")
    func shown() {
        #expect(ChartValue.timestamp(1_500_000).text == "1970-01-01 00:00:01.500")
        #expect(ChartValue.date(20_778).text == "2026-11-21")
        #expect(ChartValue.number(3).text == "3" && ChartValue.number(.nan).text == "NaN")
        #expect(ChartValue.null.text.isEmpty)
    }
}
