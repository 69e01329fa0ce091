import Authority
import Diagnostics
import JSON

/// The methods of the protocol, over the tools.
struct AgentMethods: Sendable {
    private let doors: AgentDoors
    private let tools: [any AgentTool]

    init(_ doors: AgentDoors) {
        self.doors = doors
        var tools: [any AgentTool] = [
            ListCatalogsTool(sql: doors.sql), ListTablesTool(sql: doors.sql),
            DescribeTableTool(sql: doors.sql), QueryTool(sql: doors.sql),
        ]
        if let ask = doors.ask { tools.append(AskTool(ask: ask)) }
        if let lineage = doors.lineage { tools.append(LineageTool(lineage: lineage)) }
        self.tools = tools
    }

    private static let instructions = """
        A lakehouse: Iceberg tables, read with SQL in Trino's dialect. Begin with list_catalogs and \
        list_tables, read describe_table before you query a table, and write full names \
        (catalog.schema.table). You see what your account may see: rows may be filtered and columns \
        masked, which describe_table tells. Nothing can be changed here.
        """

    private var server: JSONValue {
        .object([
            ("name", "lakehouse"), ("title", "Lakehouse"), ("version", .string(doors.version)),
        ])
    }

    private var capabilities: JSONValue { .object([("tools", .object([]))]) }

    /// Agrees on a version: the client's where it is one of ours, else our newest.
    func initialize(_ message: AgentMessage) throws(AgentError) -> (JSONValue, version: String) {
        guard let wanted = try? message.parameters["protocolVersion"].string() else {
            throw AgentError(AgentError.invalidParameters, "initialize needs a protocolVersion")
        }
        let newest = AgentVersions.handshake[AgentVersions.handshake.count - 1]
        let version = AgentVersions.handshake.contains(wanted) ? wanted : newest
        return (
            .object([
                ("protocolVersion", .string(version)), ("capabilities", capabilities),
                ("serverInfo", server), ("instructions", .string(Self.instructions)),
            ]), version
        )
    }

    func respond(
        _ context: RequestContext, _ message: AgentMessage, isModern: Bool
    ) throws(AgentError) -> JSONValue {
        var members: [(String, JSONValue)]
        switch message.method {
        case "server/discover" where isModern:
            members = [
                ("supportedVersions", .array(AgentVersions.all.map { .string($0) })),
                ("capabilities", capabilities), ("instructions", .string(Self.instructions)),
                ("ttlMs", 0), ("cacheScope", "private"),
                ("_meta", .object([(ModernEnvelope.serverKey, server)])),
            ]
        case "ping" where !isModern: members = []
        case "tools/list":
            members = [("tools", .array(tools.map(Self.description)))]
            if isModern { members += [("ttlMs", 0), ("cacheScope", "private")] }
        case "tools/call": members = try call(context, message)
        default:
            throw AgentError(AgentError.methodNotFound, "unknown method: \(message.method)")
        }
        if isModern { members.append(("resultType", "complete")) }
        return .object(members)
    }

    private static func description(_ tool: any AgentTool) -> JSONValue {
        let required = tool.parameters.filter(\.isRequired).map { JSONValue.string($0.name) }
        return .object([
            ("name", .string(tool.name)), ("title", .string(tool.title)),
            ("description", .string(tool.description)),
            (
                "inputSchema",
                .object([
                    ("type", "object"),
                    (
                        "properties",
                        .object(
                            tool.parameters.map { parameter in
                                (
                                    parameter.name,
                                    .object([
                                        ("type", .string(parameter.type)),
                                        ("description", .string(parameter.description)),
                                    ])
                                )
                            })
                    ),
                    ("required", .array(required)), ("additionalProperties", false),
                ])
            ),
            (
                "annotations",
                .object([
                    ("readOnlyHint", true), ("destructiveHint", false), ("idempotentHint", true),
                    ("openWorldHint", false),
                ])
            ),
        ])
    }

    /// A tool that fails says so in its result, so that the agent can read why and do better.
    private func call(
        _ context: RequestContext, _ message: AgentMessage
    ) throws(AgentError) -> [(String, JSONValue)] {
        guard let name = try? message.parameters["name"].string() else {
            throw AgentError(AgentError.invalidParameters, "tools/call needs a name")
        }
        guard let tool = tools.first(where: { $0.name == name }) else {
            let near = nearestName(to: name, among: tools.map(\.name))
            throw AgentError(
                AgentError.invalidParameters,
                "unknown tool: \(name)" + (near.map { "; did you mean \($0)?" } ?? ""))
        }
        let arguments = message.parameters["arguments"]
        guard arguments.value == nil || arguments.isObject else {
            throw AgentError(AgentError.invalidParameters, "arguments have to be an object")
        }
        do {
            if case .object(let object)? = arguments.value {
                let known = Set(tool.parameters.map(\.name))
                for member in object.members where !known.contains(member.0) {
                    throw AgentFault(
                        .badArgument, "\(name) has no argument \(member.0)",
                        hint: "it has: \(tool.parameters.map(\.name).joined(separator: ", "))")
                }
            }
            let value = try tool.call(context, arguments)
            return [
                ("content", [Self.text(value.encodedText())]), ("structuredContent", value),
                ("isError", false),
            ]
        } catch {
            return [("content", [Self.text(Self.words(error))]), ("isError", true)]
        }
    }

    private static func text(_ text: String) -> JSONValue {
        .object([("type", "text"), ("text", .string(text))])
    }

    private static func words(_ error: any Error) -> String {
        guard let fault = error as? any Fault else { return "the tool failed" }
        return "\(fault.codeText): \(fault.message)" + (fault.hint.map { " (\($0))" } ?? "")
    }
}
