import Authority
import SQLExecution
import SQLFunctions
import SQLPlanning
import Synchronization

/// Pages of small results that may be shown again: for dashboards, which ask the same of the same
/// snapshots for many viewers and reloads.
///
/// A statement is bound before its result is looked for, so that its caller's rights are asked every
/// time; the key has the caller, the text, the session, and the snapshots and policy decisions that
/// binding found. What asks the clock or dice is never kept. The oldest pages go first.
final class ResultCache: Sendable {
    static let byteLimit = 32 << 20
    static let resultByteLimit = 1 << 20

    private struct Entry {
        var pages: [ResultPage]
        var bytes: Int
        var lastUse: Int
    }
    private struct State {
        var entries: [String: Entry] = [:]
        var bytes = 0
        var uses = 0
    }
    private let state = Mutex(State())

    /// The pages of an equal statement.
    func pages(_ key: String) -> [ResultPage]? {
        state.withLock { state in
            state.uses += 1
            let now = state.uses
            state.entries[key]?.lastUse = now
            return state.entries[key]?.pages
        }
    }

    func keep(_ pages: [ResultPage], for key: String) {
        let bytes = pages.reduce(key.utf8.count) { $0 + $1.bytes.count }
        guard bytes <= Self.resultByteLimit else { return }
        state.withLock { state in
            state.uses += 1
            if let old = state.entries.removeValue(forKey: key) { state.bytes -= old.bytes }
            while state.bytes + bytes > Self.byteLimit,
                let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                state.bytes -= oldest.value.bytes
                state.entries[oldest.key] = nil
            }
            state.entries[key] = Entry(pages: pages, bytes: bytes, lastUse: state.uses)
            state.bytes += bytes
        }
    }
}

extension StatementRun {
    /// What the result of a query is kept under; nil where it may not be kept. Ask after binding.
    var resultKey: String? {
        let session = query.session
        guard session.reusesResults, isRepeatable, let states = view.fingerprint else {
            return nil
        }
        let principal = context.principal
        let properties = session.properties.sorted { $0.key < $1.key }.map {
            "\($0.key)=\($0.value)"
        }
        return [
            principal.id, principal.name, "\(principal.groups.sorted())",
            "\(principal.roles.sorted())", session.catalog ?? "", session.schema ?? "",
            session.zone ?? "", "\(properties)", "\(type(of: query.encoder))", states, query.sql,
        ].joined(separator: "\u{1F}")
    }
}

extension LogicalPlan {
    /// Whether the same tables give the same rows again: nothing asks the clock or dice. Of the plan as
    /// it was bound: the optimizer makes a constant of the clock.
    var isRepeatable: Bool {
        switch self {
        case .sample, .rowNumber: return false
        case .window(let node):
            // What DEFINE says stands in the call, not among the node's expressions.
            let conditions = node.calls.compactMap(\.pattern).flatMap(\.conditions)
            guard conditions.allSatisfy({ $0?.predicate.isRepeatable ?? true }) else {
                return false
            }
        default: break
        }
        return expressions.allSatisfy(\.isRepeatable) && children.allSatisfy(\.isRepeatable)
    }
}

extension BoundExpression {
    /// Functions that give the start of the query.
    private static let clocks: Set<String> = [
        "current_timestamp", "localtimestamp", "current_date", "localtime", "current_time",
    ]

    fileprivate var isRepeatable: Bool {
        switch self {
        case .literal, .column: true
        case .negate(let operand), .not(let operand), .isNull(let operand),
            .tryEvaluate(let operand), .cast(let operand, _, _), .field(let operand, _, _),
            .lambda(_, let operand):
            operand.isRepeatable
        case .arithmetic(_, let left, let right, _), .comparison(_, let left, let right):
            left.isRepeatable && right.isRepeatable
        case .and(let operands), .or(let operands), .coalesce(let operands, _),
            .row(let operands, _), .array(let operands, _):
            operands.allSatisfy(\.isRepeatable)
        case .inList(let operand, let values):
            operand.isRepeatable && values.allSatisfy(\.isRepeatable)
        case .like(let operand, let pattern, let escape):
            operand.isRepeatable && pattern.isRepeatable && (escape?.isRepeatable ?? true)
        case .caseWhen(let branches, let otherwise, _):
            branches.allSatisfy { $0.condition.isRepeatable && $0.value.isRepeatable }
                && (otherwise?.isRepeatable ?? true)
        case .call(let resolved, let arguments):
            resolved.function.isDeterministic && !Self.clocks.contains(resolved.function.name)
                && arguments.allSatisfy(\.isRepeatable)
        }
    }
}
