import SQLFunctions
import Vectors

/// Moves LIMIT towards the scans and makes top-N of sort with LIMIT.
struct LimitPushDown {
    /// More rows than this are sorted as a whole.
    private static let maxTopN: Int64 = 1_000_000

    func pushed(_ plan: LogicalPlan) -> LogicalPlan {
        switch plan {
        case .limit(let input, let count?, let offset): return limited(pushed(input), count, offset)
        default: return plan.mapChildren { pushed($0) }
        }
    }

    private func limited(_ input: LogicalPlan, _ count: Int64, _ offset: Int64) -> LogicalPlan {
        let (total, overflow) = count.addingReportingOverflow(offset)
        switch input {
        case .sort(let below, let keys) where !overflow && total <= Self.maxTopN:
            return .topN(below, keys, count: count, offset: offset, withTies: false)
        case .project(let below, let assignments):
            return .project(limited(below, count, offset), assignments)
        case .limit(let below, let inner, 0):
            return limited(below, min(count, max(0, (inner ?? .max) - offset)), offset)
        default:
            guard !overflow else { return .limit(input, count: count, offset: offset) }
            return .limit(hinted(input, total), count: count, offset: offset)
        }
    }

    /// A plan that gives at least the first `count` of its rows, whichever those are.
    private func hinted(_ plan: LogicalPlan, _ count: Int64) -> LogicalPlan {
        switch plan {
        case .scan(var node):
            node.limit = min(node.limit ?? count, count)
            return .scan(node)
        case .project(let input, let assignments):
            return .project(hinted(input, count), assignments)
        case .union(let inputs, let columns, let mapping):
            return .union(
                inputs.map { .limit(hinted($0, count), count: count, offset: 0) }, columns: columns,
                mapping: mapping)
        case .join(var node):
            switch node.kind {
            case .left, .mark: node.left = .limit(hinted(node.left, count), count: count, offset: 0)
            case .right: node.right = .limit(hinted(node.right, count), count: count, offset: 0)
            default: return plan
            }
            return .join(node)
        default: return plan
        }
    }
}
