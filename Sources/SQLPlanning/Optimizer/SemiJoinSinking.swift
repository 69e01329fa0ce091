import SQLFunctions
import Vectors

/// Moves semi and anti joins down to the side of an inner join whose columns they look at, where they
/// remove many rows early.
struct SemiJoinSinking {
    /// A semi join that keeps more than this share of the rows stays above.
    private static let maxShare = 0.5

    func sunk(_ plan: LogicalPlan) -> LogicalPlan {
        let below = plan.mapChildren { sunk($0) }
        guard case .join(let node) = below else { return below }
        switch node.kind {
        case .semi, .anti, .nullAwareAnti: break
        default: return below
        }
        guard node.residual == nil, !node.equalities.isEmpty, node.left.isInnerJoin else {
            return below
        }
        let left = node.left.estimate
        let share = node.matchShare(left, node.right.estimate)
        guard node.kind != .semi || share <= Self.maxShare else { return below }
        let keys = Set(node.equalities.map(\.left))
        return sink(node, into: node.left, keys) ?? below
    }

    private func sink(
        _ node: JoinNode, into plan: LogicalPlan, _ keys: Set<ColumnID>
    ) -> LogicalPlan? {
        guard keys.isSubset(of: plan.outputIDs) else { return nil }
        switch plan {
        case .join(var join) where join.kind == .inner || join.kind == .cross:
            if let left = sink(node, into: join.left, keys) {
                join.left = left
                return .join(join)
            }
            if let right = sink(node, into: join.right, keys) {
                join.right = right
                return .join(join)
            }
        case .filter(let input, let predicate):
            if input.isInnerJoin, let inner = sink(node, into: input, keys) {
                return .filter(inner, predicate: predicate)
            }
        default: break
        }
        var copy = node
        copy.left = plan
        return .join(copy)
    }
}
