import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// Binds GROUP BY and aggregates: makes the aggregate node and the binder of what comes after.
struct Grouping {
    private static let maxSets = 2_048

    let binder: Binder
    /// Over FROM and WHERE: keys and arguments are bound here.
    let input: ExpressionBinder
    let environment: Environment

    init(_ binder: Binder, _ input: ExpressionBinder, _ environment: Environment) {
        self.binder = binder
        self.input = input
        self.environment = environment
    }

    private struct Key {
        var expression: Expression?
        var column: PlanColumn
        var text: String
    }

    func group(
        _ specification: QuerySpecification, _ columns: [SelectColumn], _ from: BoundRelation,
        _ aggregates: [Expression]
    ) throws(QueryFault) -> ExpressionBinder {
        input.clause = "GROUP BY clause"
        var keys: [Key] = []
        var sets: [[Int]] = [[]]
        if let groupBy = specification.groupBy {
            if groupBy.isAuto {
                sets = [try automatic(columns, &keys)]
            } else {
                for element in groupBy.elements {
                    let alternatives = try self.sets(element, columns, &keys)
                    guard sets.count * alternatives.count <= Self.maxSets else {
                        throw .analysis(
                            .notSupported, "GROUP BY has more than \(Self.maxSets) grouping sets",
                            groupBy.span)
                    }
                    sets = sets.flatMap { set in
                        alternatives.map { other in set + other.filter { !set.contains($0) } }
                    }
                }
                if groupBy.quantifier == .distinct {
                    var seen: Set<Set<Int>> = []
                    sets = sets.filter { seen.insert(Set($0)).inserted }
                }
            }
        }
        input.clause = "Aggregate function"
        var calls: [AggregateCall] = []
        var known: [Expression: BoundExpression] = [:]
        var reductions: [(Expression, Reduction)] = []
        for expression in aggregates {
            guard case .function(let call) = expression.kind else { continue }
            if call.canonicalName == "reduce_agg" {
                let reduction = try reduction(call, expression.span)
                calls.append(reduction.values)
                if let initial = reduction.initialCall { calls.append(initial) }
                reductions.append((expression, reduction))
                continue
            }
            let bound = try aggregate(call, expression)
            if let same = calls.first(where: { $0.isSame(as: bound) }) {
                known[expression] = same.output.expression
            } else {
                calls.append(bound)
                known[expression] = bound.output.expression
            }
        }
        var node = AggregateNode(input: input.plan, keys: keys.map(\.column), calls: calls)
        let setID = binder.allocator.id()
        if sets.count != 1 || sets[0].count != keys.count {
            node.groupingSets = sets
            node.groupingSetID = setID
        }
        let grouped = Set(keys.map(\.column.id))
        let stage = ExpressionBinder(
            binder, Scope(input.scope.fields, outer: input.scope.outer, grouped: grouped),
            environment,
            plan: .aggregate(node))
        stage.known = known
        for (expression, reduction) in reductions {
            stage.known[expression] = try stage.reduced(reduction)
        }
        for key in keys {
            if let expression = key.expression { stage.known[expression] = key.column.expression }
            if key.text.first != "#" { stage.groupTexts[key.text] = key.column.expression }
        }
        let isSimple = node.groupingSets == nil
        if specification.groupBy != nil {
            let texts = keys
            let scratch = input
            let finalSets = sets
            stage.grouping = { (arguments) throws(QueryFault) -> BoundExpression? in
                try grouping(arguments, texts, finalSets, isSimple ? nil : setID, scratch)
            }
        }
        return stage
    }

    // MARK: Keys

    private func automatic(
        _ columns: [SelectColumn], _ keys: inout [Key]
    ) throws(QueryFault) -> [Int] {
        var set: [Int] = []
        for column in columns {
            if let expression = column.expression {
                var hasAggregate = false
                expression.walk { node in
                    if case .function(let call) = node.kind,
                        binder.registry.isAggregate(call.canonicalName)
                    {
                        hasAggregate = true
                    }
                    return !hasAggregate
                }
                if !hasAggregate { set.append(try key(expression, &keys)) }
            } else if let bound = column.bound {
                set.append(add(bound, nil, &keys))
            }
        }
        return set
    }

    private func sets(
        _ element: GroupingElement, _ columns: [SelectColumn], _ keys: inout [Key]
    ) throws(QueryFault) -> [[Int]] {
        switch element {
        case .set(let expressions): return [try indices(expressions, columns, &keys)]
        case .groupingSets(let elements):
            var result: [[Int]] = []
            for element in elements { result += try sets(element, columns, &keys) }
            return result
        case .rollup(let groups):
            var parts: [[Int]] = []
            for group in groups { parts.append(try indices(group, columns, &keys)) }
            return stride(from: parts.count, through: 0, by: -1).map { count in
                unique(parts.prefix(count).flatMap { $0 })
            }
        case .cube(let groups):
            guard groups.count <= 11 else {
                throw QueryFault(.notSupported, "CUBE of more than 11 columns is not supported")
            }
            var parts: [[Int]] = []
            for group in groups { parts.append(try indices(group, columns, &keys)) }
            return (0..<(1 << parts.count)).reversed().map { mask in
                unique(
                    parts.indices.filter { mask >> (parts.count - 1 - $0) & 1 == 1 }.flatMap {
                        parts[$0]
                    })
            }
        }
    }

    private func unique(_ indices: [Int]) -> [Int] {
        var seen: Set<Int> = []
        return indices.filter { seen.insert($0).inserted }
    }

    private func indices(
        _ expressions: [Expression], _ columns: [SelectColumn], _ keys: inout [Key]
    ) throws(QueryFault) -> [Int] {
        var result: [Int] = []
        for expression in expressions {
            if case .integer(let ordinal) = expression.kind {
                guard ordinal >= 1, ordinal <= Int64(columns.count) else {
                    throw .analysis(
                        .invalidColumnReference,
                        "GROUP BY position \(ordinal) is not in select list", expression.span)
                }
                let column = columns[Int(ordinal) - 1]
                if let inner = column.expression {
                    result.append(try key(inner, &keys))
                } else if let bound = column.bound {
                    result.append(add(bound, nil, &keys))
                }
            } else {
                result.append(try key(expression, &keys))
            }
        }
        return unique(result)
    }

    private func key(_ expression: Expression, _ keys: inout [Key]) throws(QueryFault) -> Int {
        let bound = try input.bind(expression)
        guard bound.type.isComparable else {
            throw .analysis(
                .typeMismatch,
                "\(bound.type) is not comparable, and therefore cannot be used in GROUP BY",
                expression.span)
        }
        return add(bound, expression, &keys)
    }

    private func add(_ bound: BoundExpression, _ expression: Expression?, _ keys: inout [Key])
        -> Int
    {
        let text = bound.identity
        if let index = keys.firstIndex(where: { $0.text == text }) {
            if keys[index].expression == nil { keys[index].expression = expression }
            return index
        }
        let name = expression?.impliedLabel ?? "key"
        let id = input.plan.provide(bound, binder.allocator, name: name)
        keys.append(
            Key(
                expression: expression, column: PlanColumn(id: id, type: bound.type, name: name),
                text: text))
        return keys.count - 1
    }

    // MARK: Aggregates

    private func aggregate(
        _ call: FunctionCall, _ expression: Expression
    ) throws(QueryFault) -> AggregateCall {
        let span = expression.span
        let name = call.canonicalName
        for argument in call.subexpressions {
            var nested = false
            argument.walk { node in
                if case .function(let inner) = node.kind, inner.window == nil,
                    binder.registry.isAggregate(inner.canonicalName)
                {
                    nested = true
                }
                return !nested
            }
            if nested {
                throw .analysis(
                    .nestedAggregation,
                    "Cannot nest aggregations inside aggregation '\(name)': [\(name)]", span)
            }
        }
        let arguments = try aggregateArguments(call, input, span)
        let function = try binder.registry.resolveAggregate(name, arguments.map(\.type), span: span)
        var ids: [ColumnID] = []
        for (argument, type) in zip(arguments, function.parameters) {
            if call.isDistinct && !type.isComparable {
                throw .analysis(
                    .typeMismatch,
                    "DISTINCT can only be applied to comparable types (actual: \(type))", span)
            }
            ids.append(
                input.plan.provide(argument.coerced(to: type), binder.allocator, name: "argument"))
        }
        var filter: ColumnID?
        if let condition = call.filter {
            filter = input.plan.provide(
                try input.predicate(condition, clause: "FILTER clause"), binder.allocator,
                name: "filter")
        }
        var order: [SortKey] = []
        for item in call.orderBy {
            let bound = try input.bind(item.expression)
            guard !call.isDistinct || arguments.contains(where: { $0.identity == bound.identity })
            else {
                throw .analysis(
                    .expressionNotInDistinct,
                    "For aggregate function with DISTINCT, ORDER BY expressions must appear in "
                        + "arguments", item.expression.span)
            }
            order.append(try binder.sortKey(bound, item, &input.plan))
        }
        return AggregateCall(
            output: binder.allocator.column(function.result, name), function: function,
            arguments: ids, isDistinct: call.isDistinct, filter: filter, order: order)
    }

    // MARK: grouping()

    /// Bits, the last argument lowest: 1 where the column is not part of the grouping set.
    private func grouping(
        _ arguments: [Expression], _ keys: [Key], _ sets: [[Int]], _ setID: ColumnID?,
        _ scratch: ExpressionBinder
    ) throws(QueryFault) -> BoundExpression? {
        let type: LogicalType = arguments.count < 32 ? .integer : .bigint
        guard arguments.count < 64 else { return nil }
        var positions: [Int] = []
        for argument in arguments {
            let text = try scratch.bind(argument).identity
            guard let index = keys.firstIndex(where: { $0.text == text }) else {
                throw .analysis(
                    .invalidArguments,
                    "The arguments to GROUPING() must be expressions referenced by the GROUP BY at this "
                        + "level.", argument.span)
            }
            positions.append(index)
        }
        guard let setID else { return .literal(.integer(0), type) }
        let branches = sets.indices.map { index in
            var mask: Int64 = 0
            for position in positions {
                mask = mask << 1 | (sets[index].contains(position) ? 0 : 1)
            }
            return WhenBranch(
                condition: .comparison(
                    .equal, .column(setID, .bigint), .integer(Int64(index))),
                value: .literal(.integer(mask), type))
        }
        return .caseWhen(branches, otherwise: .literal(.integer(0), type), type: type)
    }
}

/// The arguments of an aggregate or window call, special forms included.
func aggregateArguments(
    _ call: FunctionCall, _ binder: ExpressionBinder, _ span: SourceSpan
) throws(QueryFault) -> [BoundExpression] {
    let name = call.canonicalName
    if call.isStar {
        guard name == "count" else {
            throw .analysis(
                .functionNotFound, "Unexpected parameters (*) for function \(name)", span)
        }
        return []
    }
    var arguments: [BoundExpression] = []
    for argument in call.arguments {
        if argument.value.isLambda {
            throw .analysis(.notSupported, "Lambdas are not supported in aggregate functions", span)
        }
        arguments.append(try binder.bind(argument.value))
    }
    // count(1) is count(*).
    if name == "count", !call.isDistinct, arguments.count == 1,
        let value = arguments[0].literalValue,
        value != .null
    {
        return []
    }
    if name == "listagg" {
        if arguments.count == 1 { arguments.append(.literal(.bytes([]), .text)) }
        if case .truncate(let filler, let withCount)? = call.overflow {
            arguments.append(.true_)
            arguments.append(.literal(.bytes(Array((filler ?? "...").utf8)), .text))
            arguments.append(.literal(.boolean(withCount), .boolean))
        }
    }
    return arguments
}

extension AggregateCall {
    /// Whether two calls compute the same.
    func isSame(as other: AggregateCall) -> Bool {
        function.function.name == other.function.function.name && arguments == other.arguments
            && function.parameters == other.function.parameters && isDistinct == other.isDistinct
            && filter == other.filter && order == other.order
    }
}
