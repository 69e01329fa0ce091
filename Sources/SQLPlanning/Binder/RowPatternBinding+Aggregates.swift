import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// Aggregates over the rows of a match.
/// Source: Trino documentation, "Row pattern recognition expressions", "Aggregate functions".
extension RowPatternBinding {
    func aggregate(
        _ call: FunctionCall, _ node: Expression, _ clause: Clause
    ) throws(QueryFault) -> (RowPatternValue.Kind, LogicalType) {
        guard !call.isDistinct, call.orderBy.isEmpty else {
            throw .analysis(
                .notSupported,
                "DISTINCT and ORDER BY are not supported in aggregations of MATCH_RECOGNIZE",
                node.span)
        }
        let name = call.canonicalName
        let isFinal = call.processingMode == .final
        if call.isStar, let label = call.arguments.first?.value {
            return try countOfLabel(name, label, call, node)
        }
        let written = call.arguments.map(\.value) + (call.filter.map { [$0] } ?? [])
        if try readsMatch(written, of: name) {
            return try matchAggregate(name, written, call, node)
        }
        var (labels, bound) = try rowExpression(written)
        var filter: Int?
        if call.filter != nil {
            filter = argument(bound.removeLast().coerced(to: .boolean))
        }
        // count(1) is count(*).
        if call.isStar
            || name == "count" && bound.count == 1 && bound[0].literalValue != nil
                && bound[0].literalValue != .null
        {
            bound = []
        }
        let function = try resolve(name, bound.map(\.type), node)
        let places = zip(bound, function.parameters).map { argument($0.coerced(to: $1)) }
        return (
            .aggregate(
                function, arguments: places, filter: filter, labels: labels, isFinal: isFinal),
            function.result
        )
    }

    private func resolve(
        _ name: String, _ types: [LogicalType], _ node: Expression
    ) throws(QueryFault) -> ResolvedAggregate {
        let function = try binder.registry.resolveAggregate(name, types, span: node.span)
        guard !function.function.isWindowOnly else {
            throw .analysis(
                .notSupported, "Window functions are not supported in MATCH_RECOGNIZE", node.span)
        }
        return function
    }

    /// `count(A.*)`: the rows that have a label, or one of a subset.
    private func countOfLabel(
        _ name: String, _ label: Expression, _ call: FunctionCall, _ node: Expression
    ) throws(QueryFault) -> (RowPatternValue.Kind, LogicalType) {
        guard name == "count", call.arguments.count == 1 else {
            throw .analysis(
                .invalidFunctionArgument,
                "label.* syntax is only supported as the only argument of row pattern count function",
                label.span)
        }
        guard case .identifier(let variable) = label.kind,
            let labels = variables[variable.canonical]
        else {
            throw .analysis(
                .invalidFunctionArgument,
                "\(label.qualifiedName?.map(\.text).joined(separator: ".") ?? "the argument") is not a primary pattern variable or subset name",
                label.span)
        }
        var filter: Int?
        if let written = call.filter {
            filter = argument(try rowExpression([written]).bound[0].coerced(to: .boolean))
        }
        let function = try resolve(name, [], node)
        return (
            .aggregate(
                function, arguments: [], filter: filter, labels: labels,
                isFinal: call.processingMode == .final), function.result
        )
    }

    /// Whether the arguments have CLASSIFIER or MATCH_NUMBER in them; other functions of patterns, and
    /// aggregations, may not stand there.
    private func readsMatch(
        _ written: [Expression], of name: String
    ) throws(QueryFault) -> Bool {
        var found = false
        var nested: Expression?
        for argument in written {
            argument.walk { inner in
                guard case .function(let call) = inner.kind, isPatternFunction(call) else {
                    return nested == nil
                }
                switch call.canonicalName {
                case "classifier", "match_number": found = true
                default: nested = nested ?? inner
                }
                return false
            }
        }
        if let nested {
            let inner = nested.functionName
            guard ["first", "last", "prev", "next"].contains(inner) else {
                throw .analysis(
                    .nestedAggregation,
                    "Cannot nest \(inner) aggregate function inside \(name) function", nested.span)
            }
            throw .analysis(
                .invalidNavigationNesting,
                "Cannot nest \(inner) pattern navigation function inside \(name) function",
                nested.span)
        }
        return found
    }

    /// An aggregate over labels or the number of the match: its arguments are computed of each row's
    /// values once the match is known.
    private func matchAggregate(
        _ name: String, _ written: [Expression], _ call: FunctionCall, _ node: Expression
    ) throws(QueryFault) -> (RowPatternValue.Kind, LogicalType) {
        var leaves: [Expression] = []
        for expression in written {
            expression.walk { inner in
                if inner.dottedParts != nil {
                    leaves.append(inner)
                    return false
                }
                if case .function(let found) = inner.kind, isPatternFunction(found) {
                    leaves.append(inner)
                    return false
                }
                return true
            }
        }
        let outer = ExpressionBinder(binder, Scope([], outer: nil), environment, plan: .oneRow)
        outer.clause = "aggregation \(name)"
        var values: [RowPatternValue] = []
        // All that is read is of the same rows: of one label, or of all of them.
        var common: Set<Int>??
        for leaf in leaves where outer.known[leaf] == nil {
            let (kind, type, labels) = try leafValue(leaf)
            if let labels {
                guard common == nil || common == .some(labels) else {
                    throw .analysis(
                        .invalidArguments,
                        "All aggregate function arguments must apply to rows matched with the same "
                            + "label", leaf.span)
                }
                common = .some(labels)
            }
            let column = binder.allocator.column(type, "value")
            values.append(RowPatternValue(kind: kind, column: column))
            outer.known[leaf] = column.expression
        }
        var bound: [BoundExpression] = []
        for expression in written { bound.append(try outer.bind(expression)) }
        var filter: BoundExpression?
        if call.filter != nil { filter = bound.removeLast().coerced(to: .boolean) }
        let function = try resolve(name, bound.map(\.type), node)
        let arguments = zip(bound, function.parameters).map { $0.coerced(to: $1) }
        return (
            .matchAggregate(
                function,
                RowPatternArguments(values: values, arguments: arguments, filter: filter),
                labels: common ?? nil, isFinal: call.processingMode == .final), function.result
        )
    }

    /// What an argument reads of a row, and of which rows: nil where it does not say.
    private func leafValue(
        _ leaf: Expression
    ) throws(QueryFault) -> (RowPatternValue.Kind, LogicalType, labels: Set<Int>??) {
        guard case .function(let call) = leaf.kind else {
            let (labels, bound) = try rowExpression([leaf])
            return (.column(argument: argument(bound[0])), bound[0].type, .some(labels))
        }
        if call.canonicalName == "match_number" {
            try requireArguments(call, 0...0, leaf)
            return (.matchNumber, .bigint, nil)
        }
        try requireArguments(call, 0...1, leaf)
        var navigation = RowPatternNavigation(labels: nil)
        if let argument = call.arguments.first?.value {
            guard case .identifier(let name) = argument.kind else {
                throw .analysis(
                    .invalidPatternRecognitionFunction,
                    "CLASSIFIER takes the name of a pattern variable", argument.span)
            }
            navigation.labels = try members(name)
        }
        return (.classifier(navigation), .text, .some(navigation.labels))
    }
}

extension Expression {
    /// The name of the function that is called; empty for every other expression.
    fileprivate var functionName: String {
        if case .function(let call) = kind { call.canonicalName } else { "" }
    }
}
