import CivilTime
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLite
import TextTables
import Vectors

/// How the columns of an SQLite table are read. SQLite keeps any value in any column; the declaration
/// says what was meant, and a value that is something else fails the query instead of being bent.
enum SQLiteColumns {
    /// The column of a declaration. Source: SQLite, "Datatypes in SQLite", section 3.1.
    static func column(
        name: String, declared: String, isNullable: Bool
    ) -> RemoteColumn {
        let type = type(declared)
        let text = declared.uppercased()
        // Where the affinity is ours, a stored value of another kind is one that could not be converted.
        let isExact =
            switch type {
            case .bigint: text.contains("INT")
            case .varchar: ["CHAR", "CLOB", "TEXT"].contains { text.contains($0) }
            default: false
            }
        return RemoteColumn(
            remoteName: name,
            column: TableColumn(name: name.lowercased(), type: type, isNullable: isNullable),
            isExact: isExact)
    }

    static func type(_ declared: String) -> LogicalType {
        let text = declared.uppercased()
        let open = text.firstIndex(of: "(") ?? text.endIndex
        let base = text[..<open].split(separator: " ").joined(separator: " ")
        let arguments = text[open...].dropFirst().prefix { $0 != ")" }.split(separator: ",")
            .compactMap { Int($0.filter { $0 != " " }) }
        switch base {
        case "DECIMAL", "NUMERIC", "DEC":
            let precision = arguments.first ?? 38
            let scale = arguments.count > 1 ? arguments[1] : 0
            // Without digits NUMERIC says no more than "some number".
            guard !arguments.isEmpty, 1...38 ~= precision, 0...precision ~= scale else {
                return .double
            }
            return .decimal(precision: precision, scale: scale)
        case "TIMESTAMP", "DATETIME": return .timestamp(precision: 6)
        case "DATE": return .date
        case "BOOLEAN", "BOOL": return .boolean
        case "BLOB", "BINARY", "VARBINARY", "BYTEA": return .varbinary
        default: break
        }
        if base.contains("INT") { return .bigint }
        if ["CHAR", "CLOB", "TEXT"].contains(where: { base.contains($0) }) { return .text }
        if base.isEmpty { return .text }
        if base.contains("BLOB") { return .varbinary }
        if ["REAL", "FLOA", "DOUB"].contains(where: { base.contains($0) }) { return .double }
        return .text
    }

    /// Puts one value into a column; throws for one that the column's type does not mean.
    static func store(_ source: Row, _ column: Int, into rows: RemoteRows) throws {
        let kind = source.kind(column)
        let buffer = rows.buffers[column]
        let row = rows.row
        if kind == .null { return buffer.setNull(row) }
        switch (buffer.type, kind) {
        case (.bigint, .integer): buffer.set(row, source.int64(column))
        case (.double, .real): buffer.set(row, source.double(column))
        case (.double, .integer):
            let value = source.int64(column)
            guard value.magnitude <= 1 << 53 else { throw rows.fault(column, "\(value)") }
            buffer.set(row, Double(value))
        case (.boolean, .integer):
            let value = source.int64(column)
            guard value == 0 || value == 1 else { throw rows.fault(column, "\(value)") }
            buffer.set(row, value == 1)
        case (.decimal(let precision, let scale), .integer),
            (.decimal(let precision, let scale), .real):
            guard let unscaled = decimal(source, column, kind, scale),
                TextValue.fits(unscaled, precision: precision)
            else { throw rows.fault(column, source.string(column)) }
            if precision <= 18 {
                buffer.set(row, Int64(truncatingIfNeeded: unscaled))
            } else {
                buffer.set(row, unscaled)
            }
        case (.date, .text):
            guard let day = source.withText(column, { CivilParse.date($0) }) else {
                throw rows.fault(column, source.string(column))
            }
            buffer.set(row, day)
        case (.timestamp, .text):
            buffer.set(row, try moment(source, column, rows))
        case (.timestamp, .integer):
            let (value, overflow) = source.int64(column).multipliedReportingOverflow(by: 1_000_000)
            guard !overflow else { throw rows.fault(column, source.string(column)) }
            buffer.set(row, value)
        case (.varbinary, .blob), (.varbinary, .text):
            try source.withBytes(column) { bytes in
                try put(bytes.assumingMemoryBound(to: UInt8.self), buffer, row, rows.heap)
            }
        case (.varchar, .text), (.varchar, .integer), (.varchar, .real):
            try source.withText(column) { utf8 in
                if utf8.allSatisfy({ $0 < 0x80 }) {
                    try put(utf8, buffer, row, rows.heap)
                } else {
                    // Repairs what is not UTF-8: readers of text rely on it.
                    var text = String(decoding: utf8, as: UTF8.self)
                    try text.withUTF8 { try put($0, buffer, row, rows.heap) }
                }
            }
        default: throw rows.fault(column, kind == .blob ? "a blob" : source.string(column))
        }
    }

    private static func decimal(
        _ source: Row, _ column: Int, _ kind: SQLiteKind, _ scale: Int
    ) -> Int128? {
        var factor: Int128 = 1
        for _ in 0..<scale { factor *= 10 }
        if kind == .integer {
            let (product, overflow) = Int128(source.int64(column))
                .multipliedReportingOverflow(by: factor)
            return overflow ? nil : product
        }
        // The shortest digits that mean the stored number: what was written into the column.
        var text = "\(source.double(column))"
        if let mark = text.firstIndex(of: "e") {
            guard let exponent = Int(text[text.index(after: mark)...]), -30...30 ~= exponent else {
                return nil
            }
            text = plain(String(text[..<mark]), exponent)
        }
        return text.withUTF8 { TextValue.decimal($0, scale: scale) }
    }

    /// `1.5` and 3 as `1500`.
    private static func plain(_ mantissa: String, _ exponent: Int) -> String {
        let sign = mantissa.hasPrefix("-") ? "-" : ""
        let parts = mantissa.drop { $0 == "-" }.split(separator: ".")
        let whole = parts.first.map(String.init) ?? "0"
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        var digits = whole + fraction
        var point = whole.count + exponent
        if point <= 0 {
            digits = String(repeating: "0", count: 1 - point) + digits
            point = 1
        }
        if point >= digits.count {
            return sign + digits + String(repeating: "0", count: point - digits.count)
        }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }

    private static func moment(_ source: Row, _ column: Int, _ rows: RemoteRows) throws -> Int64 {
        let text = source.string(column)
        if let day = CivilParse.date(text) { return Int64(day) * 86_400_000_000 }
        guard let parsed = CivilParse.timestamp(text) else { throw rows.fault(column, text) }
        guard let zone = parsed.zone else { return parsed.microseconds }
        guard let minutes = zone.fixedOffsetMinutes else { throw rows.fault(column, text) }
        return parsed.microseconds &- Int64(minutes) * 60_000_000
    }

    private static func put(
        _ bytes: UnsafeBufferPointer<UInt8>, _ buffer: ColumnBuffer, _ row: Int, _ heap: Arena
    ) throws {
        guard let start = bytes.baseAddress else { return buffer.set(row, StringView.empty) }
        buffer.set(row, try heap.copy(StringView(start, count: bytes.count)))
    }
}
