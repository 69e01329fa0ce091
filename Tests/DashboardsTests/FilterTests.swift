import Dashboards
import Testing

@Suite struct FilterTests {
    private static let document: DashboardDocument = {
        do throws(DashboardError) {
            return try DashboardDocument.parse(
                """
                title: Sales
                filters:
                  - {id: region, kind: multiple, column: t.region, values: [North, South]}
                  - {id: channel, kind: select}
                  - {id: day, kind: date-range, column: booked_at}
                  - {id: amount, kind: number-range}
                  - {id: memo, kind: text}
                  - {id: code, kind: select, type: number}
                tiles:
                  - {kind: bar, title: a, click: region, rows: "select * from t where ${filters}",
                     sql: "select region, n from t where ${filters}"}
                  - {kind: bar, title: b, sql: "select 1 from u where ${filters}",
                     filters: {region: u.name, channel: ~}}
                  - {kind: number, title: c, sql: select 1}
                """, path: "sales.yml")
        } catch { preconditionFailure("\(error)") }
    }()

    private func view(_ pairs: [(String, String)]) throws -> DashboardView {
        DashboardView(
            Self.document,
            try FilterState(pairs.map { (name: $0.0, value: $0.1) }, Self.document.filters))
    }

    @Test(
        "Chosen values become conditions; what visitors send only becomes literals",
        arguments: [
            ([], "TRUE"),
            ([("channel", "web")], "((channel) = 'web')"),
            ([("channel", "o'; drop table t --")], "((channel) = 'o''; drop table t --')"),
            ([("channel.none", "1")], "((channel) IS NULL)"),
            (
                [("day", "2026-01-01..2026-01-31")],
                "(((booked_at) >= DATE '2026-01-01' AND (booked_at) < DATE '2026-01-31' + INTERVAL '1' DAY))"
            ),
            ([("day", "..2026-01-31")], "(((booked_at) < DATE '2026-01-31' + INTERVAL '1' DAY))"),
            (
                [("day.from", "2026-01-01"), ("day.to", "")],
                "(((booked_at) >= DATE '2026-01-01'))"
            ),
            ([("amount", "10..99.5")], "(((amount) >= 10 AND (amount) <= 99.5))"),
            (
                [("memo", "it's")],
                "(strpos(lower(CAST((memo) AS varchar)), lower('it''s')) > 0)"
            ),
            ([("code", "-1.5e3")], "((code) = -1.5e3)"),
            (
                [("code", "7"), ("memo", "x")],
                "(strpos(lower(CAST((memo) AS varchar)), lower('x')) > 0 AND (code) = 7)"
            ),
        ] as [([(String, String)], String)])
    func conditions(pairs: [(String, String)], condition: String) throws {
        let tile = try #require(Self.document.tile("a"))
        #expect(
            try view(pairs).statement(of: tile) == "select region, n from t where \(condition)")
    }

    @Test(
        "Values that a filter cannot take are refused",
        arguments: [
            ("code", "seven"), ("code", "1) or (1=1"), ("code", "nan"), ("code", "0x10"),
            ("day", "2026-02-30..2026-03-01"), ("day", "today"), ("day", ".."),
            ("amount", "1..x"), ("at", "yesterday"), ("unknown", "x"), ("unknown.none", "1"),
            ("regoin", "North"), ("", ""),
        ])
    func refused(name: String, value: String) {
        #expect(throws: DashboardError.self) { try view([(name, value)]) }
    }

    @Test("A filter that the dashboard has not is answered with those that it has")
    func unknown() throws {
        let fault = try #require(throws: DashboardError.self) { try view([("regoin", "North")]) }
        #expect(fault.code == .invalidFilter)
        for word in ["did you mean region?", "channel", "memo"] {
            #expect(fault.hint?.contains(word) == true, "\(word)")
        }
    }

    @Test("A tile is not narrowed by the filter that it sets, its rows are; columns may be renamed")
    func reach() throws {
        let view = try view([("region", "North"), ("region.none", "1"), ("channel", "web")])
        let own = try #require(Self.document.tile("a"))
        #expect(
            try view.statement(of: own) == "select region, n from t where ((channel) = 'web')")
        #expect(
            try view.rowsStatement(of: own)
                == "select * from t where (((t.region) = 'North' OR (t.region) IS NULL) AND "
                + "(channel) = 'web')")
        let other = try #require(Self.document.tile("b"))
        #expect(
            try view.statement(of: other)
                == "select 1 from u where (((u.name) = 'North' OR (u.name) IS NULL))")
        #expect(view.unreached(by: other) == ["channel"])
        #expect(view.unreached(by: try #require(Self.document.tile("c"))) == ["region", "channel"])
    }

    @Test("The address of a view gives the view back; clicks toggle")
    func addresses() throws {
        let view = try view([
            ("memo", "a&b=ü"), ("region", "South"), ("region", "North"), ("region", "North"),
            ("at", "2026-11-20T03:00:00.25Z"), ("channel", ""),
        ])
        #expect(
            view.query()
                == "?region=South&region=North&memo=a%26b%3D%C3%BC&at=2026-11-20T03%3A00%3A00.250000Z"
        )
        let region = try #require(Self.document.filters.first { $0.id == "region" })
        let without = view.state.toggling("South", of: region)
        #expect(without.values("region") == ["North"])
        #expect(without.toggling(nil, of: region).values("region") == ["North", nil])
        let channel = try #require(Self.document.filters.first { $0.id == "channel" })
        #expect(
            without.toggling("web", of: channel).toggling("shop", of: channel)
                .values("channel") == ["shop"])
    }

    @Test("A tag is a state of its own")
    func tags() throws {
        let view = try view([("at", "tag:year end"), ("memo", "a")])
        #expect(view.state.tag == "year end" && view.state.isPast && view.state.at == nil)
        #expect(view.query() == "?memo=a&at=tag%3Ayear%20end")
    }

    @Test("Marks lead to the view with their value; chosen ones stand out")
    func marks() throws {
        let tile = try #require(Self.document.tile("a"))
        let data = ChartData(
            columns: [ChartColumn("region", "varchar"), ChartColumn("n", "bigint")],
            rows: [[.text("North"), .integer(3)], [.text("So&uth"), .integer(4)]])
        let markup = TileView.content(
            tile, .answer(QueryAnswer(data: data)), try view([("region", "North")]),
            path: "/dashboards/sales"
        ).text
        #expect(markup.contains("<a class=\"mark chosen\" href=\"/dashboards/sales\" aria-current"))
        #expect(
            markup.contains(
                "<a class=\"mark dimmed\" href=\"/dashboards/sales?region=North&amp;region=So%26uth\""
            ))
        #expect(markup.contains("/dashboards/sales/tiles/a/rows?region=North"))
        #expect(isWellFormed(markup))
    }

    @Test(
        "Documents with wrong filters are refused",
        arguments: [
            ("filters: [{id: at}]", 2), ("filters: [{id: a}, {id: a}]", 2),
            ("filters: [{id: a, kind: guess}]", 2), ("filters: [{id: a, hue: 1}]", 2),
            ("filters: [{id: a, type: money}]", 2),
        ])
    func documents(filters: String, line: Int) {
        do {
            _ = try DashboardDocument.parse(
                "title: x\n\(filters)\ntiles: [{kind: bar, title: a, sql: s}]", path: "x.yml")
            Issue.record("the document was taken")
        } catch { #expect(error.message.hasPrefix("x.yml:\(line):")) }
        #expect(throws: DashboardError.self) {
            try DashboardDocument.parse(
                "title: x\ntiles: [{kind: bar, title: a, sql: s, click: nothing}]", path: "x.yml")
        }
    }

    @Test("Markdown keeps what is plain and shows HTML as text")
    func prose() {
        let markup = markdown(
            """
            # A *big* title
            Some **bold**, `a<b`, [docs](https://example.org/x?a=1&b=2), [no](javascript:alert(1))
            <script>alert(1)</script> snake_case_name

            - one
            - two

            1. first

            > quoted

            ```
            <code> & more
            ```
            ---
            """
        ).text
        #expect(isWellFormed(markup.replacing("<hr>", with: "<hr/>")))
        for piece in [
            "<h3>A <em>big</em> title</h3>", "<strong>bold</strong>", "<code>a&lt;b</code>",
            "<a href=\"https://example.org/x?a=1&amp;b=2\">docs</a>", "[no](javascript:alert(1))",
            "&lt;script&gt;", "snake_case_name", "<li>two</li>", "<ol>", "<blockquote>",
            "&lt;code&gt; &amp; more", "<hr>",
        ] { #expect(markup.contains(piece), "\(piece)") }
    }

    @Test("CSV quotes what needs it and defuses formulas")
    func csv() {
        let data = ChartData(
            columns: [ChartColumn("a,b", "varchar"), ChartColumn("n", "decimal(5,2)")],
            rows: [
                [.text("say \"hi\""), .decimal("-1.50")], [.text(""), .null],
                [.text("=1+1"), .integer(-3)], [.text("-12.5"), .number(0.5)],
                [.text("two\nlines"), .null],
            ])
        #expect(
            csvText(data)
                == "\"a,b\",n\r\n\"say \"\"hi\"\"\",-1.50\r\n\"\",\r\n'=1+1,-3\r\n-12.5,0.5\r\n"
                + "\"two\nlines\",\r\n")
    }
}
