import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

/// One element of the SELECT list, stars taken apart.
struct SelectColumn {
    var expression: Expression?
    /// For columns of a star: bound already.
    var bound: BoundExpression?
    var label: String?
    var isAliased = false
    var origin: TableName?
    var span: SourceSpan
}

extension Binder {
    /// `SELECT … FROM … WHERE … GROUP BY … HAVING … WINDOW …` and the query's ORDER BY.
    func select(
        _ specification: QuerySpecification, _ orderBy: [SortItem], _ ties: RowLimit?,
        _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        let from =
            if let relation = specification.from { try bind(relation, in: environment) } else {
                BoundRelation(plan: .oneRow, fields: [])
            }
        let scope = Scope(from.fields, outer: environment.outer)
        var stage = ExpressionBinder(self, scope, environment, plan: from.plan)
        if let filter = specification.filter {
            stage.clause = "WHERE clause"
            try stage.restrict(filter, clause: "WHERE clause")
        }
        var columns = try expand(specification, from, stage)
        var roots = columns.compactMap(\.expression)
        if let having = specification.having { roots.append(having) }
        roots += orderBy.map(\.expression)
        roots += specification.windows.flatMap {
            $0.window.partitionBy + $0.window.orderBy.map(\.expression)
        }
        let aggregates = aggregateCalls(in: roots)
        if specification.groupBy != nil || specification.having != nil || !aggregates.isEmpty {
            let grouping = Grouping(self, stage, environment)
            stage = try grouping.group(specification, columns, from, aggregates)
        }
        stage.clause = "HAVING clause"
        if let having = specification.having {
            try stage.restrict(having, clause: "HAVING clause")
        }
        stage.clause = "SELECT clause"
        try WindowBinding(self, stage, specification.windows).bind(
            columns.compactMap(\.expression) + orderBy.map(\.expression))
        for index in columns.indices {
            guard let expression = columns[index].expression else {
                if let bound = columns[index].bound, let allowed = stage.scope.grouped,
                    !bound.columns.isSubset(of: allowed)
                {
                    throw .analysis(
                        .expressionNotAggregate,
                        "'\(columns[index].label ?? "column")' must be an aggregate expression or appear in "
                            + "GROUP BY clause", columns[index].span)
                }
                continue
            }
            let bound = try stage.bind(expression)
            columns[index].bound = bound
            if columns[index].label == nil {
                columns[index].label = expression.impliedLabel
                columns[index].origin = origin(of: bound, in: from)
            }
        }
        return try output(specification, columns, orderBy, ties, stage)
    }

    private func origin(of bound: BoundExpression, in from: BoundRelation) -> TableName? {
        guard let id = bound.columnID else { return nil }
        return from.fields.first { $0.column.id == id }?.origin
    }

    // MARK: Stars

    private func expand(
        _ specification: QuerySpecification, _ from: BoundRelation, _ stage: ExpressionBinder
    ) throws(QueryFault) -> [SelectColumn] {
        var columns: [SelectColumn] = []
        for item in specification.items {
            switch item.kind {
            case .expression(let expression, let alias):
                columns.append(
                    SelectColumn(
                        expression: expression, label: alias?.text, isAliased: alias != nil,
                        span: item.span))
            case .all(nil, _):
                guard specification.from != nil else {
                    throw .analysis(
                        .columnNotFound, "SELECT * not allowed in queries without FROM clause",
                        item.span)
                }
                let visible = from.visible
                guard !visible.isEmpty else {
                    throw .analysis(
                        .columnNotFound, "SELECT * not allowed from relation that has no columns",
                        item.span)
                }
                columns += visible.map { star($0, item.span) }
            case .all(let target?, let aliases):
                columns += try star(target, aliases, from, stage, item.span)
            }
        }
        return columns
    }

    private func star(_ field: Field, _ span: SourceSpan) -> SelectColumn {
        SelectColumn(
            bound: field.column.expression, label: field.name, origin: field.origin, span: span)
    }

    /// `t.*` and `row.*`.
    private func star(
        _ target: Expression, _ aliases: [Identifier], _ from: BoundRelation,
        _ stage: ExpressionBinder, _ span: SourceSpan
    ) throws(QueryFault) -> [SelectColumn] {
        var columns: [SelectColumn] = []
        if let name = target.qualifiedName {
            let parts = name.map(\.canonical)
            let fields = from.fields.filter { field in
                !field.isHidden && parts.count <= field.qualifier.count
                    && Array(field.qualifier.suffix(parts.count)) == parts
            }
            columns = fields.map { star($0, span) }
            if fields.isEmpty, case .nothing = stage.scope.find(parts) {
                throw .analysis(
                    .tableNotFound, "Unable to resolve reference \(parts.joined(separator: "."))",
                    span)
            }
        }
        if columns.isEmpty {
            let row = try stage.bind(target)
            guard case .row(let fields) = row.type else {
                throw .analysis(
                    .typeMismatch, "expected expression of type Row, but got \(row.type)", span)
            }
            columns = fields.indices.map { index in
                SelectColumn(
                    bound: .field(row, index: index, type: fields[index].type),
                    label: fields[index].name, span: span)
            }
        }
        if !aliases.isEmpty {
            guard aliases.count == columns.count else {
                throw .analysis(
                    .mismatchedColumnAliases,
                    "Column alias list has \(aliases.count) entries but relation has \(columns.count) columns",
                    span)
            }
            for index in columns.indices {
                columns[index].label = aliases[index].text
                columns[index].isAliased = true
            }
        }
        return columns
    }

    // MARK: Aggregates in expressions

    /// The aggregate calls of a query's expressions, those inside of window functions too.
    private func aggregateCalls(in roots: [Expression]) -> [Expression] {
        var result: [Expression] = []
        var seen: Set<Expression> = []
        for root in roots {
            root.walk { expression in
                if case .function(let call) = expression.kind, call.window == nil,
                    registry.isAggregate(call.canonicalName),
                    !registry.isWindowOnly(call.canonicalName)
                {
                    if seen.insert(expression).inserted { result.append(expression) }
                    return false
                }
                return true
            }
        }
        return result
    }

    // MARK: Output

    /// Projects the SELECT list, removes duplicates, sorts.
    private func output(
        _ specification: QuerySpecification, _ columns: [SelectColumn], _ orderBy: [SortItem],
        _ ties: RowLimit?, _ stage: ExpressionBinder
    ) throws(QueryFault) -> BoundRelation {
        var fields: [Field] = []
        var assignments: [Assignment] = []
        var byText: [String: PlanColumn] = [:]
        // A column of an outer query gets an id of its own: it is another column once rows are joined.
        let own = Set(stage.plan.outputs.map(\.id))
        for column in columns {
            guard let bound = column.bound else { continue }
            let text = bound.identity
            let output: PlanColumn
            if let known = byText[text], bound.isDeterministic {
                output = known
            } else {
                output =
                    bound.columnID.flatMap {
                        own.contains($0)
                            ? PlanColumn(id: $0, type: bound.type, name: column.label ?? "column")
                            : nil
                    } ?? allocator.column(bound.type, column.label ?? "expr")
                byText[text] = output
                assignments.append(Assignment(column: output, expression: bound))
            }
            fields.append(
                Field(
                    qualifier: [], name: column.label, column: output, origin: column.origin,
                    isAliased: column.isAliased))
        }
        if specification.isDistinct {
            for field in fields where !field.column.type.isComparable {
                throw .analysis(
                    .typeMismatch,
                    "DISTINCT can only be applied to comparable types (actual: "
                        + "\(field.column.type))", columns[0].span)
            }
        }
        // ORDER BY sees labels first, then what FROM offers.
        stage.clause = "ORDER BY clause"
        stage.aliases = zip(columns, fields).compactMap { column, field in
            guard let label = column.label?.lowercased(), let bound = column.bound else {
                return nil
            }
            return (label, bound)
        }
        var keys: [SortKey] = []
        let outputs = assignments
        for item in orderBy {
            let bound: BoundExpression
            if case .integer(let ordinal) = item.expression.kind {
                let column = try self.ordinal(ordinal, fields, "ORDER BY", item.span)
                bound =
                    outputs.first { $0.column.id == column.id }?.expression ?? column.expression
            } else {
                bound = try stage.bind(item.expression)
            }
            guard bound.type.isOrderable else {
                throw .analysis(
                    .typeMismatch,
                    "Type \(bound.type) is not orderable, and therefore cannot be used in ORDER BY",
                    item.expression.span)
            }
            let key: PlanColumn
            if let known = byText[bound.identity] {
                key = known
            } else {
                if specification.isDistinct {
                    throw .analysis(
                        .expressionNotInDistinct,
                        "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                        item.expression.span)
                }
                key =
                    bound.columnID.flatMap {
                        own.contains($0)
                            ? PlanColumn(id: $0, type: bound.type, name: "key") : nil
                    }
                    ?? allocator.column(bound.type, "key")
                byText[bound.identity] = key
                assignments.append(Assignment(column: key, expression: bound))
            }
            keys.append(
                SortKey(
                    column: key.id, isAscending: !item.isDescending, nullsFirst: item.nullsFirst))
        }
        var plan = LogicalPlan.project(stage.plan, assignments)
        if specification.isDistinct { plan = plan.distinct(fields.map(\.column)) }
        if !keys.isEmpty { plan = plan.sorted(keys, ties) }
        if assignments.count > outputs.count {
            plan = .project(plan, outputs.map(\.column.assignment))
        }
        return BoundRelation(plan: plan, fields: fields)
    }
}

extension FunctionCall {
    /// The last part of the name, in lower case.
    var canonicalName: String { name.parts[name.parts.count - 1].canonical }
}

extension Expression {
    /// The label that an unaliased column of SELECT gets: its own name, nothing for expressions.
    var impliedLabel: String? {
        switch kind {
        case .identifier(let name): name.text
        case .dereference(_, let field): field.text
        default: nil
        }
    }
}
