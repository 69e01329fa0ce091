import CivilTime

/// Writes the SQL of a frame: one SELECT, or one for each table and period with their rows brought
/// together. Only certified tables, only certified joins, names quoted, literals typed.
struct FrameSQL {
    let model: MetricModel
    let frame: Frame
    /// The rules of the model's zone.
    let zone: TimeZoneRules
    /// The snapshot of each table of the model, where there is one.
    let snapshots: [String: Int64]
    let rowLimit: Int

    /// A statement, and the tables it reads.
    struct Statement {
        var sql: String
        var tables: [String]
        var joins: [ModelJoin]
        /// A label and a format for each column.
        var columns: [Column]
    }

    /// A column of the answer for people.
    struct Column {
        var name: String
        var label: String
        var metric: Metric?
        /// Whether the column is a relative growth, or a share of a total.
        var isFraction = false
        /// Whether the column is a difference of two percentages.
        var isPoints = false
    }

    /// Metrics that one SELECT can compute.
    struct Part {
        var table: String
        var filters: [String]
        var metrics: [Metric]
        var path: JoinPath
    }

    func statement() throws(MetricError) -> Statement {
        let parts = try self.parts()
        var tables: [String] = []
        var joins: [ModelJoin] = []
        for part in parts {
            for table in [part.table] + part.path.joins.map(\.to) where !tables.contains(table) {
                tables.append(table)
            }
            for join in part.path.joins where !joins.contains(join) { joins.append(join) }
        }
        let isSimple = parts.count == 1 && frame.comparison == nil
        let needsRows = frame.average != nil || frame.hasShare
        let chosen: String
        if !isSimple {
            chosen = combined(parts)
        } else if needsRows {
            chosen = filtered(shared(grouped(parts[0], frame.period, counting: compared)))
        } else {
            chosen = simple(parts[0])
        }
        let sql = frame.ranking?.within.isEmpty ?? true ? chosen + ending() : ranked(chosen)
        return Statement(sql: sql, tables: tables, joins: joins, columns: columns())
    }

    // MARK: Parts

    func parts() throws(MetricError) -> [Part] {
        var found: [Part] = []
        for name in frame.metrics {
            guard let metric = model.metric(name) else {
                throw MetricError(.invalidFrame, "unknown metric: \(name)")
            }
            let index = found.firstIndex {
                $0.table == metric.table && $0.filters == metric.filters
            }
            if let index {
                found[index].metrics.append(metric)
            } else {
                found.append(
                    Part(
                        table: metric.table, filters: metric.filters, metrics: [metric],
                        path: try JoinPath(from: metric.table, to: [], in: model)))
            }
        }
        for index in found.indices {
            found[index].path = try JoinPath(
                from: found[index].table, to: try touched(found[index]), in: model)
        }
        return found
    }

    /// The tables that a part's expressions, breakdowns and filters read, in the order of the model.
    private func touched(_ part: Part) throws(MetricError) -> [String] {
        var names: Set<String> = []
        var texts = part.filters
        for metric in part.metrics {
            texts.append(metric.expression)
            if let denominator = metric.denominator { texts.append(denominator) }
        }
        for text in texts {
            do throws(SQLScan.Problem) {
                names.formUnion(try SQLScan(text, known: model.tables.map(\.name)).tables)
            } catch { throw MetricError(.invalidExpression, error.message, hint: error.hint) }
        }
        for case .dimension(let name) in frame.breakdowns {
            if let dimension = model.dimension(name) { names.insert(dimension.table) }
        }
        for filter in frame.filters {
            if let dimension = model.dimension(filter.dimension) { names.insert(dimension.table) }
        }
        return model.tables.map(\.name).filter(names.contains)
    }

    // MARK: One SELECT

    private func simple(_ part: Part) -> String {
        var sql =
            "SELECT "
            + (breakdownColumns(part) + part.metrics.map(column))
            .joined(separator: ",\n       ")
        sql += "\n" + source(part, frame.period)
        sql += grouping(part)
        let having =
            frame.thresholds.compactMap { threshold in
                model.metric(threshold.metric).map { condition(threshold, expression($0), $0) }
            } + Set(compared.map(\.minimum)).sorted().map { "count(*) >= \($0)" }
        if !having.isEmpty { sql += "\nHAVING " + having.joined(separator: "\n   AND ") }
        return sql
    }

    /// The rows of one part without conditions on metrics; where means over units of time are wanted,
    /// first a row for each unit. `counting`: metrics that come with the number of rows they rest on.
    func grouped(_ part: Part, _ period: Period?, counting: [Compared] = []) -> String {
        let counted = counting.filter { part.metrics.contains($0.metric) }.map(\.column)
        let select = "SELECT " + breakdownColumns(part).map { $0 + ", " }.joined()
        let values = (part.metrics.map(column) + counted.map { "count(*) AS \($0)" })
            .joined(separator: ", ")
        guard let unit = frame.average else {
            return select + values + "\n" + source(part, period) + grouping(part)
        }
        let each = "\(expression(.series(unit), part)) AS \(SQLText.identifier("averaged_unit"))"
        let numbers = (1...frame.breakdowns.count + 1).map { String($0) }
        let inner =
            select + each + ", " + values + "\n" + source(part, period)
            + "\nGROUP BY " + numbers.joined(separator: ", ")
        let names = frame.breakdowns.map { SQLText.identifier($0.column) }
        let means =
            part.metrics.map { metric in
                let name = SQLText.identifier(metric.name)
                return "avg(CAST(\(name) AS double)) AS \(name)"
            } + counted.map { "sum(\($0)) AS \($0)" }
        return "SELECT \((names + means).joined(separator: ", "))\nFROM (\n\(inner)\n) AS \"units\""
            + grouping(part)
    }

    /// Rows with the share that each has of the total, before any of them is left out.
    private func shared(_ rows: String) -> String {
        guard frame.hasShare else { return rows }
        let columns =
            frame.breakdowns.map { SQLText.identifier($0.column) }
            + frame.metrics.flatMap { name -> [String] in
                let column = SQLText.identifier(name)
                return [
                    column,
                    "CAST(\(column) AS double) / NULLIF(CAST(sum(\(column)) OVER () AS double), 0)"
                        + " AS \(SQLText.identifier(name + "_share"))",
                ]
            }
        return "SELECT \(columns.joined(separator: ", "))\nFROM (\n\(rows)\n) AS \"groups\""
    }

    private func filtered(_ rows: String) -> String {
        let conditions = thresholds() + compared.map { "\($0.column) >= \($0.minimum)" }
        guard !conditions.isEmpty else { return rows }
        let names = columns().map { SQLText.identifier($0.name) }.joined(separator: ", ")
        return "SELECT \(names)\nFROM (\n\(rows)\n) AS \"rows\"\nWHERE "
            + conditions.joined(separator: "\n  AND ")
    }

    /// The first rows of each group.
    private func ranked(_ rows: String) -> String {
        guard let ranking = frame.ranking else { return rows }
        let groups = ranking.within.map { SQLText.identifier($0.column) }
        let place = SQLText.identifier("row_of_group")
        let columns = columns().map { SQLText.identifier($0.name) }.joined(separator: ", ")
        let numbered =
            "SELECT \(columns), row_number() OVER (PARTITION BY \(groups.joined(separator: ", "))"
            + " ORDER BY \(rankingOrder(ranking).joined(separator: ", "))) AS \(place)"
            + "\nFROM (\n\(rows)\n) AS \"ranked\""
        return "SELECT \(columns)\nFROM (\n\(numbered)\n) AS \"places\"\nWHERE \(place) <= "
            + "\(ranking.count ?? rowLimit)\nORDER BY \((groups + [place]).joined(separator: ", "))"
            + "\nLIMIT \(rowLimit + 1)"
    }

    private func rankingOrder(_ ranking: Ranking) -> [String] {
        [
            "\(SQLText.identifier(ranking.metric)) "
                + "\(ranking.isDescending ? "DESC" : "ASC") NULLS LAST"
        ] + frame.breakdowns.map { SQLText.identifier($0.column) }
    }

    /// The conditions on metrics, over rows that have them as columns.
    func thresholds() -> [String] {
        frame.thresholds.compactMap { threshold in
            model.metric(threshold.metric).map {
                condition(threshold, SQLText.identifier($0.name), $0)
            }
        }
    }

    private func breakdownColumns(_ part: Part) -> [String] {
        frame.breakdowns.map { breakdown in
            "\(expression(breakdown, part)) AS \(SQLText.identifier(breakdown.column))"
        }
    }

    private func column(_ metric: Metric) -> String {
        "\(expression(metric)) AS \(SQLText.identifier(metric.name))"
    }

    private func expression(_ metric: Metric) -> String {
        guard let denominator = metric.denominator else { return metric.expression }
        return "CAST(\(metric.expression) AS double) / NULLIF(\(denominator), 0)"
    }

    private func source(_ part: Part, _ period: Period?) -> String {
        var sql = "FROM " + table(part.table)
        for join in part.path.joins {
            let on = join.columns.map {
                "\(qualified(join.to, $0.to)) = \(qualified(join.from, $0.from))"
            }
            sql +=
                "\n\(join.kind == .left ? "LEFT JOIN" : "JOIN") \(table(join.to))"
                + " ON \(on.joined(separator: " AND "))"
        }
        var conditions: [String] = []
        if let period, let time = model.table(part.table)?.time {
            let column = qualified(part.table, time.column)
            if let start = period.start { conditions.append("\(column) >= \(edge(start, time))") }
            if let end = period.end { conditions.append("\(column) < \(edge(end, time))") }
        }
        conditions += frame.filters.compactMap(condition)
        conditions += frame.partFilters.map { filter in
            let value = expression(.part(filter.part), part)
            let list = filter.values.map(String.init).joined(separator: ", ")
            return filter.isNegated
                ? "(\(value) NOT IN (\(list)) OR \(value) IS NULL)" : "\(value) IN (\(list))"
        }
        conditions += part.filters.map { "(\($0))" }
        if !conditions.isEmpty { sql += "\nWHERE " + conditions.joined(separator: "\n  AND ") }
        return sql
    }

    private func grouping(_ part: Part) -> String {
        guard !frame.breakdowns.isEmpty else { return "" }
        let numbers = (1...frame.breakdowns.count).map { String($0) }
        return "\nGROUP BY " + numbers.joined(separator: ", ")
    }

    private func table(_ name: String) -> String {
        guard let table = model.table(name) else { return SQLText.identifier(name) }
        let version = snapshots[name].map { " FOR VERSION AS OF \($0)" } ?? ""
        return "\(SQLText.table(table.source))\(version) AS \(SQLText.identifier(name))"
    }

    private func qualified(_ table: String, _ column: String) -> String {
        "\(SQLText.identifier(table)).\(SQLText.identifier(column))"
    }

    // MARK: Several SELECTs

    /// Each part and period gives rows with the columns of all; a column that a part does not have is
    /// NULL, and the rows of one group come together by max().
    private func combined(_ parts: [Part]) -> String {
        var rows = merged(parts, counting: compared)
        var columns = frame.breakdowns.map { SQLText.identifier($0.column) }
        for name in frame.metrics {
            columns.append(SQLText.identifier(name))
            if frame.hasShare { columns.append(SQLText.identifier(name + "_share")) }
            guard frame.comparison != nil else { continue }
            let now = SQLText.identifier(name)
            let before = SQLText.identifier(name + "_before")
            columns.append(before)
            columns.append("\(now) - \(before) AS \(SQLText.identifier(name + "_change"))")
            if model.metric(name)?.format != .percent {
                columns.append(
                    "CAST(\(now) - \(before) AS double) / NULLIF(\(before), 0)"
                        + " AS \(SQLText.identifier(name + "_growth"))")
            }
        }
        if frame.hasShare { rows = shared(rows) }
        var sql = "SELECT \(columns.joined(separator: ", "))\nFROM (\n\(rows)\n) AS \"rows\""
        let conditions = thresholds() + compared.map { "\($0.column) >= \($0.minimum)" }
        if !conditions.isEmpty { sql += "\nWHERE " + conditions.joined(separator: "\n  AND ") }
        return sql
    }

    /// The rows of several parts or periods, without conditions on metrics.
    func merged(_ parts: [Part], counting: [Compared]) -> String {
        let periods = frame.comparison.map { [frame.period, $0] } ?? [frame.period]
        var selects: [String] = []
        for part in parts {
            for (index, period) in periods.enumerated() {
                var columns =
                    frame.average == nil
                    ? breakdownColumns(part)
                    : frame.breakdowns.map { SQLText.identifier($0.column) }
                for name in frame.metrics {
                    for place in periods.indices {
                        let isHere = place == index && part.metrics.contains { $0.name == name }
                        let whole =
                            frame.average == nil
                            ? model.metric(name).map(expression) : SQLText.identifier(name)
                        let value = isHere ? whole ?? "NULL" : "NULL"
                        columns.append("\(value) AS \(SQLText.identifier(valueName(name, place)))")
                    }
                }
                for one in counting {
                    for place in periods.indices {
                        let isHere = place == index && part.metrics.contains(one.metric)
                        let count = frame.average == nil ? "count(*)" : one.column
                        columns.append("\(isHere ? count : "NULL") AS \(one.columns[place])")
                    }
                }
                let from =
                    frame.average == nil
                    ? source(part, period) + grouping(part)
                    : "FROM (\n\(grouped(part, period, counting: counting))\n) AS \"means\""
                selects.append("SELECT \(columns.joined(separator: ", "))\n\(from)")
            }
        }
        var outer = frame.breakdowns.map { SQLText.identifier($0.column) }
        for name in frame.metrics {
            for place in periods.indices { outer.append(merged(name, place)) }
        }
        for one in counting {
            for place in periods.indices {
                outer.append("coalesce(max(\(one.columns[place])), 0) AS \(one.columns[place])")
            }
        }
        let union = selects.joined(separator: "\nUNION ALL\n")
        let rows = "SELECT \(outer.joined(separator: ", "))\nFROM (\n\(union)\n) AS \"parts\""
        guard !frame.breakdowns.isEmpty else { return rows }
        let names = frame.breakdowns.map { SQLText.identifier($0.column) }
        return rows + "\nGROUP BY " + names.joined(separator: ", ")
    }

    private func valueName(_ metric: String, _ place: Int) -> String {
        place == 0 ? metric : metric + "_before"
    }

    /// A sum or count of no rows is zero.
    private func merged(_ name: String, _ place: Int) -> String {
        let column = SQLText.identifier(valueName(name, place))
        let value =
            model.metric(name)?.kind == .additive && frame.average == nil
            ? "coalesce(max(\(column)), 0)" : "max(\(column))"
        return "\(value) AS \(column)"
    }

    // MARK: Order

    private func ending() -> String {
        var order: [String] = []
        let names = frame.breakdowns.map { SQLText.identifier($0.column) }
        if !frame.breakdowns.isEmpty {
            if let ranking = frame.ranking {
                order = rankingOrder(ranking)
            } else if isInTime {
                order = names
            } else {
                order = ["\(SQLText.identifier(frame.metrics[0])) DESC NULLS LAST"] + names
            }
        }
        var sql = order.isEmpty ? "" : "\nORDER BY " + order.joined(separator: ", ")
        let limit = frame.ranking?.count ?? (frame.breakdowns.isEmpty ? nil : rowLimit + 1)
        if let limit { sql += "\nLIMIT \(limit)" }
        return sql
    }

    private var isInTime: Bool {
        frame.breakdowns.contains { if case .dimension = $0 { false } else { true } }
    }

    // MARK: Conditions

    private func condition(_ filter: ValueFilter) -> String? {
        guard let dimension = model.dimension(filter.dimension) else { return nil }
        let values = filter.values.map { literal($0, dimension.kind) }
        let test =
            values.count == 1
            ? "\(dimension.expression) \(filter.isNegated ? "<>" : "=") \(values[0])"
            : "\(dimension.expression) \(filter.isNegated ? "NOT IN" : "IN")"
                + " (\(values.joined(separator: ", ")))"
        return filter.isNegated ? "(\(test) OR \(dimension.expression) IS NULL)" : test
    }

    private func literal(_ value: String, _ kind: Dimension.Kind) -> String {
        switch kind {
        case .text: SQLText.text(value)
        case .number: ExactNumber(value)?.text ?? "NULL"
        case .boolean: value == "true" ? "true" : "false"
        case .date: "DATE " + SQLText.text(value)
        }
    }

    private func condition(
        _ threshold: Threshold, _ expression: String, _ metric: Metric
    ) -> String {
        // A ratio is a double: so is what it is compared with.
        func number(_ value: ExactNumber) -> String {
            metric.kind == .ratio ? value.text + "E0" : value.text
        }
        let value = number(threshold.value)
        switch threshold.relation {
        case .above: return "\(expression) > \(value)"
        case .atLeast: return "\(expression) >= \(value)"
        case .below: return "\(expression) < \(value)"
        case .atMost: return "\(expression) <= \(value)"
        case .equal: return "\(expression) = \(value)"
        case .between:
            return
                "\(expression) BETWEEN \(value) AND \(number(threshold.upper ?? threshold.value))"
        }
    }

    // MARK: Time

    /// An edge of a period as the column stores times.
    private func edge(_ local: Int64, _ time: TimeColumn) -> String {
        switch time.kind {
        case .date: return "DATE " + SQLText.text(CivilFormat.date(Microseconds.day(of: local)))
        case .timestamp:
            let utc = zone.utcMicroseconds(ofLocal: local)
            return "TIMESTAMP " + SQLText.text(CivilFormat.timestamp(utc, precision: 0))
        case .timestampWithZone:
            let utc = zone.utcMicroseconds(ofLocal: local)
            return "TIMESTAMP " + SQLText.text(CivilFormat.timestamp(utc, precision: 0) + " UTC")
        }
    }

    private func expression(_ breakdown: Breakdown, _ part: Part) -> String {
        switch breakdown {
        case .dimension(let name): return model.dimension(name)?.expression ?? "NULL"
        case .series(let unit):
            let local = localTime(part.table)
            if unit == .hour { return "date_trunc('hour', \(local))" }
            if unit == .day { return "CAST(\(local) AS date)" }
            return "CAST(date_trunc('\(unit.rawValue)', \(local)) AS date)"
        case .part(let part_):
            let local = localTime(part.table)
            switch part_ {
            case .hourOfDay: return "hour(\(local))"
            case .weekday: return "day_of_week(\(local))"
            case .monthOfYear: return "month(\(local))"
            }
        }
    }

    /// The time column in the model's zone.
    private func localTime(_ table: String) -> String {
        guard let time = model.table(table)?.time else { return "NULL" }
        let column = qualified(table, time.column)
        let name = SQLText.text(model.zone.name)
        switch time.kind {
        case .date: return column
        case .timestamp:
            guard model.zone != .utc else { return column }
            return "CAST(with_timezone(\(column), 'UTC') AT TIME ZONE \(name) AS timestamp(6))"
        case .timestampWithZone:
            return "CAST(\(column) AT TIME ZONE \(name) AS timestamp(6))"
        }
    }

    // MARK: Columns for people

    private func columns() -> [Column] {
        var found = frame.breakdowns.map { breakdown in
            let label: String =
                switch breakdown {
                case .dimension(let name): model.dimension(name)?.label ?? name
                case .series(let unit): unit == .week ? "ISO week from" : unit.rawValue
                case .part(let part): part.label
                }
            return Column(name: breakdown.column, label: label)
        }
        for name in frame.metrics {
            var metric = model.metric(name)
            var label = metric?.label ?? name
            if let unit = frame.average {
                label += " per \(unit.rawValue), average"
                if metric?.decimals == nil { metric?.decimals = 2 }
            }
            found.append(Column(name: name, label: label, metric: metric))
            if frame.hasShare {
                found.append(
                    Column(
                        name: name + "_share", label: "share of \(label)", metric: nil,
                        isFraction: true))
            }
            guard frame.comparison != nil else { continue }
            found.append(Column(name: name + "_before", label: label + " before", metric: metric))
            found.append(
                Column(
                    name: name + "_change", label: label + " change", metric: metric,
                    isPoints: metric?.format == .percent))
            if metric?.format != .percent {
                found.append(
                    Column(
                        name: name + "_growth", label: label + " growth", metric: metric,
                        isFraction: true))
            }
        }
        return found
    }
}
