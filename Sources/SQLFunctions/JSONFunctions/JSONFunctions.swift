import JSON
import Vectors

/// Functions over JSON.
enum JSONFunctions {
    static let all: [ScalarFunction] =
        [
            ScalarFunction(
                "json_parse", [.text], .json, "The JSON value of a text.",
                example: "json_parse('[1, 2]')", canFail: true,
                kernel: unary { (text: Text) -> [UInt8] in
                    guard let value = try? JSONValue(parsing: Array(text)) else {
                        throw invalid("Cannot convert value to JSON: '\(text.string.prefix(200))'")
                    }
                    return value.canonical.encoded()
                }),
            ScalarFunction(
                "json_format", [.json], .text, "The text of a JSON value.",
                example: "json_format(JSON '[1, 2]')", kernel: unary { (text: Text) in text }),
            ScalarFunction(
                "is_json_scalar", [.json], .boolean,
                "Whether it is a number, string, boolean or null.",
                example: "is_json_scalar(JSON '1')",
                kernel: unary { (text: Text) -> Bool? in parsed(text)?.isScalar }),
            ScalarFunction(
                "is_json_scalar", [.text], .boolean,
                "Whether it is a number, string, boolean or null.",
                example: "is_json_scalar('[1]')",
                kernel: unary { (text: Text) -> Bool? in parsed(text)?.isScalar }),
        ] + inputTypes.flatMap(pathFunctions) + inputTypes.flatMap(arrayFunctions) + SQLJSON.all
        + JSONScalars.all

    /// JSON functions take JSON, or text that is parsed.
    private static let inputTypes: [LogicalType] = [.json, .text]

    private static func pathFunctions(_ input: LogicalType) -> [ScalarFunction] {
        [
            ScalarFunction(
                "json_extract", [input, .text], .json,
                "The value at a path; NULL when there is none.",
                example: "json_extract('{\"a\": [1, 2]}', '$.a')", canFail: true,
                kernel: { call in
                    var paths = JSONPathReader(call)
                    let texts = call.input(0, as: Text.self)
                    call.rows { row -> [UInt8]? in
                        extracted(texts[row], try paths.path(row))?.encoded()
                    }
                }),
            ScalarFunction(
                "json_extract_scalar", [input, .text], .text,
                "The number, string or boolean at a path as text; NULL for anything else.",
                example: "json_extract_scalar('{\"a\": [1, 2]}', '$.a[0]')", canFail: true,
                kernel: { call in
                    var paths = JSONPathReader(call)
                    let texts = call.input(0, as: Text.self)
                    call.rows { row -> String? in
                        extracted(texts[row], try paths.path(row))?.scalarText
                    }
                }),
            ScalarFunction(
                "json_size", [input, .text], .bigint,
                "Members of the object or elements of the array at a path; 0 for a scalar.",
                example: "json_size('{\"a\": [1, 2]}', '$.a')", canFail: true,
                kernel: { call in
                    var paths = JSONPathReader(call)
                    let texts = call.input(0, as: Text.self)
                    call.rows { row -> Int64? in
                        switch extracted(texts[row], try paths.path(row)) {
                        case nil: nil
                        case .array(let elements)?: Int64(elements.count)
                        case .object(let object)?: Int64(object.count)
                        case _?: 0
                        }
                    }
                }),
        ]
    }

    private static func arrayFunctions(_ input: LogicalType) -> [ScalarFunction] {
        [
            ScalarFunction(
                "json_array_length", [input], .bigint, "Elements of the array; NULL for no array.",
                example: "json_array_length('[1, 2]')",
                kernel: unary { (text: Text) -> Int64? in
                    guard case .array(let elements)? = parsed(text) else { return nil }
                    return Int64(elements.count)
                }),
            ScalarFunction(
                "json_array_get", [input, .bigint], .json,
                "The element of that 0-based number, from the end when negative.",
                example: "json_array_get('[1, 2]', 0)",
                kernel: binary { (text: Text, index: Int64) -> [UInt8]? in
                    guard case .array(let elements)? = parsed(text) else { return nil }
                    let place = index < 0 ? index + Int64(elements.count) : index
                    guard place >= 0, place < Int64(elements.count) else { return nil }
                    return elements[Int(place)].encoded()
                }),
            contains(input, .boolean, "true") { (element: JSONValue, wanted: Bool) in
                element == .bool(wanted)
            },
            contains(input, .bigint, "2") { (element: JSONValue, wanted: Int64) in
                guard case .number(let number) = element else { return false }
                return number.int64 == wanted
            },
            contains(input, .double, "2.5e0") { (element: JSONValue, wanted: Double) in
                guard case .number(let number) = element else { return false }
                return number.double == wanted
            },
            contains(input, .text, "'a'") { (element: JSONValue, wanted: Text) in
                guard case .string(let text) = element else { return false }
                return text.utf8.elementsEqual(wanted)
            },
        ]
    }

    private static func contains<Wanted: KernelInput>(
        _ input: LogicalType, _ type: LogicalType, _ example: String,
        _ isEqual: @escaping @Sendable (JSONValue, Wanted) -> Bool
    ) -> ScalarFunction {
        ScalarFunction(
            "json_array_contains", [input, type], .boolean, "Whether the array has the value.",
            example: "json_array_contains('[1, 2]', \(example))",
            kernel: binary { (text: Text, wanted: Wanted) -> Bool? in
                guard case .array(let elements)? = parsed(text) else { return nil }
                return elements.contains { isEqual($0, wanted) }
            })
    }
}

/// The value of a text; nil when it is no JSON.
func parsed(_ text: Text) -> JSONValue? { try? JSONValue(parsing: Array(text)) }

/// What a path finds in a text: one value, or an array of many for a path with wildcards.
private func extracted(_ text: Text, _ path: JSONPath) -> JSONValue? {
    guard let root = parsed(text) else { return nil }
    let values = path.values(in: root)
    return path.isMany ? .array(values) : values.first
}

extension JSONValue {
    var isScalar: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }

    /// A scalar as text; nil for null, arrays and objects.
    var scalarText: String? {
        switch self {
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number): number.text
        case .string(let text): text
        case .null, .array, .object: nil
        }
    }

    /// The value with the members of objects in the order of their names, so that equal values have
    /// equal texts; the last of several members of one name counts.
    var canonical: JSONValue {
        switch self {
        case .array(let elements): return .array(elements.map(\.canonical))
        case .object(let object):
            var byName: [String: JSONValue] = [:]
            for member in object.members { byName[member.name] = member.value.canonical }
            let names = byName.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            return .object(JSONObject(names.map { ($0, byName[$0] ?? .null) }))
        default: return self
        }
    }
}
