import Authority
import CivilTime
import JSON
import Synchronization

/// The distinct values of low-cardinality dimensions, as each asker may see them.
///
/// Built by queries that run as the asker, so that a row filter hides words too. An entry holds for
/// one snapshot and one principal whom no policy limits; a commit makes a new one. What a policy lets
/// through may change without a commit (another policy, a table that it asks): that is asked each time.
final class ValueIndex: Sendable {
    /// A dimension with more values has no words; its values are given in quotes.
    static let valueLimit = 1_000
    private static let entryLimit = 4_000

    private struct Key: Hashable {
        var table: [String]
        var expression: String
        var snapshotID: Int64?
        var policy: String
        var principal: String
    }

    private let spans = Mutex<[Key: [String]]>([:])
    private let entries = Mutex<[Key: [String]?]>([:])
    private let checkedJoins = Mutex<Set<Key>>([])
    private let warehouse: any MetricWarehouse

    init(_ warehouse: any MetricWarehouse) { self.warehouse = warehouse }

    /// The words for values by dimension; dimensions without an index are not in it.
    func values(
        _ context: RequestContext, _ model: MetricModel, _ states: [String: MetricTableState]
    ) throws(MetricError) -> [String: [String]] {
        var found: [String: [String]] = [:]
        for dimension in model.dimensions {
            switch dimension.values {
            case .none: continue
            case .listed(let values): found[dimension.name] = values
            case .index:
                guard let table = model.table(dimension.table), let state = states[table.name]
                else { continue }
                if let values = try values(context, table, dimension, state) {
                    found[dimension.name] = values
                }
            }
        }
        return found
    }

    private func values(
        _ context: RequestContext, _ table: ModelTable, _ dimension: Dimension,
        _ state: MetricTableState
    ) throws(MetricError) -> [String]? {
        let key = Key(
            table: table.source, expression: dimension.expression, snapshotID: state.snapshotID,
            policy: state.policy, principal: context.principal.id)
        let isKept = state.snapshotID != nil && state.policy.isEmpty
        if isKept, let known = entries.withLock({ $0[key] }) { return known }
        let version = state.snapshotID.map { " FOR VERSION AS OF \($0)" } ?? ""
        let answer = try warehouse.rows(
            context,
            sql: """
                SELECT DISTINCT CAST(\(dimension.expression) AS varchar) AS "value"
                FROM \(SQLText.table(table.source))\(version) AS \(SQLText.identifier(table.name))
                WHERE \(dimension.expression) IS NOT NULL
                LIMIT \(ValueIndex.valueLimit + 1)
                """, limit: ValueIndex.valueLimit + 1)
        let texts = answer.rows.compactMap { row -> String? in
            if case .string(let text)? = row.first { text } else { nil }
        }
        let values = texts.count > ValueIndex.valueLimit ? nil : texts.sorted()
        guard isKept else { return values }
        entries.withLock { entries in
            if entries.count >= ValueIndex.entryLimit { entries.removeAll() }
            entries[key] = .some(values)
        }
        return values
    }

    /// The oldest and the newest time of a table, as the asker may see it, in UTC; nil when it has none.
    func span(
        _ context: RequestContext, _ table: ModelTable, _ time: TimeColumn,
        _ state: MetricTableState
    ) throws(MetricError) -> (first: Int64, last: Int64)? {
        let column = SQLText.identifier(time.column)
        let key = Key(
            table: table.source, expression: column, snapshotID: state.snapshotID,
            policy: state.policy, principal: context.principal.id)
        let isKept = state.snapshotID != nil && state.policy.isEmpty
        let known = isKept ? spans.withLock { $0[key] } : nil
        let texts: [String]
        if let known {
            texts = known
        } else {
            let version = state.snapshotID.map { " FOR VERSION AS OF \($0)" } ?? ""
            let utc = time.kind == .timestampWithZone ? "\(column) AT TIME ZONE 'UTC'" : column
            let answer = try warehouse.rows(
                context,
                sql: """
                    SELECT CAST(CAST(min(\(utc)) AS timestamp(6)) AS varchar) AS "first",
                           CAST(CAST(max(\(utc)) AS timestamp(6)) AS varchar) AS "last"
                    FROM \(SQLText.table(table.source))\(version)
                    """, limit: 1)
            texts = (answer.rows.first ?? []).compactMap { value -> String? in
                if case .string(let text) = value { text } else { nil }
            }
            if isKept {
                spans.withLock { spans in
                    if spans.count >= ValueIndex.entryLimit { spans.removeAll() }
                    spans[key] = texts
                }
            }
        }
        let times = texts.compactMap { CivilParse.timestamp($0)?.microseconds }
        return times.count == 2 ? (times[0], times[1]) : nil
    }

    /// Throws `.fanOut` when the table that a join leads to has two rows of one key: the join would
    /// count rows twice. Each snapshot is checked once.
    func check(
        _ context: RequestContext, _ join: ModelJoin, _ model: MetricModel,
        _ states: [String: MetricTableState]
    ) throws(MetricError) {
        guard let table = model.table(join.to) else { return }
        let state = states[table.name]
        let columns = join.columns.map { SQLText.identifier($0.to) }.joined(separator: ", ")
        let present = join.columns.map { "\(SQLText.identifier($0.to)) IS NOT NULL" }
            .joined(separator: " AND ")
        let key = Key(
            table: table.source, expression: columns, snapshotID: state?.snapshotID,
            policy: state?.policy ?? "", principal: context.principal.id)
        if state?.snapshotID != nil, checkedJoins.withLock({ $0.contains(key) }) { return }
        let version = state?.snapshotID.map { " FOR VERSION AS OF \($0)" } ?? ""
        let answer = try warehouse.rows(
            context,
            sql: """
                SELECT count(*) AS "rows" FROM \(SQLText.table(table.source))\(version)
                WHERE \(present) GROUP BY \(columns) HAVING count(*) > 1 LIMIT 1
                """, limit: 1)
        guard answer.rows.isEmpty else {
            throw MetricError(
                .fanOut,
                "the join from \(join.from) to \(join.to) fans out: a key occurs twice",
                hint: "repair \(table.source.joined(separator: ".")), or its key: "
                    + table.key.joined(separator: ", "))
        }
        checkedJoins.withLock { checked in
            if checked.count >= ValueIndex.entryLimit { checked.removeAll() }
            checked.insert(key)
        }
    }
}
