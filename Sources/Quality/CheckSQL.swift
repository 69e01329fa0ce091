import Diagnostics
import JSON
import SQLEngine
import SQLSyntax
import TableCatalog
import Vectors

/// The SQL of a table's checks at one state of the table.
struct CheckSQL {
    /// The table with its reference, quoted, as `FROM` takes it.
    let source: String
    /// The same without the snapshot, for statements that change it.
    let target: String
    let columns: [QueryColumn]
    /// The files of all of the table's states with the sequence numbers of their rows: those of the state
    /// that is looked at are among them, whoever rewrites the table meanwhile.
    private let files: String
    /// Whether rows have ids, which grow as they come and outlive their files.
    private let hasRowIDs: Bool

    /// `snapshotID` pins the state; nil: the present one. `formatVersion` is the table's.
    init(
        at reference: CatalogReference, schema: String, table: String, snapshotID: Int64?,
        columns: [QueryColumn], formatVersion: Int = 2
    ) {
        files = Self.name(reference, schema, table + "$all_data_files")
        hasRowIDs = formatVersion >= 3
        let name = Self.name(reference, schema, table)
        target = name
        source = snapshotID.map { name + " FOR VERSION AS OF \($0)" } ?? name
        self.columns = columns
    }

    static func name(_ reference: CatalogReference, _ schema: String, _ table: String) -> String {
        [reference.description, schema, table].map { SQLFormatter.quoted(name: $0) }
            .joined(separator: ".")
    }

    /// A column of the table, quoted, behind the alias `t`.
    func column(_ name: String) throws(QualityError) -> String {
        "t." + SQLFormatter.quoted(name: try found(name).name)
    }

    private func found(_ name: String) throws(QualityError) -> QueryColumn {
        if let column = columns.first(where: { $0.name.lowercased() == name.lowercased() }) {
            return column
        }
        throw QualityError(
            .noSuchColumn, "the table has no column \(name)",
            hint: nearestName(to: name, among: columns.map(\.name)).map { "did you mean \($0)?" }
                ?? "its columns: \(columns.map(\.name).joined(separator: ", "))",
            option: "column")
    }

    // MARK: Row-level checks

    /// The condition that a bad row meets, never NULL; nil for checks that need more than a row.
    func condition(_ check: Check, join: Int) throws(QualityError) -> String? {
        guard let bad = try bad(check.rule, join) else { return nil }
        let filtered = check.filter.map { "(\($0)) AND (\(bad))" } ?? bad
        return "coalesce(\(filtered), false)"
    }

    private func bad(_ rule: CheckRule, _ join: Int) throws(QualityError) -> String? {
        switch rule {
        case .notNull(let names):
            var parts: [String] = []
            for name in names { parts.append("\(try column(name)) IS NULL") }
            return parts.joined(separator: " OR ")
        case .acceptedValues(let name, let values):
            var literals: [String] = []
            for value in values { literals.append(try literal(value, for: name)) }
            return "\(try column(name)) NOT IN (\(literals.joined(separator: ", ")))"
        case .positive(let name):
            return (["\(try column(name)) <= 0"] + (try notANumber(name))).joined(separator: " OR ")
        case .range(let name, let lower, let upper):
            // NaN is not above, below or within anything.
            var parts = try notANumber(name)
            if let lower { parts.append("\(try column(name)) < \(try literal(lower, for: name))") }
            if let upper { parts.append("\(try column(name)) > \(try literal(upper, for: name))") }
            return parts.joined(separator: " OR ")
        case .noFutureDates(let name): return "\(try column(name)) > \(try now(name))"
        case .relationships(let name, _, _):
            return "\(try column(name)) IS NOT NULL AND r\(join).k IS NULL"
        case .regex(let name, let pattern):
            return "NOT regexp_like(CAST(\(try column(name)) AS varchar), \(Self.text(pattern)))"
        case .condition(let condition): return "NOT (\(Self.ended(condition)))"
        case .uniqueness, .rowCountRange, .freshness, .reconcile, .customQuery, .schema,
            .volumeAnomaly:
            return nil
        }
    }

    /// The condition that a column's value is NaN, for types that have one.
    private func notANumber(_ name: String) throws(QualityError) -> [String] {
        switch try found(name).type {
        case .real, .double: ["is_nan(CAST(\(try column(name)) AS double))"]
        default: []
        }
    }

    /// The join that a check's condition needs.
    func join(_ check: Check, _ index: Int) throws(QualityError) -> String? {
        guard case .relationships(let name, let table, let field) = check.rule else { return nil }
        let other = try Self.quotedName(table)
        let key = SQLFormatter.quoted(name: field.lowercased())
        return "LEFT JOIN (SELECT DISTINCT \(key) AS k FROM \(other)) r\(index) "
            + "ON r\(index).k = \(try column(name))"
    }

    /// The join that `surplus` needs; nil where rows tell their age themselves.
    var ages: String? {
        hasRowIDs
            ? nil
            : "LEFT JOIN (SELECT file_path AS path, min(data_sequence_number) AS age "
                + "FROM \(files) GROUP BY 1) AS born ON born.path = t.\"$path\""
    }

    /// What a fault says when the age of a file is not known any more.
    static let goneMark = "the age of a file is gone: "

    private var age: String {
        hasRowIDs
            ? "t.\"$row_id\""
            : "coalesce(born.age, CAST(\(Self.text(Self.goneMark)) || t.\"$path\" AS bigint))"
    }

    /// A row that is not the first with its key, for those that move rows away: what was there before
    /// stays, and the later one goes; of those that came together, the first of its file stays.
    func surplus(_ check: Check) throws(QualityError) -> String? {
        guard case .uniqueness(let names) = check.rule else { return nil }
        var keys: [String] = []
        for name in names { keys.append(try column(name)) }
        let present = try present(check)
        let list = keys.joined(separator: ", ")
        return "(\(present)) AND row_number() OVER (PARTITION BY (\(present)), \(list) "
            + "ORDER BY \(age), t.\"$pos\", t.\"$path\") > 1"
    }

    /// Which rows a uniqueness check is about: keys with a NULL are not compared.
    private func present(_ check: Check) throws(QualityError) -> String {
        guard case .uniqueness(let names) = check.rule else { return "true" }
        var parts: [String] = []
        for name in names { parts.append("\(try column(name)) IS NOT NULL") }
        if let filter = check.filter { parts.append("coalesce(\(filter), false)") }
        return parts.joined(separator: " AND ")
    }

    // MARK: Whole queries

    /// Counts rows and bad rows of all row-level checks, and what freshness needs, in one scan. The
    /// columns: total, then one a check.
    func counting(_ checks: [Check]) throws(QualityError) -> String {
        var flags: [String] = []
        var joins: [String] = []
        var sums = ["count(*)"]
        for (index, check) in checks.enumerated() {
            if case .freshness(let name, let seconds) = check.rule {
                let value = try column(name)
                // What lies in the future says nothing of how fresh the rest is.
                let filter = check.filter.map { "(\($0)) AND " } ?? ""
                let rows = "CASE WHEN \(filter)\(value) <= \(try now(name)) THEN \(value) END"
                flags.append("\(rows) AS f\(index)")
                sums.append(
                    "CASE WHEN coalesce(max(f\(index)) < \(try cutoff(name, seconds)), true) "
                        + "THEN 1 ELSE 0 END")
                continue
            }
            guard let condition = try condition(check, join: index) else { continue }
            if let join = try join(check, index) { joins.append(join) }
            flags.append("\(condition) AS f\(index)")
            sums.append("count_if(f\(index))")
        }
        if flags.isEmpty { return "SELECT count(*) FROM \(source) AS t" }
        return "SELECT \(sums.joined(separator: ", ")) FROM (SELECT "
            + flags.joined(separator: ", ") + " FROM \(source) AS t "
            + joins.joined(separator: " ") + ") AS flagged"
    }

    /// Rows that are not the first with their key.
    func countingSurplus(_ check: Check) throws(QualityError) -> String {
        "SELECT coalesce(sum(n - 1), 0) FROM (\(try groups(check))) AS g"
    }

    private func groups(_ check: Check) throws(QualityError) -> String {
        guard case .uniqueness(let names) = check.rule else { return "" }
        var keys: [String] = []
        for name in names { keys.append(try column(name)) }
        let list = keys.joined(separator: ", ")
        return "SELECT \(list), count(*) AS n FROM \(source) AS t WHERE \(try present(check)) "
            + "GROUP BY \(list) HAVING count(*) > 1"
    }

    /// Whether two figures agree, and both as text.
    func reconciling(
        _ expression: String, _ sql: String, _ tolerance: String
    ) -> String {
        "SELECT CASE WHEN coalesce(abs(ours - theirs) <= \(tolerance), "
            + "ours IS NULL AND theirs IS NULL) THEN 0 ELSE 1 END, CAST(ours AS varchar), "
            + "CAST(theirs AS varchar) FROM (SELECT (SELECT \(expression) FROM \(source) AS t) AS ours, "
            + "(\(filled(sql))) AS theirs) AS figures"
    }

    /// The newest day and its rows; the mean and deviation of the days before it that have rows, and
    /// how many those are.
    func volumes(_ name: String, days: Int64, filter: String?) throws(QualityError) -> String {
        let value = try column(name)
        let condition = filter.map { " AND (\($0))" } ?? ""
        return "WITH per_day AS (SELECT CAST(\(value) AS date) AS d, count(*) AS n "
            + "FROM \(source) AS t WHERE \(value) IS NOT NULL\(condition) GROUP BY 1), "
            + "newest AS (SELECT d AS last_day, n AS last_count FROM per_day ORDER BY d DESC LIMIT 1) "
            + "SELECT CAST(max(last_day) AS varchar), max(last_count), "
            + "CAST(avg(CAST(n AS double)) AS varchar), "
            + "CAST(stddev_pop(CAST(n AS double)) AS varchar), count(n) "
            + "FROM newest LEFT JOIN per_day ON per_day.d < newest.last_day "
            + "AND per_day.d >= date_add('day', -\(days), newest.last_day)"
    }

    /// The queries that a run of the check makes, for finding mistakes before there is a run.
    func questions(_ check: Check) throws(QualityError) -> [String] {
        switch check.rule {
        case .uniqueness: return [try countingSurplus(check)]
        case .rowCountRange:
            return check.filter.map { ["SELECT count(*) FROM \(source) AS t WHERE \($0)"] } ?? []
        case .reconcile(let expression, let sql, let tolerance):
            return [reconciling(expression, sql, tolerance)]
        case .customQuery(let sql): return ["SELECT count(*) FROM (\(filled(sql))) AS q"]
        case .schema: return []
        case .volumeAnomaly(let column, let days, _):
            return [try volumes(column, days: days, filter: check.filter)]
        default: return [try counting([check])]
        }
    }

    /// What is wrong with the columns; empty when all are as wanted.
    func schemaProblems(_ wanted: [(name: String, type: String)], isExact: Bool) -> [String] {
        func plain(_ type: String) -> String { type.lowercased().filter { $0 != " " } }
        var problems: [String] = []
        for (name, type) in wanted {
            guard let column = columns.first(where: { $0.name.lowercased() == name }) else {
                problems.append("\(name) is missing")
                continue
            }
            if plain("\(column.type)") != plain(type) {
                problems.append("\(name) is \(column.type), not \(type)")
            }
        }
        if isExact {
            for column in columns
            where !wanted.contains(where: { $0.name == column.name.lowercased() }) {
                problems.append("\(column.name) is not wanted")
            }
        }
        return problems
    }

    /// A query of people's own, with the table put in.
    func filled(_ sql: String) -> String {
        var text = sql.split(separator: "{table}", omittingEmptySubsequences: false)
            .joined(separator: source)
        while let last = text.last, last == ";" || last.isWhitespace { text.removeLast() }
        return Self.ended(text)
    }

    /// The columns of a query of people's own, without its rows.
    func everything(of sql: String) -> String {
        "SELECT * FROM (\(filled(sql))) AS q LIMIT 0"
    }

    /// Some bad rows of a check, every value as text; nil for checks without bad rows.
    func sample(_ check: Check, columns wanted: [QueryColumn]) throws(QualityError) -> String? {
        let limit = "LIMIT \(QualityLimits.sampleRows)"
        switch check.rule {
        case .rowCountRange, .freshness, .reconcile, .schema, .volumeAnomaly: return nil
        case .customQuery(let sql):
            // Its columns may have no names, or one name twice: they get others here.
            let values = wanted.enumerated().map {
                Self.asText($1, as: "q.c\($0)")
            }
            let names = wanted.indices.map { "c\($0)" }.joined(separator: ", ")
            return "SELECT \(values.joined(separator: ", ")) FROM (\(filled(sql))) "
                + "AS q (\(names)) \(limit)"
        case .uniqueness(let names):
            var keys: [String] = []
            for name in names { keys.append(Self.asText(try found(name), behind: "g.")) }
            return "SELECT \(keys.joined(separator: ", ")), CAST(n AS varchar) AS \"rows\" "
                + "FROM (\(try groups(check))) AS g ORDER BY n DESC, 1 \(limit)"
        default:
            guard let condition = try condition(check, join: 0) else { return nil }
            let values = columns.map { Self.asText($0, behind: "t.") }.joined(separator: ", ")
            return "SELECT \(values) FROM \(source) AS t \(try join(check, 0) ?? "") "
                + "WHERE \(condition) \(limit)"
        }
    }

    // MARK: Pieces

    /// A value as text, whatever its type.
    private static func asText(_ column: QueryColumn, behind alias: String) -> String {
        asText(column, as: alias + SQLFormatter.quoted(name: column.name))
    }

    private static func asText(_ column: QueryColumn, as name: String) -> String {
        let label = " AS " + SQLFormatter.quoted(name: column.name)
        switch column.type {
        case .varchar: return name + label
        case .varbinary: return "to_hex(\(name))" + label
        case .array, .map, .row: return "json_format(CAST(\(name) AS json))" + label
        default: return "CAST(\(name) AS varchar)" + label
        }
    }

    /// The present moment as the column's type has it.
    private func now(_ name: String) throws(QualityError) -> String {
        switch try found(name).type {
        case .date: return "current_date"
        case .timestamp: return "localtimestamp"
        case .timestampWithTimeZone: return "current_timestamp"
        case let type:
            throw QualityError(
                .invalidCheck, "\(name) is no date or timestamp but \(type)",
                hint: "use custom_sql with a condition that casts it", option: "column")
        }
    }

    private func cutoff(_ name: String, _ seconds: Int64) throws(QualityError) -> String {
        let interval = "INTERVAL '\(seconds)' SECOND"
        if case .date = try found(name).type {
            return "CAST(localtimestamp - \(interval) AS date)"
        }
        return "\(try now(name)) - \(interval)"
    }

    /// A constant of the column's type.
    func literal(_ value: JSONValue, for name: String) throws(QualityError) -> String {
        let type = try found(name).type
        switch (value, type) {
        // A code of digits, which somebody wrote without quotes.
        case (.number(let number), .varchar), (.number(let number), .char):
            return Self.text(number.text)
        case (.bool(let flag), .varchar), (.bool(let flag), .char):
            return Self.text(flag ? "true" : "false")
        case (.number(let number), _): return number.text
        case (.bool(let flag), _): return flag ? "true" : "false"
        case (.string(let text), .varchar), (.string(let text), .char): return Self.text(text)
        case (.string(let text), _): return "CAST(\(Self.text(text)) AS \(type))"
        default: return "NULL"
        }
    }

    /// People's own SQL, such that what follows is no part of a comment at its end.
    static func ended(_ text: String) -> String { text.contains("--") ? text + "\n" : text }

    static func text(_ text: String) -> String { SQLFormatter.quoted(string: text) }

    /// `silver.banking.accounts` or `silver.banking."Odd name"`, quoted; what stands between catalog and
    /// table is the schema.
    static func quotedName(_ text: String) throws(QualityError) -> String {
        let parts = try Self.parts(of: text.lowercased())
        var names = parts
        if parts.count > 3 {
            names = [
                parts[0], parts[1..<(parts.count - 1)].joined(separator: "."),
                parts[parts.count - 1],
            ]
        }
        return names.map { SQLFormatter.quoted(name: $0) }.joined(separator: ".")
    }

    /// The parts of a name between dots, without the quotes that some may stand in.
    private static func parts(of text: String) throws(QualityError) -> [String] {
        var parts = [""]
        var isQuoted = false
        var before: Character?
        for character in text {
            switch character {
            // Two quotes within quotes are one.
            case "\"" where !isQuoted && before == "\"":
                parts[parts.count - 1].append(character)
                isQuoted = true
            case "\"": isQuoted.toggle()
            case "." where !isQuoted: parts.append("")
            default: parts[parts.count - 1].append(character)
            }
            before = character
        }
        guard !isQuoted, parts.allSatisfy({ !$0.isEmpty }) else {
            throw QualityError(
                .invalidCheck, "not a table's name: \(text)",
                hint: "catalog.schema.table; a name with blanks or dots stands in double quotes",
                option: "to")
        }
        return parts
    }
}
