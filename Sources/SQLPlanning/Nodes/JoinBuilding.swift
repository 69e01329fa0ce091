import SQLFunctions
import Vectors

extension JoinNode {
    /// Makes a join from a condition: conjuncts that compare a side with the other become equalities
    /// (computed by projections below the join where they are no plain columns), the rest the residual.
    ///
    /// Columns that a projection adds stay in the output of the join; who reads by id is not disturbed.
    static func make(
        _ kind: JoinKind, _ left: LogicalPlan, _ right: LogicalPlan,
        on condition: [BoundExpression],
        _ allocator: ColumnAllocator
    ) -> JoinNode {
        var builder = JoinBuilder(left: left, right: right, allocator: allocator)
        var residual: [BoundExpression] = []
        for conjunct in condition.flatMap(\.conjuncts) {
            if !builder.addEquality(conjunct) { residual.append(conjunct) }
        }
        var kind = kind
        if kind == .cross && !(builder.equalities.isEmpty && residual.isEmpty) { kind = .inner }
        if kind == .inner && builder.equalities.isEmpty && residual.isEmpty { kind = .cross }
        return JoinNode(
            kind: kind, left: builder.left, right: builder.right, equalities: builder.equalities,
            residual: residual.isEmpty ? nil : .all(residual))
    }
}

private struct JoinBuilder {
    var left: LogicalPlan
    var right: LogicalPlan
    let allocator: ColumnAllocator
    var equalities: [JoinEquality] = []
    let leftIDs: Set<ColumnID>
    let rightIDs: Set<ColumnID>

    init(left: LogicalPlan, right: LogicalPlan, allocator: ColumnAllocator) {
        self.left = left
        self.right = right
        self.allocator = allocator
        leftIDs = left.outputIDs
        rightIDs = right.outputIDs
    }

    /// Takes `a = b` or `a IS NOT DISTINCT FROM b` where each operand reads one side only.
    mutating func addEquality(_ conjunct: BoundExpression) -> Bool {
        guard case .comparison(let op, let first, let second) = conjunct,
            op == .equal || op == .notDistinct,
            first.isDeterministic, second.isDeterministic, first.type.isJoinable(with: second.type)
        else { return false }
        let firstColumns = first.columns
        let secondColumns = second.columns
        guard !firstColumns.isEmpty, !secondColumns.isEmpty else { return false }
        let pair: (BoundExpression, BoundExpression)
        if firstColumns.isSubset(of: leftIDs) && secondColumns.isSubset(of: rightIDs) {
            pair = (first, second)
        } else if firstColumns.isSubset(of: rightIDs) && secondColumns.isSubset(of: leftIDs) {
            pair = (second, first)
        } else {
            return false
        }
        equalities.append(
            JoinEquality(
                left: left.provide(pair.0, allocator), right: right.provide(pair.1, allocator),
                matchesNulls: op == .notDistinct))
        return true
    }
}

extension LogicalType {
    /// Whether columns of both types can be the two sides of an equality as they are.
    func isJoinable(with other: LogicalType) -> Bool {
        self == other || hasSameValues(as: other) || other.hasSameValues(as: self)
    }
}

extension LogicalPlan {
    /// A column of the output that holds an expression; a projection is added unless there is one.
    mutating func provide(
        _ expression: BoundExpression, _ allocator: ColumnAllocator, name: String = "expr"
    ) -> ColumnID {
        // An outer query's column is none of this plan, and gets an id of its own here.
        if let id = expression.columnID, outputs.contains(where: { $0.id == id }) { return id }
        let text = expression.identity
        if case .project(let input, var assignments) = self {
            // A neighbour of the same meaning may be there already.
            if let same = assignments.first(where: { $0.expression.identity == text }) {
                return same.column.id
            }
            if expression.columns.isSubset(of: input.outputIDs) {
                let column = allocator.column(expression.type, name)
                assignments.append(Assignment(column: column, expression: expression))
                self = .project(input, assignments)
                return column.id
            }
        }
        let column = allocator.column(expression.type, name)
        self = .project(
            self, outputs.map(\.assignment) + [Assignment(column: column, expression: expression)])
        return column.id
    }

    /// One row without columns: what SELECT without FROM reads.
    static var oneRow: LogicalPlan { .values(ValuesNode(columns: [], rows: [[]])) }

    /// The rows for which all conditions hold.
    func filtered(_ conditions: [BoundExpression]) -> LogicalPlan {
        let flat = conditions.flatMap(\.conjuncts)
        guard !flat.isEmpty else { return self }
        if case .filter(let input, let predicate) = self {
            let present = Set(predicate.conjuncts.filter(\.isDeterministic).map(\.identity))
            let added = flat.filter { !present.contains($0.identity) }
            return .filter(input, predicate: .all([predicate] + added))
        }
        return .filter(self, predicate: .all(flat))
    }

    /// Whether the node gives at most one row by its form.
    var isSingleRow: Bool {
        switch self {
        case .singleRow: true
        case .aggregate(let node): node.keys.isEmpty && (node.groupingSets?.count ?? 1) <= 1
        case .values(let node): node.rows.count <= 1
        case .limit(let input, let count, _): count.map { $0 <= 1 } ?? false || input.isSingleRow
        case .topN(let input, _, let count, _, let withTies):
            count <= 1 && !withTies || input.isSingleRow
        case .filter(let input, _), .project(let input, _), .sort(let input, _),
            .rowNumber(let input, _), .sample(let input, _):
            input.isSingleRow
        case .window(let node): node.input.isSingleRow
        case .join(let node):
            switch node.kind {
            case .semi, .anti, .nullAwareAnti, .mark: node.left.isSingleRow
            case .full: false
            default: node.left.isSingleRow && node.right.isSingleRow
            }
        default: false
        }
    }
}
