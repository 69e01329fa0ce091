import JSON
import Vectors

/// JSON_SCALAR and JSON_SERIALIZE. Source: ISO/IEC 9075-2:2023, section 6.36 and following.
enum JSONScalars {
    static let all: [ScalarFunction] = [
        ScalarFunction(
            "json_scalar",
            .values("T", "json") { types in
                guard types.count == 1 else { return nil }
                switch types[0] {
                case .array, .map, .row, .varbinary, .opaque, .intervalYearToMonth,
                    .intervalDayToSecond:
                    return nil
                case .unknown: return ([.text], .json)
                default: return (types, .json)
                }
            }, "The JSON value of one number, text, boolean or moment.",
            example: "json_scalar('a')", canFail: true, kernel: scalar),
        ScalarFunction(
            "json_serialize", [.json], .text, "The text of a JSON value.",
            example: "json_serialize(JSON '[1, 2]')", kernel: unary { (text: Text) in text }),
    ]

    private static let scalar: ScalarFunction.Kernel = { call in
        var texts = ValueText(call)
        let type = call.argumentTypes[0]
        call.rows { row -> [UInt8]? in
            guard let text = texts.text(type, call.arguments[0], row) else { return nil }
            switch type {
            case .boolean, .tinyint, .smallint, .integer, .bigint, .decimal, .json:
                return Array(text.utf8)
            case .real, .double:
                let number = call.arguments[0].pointer(as: Double.self)[
                    call.arguments[0].valueIndex(row)]
                if number.isFinite { return Array(text.utf8) }
            default: break
            }
            return JSONValue.string(text).encoded()
        }
    }
}
