package import SQLFunctions
import Vectors

/// The optimizer's rules, each with a switch. A plan that was only bound executes correctly too.
package struct OptimizerRules: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Constants, boolean algebra, common terms of ORs.
    package static let fold = OptimizerRules(rawValue: 1 << 0)
    /// Conditions move to joins and scans; outer joins that lose their NULLs become inner.
    package static let pushPredicates = OptimizerRules(rawValue: 1 << 1)
    /// Conditions on one side of an equality hold for the other; single-table parts of ORs.
    package static let inferPredicates = OptimizerRules(rawValue: 1 << 2)
    /// Semi and anti joins move down to the table they restrict.
    package static let sinkSemiJoins = OptimizerRules(rawValue: 1 << 3)
    /// The order of inner joins by cost.
    package static let orderJoins = OptimizerRules(rawValue: 1 << 4)
    /// The smaller side is built.
    package static let chooseBuildSides = OptimizerRules(rawValue: 1 << 5)
    /// Columns that nobody reads go.
    package static let pruneColumns = OptimizerRules(rawValue: 1 << 6)
    /// Projections over projections become one.
    package static let mergeProjections = OptimizerRules(rawValue: 1 << 7)
    /// LIMIT moves down, sort with LIMIT becomes top-N.
    package static let limits = OptimizerRules(rawValue: 1 << 8)
    /// DISTINCT of what is distinct, orders that nobody sees, NULL-aware joins without NULLs, sums of a
    /// column with constants added.
    package static let simplifyNodes = OptimizerRules(rawValue: 1 << 9)

    package static let none: OptimizerRules = []
    package static let all = OptimizerRules(rawValue: (1 << 10) - 1)
}

/// Turns a bound plan into a cheaper one with the same rows.
package struct Optimizer {
    package let rules: OptimizerRules
    package let allocator: ColumnAllocator
    package let registry: FunctionRegistry
    package let evaluator: (any ConstantEvaluator)?
    /// Checks the plan after each rule: a rule that breaks a plan is found where it did.
    package let checks: Bool

    /// `allocator` must be the binder's. Checks are on in debug builds.
    package init(
        rules: OptimizerRules = .all, allocator: ColumnAllocator,
        registry: FunctionRegistry = .standard,
        evaluator: (any ConstantEvaluator)? = nil, checks: Bool = Optimizer.checksByDefault
    ) {
        self.rules = rules
        self.allocator = allocator
        self.registry = registry
        self.evaluator = evaluator
        self.checks = checks
    }

    #if DEBUG
        package static let checksByDefault = true
    #else
        package static let checksByDefault = false
    #endif

    /// The statement with its plan optimized.
    package func optimize(_ statement: BoundStatement) throws(QueryFault) -> BoundStatement {
        switch statement {
        case .query(var query):
            query.plan = try optimize(query.plan, keeping: query.columns.map(\.id))
            return .query(query)
        case .createTableAs(let create, var query):
            query.plan = try optimize(query.plan, keeping: query.columns.map(\.id))
            return .createTableAs(create, query)
        case .insert(var insert):
            insert.plan = try optimize(insert.plan, keeping: insert.columns)
            return .insert(insert)
        case .delete(var change):
            change.plan = try optimize(change.plan, keeping: change.columns)
            return .delete(change)
        case .update(var change):
            change.plan = try optimize(change.plan, keeping: change.columns)
            return .update(change)
        case .merge(var change):
            change.plan = try optimize(change.plan, keeping: change.columns)
            return .merge(change)
        case .utility: return statement
        }
    }

    /// A plan with (at least) these outputs.
    package func optimize(
        _ plan: LogicalPlan, keeping columns: [ColumnID]
    ) throws(QueryFault) -> LogicalPlan {
        var result = plan
        try check(result, "binding")
        let required = Set(columns)
        func apply(
            _ rule: OptimizerRules, _ name: String, _ rewrite: (LogicalPlan) -> LogicalPlan
        ) throws(QueryFault) {
            guard rules.contains(rule) else { return }
            result = rewrite(result)
            try check(result, name)
        }
        let folding = ExpressionFolding(evaluator: evaluator)
        let simplification = NodeSimplification(registry: registry)
        let pushDown = PredicatePushDown(
            allocator: allocator, infers: rules.contains(.inferPredicates))
        try apply(.fold, "fold") { $0.foldingExpressions(folding) }
        try apply(.simplifyNodes, "simplify") { simplification.simplified($0) }
        try apply(.mergeProjections, "merge projections") { $0.mergingProjections() }
        try apply(.pushPredicates, "push predicates") { pushDown.push($0, []) }
        try apply(.fold, "fold again") { $0.foldingExpressions(folding) }
        try apply(.sinkSemiJoins, "sink semi joins") { SemiJoinSinking().sunk($0) }
        try apply(.pruneColumns, "prune before ordering") {
            ColumnPruning(narrows: false).pruned($0, required)
        }
        try apply(.mergeProjections, "merge projections again") { $0.mergingProjections() }
        try apply(.simplifyNodes, "share sums") {
            SharedSums(allocator: allocator, registry: registry).shared($0)
        }
        try apply(.orderJoins, "order joins") { JoinOrdering(allocator: allocator).ordered($0) }
        try apply(.pushPredicates, "push predicates again") { pushDown.push($0, []) }
        try apply(.chooseBuildSides, "build sides") { $0.choosingBuildSides() }
        try apply(.limits, "limits") { LimitPushDown().pushed($0) }
        try apply(.pruneColumns, "prune columns") {
            ColumnPruning(narrows: true).pruned($0, required)
        }
        try apply(.mergeProjections, "merge projections at last") { $0.mergingProjections() }
        guard required.isSubset(of: result.outputIDs) else {
            throw QueryFault(
                .genericInternalError, "the optimizer lost a column of the result",
                hint: "please report this query; SET SESSION optimizer = 'off' avoids it")
        }
        return result
    }

    private func check(_ plan: LogicalPlan, _ rule: String) throws(QueryFault) {
        guard checks else { return }
        if let problem = PlanChecker().problem(in: plan) {
            throw QueryFault(
                .genericInternalError, "the plan is broken after \(rule): \(problem)",
                hint: "please report this query")
        }
    }
}

extension LogicalPlan {
    /// Every expression simplified; filters that let all or nothing pass are gone.
    func foldingExpressions(_ folding: ExpressionFolding) -> LogicalPlan {
        transformed { node in
            let folded = node.mapExpressions { folding.folded($0) }
            switch folded {
            case .filter(let input, let predicate):
                if predicate.isTrue { return input }
                if predicate.isFalse || predicate.isNullLiteral {
                    return .values(ValuesNode(columns: input.outputs, rows: []))
                }
            case .join(var join):
                if join.residual?.isTrue == true {
                    join.residual = nil
                    return .join(join)
                }
            default: break
            }
            return folded
        }
    }

    /// Projections over projections as one, where nothing is computed twice; none that only pass on
    /// what comes in.
    func mergingProjections() -> LogicalPlan {
        transformed { node in
            guard case .project(let input, let assignments) = node else { return node }
            if case .project(let below, let inner) = input {
                var uses: [ColumnID: Int] = [:]
                for assignment in assignments {
                    _ = assignment.expression.contains { expression in
                        if let id = expression.columnID { uses[id, default: 0] += 1 }
                        return false
                    }
                }
                let mayMerge = inner.allSatisfy { assignment in
                    assignment.expression.columnID != nil
                        || assignment.expression.literalValue != nil
                        || (uses[assignment.column.id] ?? 0) <= 1
                            && assignment.expression.isDeterministic
                }
                let insideLambda = assignments.contains { assignment in
                    assignment.expression.contains { if case .lambda = $0 { true } else { false } }
                }
                if mayMerge && !insideLambda {
                    let values = Dictionary(
                        inner.map { ($0.column.id, $0.expression) },
                        uniquingKeysWith: { first, _ in first })
                    return .project(
                        below,
                        assignments.map {
                            Assignment(
                                column: $0.column, expression: $0.expression.substituting(values))
                        })
                }
            }
            let passes = assignments.allSatisfy { $0.expression.columnID == $0.column.id }
            if passes, Set(assignments.map(\.column.id)) == input.outputIDs { return input }
            return node
        }
    }
}
