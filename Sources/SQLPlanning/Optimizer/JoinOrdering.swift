import SQLFunctions
import Vectors

/// Puts inner joins in the order that makes the fewest rows: dynamic programming up to ten relations,
/// greedy beyond. The right side of each join is the smaller one, which is built.
struct JoinOrdering {
    private static let maxExhaustive = 10
    /// A set of relations is a word of 64 bits. The joins above stay where they were written.
    private static let maxRelations = 60
    /// Building a row costs more than probing with one.
    private static let buildCost = 2.0
    /// A pair of a join without an equality, where every row meets every row.
    private static let pairCost = 0.3

    let allocator: ColumnAllocator

    func ordered(_ plan: LogicalPlan) -> LogicalPlan {
        var graph = JoinGraph()
        switch plan {
        case .join(let node) where node.kind == .inner || node.kind == .cross: graph.add(plan)
        default: return plan.mapChildren { ordered($0) }
        }
        guard graph.relations.count <= Self.maxRelations else {
            return plan.mapChildren { ordered($0) }
        }
        graph.relations = graph.relations.map { ordered($0) }
        graph.prepare()
        let tree =
            graph.relations.count <= Self.maxExhaustive ? exhaustive(graph) : greedy(graph)
        var applied: Set<Int> = []
        let joined = build(tree, graph, &applied)
        let rest = graph.conditions.indices.filter { !applied.contains($0) }
        return joined.filtered(rest.map { graph.conditions[$0].expression })
    }

    private indirect enum Tree {
        case leaf(Int)
        case join(Tree, Tree)

        var mask: UInt64 {
            switch self {
            case .leaf(let index): 1 << UInt64(index)
            case .join(let left, let right): left.mask | right.mask
            }
        }
    }

    // MARK: Search

    private func exhaustive(_ graph: JoinGraph) -> Tree {
        let count = graph.relations.count
        let full = (1 << count) - 1
        var best = [(cost: Double, tree: Tree)?](repeating: nil, count: full + 1)
        var rows = [Double](repeating: 0, count: full + 1)
        for mask in 1...full { rows[mask] = graph.rows(of: UInt64(mask)) }
        for index in 0..<count { best[1 << index] = (0, .leaf(index)) }
        // Sets that only a cross product joins: no part of a plan that can do without.
        var crossed = [Bool](repeating: false, count: full + 1)
        for mask in 1...full where mask & (mask - 1) != 0 {
            // Connected splits first; a cross product only where there is no other way.
            for allowCross in [false, true] {
                var part = (mask - 1) & mask
                while part > 0 {
                    let other = mask ^ part
                    if let left = best[part], let right = best[other],
                        rows[part] >= rows[other],
                        allowCross
                            || !crossed[part] && !crossed[other]
                                && graph.areConnected(UInt64(part), UInt64(other))
                    {
                        var cost =
                            left.cost + right.cost + rows[mask] + rows[part]
                            + rows[other] * Self.buildCost
                        if !graph.haveEquality(UInt64(part), UInt64(other)) {
                            cost += rows[part] * rows[other] * Self.pairCost
                        }
                        if best[mask].map({ cost < $0.cost }) ?? true {
                            best[mask] = (cost, .join(left.tree, right.tree))
                        }
                    }
                    part = (part - 1) & mask
                }
                if best[mask] != nil {
                    crossed[mask] = allowCross
                    break
                }
            }
        }
        return best[full]?.tree ?? leftDeep(graph)
    }

    private func leftDeep(_ graph: JoinGraph) -> Tree {
        graph.relations.indices.dropFirst().reduce(.leaf(0)) { .join($0, .leaf($1)) }
    }

    /// Joins the pair with the fewest rows until one tree is left.
    private func greedy(_ graph: JoinGraph) -> Tree {
        var trees: [(tree: Tree, mask: UInt64, rows: Double)] = graph.relations.indices.map {
            (.leaf($0), 1 << UInt64($0), graph.rows(of: 1 << UInt64($0)))
        }
        while trees.count > 1 {
            var choice: (one: Int, other: Int, cost: Double, rows: Double)?
            for allowCross in [false, true] where choice == nil {
                for one in trees.indices {
                    for other in trees.indices where other > one {
                        guard allowCross || graph.areConnected(trees[one].mask, trees[other].mask)
                        else { continue }
                        let rows = graph.rows(of: trees[one].mask | trees[other].mask)
                        var cost = rows + min(trees[one].rows, trees[other].rows)
                        if !graph.haveEquality(trees[one].mask, trees[other].mask) {
                            cost += trees[one].rows * trees[other].rows * Self.pairCost
                        }
                        if choice.map({ cost < $0.cost }) ?? true {
                            choice = (one, other, cost, rows)
                        }
                    }
                }
            }
            guard let choice else { break }
            let one = trees[choice.one]
            let other = trees[choice.other]
            let tree: Tree =
                one.rows >= other.rows ? .join(one.tree, other.tree) : .join(other.tree, one.tree)
            trees.remove(at: choice.other)
            trees[choice.one] = (tree, one.mask | other.mask, choice.rows)
        }
        return trees[0].tree
    }

    // MARK: Plans

    private func build(_ tree: Tree, _ graph: JoinGraph, _ applied: inout Set<Int>) -> LogicalPlan {
        switch tree {
        case .leaf(let index): return graph.relations[index]
        case .join(let left, let right):
            let one = build(left, graph, &applied)
            let other = build(right, graph, &applied)
            let mask = tree.mask
            var conditions: [BoundExpression] = []
            for (index, condition) in graph.conditions.enumerated()
            where !applied.contains(index) && condition.mask & ~mask == 0 {
                applied.insert(index)
                conditions.append(condition.expression)
            }
            // Of the columns of one class, one pair says it all.
            conditions += graph.links(left.mask, right.mask)
            return .join(JoinNode.make(.inner, one, other, on: conditions, allocator))
        }
    }
}

/// Relations of inner joins and what must hold between them.
struct JoinGraph {
    struct Condition {
        var expression: BoundExpression
        var mask: UInt64
    }

    var relations: [LogicalPlan] = []
    /// Conditions other than equalities of columns.
    var conditions: [Condition] = []
    private var raw: [BoundExpression] = []
    private var estimates: [PlanEstimate] = []
    private var baseRows: [Double] = []
    /// Columns that are equal, with the relation of each.
    private var classes: [[(id: ColumnID, type: LogicalType, relation: Int)]] = []

    /// Takes a tree of inner joins apart.
    mutating func add(_ plan: LogicalPlan) {
        switch plan {
        case .join(let node)
        where (node.kind == .inner || node.kind == .cross) && relations.count < 60:
            add(node.left)
            add(node.right)
            raw += node.equalityConditions + (node.residual?.conjuncts ?? [])
        case .filter(let input, let predicate)
        where input.isInnerJoin && predicate.isDeterministic && !predicate.canFail:
            add(input)
            raw += predicate.conjuncts
        case .project(let input, let assignments)
        where input.isInnerJoin
            && assignments.allSatisfy({ $0.expression.columnID == $0.column.id }):
            add(input)
        default: relations.append(plan)
        }
    }

    /// Sorts conditions and estimates, once the relations are final.
    mutating func prepare() {
        estimates = relations.map(\.estimate)
        baseRows = relations.map(\.unfilteredRows)
        let outputs = relations.map(\.outputIDs)
        var owners: [ColumnID: Int] = [:]
        for (index, ids) in outputs.enumerated() { for id in ids { owners[id] = index } }
        var equal = ColumnClasses()
        var seen: Set<String> = []
        for expression in raw where seen.insert(expression.identity).inserted {
            if case .comparison(
                .equal, .column(let one, let type), .column(let other, let otherType)) =
                expression, let first = owners[one], let second = owners[other], first != second,
                type.isJoinable(with: otherType)
            {
                equal.unite((one, type), (other, otherType))
                continue
            }
            let mask = expression.columns.reduce(UInt64(0)) { mask, id in
                owners[id].map { mask | 1 << UInt64($0) } ?? mask
            }
            conditions.append(Condition(expression: expression, mask: mask))
        }
        classes = equal.classes.map { members in
            members.compactMap { member in owners[member.id].map { (member.id, member.type, $0) } }
        }
        // Two columns of one relation in one class must be equal there.
        for members in classes {
            for (position, member) in members.enumerated() {
                guard
                    let first = members[..<position].first(where: { $0.relation == member.relation }
                    )
                else { continue }
                let condition = BoundExpression.comparison(
                    .equal, .column(first.id, first.type), .column(member.id, member.type))
                relations[member.relation] = relations[member.relation].filtered([condition])
            }
        }
    }

    func areConnected(_ left: UInt64, _ right: UInt64) -> Bool {
        haveEquality(left, right)
            || conditions.contains { condition in
                condition.mask & left != 0 && condition.mask & right != 0
                    && condition.mask & ~(left | right) == 0
            }
    }

    /// Whether an equality of columns joins the two sets, so that a hash table can.
    func haveEquality(_ left: UInt64, _ right: UInt64) -> Bool {
        classes.contains { members in
            members.contains { left >> UInt64($0.relation) & 1 == 1 }
                && members.contains { right >> UInt64($0.relation) & 1 == 1 }
        }
    }

    /// One equality for each class that both sides have a column of.
    func links(_ left: UInt64, _ right: UInt64) -> [BoundExpression] {
        classes.compactMap { members in
            guard let one = members.first(where: { left >> UInt64($0.relation) & 1 == 1 }),
                let other = members.first(where: { right >> UInt64($0.relation) & 1 == 1 })
            else { return nil }
            return .comparison(.equal, .column(one.id, one.type), .column(other.id, other.type))
        }
    }

    /// Rows of the join of a set of relations, however it is made: they are added one by one.
    func rows(of mask: UInt64) -> Double {
        var present: UInt64 = 0
        var rows = 1.0
        var distinct: [Int: Double] = [:]
        for index in relations.indices where mask >> UInt64(index) & 1 == 1 {
            let estimate = estimates[index]
            var selectivity = 1.0
            var ownKeys = 1.0
            var links = 0
            for (position, members) in classes.enumerated() {
                guard let own = members.first(where: { $0.relation == index }) else { continue }
                let values = estimate.distinct(own.id)
                if let before = distinct[position] {
                    selectivity /= max(min(before, max(1, rows)), values)
                    ownKeys *= values
                    links += 1
                    distinct[position] = min(before, values)
                } else {
                    distinct[position] = values
                }
            }
            if links > 1, ownKeys >= baseRows[index] {
                // Together the columns are probably a key of this relation.
                selectivity = max(selectivity, 1 / max(1, baseRows[index]))
            }
            rows *= max(estimate.rows, 1e-3) * selectivity
            present |= 1 << UInt64(index)
        }
        for condition in conditions
        where condition.mask & ~mask == 0 && condition.mask & (condition.mask &- 1) != 0 {
            var columns: [ColumnID: ColumnEstimate] = [:]
            for index in relations.indices where condition.mask >> UInt64(index) & 1 == 1 {
                columns.merge(estimates[index].columns) { first, _ in first }
            }
            rows *= Selectivity(columns: columns, rows: rows).of(condition.expression)
        }
        return rows
    }
}

extension LogicalPlan {
    var isInnerJoin: Bool {
        switch self {
        case .join(let node): node.kind == .inner || node.kind == .cross
        case .filter(let input, _), .project(let input, _): input.isInnerJoin
        default: false
        }
    }

    /// Rows of a relation before its filters: how many different keys it may have.
    var unfilteredRows: Double {
        switch self {
        case .scan(var node):
            node.filters = []
            return LogicalPlan.scan(node).estimate.rows
        case .filter(let input, _), .project(let input, _): return input.unfilteredRows
        case .join(let node):
            switch node.kind {
            case .semi, .anti, .nullAwareAnti, .mark: return node.left.unfilteredRows
            default: return estimate.rows
            }
        default: return estimate.rows
        }
    }

    /// Rows, before filters, of the largest relation below that gives one of the columns.
    func baseRows(of keys: Set<ColumnID>) -> Double {
        switch self {
        case .join(let node):
            switch node.kind {
            case .semi, .anti, .nullAwareAnti, .mark: return node.left.baseRows(of: keys)
            default: return max(node.left.baseRows(of: keys), node.right.baseRows(of: keys))
            }
        case .filter(let input, _): return input.baseRows(of: keys)
        case .project(let input, let assignments):
            let inner = assignments.filter { keys.contains($0.column.id) }.compactMap(
                \.expression.columnID)
            return input.baseRows(of: Set(inner))
        default: return keys.isDisjoint(with: outputIDs) ? 0 : unfilteredRows
        }
    }

    /// Joins whose kind fixes the sides build the smaller one: LEFT becomes RIGHT and the other way.
    func choosingBuildSides() -> LogicalPlan {
        transformed { node in
            guard case .join(var join) = node else { return node }
            let swapped: JoinKind
            switch join.kind {
            case .inner: swapped = .inner
            case .cross: swapped = .cross
            case .left: swapped = .right
            case .right: swapped = .left
            case .full: swapped = .full
            case .semi, .anti:
                join.prefersLeftBuild =
                    !join.equalities.isEmpty
                    && join.left.estimate.rows * 2 < join.right.estimate.rows
                return .join(join)
            case .nullAwareAnti, .mark: return node
            }
            guard join.left.estimate.rows * 1.5 < join.right.estimate.rows else { return node }
            join.kind = swapped
            (join.left, join.right) = (join.right, join.left)
            join.equalities = join.equalities.map {
                JoinEquality(left: $0.right, right: $0.left, matchesNulls: $0.matchesNulls)
            }
            return .join(join)
        }
    }
}
