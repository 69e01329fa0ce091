import JSON
import Vectors

/// How types appear in `columns`: display text and signature, by what the client understands.
struct ClientTypes: Sendable {
    /// Whether the client knows precisions of times and timestamps (PARAMETRIC_DATETIME).
    let isParametric: Bool

    /// The display text; decimals and maps have a space behind the comma here.
    func text(_ type: LogicalType) -> String {
        switch type {
        case .decimal(let precision, let scale): return "decimal(\(precision), \(scale))"
        case .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone:
            return isParametric ? "\(type)" : rawType(type)
        case .array(let element): return "array(\(text(element)))"
        case .map(let key, let value): return "map(\(text(key)), \(text(value)))"
        case .row(let fields):
            let parts = fields.map { field in
                // The name as the engine would print it, then the client's form of the type.
                let printed = "\(LogicalType.row([RowField(name: field.name, type: .unknown)]))"
                let name =
                    field.name == nil ? "" : printed.dropFirst(4).dropLast(" unknown)".count) + " "
                return name + text(field.type)
            }
            return "row(\(parts.joined(separator: ", ")))"
        default: return "\(type)"
        }
    }

    func rawType(_ type: LogicalType) -> String {
        switch type {
        case .decimal: "decimal"
        case .varchar: "varchar"
        case .char: "char"
        case .time: "time"
        case .timeWithTimeZone: "time with time zone"
        case .timestamp: "timestamp"
        case .timestampWithTimeZone: "timestamp with time zone"
        case .array: "array"
        case .map: "map"
        case .row: "row"
        case .opaque(.qdigest): "qdigest"
        default: "\(type)"
        }
    }

    /// Writes `{"rawType": …, "arguments": […]}`.
    func writeSignature(_ type: LogicalType, into json: inout JSONWriter) {
        json.beginObject()
        json.member("rawType", rawType(type))
        json.member("arguments")
        json.beginArray()
        switch type {
        case .decimal(let precision, let scale):
            writeLong(precision, into: &json)
            writeLong(scale, into: &json)
        case .varchar(let length): writeLong(length ?? 2_147_483_647, into: &json)
        case .char(let length): writeLong(length, into: &json)
        case .time(let precision), .timeWithTimeZone(let precision), .timestamp(let precision),
            .timestampWithTimeZone(let precision):
            if isParametric { writeLong(precision, into: &json) }
        case .array, .map:
            for child in type.children { writeType(child, into: &json) }
        case .opaque(.qdigest(let value)): writeType(value, into: &json)
        case .row(let fields):
            for field in fields {
                json.beginObject()
                json.member("kind", "NAMED_TYPE")
                json.member("value")
                json.beginObject()
                if let name = field.name {
                    json.member("fieldName")
                    json.beginObject()
                    json.member("name", name)
                    json.endObject()
                }
                json.member("typeSignature")
                writeSignature(field.type, into: &json)
                json.endObject()
                json.endObject()
            }
        default: break
        }
        json.endArray()
        json.endObject()
    }

    private func writeType(_ type: LogicalType, into json: inout JSONWriter) {
        json.beginObject()
        json.member("kind", "TYPE")
        json.member("value")
        writeSignature(type, into: &json)
        json.endObject()
    }

    private func writeLong(_ value: Int, into json: inout JSONWriter) {
        json.beginObject()
        json.member("kind", "LONG")
        json.member("value", Int64(value))
        json.endObject()
    }
}
