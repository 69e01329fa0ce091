import Authority
import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

extension Binder {
    /// The table that a statement changes, with the reader's filter in place.
    private struct Target {
        var name: TableName
        var branch: String?
        var table: any PlannedTable
        var relation: BoundRelation
        var visible: [Field]
        var path: PlanColumn
        var position: PlanColumn
        /// The id that a row keeps when it changes, in tables that have such.
        var rowID: PlanColumn?
        var decision: Decision
    }

    private func changed(
        _ reference: TableReference, _ alias: Identifier?, _ verb: String
    ) throws(QueryFault) -> Target {
        let environment = rootEnvironment
        let name = try tableName(reference.name, environment)
        guard
            case .table(let table, let decision) = try context.catalog.resolve(
                environment.context, name,
                version: reference.branch.map { .reference($0.text) } ?? .current,
                span: reference.span)
        else {
            throw .analysis(
                .notSupported, "\(verb) a view is not supported", reference.span)
        }
        guard decision.allMasks.isEmpty || verb == "Inserting into" else {
            // Rows would be written back with what the mask shows, or tell by which rows change what it
            // hides. Whom no mask applies to has no decision with one.
            throw .analysis(
                .permissionDenied,
                "Access Denied: \(verb) table '\(name)' is not for those whom a mask hides its columns "
                    + "from: \(decision.allMasks.keys.sorted().joined(separator: ", "))",
                reference.span,
                hint: "ask somebody who sees the columns as they are, or add rows with INSERT")
        }
        var relation = try self.table(table, name, decision, environment)
        if let alias {
            relation.fields = relation.fields.map { $0.requalified([alias.canonical]) }
        }
        guard let path = relation.fields.first(where: { $0.isHidden && $0.name == "$path" }),
            let position = relation.fields.first(where: { $0.isHidden && $0.name == "$pos" })
        else {
            throw .analysis(
                .notSupported, "\(verb) table '\(name)' is not supported", reference.span)
        }
        return Target(
            name: name, branch: reference.branch?.text, table: table, relation: relation,
            visible: relation.visible, path: path.column, position: position.column,
            rowID: relation.fields.first { $0.isHidden && $0.name == "$row_id" }?.column,
            decision: decision)
    }

    // MARK: INSERT

    func bind(_ insert: Insert) throws(QueryFault) -> BoundInsert {
        let environment = rootEnvironment
        let name = try tableName(insert.table.name, environment)
        guard
            case .table(let table, let decision) = try context.catalog.resolve(
                environment.context, name,
                version: insert.table.branch.map { .reference($0.text) } ?? .current,
                span: insert.table.span)
        else {
            throw .analysis(
                .notSupported, "Inserting into views is not supported", insert.table.span)
        }
        let visible = table.columns.filter { !$0.isHidden }
        var named = Array(visible.indices)
        if !insert.columns.isEmpty {
            named = []
            for column in insert.columns {
                guard
                    let index = visible.firstIndex(where: {
                        $0.name.lowercased() == column.canonical
                    })
                else {
                    throw .analysis(
                        .columnNotFound,
                        "Insert column name does not exist in target table: \(column.canonical)",
                        column.span,
                        hint: nearestName(to: column.canonical, among: visible.map(\.name)).map {
                            "did you mean \($0)?"
                        })
                }
                guard !named.contains(index) else {
                    throw .analysis(
                        .duplicateColumnName,
                        "Insert column name is specified more than once: \(column.canonical)",
                        column.span)
                }
                named.append(index)
            }
        }
        let relation = try bind(insert.query, in: environment)
        let fields = relation.visible
        let mismatch: Bool =
            fields.count != named.count
            || zip(named, fields).contains { !assignable($1.column.type, visible[$0].type) }
        if mismatch {
            throw .analysis(
                .typeMismatch,
                "Insert query has mismatched column types: Table: ["
                    + named.map { "\(visible[$0].type)" }.joined(separator: ", ") + "], Query: ["
                    + fields.map { "\($0.column.type)" }.joined(separator: ", ") + "]",
                insert.table.span)
        }
        var assignments: [Assignment] = []
        for (index, column) in visible.enumerated() {
            let value: BoundExpression =
                if let position = named.firstIndex(of: index) {
                    assigned(fields[position].column.expression, column.type)
                } else {
                    column.omittedValue
                }
            assignments.append(
                Assignment(column: allocator.column(column.type, column.name), expression: value))
        }
        let (plan, columns) = try checkingNewRows(
            .project(relation.plan, assignments), assignments.map(\.column.id), of: table, "insert",
            decision)
        return BoundInsert(
            name: name, branch: insert.table.branch?.text, table: table, plan: plan,
            columns: columns, named: named)
    }

    /// Whether a value may be stored: implicitly, or shortened text and narrower numbers that a cast
    /// checks.
    private func assignable(_ type: LogicalType, _ target: LogicalType) -> Bool {
        if type.coerces(to: target) || type.isText && target.isText { return true }
        if type.isNumeric && target.isNumeric { return true }
        switch (type, target) {
        case (.timestamp, .timestamp), (.timestampWithTimeZone, .timestampWithTimeZone),
            (.time, .time):
            return true
        case (.array(let own), .array(let other)): return assignable(own, other)
        case (.map(let key, let value), .map(let otherKey, let otherValue)):
            return assignable(key, otherKey) && assignable(value, otherValue)
        case (.row(let own), .row(let other)):
            return own.count == other.count
                && zip(own, other).allSatisfy { assignable($0.type, $1.type) }
        default: return false
        }
    }

    private func assigned(_ value: BoundExpression, _ type: LogicalType) -> BoundExpression {
        value.type.coerces(to: type)
            ? value.coerced(to: type) : .cast(value, to: type, isSafe: false)
    }

    // MARK: DELETE and UPDATE

    func bind(_ delete: Delete) throws(QueryFault) -> BoundChange {
        let target = try changed(delete.table, nil, "Deleting from")
        let stage = ExpressionBinder(
            self, Scope(target.relation.fields, outer: nil), rootEnvironment,
            plan: target.relation.plan)
        stage.clause = "WHERE clause"
        if let filter = delete.filter { try stage.restrict(filter, clause: "WHERE clause") }
        var pure: [BoundExpression]?
        switch stage.plan {
        case .scan: pure = []
        case .filter(.scan, let predicate): pure = predicate.conjuncts
        default: pure = nil
        }
        return BoundChange(
            name: target.name, branch: target.branch, table: target.table,
            plan: .project(stage.plan, [target.path.assignment, target.position.assignment]),
            columns: [target.path.id, target.position.id], pureFilters: pure, assigned: [],
            kinds: [.delete])
    }

    func bind(_ update: Update) throws(QueryFault) -> BoundChange {
        let target = try changed(update.table, nil, "Updating")
        let stage = ExpressionBinder(
            self, Scope(target.relation.fields, outer: nil), rootEnvironment,
            plan: target.relation.plan)
        stage.clause = "WHERE clause"
        if let filter = update.filter { try stage.restrict(filter, clause: "WHERE clause") }
        stage.clause = "UPDATE SET"
        let values = try self.assignments(update.assignments, target, stage)
        var outputs = [target.path.assignment, target.position.assignment]
        for (index, field) in target.visible.enumerated() {
            outputs.append(
                Assignment(
                    column: allocator.column(field.column.type, field.name ?? "column"),
                    expression: values[index] ?? field.column.expression))
        }
        let new = outputs.dropFirst(2).map(\.column.id)
        if let rowID = target.rowID { outputs.append(rowID.assignment) }
        let (plan, columns) = try checkingNewRows(
            .project(stage.plan, outputs), new, of: target.table, "update", target.decision)
        return BoundChange(
            name: target.name, branch: target.branch, table: target.table, plan: plan,
            columns: [target.path.id, target.position.id] + columns + kept(target),
            pureFilters: nil, assigned: values.keys.sorted(), kinds: [.update])
    }

    private func kept(_ target: Target) -> [ColumnID] { target.rowID.map { [$0.id] } ?? [] }

    /// New values by index of the visible columns.
    private func assignments(
        _ written: [SQLSyntax.Assignment], _ target: Target, _ stage: ExpressionBinder
    ) throws(QueryFault) -> [Int: BoundExpression] {
        var values: [Int: BoundExpression] = [:]
        for assignment in written {
            let index = try self.column(assignment.column, target)
            guard values[index] == nil else {
                throw .analysis(
                    .duplicateColumnName,
                    "Multiple assignments for column: \(assignment.column.canonical)",
                    assignment.column.span)
            }
            let type = target.visible[index].column.type
            let bound = try stage.bind(assignment.value)
            guard assignable(bound.type, type) else {
                throw .analysis(
                    .typeMismatch,
                    "UPDATE table column types don't match SET expressions: Table: [\(type)], "
                        + "Expressions: [\(bound.type)]", assignment.value.span)
            }
            values[index] = assigned(bound, type)
        }
        return values
    }

    private func column(_ name: Identifier, _ target: Target) throws(QueryFault) -> Int {
        guard let index = target.visible.firstIndex(where: { $0.canonical == name.canonical })
        else {
            throw .analysis(
                .columnNotFound,
                "The UPDATE SET target column \(name.canonical) doesn't exist", name.span,
                hint: nearestName(to: name.canonical, among: target.visible.compactMap(\.name)).map
                {
                    "did you mean \($0)?"
                })
        }
        return index
    }

    // MARK: MERGE

    func bind(_ merge: Merge) throws(QueryFault) -> BoundChange {
        let target = try changed(merge.table, merge.alias, "Merging into")
        let environment = rootEnvironment
        let source = try bind(merge.source, in: environment)
        // Source rows are numbered, and target rows say that they are there.
        let number = allocator.column(.bigint, "$row")
        let present = allocator.column(.boolean, "$present")
        let marked = LogicalPlan.project(
            target.relation.plan,
            target.relation.plan.outputs.map(\.assignment)
                + [Assignment(column: present, expression: .true_)])
        let fields = target.relation.fields + source.fields
        let scope = Scope(fields, outer: nil)
        let needsUnmatched = merge.cases.contains { $0.isInsert }
        let condition = ExpressionBinder(self, scope, environment, plan: .oneRow)
        let bound = try condition.predicate(merge.condition, clause: "MERGE ON clause")
        guard condition.plan.isOneEmptyRow else {
            throw .analysis(
                .notSupported, "Subqueries in the condition of MERGE are not supported",
                merge.condition.span)
        }
        let join = JoinNode.make(
            needsUnmatched ? .left : .inner, .rowNumber(source.plan, number.id), marked,
            on: [bound],
            allocator)
        let stage = ExpressionBinder(self, scope, environment, plan: .join(join))
        stage.clause = "MERGE"
        let visible = target.visible
        let matched = BoundExpression.not(.isNull(present.expression))
        // One searched CASE for the operation and one a column, over the same conditions.
        var conditions: [BoundExpression] = []
        var operations: [Int64] = []
        var values: [[BoundExpression]] = []
        var assigned: Set<Int> = []
        for item in merge.cases {
            var terms = [item.isInsert ? BoundExpression.not(matched) : matched]
            if let extra = item.condition {
                terms.append(try stage.predicate(extra, clause: "WHEN clause"))
            }
            conditions.append(.all(terms))
            switch item.action {
            case .delete:
                operations.append(2)
                values.append(visible.map { .null($0.column.type) })
            case .update(let written):
                let new = try assignments(written, target, stage)
                assigned.formUnion(new.keys)
                operations.append(3)
                values.append(
                    visible.indices.map { new[$0] ?? visible[$0].column.expression })
            case .insert(let columns, let expressions):
                operations.append(1)
                values.append(try insertValues(columns, expressions, target, stage, item))
            }
        }
        func choice(_ results: [BoundExpression], _ type: LogicalType) -> BoundExpression {
            .caseWhen(
                zip(conditions, results).map { WhenBranch(condition: $0, value: $1) },
                otherwise: nil,
                type: type)
        }
        let operation = allocator.column(.tinyint, "$operation")
        var outputs = [
            target.path.assignment, target.position.assignment,
            Assignment(
                column: operation,
                expression: choice(operations.map { .literal(.integer($0), .tinyint) }, .tinyint)),
            number.assignment,
        ]
        for (index, field) in visible.enumerated() {
            outputs.append(
                Assignment(
                    column: allocator.column(field.column.type, field.name ?? "column"),
                    expression: choice(values.map { $0[index] }, field.column.type)))
        }
        let new = outputs.dropFirst(4).map(\.column.id)
        // Rows that are inserted have no target row, and so NULL for its id.
        if let rowID = target.rowID { outputs.append(rowID.assignment) }
        let plan = LogicalPlan.project(stage.plan, outputs).filtered([
            .not(.isNull(operation.expression))
        ])
        let (checked, columns) = try checkingNewRows(
            plan, new, of: target.table, "merge", target.decision,
            appliesWhen: .comparison(
                .notEqual, operation.expression, .literal(.integer(2), .tinyint)))
        return BoundChange(
            name: target.name, branch: target.branch, table: target.table, plan: checked,
            columns: outputs.prefix(4).map(\.column.id) + columns + kept(target),
            pureFilters: nil,
            assigned: assigned.sorted(), kinds: Set(merge.cases.map(\.kind)))
    }

    private func insertValues(
        _ columns: [Identifier], _ expressions: [Expression], _ target: Target,
        _ stage: ExpressionBinder, _ item: MergeCase
    ) throws(QueryFault) -> [BoundExpression] {
        var indices = Array(target.visible.indices)
        if !columns.isEmpty {
            indices = []
            for name in columns {
                let index = try column(name, target)
                guard !indices.contains(index) else {
                    throw .analysis(
                        .duplicateColumnName,
                        "Insert column name is specified more than once: \(name.canonical)",
                        name.span)
                }
                indices.append(index)
            }
        }
        guard indices.count == expressions.count else {
            throw .analysis(
                .mismatchedColumnAliases,
                "MERGE has \(indices.count) insert columns but \(expressions.count) values",
                item.span)
        }
        let declared = target.table.columns.filter { !$0.isHidden }
        var values = declared.map(\.omittedValue)
        for (index, expression) in zip(indices, expressions) {
            let type = target.visible[index].column.type
            let bound = try stage.bind(expression)
            guard assignable(bound.type, type) else {
                throw .analysis(
                    .typeMismatch,
                    "MERGE table column types don't match for MERGE case \(index), SET expressions: "
                        + "Table: [\(type)], Expressions: [\(bound.type)]", expression.span)
            }
            values[index] = assigned(bound, type)
        }
        return values
    }
}

extension MergeCase {
    var isInsert: Bool { if case .insert = action { true } else { false } }

    var kind: RowChange {
        switch action {
        case .insert: .insert
        case .update: .update
        case .delete: .delete
        }
    }
}
