import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// `reduce_agg(value, initial, step, combine)`: the values of a group as an array, then `reduce` over it.
///
/// One process steps through a group alone, so that `combine`, which joins partial states, is never
/// called; it is bound for its errors. NULL values are left out and a group without values gives NULL, as
/// in Trino.
extension Grouping {
    /// The aggregates behind a call, and what is made of their results.
    struct Reduction {
        var values: AggregateCall
        /// The initial state as a value of the group's rows; nil where it is a literal.
        var initialCall: AggregateCall?
        var initial: BoundExpression
        var call: FunctionCall
        var span: SourceSpan
    }

    func reduction(
        _ call: FunctionCall, _ span: SourceSpan
    ) throws(QueryFault) -> Reduction {
        let lambdas = call.arguments.dropFirst(2).map(\.value)
        guard call.arguments.count == 4, lambdas.allSatisfy(\.isLambda), !call.isDistinct else {
            throw .analysis(
                .functionNotFound,
                "Unexpected parameters for function reduce_agg. Expected: reduce_agg(T, S, "
                    + "function(S, T, S), function(S, S, S))", span)
        }
        let value = try input.bind(call.arguments[0].value)
        var conditions: [BoundExpression] = [.not(.isNull(value))]
        if let filter = call.filter {
            conditions.append(try input.predicate(filter, clause: "FILTER clause"))
        }
        let present = input.plan.provide(.all(conditions), binder.allocator, name: "filter")
        func gathered(
            _ name: String, _ argument: BoundExpression
        ) throws(QueryFault) -> AggregateCall {
            let function = try binder.registry.resolveAggregate(name, [argument.type], span: span)
            return AggregateCall(
                output: binder.allocator.column(function.result, name), function: function,
                arguments: [input.plan.provide(argument, binder.allocator, name: "argument")],
                filter: present)
        }
        let initial = try input.bind(call.arguments[1].value)
        var reduction = Reduction(
            values: try gathered("array_agg", value), initial: initial, call: call, span: span)
        for item in call.orderBy {
            reduction.values.order.append(
                try binder.sortKey(try input.bind(item.expression), item, &input.plan))
        }
        if initial.literalValue == nil {
            let first = try gathered("any_value", initial)
            reduction.initialCall = first
            reduction.initial = first.output.expression
        }
        return reduction
    }
}

extension ExpressionBinder {
    /// The value of a reduction, over the outputs of its aggregates.
    func reduced(_ reduction: Grouping.Reduction) throws(QueryFault) -> BoundExpression {
        let span = reduction.span
        guard case .array(let element) = reduction.values.output.type,
            case .lambda(let names, let body) = reduction.call.arguments[2].value.kind,
            case .lambda(let joined, let combine) = reduction.call.arguments[3].value.kind,
            names.count == 2, joined.count == 2
        else {
            throw .analysis(
                .functionNotFound, "The functions of reduce_agg take two arguments each", span)
        }
        // The state is as wide as what the step makes of it; text may grow.
        var state = reduction.initial.type.isVarchar ? .text : reduction.initial.type
        var step = try lambda(names, body, [state, element])
        for _ in 0..<2 where step.type != state {
            guard let wider = LogicalType.commonSuperType(state, step.type) else { break }
            state = wider
            step = try lambda(names, body, [state, element])
        }
        let merged = try lambda(joined, combine, [state, state])
        guard step.type.coerces(to: state), merged.type.coerces(to: state) else {
            throw .analysis(
                .typeMismatch,
                "The functions of reduce_agg must return \(state) but return \(step.type) and "
                    + "\(merged.type)", span)
        }
        let id = binder.allocator.id()
        let identity = BoundExpression.lambda(
            parameters: [(id, state)], body: .column(id, state))
        if case .lambda(let parameters, let inner) = step {
            step = .lambda(parameters: parameters, body: inner.coerced(to: state))
        }
        let resolved = try registry.resolveScalar(
            "reduce",
            [
                .value(.array(element)), .value(state), .lambda(parameterCount: 2, result: state),
                .lambda(parameterCount: 1, result: state),
            ], span: span)
        return .call(
            resolved,
            [
                reduction.values.output.expression, reduction.initial.coerced(to: state), step,
                identity,
            ])
    }
}
