import Authority
import Iceberg
import Platform
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// CREATE, DROP and ALTER MATERIALIZED VIEW. The view and its storage change together or not at all.
extension StatementRun {
    func createMaterializedView(
        _ create: CreateMaterializedView
    ) throws(QueryFault) -> StatementOutcome {
        let outcome = StatementOutcome.done(updateType: "CREATE MATERIALIZED VIEW", count: nil)
        let name = try tableName(create.name)
        let (catalog, at) = try writable(name.catalog, schema: name.schema, create.name)
        let old = try loadedView(name, catalog, at)
        if let old {
            if create.ifNotExists { return outcome }
            guard create.orReplace,
                old.metadata.properties[MaterializedViewStorage.tableProperty] != nil
            else {
                throw QueryFault(
                    .tableAlreadyExists, "Materialized view '\(name)' already exists",
                    hint: "write CREATE OR REPLACE MATERIALIZED VIEW", span: create.name.span)
            }
            try require(.tableAlter, on: name)
        } else if try isTaken(name, create.ifNotExists ? .ignore : .fail, create.name) {
            return outcome
        }
        let (columns, storage, storageName) = try storageDefinition(create, name)
        let (schema, version) = ViewStorage.version(
            sql: SQLFormatter.format(create.query), columns: columns, catalog: session.catalog,
            schema: session.schema, nowMilliseconds: engine.clock.now().milliseconds,
            summary: commitSummary)
        let properties = try materializationProperties(create, storageName)
        let own = systemContext
        try atomically(catalog, at) { at in
            let uuid: String
            if let old {
                let gone = old.metadata.properties.keys.filter { properties[$0] == nil }.sorted()
                uuid = try catalog.commitView(
                    context, at, name.identifier,
                    requirements: [.assertViewUUID(old.metadata.uuid)],
                    updates: [
                        .addSchema(schema), .addVersion(version), .setCurrentVersion(-1),
                        .setProperties(properties),
                    ] + (gone.isEmpty ? [] : [.removeProperties(gone)])
                ).metadata.uuid
                if let table = MaterializedViewStorage.materialization(of: old.metadata, name) {
                    try? catalog.dropTable(own, at, table.storage.identifier, purge: true)
                }
            } else {
                uuid = try catalog.createView(
                    context, at, name.identifier, schema: schema, version: version,
                    properties: properties
                ).metadata.uuid
            }
            var creation = storage.creation(named: storageName.table)
            // Its rows can be made again: nobody has them back without the view.
            creation.properties[Catalog.undropProperty] = "0"
            creation.properties[MaterializedViewStorage.viewProperty] = uuid
            _ = try catalog.createTable(
                own, at, namespace: storageName.identifier.namespace, creation)
        }
        return outcome
    }

    /// The view's columns, and the table that will hold its rows.
    private func storageDefinition(
        _ create: CreateMaterializedView, _ name: TableName
    ) throws(QueryFault) -> ([TableColumn], TableDefinition, TableName) {
        guard parameters.isEmpty else {
            throw QueryFault(
                .notSupported, "Materialized views cannot have parameters", span: create.query.span)
        }
        guard
            case .query(let bound) = try bindOnly(
                Statement(kind: .query(create.query), place: create.query.place))
        else {
            throw QueryFault(.invalidView, "the definition is no query", span: create.query.span)
        }
        let columns = try resultColumns(bound.columns, aliases: [], create.query)
        var storage = name
        storage.table = MaterializedViewStorage.name(engine.entropy)
        var others: [Property] = []
        for property in create.properties {
            guard property.name.description == "storage_schema" else {
                others.append(property)
                continue
            }
            guard let value = property.value else { continue }
            storage.schema = try text(value, of: property).lowercased()
        }
        var fields: [NestedField] = []
        var nextID: Int32 = 0
        for column in columns {
            fields.append(try TableDefinition.field(column.name, column.type, &nextID))
        }
        do throws(QueryFault) {
            return (
                columns,
                try TableDefinition(
                    fields: fields, comment: nil,
                    TableProperties(others, of: name.catalog, in: self)), storage
            )
        } catch {
            guard error.code == .invalidTableProperty else { throw error }
            throw QueryFault(
                .invalidMaterializedViewProperty,
                error.message.replacing("table property", with: "materialized view property"),
                hint: error.hint, span: error.span)
        }
    }

    private func materializationProperties(
        _ create: CreateMaterializedView, _ storage: TableName
    ) throws(QueryFault) -> [String: String] {
        var properties = [
            ViewStorage.ownerProperty: context.principal.name,
            ViewStorage.ownerIDProperty: context.principal.id,
            MaterializedViewStorage.tableProperty: storage.table,
            MaterializedViewStorage.namespaceProperty: storage.schema,
        ]
        if let comment = create.comment { properties[ViewStorage.commentProperty] = comment }
        if create.whenStale == .fail { properties[MaterializedViewStorage.staleProperty] = "FAIL" }
        if let grace = create.gracePeriod {
            let place = create.query.place
            let literal = Expression(.interval(grace), place: place)
            guard case (.integer(let milliseconds), .intervalDayToSecond) = try evaluate(literal),
                milliseconds >= 0
            else {
                throw QueryFault(
                    .notSupported, "Grace period must be a positive interval of days to seconds",
                    hint: "write GRACE PERIOD INTERVAL '1' HOUR", span: create.name.span)
            }
            properties[MaterializedViewStorage.graceProperty] = String(milliseconds)
        }
        return properties
    }

    // MARK: The rest

    func dropMaterializedView(
        _ name: QualifiedName, ifExists: Bool
    ) throws(QueryFault) -> StatementOutcome {
        let outcome = StatementOutcome.done(updateType: "DROP MATERIALIZED VIEW", count: nil)
        guard let found = try materializedView(name, ifExists: ifExists) else { return outcome }
        let own = systemContext
        try atomically(found.catalog, found.at) { at in
            try found.catalog.dropView(context, at, found.view.name.identifier)
            if let storage = try found.views.storage(of: found.view, own) {
                try found.catalog.dropTable(own, at, storage.identifier, purge: true)
            }
        }
        return outcome
    }

    func alterMaterializedView(
        _ name: QualifiedName, ifExists: Bool, _ change: MaterializedViewChange
    ) throws(QueryFault) -> StatementOutcome {
        guard let found = try materializedView(name, ifExists: ifExists) else {
            return .done(updateType: "ALTER MATERIALIZED VIEW", count: nil)
        }
        switch change {
        case .rename(let target):
            let renamed = try renamed(found.view.name, to: target)
            try changing("\(found.view.name)") {
                try found.catalog.renameView(
                    context, found.at, from: found.view.name.identifier, to: renamed.identifier)
            }
            return .done(updateType: "RENAME MATERIALIZED VIEW", count: nil)
        case .setProperties(let properties):
            let storage = try storage(of: found, name)
            try require(.tableAlter, on: found.view.name)
            try setProperties(storage, properties)
            return .done(updateType: "SET PROPERTIES", count: nil)
        case .execute(let procedure, let arguments, let filter):
            return try execute(procedure, on: try storage(of: found, name), arguments, filter)
        }
    }

    /// A materialized view that a statement names, and what it takes to change it.
    struct FoundMaterializedView {
        var view: ViewDefinition
        var views: MaterializedViews
        var catalog: Catalog
        var at: CatalogReference
    }

    func materializedView(
        _ name: QualifiedName, ifExists: Bool = false
    ) throws(QueryFault) -> FoundMaterializedView? {
        let view = try tableName(name)
        let (catalog, at) = try writable(view.catalog, schema: view.schema, name)
        let found: ResolvedRelation
        do throws(QueryFault) {
            found = try catalogs.resolve(context, view, version: .current, span: name.span)
        } catch {
            if ifExists, error.code == .tableNotFound || error.code == .schemaNotFound {
                return nil
            }
            guard error.code == .tableNotFound else { throw error }
            throw QueryFault(
                .tableNotFound, "Materialized view '\(view)' does not exist", hint: error.hint,
                span: name.span)
        }
        guard case .view(let definition) = found, definition.materialization != nil else {
            let kind = if case .view = found { "view" } else { "table" }
            throw QueryFault(
                .tableNotFound,
                "Materialized view '\(view)' does not exist, but a \(kind) with that name exists",
                hint: "write \(kind.uppercased()) instead of MATERIALIZED VIEW", span: name.span)
        }
        return FoundMaterializedView(
            view: definition, views: materializedViews, catalog: catalog, at: at)
    }

    func storage(
        of found: FoundMaterializedView, _ name: QualifiedName
    ) throws(QueryFault) -> IcebergTable {
        guard let storage = try found.views.storage(of: found.view, context) else {
            throw QueryFault(
                .invalidView, "the storage table of '\(found.view.name)' is gone",
                hint: "write CREATE OR REPLACE MATERIALIZED VIEW", span: name.span)
        }
        return storage
    }

    /// Materialized views as this statement sees them.
    var materializedViews: MaterializedViews {
        MaterializedViews(catalogs: catalogs, session: session)
    }

    /// The appliance itself in the caller's place: storage tables are nobody's to grant.
    var systemContext: RequestContext {
        var own = context
        own.principal = .system
        return own
    }

    /// Runs several verbs of one warehouse, all or nothing: in a transaction of their own, unless the
    /// statement is in one.
    func atomically<Result>(
        _ catalog: Catalog, _ at: CatalogReference, _ body: (CatalogReference) throws -> Result
    ) throws(QueryFault) -> Result {
        do {
            guard catalogs.transaction == nil,
                let own = try catalog.beginTransaction(
                    context, id: engine.entropy.uuid(), [at]
                ).first
            else { return try body(at) }
            do {
                let result = try body(own.at)
                try catalog.commitTransaction(context, [own])
                return result
            } catch {
                try? catalog.rollBackTransaction(context, [own])
                throw error
            }
        } catch { throw Self.fault(error, about: "\(at)") }
    }
}
