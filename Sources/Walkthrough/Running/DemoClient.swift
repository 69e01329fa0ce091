import Bytes
import HTTPClient
import HTTPMessages
import JSON

/// Talks to the appliance as any client would: the Trino protocol, REST, pages.
final class DemoClient {
    private let connection: HTTPConnection
    private let user: String
    private let token: String

    init(host: String, port: Int, user: String, token: String) {
        connection = HTTPConnection(host: host, port: port)
        self.user = user
        self.token = token
    }

    private var authorization: Fields {
        Fields([
            ("Authorization", "Bearer \(token)"), ("X-Trino-User", user),
            ("X-Trino-Source", "demo"),
        ])
    }

    /// Runs a statement; its rows as JSON values.
    func sql(_ statement: String) throws -> [[JSONValue]] {
        let (rows, error) = try run(statement)
        if let error {
            throw WalkthroughError(
                .statementFailed, try error["message"].string(),
                hint: "the statement was: \(statement.prefix(300))")
        }
        return rows
    }

    /// The name of the error that a statement ends with, such as `PERMISSION_DENIED`; nil when it does what
    /// it says.
    func errorName(of statement: String) throws -> String? {
        try run(statement).error.map { try $0["errorName"].string() }
    }

    private func run(
        _ statement: String
    ) throws -> (rows: [[JSONValue]], error: JSONCursor?) {
        var answer = try connection.send(
            .post, "/v1/statement", fields: authorization, body: Array(statement.utf8))
        var rows: [[JSONValue]] = []
        while true {
            guard answer.status == 200 else {
                throw WalkthroughError(
                    .requestFailed,
                    "the SQL door answered \(answer.status): \(answer.text.prefix(200))")
            }
            let page = try JSONValue(parsing: answer.body).cursor
            if page["error"].isPresent { return (rows, page["error"]) }
            for row in try page["data"].optionalElements() ?? [] {
                rows.append(try row.elements().compactMap(\.value))
            }
            guard let next = try page["nextUri"].optionalString() else { return (rows, nil) }
            // The absolute URI begins with http://host:port.
            let path = next.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }
            answer = try connection.send(.get, String(path), fields: authorization)
        }
    }

    /// The one value of a statement as text; empty for NULL.
    func value(_ statement: String) throws -> String {
        guard let first = try sql(statement).first?.first else { return "" }
        return DemoClient.text(first)
    }

    /// Whether every service says that it is ready, and which do.
    func readiness() throws -> (holds: Bool, evidence: String) {
        let answer = try get("/readyz", authorized: false)
        let services = answer.text.split(separator: "\n")
        return (
            answer.status == 200 && !services.isEmpty,
            "/readyz answered \(answer.status): \(services.joined(separator: ", "))"
        )
    }

    func get(_ path: String, authorized: Bool = true) throws -> HTTPAnswer {
        try connection.send(.get, path, fields: authorized ? authorization : Fields())
    }

    func post(_ path: String, _ body: JSONValue) throws -> HTTPAnswer {
        var fields = authorization
        fields["Content-Type"] = "application/json"
        return try connection.send(.post, path, fields: fields, body: body.encoded())
    }

    static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number): number.text
        case .array, .object: value.encodedText()
        }
    }
}
