package import Iceberg
import JSON
package import Parquet
package import Vectors

/// Iceberg's types and values as the engine's and back. Source: Trino documentation, "Iceberg connector,
/// Type mapping".
package enum IcebergTypes {
    /// The SQL type of a stored type; nil for types the engine cannot read.
    package static func sqlType(_ type: IcebergType) -> LogicalType? {
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

    /// The SQL type of a primitive; nil for types the engine cannot read.
    package static func sqlType(_ type: PrimitiveType) -> LogicalType? {
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

    /// The stored type of a column that SQL declares; ids of parts are given out by counting `nextID`
    /// up. Small integers become int, char becomes string, times get six digits, timestamps as well, but
    /// for those of more digits in tables of version 3, which get nine.
    package static func icebergType(
        _ type: LogicalType, _ nextID: inout Int32, formatVersion: Int = 2
    ) throws(TableFileError) -> IcebergType {
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
        case .timestamp(let precision):
            return .primitive(precision > 6 && formatVersion > 2 ? .timestampNanos : .timestamp)
        case .timestampWithTimeZone(let precision):
            return .primitive(precision > 6 && formatVersion > 2 ? .timestamptzNanos : .timestamptz)
        case .uuid: return .primitive(.uuid)
        case .array(let element):
            nextID += 1
            let id = nextID
            return .list(
                elementID: id,
                element: try icebergType(element, &nextID, formatVersion: formatVersion),
                elementRequired: false)
        case .map(let key, let value):
            nextID += 2
            let (keyID, valueID) = (nextID - 1, nextID)
            return .map(
                keyID: keyID, key: try icebergType(key, &nextID, formatVersion: formatVersion),
                valueID: valueID,
                value: try icebergType(value, &nextID, formatVersion: formatVersion),
                valueRequired: false)
        case .row(let fields):
            var parts: [NestedField] = []
            for (index, field) in fields.enumerated() {
                nextID += 1
                let id = nextID
                parts.append(
                    NestedField(
                        id: id, name: field.name ?? "field\(index)", isRequired: false,
                        type: try icebergType(field.type, &nextID, formatVersion: formatVersion)))
            }
            return .structure(parts)
        case .unknown, .json, .ipaddress, .intervalYearToMonth, .intervalDayToSecond,
            .timeWithTimeZone, .opaque:
            throw TableFileError(
                code: .unsupported, message: "Type not supported for Iceberg: \(type)",
                hint: "cast the column to varchar or another stored type")
        }
    }

    /// The SQL type that a declared type has once it is stored.
    package static func storedType(_ type: LogicalType) throws(TableFileError) -> LogicalType {
        var next: Int32 = 0
        return sqlType(try icebergType(type, &next)) ?? type
    }

    /// What a scan should look for in data files; `mapping` says what those without ids call fields.
    package static func wantedField(
        _ field: NestedField, _ type: LogicalType, mapping: NameMapping? = nil
    ) -> WantedField {
        let parts = parts(field.type)
        let isStructure = if case .structure = field.type { true } else { false }
        var wanted = WantedField(
            name: field.name, fieldID: Int(field.id), type: type,
            children: parts.indices.map { index in
                var part = wantedField(parts[index], type.children[index], mapping: mapping)
                // Elements, keys and values are found by where they stand.
                if !isStructure { part.storedNames = nil }
                return part
            }, missingValue: missingValue(field, type))
        wanted.storedNames = mapping.map { $0.names[field.id] ?? [] }
        return wanted
    }

    /// What rows have in files that were written before the column was added: its initial default.
    private static func missingValue(_ field: NestedField, _ type: LogicalType) -> ParquetValue? {
        guard let json = field.initialDefault, !json.isNull, let primitive = field.type.primitive
        else { return nil }
        return Literal(json: json, type: primitive).flatMap { value($0, as: type) }
    }

    /// How a writer should store a column.
    package static func writerField(_ field: NestedField, _ type: LogicalType) -> WriterField {
        WriterField(
            name: field.name, fieldID: Int(field.id), type: type, isNullable: !field.isRequired,
            children: parts(field.type).indices.map {
                writerField(parts(field.type)[$0], type.children[$0])
            })
    }

    /// Fields of a struct, element of a list, key and value of a map.
    private static func parts(_ type: IcebergType) -> [NestedField] {
        switch type {
        case .primitive: []
        case .structure(let fields): fields
        case .list(let id, let element, let required):
            [NestedField(id: id, name: "element", isRequired: required, type: element)]
        case .map(let keyID, let key, let valueID, let value, let required):
            [
                NestedField(id: keyID, name: "key", isRequired: true, type: key),
                NestedField(id: valueID, name: "value", isRequired: required, type: value),
            ]
        }
    }

    // MARK: Values

    /// A stored value in the physical form of a SQL type; nil where it has none.
    package static func value(_ literal: Literal, as type: LogicalType) -> ParquetValue? {
        switch literal {
        case .boolean(let value): return .boolean(value)
        case .int(let value), .date(let value):
            switch type.physical {
            case .int64: return .int64(Int64(value))
            case .double: return .double(Double(value))
            default: return .int32(value)
            }
        case .long(let value): return .int64(value)
        case .float(let value): return .double(Double(value))
        case .double(let value): return .double(value)
        case .time(let value): return .int64(value &* 1_000_000)
        case .timestamp(let value):
            return type.physical == .int128 ? .int128(Int128(value) << 64) : .int64(value)
        case .timestamptz(let value): return .int128(Int128(value) << 64)
        case .timestampNanos(let value): return .int128(packedNanos(value, picosShift: 0))
        case .timestamptzNanos(let value): return .int128(packedNanos(value, picosShift: 16))
        case .string(let value): return .bytes(Array(value.utf8))
        case .uuid(let bytes):
            guard bytes.count == 16 else { return nil }
            var word: UInt128 = 0
            for byte in bytes { word = word << 8 | UInt128(byte) }
            return .int128(Int128(bitPattern: word ^ (1 << 127)))
        case .fixed(let bytes), .binary(let bytes): return .bytes(bytes)
        case .decimal(let unscaled, _):
            return type.physical == .int64
                ? Int64(exactly: unscaled).map { .int64($0) } : .int128(unscaled)
        }
    }

    /// Nanoseconds in the packed layout of long timestamps; `picosShift` is where picoseconds begin.
    private static func packedNanos(_ value: Int64, picosShift: Int128) -> Int128 {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: 1000)
        let micros = rest < 0 ? quotient - 1 : quotient
        let picos = Int128(rest < 0 ? rest + 1000 : rest) * 1000
        return Int128(micros) << 64 | picos << picosShift
    }

    /// A value in the engine's form as a literal of the column's stored type; nil where it has none.
    package static func literal(_ value: ParquetValue, _ type: PrimitiveType) -> Literal? {
        switch (value, type) {
        case (.boolean(let value), .boolean): return .boolean(value)
        case (.int32(let value), .int): return .int(value)
        case (.int32(let value), .date): return .date(value)
        case (.int32(let value), .long): return .long(Int64(value))
        case (.int64(let value), .int): return Int32(exactly: value).map { .int($0) }
        case (.int64(let value), .long): return .long(value)
        case (.int64(let value), .date): return Int32(exactly: value).map { .date($0) }
        case (.int64(let value), .timestamp): return .timestamp(value)
        case (.int64(let value), .time): return .time(value / 1_000_000)
        case (.int64(let value), .decimal(_, let scale)):
            return .decimal(unscaled: Int128(value), scale: scale)
        case (.int128(let value), .decimal(_, let scale)):
            return .decimal(unscaled: value, scale: scale)
        case (.int128(let value), .timestamptz):
            return .timestamptz(Int64(truncatingIfNeeded: value >> 64))
        case (.int128(let value), .timestamp):
            return .timestamp(Int64(truncatingIfNeeded: value >> 64))
        case (.int128(let value), .timestampNanos):
            return nanos(value, Int64(truncatingIfNeeded: value & 0xFF_FFFF)).map {
                .timestampNanos($0)
            }
        case (.int128(let value), .timestamptzNanos):
            return nanos(value, Int64(truncatingIfNeeded: (value >> 16) & 0xFF_FFFF))
                .map { .timestamptzNanos($0) }
        case (.int128(let value), .uuid):
            let plain = UInt128(bitPattern: value) ^ (1 << 127)
            return .uuid(withUnsafeBytes(of: plain.bigEndian) { Array($0) })
        case (.double(let value), .double): return .double(value)
        case (.double(let value), .float): return .float(Float(value))
        case (.bytes(let bytes), .string):
            return String(validating: bytes, as: UTF8.self).map { .string($0) }
        case (.bytes(let bytes), .binary): return .binary(bytes)
        case (.bytes(let bytes), .fixed): return .fixed(bytes)
        default: return nil
        }
    }

    /// Microseconds of the high word and picoseconds as nanoseconds; nil when they leave 64 bits.
    private static func nanos(_ packed: Int128, _ picos: Int64) -> Int64? {
        let micros = Int64(truncatingIfNeeded: packed >> 64)
        let (scaled, overflow) = micros.multipliedReportingOverflow(by: 1000)
        let (sum, again) = scaled.addingReportingOverflow(picos / 1000)
        return overflow || again ? nil : sum
    }

    /// One row of a vector as a literal of the column's stored type; nil for NULL.
    package static func literal(_ vector: Vector, _ row: Int, _ type: PrimitiveType) -> Literal? {
        value(vector, row).flatMap { literal($0, type) }
    }

    /// One row of a flat type's vector in the engine's form; nil for NULL and for nested values.
    package static func value(_ vector: Vector, _ row: Int) -> ParquetValue? {
        guard vector.isValid(row) else { return nil }
        switch vector.physical {
        case .bool: return .boolean(vector.value(row, as: UInt8.self) != 0)
        case .int32: return .int32(vector.value(row, as: Int32.self))
        case .int64: return .int64(vector.value(row, as: Int64.self))
        case .int128: return .int128(vector.value(row, as: Int128.self))
        case .double: return .double(vector.value(row, as: Double.self))
        case .string: return .bytes(vector.string(row).withBytes { Array($0) })
        case .list, .row: return nil
        }
    }
}
