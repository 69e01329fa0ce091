import SQLFunctions
import Vectors

/// Moves conditions as far down as they go: into joins, aggregates, unions, scans.
///
/// What may fail stays above joins, so that it is not evaluated for rows that a join removes; what is
/// not deterministic stays where it is.
struct PredicatePushDown {
    let allocator: ColumnAllocator
    /// Whether conditions are derived from equalities and ORs.
    let infers: Bool

    /// The plan's rows for which the conditions hold.
    func push(_ plan: LogicalPlan, _ conditions: [BoundExpression]) -> LogicalPlan {
        let (movable, fixed) = split(conditions) { $0.isDeterministic }
        return pushed(plan, movable).filtered(fixed)
    }

    private func split(
        _ conditions: [BoundExpression], _ test: (BoundExpression) -> Bool
    ) -> ([BoundExpression], [BoundExpression]) {
        (conditions.filter(test), conditions.filter { !test($0) })
    }

    private func pushed(_ plan: LogicalPlan, _ conditions: [BoundExpression]) -> LogicalPlan {
        switch plan {
        // What stood below goes first: what can fail above is not asked of rows that it removes.
        case .filter(let input, let predicate): return push(input, predicate.conjuncts + conditions)
        case .scan(var node):
            let (safe, failing) = split(conditions) { !$0.canFail && !$0.columns.isEmpty }
            var seen = Set(node.filters.map(\.identity))
            node.filters += safe.filter { seen.insert($0.identity).inserted }
            return LogicalPlan.scan(node).filtered(failing)
        case .project(let input, let assignments):
            var values: [ColumnID: BoundExpression] = [:]
            var fixed: Set<ColumnID> = []
            for assignment in assignments {
                values[assignment.column.id] = assignment.expression
                if !assignment.expression.isDeterministic { fixed.insert(assignment.column.id) }
            }
            let (movable, stay) = split(conditions) { $0.columns.isDisjoint(with: fixed) }
            return LogicalPlan.project(
                push(input, movable.map { $0.substituting(values) }), assignments
            ).filtered(stay)
        case .aggregate(var node):
            let keys = Set(node.keys.map(\.id))
            let everywhere =
                node.groupingSets.map { sets in
                    Set(
                        node.keys.indices.filter { index in sets.allSatisfy { $0.contains(index) } }
                            .map { node.keys[$0].id })
                } ?? keys
            let (movable, stay) = split(conditions) {
                !$0.columns.isEmpty && $0.columns.isSubset(of: everywhere)
            }
            node.input = push(node.input, movable)
            return LogicalPlan.aggregate(node).filtered(stay)
        case .window(var node):
            let partition = Set(node.partitionBy)
            let (movable, stay) = split(conditions) {
                !$0.columns.isEmpty && $0.columns.isSubset(of: partition)
            }
            node.input = push(node.input, movable)
            return LogicalPlan.window(node).filtered(stay)
        case .union(let inputs, let columns, let mapping):
            var parts: [LogicalPlan] = []
            for (input, map) in zip(inputs, mapping) {
                let types = Dictionary(
                    input.outputs.map { ($0.id, $0.type) }, uniquingKeysWith: { first, _ in first })
                var values: [ColumnID: BoundExpression] = [:]
                for (column, id) in zip(columns, map) {
                    values[column.id] = .column(id, types[id] ?? column.type)
                }
                parts.append(push(input, conditions.map { $0.substituting(values) }))
            }
            return .union(parts, columns: columns, mapping: mapping)
        case .sort(let input, let keys): return .sort(push(input, conditions), keys)
        case .rowNumber(let input, let id):
            let (movable, stay) = split(conditions) { !$0.columns.contains(id) }
            return LogicalPlan.rowNumber(push(input, movable), id).filtered(stay)
        case .unnest(var node):
            let kept = Set(node.kept)
            let (movable, stay) = split(conditions) { $0.columns.isSubset(of: kept) && !$0.canFail }
            node.input = push(node.input, movable)
            return LogicalPlan.unnest(node).filtered(stay)
        case .join(let node): return push(node, conditions)
        case .values, .topN, .limit, .singleRow, .sample:
            return plan.mapChildren { push($0, []) }.filtered(conditions)
        }
    }

    // MARK: Joins

    private func push(_ node: JoinNode, _ conditions: [BoundExpression]) -> LogicalPlan {
        let left = node.left.outputIDs
        let right = node.right.outputIDs
        var node = node
        node.kind = weakened(node.kind, conditions, left, right)
        switch node.kind {
        case .inner, .cross: return pushInner(node, conditions, left, right)
        case .left: return pushOuter(node, conditions, kept: left, other: right, keepsLeft: true)
        case .right: return pushOuter(node, conditions, kept: right, other: left, keepsLeft: false)
        case .full:
            node.left = push(node.left, [])
            node.right = push(node.right, [])
            return LogicalPlan.join(node).filtered(conditions)
        case .semi, .anti, .nullAwareAnti, .mark:
            return pushMembership(node, conditions, left, right)
        }
    }

    /// What an outer join is, once conditions above it drop the rows of NULLs.
    private func weakened(
        _ kind: JoinKind, _ conditions: [BoundExpression], _ left: Set<ColumnID>,
        _ right: Set<ColumnID>
    ) -> JoinKind {
        let dropsLeft = { conditions.contains { $0.rejectsNulls(of: left) } }
        let dropsRight = { conditions.contains { $0.rejectsNulls(of: right) } }
        switch kind {
        case .left: return dropsRight() ? .inner : .left
        case .right: return dropsLeft() ? .inner : .right
        case .full:
            switch (dropsLeft(), dropsRight()) {
            case (true, true): return .inner
            case (true, false): return .left
            case (false, true): return .right
            case (false, false): return .full
            }
        default: return kind
        }
    }

    private func pushInner(
        _ node: JoinNode, _ conditions: [BoundExpression], _ left: Set<ColumnID>,
        _ right: Set<ColumnID>
    ) -> LogicalPlan {
        var all = conditions + node.equalityConditions + (node.residual?.conjuncts ?? [])
        let (safe, failing) = split(all) { !$0.canFail || $0.columns.count == 0 }
        all = infers ? safe + inferred(from: safe, left, right) : safe
        let leftOnly = all.filter { $0.columns.isSubset(of: left) }
        let rightOnly = all.filter {
            !$0.columns.isSubset(of: left) && $0.columns.isSubset(of: right)
        }
        let both = all.filter { !$0.columns.isSubset(of: left) && !$0.columns.isSubset(of: right) }
        return LogicalPlan.join(
            JoinNode.make(
                .inner, push(node.left, leftOnly), push(node.right, rightOnly), on: both, allocator)
        ).filtered(failing)
    }

    private func pushOuter(
        _ node: JoinNode, _ conditions: [BoundExpression], kept: Set<ColumnID>,
        other: Set<ColumnID>,
        keepsLeft: Bool
    ) -> LogicalPlan {
        let (movable, stay) = split(conditions) { $0.columns.isSubset(of: kept) && !$0.canFail }
        let on = node.equalityConditions + (node.residual?.conjuncts ?? [])
        var toOther = on.filter {
            $0.columns.isSubset(of: other) && !$0.columns.isEmpty && !$0.canFail
        }
        let rest = on.filter {
            !($0.columns.isSubset(of: other) && !$0.columns.isEmpty && !$0.canFail)
        }
        if infers {
            // A condition on a key of the kept side holds for the rows of the other that can match.
            toOther += inferred(from: movable + node.equalityConditions, kept, other).filter {
                $0.columns.isSubset(of: other)
            }
        }
        let left = keepsLeft ? push(node.left, movable) : push(node.left, toOther)
        let right = keepsLeft ? push(node.right, toOther) : push(node.right, movable)
        return LogicalPlan.join(
            JoinNode.make(node.kind, left, right, on: rest, allocator)
        ).filtered(stay)
    }

    private func pushMembership(
        _ node: JoinNode, _ conditions: [BoundExpression], _ left: Set<ColumnID>,
        _ right: Set<ColumnID>
    ) -> LogicalPlan {
        var node = node
        var (movable, stay) = split(conditions) { $0.columns.isSubset(of: left) && !$0.canFail }
        var toRight: [BoundExpression] = []
        var isNullAware = node.kind == .nullAwareAnti
        if case .mark(_, let aware) = node.kind { isNullAware = aware }
        if !isNullAware {
            var rest: [BoundExpression] = []
            for conjunct in node.residual?.conjuncts ?? [] {
                if conjunct.columns.isSubset(of: right) && !conjunct.canFail
                    && conjunct.isDeterministic
                {
                    toRight.append(conjunct)
                } else if node.kind == .semi, conjunct.columns.isSubset(of: left), !conjunct.canFail
                {
                    movable.append(conjunct)
                } else {
                    rest.append(conjunct)
                }
            }
            node.residual = rest.isEmpty ? nil : .all(rest)
            if infers {
                toRight += inferred(from: movable + node.equalityConditions, left, right).filter {
                    $0.columns.isSubset(of: right)
                }
            }
        }
        node.left = push(node.left, movable)
        node.right = push(node.right, toRight)
        return LogicalPlan.join(node).filtered(stay)
    }

    // MARK: Inference

    /// Conditions that follow: `a = b AND a < 5` gives `b < 5`; an OR whose every branch restricts one
    /// side gives that side the OR of the restrictions.
    private func inferred(
        from conditions: [BoundExpression], _ left: Set<ColumnID>, _ right: Set<ColumnID>
    ) -> [BoundExpression] {
        var classes = ColumnClasses()
        for condition in conditions {
            if case .comparison(
                .equal, .column(let one, let type), .column(let other, let otherType)) =
                condition, type.isJoinable(with: otherType)
            {
                classes.unite((one, type), (other, otherType))
            }
        }
        var known = Set(conditions.map(\.identity))
        var result: [BoundExpression] = []
        for condition in conditions {
            let columns = condition.columns
            if columns.count == 1, let id = columns.first, condition.isDeterministic,
                !condition.canFail,
                condition.rejectsNulls(of: columns)
            {
                for (other, type) in classes.others(of: id) {
                    let derived = condition.substituting([id: .column(other, type)])
                    if known.insert(derived.identity).inserted { result.append(derived) }
                }
            }
            if case .or(let branches) = condition {
                for side in [left, right] where !columns.isSubset(of: side) {
                    var parts: [BoundExpression] = []
                    for branch in branches {
                        let own = branch.conjuncts.filter {
                            !$0.columns.isEmpty && $0.columns.isSubset(of: side) && !$0.canFail
                        }
                        if own.isEmpty { break }
                        parts.append(.all(own))
                    }
                    guard parts.count == branches.count else { continue }
                    let derived = ExpressionFolding(evaluator: nil).folded(.any(parts))
                    if known.insert(derived.identity).inserted { result.append(derived) }
                }
            }
        }
        // Equalities that follow from a chain: a = b and b = c give a = c, across the sides.
        return result
    }
}

/// Columns that equalities make the same.
struct ColumnClasses {
    private var parents: [ColumnID: ColumnID] = [:]
    private var types: [ColumnID: LogicalType] = [:]

    func root(_ id: ColumnID) -> ColumnID {
        var current = id
        while let parent = parents[current], parent != current { current = parent }
        return current
    }

    mutating func unite(_ one: (ColumnID, LogicalType), _ other: (ColumnID, LogicalType)) {
        types[one.0] = one.1
        types[other.0] = other.1
        if parents[one.0] == nil { parents[one.0] = one.0 }
        if parents[other.0] == nil { parents[other.0] = other.0 }
        let (first, second) = (root(one.0), root(other.0))
        if first != second { parents[second] = first }
    }

    /// The other members of a column's class, in a fixed order.
    func others(of id: ColumnID) -> [(ColumnID, LogicalType)] {
        guard parents[id] != nil else { return [] }
        let own = root(id)
        return types.filter { $0.key != id && root($0.key) == own }.sorted {
            $0.key.number < $1.key.number
        }.map { ($0.key, $0.value) }
    }

    /// All classes, in a fixed order.
    var classes: [[(id: ColumnID, type: LogicalType)]] {
        var byRoot: [ColumnID: [(id: ColumnID, type: LogicalType)]] = [:]
        for (id, type) in types { byRoot[root(id), default: []].append((id, type)) }
        return byRoot.values.map { $0.sorted { $0.id.number < $1.id.number } }
            .sorted { $0[0].id.number < $1[0].id.number }
    }
}

extension JoinNode {
    /// The equalities as conditions.
    var equalityConditions: [BoundExpression] {
        guard !equalities.isEmpty else { return [] }
        let types = Dictionary(
            (left.outputs + right.outputs).map { ($0.id, $0.type) },
            uniquingKeysWith: { first, _ in first })
        return equalities.map { equality in
            .comparison(
                equality.matchesNulls ? .notDistinct : .equal,
                .column(equality.left, types[equality.left] ?? .unknown),
                .column(equality.right, types[equality.right] ?? .unknown))
        }
    }
}

extension BoundExpression {
    /// Whether the condition is not true wherever all these columns are NULL.
    func rejectsNulls(of columns: Set<ColumnID>) -> Bool {
        switch self {
        case .literal(let value, _): value == .null || value == .boolean(false)
        case .comparison(let op, let left, let right):
            op != .distinct && op != .notDistinct
                && (left.isNullWhenNull(columns) || right.isNullWhenNull(columns))
        case .and(let terms): terms.contains { $0.rejectsNulls(of: columns) }
        case .or(let terms): terms.allSatisfy { $0.rejectsNulls(of: columns) }
        case .not(.isNull(let operand)): operand.isNullWhenNull(columns)
        case .not(let operand), .inList(let operand, _), .like(let operand, _, _):
            operand.isNullWhenNull(columns)
        case .column(let id, _): columns.contains(id)
        case .call: isNullWhenNull(columns)
        default: false
        }
    }

    /// Whether the value is NULL wherever all these columns are.
    func isNullWhenNull(_ columns: Set<ColumnID>) -> Bool {
        switch self {
        case .column(let id, _): columns.contains(id)
        case .literal(let value, _): value == .null
        case .arithmetic(_, let left, let right, _):
            left.isNullWhenNull(columns) || right.isNullWhenNull(columns)
        case .comparison(let op, let left, let right):
            op != .distinct && op != .notDistinct
                && (left.isNullWhenNull(columns) || right.isNullWhenNull(columns))
        case .negate(let operand), .cast(let operand, _, _), .not(let operand),
            .field(let operand, _, _),
            .inList(let operand, _), .like(let operand, _, _):
            operand.isNullWhenNull(columns)
        case .call(let resolved, let arguments):
            resolved.function.nullsPropagate && arguments.contains { $0.isNullWhenNull(columns) }
        default: false
        }
    }
}
