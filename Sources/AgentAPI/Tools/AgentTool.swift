import Authority
import Diagnostics
import JSON

/// Something that an agent can do.
protocol AgentTool: Sendable {
    var name: String { get }
    var title: String { get }
    /// For the agent: when to use it and what comes back.
    var description: String { get }
    var parameters: [AgentParameter] { get }

    /// Does it as the caller; the result is an object. Throws faults, whose words the agent reads.
    func call(_ context: RequestContext, _ arguments: JSONCursor) throws -> JSONValue
}

/// An argument of a tool.
struct AgentParameter: Sendable {
    let name: String
    /// A type of JSON Schema: `string`, `integer`, `object`.
    let type: String
    let description: String
    var isRequired = false
}

/// Why a tool refuses.
struct AgentFault: Fault {
    enum Code: String, Sendable {
        case badArgument = "agent.bad_argument"
        case readOnly = "agent.read_only"
        case syntax = "agent.syntax_error"
    }

    let code: Code
    let message: String
    let hint: String?

    init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }
}

extension JSONCursor {
    /// A text that has to be there.
    func requiredText(_ name: String) throws(AgentFault) -> String {
        guard let text = try? self[name].string(), !text.isEmpty else {
            throw AgentFault(.badArgument, "\(name) has to be a text")
        }
        return text
    }

    /// An object that may be missing.
    func optionalObject(_ name: String) throws(AgentFault) -> JSONValue? {
        guard self[name].isPresent else { return nil }
        guard self[name].isObject, let value = self[name].value else {
            throw AgentFault(.badArgument, "\(name) has to be an object")
        }
        return value
    }

    /// A text that may be missing.
    func optionalText(_ name: String) throws(AgentFault) -> String? {
        self[name].isPresent ? try requiredText(name) : nil
    }
}
