import ConsoleAPI
import Dashboards
import Foundation
import HTTPMessages
import JSON
import Testing

@Suite struct SQLTests {
    private func post(_ console: Console, _ body: String, token: String? = "right") -> Response {
        console.send(
            .post, "/api/v1/sql",
            [("Content-Type", "application/json")]
                + (token.map { [("X-CSRF-Token", $0)] } ?? []), body: body)
    }

    @Test("A statement gives columns and rows, exact for every reader")
    func answer() throws {
        let console = try Console()
        let response = post(console, #"{"sql": "select 1", "catalog": "gold", "limit": 10}"#)
        #expect(response.status == 200)
        let json = try JSONValue(parsing: text(response)).cursor
        #expect(try json["queryId"].string() == "q1")
        #expect(try json["isTruncated"].bool())
        let rows = try json["rows"].elements()
        #expect(try rows[0].elements()[0].string() == hostile)
        // Beyond 2⁵³ as a text, since JavaScript would round it.
        #expect(try rows[0].elements()[1].string() == "9007199254740993")
        #expect(try !rows[1].elements()[0].isPresent)
        #expect(try rows[1].elements()[1].int64() == 2)
        let request = try #require(console.runner.requests.first)
        #expect(request.user == "ada")
        #expect(request.request.catalog == "gold" && request.request.schema == nil)
        #expect(request.request.rowLimit == 10)
    }

    @Test("A change tells what it did")
    func change() throws {
        let json = try JSONValue(parsing: text(post(try Console(), #"{"sql": "insert"}"#))).cursor
        #expect(try json["updateType"].string() == "INSERT")
        #expect(try json["updateCount"].int64() == 3)
    }

    @Test("An error has its place, a caret and a hint")
    func fault() throws {
        let response = post(try Console(), #"{"sql": "fail\n  custmer from t"}"#)
        #expect(response.status == 400)
        let error = try JSONValue(parsing: text(response)).cursor["error"]
        #expect(try error["code"].string() == "COLUMN_NOT_FOUND")
        #expect(try error["hint"].string() == "did you mean customer?")
        #expect(try error["line"].int() == 2)
        #expect(
            try error["caret"].string() == "2 |   custmer from t\n      ^^^^^^^")
    }

    @Test(
        "What cannot be run is refused by code",
        arguments: [
            (#"{"sql": "deny"}"#, 403, "PERMISSION_DENIED"),
            (#"{"sql": "  "}"#, 400, "SYNTAX_ERROR"),
            (#"{"sql": 3}"#, 400, "request.body"),
            (#"{}"#, 400, "request.body"),
            (#"{"sql": "select 1", "limit": 1001}"#, 400, "request.limit"),
            (#"{"sql": "select 1", "limit": 0}"#, 400, "request.limit"),
        ])
    func refused(body: String, status: Int, code: String) throws {
        let response = post(try Console(), body)
        #expect(response.status == status)
        #expect(
            try JSONValue(parsing: text(response)).cursor["error"]["code"].string() == code)
    }

    @Test("Broken JSON, no credential and no token are refused")
    func closed() throws {
        let console = try Console()
        #expect(post(console, "{").status == 400)
        #expect(post(console, #"{"sql": "select 1"}"#, token: nil).status == 403)
        #expect(console.send(.post, "/api/v1/sql", user: nil, body: "{}").status == 401)
        #expect(console.runner.requests.isEmpty)
    }

    @Test("The form does the same without a script")
    func form() throws {
        let console = try Console()
        let result = text(
            console.send(.post, "/sql", body: "csrf=right&sql=select+1&schema=banking"))
        #expect(result.contains("2 rows, the first of more"))
        #expect(result.contains("&lt;script&gt;"))
        #expect(result.contains("value=\"banking\""))
        let fault = text(console.send(.post, "/sql", body: "csrf=right&sql=fail%0A++custmer"))
        #expect(fault.contains("<pre class=\"caret\""))
        #expect(fault.contains("did you mean customer?"))
    }

    @Test("A link fills the editor and runs nothing")
    func link() throws {
        let console = try Console()
        let html = text(console.send(.get, "/sql?q=drop%20table%20t%3C/textarea%3E"))
        #expect(html.contains("drop table t&lt;/textarea&gt;</textarea>"))
        #expect(console.runner.requests.isEmpty)
    }
}
