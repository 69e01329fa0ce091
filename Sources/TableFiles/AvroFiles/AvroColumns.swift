import Avro
import JSON
import Parquet
import Vectors

/// Finds the columns of an Avro file in its schema. Source: Iceberg specification, "Appendix A:
/// Format-specific Requirements, Avro".
struct AvroColumns {
    let names: AvroNames
    /// Where the columns keep their texts.
    let texts: Arena

    /// The columns of the file's record. Throws `.unsupported` for what tables cannot hold.
    func columns(_ schema: AvroSchema) throws(TableFileError) -> [AvroColumn] {
        guard case .record(_, let fields) = try resolved(schema).kind else {
            throw TableFileError(code: .corrupted, message: "the file does not hold records")
        }
        return try columns(fields, depth: 0)
    }

    private func columns(
        _ fields: [AvroField], depth: Int
    ) throws(TableFileError) -> [AvroColumn] {
        var columns: [AvroColumn] = []
        // A field that is always NULL takes no byte, and is as good as absent.
        for field in fields where field.schema.kind != .null {
            var name = field.name
            if case .string(let original) = field.properties["iceberg-field-name"] {
                name = original
            }
            columns.append(
                try column(name, field.fieldID.map { Int($0) }, field.schema, depth: depth + 1))
        }
        return columns
    }

    private func column(
        _ name: String, _ id: Int?, _ schema: AvroSchema, depth: Int
    ) throws(TableFileError) -> AvroColumn {
        guard depth < Limits.avroDepth else {
            throw Self.unsupported(name, "nests deeper than \(Limits.avroDepth)")
        }
        let outer = try resolved(schema)
        var inner = outer
        var nullBranch: Int?
        if case .union(let branches) = outer.kind {
            guard branches.count == 2, let null = branches.firstIndex(where: { $0.kind == .null })
            else { throw Self.unsupported(name, "is a union of several types") }
            nullBranch = null
            inner = try resolved(branches[1 - null])
        }
        let (type, reading, children) = try shape(name, inner, depth)
        let field = WriterField(
            name: name, fieldID: id, type: type, isNullable: nullBranch != nil,
            children: children.map(\.field))
        return AvroColumn(field, reading, nullBranch: nullBranch, children: children, texts: texts)
    }

    private typealias Shape = (LogicalType, AvroColumn.Reading, [AvroColumn])

    private func shape(
        _ name: String, _ schema: AvroSchema, _ depth: Int
    ) throws(TableFileError) -> Shape {
        switch schema.kind {
        case .boolean: return (.boolean, .boolean, [])
        case .float: return (.real, .float, [])
        case .double: return (.double, .double, [])
        case .string: return (.text, .text, [])
        case .enumeration(_, let symbols): return (.text, .symbols(symbols), [])
        case .int:
            switch schema.logicalType {
            case "date": return (.date, .int, [])
            case "time-millis":
                return (.time(precision: 3), .number(isInt: true, factor: 1_000_000_000), [])
            default: return (.integer, .int, [])
            }
        case .long: return (long(schema).0, long(schema).1, [])
        case .bytes:
            if let type = try decimal(name, schema) { return (type, .decimal(size: nil), []) }
            return (.varbinary, .bytes, [])
        case .fixed(_, let size):
            if let type = try decimal(name, schema) { return (type, .decimal(size: size), []) }
            if schema.logicalType == "uuid", size == 16 { return (.uuid, .uuid, []) }
            return (.varbinary, .fixed(size: size), [])
        case .array(let element): return try array(name, schema, element, depth)
        case .map(let value):
            let parts = [
                try column("key", schema.integer("key-id"), AvroSchema(.string), depth: depth + 1),
                try column("value", schema.integer("value-id"), value, depth: depth + 1),
            ]
            return (.map(key: parts[0].field.type, value: parts[1].field.type), .list, parts)
        case .record(_, let fields):
            let parts = try columns(fields, depth: depth + 1)
            guard !parts.isEmpty else { throw Self.unsupported(name, "has no fields") }
            let row = parts.map { RowField(name: $0.field.name.lowercased(), type: $0.field.type) }
            return (.row(row), .row, parts)
        case .null, .union, .reference: throw Self.unsupported(name, "has no type of its own")
        }
    }

    private func long(_ schema: AvroSchema) -> (LogicalType, AvroColumn.Reading) {
        guard let logical = schema.logicalType else {
            return (.bigint, .number(isInt: false, factor: 1))
        }
        let unit: AvroTimeUnit
        switch logical {
        case "time-micros":
            return (.time(precision: 6), .number(isInt: false, factor: 1_000_000))
        case "timestamp-millis", "local-timestamp-millis": unit = .millis
        case "timestamp-micros", "local-timestamp-micros": unit = .micros
        case "timestamp-nanos", "local-timestamp-nanos": unit = .nanos
        default: return (.bigint, .number(isInt: false, factor: 1))
        }
        let precision = unit == .nanos ? 9 : 6
        if case .bool(true) = schema.properties["adjust-to-utc"] {
            return (
                .timestampWithTimeZone(precision: precision), .packed(unit, picosecondShift: 16)
            )
        }
        if unit == .nanos {
            return (.timestamp(precision: 9), .packed(unit, picosecondShift: 0))
        }
        return (
            .timestamp(precision: 6), .number(isInt: false, factor: unit == .millis ? 1000 : 1)
        )
    }

    private func decimal(
        _ name: String, _ schema: AvroSchema
    ) throws(TableFileError) -> LogicalType? {
        guard schema.logicalType == "decimal" else { return nil }
        let scale = schema.integer("scale") ?? 0
        guard let precision = schema.integer("precision"), 1...38 ~= precision,
            0...precision ~= scale
        else { throw Self.unsupported(name, "is a decimal of more than 38 digits") }
        return .decimal(precision: precision, scale: scale)
    }

    private func array(
        _ name: String, _ schema: AvroSchema, _ element: AvroSchema, _ depth: Int
    ) throws(TableFileError) -> Shape {
        // Maps whose keys are no texts are arrays of records.
        if schema.logicalType == "map",
            case .record(_, let fields) = try resolved(element).kind, fields.count == 2,
            fields[0].name == "key", fields[1].name == "value"
        {
            let parts = try columns(fields, depth: depth + 1)
            if parts.count == 2 {
                return (.map(key: parts[0].field.type, value: parts[1].field.type), .list, parts)
            }
        }
        let part = try column("element", schema.integer("element-id"), element, depth: depth + 1)
        return (.array(part.field.type), .list, [part])
    }

    private func resolved(_ schema: AvroSchema) throws(TableFileError) -> AvroSchema {
        guard case .reference(let name) = schema.kind else { return schema }
        do throws(AvroError) { return try names.schema(name) } catch {
            throw TableFileError(code: .corrupted, message: error.message, cause: error)
        }
    }

    private static func unsupported(_ name: String, _ what: String) -> TableFileError {
        TableFileError(
            code: .unsupported, message: "column \(name) of the Avro file \(what)",
            hint: "rewrite the table as Parquet with the engine that wrote it")
    }
}
