import Authority
import Diagnostics
package import SQLFunctions
package import SQLSyntax
import Vectors

/// Row filters and masks where a table is named: filters first, then masks, nothing before.
extension Binder {
    /// The relation as its reader may see it.
    func governed(
        _ relation: BoundRelation, _ name: TableName, _ decision: Decision,
        _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        let filters = decision.allFilters
        let masks = decision.allMasks
        guard !filters.isEmpty || !masks.isEmpty else { return relation }
        var relation = relation
        let fields = relation.fields
        let policy = policyEnvironment(environment, name)
        for filter in filters {
            do throws(QueryFault) {
                let binder = ExpressionBinder(
                    self, Scope(policyFields(fields, filter), outer: nil), policy,
                    plan: relation.plan)
                try binder.restrict(try parsePolicy(filter.text), clause: "Row filter")
                relation.plan = binder.plan
            } catch { throw Binder.invalidFilter(name, error) }
        }
        guard !masks.isEmpty else { return relation }
        var assignments: [Assignment] = []
        var plan = relation.plan
        for index in fields.indices {
            guard let mask = masks[fields[index].canonical ?? ""] else {
                assignments.append(fields[index].column.assignment)
                continue
            }
            let type = fields[index].column.type
            let value: BoundExpression
            do throws(QueryFault) {
                let binder = ExpressionBinder(
                    self, Scope(policyFields(fields, mask), outer: nil), policy, plan: plan)
                value = try maskValue(try parsePolicy(mask.text), type, binder)
                plan = binder.plan
            } catch {
                // A mask by tag has to hide columns of every type: closed, not broken.
                guard mask.isLenient else {
                    throw QueryFault(
                        .invalidColumnMask,
                        "Invalid column mask for '\(name).\(fields[index].name ?? "")': "
                            + error.message, hint: error.hint, cause: error)
                }
                value = .null(type)
            }
            // A masked column is another column: nothing may mistake the one for the other.
            let column = allocator.column(type, fields[index].column.name)
            assignments.append(Assignment(column: column, expression: value))
            relation.fields[index].column = column
        }
        relation.plan = .project(plan, assignments)
        return relation
    }

    private func maskValue(
        _ expression: Expression, _ type: LogicalType, _ binder: ExpressionBinder
    ) throws(QueryFault) -> BoundExpression {
        let bound = try binder.bind(expression)
        if bound.type.coerces(to: type) { return bound.coerced(to: type) }
        if bound.type.casts(to: type), bound.type.isText == type.isText {
            return .cast(bound, to: type, isSafe: false)
        }
        throw .analysis(
            .typeMismatch, "Expected column mask to be of type \(type), but was \(bound.type)",
            expression.span)
    }

    /// Policies are the administrator's: what they read is not the reader's to be allowed.
    func policyEnvironment(_ environment: Environment, _ name: TableName) -> Environment {
        var policy = environment
        policy.context.principal = .system
        policy.context.viewer = nil
        policy.outer = nil
        policy.named = [:]
        // Nor does it see functions of the statement, which could stand in for those it calls.
        policy.routines = [:]
        policy.catalog = name.catalog
        policy.schema = name.schema
        return policy
    }

    /// The columns by the names that the policy knows them by.
    func policyFields(_ fields: [Field], _ policy: PolicyExpression) -> [Field] {
        guard let names = policy.names else { return fields }
        return names.sorted { $0.key < $1.key }.compactMap { name, present in
            guard var field = fields.first(where: { $0.canonical == present && !$0.isHidden })
            else { return nil }
            field.name = name
            return field
        }
    }

    func parsePolicy(_ text: String) throws(QueryFault) -> Expression {
        do { return try SQLParser.expression(text) } catch { throw QueryFault(error) }
    }

    static func invalidFilter(_ name: TableName, _ error: QueryFault) -> QueryFault {
        QueryFault(
            .invalidRowFilter, "Invalid row filter for '\(name)': \(error.message)",
            hint: error.hint, cause: error)
    }

    // MARK: Declaring

    /// Checks a policy's expression over a table before it is kept; faults have the place in the
    /// statement. `column` is the masked one, which `value` stands for; nil for a row filter.
    package func checkPolicy(
        _ expression: Expression, over table: any PlannedTable, column: String?
    ) throws(QueryFault) {
        let (scan, all) = scan(table, named: table.name)
        let environment = policyEnvironment(rootEnvironment, table.name)
        var fields = all.filter { !$0.isHidden }
        guard let column, var value = fields.first(where: { $0.canonical == column }) else {
            let binder = ExpressionBinder(
                self, Scope(fields, outer: nil), environment, plan: .scan(scan))
            return try binder.restrict(expression, clause: "Row filter")
        }
        let type = value.column.type
        if !fields.contains(where: { $0.canonical == "value" }) {
            value.name = "value"
            fields.append(value)
        }
        let binder = ExpressionBinder(
            self, Scope(fields, outer: nil), environment, plan: .scan(scan))
        _ = try maskValue(expression, type, binder)
    }
}
