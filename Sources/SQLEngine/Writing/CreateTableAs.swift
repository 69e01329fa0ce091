import Authority
import Iceberg
import Platform
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import TableFiles
import Vectors

extension StatementRun {
    /// CREATE TABLE AS: the table comes to be together with its rows, or not at all.
    func createTableAs(
        _ create: CreateTableAsSelect, _ query: BoundQuery
    ) throws(QueryFault) -> StatementOutcome {
        let name = try tableName(create.name)
        let (catalog, at) = try writable(name.catalog, schema: name.schema, create.name)
        if try isTaken(name, create.mode, create.name) {
            return .done(updateType: "CREATE TABLE", count: 0)
        }
        let columns = try resultColumns(query.columns, aliases: create.columns, create.query)
        let definition = try definition(create, columns, name)
        let old = create.mode == .replace ? try existing(name, create.name) : nil
        guard create.withData else {
            if let old {
                try replace(old, definition, catalog, at)
            } else {
                try self.create(
                    definition, name, ignoresExisting: create.mode == .ignore, catalog, at)
            }
            return .done(updateType: "CREATE TABLE", count: 0)
        }
        let target = try self.target(old, definition, name, catalog, at)
        let (plan, ids) = try stored(query, target.metadata.currentSchema)
        noteLineage(plan, ids, of: target.metadata.currentSchema.fields, writing: name)
        let writer = try rowWriter(target.metadata, target.metadata.currentSchema, of: name)
        return try writing([writer]) { () throws(QueryFault) in
            try self.execute(self.sorted(plan, ids, target.metadata, name), columns: ids) {
                chunk throws(QueryFault) in try writer.append(chunk)
            }
            let files = try writer.finish()
            let isCreated = try self.commit(
                target, files, catalog, at, ignoresExisting: create.mode == .ignore)
            if !isCreated { writer.abandon() }
            return .done(updateType: "CREATE TABLE", count: isCreated ? writer.rowCount : 0)
        }
    }

    private func definition(
        _ create: CreateTableAsSelect, _ columns: [TableColumn], _ name: TableName
    ) throws(QueryFault) -> TableDefinition {
        let written = try TableProperties(create.properties, of: name.catalog, in: self)
        var fields: [NestedField] = []
        var nextID: Int32 = 0
        for column in columns {
            fields.append(
                try TableDefinition.field(
                    column.name, column.type, formatVersion: written.formatVersion ?? 2, &nextID))
        }
        return try TableDefinition(fields: fields, comment: create.comment, written)
    }

    /// A table in the making: its metadata before the first rows, and how the catalog gets there.
    private struct Target {
        var identifier: TableIdentifier
        var metadata: TableMetadata
        var updates: [TableUpdate]
        var requirements: [TableRequirement]
    }

    private func target(
        _ old: IcebergTable?, _ definition: TableDefinition, _ name: TableName,
        _ catalog: Catalog, _ at: CatalogReference
    ) throws(QueryFault) -> Target {
        if let old {
            let updates = try definition.replacing(old.metadata)
            let now = engine.clock.now().milliseconds
            let next = try changing("\(name)") {
                try old.metadata.applying(updates, nowMilliseconds: now)
            }
            return Target(
                identifier: old.identifier, metadata: next, updates: updates,
                requirements: old.metadata.unchanged)
        }
        let staged = try changing("\(name)") {
            try catalog.createTable(
                context, at, namespace: name.identifier.namespace,
                definition.creation(named: name.table), isStaged: true)
        }
        let metadata = staged.metadata
        return Target(
            identifier: staged.identifier, metadata: metadata,
            updates: metadata.creationUpdates, requirements: [.assertCreate])
    }

    /// Commits the table with its first snapshot; false where somebody else made it and that is all right.
    private func commit(
        _ target: Target, _ files: [DataFile], _ catalog: Catalog, _ at: CatalogReference,
        ignoresExisting: Bool
    ) throws(QueryFault) -> Bool {
        guard !context.cancellation.isCancelled else {
            throw QueryFault(.userCanceled, "Query was canceled")
        }
        let summary = commitSummary(rows: files.reduce(0) { $0 &+ $1.recordCount })
        let product = try changing("\(target.identifier)") {
            try catalog.snapshotProducer().produce(
                .append, FileChanges(addedData: files), on: target.metadata, summary: summary)
        }
        do {
            _ = try catalog.commit(
                context, at,
                TableCommit(
                    identifier: target.identifier, requirements: target.requirements,
                    updates: target.updates + product.updates))
            return true
        } catch let error as IcebergError where error.code == .requirementFailed {
            catalog.manifests.discard(product.writtenPaths)
            guard target.requirements == [.assertCreate] else {
                throw QueryFault(
                    .transactionConflict, "the table changed while it was being replaced",
                    hint: "repeat the statement", cause: error)
            }
            if ignoresExisting { return false }
            throw QueryFault(
                .tableAlreadyExists, "Table '\(target.identifier)' already exists", cause: error)
        } catch { throw Self.fault(error, about: "\(target.identifier)") }
    }

    /// The plan with its columns in the types that the table stores: each result column once, in order.
    func stored(
        _ query: BoundQuery, _ schema: Schema
    ) throws(QueryFault) -> (LogicalPlan, [ColumnID]) {
        // Ids of the plan count from below; these count from above.
        var next = Int32.max
        var outputs: [SQLPlanning.Assignment] = []
        for (column, field) in zip(query.columns, schema.fields) {
            guard let type = IcebergTypes.sqlType(field.type) else {
                throw QueryFault(.notSupported, "Column \(field.name) cannot be stored")
            }
            let value = BoundExpression.column(column.id, column.type)
            outputs.append(
                SQLPlanning.Assignment(
                    column: PlanColumn(id: ColumnID(next), type: type, name: field.name),
                    expression: column.type == type
                        ? value : .cast(value, to: type, isSafe: false)))
            next -= 1
        }
        return (.project(query.plan, outputs), outputs.map(\.column.id))
    }
}
