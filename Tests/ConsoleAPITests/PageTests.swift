import Authority
import ConsoleAPI
import Dashboards
import Foundation
import HTTPMessages
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite struct PageTests {
    static let pages = [
        "/", "/sql", "/sql?q=select%201", "/sql?query=q1", "/catalog", "/catalog/silver",
        "/catalog/silver/banking", "/catalog/silver/a%1Fb", "/catalog/silver/banking/transactions",
        "/catalog/silver/banking/transactions/lineage",
        "/pipelines", "/pipelines/nightly", "/pipelines/nightly/runs/r7", "/dashboards",
        "/dashboards/sales", "/queries", "/queries?mine", "/ui/query.html?q1",
        "/ui/query.html?q0", "/audit", "/audit?principal=ada&door=sql", "/storage",
        "/storage/landing", "/storage/landing?prefix=a%2F", "/storage/landing/object?key=a%2Fb.csv",
        "/storage/landing/object?key=a%2Fnote.txt", "/storage/landing/object?key=a%2Fcat.png",
    ]

    @Test("Every page answers, is well-formed, escaped and without inline script", arguments: pages)
    func page(path: String) throws {
        let response = try Console().send(.get, path)
        #expect(response.status == 200)
        #expect(response.fields["Content-Security-Policy"]?.contains("script-src 'self'") == true)
        let html = text(response)
        #expect(isWellFormed(html), "\(path)")
        #expect(!html.contains("<script>"), "the hostile name is escaped")
        #expect(!html.contains(" style=") && !html.contains(" onclick="))
        #expect(!html.contains("http-equiv"))
        #expect(html.contains("aria-current=\"page\""))
        #expect(
            !html.contains("&lt;p ") && !html.contains("&lt;div"), "our own markup is not escaped")
    }

    @Test(
        "Without a session a page leads to the login and back",
        arguments: ["/", "/sql?q=select%201"])
    func login(path: String) throws {
        let response = try Console().send(.get, path, user: nil)
        #expect(response.status == 303)
        #expect(response.fields["Location"] == "/login?next=\(PercentCoding.encode(path))")
        #expect(response.fields["Content-Security-Policy"] != nil)
    }

    @Test(
        "What is not there is a page that says so",
        arguments: [
            "/catalog/silver/banking/missing", "/pipelines/none", "/pipelines/nightly/runs/none",
            "/dashboards/none", "/ui/query.html?none", "/dashboards/sales/tiles/none",
        ])
    func missing(path: String) throws {
        let response = try Console().send(.get, path)
        #expect(response.status == 404)
        #expect(text(response).contains("role=\"alert\""))
    }

    @Test("A file that no pipeline takes is shown with the shape its key should have")
    func waitingFiles() throws {
        let page = text(try Console().send(.get, "/pipelines"))
        #expect(page.contains("Files that no pipeline takes"))
        #expect(page.contains("WAREHOUSE/NAMESPACE/TABLE/FILE"))
        #expect(page.contains("These are some of them"))
        #expect(page.contains("/storage/landing/object?key=a%20b%2F"))
    }

    @Test("What may not be seen is refused, and the list leaves it out")
    func denied() throws {
        var console = try Console()
        console.authorizer.denied = [.dashboardView, .ledgerView]
        #expect(console.send(.get, "/dashboards/sales").status == 403)
        #expect(console.send(.get, "/dashboards/sales/tiles/names").status == 403)
        #expect(console.send(.get, "/dashboards/sales/events").status == 403)
        #expect(console.send(.get, "/audit").status == 403)
        #expect(!text(console.send(.get, "/dashboards")).contains("/dashboards/sales"))
        #expect(console.runner.requests.isEmpty)
    }

    @Test(
        "A form without the session's token changes nothing",
        arguments: ["/sql", "/pipelines/nightly/runs", "/queries/q1/cancel"])
    func csrf(path: String) throws {
        let console = try Console()
        for body in ["sql=insert", "sql=insert&csrf=wrong"] {
            #expect(console.send(.post, path, body: body).status == 403)
        }
        #expect(console.send(.post, path, user: nil, body: "csrf=right").status == 401)
        #expect(console.runner.requests.isEmpty)
        #expect(console.pipelines.started.isEmpty)
        #expect(console.queries.cancelled.isEmpty)
    }

    @Test("With it, a pipeline starts and a query is cancelled")
    func actions() throws {
        let console = try Console()
        let started = console.send(.post, "/pipelines/nightly/runs", body: "csrf=right")
        #expect(started.status == 303)
        #expect(started.fields["Location"] == "/pipelines/nightly/runs/r8")
        #expect(console.pipelines.started == ["nightly"])
        #expect(console.send(.post, "/queries/q1/cancel", body: "csrf=right").status == 303)
        #expect(console.queries.cancelled == ["q1"])
    }

    @Test("Names in addresses are encoded, levels of namespaces too")
    func addresses() throws {
        let html = text(try Console().send(.get, "/catalog/silver"))
        #expect(html.contains("/catalog/silver/%3Cscript%3E"))
        #expect(html.contains("%1Fin.ner\""))
    }

    @Test("The sample of a table quotes its name")
    func sample() throws {
        let console = try Console()
        _ = console.send(.get, "/catalog/silver/banking/select")
        _ = console.send(.get, "/catalog/silver/ban%22king/Orders")
        #expect(
            console.runner.requests.map(\.request.sql) == [
                "select * from silver.banking.\"select\" limit 20",
                "select * from silver.\"ban\"\"king\".\"Orders\" limit 20",
            ])
    }

    @Test("Who sees a table in part does not see its files")
    func withheld() throws {
        var console = try Console()
        #expect(text(console.send(.get, "/catalog/silver/banking/t")).contains("part-0.parquet"))
        console.catalog.files = .withheld
        let html = text(console.send(.get, "/catalog/silver/banking/t"))
        #expect(html.contains("its files are not shown"))
    }

    @Test("Files have types and tags, and an unchanged one is not sent again")
    func assets() throws {
        let console = try Console()
        let first = console.send(.get, "/assets/console.css", user: nil)
        #expect(first.status == 200)
        #expect(first.fields["Content-Type"] == "text/css; charset=utf-8")
        let tag = try #require(first.fields["ETag"])
        let again = console.send(.get, "/assets/console.css", user: nil, [("If-None-Match", tag)])
        #expect(again.status == 304)
        #expect(text(again).isEmpty)
        for path in [
            "/assets/none.css", "/assets/..%2Fsecret.css", "/assets/.hidden.css",
            "/assets/console", "/assets//console.css",
        ] {
            #expect(console.send(.get, path, user: nil).status == 404, "\(path)")
        }
    }

    private func isWellFormed(_ html: String) -> Bool {
        // What HTML writes without an end gets one, so that an XML parser can judge the rest.
        var xml = html.replacingOccurrences(of: "<!doctype html>\n", with: "")
        for name in ["meta", "link", "input"] {
            xml = xml.replacingOccurrences(
                of: "<\(name)( [^>]*)>", with: "<\(name)$1/>", options: .regularExpression)
        }
        for name in [" autofocus", " selected", " hidden"] {
            xml = xml.replacingOccurrences(
                of: "\(name)([ >])", with: "\(name)=\"\"$1", options: .regularExpression)
        }
        let parser = XMLParser(data: Data(xml.utf8))
        let result = parser.parse()
        if !result { print(parser.parserError ?? "", parser.lineNumber, parser.columnNumber) }
        return result
    }
}
