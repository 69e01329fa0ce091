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

    /// Calls a tool: what it answers as structured content, and whether it refused.
    func use(_ tool: String, _ arguments: JSONValue) throws -> (content: JSONCursor, refused: Bool)
    {
        let result = try call(
            "tools/call", .object([("name", .string(tool)), ("arguments", arguments)]))
        let isError = result["isError"].isPresent ? try result["isError"].bool() : false
        let content =
            result["structuredContent"].isPresent
            ? result["structuredContent"] : result["content"]
        return (content, isError)
    }

    private func call(_ method: String, _ parameters: JSONValue) throws -> JSONCursor {
        lastID += 1
        let answer = try send(
            .object([
                ("jsonrpc", "2.0"), ("id", .int(lastID)), ("method", .string(method)),
                ("params", parameters),
            ]))
        let body = try JSONValue(parsing: answer.body).cursor
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
