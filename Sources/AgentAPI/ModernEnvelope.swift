import Bytes
import HTTPMessages
import JSON

/// Revisions of the protocol that are spoken.
enum AgentVersions {
    /// With a handshake, oldest first.
    static let handshake = ["2025-03-26", "2025-06-18", "2025-11-25"]
    /// Without: each request stands alone.
    static let modern = ["2026-07-28"]
    static let all = handshake + modern
}

/// What a request of 2026-07-28 says of itself, in the body and again in header fields.
///
/// The fields let a gateway route without reading bodies; one that differs from the body is refused, so
/// that nobody is shown one thing and runs another.
enum ModernEnvelope {
    static let versionKey = "io.modelcontextprotocol/protocolVersion"
    static let capabilitiesKey = "io.modelcontextprotocol/clientCapabilities"
    static let serverKey = "io.modelcontextprotocol/serverInfo"

    static func check(_ request: Request, _ message: AgentMessage) throws(AgentError) {
        let meta = message.parameters["_meta"]
        for key in [versionKey, capabilitiesKey] where meta[key].value == nil {
            throw AgentError(AgentError.invalidParameters, "_meta lacks \(key)")
        }
        guard let version = try? meta[versionKey].string() else {
            throw AgentError(AgentError.invalidParameters, "\(versionKey) has to be a string")
        }
        try same(request, "MCP-Protocol-Version", version)
        try same(request, "Mcp-Method", message.method)
        if message.method == "tools/call" {
            try same(
                request, "Mcp-Name", (try? message.parameters["name"].string()) ?? "")
        }
        guard AgentVersions.modern.contains(version) else {
            throw AgentError(
                AgentError.unsupportedVersion, "Unsupported protocol version",
                data: .object([
                    ("supported", .array(AgentVersions.all.map { .string($0) })),
                    ("requested", .string(version)),
                ]))
        }
    }

    private static func same(
        _ request: Request, _ field: String, _ value: String
    ) throws(AgentError) {
        let stated = request.fields.values(field)
        guard stated.count == 1, decoded(stated[0]) == value else {
            throw AgentError(
                AgentError.headerMismatch, "the field \(field) does not say what the body says")
        }
    }

    /// A value that does not fit a header field comes as `=?base64?…?=`.
    private static func decoded(_ text: String) -> String? {
        guard text.hasPrefix("=?base64?"), text.hasSuffix("?="), text.utf8.count >= 11 else {
            return text
        }
        let payload = String(text.dropFirst(9).dropLast(2))
        guard let bytes = base64Bytes(payload), base64Text(bytes) == payload else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
