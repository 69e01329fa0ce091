import Diagnostics
import JSON
import Regex

/// A check's rule, read from its options and found to make sense by itself.
enum CheckRule: Sendable {
    case uniqueness([String])
    case notNull([String])
    case acceptedValues(String, [JSONValue])
    case positive(String)
    case range(String, lower: JSONValue?, upper: JSONValue?)
    case rowCountRange(lower: Int64?, upper: Int64?)
    case noFutureDates(String)
    case relationships(String, table: String, field: String)
    case regex(String, pattern: String)
    case freshness(String, seconds: Int64)
    case reconcile(expression: String, sql: String, tolerance: String)
    /// A query whose rows are the bad ones.
    case customQuery(String)
    /// A condition that each row has to meet.
    case condition(String)
    /// Columns that the table has to have, with their types, in words of SQL; and perhaps no others.
    case schema([(name: String, type: String)], isExact: Bool)
    /// The newest day's rows against those of the days before it.
    case volumeAnomaly(String, days: Int64, sensitivity: Double)
}

extension CheckRule {
    /// Reads the options of a kind; faults say which option is wrong.
    init(_ kind: CheckKind, _ options: JSONObject) throws(QualityError) {
        let reader = OptionReader(kind: kind, options: options)
        try reader.allow(kind.options + CheckKind.shared)
        _ = try reader.severity()
        switch kind {
        case .uniqueness: self = .uniqueness(try reader.columns())
        case .notNull: self = .notNull(try reader.columns())
        case .acceptedValues:
            let values = try reader.values("values")
            guard !values.isEmpty else { throw reader.fault("values", "at least one value") }
            self = .acceptedValues(try reader.text("column"), values)
        case .positive: self = .positive(try reader.text("column"))
        case .range:
            let (lower, upper) = (try reader.bound("min"), try reader.bound("max"))
            guard lower != nil || upper != nil else { throw reader.fault("min", "min or max") }
            if case .number(let least)? = lower, case .number(let most)? = upper,
                let low = least.double, let high = most.double, low > high
            {
                throw reader.crossed("\(least.text)", "\(most.text)")
            }
            self = .range(try reader.text("column"), lower: lower, upper: upper)
        case .rowCountRange:
            let (lower, upper) = (try reader.whole("min"), try reader.whole("max"))
            guard lower != nil || upper != nil else { throw reader.fault("min", "min or max") }
            if let lower, let upper, lower > upper { throw reader.crossed("\(lower)", "\(upper)") }
            self = .rowCountRange(lower: lower, upper: upper)
        case .noFutureDates: self = .noFutureDates(try reader.text("column"))
        case .relationships:
            let column = try reader.text("column")
            self = .relationships(
                column, table: try reader.text("to"),
                field: try reader.optional("field") ?? column)
        case .regex:
            self = .regex(try reader.text("column"), pattern: try reader.pattern("pattern"))
        case .freshness:
            self = .freshness(try reader.text("column"), seconds: try reader.duration("within"))
        case .reconcile:
            let tolerance = try reader.bound("tolerance") ?? .int(0)
            guard case .number(let number) = tolerance else {
                throw reader.fault("tolerance", "a number")
            }
            self = .reconcile(
                expression: try reader.optional("expression") ?? "count(*)",
                sql: try reader.text("sql"), tolerance: number.text)
        case .customSQL:
            switch (try reader.optional("sql"), try reader.optional("condition")) {
            case (let sql?, nil): self = .customQuery(sql)
            case (nil, let condition?): self = .condition(condition)
            default: throw reader.fault("sql", "either sql, a query of bad rows, or condition")
            }
        case .schema:
            self = .schema(try reader.types("columns"), isExact: try reader.flag("exact"))
        case .volumeAnomaly:
            let days = try reader.whole("days") ?? 14
            let sensitivity = try reader.bound("sensitivity") ?? .int(3)
            guard (5...366).contains(days) else { throw reader.fault("days", "5 to 366") }
            guard case .number(let number) = sensitivity, let factor = number.double, factor > 0
            else { throw reader.fault("sensitivity", "a number above 0") }
            self = .volumeAnomaly(
                try reader.text("column"), days: days, sensitivity: factor)
        }
    }

    /// Whether it tells of each row whether it is bad.
    var isRowLevel: Bool {
        switch self {
        case .rowCountRange, .freshness, .reconcile, .customQuery, .schema, .volumeAnomaly: false
        default: true
        }
    }

    /// Whether it may look at other tables than its own.
    var readsOthers: Bool {
        switch self {
        case .relationships, .reconcile, .customQuery, .condition: true
        default: false
        }
    }

    /// The columns of the table that it names.
    var columns: [String] {
        switch self {
        case .uniqueness(let columns), .notNull(let columns): columns
        case .acceptedValues(let column, _), .positive(let column), .range(let column, _, _),
            .noFutureDates(let column), .relationships(let column, _, _), .regex(let column, _),
            .freshness(let column, _), .volumeAnomaly(let column, _, _):
            [column]
        default: []
        }
    }
}

/// Options with the check they belong to, for messages.
private struct OptionReader {
    let kind: CheckKind
    let options: JSONObject

    func fault(_ option: String, _ wanted: String) -> QualityError {
        QualityError(
            .invalidCheck, "\(kind.rawValue) wants \(wanted) for \(option)",
            hint: "options: \((kind.options + CheckKind.shared).joined(separator: ", "))",
            option: option)
    }

    func allow(_ names: [String]) throws(QualityError) {
        for name in options.names where !names.contains(name) {
            throw QualityError(
                .invalidCheck, "\(kind.rawValue) has no option \(name)",
                hint: nearestName(to: name, among: names).map { "did you mean \($0)?" }
                    ?? "options: \(names.joined(separator: ", "))", option: name)
        }
    }

    func severity() throws(QualityError) -> CheckSeverity {
        guard let text = try optional("severity") else { return .fail }
        guard let severity = CheckSeverity(rawValue: text.lowercased()) else {
            throw fault("severity", "warn or fail")
        }
        return severity
    }

    func optional(_ name: String) throws(QualityError) -> String? {
        switch options[name] {
        case nil, .null: return nil
        case .string(let text) where !text.isEmpty: return text
        default: throw fault(name, "a text")
        }
    }

    func text(_ name: String) throws(QualityError) -> String {
        guard let text = try optional(name) else { throw fault(name, "a text") }
        return text
    }

    func columns() throws(QualityError) -> [String] {
        if let one = options["column"], !one.isNull, let many = options["columns"], !many.isNull {
            throw QualityError(
                .invalidCheck, "column and columns of \(kind.rawValue) are the same option",
                hint: "give one of them", option: "column")
        }
        let given = options["columns"] ?? options["column"]
        switch given {
        case .string(let name): return [name]
        case .array(let elements) where !elements.isEmpty:
            var names: [String] = []
            for element in elements {
                guard case .string(let name) = element else { throw fault("columns", "names") }
                names.append(name)
            }
            return names
        default: throw fault("columns", "a column or a list of columns")
        }
    }

    func flag(_ name: String) throws(QualityError) -> Bool {
        switch options[name] {
        case nil, .null: return false
        case .bool(let flag)?: return flag
        case .string(let text)? where text.lowercased() == "true": return true
        case .string(let text)? where text.lowercased() == "false": return false
        default: throw fault(name, "true or false")
        }
    }

    /// Columns with their types: a mapping, or a list of texts such as `amount decimal(12,2)`.
    func types(_ name: String) throws(QualityError) -> [(name: String, type: String)] {
        var found: [(name: String, type: String)] = []
        switch options[name] {
        case .object(let object)?:
            for (column, value) in object.members {
                guard case .string(let type) = value else { throw fault(name, "types as texts") }
                found.append((column.lowercased(), type))
            }
        case .array(let elements)?:
            for element in elements {
                guard case .string(let text) = element, let space = text.firstIndex(of: " ")
                else { throw fault(name, "texts such as 'amount decimal(12,2)'") }
                found.append(
                    (text[..<space].lowercased(), String(text[text.index(after: space)...])))
            }
        default: break
        }
        guard !found.isEmpty else { throw fault(name, "a mapping of columns to types") }
        return found
    }

    func values(_ name: String) throws(QualityError) -> [JSONValue] {
        let elements: [JSONValue]
        switch options[name] {
        case .array(let list)?: elements = list
        // Parentheses around one value are no list in SQL.
        case .some(let one): elements = [one]
        case nil: throw fault(name, "a list")
        }
        for element in elements {
            switch element {
            case .string, .number, .bool: continue
            default: throw fault(name, "texts, numbers or flags")
            }
        }
        return elements
    }

    /// A regular expression that compiles.
    func pattern(_ name: String) throws(QualityError) -> String {
        let text = try text(name)
        do throws(RegexError) { _ = try RegexPattern(text) } catch {
            throw QualityError(
                .invalidCheck, "\(name) is no regular expression: \(error.message)",
                hint: error.hint, cause: error, option: name)
        }
        return text
    }

    /// A number or a text, such as a date.
    func bound(_ name: String) throws(QualityError) -> JSONValue? {
        switch options[name] {
        case nil, .null: return nil
        case .number, .string: return options[name]
        default: throw fault(name, "a number or a text")
        }
    }

    func whole(_ name: String) throws(QualityError) -> Int64? {
        guard let value = options[name], !value.isNull else { return nil }
        guard case .number(let number) = value, let whole = number.int64, whole >= 0 else {
            throw fault(name, "a whole number")
        }
        return whole
    }

    /// `90s`, `15m`, `26h`, `2d`, and in words: `30 minutes`, `1 day`, `2 weeks`.
    func duration(_ name: String) throws(QualityError) -> Int64 {
        let text = try text(name).lowercased()
        let digits = text.prefix { ("0"..."9").contains($0) }
        let word = text.dropFirst(digits.count).drop { $0 == " " }
        guard let unit = Self.units.first(where: { $0.words.contains(String(word)) }),
            let number = Int64(digits), number > 0, number < 1_000_000_000
        else {
            throw fault(name, "a duration such as 90s, 15m, 26h, 2d, '30 minutes' or '1 day'")
        }
        return number * unit.seconds
    }

    private static let units: [(words: [String], seconds: Int64)] = [
        (["s", "sec", "secs", "second", "seconds"], 1),
        (["m", "min", "mins", "minute", "minutes"], 60),
        (["h", "hr", "hrs", "hour", "hours"], 3600),
        (["d", "day", "days"], 86_400),
        (["w", "week", "weeks"], 604_800),
    ]

    /// Bounds that no value can lie between.
    func crossed(_ lower: String, _ upper: String) -> QualityError {
        .crossedBounds(kind, lower, upper)
    }
}

extension QualityError {
    /// Bounds of a check that no value can lie between.
    static func crossedBounds(_ kind: CheckKind, _ lower: String, _ upper: String) -> QualityError {
        QualityError(
            .invalidCheck,
            "min of \(kind.rawValue) is above its max, so that nothing can pass: \(lower) > \(upper)",
            hint: "write the smaller bound as min; both bounds are within the range",
            option: "min")
    }
}
