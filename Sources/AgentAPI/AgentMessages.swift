import HTTPMessages
import JSON

/// A failure of the protocol. Source: JSON-RPC 2.0 section 5.1; Model Context Protocol 2026-07-28.
struct AgentError: Error, Sendable {
    static let parse = -32700
    static let invalidRequest = -32600
    static let methodNotFound = -32601
    static let invalidParameters = -32602
    static let headerMismatch = -32020
    static let unsupportedVersion = -32022

    var code: Int
    var message: String
    var data: JSONValue?

    init(_ code: Int, _ message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }
}

/// One message of a client.
struct AgentMessage: Sendable {
    /// nil for a notification.
    var id: JSONValue?
    var method: String
    var parameters: JSONCursor
    /// A client's answer to a request of ours, which we never send.
    var isAnswer = false

    /// Reads a message. Throws `.parse` and `.invalidRequest`.
    init(_ bytes: [UInt8]) throws(AgentError) {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes, depthLimit: 64) } catch {
            throw AgentError(AgentError.parse, "the body is not JSON")
        }
        let at = JSONCursor(value)
        guard at.isObject, (try? at["jsonrpc"].string()) == "2.0" else {
            throw AgentError(
                AgentError.invalidRequest, "the body has to be one JSON-RPC 2.0 message")
        }
        switch at["id"].value {
        case nil: id = nil
        case .string(let text)?: id = .string(text)
        case .number(let number)?: id = .number(number)
        default: throw AgentError(AgentError.invalidRequest, "an id is a string or a number")
        }
        parameters = at["params"]
        if at["method"].value == nil, id != nil,
            at["result"].value != nil || at["error"].value != nil
        {
            method = ""
            isAnswer = true
            return
        }
        guard let method = try? at["method"].string(),
            parameters.value == nil || parameters.isObject
        else { throw AgentError(AgentError.invalidRequest, "a message needs a method") }
        self.method = method
    }
}

extension Response {
    /// The answer to a request.
    static func result(_ id: JSONValue, _ result: JSONValue) -> Response {
        agent(200, .object([("jsonrpc", "2.0"), ("id", id), ("result", result)]))
    }

    /// An error; `id` is null where the request's could not be read.
    static func error(_ status: Int, _ id: JSONValue?, _ error: AgentError) -> Response {
        var members: [(String, JSONValue)] = [
            ("code", .int(error.code)), ("message", .string(error.message)),
        ]
        if let data = error.data { members.append(("data", data)) }
        return agent(
            status,
            .object([("jsonrpc", "2.0"), ("id", id ?? .null), ("error", .object(members))]))
    }

    private static func agent(_ status: Int, _ body: JSONValue) -> Response {
        var response = Response(
            status: status, contentType: "application/json", bytes: body.encoded())
        response.fields["Cache-Control"] = "no-store"
        return response
    }
}
