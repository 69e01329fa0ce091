/// A SQL type, as Trino names it. Source: Trino documentation, "Data types".
package indirect enum LogicalType: Sendable, Hashable {
    /// The type of a bare NULL.
    case unknown
    case boolean, tinyint, smallint, integer, bigint, real, double
    /// `precision` 1 to 38, `scale` 0 to `precision`.
    case decimal(precision: Int, scale: Int)
    /// `length` in code points; nil: unbounded.
    case varchar(length: Int?)
    case char(length: Int)
    case varbinary, json, date
    /// `precision`: digits of the second's fraction, 0 to 12.
    case time(precision: Int)
    case timeWithTimeZone(precision: Int)
    case timestamp(precision: Int)
    case timestampWithTimeZone(precision: Int)
    case intervalYearToMonth, intervalDayToSecond
    case uuid, ipaddress
    case array(LogicalType)
    case map(key: LogicalType, value: LogicalType)
    case row([RowField])
    /// Digests and shapes.
    case opaque(OpaqueType)

    /// Unbounded varchar.
    package static var text: LogicalType { .varchar(length: nil) }
}

/// A field of a row type; `name` is nil for an anonymous one.
package struct RowField: Sendable, Hashable {
    package var name: String?
    package var type: LogicalType

    package init(name: String?, type: LogicalType) {
        self.name = name
        self.type = type
    }
}

/// How values lie in memory.
@usableFromInline
package enum PhysicalType: UInt8, BitwiseCopyable, Sendable {
    case bool, int32, int64, int128, double, string, list, row

    /// Bytes a value takes in `Vector.values`; 0 for rows, which have only children.
    @inlinable package var width: Int {
        switch self {
        case .bool: 1
        case .int32: 4
        case .int64, .double, .list: 8
        case .int128, .string: 16
        case .row: 0
        }
    }
}

extension LogicalType {
    /// The layout of the type's values; see the module's story.
    package var physical: PhysicalType {
        switch self {
        case .unknown, .boolean: .bool
        case .tinyint, .smallint, .integer, .date, .intervalYearToMonth: .int32
        case .bigint, .time, .intervalDayToSecond: .int64
        case .decimal(let precision, _): precision <= 18 ? .int64 : .int128
        case .timestamp(let precision): precision <= 6 ? .int64 : .int128
        case .timestampWithTimeZone, .timeWithTimeZone, .uuid: .int128
        case .real, .double: .double
        case .varchar, .char, .varbinary, .json, .ipaddress, .opaque: .string
        case .array, .map: .list
        case .row: .row
        }
    }

    /// Element types of arrays, key and value of maps, fields of rows; empty for the others.
    package var children: [LogicalType] {
        switch self {
        case .array(let element): [element]
        case .map(let key, let value): [key, value]
        case .row(let fields): fields.map(\.type)
        default: []
        }
    }
}

extension LogicalType: CustomStringConvertible {
    /// The type as `typeof`, DESCRIBE and information_schema print it: `decimal(12,2)`.
    package var description: String {
        switch self {
        case .unknown: "unknown"
        case .boolean: "boolean"
        case .tinyint: "tinyint"
        case .smallint: "smallint"
        case .integer: "integer"
        case .bigint: "bigint"
        case .real: "real"
        case .double: "double"
        case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
        case .varchar(nil): "varchar"
        case .varchar(let length?): "varchar(\(length))"
        case .char(let length): "char(\(length))"
        case .varbinary: "varbinary"
        case .json: "json"
        case .date: "date"
        case .time(let precision): "time(\(precision))"
        case .timeWithTimeZone(let precision): "time(\(precision)) with time zone"
        case .timestamp(let precision): "timestamp(\(precision))"
        case .timestampWithTimeZone(let precision): "timestamp(\(precision)) with time zone"
        case .intervalYearToMonth: "interval year to month"
        case .intervalDayToSecond: "interval day to second"
        case .uuid: "uuid"
        case .ipaddress: "ipaddress"
        case .opaque(let type): "\(type)"
        case .array(let element): "array(\(element))"
        case .map(let key, let value): "map(\(key), \(value))"
        case .row(let fields):
            "row("
                + fields.map { field in
                    field.name.map { "\(quotedIfNeeded($0)) \(field.type)" } ?? "\(field.type)"
                }.joined(separator: ", ") + ")"
        }
    }

    private func quotedIfNeeded(_ name: String) -> String {
        let plain = name.utf8.allSatisfy {
            ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F
        }
        let startsWithDigit = name.utf8.first.map { $0 >= 0x30 && $0 <= 0x39 } ?? true
        if plain && !startsWithDigit { return name }
        var quoted = "\""
        for scalar in name.unicodeScalars {
            if scalar == "\"" { quoted += "\"" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
