import Authority
import SQLFunctions
import SQLSyntax
import Vectors

extension Binder {
    /// Adds the test that rows which a statement makes are rows that its caller may see.
    ///
    /// Without it, a row filter would let people write where they may not read. A row for which the
    /// filter is false or NULL fails the statement with PERMISSION_DENIED. The test stands in a value of
    /// the row and not in a filter, which the optimizer could move below a join and so test rows that
    /// nobody writes. `appliesWhen` exempts rows: those that MERGE deletes.
    ///
    /// `columns` are the plan's outputs for the table's visible columns, in their order; the result says
    /// what they are now. Source: Trino's `TestRowFilter.testInsert`.
    func checkingNewRows(
        _ plan: LogicalPlan, _ columns: [ColumnID], of table: any PlannedTable, _ verb: String,
        _ decision: Decision, appliesWhen: BoundExpression? = nil
    ) throws(QueryFault) -> (plan: LogicalPlan, columns: [ColumnID]) {
        let filters = decision.allFilters
        guard !filters.isEmpty, let first = columns.first else { return (plan, columns) }
        let name = table.name
        let outputs = Dictionary(plan.outputs.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        let visible = table.columns.filter { !$0.isHidden }
        var fields: [Field] = []
        for (id, column) in zip(columns, visible) {
            guard let output = outputs[id] else { continue }
            fields.append(
                Field(
                    qualifier: [name.catalog, name.schema, name.table], name: column.name,
                    column: output))
        }
        // The policy is the administrator's, as it is for rows that are read.
        let policy = policyEnvironment(rootEnvironment, name)
        var plan = plan
        var conditions: [BoundExpression] = []
        for filter in filters {
            do throws(QueryFault) {
                let stage = ExpressionBinder(
                    self, Scope(policyFields(fields, filter), outer: nil), policy, plan: plan)
                conditions.append(
                    try stage.predicate(try parsePolicy(filter.text), clause: "Row filter"))
                plan = stage.plan
            } catch { throw Binder.invalidFilter(name, error) }
        }
        var condition = BoundExpression.all(conditions)
        if let appliesWhen { condition = .any([.not(appliesWhen), condition]) }
        let message = "Access Denied: Cannot \(verb) row that does not match a row filter"
        let refusal = try registry.resolveScalar(
            "$deny", [.value(.varchar(length: message.utf8.count))])
        var tested = columns
        let assignments = plan.outputs.map { output in
            guard output.id == first else { return output.assignment }
            let value = BoundExpression.caseWhen(
                [WhenBranch(condition: condition, value: output.expression)],
                otherwise: .cast(
                    .call(refusal, [.literal(.bytes(Array(message.utf8)), .text)]),
                    to: output.type, isSafe: false),
                type: output.type)
            let column = allocator.column(output.type, output.name)
            tested[0] = column.id
            return Assignment(column: column, expression: value)
        }
        return (.project(plan, assignments), tested)
    }
}
