import JSON
import SQLFunctions
import SQLPlanning
import Vectors

/// Constants of a statement as JSON: texts, numbers, flags and lists of them.
enum LiteralJSON {
    static func json(
        _ value: LiteralValue, _ type: LogicalType
    ) throws(QueryFault) -> JSONValue {
        switch (value, type) {
        case (.null, _): return .null
        case (.boolean(let flag), _): return .bool(flag)
        case (.integer(let unscaled), .decimal(_, let scale)):
            return .number(JSONNumber(text: decimal(Int128(unscaled), scale)))
        case (.wide(let unscaled), .decimal(_, let scale)):
            return .number(JSONNumber(text: decimal(unscaled, scale)))
        case (.integer(let number), .bigint), (.integer(let number), .integer),
            (.integer(let number), .smallint), (.integer(let number), .tinyint):
            return .int(number)
        case (.double(let bits), .double): return .double(Double(bitPattern: bits))
        case (.bytes(let bytes), .varchar), (.bytes(let bytes), .char):
            return .string(String(decoding: bytes, as: UTF8.self))
        case (.list(let values), .array(let element)):
            var elements: [JSONValue] = []
            for value in values { elements.append(try json(value, element)) }
            return .array(elements)
        case (.row(let values), .row(let fields)) where values.count == fields.count:
            // A list as people write it behind IN.
            var elements: [JSONValue] = []
            for (value, field) in zip(values, fields) {
                elements.append(try json(value, field.type))
            }
            return .array(elements)
        default:
            throw QueryFault(
                .invalidArguments, "An option takes a text, a number, a flag or an array of them",
                hint: "write dates and times as text, such as '2026-01-31'")
        }
    }

    /// `-12.50` for an unscaled -1250.
    private static func decimal(_ unscaled: Int128, _ scale: Int) -> String {
        let digits = String(unscaled.magnitude)
        let sign = unscaled < 0 ? "-" : ""
        guard scale > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        return sign + padded.dropLast(scale) + "." + padded.suffix(scale)
    }
}
