import CivilTime
import SQLPlanning
import Vectors

/// SQLite's SQL. Whole numbers and texts compare as ours where the column's affinity is theirs; all else
/// is read and computed here, since SQLite would bend values quietly.
struct SQLiteDialect: RemoteDialect {
    /// Whether the file keeps texts as UTF-8, whose bytes order as code points do.
    let isUTF8: Bool
    let joins = false

    func quoted(_ name: String) -> String { SQLiteCatalog.quoted(name) }

    func compares(_ type: LogicalType) -> Bool {
        switch type {
        case .bigint: true
        case .varchar: isUTF8
        case .boolean: true
        default: false
        }
    }

    func hasNaN(_ type: LogicalType) -> Bool { false }

    func literal(_ value: LiteralValue, _ type: LogicalType) -> String? {
        switch (value, type) {
        case (.null, .bigint), (.null, .varchar), (.null, .boolean): return "NULL"
        case (.boolean(let flag), .boolean): return flag ? "1" : "0"
        case (.integer(let number), .bigint):
            // The least number has no literal: its digits alone are too many.
            return number == .min ? "(-9223372036854775807 - 1)" : "\(number)"
        case (.bytes(let bytes), .varchar):
            guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
                return nil
            }
            return SQLiteCatalog.literal(text)
        default: return nil
        }
    }

    func ordered(_ sql: String, _ type: LogicalType) -> String {
        if case .varchar = type { return "\(sql) COLLATE BINARY" }
        return sql
    }

    func equated(_ sql: String, _ type: LogicalType) -> String { ordered(sql, type) }

    func calculates(_ type: LogicalType) -> Bool { false }

    func cast(_ sql: String, from: LogicalType, to: LogicalType) -> String? {
        switch (from, to) {
        case (.varchar, .varchar(nil)): sql
        case (.bigint, .bigint): sql
        default: nil
        }
    }

    func call(_ function: String, _ arguments: [(sql: String, type: LogicalType)]) -> String? {
        nil
    }

    func like(_ sql: String, pattern: String, escape: String?) -> String? { nil }

    func aggregate(
        _ function: String, _ argument: (sql: String, type: LogicalType)?, isDistinct: Bool
    ) -> String? {
        guard let argument else { return function == "count" ? "count(*)" : nil }
        switch function {
        case "count":
            let distinct = isDistinct ? "DISTINCT \(ordered(argument.sql, argument.type))" : nil
            return "count(\(distinct ?? argument.sql))"
        case "sum" where argument.type == .bigint && !isDistinct: return "sum(\(argument.sql))"
        case "min" where argument.type == .bigint || argument.type.isVarchar,
            "max" where argument.type == .bigint || argument.type.isVarchar:
            return "\(function)(\(ordered(argument.sql, argument.type)))"
        default: return nil
        }
    }

    /// A stored value of another kind ends the SELECT: `json` fails for what is no JSON.
    func guarded(_ column: RemoteColumn) -> String {
        let name = "t." + quoted(column.remoteName)
        guard column.isExact else { return name }
        let kind = column.column.type == .bigint ? "integer" : "text"
        return "CASE WHEN typeof(\(name)) IN ('\(kind)', 'null') THEN \(name) "
            + "ELSE json('\(Self.mismatch)') END"
    }

    /// What `guarded` gives to `json`.
    static let mismatch = "value of another type"

    /// Dates and timestamps are texts in ISO form, as a rule: their first ten letters order as the days
    /// do. Values of other forms pass, and so does a day around, for offsets from UTC.
    func hint(_ column: RemoteColumn, _ range: RemoteRange) -> String? {
        let slack: Int64
        let unit: Int64
        switch column.column.type {
        case .date: (slack, unit) = (0, 1)
        case .timestamp: (slack, unit) = (1, 86_400_000_000)
        default: return nil
        }
        func day(_ value: LiteralValue?, _ change: Int64) -> String? {
            guard case .integer(let number)? = value else { return nil }
            let days = (number >= 0 ? number / unit : -((-number + unit - 1) / unit)) + change
            guard -719_162...2_932_896 ~= days else { return nil }  // Years of four digits.
            return "'\(CivilFormat.date(Int32(days)))'"
        }
        let name = "t." + quoted(column.remoteName)
        var bounds: [String] = []
        if let lower = day(range.lower, -slack) {
            bounds.append("substr(\(name), 1, 10) >= \(lower)")
        }
        if let upper = day(range.upper, slack) {
            bounds.append("substr(\(name), 1, 10) <= \(upper)")
        }
        guard !bounds.isEmpty else { return nil }
        return "(\(bounds.joined(separator: " AND ")) OR typeof(\(name)) <> 'text' OR \(name) "
            + "NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*')"
    }
}

extension LogicalType {
    var isVarchar: Bool { if case .varchar = self { true } else { false } }
}
