import Iceberg
import Parquet
import SQLFunctions
import SQLPlanning
import Vectors

/// Iceberg's types and values as SQL's and back. Source: Trino documentation, "Iceberg connector, Type
/// mapping".
enum IcebergTypes {
    /// The SQL type of a stored type; nil for types the engine cannot read.
    static func sqlType(_ type: IcebergType) -> LogicalType? {
        switch type {
        case .primitive(let primitive): return sqlType(primitive)
        case .structure(let fields):
            var parts: [RowField] = []
            for field in fields {
                guard let type = sqlType(field.type) else { return nil }
                parts.append(RowField(name: field.name.lowercased(), type: type))
            }
            return .row(parts)
        case .list(_, let element, _): return sqlType(element).map { .array($0) }
        case .map(_, let key, _, let value, _):
            guard let key = sqlType(key), let value = sqlType(value) else { return nil }
            return .map(key: key, value: value)
        }
    }

    static func sqlType(_ type: PrimitiveType) -> LogicalType? {
        switch type {
        case .boolean: .boolean
        case .int: .integer
        case .long: .bigint
        case .float: .real
        case .double: .double
        case .date: .date
        case .time: .time(precision: 6)
        case .timestamp: .timestamp(precision: 6)
        case .timestamptz: .timestampWithTimeZone(precision: 6)
        case .timestampNanos: .timestamp(precision: 9)
        case .timestamptzNanos: .timestampWithTimeZone(precision: 9)
        case .string: .text
        case .uuid: .uuid
        case .binary, .fixed: .varbinary
        case .decimal(let precision, let scale): .decimal(precision: precision, scale: scale)
        case .unknown, .variant, .geometry, .geography: nil
        }
    }

    /// The stored type of a column that SQL declares; ids are given out by `nextID`. Small integers
    /// become int, char becomes string, times and timestamps get six digits (v2).
    static func icebergType(
        _ type: LogicalType, _ nextID: inout Int32
    ) throws(QueryFault) -> IcebergType {
        switch type {
        case .boolean: return .primitive(.boolean)
        case .tinyint, .smallint, .integer: return .primitive(.int)
        case .bigint: return .primitive(.long)
        case .real: return .primitive(.float)
        case .double: return .primitive(.double)
        case .decimal(let precision, let scale):
            return .primitive(.decimal(precision: precision, scale: scale))
        case .varchar, .char: return .primitive(.string)
        case .varbinary: return .primitive(.binary)
        case .date: return .primitive(.date)
        case .time: return .primitive(.time)
        case .timestamp: return .primitive(.timestamp)
        case .timestampWithTimeZone: return .primitive(.timestamptz)
        case .uuid: return .primitive(.uuid)
        case .array(let element):
            nextID += 1
            let id = nextID
            return .list(
                elementID: id, element: try icebergType(element, &nextID), elementRequired: false)
        case .map(let key, let value):
            nextID += 2
            let (keyID, valueID) = (nextID - 1, nextID)
            return .map(
                keyID: keyID, key: try icebergType(key, &nextID), valueID: valueID,
                value: try icebergType(value, &nextID), valueRequired: false)
        case .row(let fields):
            var parts: [NestedField] = []
            for (index, field) in fields.enumerated() {
                nextID += 1
                let id = nextID
                parts.append(
                    NestedField(
                        id: id, name: field.name ?? "field\(index)", isRequired: false,
                        type: try icebergType(field.type, &nextID)))
            }
            return .structure(parts)
        case .unknown, .json, .ipaddress, .intervalYearToMonth, .intervalDayToSecond,
            .timeWithTimeZone:
            throw QueryFault(
                .notSupported, "Type not supported for Iceberg: \(type)",
                hint: "cast the column to varchar or another stored type")
        }
    }

    /// The SQL type that a declared type has once it is stored.
    static func storedType(_ type: LogicalType) throws(QueryFault) -> LogicalType {
        var next: Int32 = 0
        return sqlType(try icebergType(type, &next)) ?? type
    }

    /// What the scan should look for in data files.
    static func wantedField(_ field: NestedField, _ type: LogicalType) -> WantedField {
        WantedField(
            name: field.name, fieldID: Int(field.id), type: type,
            children: wantedChildren(field.type, type))
    }

    private static func wantedChildren(_ type: IcebergType, _ sql: LogicalType) -> [WantedField] {
        let children = sql.children
        switch type {
        case .primitive: return []
        case .structure(let fields):
            return zip(fields, children).map { wantedField($0, $1) }
        case .list(let id, let element, let required):
            let field = NestedField(id: id, name: "element", isRequired: required, type: element)
            return [wantedField(field, children[0])]
        case .map(let keyID, let key, let valueID, let value, let required):
            return [
                wantedField(
                    NestedField(id: keyID, name: "key", isRequired: true, type: key), children[0]),
                wantedField(
                    NestedField(id: valueID, name: "value", isRequired: required, type: value), children[1]
                ),
            ]
        }
    }

    /// How the writer should store a column.
    static func writerField(_ field: NestedField, _ type: LogicalType) -> WriterField {
        WriterField(
            name: field.name, fieldID: Int(field.id), type: type, isNullable: !field.isRequired,
            children: writerChildren(field.type, type))
    }

    private static func writerChildren(_ type: IcebergType, _ sql: LogicalType) -> [WriterField] {
        let children = sql.children
        switch type {
        case .primitive: return []
        case .structure(let fields): return zip(fields, children).map { writerField($0, $1) }
        case .list(let id, let element, let required):
            let field = NestedField(id: id, name: "element", isRequired: required, type: element)
            return [writerField(field, children[0])]
        case .map(let keyID, let key, let valueID, let value, let required):
            return [
                writerField(
                    NestedField(id: keyID, name: "key", isRequired: true, type: key), children[0]),
                writerField(
                    NestedField(id: valueID, name: "value", isRequired: required, type: value), children[1]
                ),
            ]
        }
    }

    // MARK: Values

    /// A stored value in the engine's physical form; nil where there is none.
    static func literal(_ value: Literal, _ type: LogicalType) -> LiteralValue? {
        switch value {
        case .boolean(let value): .boolean(value)
        case .int(let value), .date(let value):
            type.physical == .double ? .double(bits: Double(value).bitPattern) : .integer(Int64(value))
        case .long(let value): .integer(value)
        case .float(let value): .double(bits: Double(value).bitPattern)
        case .double(let value): .double(bits: value.bitPattern)
        case .time(let value): .integer(value &* 1_000_000)
        case .timestamp(let value): .integer(value)
        case .timestamptz(let value): .wide(Int128(value) << 64)
        case .timestampNanos(let value): .wide(nanos(value, zoned: false))
        case .timestamptzNanos(let value): .wide(nanos(value, zoned: true))
        case .string(let value): .bytes(Array(value.utf8))
        case .uuid(let bytes): bytes.count == 16 ? .wide(orderedUUID(bytes)) : nil
        case .fixed(let bytes), .binary(let bytes): .bytes(bytes)
        case .decimal(let unscaled, _):
            type.physical == .int64
                ? Int64(exactly: unscaled).map { .integer($0) } : .wide(unscaled)
        }
    }

    private static func nanos(_ value: Int64, zoned: Bool) -> Int128 {
        let micros = value >= 0 ? value / 1000 : -((-value + 999) / 1000)
        let picos = Int128((value - micros * 1000) * 1000)
        return Int128(micros) << 64 | (zoned ? picos << 16 : picos)
    }

    private static func orderedUUID(_ bytes: [UInt8]) -> Int128 {
        var value: UInt128 = 0
        for byte in bytes { value = value << 8 | UInt128(byte) }
        return Int128(bitPattern: value ^ (1 << 127))
    }

    /// An engine's value as a stored literal of the column's type; nil where it has none.
    static func icebergLiteral(_ value: LiteralValue, _ type: PrimitiveType) -> Literal? {
        switch (value, type) {
        case (.boolean(let value), .boolean): return .boolean(value)
        case (.integer(let value), .int): return Int32(exactly: value).map { .int($0) }
        case (.integer(let value), .long): return .long(value)
        case (.integer(let value), .date): return Int32(exactly: value).map { .date($0) }
        case (.integer(let value), .timestamp): return .timestamp(value)
        case (.integer(let value), .time): return .time(value / 1_000_000)
        case (.integer(let value), .decimal(_, let scale)):
            return .decimal(unscaled: Int128(value), scale: scale)
        case (.wide(let value), .decimal(_, let scale)): return .decimal(unscaled: value, scale: scale)
        case (.wide(let value), .timestamptz):
            // Only whole microseconds compare exactly.
            return (value >> 16) & 0xFFFF_FFFF == 0 ? .timestamptz(Int64(truncatingIfNeeded: value >> 64)) : nil
        case (.wide(let value), .uuid):
            let plain = UInt128(bitPattern: value) ^ (1 << 127)
            return .uuid(withUnsafeBytes(of: plain.bigEndian) { Array($0) })
        case (.double(let bits), .double): return .double(Double(bitPattern: bits))
        case (.double(let bits), .float): return .float(Float(Double(bitPattern: bits)))
        case (.bytes(let bytes), .string):
            return String(validating: bytes, as: UTF8.self).map { .string($0) }
        case (.bytes(let bytes), .binary): return .binary(bytes)
        default: return nil
        }
    }
}
