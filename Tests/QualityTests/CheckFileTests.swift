import JSON
import Quality
import SQLPlanning
import Testing

struct CheckFileTests {
    private let table = TableName(catalog: "silver", schema: "shop.raw", table: "orders")

    private func parse(_ checks: String) throws -> [Check] {
        try CheckFile.parse(
            "checks:\n  - table: Silver.shop.raw.Orders\n    severity: warn\n    checks:\n"
                + checks,
            source: "orders.yml")
    }

    @Test func everyFormOfADeclaration() throws {
        let checks = try parse(
            """
                  - not_null: [id, amount]
                  - uniqueness: id
                  - positive: {column: amount, severity: fail}
                  - name: Known
                    accepted_values: {column: currency, values: [EUR, "1", 2, 2.50]}
                  - {name: dear, severity: fail, where: "id > 1", custom_sql: {condition: amount < 5}}
                  - row_count_range: {min: 1}
            """)
        #expect(
            checks.map { "\($0.name) \($0.kind.rawValue) \($0.severity.rawValue)" } == [
                "not_null_id_amount not_null warn", "uniqueness_id uniqueness warn",
                "positive_amount positive fail", "known accepted_values warn",
                "dear custom_sql fail", "row_count_range row_count_range warn",
            ])
        #expect(checks.allSatisfy { $0.table == table && $0.source == "orders.yml" })
        guard case .array(let values)? = checks[3].options["values"] else {
            Issue.record("no values")
            return
        }
        // What is quoted stays a text, and a decimal keeps its digits.
        #expect(values[1] == .string("1") && values[2] == .int(2))
        #expect(values[3] == .number(JSONNumber(text: "2.50")))
    }

    @Test(arguments: [
        ("      - not_nul: id", "did you mean not_null?"),
        ("      - positive: {colum: a}", "did you mean column?"),
        ("      - range: {column: a}", "range wants min or max"),
        ("      - freshness: {column: a, within: soon}", "a duration such as"),
        ("      - freshness: {column: a, within: '1 fortnight'}", "a duration such as"),
        ("      - freshness: {column: a, within: day}", "a duration such as"),
        ("      - freshness: {column: a, within: 0 days}", "a duration such as"),
        ("      - freshness: {column: a, within: 99999999999999999999d}", "a duration such as"),
        ("      - range: {column: a, min: 5, max: 4.5}", "nothing can pass: 5 > 4.5"),
        ("      - row_count_range: {min: 10, max: 9}", "nothing can pass: 10 > 9"),
        ("      - positive: {column: a, severity: loud}", "warn or fail"),
        ("      - custom_sql: {sql: a, condition: b}", "either sql"),
        ("      - accepted_values: {column: a, values: []}", "at least one value"),
        ("      - uniqueness: a\n      - uniqueness: a", "two checks"),
        ("      - not_null: {column: a, columns: [b]}", "column and columns of not_null"),
        ("      - uniqueness: {column: a, columns: [a]}", "column and columns of uniqueness"),
        ("      - accepted_values: {column: a, values: [b, ~]}", "texts, numbers or flags"),
        ("      - {uniqueness: a, not_null: b}", "one kind of check"),
        ("      - name: x", "the kind of check is missing"),
        ("      - regex: {column: a, pattern: '[a-'}", "pattern is no regular expression"),
    ])
    func mistakesAreNamedWithTheirPlace(_ text: String, _ wanted: String) throws {
        do {
            _ = try parse(text)
            Issue.record("accepted: \(text)")
        } catch let error as QualityError {
            #expect(error.code == .invalidCheck)
            #expect(error.message.hasPrefix("orders.yml:"))
            #expect("\(error.message) \(error.hint ?? "")".contains(wanted))
        }
    }

    @Test(arguments: [
        "90s", "15m", "26h", "2d", "1 day", "1 hour", "30 minutes", "2 Weeks", "5min", "1 second",
    ])
    func durationsAreShortOrInWords(_ text: String) throws {
        let checks = try parse("      - freshness: {column: a, within: '\(text)'}")
        #expect(checks.count == 1)
    }

    @Test func plainScalarsAreAsTheyAreWritten() throws {
        let checks = try parse(
            """
                  - accepted_values: {column: a, values: [NO, 007, 1e3, 1.50, on, True, true, 2026-01-01, 0x1F, 1_000, "8"]}
            """)
        guard case .array(let values)? = checks[0].options["values"] else {
            Issue.record("no values")
            return
        }
        #expect(
            values == [
                .string("NO"), .string("007"), .number(JSONNumber(text: "1e3")),
                .number(JSONNumber(text: "1.50")), .string("on"), .string("True"), .bool(true),
                .string("2026-01-01"), .string("0x1F"), .string("1_000"), .string("8"),
            ])
    }

    @Test func boundsMayBeEqual() throws {
        let checks = try parse(
            """
                  - range: {column: a, min: 5, max: 5.0}
                  - row_count_range: {min: 0, max: 0}
            """)
        #expect(checks.count == 2)
    }

    @Test func filesOfChecksAreToldFromPipelines() {
        #expect(CheckFile.isOne("checks: []"))
        #expect(!CheckFile.isOne("name: x\nsteps: []"))
        #expect(!CheckFile.isOne("checks: {"))
        #expect(CheckFile.tableName("silver.orders") == nil)
    }
}
