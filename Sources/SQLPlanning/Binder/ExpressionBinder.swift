import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// Binds expressions over one scope; subqueries are joined to `plan` as they are met.
final class ExpressionBinder {
    let binder: Binder
    let scope: Scope
    let environment: Environment
    /// The rows that the expressions are evaluated for.
    var plan: LogicalPlan
    /// Expressions that are columns already: aggregates, window functions, grouping expressions.
    var known: [Expression: BoundExpression] = [:]
    /// Grouping expressions by the text of what they mean, for those written in another way.
    var groupTexts: [String: BoundExpression] = [:]
    /// Labels of SELECT, for ORDER BY.
    var aliases: [(label: String, value: BoundExpression)] = []
    /// `grouping(a, b)`: from its arguments to a value; nil where there is no GROUP BY.
    var grouping: (([Expression]) throws(QueryFault) -> BoundExpression?)?
    /// Why an aggregate may not stand here; nil: it was looked for in `known`.
    var clause = "this"
    private var lambdaParameters: [(name: String, id: ColumnID, type: LogicalType)] = []
    private var depth = 0
    private static let maxDepth = 2_000

    init(_ binder: Binder, _ scope: Scope, _ environment: Environment, plan: LogicalPlan) {
        self.binder = binder
        self.scope = scope
        self.environment = environment
        self.plan = plan
    }

    var registry: FunctionRegistry { binder.registry }

    // MARK: Entry points

    /// Binds an expression that must be boolean.
    func predicate(_ expression: Expression, clause: String) throws(QueryFault) -> BoundExpression {
        let bound = try bind(expression)
        guard bound.type == .boolean || bound.type == .unknown else {
            throw .analysis(
                .typeMismatch, "\(clause) must evaluate to a boolean: actual type \(bound.type)",
                expression.span)
        }
        return bound.coerced(to: .boolean)
    }

    /// Narrows `plan` to the rows for which a condition holds; membership tests become semi joins.
    func restrict(_ condition: Expression, clause: String) throws(QueryFault) {
        var conditions: [BoundExpression] = []
        for term in conjuncts(condition) {
            if try !restrictBySubquery(term) {
                conditions.append(try predicate(term, clause: clause))
            }
        }
        plan = plan.filtered(conditions)
    }

    private func conjuncts(_ expression: Expression) -> [Expression] {
        // What a query groups by is a value of its own, whatever it is made of.
        if known[expression] == nil, case .and(let terms) = expression.kind {
            return terms.flatMap(conjuncts)
        }
        return [expression]
    }

    /// Joins for EXISTS, IN, `= ANY` and their negations where they are whole conditions.
    private func restrictBySubquery(_ term: Expression) throws(QueryFault) -> Bool {
        if known[term] != nil { return false }
        var inner = term
        var negated = false
        while case .not(let operand) = inner.kind {
            inner = operand
            negated.toggle()
        }
        switch inner.kind {
        case .exists(let query):
            let subquery = try self.subquery(query)
            plan = try binder.joins.exists(plan, subquery.plan, negated ? .drop : .keep).plan
            return true
        case .inSubquery(let value, let query, let isNegated):
            _ = try membership(value, query, negated != isNegated ? .drop : .keep, inner.span)
            return true
        case .quantified(let value, .equal, .any, let query):
            _ = try membership(value, query, negated ? .drop : .keep, inner.span)
            return true
        case .quantified(let value, .notEqual, .all, let query):
            _ = try membership(value, query, negated ? .keep : .drop, inner.span)
            return true
        default: return false
        }
    }

    // MARK: Expressions

    /// Binds an expression: names, types, explicit casts.
    func bind(_ expression: Expression) throws(QueryFault) -> BoundExpression {
        if let value = known[expression] { return value }
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.maxDepth else {
            throw .analysis(.notSupported, "The expression nests too deeply", expression.span)
        }
        if !groupTexts.isEmpty, let value = groupedValue(expression) { return value }
        // What nests the most goes by frames that are small.
        switch expression.kind {
        case .function(let call): return try function(call, expression)
        case .binary: return try chain(expression)
        default: return try form(expression)
        }
    }

    /// Binds every other form.
    private func form(_ expression: Expression) throws(QueryFault) -> BoundExpression {
        switch expression.kind {
        case .null: return .null(.unknown)
        case .boolean(let value): return .literal(.boolean(value), .boolean)
        case .integer(let value):
            return .literal(.integer(value), Int32(exactly: value) == nil ? .bigint : .integer)
        case .decimal(let text): return try LiteralBinding.decimal(text, expression.span)
        case .double(let value): return .literal(.double(bits: value.bitPattern), .double)
        case .string(let text):
            return .literal(.bytes(Array(text.utf8)), .varchar(length: text.unicodeScalars.count))
        case .bytes(let bytes): return .literal(.bytes(bytes), .varbinary)
        case .typed(let type, let text):
            return try typedLiteral(type, text, expression.span)
        case .interval(let interval): return try LiteralBinding.interval(interval, expression.span)
        case .parameter(let index):
            guard index < binder.context.parameters.count else {
                throw .analysis(
                    .invalidParameterUsage,
                    "Incorrect number of parameters: expected at least \(index + 1) but found "
                        + "\(binder.context.parameters.count)", expression.span)
            }
            return try binder.constant(binder.context.parameters[index])
        case .identifier, .dereference: return try name(expression)
        case .negate(let operand): return try negate(operand, expression.span)
        case .plus(let operand):
            let bound = try bind(operand)
            guard bound.type.isNumeric || bound.type.isInterval || bound.type == .unknown else {
                throw .analysis(
                    .typeMismatch,
                    "Unary '+' operator cannot by applied to \(bound.type) type", expression.span)
            }
            return bound
        case .binary: return try chain(expression)
        case .comparison(let op, let left, let right):
            return try comparison(
                ComparisonOperator(op), try bind(left), try bind(right), expression.span)
        case .isDistinct(let left, let right, let negated):
            return try comparison(
                negated ? .notDistinct : .distinct, try bind(left), try bind(right), expression.span
            )
        case .and(let terms): return .all(try logical(terms))
        case .or(let terms): return .any(try logical(terms))
        case .not(let operand): return .not(try logical([operand])[0])
        case .isNull(let operand, let negated):
            let test = BoundExpression.isNull(try bind(operand))
            return negated ? .not(test) : test
        case .isTruth(let operand, let truth, let negated):
            let bound = try logical([operand])[0]
            let test: BoundExpression =
                switch truth {
                case .isTrue: .coalesce([bound, .false_], type: .boolean)
                case .isFalse: .coalesce([.not(bound), .false_], type: .boolean)
                case .unknown: .isNull(bound)
                }
            return negated ? .not(test) : test
        case .between(let value, let low, let high, let negated):
            return try between(value, low, high, negated, expression.span)
        case .inList(let value, let list, let negated):
            let test = try inList(value, list, expression.span)
            return negated ? .not(test) : test
        case .like(let value, let pattern, let escape, let negated):
            let test = try like(value, pattern, escape)
            return negated ? .not(test) : test
        case .atTimeZone(let value, let zone):
            return try call(
                "at_timezone", [try bind(value), try bind(zone)], expression.span)
        case .atLocal(let value):
            let zone = binder.context.session.zone
            return try call(
                "at_timezone",
                [
                    try bind(value),
                    .literal(.bytes(Array(zone.utf8)), .varchar(length: zone.count)),
                ],
                expression.span)
        case .subscripted(let base, let index):
            return try subscripted(try bind(base), try bind(index), index.span)
        case .caseWhen(let operand, let clauses, let otherwise):
            return try caseWhen(operand, clauses, otherwise, expression.span)
        case .cast(let operand, let type, let isTry):
            return try cast(try bind(operand), LogicalType(type), isTry, expression.span)
        case .row(let values):
            let bound = try bind(all: values)
            return .row(bound, type: .row(bound.map { RowField(name: nil, type: $0.type) }))
        case .array(let values):
            let bound = try bind(all: values)
            let element = try common(bound.map(\.type), "All ARRAY elements", expression.span)
            return .array(bound.map { $0.coerced(to: element) }, type: .array(element))
        case .lambda:
            throw .analysis(
                .typeMismatch, "Lambda expression should always be used inside a function",
                expression.span)
        case .function(let call): return try function(call, expression)
        case .extract(let field, let operand): return try extract(field, operand, expression.span)
        case .trim(let side, let characters, let value):
            let name =
                switch side {
                case .both: "trim"
                case .leading: "ltrim"
                case .trailing: "rtrim"
                }
            var arguments = [try bind(value)]
            if let characters { arguments.append(try bind(characters)) }
            return try call(name, arguments, expression.span)
        case .normalize(let value, let form):
            return try call(
                "normalize",
                [
                    try bind(value),
                    .literal(.bytes(Array(form.utf8)), .varchar(length: form.count)),
                ],
                expression.span)
        case .grouping(let arguments):
            if let grouping, let value = try grouping(arguments) { return value }
            throw .analysis(
                .missingGroupBy,
                "A GROUPING() operation can only be used with a corresponding GROUPING "
                    + "SET/CUBE/ROLLUP/GROUP BY clause", expression.span)
        case .special(let value, let precision):
            return try special(value, precision, expression.span)
        case .subquery(let query): return try scalarSubquery(query, expression.span)
        case .exists(let query):
            let subquery = try self.subquery(query)
            let (joined, value) = try binder.joins.exists(plan, subquery.plan, .value)
            plan = joined
            return value ?? .true_
        case .inSubquery(let value, let query, let negated):
            let test = try membership(value, query, .value, expression.span)
            return negated ? .not(test) : test
        case .quantified(let value, let op, let quantifier, let query):
            return try quantified(value, op, quantifier, query, expression.span)
        case .unique:
            throw .analysis(.notSupported, "UNIQUE is not supported", expression.span)
        case .overlaps(let left, let right): return try overlaps(left, right, expression.span)
        case .jsonExists, .jsonValue, .jsonQuery, .jsonObject, .jsonArray:
            return try json(expression)
        }
    }

    /// Binds `a + b - c …`, which leans to the left, by a loop: long sums take no stack here.
    private func chain(_ expression: Expression) throws(QueryFault) -> BoundExpression {
        var rest: [(op: BinaryOperator, right: Expression, span: SourceSpan)] = []
        var first = expression
        while case .binary(let op, let left, let right) = first.kind {
            // A grouping expression within the chain is a column.
            if !rest.isEmpty,
                known[first] != nil || !groupTexts.isEmpty && groupedValue(first) != nil
            {
                break
            }
            rest.append((op, right, first.span))
            first = left
        }
        var result = try bind(first)
        for (op, right, span) in rest.reversed() {
            result = try arithmetic(op, result, try bind(right), span)
        }
        return result
    }

    func bind(all expressions: [Expression]) throws(QueryFault) -> [BoundExpression] {
        var result: [BoundExpression] = []
        for expression in expressions { result.append(try bind(expression)) }
        return result
    }

    /// A grouping expression written in another way (`t.a + 1` for `a + 1`).
    private func groupedValue(_ expression: Expression) -> BoundExpression? {
        switch expression.kind {
        case .identifier, .integer, .string, .null, .boolean, .decimal, .double: return nil
        default: break
        }
        guard !expression.hasSubquery else { return nil }
        let scratch = ExpressionBinder(
            binder, Scope(scope.fields, outer: scope.outer), environment, plan: .oneRow)
        guard let bound = try? scratch.bind(expression) else { return nil }
        return groupTexts[bound.identity]
    }

    // MARK: Names

    private func name(_ expression: Expression) throws(QueryFault) -> BoundExpression {
        guard let identifiers = expression.qualifiedName else {
            guard case .dereference(let base, let field) = expression.kind else {
                throw .analysis(.notSupported, "This name is not supported", expression.span)
            }
            return try dereference(try bind(base), field)
        }
        let parts = identifiers.map(\.canonical)
        if let parameter = lambdaParameters.last(where: { $0.name == parts[0] }) {
            return try fields(.column(parameter.id, parameter.type), identifiers[1...])
        }
        if parts.count == 1, let alias = try alias(parts[0], expression.span) { return alias }
        switch scope.find(parts) {
        case .column(let column, let partCount, let isGrouped, _):
            if !isGrouped {
                throw .analysis(
                    .expressionNotAggregate,
                    "'\(identifiers.map(\.text).joined(separator: "."))' must be an aggregate expression "
                        + "or appear in GROUP BY clause", expression.span)
            }
            return try fields(column.expression, identifiers[partCount...])
        case .ambiguous:
            throw .analysis(
                .ambiguousName,
                "Column '\(identifiers.map(\.text).joined(separator: "."))' is ambiguous",
                expression.span)
        case .nothing:
            let near = nearestName(to: parts[parts.count - 1], among: scope.names)
            throw .analysis(
                .columnNotFound,
                "Column '\(identifiers.map(\.canonical).joined(separator: "."))' cannot be resolved",
                expression.span, hint: near.map { "did you mean \($0)?" })
        }
    }

    private func alias(_ name: String, _ span: SourceSpan) throws(QueryFault) -> BoundExpression? {
        let matches = aliases.filter { $0.label == name }
        guard let first = matches.first else { return nil }
        if matches.contains(where: { $0.value.identity != first.value.identity }) {
            throw .analysis(.ambiguousName, "Column '\(name)' is ambiguous", span)
        }
        return first.value
    }

    private func fields(
        _ base: BoundExpression, _ path: ArraySlice<Identifier>
    ) throws(QueryFault) -> BoundExpression {
        var value = base
        for field in path { value = try dereference(value, field) }
        return value
    }

    private func dereference(
        _ base: BoundExpression, _ field: Identifier
    ) throws(QueryFault) -> BoundExpression {
        guard case .row(let fields) = base.type else {
            throw .analysis(
                .typeMismatch, "Expression is not of type ROW: \(base.type)", field.span)
        }
        let matches = fields.indices.filter { fields[$0].name?.lowercased() == field.canonical }
        guard let index = matches.first else {
            throw .analysis(
                .columnNotFound, "Column '\(field.canonical)' cannot be resolved", field.span,
                hint: nearestName(to: field.canonical, among: fields.compactMap(\.name)).map {
                    "did you mean \($0)?"
                })
        }
        guard matches.count == 1 else {
            throw .analysis(
                .ambiguousName, "Ambiguous row field reference: \(field.text)", field.span)
        }
        return .field(base, index: index, type: fields[index].type)
    }

    // MARK: Lambdas

    /// Binds a lambda's body over parameters of these types.
    func lambda(
        _ names: [Identifier], _ body: Expression, _ types: [LogicalType]
    ) throws(QueryFault) -> BoundExpression {
        if body.hasSubquery {
            throw .analysis(
                .notSupported, "Lambda expression cannot contain subqueries", body.span)
        }
        let count = lambdaParameters.count
        defer { lambdaParameters.removeSubrange(count...) }
        var parameters: [(ColumnID, LogicalType)] = []
        for (name, type) in zip(names, types) {
            let id = binder.allocator.id()
            parameters.append((id, type))
            lambdaParameters.append((name.canonical, id, type))
        }
        return .lambda(parameters: parameters, body: try bind(body))
    }

    /// A call of a scalar function by arguments that are bound already.
    func call(
        _ name: String, _ arguments: [BoundExpression], _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        let resolved = try registry.resolveScalar(
            name, arguments.map { .value($0.type) }, span: span)
        var coerced: [BoundExpression] = []
        for (argument, parameter) in zip(arguments, resolved.parameters) {
            guard case .value(let type) = parameter else { continue }
            coerced.append(argument.coerced(to: type))
        }
        return .call(resolved, coerced)
    }
}

extension ComparisonOperator {
    init(_ written: SQLSyntax.ComparisonOperator) {
        self =
            switch written {
            case .equal: .equal
            case .notEqual: .notEqual
            case .less: .less
            case .lessOrEqual: .lessOrEqual
            case .greater: .greater
            case .greaterOrEqual: .greaterOrEqual
            }
    }
}

extension LogicalType {
    var isInterval: Bool { self == .intervalYearToMonth || self == .intervalDayToSecond }

    /// Dates and times, which take intervals.
    var isTemporal: Bool {
        switch self {
        case .date, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone: true
        default: false
        }
    }
}
