import JSON
import Vectors

/// Evaluates the path of a call by row: argument 0 is the JSON, 1 the path, 2 and 3 the names and values
/// of PASSING. The last path and the last passed values are remembered, since they rarely change.
struct PathFinder {
    private let texts: Input<Text>
    private let paths: Input<StringView>
    private let names: Input<ListEntry>
    private let values: Input<ListEntry>
    private let nameVector: Vector?
    private let valueVector: Vector?
    private var last: (text: StringView, path: SQLJSONPath)?

    init(_ call: KernelCall) {
        texts = call.input(0)
        paths = call.input(1)
        names = call.input(2)
        values = call.input(3)
        nameVector = call.arguments[2].children?[0]
        valueVector = call.arguments[3].children?[0]
    }

    /// The items that the path finds in the row's JSON. Throws INVALID_PATH,
    /// JSON_INPUT_CONVERSION_ERROR and PATH_EVALUATION_ERROR.
    mutating func values(_ row: Int) throws(QueryFault) -> [JSONValue] {
        let text = paths[row]
        let path: SQLJSONPath
        if let last, last.text == text {
            path = last.path
        } else {
            path = try SQLJSONPath(text.string)
            last = (text, path)
        }
        guard let root = parsed(texts[row]) else {
            throw QueryFault(
                .jsonInputConversionError,
                "conversion to JSON failed: '\(texts[row].string.prefix(200))'")
        }
        return try Self.find(path, root, try variables(row))
    }

    static func find(
        _ path: SQLJSONPath, _ root: JSONValue, _ variables: [String: JSONValue]
    ) throws(QueryFault) -> [JSONValue] {
        var evaluator = SQLJSONPathEvaluator(path, root: root, variables: variables)
        do throws(PathFault) { return try evaluator.values() } catch {
            throw QueryFault(
                .pathEvaluationError, "path evaluation failed: \(error.message)")
        }
    }

    /// The values of PASSING by name; SQL's NULL is JSON's null.
    func variables(_ row: Int) throws(QueryFault) -> [String: JSONValue] {
        guard let nameVector, let valueVector, names[row].count > 0 else { return [:] }
        var found: [String: JSONValue] = [:]
        for offset in 0..<Int(names[row].count) {
            let name = nameVector.string(Int(names[row].offset) + offset).string
            let place = Int(values[row].offset) + offset
            guard valueVector.isValid(place) else {
                found[name] = .null
                continue
            }
            let text = valueVector.string(place).string
            guard let value = try? JSONValue(parsing: text) else {
                throw QueryFault(
                    .jsonInputConversionError,
                    "the value of \(name) is no JSON: '\(text.prefix(200))'")
            }
            found[name] = value
        }
        return found
    }
}
