import Authority
import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

extension Binder {
    /// A table, view or named query.
    func table(
        _ reference: QualifiedName, _ branch: Identifier?, _ written: SQLSyntax.TableVersion?,
        _ span: SourceSpan, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        let parts = reference.parts
        if parts.count == 1, branch == nil, written == nil,
            let named = environment.named[parts[0].canonical]
        {
            switch named {
            case .rows(let rows):
                let (plan, ids) = rows.plan.cloned(allocator)
                return BoundRelation(
                    plan: plan,
                    fields: rows.fields.map { field in
                        var copy = field.requalified([parts[0].canonical])
                        copy.column.id = ids[field.column.id] ?? field.column.id
                        return copy
                    })
            case .query(let query):
                return try self.named(query, parts[0], environment)
            }
        }
        let name = try tableName(reference, environment)
        let version = try version(branch, written)
        let relation = try context.catalog.resolve(
            environment.context, name, version: version, span: span)
        switch relation {
        case .table(let table, let decision):
            return try self.table(table, name, decision, environment)
        case .view(let view): return try self.view(view, name, span, environment)
        }
    }

    /// The full name. Throws MISSING_SCHEMA_NAME and MISSING_CATALOG_NAME.
    func tableName(
        _ name: QualifiedName, _ environment: Environment
    ) throws(QueryFault) -> TableName {
        let parts = name.canonicalParts
        guard parts.count <= 3 else {
            throw .analysis(
                .syntaxError, "Too many dots in table name: \(parts.joined(separator: "."))",
                name.span)
        }
        let schema = parts.count > 1 ? parts[parts.count - 2] : environment.schema
        let catalog = parts.count > 2 ? parts[0] : environment.catalog
        guard let schema else {
            throw .analysis(
                .missingSchemaName, "Schema must be specified when session schema is not set",
                name.span)
        }
        guard let catalog else {
            throw .analysis(
                .missingCatalogName, "Catalog must be specified when session catalog is not set",
                name.span)
        }
        return TableName(catalog: catalog, schema: schema, table: parts[parts.count - 1])
    }

    private func version(
        _ branch: Identifier?, _ written: SQLSyntax.TableVersion?
    ) throws(QueryFault) -> TableVersion {
        if let branch { return .reference(branch.text) }
        switch written {
        case nil: return .current
        case .version(let expression)?:
            switch try constant(expression) {
            case .literal(.integer(let id), let type) where type.isInteger: return .snapshot(id)
            case .literal(.bytes(let bytes), let type) where type.isText:
                return .reference(String(decoding: bytes, as: UTF8.self))
            default: throw invalidVersion(expression)
            }
        case .timestamp(let expression)?:
            let bound = try constant(expression)
            switch (bound.literalValue, bound.type) {
            case (.integer(let days)?, .date):
                let (microseconds, overflow) = days.multipliedReportingOverflow(by: 86_400_000_000)
                if overflow { throw invalidVersion(expression) }
                return .timestamp(microseconds: try zoned(microseconds, expression))
            case (.integer(let microseconds)?, .timestamp):
                return .timestamp(microseconds: try zoned(microseconds, expression))
            case (.wide(let packed)?, .timestamp):
                return .timestamp(
                    microseconds: try zoned(Int64(truncatingIfNeeded: packed >> 64), expression))
            case (.wide(let packed)?, .timestampWithTimeZone):
                return .timestamp(microseconds: Int64(truncatingIfNeeded: packed >> 64))
            default: throw invalidVersion(expression)
            }
        }
    }

    /// A local time of the session as UTC, which the evaluator knows how to compute.
    private func zoned(_ microseconds: Int64, _ expression: Expression) throws(QueryFault) -> Int64
    {
        if context.session.zone == "UTC" { return microseconds }
        guard let evaluator = context.evaluator else { return microseconds }
        let value = try evaluator.evaluate(
            .cast(
                .literal(.integer(microseconds), .timestamp(precision: 6)),
                to: .timestampWithTimeZone(precision: 6), isSafe: false))
        guard case .wide(let packed) = value else { throw invalidVersion(expression) }
        return Int64(truncatingIfNeeded: packed >> 64)
    }

    private func invalidVersion(_ expression: Expression) -> QueryFault {
        .analysis(
            .typeMismatch,
            "Invalid version: expected a constant bigint, varchar, date or timestamp",
            expression.span)
    }

    // MARK: Tables

    /// A scan of all columns, hidden ones too, and their names.
    func scan(_ table: any PlannedTable, named name: TableName) -> (ScanNode, [Field]) {
        var columns: [PlanColumn] = []
        var fields: [Field] = []
        for column in table.columns {
            let plan = allocator.column(column.type, column.name)
            columns.append(plan)
            fields.append(
                Field(
                    qualifier: [name.catalog, name.schema, name.table], name: column.name,
                    column: plan,
                    isHidden: column.isHidden, origin: name))
        }
        return (
            ScanNode(table: table, columns: columns, tableColumns: Array(table.columns.indices)),
            fields
        )
    }

    /// A table as its reader may see it: row filter first, then masks, nothing before.
    func table(
        _ table: any PlannedTable, _ name: TableName, _ decision: Decision,
        _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        guard decision.isAllowed else {
            throw QueryFault(
                .permissionDenied, "Access Denied: Cannot select from table \(name)",
                hint: decision.reason)
        }
        let (scan, fields) = scan(table, named: name)
        return try governed(
            BoundRelation(plan: .scan(scan), fields: fields), name, decision, environment)
    }

    // MARK: Views

    private func view(
        _ view: ViewDefinition, _ name: TableName, _ span: SourceSpan, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        if environment.views.contains(name) {
            throw .analysis(.viewIsRecursive, "View is recursive: \(name)", span)
        }
        var inner = Environment(
            catalog: view.catalog, schema: view.schema, context: environment.context,
            views: environment.views + [name])
        inner.depth = environment.depth
        if !view.runsAsInvoker {
            inner.context.viewer = inner.context.audience
            inner.context.principal = view.owner
        }
        let relation: BoundRelation
        do throws(QueryFault) {
            let query: Query
            do { query = try SQLParser.query(view.sql) } catch { throw QueryFault(error) }
            relation = try bind(query, in: inner)
        } catch {
            if error.code == .viewIsRecursive || error.code == .permissionDenied { throw error }
            throw .analysis(
                .invalidView, "Failed analyzing stored view '\(name)': \(error.message)", span,
                hint: error.hint)
        }
        let visible = relation.visible
        guard visible.count == view.columns.count else {
            throw .analysis(
                .viewIsStale,
                "View '\(name)' is stale or in invalid state: it has \(visible.count) columns but "
                    + "\(view.columns.count) are declared", span)
        }
        var assignments: [Assignment] = []
        var fields: [Field] = []
        for (field, column) in zip(visible, view.columns) {
            guard field.column.type.coerces(to: column.type) else {
                throw .analysis(
                    .viewIsStale,
                    "View '\(name)' is stale or in invalid state: column [\(column.name)] of type "
                        + "\(field.column.type) projected from query view at position "
                        + "\(fields.count) cannot be coerced to column [\(column.name)] of type "
                        + "\(column.type) stored in view definition", span)
            }
            let output = allocator.column(column.type, column.name)
            assignments.append(
                Assignment(
                    column: output, expression: field.column.expression.coerced(to: column.type)))
            fields.append(
                Field(
                    qualifier: [name.catalog, name.schema, name.table], name: column.name,
                    column: output, origin: name))
        }
        return BoundRelation(plan: .project(relation.plan, assignments), fields: fields)
    }
}
