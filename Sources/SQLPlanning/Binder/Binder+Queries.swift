import Authority
import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

extension Binder {
    static let maxDepth = 200
    /// How often a statement may name queries of WITH. Each is bound anew where it is named, so that a
    /// chain of them that each name the one before twice doubles at every step.
    static let maxNamedQueries = 4_000
    /// Steps of a recursive query, as Trino's `max_recursion_depth` has it.
    private static let maxRecursion = 10

    /// Binds a query: WITH, body, ORDER BY, OFFSET, LIMIT.
    func bind(_ query: Query, in environment: Environment) throws(QueryFault) -> BoundRelation {
        var inner = environment
        inner.depth += 1
        guard inner.depth < Self.maxDepth else {
            throw .analysis(.notSupported, "Queries nest too deeply", query.span)
        }
        for function in query.functions { try declare(function, in: &inner) }
        if let with = query.with { try declare(with, in: &inner) }
        let limit = try limit(query)
        var relation: BoundRelation
        if case .specification(let specification) = query.body.kind {
            relation = try select(specification, query.orderBy, limit.withTies ? limit : nil, inner)
        } else {
            relation = try body(query.body, inner)
            if !query.orderBy.isEmpty { try order(&relation, query.orderBy, limit, inner) }
        }
        if limit.withTies {
            guard !query.orderBy.isEmpty else {
                throw .analysis(
                    .missingOrderBy, "FETCH FIRST WITH TIES clause requires ORDER BY", query.span)
            }
        } else if limit.count != nil || limit.offset > 0 {
            relation.plan = .limit(relation.plan, count: limit.count, offset: limit.offset)
        }
        return relation
    }

    struct RowLimit {
        var count: Int64?
        var offset: Int64
        var withTies: Bool
    }

    private func limit(_ query: Query) throws(QueryFault) -> RowLimit {
        func number(_ expression: Expression, _ what: String) throws(QueryFault) -> Int64 {
            guard case .literal(.integer(let value), let type) = try constant(expression),
                type.isInteger, value >= 0
            else {
                throw .analysis(
                    .invalidLimitClause, "\(what) must be a non-negative integer", expression.span)
            }
            return value
        }
        let offset: Int64 =
            if let given = query.offset { try number(given, "OFFSET row count") } else { 0 }
        switch query.limit {
        case nil, .all?: return RowLimit(count: nil, offset: offset, withTies: false)
        case .rows(let expression)?:
            return RowLimit(
                count: try number(expression, "LIMIT row count"), offset: offset, withTies: false)
        case .rowsWithTies(let expression)?:
            return RowLimit(
                count: try number(expression, "FETCH FIRST row count"), offset: offset,
                withTies: true)
        }
    }

    /// ORDER BY over what a set operation, VALUES or TABLE gives: its columns are all there is.
    private func order(
        _ relation: inout BoundRelation, _ items: [SortItem], _ limit: RowLimit,
        _ environment: Environment
    ) throws(QueryFault) {
        let binder = ExpressionBinder(
            self, Scope(relation.fields, outer: environment.outer), environment, plan: relation.plan
        )
        binder.clause = "ORDER BY clause"
        var keys: [SortKey] = []
        for item in items {
            let bound: BoundExpression
            if case .integer(let ordinal) = item.expression.kind {
                bound = try self.ordinal(ordinal, relation.visible, "ORDER BY", item.span)
                    .expression
            } else {
                bound = try binder.bind(item.expression)
            }
            keys.append(try sortKey(bound, item, &binder.plan))
        }
        relation.plan = binder.plan.sorted(keys, limit)
    }

    func ordinal(
        _ ordinal: Int64, _ fields: [Field], _ clause: String, _ span: SourceSpan
    ) throws(QueryFault) -> PlanColumn {
        guard ordinal >= 1, ordinal <= Int64(fields.count) else {
            throw .analysis(
                .invalidColumnReference, "\(clause) position \(ordinal) is not in select list", span
            )
        }
        return fields[Int(ordinal) - 1].column
    }

    /// The key of a sort item; the plan gets a column for it where it has none.
    func sortKey(
        _ bound: BoundExpression, _ item: SortItem, _ plan: inout LogicalPlan
    ) throws(QueryFault) -> SortKey {
        guard bound.type.isOrderable else {
            throw .analysis(
                .typeMismatch,
                "Type \(bound.type) is not orderable, and therefore cannot be used in ORDER BY",
                item.expression.span)
        }
        return SortKey(
            column: plan.provide(bound, allocator, name: "key"), isAscending: !item.isDescending,
            nullsFirst: item.nullsFirst)
    }

    // MARK: Bodies

    func body(
        _ body: QueryBody, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        switch body.kind {
        case .specification(let specification):
            return try select(specification, [], nil, environment)
        case .subquery(let query): return try bind(query, in: environment)
        case .table(let name):
            var relation = try table(name, nil, nil, body.span, environment)
            relation.fields = relation.visible
            return relation
        case .values(let rows): return try values(rows, body.span, environment)
        case .setOperation(let operation):
            return try setOperation(operation, body.span, environment)
        }
    }

    private func values(
        _ rows: [Expression], _ span: SourceSpan, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        var bound: [(cells: [BoundExpression], plan: LogicalPlan)] = []
        for row in rows {
            let binder = ExpressionBinder(
                self, Scope([], outer: environment.outer), environment, plan: .oneRow)
            binder.clause = "VALUES"
            let cells: [BoundExpression]
            if case .row(let expressions) = row.kind {
                cells = try binder.bind(all: expressions)
            } else {
                cells = [try binder.bind(row)]
            }
            bound.append((cells, binder.plan))
        }
        let width = bound.first?.cells.count ?? 0
        guard bound.allSatisfy({ $0.cells.count == width }) else {
            throw .analysis(
                .typeMismatch,
                "Values rows have mismatched sizes: "
                    + "\(width) vs \(bound.first { $0.cells.count != width }?.cells.count ?? 0)",
                span)
        }
        var columns: [PlanColumn] = []
        for index in 0..<width {
            guard let type = LogicalType.commonSuperType(bound.map { $0.cells[index].type }) else {
                throw .analysis(
                    .typeMismatch,
                    "Values rows have mismatched types: "
                        + bound.prefix(2).map { "\($0.cells[index].type)" }.joined(
                            separator: " vs "), span)
            }
            columns.append(allocator.column(type, "_col\(index)"))
        }
        let fields = columns.map { Field(qualifier: [], name: nil, column: $0) }
        let cells = bound.map { row in zip(row.cells, columns).map { $0.coerced(to: $1.type) } }
        if bound.allSatisfy({ $0.plan.isOneEmptyRow }) {
            return BoundRelation(
                plan: .values(ValuesNode(columns: columns, rows: cells)), fields: fields)
        }
        // A row with a subquery is a plan of its own.
        var inputs: [LogicalPlan] = []
        var mapping: [[ColumnID]] = []
        for (row, values) in zip(bound, cells) {
            let outputs = columns.map { allocator.column($0.type, $0.name) }
            inputs.append(
                .project(
                    row.plan, zip(outputs, values).map { Assignment(column: $0, expression: $1) }))
            mapping.append(outputs.map(\.id))
        }
        return BoundRelation(
            plan: .union(inputs, columns: columns, mapping: mapping), fields: fields)
    }

    // MARK: WITH

    private func declare(_ with: With, in environment: inout Environment) throws(QueryFault) {
        var seen: Set<String> = []
        for item in with.queries {
            guard seen.insert(item.name.canonical).inserted else {
                throw .analysis(
                    .duplicateNamedQuery,
                    "WITH query name '\(item.name.text)' specified more than once",
                    item.name.span)
            }
            environment.named[item.name.canonical] = .query(
                NamedQuery(item: item, environment: environment, isRecursive: with.isRecursive))
        }
    }

    /// The rows of a named query, bound anew each time it is named.
    func named(
        _ named: NamedQuery, _ name: Identifier, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        namedQueryCount += 1
        guard namedQueryCount <= Self.maxNamedQueries else {
            throw .analysis(
                .notSupported,
                "Queries of WITH are named more than \(Self.maxNamedQueries) times, counting those "
                    + "within them", name.span,
                hint: "keep the result of a query that is named often in a table")
        }
        guard !context.request.cancellation.isCancelled else {
            throw QueryFault(.userCanceled, "Query was canceled")
        }
        var inner = named.environment
        inner.depth = environment.depth + 1
        if named.isRecursive, let relation = try recursive(named, inner) {
            return relation
        }
        let relation = try bind(named.item.query, in: inner)
        return try labelled(relation, named.item)
    }

    private func labelled(
        _ relation: BoundRelation, _ item: WithQuery
    ) throws(QueryFault) -> BoundRelation {
        var fields = relation.visible
        if !item.columns.isEmpty {
            guard item.columns.count == fields.count else {
                throw .analysis(
                    .mismatchedColumnAliases,
                    "WITH column alias list has \(item.columns.count) entries but "
                        + "'\(item.name.text)' has \(fields.count) columns available", item.span)
            }
            for index in fields.indices { fields[index].name = item.columns[index].text }
        }
        fields = fields.map { $0.requalified([item.name.canonical]) }
        return BoundRelation(plan: relation.plan, fields: fields)
    }

    /// `anchor UNION [ALL] step`: the step is unrolled to the limit of recursion, where more rows are a
    /// fault. Nil when the query does not name itself.
    private func recursive(
        _ named: NamedQuery, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation? {
        let item = named.item
        guard case .setOperation(let operation) = item.query.body.kind, operation.kind == .union,
            RecursionProbe(name: item.name.canonical).isNamed(in: operation.right)
        else { return nil }
        var hidden = environment
        hidden.named[item.name.canonical] = nil
        let anchor = try labelled(try body(operation.left, hidden), item)
        guard !item.columns.isEmpty else {
            throw .analysis(
                .missingColumnName,
                "missing column aliases in recursive WITH query", item.span)
        }
        guard !operation.isDistinct else {
            throw .analysis(
                .notSupported,
                "UNION DISTINCT is not supported in a recursive query; use UNION ALL",
                item.span)
        }
        let columns = anchor.visible.map { allocator.column($0.column.type, $0.name ?? "column") }
        var inputs = [anchor.plan]
        var mapping = [anchor.visible.map(\.column.id)]
        var rows = anchor
        for step in 0...Self.maxRecursion {
            var inner = hidden
            inner.named[item.name.canonical] = .rows(rows)
            var next = try body(operation.right, inner)
            let fields = next.visible
            guard fields.count == columns.count else {
                throw .analysis(
                    .typeMismatch,
                    "UNION query has different number of fields: \(columns.count), "
                        + "\(fields.count)", item.span)
            }
            var assignments: [Assignment] = []
            for (field, column) in zip(fields, columns) {
                guard field.column.type.coerces(to: column.type) else {
                    throw .analysis(
                        .typeMismatch,
                        "recursion step relation output type (\(field.column.type)) is not "
                            + "coercible to recursion base relation output type (\(column.type)) at column "
                            + "\(assignments.count + 1)", item.span)
                }
                assignments.append(
                    Assignment(
                        column: allocator.column(column.type, column.name),
                        expression: field.column.expression.coerced(to: column.type)))
            }
            if step == Self.maxRecursion {
                let message =
                    "Recursion depth limit exceeded (\(Self.maxRecursion)). Use 'max_recursion_depth' "
                    + "session property to modify the limit."
                let fail = try registry.resolveScalar(
                    "$fail", [.value(.varchar(length: message.utf8.count))], span: item.span)
                let text = BoundExpression.literal(.bytes(Array(message.utf8)), .text)
                for index in assignments.indices {
                    assignments[index].expression = .coalesce(
                        [
                            .cast(
                                .call(fail, [text]), to: assignments[index].column.type,
                                isSafe: false),
                            assignments[index].expression,
                        ], type: assignments[index].column.type)
                }
            }
            next.plan = .project(next.plan, assignments)
            next.fields = zip(assignments, rows.visible).map { assignment, field in
                var copy = field
                copy.column = assignment.column
                return copy
            }
            inputs.append(next.plan)
            mapping.append(assignments.map(\.column.id))
            rows = next
        }
        let fields = zip(anchor.visible, columns).map { field, column in
            var copy = field
            copy.column = column
            return copy
        }
        return BoundRelation(
            plan: .union(inputs, columns: columns, mapping: mapping), fields: fields)
    }
}

/// Looks for a table name in a query body.
private struct RecursionProbe {
    let name: String

    func isNamed(in body: QueryBody) -> Bool {
        switch body.kind {
        case .specification(let specification):
            specification.from.map { isNamed(in: $0) } ?? false
        case .setOperation(let operation):
            isNamed(in: operation.left) || isNamed(in: operation.right)
        case .table(let table): table.canonicalParts == [name]
        case .subquery(let query): isNamed(in: query.body)
        case .values: false
        }
    }

    func isNamed(in relation: Relation) -> Bool {
        switch relation.kind {
        case .table(let reference): reference.name.canonicalParts == [name]
        case .subquery(let query), .lateral(let query): isNamed(in: query.body)
        case .join(let join): isNamed(in: join.left) || isNamed(in: join.right)
        case .aliased(let inner, _, _), .sampled(let inner, _, _),
            .patternRecognition(let inner, _):
            isNamed(in: inner)
        default: false
        }
    }
}

extension LogicalPlan {
    /// The plan in an order; WITH TIES is limited here, since only the order knows what is equal.
    func sorted(_ keys: [SortKey], _ limit: Binder.RowLimit?) -> LogicalPlan {
        if let limit, limit.withTies {
            return .topN(
                self, keys, count: limit.count ?? .max, offset: limit.offset, withTies: true)
        }
        return .sort(self, keys)
    }
}
