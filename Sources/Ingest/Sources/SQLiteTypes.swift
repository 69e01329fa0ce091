import CivilTime
import SQLite
import TextTables
import Vectors

/// The SQL type that a column's declaration means. SQLite itself keeps any value anywhere; the
/// declaration says what was meant.
enum SQLiteTypes {
    static func type(declared: String) -> LogicalType {
        let text = declared.uppercased()
        let open = text.firstIndex(of: "(") ?? text.endIndex
        let base = text[..<open].split(separator: " ").joined(separator: " ")
        let arguments = text[open...].dropFirst().prefix { $0 != ")" }.split(separator: ",")
            .compactMap {
                Int($0.filter { $0 != " " })
            }
        switch base {
        case "DECIMAL", "NUMERIC", "DEC", "MONEY":
            let precision = arguments.first ?? (base == "MONEY" ? 19 : 38)
            let scale = arguments.count > 1 ? arguments[1] : arguments.isEmpty ? 4 : 0
            guard 1...38 ~= precision, 0...precision ~= scale else { return .double }
            return .decimal(precision: precision, scale: scale)
        case "TIMESTAMP", "DATETIME": return .timestamp(precision: 6)
        case "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE": return .timestampWithTimeZone(precision: 6)
        case "DATE": return .date
        case "BOOLEAN", "BOOL": return .boolean
        case "BLOB", "BINARY", "VARBINARY", "BYTEA": return .varbinary
        default: break
        }
        // The rest follows SQLite's own rules of affinity. Source: SQLite, "Datatypes", 3.1.
        if base.contains("INT") { return .bigint }
        if base.contains("REAL") || base.contains("FLOA") || base.contains("DOUB") {
            return .double
        }
        return .text
    }

    /// Stores one value as the column's type; false when it does not fit.
    static func store(
        _ row: Row, _ column: Int, into buffer: ColumnBuffer, at place: Int, heap: Arena
    ) throws -> Bool {
        let value = row.kind(column)
        if value == .null {
            buffer.setNull(place)
            return true
        }
        switch buffer.type {
        case .bigint, .integer, .smallint, .tinyint, .double, .real, .boolean:
            return try number(row, column, value, buffer, place, heap)
        case .decimal(let precision, let scale):
            guard let unscaled = decimal(row, column, value, scale: scale),
                unscaled.magnitude < power(precision)
            else { return false }
            if buffer.type.physical == .int64 {
                buffer.set(place, Int64(truncatingIfNeeded: unscaled))
            } else {
                buffer.set(place, unscaled)
            }
            return true
        case .timestamp, .timestampWithTimeZone, .date:
            guard let micros = moment(row, column, value) else { return false }
            switch buffer.type {
            case .date: buffer.set(place, Microseconds.day(of: micros))
            case .timestamp: buffer.set(place, micros)
            default: buffer.set(place, Int128(micros) << 64)
            }
            return true
        case .varbinary:
            try bytes(row, column, buffer, place, heap)
            return true
        case .varchar, .char, .json:
            if value == .blob { return false }
            try put(row, column, buffer, place, heap)
            return true
        default: return false
        }
    }

    private static func number(
        _ row: Row, _ column: Int, _ value: SQLiteKind, _ buffer: ColumnBuffer, _ place: Int,
        _ heap: Arena
    ) throws -> Bool {
        switch (value, buffer.type) {
        case (.integer, .bigint): buffer.set(place, row.int64(column))
        case (.integer, .integer), (.integer, .smallint), (.integer, .tinyint):
            guard let narrow = Int32(exactly: row.int64(column)) else { return false }
            buffer.set(place, narrow)
        case (.integer, .double), (.real, .double): buffer.set(place, row.double(column))
        case (.integer, .real), (.real, .real):
            buffer.set(place, Double(Float(row.double(column))))
        case (.integer, .boolean): buffer.set(place, row.int64(column) != 0)
        case (.real, .bigint):
            guard let whole = Int64(exactly: row.double(column)) else { return false }
            buffer.set(place, whole)
        case (.real, .integer):
            guard let whole = Int32(exactly: row.double(column)) else { return false }
            buffer.set(place, whole)
        case (.text, _):
            var text = row.string(column)
            return try text.withUTF8 {
                try TextValue.store($0, into: buffer, row: place, heap: heap)
            }
        default: return false
        }
        return true
    }

    /// A number at the column's scale. A real is meant as the decimal nearest to it.
    private static func decimal(
        _ row: Row, _ column: Int, _ value: SQLiteKind, scale: Int
    ) -> Int128? {
        switch value {
        case .integer:
            let (product, overflow) = Int128(row.int64(column)).multipliedReportingOverflow(
                by: Int128(power(scale)))
            return overflow ? nil : product
        case .real:
            let scaled = (row.double(column) * Double(power(scale))).rounded(
                .toNearestOrAwayFromZero)
            // Beyond 2^53 a real has no digits behind its point to be right about.
            return scaled.magnitude <= 9_007_199_254_740_992 ? Int128(scaled) : nil
        case .text:
            var text = row.string(column)
            return text.withUTF8 { TextValue.decimal($0, scale: scale) }
        case .blob, .null: return nil
        }
    }

    /// Microseconds since 1970: of a text in ISO form, or of whole seconds.
    private static func moment(_ row: Row, _ column: Int, _ value: SQLiteKind) -> Int64? {
        switch value {
        case .integer:
            let (micros, overflow) = row.int64(column).multipliedReportingOverflow(by: 1_000_000)
            return overflow ? nil : micros
        case .real:
            let micros = (row.double(column) * 1_000_000).rounded()
            return Int64(exactly: micros)
        case .text:
            let text = row.string(column)
            if let days = CivilParse.date(text) { return Microseconds.timestamp(day: days) }
            guard let parsed = CivilParse.timestamp(text) else { return nil }
            guard let zone = parsed.zone else { return parsed.microseconds }
            // Rules of named zones are not at hand here; databases write offsets.
            guard let minutes = zone.fixedOffsetMinutes else { return nil }
            return parsed.microseconds &- Int64(minutes) * Microseconds.perMinute
        case .blob, .null: return nil
        }
    }

    private static func put(
        _ row: Row, _ column: Int, _ buffer: ColumnBuffer, _ place: Int, _ heap: Arena
    ) throws {
        let isPlain = try row.withText(column) { utf8 -> Bool in
            guard utf8.allSatisfy({ $0 < 0x80 }) else { return false }
            try copy(utf8, buffer, place, heap)
            return true
        }
        if isPlain { return }
        // Repairs what is not UTF-8: readers of tables rely on it.
        var text = row.string(column)
        try text.withUTF8 { try copy($0, buffer, place, heap) }
    }

    private static func copy(
        _ bytes: UnsafeBufferPointer<UInt8>, _ buffer: ColumnBuffer, _ place: Int, _ heap: Arena
    ) throws {
        guard let start = bytes.baseAddress else { return buffer.set(place, StringView.empty) }
        buffer.set(place, try heap.copy(StringView(start, count: bytes.count)))
    }

    private static func bytes(
        _ row: Row, _ column: Int, _ buffer: ColumnBuffer, _ place: Int, _ heap: Arena
    ) throws {
        try row.withBytes(column) {
            try copy($0.assumingMemoryBound(to: UInt8.self), buffer, place, heap)
        }
    }

    private static let powers: [UInt128] = {
        var powers: [UInt128] = [1]
        for _ in 0..<38 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    private static func power(_ exponent: Int) -> UInt128 { powers[min(max(exponent, 0), 38)] }
}
