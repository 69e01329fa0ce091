import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// Expressions over a match: what they take from rows is bound apart, as values of the matcher.
extension RowPatternBinding {
    /// Binds an expression over values of the match; `values` takes those that it needs.
    func expression(
        _ written: Expression, in clause: Clause, into values: inout [RowPatternValue]
    ) throws(QueryFault) -> BoundExpression {
        var found: [Expression] = []
        var forbidden: Expression?
        written.walk { node in
            switch node.kind {
            case .lambda, .exists, .subquery, .inSubquery, .quantified:
                forbidden = forbidden ?? node
                return false
            case .identifier, .dereference:
                if isColumn(node) {
                    found.append(node)
                    return false
                }
                return true
            case .function(let call) where isPatternFunction(call):
                found.append(node)
                return false
            default: return true
            }
        }
        if let forbidden {
            throw .analysis(
                .notSupported, "Subqueries and lambdas are not supported in \(clause.text)",
                forbidden.span, hint: "compute the value outside of MATCH_RECOGNIZE")
        }
        let outer = ExpressionBinder(
            binder, Scope([], outer: nil), environment, plan: .oneRow)
        outer.clause = clause.text
        for node in found where outer.known[node] == nil {
            let (kind, type) = try value(node, in: clause)
            let column = binder.allocator.column(type, "value")
            values.append(RowPatternValue(kind: kind, column: column))
            outer.known[node] = column.expression
        }
        return try outer.bind(written)
    }

    /// A name that is a column, with or without a label: not the base of a row's field.
    private func isColumn(_ node: Expression) -> Bool { node.dottedParts != nil }

    func isPatternFunction(_ call: FunctionCall) -> Bool {
        guard call.window == nil, call.name.parts.count == 1 else { return false }
        switch call.canonicalName {
        case "first", "last", "prev", "next", "classifier", "match_number": return true
        default:
            return binder.registry.isAggregate(call.canonicalName)
                && !binder.registry.isScalar(call.canonicalName)
        }
    }

    private func value(
        _ node: Expression, in clause: Clause
    ) throws(QueryFault) -> (RowPatternValue.Kind, LogicalType) {
        guard case .function(let call) = node.kind else {
            return try navigated(node, RowPatternNavigation(labels: nil), in: clause)
        }
        if call.processingMode == .final, clause == .define {
            throw .analysis(
                .invalidProcessingMode, "FINAL semantics is not supported in DEFINE clause",
                node.span)
        }
        switch call.canonicalName {
        case "match_number":
            try requireArguments(call, 0...0, node)
            return (.matchNumber, .bigint)
        case "classifier", "first", "last", "prev", "next":
            return try navigated(node, RowPatternNavigation(labels: nil), in: clause)
        default: return try aggregate(call, node, clause)
        }
    }

    /// Peels PREV, NEXT, FIRST and LAST off, physical ones outside, and binds what they are about.
    private func navigated(
        _ node: Expression, _ navigation: RowPatternNavigation, in clause: Clause,
        depth: Int = 0
    ) throws(QueryFault) -> (RowPatternValue.Kind, LogicalType) {
        var navigation = navigation
        if case .function(let call) = node.kind {
            switch call.canonicalName {
            case "prev", "next":
                guard depth == 0 else { throw nesting(node) }
                if let mode = call.processingMode {
                    throw .analysis(
                        .invalidProcessingMode,
                        "\(mode.rawValue) semantics is not supported with "
                            + "\(call.canonicalName.uppercased()) pattern recognition function",
                        node.span)
                }
                let steps = try offset(call, initial: 1, node)
                navigation.shift = call.canonicalName == "prev" ? -steps : steps
                return try navigated(
                    call.arguments[0].value, navigation, in: clause, depth: 1)
            case "first", "last":
                guard depth < 2 else { throw nesting(node) }
                navigation.isFirst = call.canonicalName == "first"
                navigation.offset = try offset(call, initial: 0, node)
                navigation.isFinal = call.processingMode == .final
                if navigation.isFinal, clause == .define {
                    throw .analysis(
                        .invalidProcessingMode, "FINAL semantics is not supported in DEFINE clause",
                        node.span)
                }
                return try navigated(
                    call.arguments[0].value, navigation, in: clause, depth: 2)
            case "classifier":
                try requireArguments(call, 0...1, node)
                if let argument = call.arguments.first?.value {
                    guard case .identifier(let name) = argument.kind else {
                        throw .analysis(
                            .invalidPatternRecognitionFunction,
                            "CLASSIFIER takes the name of a pattern variable", argument.span)
                    }
                    navigation.labels = try members(name)
                }
                if let mode = call.processingMode {
                    guard depth == 0 else { throw nesting(node) }
                    navigation.isFinal = mode == .final
                }
                return (.classifier(navigation), .text)
            default: break
            }
        }
        let (labels, bound) = try rowExpression([node])
        navigation.labels = labels
        return (.navigation(argument: argument(bound[0]), navigation), bound[0].type)
    }

    private func nesting(_ node: Expression) -> QueryFault {
        .analysis(
            .invalidNavigationNesting,
            "Cannot nest pattern navigation functions so: PREV and NEXT stand outside of FIRST and LAST",
            node.span)
    }

    func requireArguments(
        _ call: FunctionCall, _ counts: ClosedRange<Int>, _ node: Expression
    ) throws(QueryFault) {
        guard counts.contains(call.arguments.count), !call.isStar, !call.isDistinct,
            call.filter == nil, call.orderBy.isEmpty
        else {
            throw .analysis(
                .invalidPatternRecognitionFunction,
                "Wrong arguments of pattern recognition function \(call.canonicalName.uppercased())",
                node.span)
        }
    }

    private func offset(
        _ call: FunctionCall, initial: Int, _ node: Expression
    ) throws(QueryFault) -> Int {
        try requireArguments(call, 1...2, node)
        guard call.arguments.count == 2 else { return initial }
        guard case .integer(let count) = call.arguments[1].value.kind, count >= 0,
            count <= Int64(Int32.max)
        else {
            throw .analysis(
                .invalidPatternRecognitionFunction,
                "\(call.canonicalName.uppercased()) pattern recognition function requires a "
                    + "non-negative number as the second argument", call.arguments[1].value.span)
        }
        return Int(count)
    }

    /// Binds expressions over one row, whose columns all have the same label before them or none.
    func rowExpression(
        _ written: [Expression]
    ) throws(QueryFault) -> (labels: Set<Int>?, bound: [BoundExpression]) {
        var names: [String?] = []
        var place = written.first
        for expression in written {
            expression.walk { node in
                guard let parts = node.dottedParts else { return true }
                let label = parts.count > 1 ? parts[0].canonical : nil
                let known = label.flatMap { variables[$0] == nil ? nil : $0 }
                if !names.contains(known) { names.append(known) }
                if names.count > 1 { place = node }
                return false
            }
        }
        guard names.count <= 1 else {
            throw .analysis(
                .invalidArguments,
                "Column references inside an argument must all either be prefixed with the same "
                    + "label or be not prefixed", place?.span)
        }
        guard let label = names.first ?? nil else {
            var bound: [BoundExpression] = []
            for expression in written { bound.append(try stage.bind(expression)) }
            return (nil, bound)
        }
        let scope = Scope(input.visible.map { $0.requalified([label]) }, outer: nil)
        let inner = ExpressionBinder(binder, scope, environment, plan: stage.plan)
        inner.clause = stage.clause
        var bound: [BoundExpression] = []
        for expression in written { bound.append(try inner.bind(expression)) }
        return (variables[label], bound)
    }
}

extension Expression {
    /// The parts of a dotted name; nil for every other expression.
    var dottedParts: [Identifier]? {
        switch kind {
        case .identifier(let name): [name]
        case .dereference(let base, let name): base.dottedParts.map { $0 + [name] }
        default: nil
        }
    }
}
