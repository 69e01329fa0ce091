import SQLFunctions
import Vectors

/// Prints a plan as a tree, for EXPLAIN.
///
///     TopN [revenue DESC NULLS LAST; 10]                rows 10
///     └─ Aggregate [l_orderkey; revenue := sum(expr)]   rows 3.1k
///        └─ Join inner [l_orderkey = o_orderkey]        rows 30.2k
package struct PlanPrinter {
    private let showsEstimates: Bool
    private var names: [ColumnID: String] = [:]

    package init(showsEstimates: Bool = true) { self.showsEstimates = showsEstimates }

    /// The tree, one node a line; columns by name, with their number where two share one.
    package mutating func text(_ plan: LogicalPlan) -> String {
        collect(plan)
        var counts: [String: Set<ColumnID>] = [:]
        for (id, name) in names { counts[name, default: []].insert(id) }
        for (id, name) in names where (counts[name]?.count ?? 0) > 1 {
            names[id] = "\(name)#\(id.number)"
        }
        var lines: [String] = []
        write(plan, "", "", &lines)
        return lines.joined(separator: "\n")
    }

    /// The same as nodes, for documents in other formats.
    package mutating func tree(_ plan: LogicalPlan) -> PlanDescription {
        _ = text(plan)
        return describe(plan)
    }

    private func describe(_ plan: LogicalPlan) -> PlanDescription {
        PlanDescription(
            title: Self.title(plan), detail: detail(plan),
            outputs: plan.outputs.map { (name($0.id), $0.type) }, rows: plan.estimate.rows,
            children: plan.children.map(describe))
    }

    private mutating func collect(_ plan: LogicalPlan) {
        for column in plan.outputs where names[column.id] == nil { names[column.id] = column.name }
        if case .scan(let node) = plan {
            for entry in node.filterOnlyColumns { names[entry.column.id] = entry.column.name }
        }
        for child in plan.children { collect(child) }
    }

    private func write(
        _ plan: LogicalPlan, _ first: String, _ rest: String, _ lines: inout [String]
    ) {
        var line = first + Self.title(plan)
        let text = detail(plan)
        if !text.isEmpty { line += " [\(text)]" }
        if showsEstimates { line += "  rows \(Self.short(plan.estimate.rows))" }
        lines.append(line)
        let children = plan.children
        for (index, child) in children.enumerated() {
            let isLast = index == children.count - 1
            write(
                child, rest + (isLast ? "└─ " : "├─ "), rest + (isLast ? "   " : "│  "), &lines)
        }
    }

    private func name(_ id: ColumnID) -> String { names[id] ?? "#\(id.number)" }

    private func list(_ ids: [ColumnID]) -> String { ids.map(name).joined(separator: ", ") }

    private func text(_ expression: BoundExpression) -> String { expression.text { name($0) } }

    private func keys(_ keys: [SortKey]) -> String {
        keys.map { key in
            "\(name(key.column)) \(key.isAscending ? "ASC" : "DESC") NULLS \(key.nullsFirst ? "FIRST" : "LAST")"
        }.joined(separator: ", ")
    }

    /// The node's kind in words.
    static func title(_ plan: LogicalPlan) -> String {
        switch plan {
        case .scan(let node): return "Scan \(node.table.name)"
        case .values: return "Values"
        case .filter: return "Filter"
        case .project: return "Project"
        case .aggregate(let node): return node.calls.isEmpty ? "Distinct" : "Aggregate"
        case .join(let node):
            switch node.kind {
            case .inner: return "Join inner"
            case .left: return "Join left"
            case .right: return "Join right"
            case .full: return "Join full"
            case .cross: return "Join cross"
            case .semi: return "Join semi"
            case .anti: return "Join anti"
            case .nullAwareAnti: return "Join anti (NULL-aware)"
            case .mark(_, let isNullAware):
                return isNullAware ? "Join mark (NULL-aware)" : "Join mark"
            }
        case .window: return "Window"
        case .sort: return "Sort"
        case .topN: return "TopN"
        case .limit: return "Limit"
        case .union: return "Union"
        case .unnest: return "Unnest"
        case .singleRow: return "SingleRow"
        case .rowNumber: return "RowNumber"
        case .sample: return "Sample"
        }
    }

    private func detail(_ plan: LogicalPlan) -> String {
        switch plan {
        case .scan(let node):
            var parts = [list(node.columns.map(\.id))]
            if !node.filters.isEmpty {
                parts.append("filter " + node.filters.map(text).joined(separator: " AND "))
            }
            if let limit = node.limit { parts.append("limit \(limit)") }
            return parts.joined(separator: "; ")
        case .values(let node): return "\(node.rows.count) rows"
        case .filter(_, let predicate): return text(predicate)
        case .project(_, let assignments):
            return assignments.map { assignment in
                assignment.expression.columnID == assignment.column.id
                    ? name(assignment.column.id)
                    : "\(name(assignment.column.id)) := \(text(assignment.expression))"
            }.joined(separator: ", ")
        case .aggregate(let node): return aggregate(node)
        case .join(let node):
            var parts = node.equalities.map {
                "\(name($0.left)) \($0.matchesNulls ? "IS NOT DISTINCT FROM" : "=") \(name($0.right))"
            }
            if let residual = node.residual { parts.append(text(residual)) }
            return parts.joined(separator: " AND ") + (node.prefersLeftBuild ? "; builds left" : "")
        case .window(let node):
            var parts: [String] = []
            if !node.partitionBy.isEmpty { parts.append("partition by \(list(node.partitionBy))") }
            if !node.orderBy.isEmpty { parts.append("order by \(keys(node.orderBy))") }
            parts += node.calls.map {
                "\(name($0.output.id)) := \($0.function.function.name)(\(list($0.arguments)))"
            }
            return parts.joined(separator: "; ")
        case .sort(_, let order): return keys(order)
        case .topN(_, let order, let count, let offset, let withTies):
            return keys(order) + "; \(count)" + (offset > 0 ? " offset \(offset)" : "")
                + (withTies ? " with ties" : "")
        case .limit(_, let count, let offset):
            return (count.map { "\($0)" } ?? "all") + (offset > 0 ? " offset \(offset)" : "")
        case .union(_, let columns, _): return list(columns.map(\.id))
        case .unnest(let node): return (node.isOuter ? "outer " : "") + list(node.collections)
        case .singleRow: return ""
        case .rowNumber(_, let id): return name(id)
        case .sample(_, let percent): return "\(percent) %"
        }
    }

    private func aggregate(_ node: AggregateNode) -> String {
        var parts: [String] = []
        if let sets = node.groupingSets {
            let texts = sets.map { set in "(\(list(set.map { node.keys[$0].id })))" }
            parts.append("sets \(texts.joined(separator: ", "))")
        } else if !node.keys.isEmpty {
            parts.append(list(node.keys.map(\.id)))
        }
        parts += node.calls.map { call in
            var inner =
                call.arguments.isEmpty && call.function.function.name == "count"
                ? "*" : list(call.arguments)
            if call.isDistinct { inner = "DISTINCT " + inner }
            if !call.order.isEmpty { inner += " ORDER BY \(keys(call.order))" }
            let filter = call.filter.map { " FILTER \(name($0))" } ?? ""
            return "\(name(call.output.id)) := \(call.function.function.name)(\(inner))\(filter)"
        }
        return parts.joined(separator: "; ")
    }

    /// A count with a unit, such as `3.1k`; a power of ten such as `1e29` for what no table has.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return "?" }
        guard value < 1e15 else {
            var power = 15
            while power < 308, powerOfTen(power + 1) <= value { power += 1 }
            return "1e\(power)"
        }
        for (limit, unit) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] where value >= limit
        {
            let tenths = Int((value / limit * 10).rounded())
            return "\(tenths / 10).\(tenths % 10)\(unit)"
        }
        return "\(Int(value.rounded()))"
    }
}
