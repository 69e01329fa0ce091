import Diagnostics
import JSON
import Jobs

/// What steps of several kinds do with their options.
enum StepOptions {
    /// The first option that a step does not have, with the one that is perhaps meant.
    static func unknown(in object: JSONObject, known: [String]) -> OptionProblem? {
        guard let name = object.names.first(where: { !known.contains($0) }) else { return nil }
        return OptionProblem(
            path: name, message: "unknown option: \(name)",
            hint: nearestName(to: name, among: known).map { "did you mean \($0)?" }
                ?? "options: \(known.joined(separator: ", "))")
    }

    /// A text, or the texts of a list.
    static func texts(_ value: JSONValue?) -> [String] {
        switch value {
        case .string(let text)?: [text]
        case .array(let elements)?:
            elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
        default: []
        }
    }
}
