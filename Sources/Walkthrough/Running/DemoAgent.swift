import Bytes
import HTTPClient
import HTTPMessages
import JSON

/// An agent that speaks the Model Context Protocol (2025-11-25) at `/mcp`.
final class DemoAgent {
    private let connection: HTTPConnection
    private let token: String
    private var session: String?
    private var lastID = 0
    private var transcript: [String] = []

    init(port: Int, token: String) throws {
        connection = HTTPConnection(host: "127.0.0.1", port: port)
        self.token = token
        _ = try call(
            "initialize",
            .object([
                ("protocolVersion", "2025-11-25"), ("capabilities", .object([])),
                (
                    "clientInfo",
                    .object([("name", "walkthrough"), ("version", "1")])
                ),
            ]))
        _ = try send(
            .object([("jsonrpc", "2.0"), ("method", "notifications/initialized")]))
    }

    /// Names of the tools that the agent may use.
    func tools() throws -> [String] {
        try call("tools/list", .object([]))["tools"].elements().map { try $0["name"].string() }
    }

    /// What a tool said.
    struct Answer {
        /// Its structured content; nothing where it refused.
        let content: JSONCursor
        /// The same in words.
        let text: String
        let isRefused: Bool
    }

    /// Calls a tool. Throws where the call does not come to the tool at all.
    func use(_ tool: String, _ arguments: JSONValue) throws -> Answer {
        let result = try call(
            "tools/call", .object([("name", .string(tool)), ("arguments", arguments)]))
        let text = try result["content"].elements().map { try $0["text"].string() }
            .joined(separator: " ")
        return Answer(
            content: result["structuredContent"], text: text,
            isRefused: result["isError"].isPresent ? try result["isError"].bool() : false)
    }

    /// What was said since the last time, in short: a line for each call, and one for its answer.
    func takeTranscript() -> [String] {
        defer { transcript = [] }
        return transcript
    }

    /// What an answer says to whoever reads it: a tool's words, otherwise all of it.
    private static func words(_ answer: JSONCursor) throws -> String {
        if let parts = try? answer["result"]["content"].elements() {
            return try parts.map { try $0["text"].string() }.joined(separator: " ")
        }
        return (answer["error"].value ?? answer["result"].value ?? .null).encodedText()
    }

    private static let shownLetters = 140

    private static func short(_ text: String) -> String {
        text.count > shownLetters ? "\(text.prefix(shownLetters))…" : text
    }

    private func call(_ method: String, _ parameters: JSONValue) throws -> JSONCursor {
        lastID += 1
        let answer = try send(
            .object([
                ("jsonrpc", "2.0"), ("id", .int(lastID)), ("method", .string(method)),
                ("params", parameters),
            ]))
        transcript.append("→ \(method) \(Self.short(parameters.encodedText()))")
        let body = try JSONValue(parsing: answer.body).cursor
        transcript.append("← \(Self.short(try Self.words(body)))")
        if body["error"].isPresent {
            throw WalkthroughError(.requestFailed, try body["error"]["message"].string())
        }
        return body["result"]
    }

    private func send(_ message: JSONValue) throws -> HTTPAnswer {
        var fields = Fields([
            ("Authorization", "Bearer \(token)"), ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", "2025-11-25"),
        ])
        if let session { fields["Mcp-Session-Id"] = session }
        let answer = try connection.send(.post, "/mcp", fields: fields, body: message.encoded())
        guard answer.status < 300 else {
            throw WalkthroughError(
                .requestFailed,
                "the agents' door answered \(answer.status): \(answer.text.prefix(200))")
        }
        if let given = answer.fields["Mcp-Session-Id"] { session = given }
        return answer
    }
}
