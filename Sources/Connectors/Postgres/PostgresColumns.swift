import CivilTime
import SQLExecution
import SQLFunctions
import SQLPlanning
import TextTables
import Vectors

/// What columns of a PostgreSQL server are here, and how their texts are read. Source: Trino
/// documentation, "PostgreSQL connector, Type mapping".
struct PostgresColumns {
    /// What becomes of types that have no counterpart.
    enum Unsupported { case ignore, asText }

    var unsupported = Unsupported.ignore
    /// The scale of numeric without digits; nil: such columns have no counterpart.
    var defaultScale: Int?

    /// A column as `pg_attribute` and `pg_type` describe it; nil: it is left out.
    func column(
        name: String, type: String, kind: String, modifier: Int, isNullable: Bool,
        hasPlainOrder: Bool, comment: String?
    ) -> RemoteColumn? {
        var isExact = true
        let logical: LogicalType
        switch type {
        case "bool": logical = .boolean
        case "int2": logical = .smallint
        case "int4": logical = .integer
        case "int8": logical = .bigint
        case "float4": logical = .real
        case "float8": logical = .double
        case "numeric":
            let (precision, scale) = ((modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0x7FF)
            if modifier >= 4, 1...38 ~= precision, 0...precision ~= scale {
                logical = .decimal(precision: precision, scale: scale)
            } else if let defaultScale {
                logical = .decimal(precision: 38, scale: defaultScale)
                isExact = false
            } else {
                return text(name, isNullable, comment)
            }
        case "varchar":
            logical = modifier > 4 ? .varchar(length: modifier - 4) : .text
            isExact = hasPlainOrder
        case "text", "name":
            logical = .text
            isExact = hasPlainOrder && type == "text"
        case "bpchar":
            // Its blanks at the end mean nothing there and something here.
            logical = modifier > 4 ? .varchar(length: modifier - 4) : .text
            isExact = false
        case "bytea":
            logical = .varbinary
            isExact = false
        case "date": logical = .date
        case "time":
            logical = .time(precision: modifier >= 0 ? modifier : 6)
            isExact = false
        case "timestamp": logical = .timestamp(precision: modifier >= 0 ? modifier : 6)
        case "timestamptz":
            logical = .timestampWithTimeZone(precision: modifier >= 0 ? modifier : 6)
        case "uuid":
            logical = .uuid
            isExact = false
        case "json", "jsonb":
            logical = .json
            isExact = false
        default:
            guard kind == "e" || type == "money" else { return text(name, isNullable, comment) }
            logical = .text
            isExact = false
        }
        return RemoteColumn(
            remoteName: name,
            column: TableColumn(
                name: name.lowercased(), type: logical, isNullable: isNullable, comment: comment),
            isExact: isExact)
    }

    private func text(_ name: String, _ isNullable: Bool, _ comment: String?) -> RemoteColumn? {
        guard unsupported == .asText else { return nil }
        return RemoteColumn(
            remoteName: name,
            column: TableColumn(
                name: name.lowercased(), type: .text, isNullable: isNullable, comment: comment),
            isExact: false)
    }

    /// Puts one value, as the server writes it, into a column.
    static func store(
        _ bytes: UnsafeBufferPointer<UInt8>, _ column: Int, into rows: RemoteRows
    ) throws {
        let buffer = rows.buffers[column]
        let row = rows.row
        switch buffer.type {
        case .boolean: buffer.set(row, bytes.first == UInt8(ascii: "t"))
        case .timestampWithTimeZone:
            // The session's zone is UTC: `2024-02-29 12:00:00.5+00`.
            guard bytes.count > 3, bytes[bytes.count - 3] == UInt8(ascii: "+"),
                let parsed = CivilParse.timestamp(
                    UnsafeBufferPointer(rebasing: bytes.dropLast(3)))
            else { throw rows.fault(column, String(decoding: bytes, as: UTF8.self)) }
            buffer.set(row, Int128(parsed.microseconds) << 64)
        case .time:
            guard let parsed = CivilParse.time(bytes) else {
                throw rows.fault(column, String(decoding: bytes, as: UTF8.self))
            }
            buffer.set(row, parsed.microsecondOfDay * 1_000_000 + Int64(parsed.picoseconds))
        case .uuid: buffer.set(row, try uuid(bytes, column, rows))
        case .varbinary: try binary(bytes, column, buffer, rows)
        default:
            guard try TextValue.store(bytes, into: buffer, row: row, heap: rows.heap) else {
                throw rows.fault(column, String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        case 0x41...0x46: byte - 0x41 + 10
        default: nil
        }
    }

    private static func uuid(
        _ bytes: UnsafeBufferPointer<UInt8>, _ column: Int, _ rows: RemoteRows
    ) throws -> Int128 {
        var value: UInt128 = 0
        var digits = 0
        for byte in bytes where byte != UInt8(ascii: "-") {
            guard let digit = digit(byte), digits < 32 else { break }
            value = value << 4 | UInt128(digit)
            digits += 1
        }
        guard digits == 32 else {
            throw rows.fault(column, String(decoding: bytes, as: UTF8.self))
        }
        // The top bit is flipped, so that signed order is the order of bytes.
        return Int128(bitPattern: value ^ 1 << 127)
    }

    /// `\x00ff`.
    private static func binary(
        _ bytes: UnsafeBufferPointer<UInt8>, _ column: Int, _ buffer: ColumnBuffer,
        _ rows: RemoteRows
    ) throws {
        let count = max(0, bytes.count - 2) / 2
        let target = try rows.heap.allocate(count).assumingMemoryBound(to: UInt8.self)
        for index in 0..<count {
            guard let high = digit(bytes[2 + index * 2]), let low = digit(bytes[3 + index * 2])
            else { throw rows.fault(column, "bytes that are not in hexadecimal digits") }
            target[index] = high << 4 | low
        }
        buffer.set(rows.row, StringView(target, count: count))
    }
}
