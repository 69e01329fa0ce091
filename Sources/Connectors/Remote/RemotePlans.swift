import SQLFunctions
import SQLPlanning
import Vectors

/// Turns plans over tables of one remote database into one SELECT; nil where an answer might differ.
struct RemotePlans {
    let dialect: any RemoteDialect

    func relation(_ plan: LogicalPlan) -> RemoteRelation? {
        switch plan {
        case .scan(let node): return scan(node)
        case .filter(let input, let predicate):
            guard let below = relation(input),
                let condition = expressions(below).condition(predicate)
            else { return nil }
            return below.replacing("SELECT * FROM (\(below.sql)) AS t WHERE \(condition)")
        case .project(let input, let assignments): return project(input, assignments)
        case .aggregate(let node): return aggregate(node)
        case .join(let node): return dialect.joins ? join(node) : nil
        case .topN(let input, let keys, let count, let offset, let withTies):
            guard !withTies, let below = relation(input), let order = order(keys, below) else {
                return nil
            }
            return below.replacing(
                "SELECT * FROM (\(below.sql)) AS t ORDER BY \(order) LIMIT \(count)"
                    + (offset > 0 ? " OFFSET \(offset)" : ""))
        case .limit(let input, let count, let offset):
            guard let below = relation(input), let count else { return nil }
            return below.replacing(
                "SELECT * FROM (\(below.sql)) AS t LIMIT \(count)"
                    + (offset > 0 ? " OFFSET \(offset)" : ""))
        case .values, .window, .sort, .union, .unnest, .singleRow, .rowNumber, .sample: return nil
        }
    }

    private func expressions(_ relation: RemoteRelation) -> RemoteExpressions {
        RemoteExpressions(
            dialect: dialect, names: relation.names.mapValues { "t.\($0)" },
            inexact: relation.inexact)
    }

    // MARK: One input

    private func scan(_ node: ScanNode) -> RemoteRelation? {
        guard let table = node.table as? any RemoteTable else { return nil }
        var names: [ColumnID: String] = [:]
        var inexact: Set<ColumnID> = []
        for (column, index) in zip(node.columns, node.tableColumns) {
            let remote = table.remoteColumns[index]
            names[column.id] = "t." + dialect.quoted(remote.remoteName)
            if !remote.isExact { inexact.insert(column.id) }
        }
        let selected = zip(node.columns, node.tableColumns).map { column, index in
            "\(dialect.guarded(table.remoteColumns[index])) AS \(RemoteRelation.name(column.id))"
        }
        for extra in node.filterOnlyColumns {
            let remote = table.remoteColumns[extra.tableColumn]
            names[extra.column.id] = "t." + dialect.quoted(remote.remoteName)
            if !remote.isExact { inexact.insert(extra.column.id) }
        }
        let writer = RemoteExpressions(dialect: dialect, names: names, inexact: inexact)
        var conditions: [String] = []
        for filter in node.filters {
            guard let condition = writer.condition(filter) else { return nil }
            conditions.append(condition)
        }
        var sql =
            "SELECT \(selected.isEmpty ? "1 AS c" : selected.joined(separator: ", ")) "
            + "FROM \(table.remoteName) AS t"
        if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
        if let limit = node.limit { sql += " LIMIT \(limit)" }
        return RemoteRelation(
            sql: sql, columns: node.columns,
            names: Dictionary(
                node.columns.map { ($0.id, RemoteRelation.name($0.id)) }, uniquingKeysWith: { $1 }),
            inexact: inexact.intersection(node.columns.map(\.id)))
    }

    private func project(
        _ input: LogicalPlan, _ assignments: [Assignment]
    ) -> RemoteRelation? {
        guard let below = relation(input) else { return nil }
        let writer = expressions(below)
        var inexact: Set<ColumnID> = []
        var list: [String] = []
        for assignment in assignments {
            let name = RemoteRelation.name(assignment.column.id)
            // A column may pass through that is not to be computed with.
            if let id = assignment.expression.columnID, let column = below.names[id] {
                if below.inexact.contains(id) { inexact.insert(assignment.column.id) }
                list.append("t.\(column) AS \(name)")
                continue
            }
            guard let value = writer.value(assignment.expression) else { return nil }
            list.append("\(value) AS \(name)")
        }
        let columns = assignments.map(\.column)
        return RemoteRelation(
            sql: "SELECT \(list.isEmpty ? "1 AS c" : list.joined(separator: ", ")) "
                + "FROM (\(below.sql)) AS t",
            columns: columns,
            names: Dictionary(
                columns.map { ($0.id, RemoteRelation.name($0.id)) }, uniquingKeysWith: { $1 }),
            inexact: inexact)
    }

    private func aggregate(_ node: AggregateNode) -> RemoteRelation? {
        guard node.groupingSets == nil, let below = relation(node.input) else { return nil }
        let writer = expressions(below)
        let types = Dictionary(
            below.columns.map { ($0.id, $0.type) }, uniquingKeysWith: { first, _ in first })
        var list: [String] = []
        var keys: [String] = []
        for key in node.keys {
            guard !dialect.hasNaN(key.type), let value = writer.value(.column(key.id, key.type))
            else { return nil }
            keys.append(value)
            list.append("\(value) AS \(RemoteRelation.name(key.id))")
        }
        for call in node.calls {
            guard let text = aggregate(call, writer, types) else { return nil }
            list.append("\(text) AS \(RemoteRelation.name(call.output.id))")
        }
        var sql =
            "SELECT \(list.isEmpty ? "1 AS c" : list.joined(separator: ", ")) "
            + "FROM (\(below.sql)) AS t"
        if !keys.isEmpty { sql += " GROUP BY " + keys.joined(separator: ", ") }
        let columns = node.outputs
        return RemoteRelation(
            sql: sql, columns: columns,
            names: Dictionary(
                columns.map { ($0.id, RemoteRelation.name($0.id)) }, uniquingKeysWith: { $1 }))
    }

    private func aggregate(
        _ call: AggregateCall, _ writer: RemoteExpressions, _ types: [ColumnID: LogicalType]
    ) -> String? {
        guard call.order.isEmpty, call.arguments.count <= 1 else { return nil }
        var argument: (sql: String, type: LogicalType)?
        if let id = call.arguments.first {
            guard let type = types[id] else { return nil }
            // Counting needs no comparison.
            let isCounted = call.function.function.name == "count" && !call.isDistinct
            guard
                let value = isCounted
                    ? writer.names[id] : writer.value(.column(id, type))
            else { return nil }
            argument = (value, type)
        }
        guard
            let text = dialect.aggregate(
                call.function.function.name, argument, isDistinct: call.isDistinct)
        else { return nil }
        guard let filter = call.filter else { return text }
        return writer.value(.column(filter, .boolean)).map { "\(text) FILTER (WHERE \($0))" }
    }

    private func order(_ keys: [SortKey], _ below: RemoteRelation) -> String? {
        let writer = expressions(below)
        let types = Dictionary(
            below.columns.map { ($0.id, $0.type) }, uniquingKeysWith: { first, _ in first })
        var list: [String] = []
        for key in keys {
            // Our NaN sorts as the greatest too.
            guard let type = types[key.column], let value = writer.value(.column(key.column, type))
            else { return nil }
            list.append(
                dialect.ordered(value, type) + (key.isAscending ? " ASC" : " DESC")
                    + (key.nullsFirst ? " NULLS FIRST" : " NULLS LAST"))
        }
        return list.isEmpty ? nil : list.joined(separator: ", ")
    }

    // MARK: Joins

    private func join(_ node: JoinNode) -> RemoteRelation? {
        guard let left = relation(node.left), let right = relation(node.right) else { return nil }
        var names = left.names.mapValues { "l.\($0)" }
        names.merge(right.names.mapValues { "r.\($0)" }) { first, _ in first }
        let writer = RemoteExpressions(
            dialect: dialect, names: names, inexact: left.inexact.union(right.inexact))
        let types = Dictionary(
            (left.columns + right.columns).map { ($0.id, $0.type) },
            uniquingKeysWith: { first, _ in first })
        var conditions: [String] = []
        for equality in node.equalities {
            guard let type = types[equality.left], !dialect.hasNaN(type),
                let first = writer.value(.column(equality.left, type)),
                let second = writer.value(.column(equality.right, types[equality.right] ?? type))
            else { return nil }
            conditions.append(
                "\(first) \(equality.matchesNulls ? "IS NOT DISTINCT FROM" : "=") \(second)")
        }
        if let residual = node.residual {
            guard let condition = writer.condition(residual) else { return nil }
            conditions.append(condition)
        }
        let on = conditions.isEmpty ? "TRUE" : conditions.joined(separator: " AND ")
        switch node.kind {
        case .inner: return joined(left, right, "INNER JOIN", on)
        case .left: return joined(left, right, "LEFT JOIN", on)
        case .right: return joined(left, right, "RIGHT JOIN", on)
        case .full:
            // Theirs needs conditions that hash or merge.
            let isPlain = node.residual == nil && node.equalities.allSatisfy { !$0.matchesNulls }
            return isPlain && !node.equalities.isEmpty
                ? joined(left, right, "FULL JOIN", on) : nil
        case .semi, .anti:
            let not = node.kind == .anti ? "NOT " : ""
            return left.replacing(
                "SELECT * FROM (\(left.sql)) AS l WHERE \(not)EXISTS "
                    + "(SELECT 1 FROM (\(right.sql)) AS r WHERE \(on))")
        case .cross, .nullAwareAnti, .mark: return nil
        }
    }

    private func joined(
        _ left: RemoteRelation, _ right: RemoteRelation, _ word: String, _ on: String
    ) -> RemoteRelation? {
        // The same table twice has ids of its own each time; the same id twice would be ambiguous.
        guard Set(left.names.keys).isDisjoint(with: right.names.keys) else { return nil }
        let list =
            left.columns.compactMap { left.names[$0.id].map { "l.\($0)" } }
            + right.columns.compactMap { right.names[$0.id].map { "r.\($0)" } }
        return RemoteRelation(
            sql: "SELECT \(list.isEmpty ? "1 AS c" : list.joined(separator: ", ")) "
                + "FROM (\(left.sql)) AS l \(word) (\(right.sql)) AS r ON \(on)",
            columns: left.columns + right.columns,
            names: left.names.merging(right.names) { first, _ in first },
            inexact: left.inexact.union(right.inexact))
    }
}

extension RemoteRelation {
    /// The same columns of another SELECT.
    func replacing(_ sql: String) -> RemoteRelation {
        var copy = self
        copy.sql = sql
        return copy
    }
}
