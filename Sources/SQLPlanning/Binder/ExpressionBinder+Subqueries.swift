import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

extension ExpressionBinder {
    /// Binds a query in this scope; its free columns are those of this plan or of outer ones.
    func subquery(_ query: Query) throws(QueryFault) -> BoundRelation {
        var inner = environment
        inner.outer = scope
        return try binder.bind(query, in: inner)
    }

    func scalarSubquery(_ query: Query, _ span: SourceSpan) throws(QueryFault) -> BoundExpression {
        var relation = try subquery(query)
        let fields = relation.visible
        guard !fields.isEmpty else {
            throw .analysis(.notSupported, "The subquery has no column", span)
        }
        let value: PlanColumn
        if fields.count == 1 {
            value = fields[0].column
        } else {
            // Several columns make a row.
            let type = LogicalType.row(fields.map { RowField(name: $0.name, type: $0.column.type) })
            value = binder.allocator.column(type, "row")
            relation.plan = .project(
                relation.plan,
                [
                    Assignment(
                        column: value,
                        expression: .row(fields.map { $0.column.expression }, type: type))
                ])
        }
        // Only the one column: what else the plan carries is of no interest.
        let single: LogicalPlan =
            if relation.plan.outputs.count == 1 {
                relation.plan
            } else {
                .project(relation.plan, [value.assignment])
            }
        let (joined, result) = try located(span) { () throws(QueryFault) in
            try binder.joins.scalar(plan, single)
        }
        plan = joined
        return result
    }

    /// `value IN (query)`; joined as a condition or, for `.value`, given as a mark.
    func membership(
        _ value: Expression, _ query: Query, _ use: SubqueryJoins.Use, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        var relation = try subquery(query)
        var operands: [BoundExpression]
        if case .row(let values) = value.kind, values.count > 1 {
            operands = try bind(all: values)
        } else {
            operands = [try bind(value)]
        }
        let fields = relation.visible
        var members = fields.map { $0.column.expression }
        if operands.count == 1, members.count > 1, case .row(let types) = operands[0].type,
            types.count == members.count
        {
            let row = operands[0]
            operands = types.indices.map { .field(row, index: $0, type: types[$0].type) }
        }
        if operands.count > 1, members.count == 1, case .row(let types) = members[0].type,
            types.count == operands.count
        {
            let row = members[0]
            members = types.indices.map { .field(row, index: $0, type: types[$0].type) }
        }
        guard operands.count == members.count else {
            throw .analysis(
                .typeMismatch,
                "Value expression and result of subquery must be of the same type for IN: "
                    + "\(operands.count) columns vs \(members.count)", span)
        }
        for index in operands.indices {
            guard
                let common = LogicalType.commonSuperType(operands[index].type, members[index].type),
                common.isComparable
            else {
                throw .analysis(
                    .typeMismatch,
                    "value and result of subquery must be of the same type for IN expression: "
                        + "\(operands[index].type) vs \(members[index].type)", span)
            }
            operands[index] = operands[index].coerced(to: common)
            members[index] = members[index].coerced(to: common)
        }
        // Computed members become columns of the subquery, so that conditions read columns only.
        for index in members.indices where members[index].columnID == nil {
            let type = members[index].type
            members[index] = .column(
                relation.plan.provide(members[index], binder.allocator), type)
        }
        let (joined, result) = try located(span) { () throws(QueryFault) in
            try binder.joins.membership(plan, operands, relation.plan, members, use)
        }
        plan = joined
        return result ?? .true_
    }

    /// `value op ANY (query)` and `ALL`.
    func quantified(
        _ value: Expression, _ op: SQLSyntax.ComparisonOperator, _ quantifier: Quantifier,
        _ query: Query, _ span: SourceSpan
    ) throws(QueryFault) -> BoundExpression {
        if op == .equal && quantifier == .any { return try membership(value, query, .value, span) }
        if op == .notEqual && quantifier == .all {
            return .not(try membership(value, query, .value, span))
        }
        let operand = try bind(value)
        var relation = try subquery(query)
        guard relation.visible.count == 1, let field = relation.visible.first else {
            throw .analysis(
                .notSupported,
                "Multiple columns returned by subquery are not yet supported. Found "
                    + "\(relation.visible.count)", span)
        }
        guard let common = LogicalType.commonSuperType(operand.type, field.column.type),
            common.isOrderable
        else {
            throw .analysis(
                .typeMismatch,
                "Value expression and result of subquery must be of the same type for "
                    + "quantified comparison: \(operand.type) vs \(field.column.type)", span)
        }
        // All that the comparison needs of the set: its least and greatest value, its size, its NULLs.
        let member = relation.plan.provide(
            field.column.expression.coerced(to: common), binder.allocator)
        func aggregate(_ name: String, _ argument: ColumnID?) throws(QueryFault) -> AggregateCall {
            let function = try registry.resolveAggregate(name, argument == nil ? [] : [common])
            return AggregateCall(
                output: binder.allocator.column(function.result, name), function: function,
                arguments: argument.map { [$0] } ?? [])
        }
        let calls = [
            try aggregate("min", member), try aggregate("max", member), try aggregate("count", nil),
            try aggregate("count", member),
        ]
        let (least, greatest) = (calls[0].output.expression, calls[1].output.expression)
        let (size, known) = (calls[2].output.expression, calls[3].output.expression)
        let row = binder.allocator.column(
            .row(calls.map { RowField(name: nil, type: $0.output.type) }), "set")
        let set = LogicalPlan.project(
            .aggregate(AggregateNode(input: relation.plan, keys: [], calls: calls)),
            [
                Assignment(
                    column: row,
                    expression: .row([least, greatest, size, known], type: row.type))
            ])
        let (joined, summary) = try binder.joins.scalar(plan, set)
        plan = joined
        func part(_ index: Int) -> BoundExpression {
            .field(summary, index: index, type: calls[index].output.type)
        }
        let left = operand.coerced(to: common)
        let isAny = quantifier == .any
        let certain: BoundExpression
        switch op {
        case .equal:
            certain = .and([.comparison(.equal, left, part(0)), .comparison(.equal, left, part(1))])
        case .notEqual:
            certain = .or([
                .comparison(.notEqual, left, part(0)), .comparison(.notEqual, left, part(1)),
            ])
        case .less, .lessOrEqual:
            certain = .comparison(ComparisonOperator(op), left, part(isAny ? 1 : 0))
        case .greater, .greaterOrEqual:
            certain = .comparison(ComparisonOperator(op), left, part(isAny ? 0 : 1))
        }
        return .caseWhen(
            [
                WhenBranch(
                    condition: .comparison(.equal, part(2), .integer(0)),
                    value: isAny ? .false_ : .true_),
                WhenBranch(
                    condition: isAny ? certain : .not(certain), value: isAny ? .true_ : .false_),
                WhenBranch(
                    condition: .comparison(.notEqual, part(2), part(3)), value: .null(.boolean)),
            ], otherwise: certain, type: .boolean)
    }

    /// Gives faults of unnesting the place of the subquery.
    private func located<Result>(
        _ span: SourceSpan, _ body: () throws(QueryFault) -> Result
    ) throws(QueryFault) -> Result {
        do {
            return try body()
        } catch {
            guard error.span == nil else { throw error }
            throw .analysis(error.code, error.message, span, hint: error.hint)
        }
    }
}
