import CivilTime
import SQLPlanning
import Vectors

/// PostgreSQL's SQL, as far as its answers are surely ours. Texts are ordered by `COLLATE "C"`, which is
/// the order of code points in UTF-8; sums of floating point depend on the order of rows and stay here.
struct PostgresDialect: RemoteDialect {
    let joins = true

    func quoted(_ name: String) -> String { SQLiteCatalog.quoted(name) }

    func compares(_ type: LogicalType) -> Bool {
        switch type {
        case .boolean, .smallint, .integer, .bigint, .decimal, .date, .real, .double: true
        case .varchar: true
        case .timestamp(let precision), .timestampWithTimeZone(let precision): precision <= 6
        default: false
        }
    }

    func hasNaN(_ type: LogicalType) -> Bool { type == .real || type == .double }

    // MARK: Constants

    func literal(_ value: LiteralValue, _ type: LogicalType) -> String? {
        guard compares(type), let name = name(type) else { return nil }
        if value == .null { return "NULL::\(name)" }
        guard let text = text(value, type) else { return nil }
        return "\(SQLiteCatalog.literal(text))::\(name)"
    }

    private func name(_ type: LogicalType) -> String? {
        switch type {
        case .boolean: "boolean"
        case .smallint: "smallint"
        case .integer: "integer"
        case .bigint: "bigint"
        case .decimal: "numeric"
        case .real: "real"
        case .double: "double precision"
        case .varchar: "text"
        case .date: "date"
        case .timestamp: "timestamp"
        case .timestampWithTimeZone: "timestamptz"
        default: nil
        }
    }

    private func text(_ value: LiteralValue, _ type: LogicalType) -> String? {
        switch (value, type) {
        case (.boolean(let flag), .boolean): flag ? "true" : "false"
        case (.integer(let number), .smallint), (.integer(let number), .integer),
            (.integer(let number), .bigint):
            "\(number)"
        case (.integer(let number), .decimal(_, let scale)): decimal(Int128(number), scale)
        case (.wide(let number), .decimal(_, let scale)): decimal(number, scale)
        case (.double(let bits), .real), (.double(let bits), .double): number(bits, type)
        case (.bytes(let bytes), .varchar):
            bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
        case (.integer(let days), .date):
            Self.days ~= days ? CivilFormat.date(Int32(days)) : nil
        case (.integer(let moment), .timestamp): self.moment(moment)
        case (.wide(let packed), .timestampWithTimeZone):
            packed >> 16 & 0xFFFF_FFFF_FFFF == 0
                ? Int64(exactly: packed >> 64).flatMap(self.moment).map { $0 + "+00" } : nil
        default: nil
        }
    }

    /// From year 1 to 9999: beyond that the two sides write years differently.
    private static let days: ClosedRange<Int64> = -719_162...2_932_896

    private func moment(_ microseconds: Int64) -> String? {
        let day: Int64 = 86_400_000_000
        let range = (Self.days.lowerBound * day)...(Self.days.upperBound * day)
        return range ~= microseconds ? CivilFormat.timestamp(microseconds, precision: 6) : nil
    }

    private func decimal(_ unscaled: Int128, _ scale: Int) -> String {
        var digits = "\(unscaled.magnitude)"
        if digits.count <= scale {
            digits = String(repeating: "0", count: scale + 1 - digits.count) + digits
        }
        let sign = unscaled < 0 ? "-" : ""
        guard scale > 0 else { return sign + digits }
        return sign + digits.dropLast(scale) + "." + digits.suffix(scale)
    }

    private func number(_ bits: UInt64, _ type: LogicalType) -> String {
        let value = Double(bitPattern: bits)
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return type == .real ? "\(Float(value))" : "\(value)"
    }

    // MARK: Expressions

    func ordered(_ sql: String, _ type: LogicalType) -> String {
        type.isVarchar ? "\(sql) COLLATE \"C\"" : sql
    }

    /// Columns whose collation could call different texts equal are not exact.
    func equated(_ sql: String, _ type: LogicalType) -> String { sql }

    func calculates(_ type: LogicalType) -> Bool {
        switch type {
        case .smallint, .integer, .bigint, .decimal: true
        default: false
        }
    }

    func cast(_ sql: String, from: LogicalType, to: LogicalType) -> String? {
        switch (from, to) {
        case (.varchar, .varchar(nil)): return sql
        case (.varchar(let length?), .varchar(let wanted?)): return length <= wanted ? sql : nil
        case (.smallint, .integer), (.smallint, .bigint), (.integer, .bigint),
            (.smallint, .double), (.integer, .double), (.bigint, .double), (.date, .timestamp):
            return name(to).map { "(\(sql))::\($0)" }
        case (.smallint, .decimal(let precision, let scale)):
            return precision - scale >= 5 ? "(\(sql))::numeric" : nil
        case (.integer, .decimal(let precision, let scale)):
            return precision - scale >= 10 ? "(\(sql))::numeric" : nil
        case (.bigint, .decimal(let precision, let scale)):
            return precision - scale >= 19 ? "(\(sql))::numeric" : nil
        case (.decimal(let precision, let scale), .decimal(let wanted, let wantedScale)):
            // More digits on either side never change the number.
            return wantedScale >= scale && wanted - wantedScale >= precision - scale ? sql : nil
        case (.timestamp(let precision), .timestamp(let wanted)):
            return wanted >= precision && wanted <= 6 ? sql : nil
        default: return from == to ? sql : nil
        }
    }

    func call(_ function: String, _ arguments: [(sql: String, type: LogicalType)]) -> String? {
        guard arguments.count == 1, let argument = arguments.first else { return nil }
        let isMoment: Bool =
            switch argument.type {
            case .date, .timestamp: true
            default: false
            }
        switch function {
        case "year" where isMoment:
            // There is no year 0 there.
            let year = "extract(year from \(argument.sql))"
            return "(CASE WHEN \(year) < 0 THEN \(year) + 1 ELSE \(year) END)::bigint"
        case "month" where isMoment, "day" where isMoment, "quarter" where isMoment:
            return "extract(\(function) from \(argument.sql))::bigint"
        case "length" where argument.type.isVarchar:
            return "char_length(\(argument.sql))::bigint"
        default: return nil
        }
    }

    func like(_ sql: String, pattern: String, escape: String?) -> String? {
        guard !pattern.contains("\0"), escape.map({ $0.unicodeScalars.count == 1 }) ?? true else {
            return nil
        }
        return "(\(sql) LIKE \(SQLiteCatalog.literal(pattern)) "
            + "ESCAPE \(SQLiteCatalog.literal(escape ?? "")))"
    }

    func aggregate(
        _ function: String, _ argument: (sql: String, type: LogicalType)?, isDistinct: Bool
    ) -> String? {
        guard let argument else { return function == "count" ? "count(*)" : nil }
        let distinct = isDistinct ? "DISTINCT " : ""
        switch function {
        case "count":
            return isDistinct && hasNaN(argument.type)
                ? nil : "count(\(distinct)\(argument.sql))"
        case "sum":
            switch argument.type {
            case .smallint, .integer, .bigint: return "sum(\(distinct)\(argument.sql))::bigint"
            case .decimal: return "sum(\(distinct)\(argument.sql))"
            default: return nil
            }
        case "min", "max":
            guard !hasNaN(argument.type), argument.type != .boolean else { return nil }
            return "\(function)(\(ordered(argument.sql, argument.type)))"
        case "bool_and", "every": return "bool_and(\(argument.sql))"
        case "bool_or": return "bool_or(\(argument.sql))"
        default: return nil
        }
    }

    func guarded(_ column: RemoteColumn) -> String {
        let name = "t." + quoted(column.remoteName)
        if column.isExact { return name }
        switch column.column.type {
        // A numeric without digits of its own.
        case .decimal(_, let scale): return "round(\(name), \(scale))"
        case .varchar: return "\(name)::text"
        default: return name
        }
    }

    func hint(_ column: RemoteColumn, _ range: RemoteRange) -> String? { nil }
}
