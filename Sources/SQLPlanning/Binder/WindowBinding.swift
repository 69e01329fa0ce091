import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// Binds window functions: one node for each partitioning and order that occurs.
struct WindowBinding {
    let binder: Binder
    let stage: ExpressionBinder
    let definitions: [WindowDefinition]

    init(_ binder: Binder, _ stage: ExpressionBinder, _ definitions: [WindowDefinition]) {
        self.binder = binder
        self.stage = stage
        self.definitions = definitions
    }

    /// A specification with the windows that it refines put in.
    private struct Resolved {
        var partitionBy: [Expression] = []
        var orderBy: [SortItem] = []
        var frame: SQLSyntax.WindowFrame?
    }

    private struct Group {
        var partitionBy: [ColumnID]
        var orderBy: [SortKey]
        var calls: [WindowCall]
    }

    /// Binds every window call of the expressions and makes it known to the stage.
    func bind(_ roots: [Expression]) throws(QueryFault) {
        var found: [(Expression, FunctionCall)] = []
        var seen: Set<Expression> = []
        for root in roots {
            root.walk { expression in
                guard case .function(let call) = expression.kind, call.window != nil else {
                    return true
                }
                if seen.insert(expression).inserted { found.append((expression, call)) }
                return false
            }
        }
        guard !found.isEmpty else { return }
        stage.clause = "Window function"
        var groups: [Group] = []
        var outputs: [(Expression, PlanColumn)] = []
        for (expression, call) in found {
            guard let window = call.window else { continue }
            for child in call.subexpressions {
                var nested = false
                child.walk { node in
                    if case .function(let inner) = node.kind, inner.window != nil { nested = true }
                    return !nested
                }
                if nested {
                    throw .analysis(
                        .nestedWindow, "Cannot nest window functions inside window function",
                        expression.span)
                }
            }
            let resolved = try resolve(window, expression.span)
            let (partition, order, bound) = try self.call(call, resolved, expression.span)
            outputs.append((expression, bound.output))
            if let index = groups.firstIndex(where: {
                $0.partitionBy == partition && $0.orderBy == order
            }) {
                groups[index].calls.append(bound)
            } else {
                groups.append(Group(partitionBy: partition, orderBy: order, calls: [bound]))
            }
        }
        for group in groups {
            stage.plan = .window(
                WindowNode(
                    input: stage.plan, partitionBy: group.partitionBy, orderBy: group.orderBy,
                    calls: group.calls))
        }
        for (expression, column) in outputs { stage.known[expression] = column.expression }
    }

    private func resolve(
        _ window: Window, _ span: SourceSpan
    ) throws(QueryFault) -> Resolved {
        switch window {
        case .reference(let name): return try named(name, depth: 0)
        case .specification(let specification): return try resolve(specification, depth: 0)
        }
    }

    private func named(_ name: Identifier, depth: Int) throws(QueryFault) -> Resolved {
        guard let definition = definitions.first(where: { $0.name == name }),
            depth <= definitions.count
        else {
            throw .analysis(
                .invalidWindowFrame, "Cannot resolve WINDOW name \(name.text)", name.span,
                hint: nearestName(to: name.text, among: definitions.map(\.name.text)).map {
                    "did you mean \($0)?"
                })
        }
        return try resolve(definition.window, depth: depth + 1)
    }

    private func resolve(
        _ specification: WindowSpecification, depth: Int
    ) throws(QueryFault) -> Resolved {
        guard let base = specification.base else {
            return Resolved(
                partitionBy: specification.partitionBy, orderBy: specification.orderBy,
                frame: specification.frame)
        }
        var result = try named(base, depth: depth)
        guard specification.partitionBy.isEmpty else {
            throw .analysis(
                .invalidWindowFrame,
                "WINDOW specification with named WINDOW reference cannot specify PARTITION BY",
                specification.span)
        }
        guard result.orderBy.isEmpty || specification.orderBy.isEmpty else {
            throw .analysis(
                .invalidWindowFrame,
                "Cannot specify ORDER BY in a window that refines one with ORDER BY",
                specification.span)
        }
        guard result.frame == nil else {
            throw .analysis(
                .invalidWindowFrame, "Cannot reference named WINDOW containing frame specification",
                specification.span)
        }
        if !specification.orderBy.isEmpty { result.orderBy = specification.orderBy }
        result.frame = specification.frame
        return result
    }

    private func provide(_ bound: BoundExpression, _ name: String) -> ColumnID {
        stage.plan.provide(bound, binder.allocator, name: name)
    }

    private func call(
        _ call: FunctionCall, _ window: Resolved, _ span: SourceSpan
    ) throws(QueryFault) -> ([ColumnID], [SortKey], WindowCall) {
        let name = call.canonicalName
        guard binder.registry.isAggregate(name) else {
            if binder.registry.isScalar(name) {
                throw .analysis(
                    .functionNotWindow, "Function '\(name)' is not a window function", span)
            }
            // The registry's own sentence, with the nearest name.
            _ = try binder.registry.resolveAggregate(name, [], span: span)
            throw .analysis(.functionNotFound, "Function '\(name)' not registered", span)
        }
        if call.isDistinct {
            throw .analysis(
                .notSupported, "DISTINCT in window function parameters not yet supported: \(name)",
                span)
        }
        if !call.orderBy.isEmpty {
            throw .analysis(
                .notSupported, "Window function with ORDER BY is not supported", span)
        }
        var partition: [ColumnID] = []
        for expression in window.partitionBy {
            let bound = try stage.bind(expression)
            guard bound.type.isComparable else {
                throw .analysis(
                    .typeMismatch,
                    "\(bound.type) is not comparable, and therefore cannot be used in window function "
                        + "PARTITION BY", expression.span)
            }
            let id = provide(bound, "partition")
            if !partition.contains(id) { partition.append(id) }
        }
        var order: [SortKey] = []
        for item in window.orderBy {
            order.append(
                try binder.sortKey(try stage.bind(item.expression), item, &stage.plan))
        }
        let arguments = try aggregateArguments(call, stage, span)
        let function = try binder.registry.resolveAggregate(name, arguments.map(\.type), span: span)
        if function.function.isWindowOnly, window.orderBy.isEmpty, window.frame != nil,
            name == "row_number" || name.hasSuffix("rank")
        {
            throw .analysis(
                .invalidWindowFrame, "Cannot specify window frame for \(name) function", span)
        }
        var ids: [ColumnID] = []
        for (argument, type) in zip(arguments, function.parameters) {
            ids.append(provide(argument.coerced(to: type), "argument"))
        }
        var filter: ColumnID?
        if let condition = call.filter {
            filter = provide(try stage.predicate(condition, clause: "FILTER clause"), "filter")
        }
        let frame = try self.frame(window, order, span)
        return (
            partition, order,
            WindowCall(
                output: binder.allocator.column(function.result, name), function: function,
                arguments: ids, filter: filter, ignoresNulls: call.nullTreatment == .ignore,
                frame: frame)
        )
    }

    // MARK: Frames

    private func frame(
        _ window: Resolved, _ order: [SortKey], _ span: SourceSpan
    ) throws(QueryFault) -> WindowFrame {
        guard let written = window.frame else {
            return order.isEmpty
                ? WindowFrame(unit: .rows, start: .unboundedPreceding, end: .unboundedFollowing)
                : WindowFrame(unit: .range, start: .unboundedPreceding, end: .currentRow)
        }
        let end = written.end ?? .currentRow
        try check(written.start, end, written.span)
        let unit: WindowFrame.Unit =
            switch written.unit {
            case .rows: .rows
            case .range: .range
            case .groups: .groups
            }
        if unit == .groups && order.isEmpty {
            throw .analysis(
                .missingOrderBy, "Window frame of type GROUPS requires ORDER BY", written.span)
        }
        return WindowFrame(
            unit: unit, start: try bound(written.start, unit, window, order, written.span),
            end: try bound(end, unit, window, order, written.span))
    }

    private func check(
        _ start: SQLSyntax.WindowFrame.Bound, _ end: SQLSyntax.WindowFrame.Bound, _ span: SourceSpan
    ) throws(QueryFault) {
        func rank(_ bound: SQLSyntax.WindowFrame.Bound) -> Int {
            switch bound {
            case .unboundedPreceding: 0
            case .preceding: 1
            case .currentRow: 2
            case .following: 3
            case .unboundedFollowing: 4
            }
        }
        if rank(start) == 4 {
            throw .analysis(
                .invalidWindowFrame, "Window frame start cannot be UNBOUNDED FOLLOWING", span)
        }
        if rank(end) == 0 {
            throw .analysis(
                .invalidWindowFrame, "Window frame end cannot be UNBOUNDED PRECEDING", span)
        }
        if rank(start) > rank(end) {
            throw .analysis(
                .invalidWindowFrame,
                "Window frame starting from \(rank(start) == 2 ? "CURRENT ROW" : "FOLLOWING")"
                    + " cannot end with \(rank(end) == 1 ? "PRECEDING" : "CURRENT ROW")", span)
        }
    }

    private func bound(
        _ written: SQLSyntax.WindowFrame.Bound, _ unit: WindowFrame.Unit, _ window: Resolved,
        _ order: [SortKey], _ span: SourceSpan
    ) throws(QueryFault) -> WindowFrame.Bound {
        let isPreceding: Bool
        let expression: Expression
        switch written {
        case .unboundedPreceding: return .unboundedPreceding
        case .currentRow: return .currentRow
        case .unboundedFollowing: return .unboundedFollowing
        case .preceding(let offset): (isPreceding, expression) = (true, offset)
        case .following(let offset): (isPreceding, expression) = (false, offset)
        }
        let offset = try stage.bind(expression)
        let id: ColumnID
        if unit == .range {
            guard order.count == 1, let key = order.first,
                let column = stage.plan.outputs.first(where: { $0.id == key.column })
            else {
                throw .analysis(
                    .missingOrderBy,
                    "Window frame of type RANGE PRECEDING or FOLLOWING requires single sort item in ORDER "
                        + "BY (actual: \(order.count))", span)
            }
            guard column.type.isNumeric || column.type.isTemporal else {
                throw .analysis(
                    .typeMismatch,
                    "Window frame of type RANGE PRECEDING or FOLLOWING requires that sort item type be "
                        + "numeric, datetime or interval (actual: \(column.type))", span)
            }
            // Towards smaller values where the order and the direction agree.
            let op: BinaryOperator = isPreceding == key.isAscending ? .subtract : .add
            let value = try stage.arithmetic(op, column.expression, offset, span)
            id = provide(
                value.type.coerces(to: column.type)
                    ? value.coerced(to: column.type)
                    : .cast(value, to: column.type, isSafe: false), "bound")
        } else {
            guard offset.type.isInteger || offset.type == .unknown else {
                throw .analysis(
                    .typeMismatch,
                    "Window frame \(unit == .rows ? "ROWS" : "GROUPS") offset must be an integer (actual: "
                        + "\(offset.type))", expression.span)
            }
            if case .literal(.integer(let count), _) = offset, count < 0 {
                throw .analysis(
                    .invalidWindowFrame, "Window frame offset must not be negative", expression.span
                )
            }
            id = provide(offset.coerced(to: .bigint), "offset")
        }
        return isPreceding ? .preceding(id) : .following(id)
    }
}
