import Diagnostics
import JSON

/// Puts a run's values in for `${name}`; `$${` stands for a plain `${`.
enum Substitution {
    /// The names that options refer to.
    static func references(in value: JSONValue) -> [String] {
        var names: [String] = []
        walk(value) { text in
            _ = try? replace(text) { name in
                names.append(name)
                return ""
            }
        }
        return names
    }

    /// The options with values; throws `.invalidParameter` for a name without one.
    static func apply(_ value: JSONValue, _ values: [String: String]) throws(JobError) -> JSONValue
    {
        switch value {
        case .string(let text):
            return .string(
                try replace(text) { name throws(JobError) in
                    guard let value = values[name] else {
                        throw JobError(
                            .invalidParameter, "the parameter has no value: \(name)",
                            hint: "give it when the run is started, or a default in the pipeline")
                    }
                    return value
                })
        case .array(let elements):
            var result: [JSONValue] = []
            for element in elements { result.append(try apply(element, values)) }
            return .array(result)
        case .object(let object):
            var result = JSONObject()
            for (name, member) in object.members { result.append(name, try apply(member, values)) }
            return .object(result)
        default: return value
        }
    }

    private static func walk(_ value: JSONValue, _ body: (String) -> Void) {
        switch value {
        case .string(let text): body(text)
        case .array(let elements): for element in elements { walk(element, body) }
        case .object(let object): for (_, member) in object.members { walk(member, body) }
        default: break
        }
    }

    private static func replace(
        _ text: String, _ value: (String) throws(JobError) -> String
    ) throws(JobError) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            let after = rest[rest.index(after: dollar)...]
            if after.hasPrefix("${") {
                result += "${"
                rest = after.dropFirst(2)
            } else if after.hasPrefix("{"), let close = after.firstIndex(of: "}") {
                result += try value(String(after[after.index(after: after.startIndex)..<close]))
                rest = after[after.index(after: close)...]
            } else {
                result += "$"
                rest = after
            }
        }
        return result + rest
    }
}
