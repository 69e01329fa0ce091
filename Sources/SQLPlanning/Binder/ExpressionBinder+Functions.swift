import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

extension ExpressionBinder {
    /// Calls that are no functions of the registry.
    private static let specialForms: Set = ["coalesce", "nullif", "if", "try", "typeof"]

    /// Binds a call that is no known aggregate or window function.
    func function(
        _ call: FunctionCall, _ expression: Expression
    ) throws(QueryFault) -> BoundExpression {
        let span = expression.span
        let name = call.name.parts[call.name.parts.count - 1].canonical
        if let routine = try routine(call.name, span) {
            guard call.window == nil, !call.isStar, !call.isDistinct, call.filter == nil,
                call.orderBy.isEmpty
            else {
                throw .analysis(
                    .functionNotAggregate, "Function '\(name)' is not an aggregation function",
                    span)
            }
            return try self.call(
                routine, try bind(all: call.arguments.map(\.value)), span)
        }
        if registry.isAggregate(name) && (call.window != nil || !registry.isScalar(name)) {
            throw misplaced(call, name, span)
        }
        let isAggregateCall =
            call.isStar || call.isDistinct || call.filter != nil || !call.orderBy.isEmpty
        if isAggregateCall || call.window != nil, !registry.isScalar(name),
            !Self.specialForms.contains(name), !Self.modelFunctions.contains(name)
        {
            // Nothing has this name: the registry's own sentence, with the nearest one.
            _ = try registry.resolveAggregate(name, [], span: span)
        }
        if call.window != nil {
            throw .analysis(
                .functionNotWindow, "Function '\(name)' is not a window function", span)
        }
        if isAggregateCall {
            throw .analysis(
                .functionNotAggregate, "Function '\(name)' is not an aggregation function", span)
        }
        let arguments = call.arguments.map(\.value)
        switch (name, arguments.count) {
        case ("coalesce", 1...):
            let values = try bind(all: arguments)
            let type = try common(values.map(\.type), "All COALESCE operands", span)
            return values.count == 1
                ? values[0] : .coalesce(values.map { $0.coerced(to: type) }, type: type)
        case ("nullif", 2):
            let first = try bind(arguments[0])
            let equal = try comparison(.equal, first, try bind(arguments[1]), span)
            return .caseWhen(
                [WhenBranch(condition: equal, value: .null(first.type))], otherwise: first,
                type: first.type)
        case ("if", 2), ("if", 3):
            let condition = try predicate(arguments[0], clause: "IF condition")
            let values = try bind(all: Array(arguments.dropFirst()))
            let type = try common(values.map(\.type), "Result types for IF", span)
            return .caseWhen(
                [WhenBranch(condition: condition, value: values[0].coerced(to: type))],
                otherwise: values.count > 1 ? values[1].coerced(to: type) : nil, type: type)
        case ("try", 1): return .tryEvaluate(try bind(arguments[0]))
        case ("typeof", 1):
            let text = try bind(arguments[0]).type.description
            return .literal(.bytes(Array(text.utf8)), .varchar(length: text.unicodeScalars.count))
        default: break
        }
        if call.arguments.contains(where: { $0.name != nil }) {
            throw .analysis(
                .notSupported, "Named arguments are not supported for function \(name)", span)
        }
        if Self.modelFunctions.contains(name) {
            return try modelCall(name, arguments, span)
        }
        if arguments.contains(where: \.isLambda) { return try higherOrder(name, arguments, span) }
        return try self.call(name, try bind(all: arguments), span)
    }

    private func misplaced(_ call: FunctionCall, _ name: String, _ span: SourceSpan) -> QueryFault {
        if call.window != nil {
            return .analysis(
                .expressionNotScalar,
                "\(clause) cannot contain aggregations, window functions or grouping operations: "
                    + "[\(name)]", span)
        }
        if registry.isWindowOnly(name) {
            return .analysis(
                .missingOver, "Window function \(name) requires an OVER clause", span)
        }
        return .analysis(
            .expressionNotScalar,
            "\(clause) cannot contain aggregations, window functions or grouping operations: [\(name)]",
            span)
    }

    /// How often the start of a fold is widened before its type is given up. As in Trino.
    private static let largestWidenings = 4

    /// A function with lambdas: the signature first, then the bodies over the types it gives, then the
    /// signature again with the bodies' types.
    private func higherOrder(
        _ name: String, _ arguments: [Expression], _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        var types: [ArgumentType] = []
        var values: [BoundExpression?] = []
        for argument in arguments {
            if case .lambda(let parameters, _) = argument.kind {
                types.append(.lambda(parameterCount: parameters.count))
                values.append(nil)
            } else {
                let bound = try bind(argument)
                types.append(.value(bound.type))
                values.append(bound)
            }
        }
        // Each lambda may need the type of the one before: resolve again after each.
        var widenings = 0
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            guard case .lambda(let parameters, let body) = argument.kind else {
                index += 1
                continue
            }
            let resolved = try registry.resolveScalar(name, types, span: span)
            guard case .lambda(let parameterTypes, let result) = resolved.parameters[index] else {
                index += 1
                continue
            }
            var bound = try lambda(parameters, body, parameterTypes)
            if let result, case .lambda(let ids, let inner) = bound, inner.type != result {
                if !inner.type.coerces(to: result) {
                    // A state that the body makes wider starts as wide, as in Trino.
                    guard widenings < Self.largestWidenings,
                        let start = resolved.parameters.firstIndex(of: .value(result)),
                        parameterTypes.contains(result), start < index,
                        let wider = LogicalType.commonSuperType(result, inner.type), wider != result
                    else {
                        throw .analysis(
                            .typeMismatch,
                            "Lambda expression must return \(result) but returns \(inner.type)",
                            body.span)
                    }
                    widenings += 1
                    types[start] = .value(wider)
                    continue
                }
                bound = .lambda(parameters: ids, body: inner.coerced(to: result))
            }
            values[index] = bound
            types[index] = .lambda(parameterCount: parameters.count, result: bound.type)
            index += 1
        }
        let resolved = try registry.resolveScalar(name, types, span: span)
        var final: [BoundExpression] = []
        for (value, parameter) in zip(values, resolved.parameters) {
            guard let value else { continue }
            if case .value(let type) = parameter {
                final.append(value.coerced(to: type))
            } else if case .lambda(_, let result?) = parameter,
                case .lambda(let ids, let body) = value
            {
                final.append(.lambda(parameters: ids, body: body.coerced(to: result)))
            } else {
                final.append(value)
            }
        }
        return .call(resolved, final)
    }

    func extract(
        _ field: String, _ operand: Expression, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        let name =
            switch field {
            case "dow": "day_of_week"
            case "doy": "day_of_year"
            case "yow": "year_of_week"
            default: field
            }
        let known: Set<String> = [
            "year", "quarter", "month", "week", "day", "day_of_month", "day_of_week", "day_of_year",
            "year_of_week", "hour", "minute", "second", "timezone_hour", "timezone_minute",
        ]
        guard known.contains(name) else {
            throw .analysis(.typeMismatch, "Invalid EXTRACT field: \(field)", span)
        }
        let bound = try bind(operand)
        guard bound.type.isTemporal || bound.type.isInterval || bound.type == .unknown else {
            throw .analysis(
                .typeMismatch,
                "Type of argument to extract must be DATE, TIME, TIMESTAMP, or INTERVAL (actual "
                    + "\(bound.type))", span)
        }
        return try call(name, [bound], span)
    }

    func special(
        _ value: SpecialValue, _ precision: Int?, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        func timed(
            _ name: String, _ type: (Int) -> LogicalType
        ) throws(QueryFault) -> BoundExpression {
            let now = try call(name, [], span)
            guard let precision else { return now }
            return try cast(now, type(precision), false, span)
        }
        switch value {
        case .currentDate: return try call("current_date", [], span)
        case .currentTime: return try timed("current_time", LogicalType.timeWithTimeZone)
        case .currentTimestamp:
            return try timed("current_timestamp", LogicalType.timestampWithTimeZone)
        case .localTime: return try timed("localtime", LogicalType.time)
        case .localTimestamp: return try timed("localtimestamp", LogicalType.timestamp)
        case .currentUser: return try call("$current_user", [], span)
        case .currentCatalog: return try call("$current_catalog", [], span)
        case .currentSchema: return try call("$current_schema", [], span)
        case .currentPath: return try call("$current_path", [], span)
        }
    }
}

extension Expression {
    var isLambda: Bool { if case .lambda = kind { true } else { false } }
}
