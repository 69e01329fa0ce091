import SQLFunctions
import Vectors

/// Sums of a column with constants added are made of one sum of the column and one count:
///
///     sum(a), sum(a + 1), sum(2 - 4 + a)  ─▶  s := sum(a), n := count(a);  s, s + 1 * n, s + -2 * n
///     avg(a)                              ─▶  the same s and n, over all rows only
///
/// Only for integers of at most 32 bits, and only where no addition can leave its type: then the original
/// cannot fail either. A mean of such integers comes out of exact sums, whatever the order of the rows.
struct SharedSums {
    let allocator: ColumnAllocator
    let registry: FunctionRegistry

    /// What a call adds up: `column + shift` of each row.
    private struct Term {
        var column: ColumnID
        var type: LogicalType
        var shift: Int64
        /// Which values it may have.
        var range: ClosedRange<Int64>
        var isMean = false
    }

    /// The columns that an aggregate has for one base column.
    private struct Parts {
        var sum: PlanColumn
        var count: PlanColumn
    }

    func shared(_ plan: LogicalPlan) -> LogicalPlan { plan.transformed(step) }

    private func step(_ node: LogicalPlan) -> LogicalPlan {
        guard case .aggregate(var aggregate) = node, aggregate.groupingSets == nil,
            case .project(let below, var assignments) = aggregate.input,
            let sum = try? registry.resolveAggregate("sum", [.bigint]),
            let count = try? registry.resolveAggregate("count", [.bigint])
        else { return node }
        let expressions = Dictionary(
            assignments.map { ($0.column.id, $0.expression) },
            uniquingKeysWith: { first, _ in first })
        let terms = aggregate.calls.map {
            term($0, expressions, allowsMean: aggregate.keys.isEmpty)
        }
        let bases = paying(terms.compactMap { $0 }, isGlobal: aggregate.keys.isEmpty)
        if bases.isEmpty { return node }

        let outputs = aggregate.calls.map(\.output)
        aggregate.calls = aggregate.calls.indices.filter { index in
            !(terms[index].map { bases.contains($0.column) } ?? false)
        }.map { aggregate.calls[$0] }
        var parts: [ColumnID: Parts] = [:]
        for term in terms.compactMap({ $0 })
        where bases.contains(term.column) && parts[term.column] == nil {
            let argument = allocator.column(.bigint, "argument")
            assignments.append(
                Assignment(
                    column: argument,
                    expression: .cast(.column(term.column, term.type), to: .bigint, isSafe: false)))
            let made = Parts(
                sum: allocator.column(.bigint, "sum"), count: allocator.column(.bigint, "count"))
            aggregate.calls.append(
                AggregateCall(output: made.sum, function: sum, arguments: [argument.id]))
            aggregate.calls.append(
                AggregateCall(output: made.count, function: count, arguments: [argument.id]))
            parts[term.column] = made
        }
        aggregate.input = .project(below, assignments)
        return .project(
            .aggregate(aggregate),
            aggregate.keys.map(\.assignment)
                + zip(outputs, terms).map { output, term in
                    guard let term, let made = parts[term.column] else { return output.assignment }
                    return Assignment(column: output, expression: result(of: term, made))
                })
    }

    /// The base columns for which fewer sums come out, or cheaper ones.
    private func paying(_ terms: [Term], isGlobal: Bool) -> Set<ColumnID> {
        Set(
            Dictionary(grouping: terms, by: \.column).filter { _, terms in
                terms.count > 1 || isGlobal && terms.contains { $0.shift != 0 || $0.isMean }
            }.keys)
    }

    private func result(of term: Term, _ parts: Parts) -> BoundExpression {
        let sum = BoundExpression.column(parts.sum.id, .bigint)
        let count = BoundExpression.column(parts.count.id, .bigint)
        var total = sum
        if term.shift != 0 {
            let shift = BoundExpression.literal(.integer(term.shift), .bigint)
            total = .arithmetic(
                .add, sum, .arithmetic(.multiply, count, shift, type: .bigint), type: .bigint)
        }
        guard term.isMean else { return total }
        // No rows: the sum is NULL, and so is the mean.
        return .arithmetic(
            .divide, .cast(total, to: .double, isSafe: false),
            .cast(count, to: .double, isSafe: false), type: .double)
    }

    private func term(
        _ call: AggregateCall, _ expressions: [ColumnID: BoundExpression], allowsMean: Bool
    ) -> Term? {
        guard !call.isDistinct, call.filter == nil, call.order.isEmpty, call.arguments.count == 1,
            let expression = expressions[call.arguments[0]]
        else { return nil }
        switch (call.function.function.name, call.function.result) {
        case ("sum", .bigint): return shifted(expression)
        case ("avg", .double) where allowsMean:
            guard case .cast(let inner, .double, isSafe: false) = expression else { return nil }
            var term = shifted(inner)
            term?.isMean = true
            return term
        default: return nil
        }
    }

    /// The expression as a column and what is added to it; nil where it is something else, or might
    /// overflow.
    private func shifted(_ expression: BoundExpression) -> Term? {
        switch expression {
        case .column(let id, let type):
            guard type != .bigint, let range = range(of: type) else { return nil }
            return Term(column: id, type: type, shift: 0, range: range)
        case .cast(let inner, to: let type, isSafe: false):
            return shifted(inner).flatMap { within(type, $0) }
        case .arithmetic(.add, let left, let right, let type):
            if let number = integer(right) { return adding(number, to: left, type) }
            return integer(left).flatMap { adding($0, to: right, type) }
        case .arithmetic(.subtract, let left, let right, let type):
            return integer(right).flatMap { adding(0 - $0, to: left, type) }
        default: return nil
        }
    }

    private func adding(_ number: Int64, to operand: BoundExpression, _ type: LogicalType) -> Term?
    {
        guard var term = shifted(operand) else { return nil }
        // All of these are far from the ends of 64 bits.
        term.shift += number
        term.range = (term.range.lowerBound + number)...(term.range.upperBound + number)
        return within(type, term)
    }

    private func within(_ type: LogicalType, _ term: Term) -> Term? {
        guard let range = range(of: type), range.lowerBound <= term.range.lowerBound,
            term.range.upperBound <= range.upperBound
        else { return nil }
        return term
    }

    /// A number that is small enough for sums of a few of them to stay within 64 bits.
    private func integer(_ expression: BoundExpression) -> Int64? {
        guard case .literal(.integer(let value), let type) = expression, range(of: type) != nil,
            Int64(Int32.min)...Int64(Int32.max) ~= value
        else { return nil }
        return value
    }

    private func range(of type: LogicalType) -> ClosedRange<Int64>? {
        switch type {
        case .tinyint: Int64(Int8.min)...Int64(Int8.max)
        case .smallint: Int64(Int16.min)...Int64(Int16.max)
        case .integer: Int64(Int32.min)...Int64(Int32.max)
        case .bigint: Int64.min...Int64.max
        default: nil
        }
    }
}
