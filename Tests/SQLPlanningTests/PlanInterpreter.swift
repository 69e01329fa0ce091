import SQLFunctions
import SQLPlanning
import Vectors

/// Runs plans over a few rows, node by node and row by row: slow, small and easily seen to be right.
/// Integers, texts and booleans only.
final class PlanInterpreter: Sendable {
    typealias Row = [ColumnID: LiteralValue]

    /// Rows by table name, in the order of the table's columns.
    let tables: [String: [[LiteralValue]]]

    init(tables: [String: [[LiteralValue]]]) { self.tables = tables }

    func rows(_ query: BoundQuery) throws -> [[LiteralValue]] {
        try run(query.plan).map { row in query.columns.map { row[$0.id] ?? .null } }
    }

    private func run(_ plan: LogicalPlan) throws -> [Row] {
        switch plan {
        case .scan(let node):
            var result: [Row] = []
            for (position, values) in (tables[node.table.name.table] ?? []).enumerated() {
                var row: Row = [:]
                let all =
                    Array(zip(node.columns, node.tableColumns))
                    + node.filterOnlyColumns.map { ($0.column, $0.tableColumn) }
                for (column, index) in all {
                    row[column.id] =
                        index < values.count ? values[index] : .integer(Int64(position))
                }
                if try node.filters.allSatisfy({ try holds($0, row) }) { result.append(row) }
            }
            if let limit = node.limit { result = Array(result.prefix(Int(limit))) }
            return result
        case .values(let node):
            return try node.rows.map { cells in
                var row: Row = [:]
                for (column, cell) in zip(node.columns, cells) {
                    row[column.id] = try value(cell, [:])
                }
                return row
            }
        case .filter(let input, let predicate):
            return try run(input).filter { try holds(predicate, $0) }
        case .project(let input, let assignments):
            return try run(input).map { row in
                var result: Row = [:]
                for assignment in assignments {
                    result[assignment.column.id] = try value(assignment.expression, row)
                }
                return result
            }
        case .aggregate(let node): return try aggregate(node)
        case .join(let node): return try join(node)
        case .window(let node): return try window(node)
        case .sort(let input, let keys): return sorted(try run(input), keys)
        case .topN(let input, let keys, let count, let offset, _):
            return Array(sorted(try run(input), keys).dropFirst(Int(offset)).prefix(Int(count)))
        case .limit(let input, let count, let offset):
            let rest = try run(input).dropFirst(Int(offset))
            return count.map { Array(rest.prefix(Int($0))) } ?? Array(rest)
        case .union(let inputs, let columns, let mapping):
            return try zip(inputs, mapping).flatMap { input, ids in
                try run(input).map { row in
                    Dictionary(
                        uniqueKeysWithValues: zip(columns, ids).map { ($0.id, row[$1] ?? .null) })
                }
            }
        case .unnest(let node):
            return try run(node.input).flatMap { row -> [Row] in
                guard case .list(let values)? = row[node.collections[0]] else { return [] }
                return values.map { element in
                    var result = row.filter { node.kept.contains($0.key) }
                    result[node.columns[0][0].id] = element
                    return result
                }
            }
        case .singleRow(let input):
            let rows = try run(input)
            guard rows.count <= 1 else { throw QueryFault(.subqueryMultipleRows, "multiple rows") }
            return rows.isEmpty ? [nulls(input)] : rows
        case .rowNumber(let input, let id):
            return try run(input).enumerated().map { index, row in
                var result = row
                result[id] = .integer(Int64(index))
                return result
            }
        case .sample(let input, _): return try run(input)
        }
    }

    private func nulls(_ plan: LogicalPlan) -> Row {
        Dictionary(uniqueKeysWithValues: plan.outputs.map { ($0.id, .null) })
    }

    private func sorted(_ rows: [Row], _ keys: [SortKey]) -> [Row] {
        rows.enumerated().sorted { one, other in
            for key in keys {
                let (left, right) = (
                    one.element[key.column] ?? .null, other.element[key.column] ?? .null
                )
                if left == right { continue }
                if left == .null { return key.nullsFirst }
                if right == .null { return !key.nullsFirst }
                return (compare(left, right) < 0) == key.isAscending
            }
            return one.offset < other.offset
        }.map(\.element)
    }

    private func aggregate(_ node: AggregateNode) throws -> [Row] {
        let input = try run(node.input)
        var result: [Row] = []
        for (index, set) in (node.groupingSets ?? [Array(node.keys.indices)]).enumerated() {
            var groups: [[LiteralValue]: [Row]] = [:]
            var order: [[LiteralValue]] = []
            for row in input {
                let key = set.map { row[node.keys[$0].id] ?? .null }
                if groups[key] == nil { order.append(key) }
                groups[key, default: []].append(row)
            }
            if set.isEmpty && order.isEmpty && (node.groupingSets != nil || node.keys.isEmpty) {
                order = [[]]
                groups[[]] = []
            }
            for key in order {
                var row: Row = [:]
                for column in node.keys { row[column.id] = .null }
                for (position, value) in zip(set, key) { row[node.keys[position].id] = value }
                if let id = node.groupingSetID { row[id] = .integer(Int64(index)) }
                for call in node.calls {
                    row[call.output.id] = call.result(groups[key] ?? [], compare)
                }
                result.append(row)
            }
        }
        return result
    }

    private func window(_ node: WindowNode) throws -> [Row] {
        var counters: [[LiteralValue]: Int64] = [:]
        return sorted(try run(node.input), node.orderBy).map { row in
            var result = row
            let key = node.partitionBy.map { row[$0] ?? .null }
            counters[key, default: 0] += 1
            for call in node.calls { result[call.output.id] = .integer(counters[key] ?? 0) }
            return result
        }
    }

    // MARK: Joins

    private func join(_ node: JoinNode) throws -> [Row] {
        let left = try run(node.left)
        let right = try run(node.right)
        func matches(_ one: Row, _ other: Row) throws -> Bool {
            for equality in node.equalities {
                let (first, second) = (one[equality.left] ?? .null, other[equality.right] ?? .null)
                if first == .null || second == .null {
                    guard equality.matchesNulls, first == second else { return false }
                } else if first != second {
                    return false
                }
            }
            guard let residual = node.residual else { return true }
            return try holds(residual, one.merging(other) { first, _ in first })
        }
        var result: [Row] = []
        var matchedRight: Set<Int> = []
        for one in left {
            var found: [Row] = []
            for (index, other) in right.enumerated() where try matches(one, other) {
                matchedRight.insert(index)
                found.append(other)
            }
            switch node.kind {
            case .inner, .cross, .right:
                result += found.map { one.merging($0) { first, _ in first } }
            case .left, .full:
                let pairs = found.isEmpty ? [nulls(node.right)] : found
                result += pairs.map { one.merging($0) { first, _ in first } }
            case .semi: if !found.isEmpty { result.append(one) }
            case .anti: if found.isEmpty { result.append(one) }
            case .nullAwareAnti:
                if membership(node, one, right, !found.isEmpty) == .boolean(false) {
                    result.append(one)
                }
            case .mark(let id, let isNullAware):
                var row = one
                row[id] =
                    isNullAware
                    ? membership(node, one, right, !found.isEmpty) : .boolean(!found.isEmpty)
                result.append(row)
            }
        }
        if node.kind == .right || node.kind == .full {
            for (index, other) in right.enumerated() where !matchedRight.contains(index) {
                result.append(nulls(node.left).merging(other) { _, second in second })
            }
        }
        return result
    }

    private func membership(
        _ node: JoinNode, _ row: Row, _ right: [Row], _ found: Bool
    ) -> LiteralValue {
        if found { return .boolean(true) }
        if right.isEmpty { return .boolean(false) }
        let key = node.equalities[0]
        if row[key.left] == .null || right.contains(where: { $0[key.right] == .null }) {
            return .null
        }
        return .boolean(false)
    }

    // MARK: Expressions

    private func holds(_ condition: BoundExpression, _ row: Row) throws -> Bool {
        try value(condition, row) == .boolean(true)
    }

    private func compare(_ one: LiteralValue, _ other: LiteralValue) -> Int {
        switch (one, other) {
        case (.integer(let first), .integer(let second)):
            first < second ? -1 : first > second ? 1 : 0
        case (.bytes(let first), .bytes(let second)):
            first == second ? 0 : first.lexicographicallyPrecedes(second) ? -1 : 1
        case (.boolean(let first), .boolean(let second)): first == second ? 0 : second ? -1 : 1
        default: 0
        }
    }

    private func value(_ expression: BoundExpression, _ row: Row) throws -> LiteralValue {
        switch expression {
        case .literal(let value, _): return value
        case .column(let id, _):
            guard let value = row[id] else {
                throw QueryFault(.genericInternalError, "column #\(id.number) is not there")
            }
            return value
        case .arithmetic(let op, let left, let right, _):
            guard case .integer(let one) = try value(left, row),
                case .integer(let other) = try value(right, row)
            else { return .null }
            switch op {
            case .add: return .integer(one + other)
            case .subtract: return .integer(one - other)
            case .multiply: return .integer(one * other)
            case .divide: return .integer(one / other)
            case .modulus: return .integer(one % other)
            }
        case .negate(let operand):
            if case .integer(let number) = try value(operand, row) { return .integer(-number) }
            return .null
        case .comparison(let op, let left, let right):
            let (one, other) = (try value(left, row), try value(right, row))
            if op == .distinct { return .boolean(one != other) }
            if op == .notDistinct { return .boolean(one == other) }
            if one == .null || other == .null { return .null }
            let order = compare(one, other)
            switch op {
            case .equal: return .boolean(one == other)
            case .notEqual: return .boolean(one != other)
            case .less: return .boolean(order < 0)
            case .lessOrEqual: return .boolean(order <= 0)
            case .greater: return .boolean(order > 0)
            default: return .boolean(order >= 0)
            }
        case .and(let terms):
            let values = try terms.map { try value($0, row) }
            if values.contains(.boolean(false)) { return .boolean(false) }
            return values.contains(.null) ? .null : .boolean(true)
        case .or(let terms):
            let values = try terms.map { try value($0, row) }
            if values.contains(.boolean(true)) { return .boolean(true) }
            return values.contains(.null) ? .null : .boolean(false)
        case .not(let operand):
            if case .boolean(let flag) = try value(operand, row) { return .boolean(!flag) }
            return .null
        case .isNull(let operand): return .boolean(try value(operand, row) == .null)
        case .inList(let operand, let list):
            let one = try value(operand, row)
            if one == .null { return .null }
            let members = try list.map { try value($0, row) }
            if members.contains(one) { return .boolean(true) }
            return members.contains(.null) ? .null : .boolean(false)
        case .cast(let operand, _, _), .tryEvaluate(let operand): return try value(operand, row)
        case .caseWhen(let branches, let otherwise, _):
            for branch in branches where try holds(branch.condition, row) {
                return try value(branch.value, row)
            }
            return try otherwise.map { try value($0, row) } ?? .null
        case .coalesce(let terms, _):
            for term in terms {
                let one = try value(term, row)
                if one != .null { return one }
            }
            return .null
        case .call(let resolved, let arguments):
            let values = try arguments.map { try value($0, row) }
            if resolved.function.name == "$check_single_row" {
                if case .integer(let count) = values[0] {
                    if count > 1 { throw QueryFault(.subqueryMultipleRows, "multiple rows") }
                    return .boolean(true)
                }
                return .null
            }
            throw QueryFault(.notSupported, resolved.function.name)
        case .row(let terms, _): return .row(try terms.map { try value($0, row) })
        case .array(let terms, _): return .list(try terms.map { try value($0, row) })
        case .field(let operand, let index, _):
            if case .row(let values) = try value(operand, row) { return values[index] }
            return .null
        case .like, .lambda: throw QueryFault(.notSupported, "\(expression)")
        }
    }
}

extension AggregateCall {
    func result(
        _ rows: [PlanInterpreter.Row], _ compare: (LiteralValue, LiteralValue) -> Int
    ) -> LiteralValue {
        let kept = rows.filter { row in filter.map { row[$0] == .boolean(true) } ?? true }
        guard let argument = arguments.first else { return .integer(Int64(kept.count)) }
        var values = kept.compactMap { $0[argument] }.filter { $0 != .null }
        if isDistinct { values = Array(Set(values)) }
        switch function.function.name {
        case "count": return .integer(Int64(values.count))
        case "sum":
            if values.isEmpty { return .null }
            return .integer(
                values.reduce(0) { sum, value in
                    if case .integer(let number) = value { sum + number } else { sum }
                })
        case "min": return values.min { compare($0, $1) < 0 } ?? .null
        case "max": return values.max { compare($0, $1) < 0 } ?? .null
        case "any_value": return values.first ?? .null
        default: return .null
        }
    }
}
