import Bytes
import Diagnostics
import HTTPClient
import HTTPMessages
import JSON
import Platform

/// A client of Trino's protocol: a lakehouse on another machine, or any Trino.
///
///     POST /v1/statement ─▶ results ─▶ GET nextUri ─▶ results ─▶ … until there is no nextUri
///
/// What statements change in the session (USE, SET SESSION, PREPARE, transactions) comes in fields of the
/// answers and is sent with the next statement. `nextUri` is followed on the same connection whatever host
/// it names, so that a credential goes nowhere else. Source: Trino, "Trino client REST API".
final class TrinoClient {
    /// A result column.
    struct Column {
        var name: String
        var type: String

        /// Whether values line up at the right.
        var isNumeric: Bool {
            let word = type.prefix { $0 != "(" }
            return ["tinyint", "smallint", "integer", "bigint", "real", "double", "decimal"]
                .contains(String(word))
        }
    }

    /// How far a statement is.
    struct Progress {
        var completedSplits = 0
        var totalSplits = 0
        var processedRows: Int64 = 0
        var state = ""
    }

    /// How a statement ended.
    struct Outcome {
        var columns: [Column] = []
        var updateType: String?
        var updateCount: Int64?
        var warnings: [String] = []
    }

    private let connection: HTTPConnection
    private let prefix: String
    private let user: String?
    private let authorization: String?
    private(set) var catalog: String?
    private(set) var schema: String?
    private var path: String?
    private var properties: [String: String] = [:]
    private var prepared: [String: String] = [:]
    private var roles: [String: String] = [:]
    private var transaction: String?
    private var authorizationUser: String?

    /// Times that a server which is busy is asked again, with growing rests up to a second.
    private static let patience = 60

    init(
        _ connection: HTTPConnection, prefix: String, user: String?, authorization: String?,
        catalog: String?, schema: String?
    ) {
        self.connection = connection
        self.prefix = prefix
        self.user = user
        self.authorization = authorization
        self.catalog = catalog
        self.schema = schema
    }

    /// Runs a statement; rows go to `rows` as they come, progress to `progress`. Throws `QueryFailure` with
    /// the server's words when the statement fails.
    func run(
        _ statement: String, rows: ([JSONValue], [Column]) throws -> Void,
        progress: (Progress) -> Void
    ) throws -> Outcome {
        var outcome = Outcome()
        var answer = try send(.post, prefix + "/v1/statement", body: Array(statement.utf8))
        while true {
            let document = try JSONValue(parsing: answer.body).cursor
            takeChanges(answer.fields)
            if outcome.columns.isEmpty, let columns = try document["columns"].optionalElements() {
                outcome.columns = try columns.map {
                    Column(name: try $0["name"].string(), type: try $0["type"].string())
                }
            }
            let next = try document["nextUri"].optionalString()
            do {
                if let values = try document["data"].optionalElements(), !values.isEmpty {
                    try rows(values.map { $0.value ?? .null }, outcome.columns)
                }
            } catch {
                // Nobody takes the rows any more.
                if let next { _ = try? send(.delete, Self.target(of: next)) }
                throw error
            }
            outcome.updateType = try document["updateType"].optionalString() ?? outcome.updateType
            outcome.updateCount = try document["updateCount"].optionalInt64() ?? outcome.updateCount
            progress(Self.progress(document["stats"]))
            if document["error"].isPresent { throw try QueryFailure(document["error"]) }
            guard let next else {
                outcome.warnings = try (document["warnings"].optionalElements() ?? [])
                    .compactMap { try $0["message"].optionalString() }
                return outcome
            }
            answer = try send(.get, Self.target(of: next))
        }
    }

    // MARK: Requests

    private func send(_ method: Method, _ target: String, body: [UInt8]? = nil) throws -> HTTPAnswer
    {
        var tries = 0
        while true {
            let answer = try connection.send(
                method, target, fields: method == .post ? sessionFields : ownFields, body: body)
            switch answer.status {
            case 200..<300: return answer
            case 429, 502, 503, 504:
                tries += 1
                guard tries <= Self.patience else { throw refusal(answer) }
                let asked = answer.fields["Retry-After"].flatMap { Int($0) }.map { $0 * 1000 }
                Thread.sleep(for: .milliseconds(min(asked ?? (50 * tries), 1000)))
            default: throw refusal(answer)
            }
        }
    }

    private func refusal(_ answer: HTTPAnswer) -> ApplianceError {
        let words = String(answer.text.prefix(300)).split(separator: "\n").first.map(String.init)
        let place = "\(connection.host):\(connection.port)"
        switch answer.status {
        case 401:
            return ApplianceError(
                .refused, "\(place) does not accept the credential: \(words ?? "unauthorized")",
                hint: "give --user and --password-file, or a token in LAKEHOUSE_TOKEN")
        case 403:
            return ApplianceError(.refused, "\(place) refuses: \(words ?? "forbidden")")
        case 301, 302, 307, 308:
            return ApplianceError(
                .failed, "\(place) sends us to \(answer.fields["Location"] ?? "another place")",
                hint: "name that address with --server")
        case 404:
            return ApplianceError(
                .failed, "\(place) does not speak Trino's protocol",
                hint: "name the address of the SQL server, such as https://host:8443")
        default:
            return ApplianceError(.failed, "\(place) answers \(answer.status): \(words ?? "")")
        }
    }

    private var ownFields: Fields {
        var fields = Fields([("X-Trino-Source", "lakehouse sql"), ("User-Agent", "lakehouse")])
        if let user { fields.append("X-Trino-User", user) }
        if let authorization { fields.append("Authorization", authorization) }
        return fields
    }

    private var sessionFields: Fields {
        func encoded(_ text: String) -> String { percentEncoded(text, allowed: "-_.~") }
        var fields = ownFields
        fields.append("Content-Type", "text/plain; charset=utf-8")
        if let authorizationUser { fields["X-Trino-User"] = authorizationUser }
        if let catalog { fields.append("X-Trino-Catalog", catalog) }
        if let schema { fields.append("X-Trino-Schema", schema) }
        if let path { fields.append("X-Trino-Path", path) }
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
            fields.append("X-Trino-Session", "\(name)=\(encoded(value))")
        }
        for (name, text) in prepared.sorted(by: { $0.key < $1.key }) {
            fields.append("X-Trino-Prepared-Statement", "\(encoded(name))=\(encoded(text))")
        }
        for (name, role) in roles.sorted(by: { $0.key < $1.key }) {
            fields.append("X-Trino-Role", "\(name)=\(encoded(role))")
        }
        fields.append("X-Trino-Transaction-Id", transaction ?? "NONE")
        return fields
    }

    /// Path and query of an address, whatever its host.
    private static func target(of uri: String) -> String {
        guard let scheme = uri.firstRange(of: "://") else { return uri }
        let rest = uri[scheme.upperBound...]
        return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
    }

    // MARK: The session

    private func takeChanges(_ fields: Fields) {
        func value(_ name: String) -> String? { fields["X-Trino-\(name)"] }
        func pair(_ text: String) -> (String, String)? {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = percentDecoded(parts[0], plusIsSpace: true),
                let value = percentDecoded(parts[1], plusIsSpace: true)
            else { return nil }
            return (name, value)
        }
        if let name = value("Set-Catalog") { catalog = name }
        if let name = value("Set-Schema") { schema = name }
        if let text = value("Set-Path") { path = text }
        for (name, value) in fields.values("X-Trino-Set-Session").compactMap(pair) {
            properties[name] = value
        }
        for name in fields.values("X-Trino-Clear-Session") { properties[name] = nil }
        for (name, text) in fields.values("X-Trino-Added-Prepare").compactMap(pair) {
            prepared[name] = text
        }
        for name in fields.values("X-Trino-Deallocated-Prepare") {
            prepared[percentDecoded(name, plusIsSpace: true) ?? name] = nil
        }
        for (name, role) in fields.values("X-Trino-Set-Role").compactMap(pair) {
            roles[name] = role
        }
        if let id = value("Started-Transaction-Id") { transaction = id }
        if value("Clear-Transaction-Id") != nil { transaction = nil }
        if let name = value("Set-Authorization-User") { authorizationUser = name }
        if value("Reset-Authorization-User") != nil { authorizationUser = nil }
    }

    private static func progress(_ stats: JSONCursor) -> Progress {
        func number(_ name: String) -> Int { ((try? stats[name].optionalInt()) ?? nil) ?? 0 }
        return Progress(
            completedSplits: number("completedSplits"), totalSplits: number("totalSplits"),
            processedRows: Int64(number("processedRows")),
            state: ((try? stats["state"].optionalString()) ?? nil) ?? "")
    }
}

/// A statement that the server could not run, in its words.
struct QueryFailure: Error {
    let name: String
    let message: String
    /// Where in the statement, both from 1.
    let line: Int?
    let column: Int?

    init(_ error: JSONCursor) throws {
        name = try error["errorName"].optionalString() ?? "ERROR"
        message = try error["message"].optionalString() ?? "the statement failed"
        line = try error["errorLocation"]["lineNumber"].optionalInt()
        column = try error["errorLocation"]["columnNumber"].optionalInt()
    }

    /// For a terminal: name, message, and a caret under the place.
    func text(in statement: String) -> String {
        var text = "\(name): \(message)\n"
        if let line, let column {
            let caret = SourceSpan(offset: 0, length: 1, line: line, column: column)
                .caret(in: statement)
            if !caret.isEmpty { text += caret + "\n" }
        }
        return text
    }
}
