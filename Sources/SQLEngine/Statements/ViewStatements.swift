import Authority
import Iceberg
import Platform
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

extension StatementRun {
    /// CREATE [OR REPLACE] VIEW. The query is bound once: it has to be right, and its types are the view's.
    func createView(_ create: CreateView) throws(QueryFault) -> StatementOutcome {
        let name = try tableName(create.name)
        let (catalog, at) = try writable(name.catalog, schema: name.schema, create.name)
        if let property = create.properties.first {
            throw QueryFault(
                .invalidTableProperty,
                "Catalog '\(name.catalog)' view property '\(property.name)' does not exist",
                span: property.span)
        }
        let sql = SQLFormatter.format(create.query)
        let columns = try viewColumns(create.query)
        let (schema, version) = ViewStorage.version(
            sql: sql, columns: columns, catalog: session.catalog, schema: session.schema,
            nowMilliseconds: engine.clock.now().milliseconds, summary: commitSummary)
        var properties: [String: String] = [:]
        if let comment = create.comment { properties[ViewStorage.commentProperty] = comment }
        if create.security == .invoker {
            properties[ViewStorage.ownerProperty] = ViewStorage.invokerValue
        } else {
            properties[ViewStorage.ownerProperty] = context.principal.name
            properties[ViewStorage.ownerIDProperty] = context.principal.id
        }
        let outcome = StatementOutcome.done(updateType: "CREATE VIEW", count: nil)
        guard let old = try loadedView(name, catalog, at) else {
            try changing("\(name)") {
                _ = try catalog.createView(
                    context, at, name.identifier, schema: schema, version: version,
                    properties: properties)
            }
            return outcome
        }
        guard create.orReplace,
            old.metadata.properties[MaterializedViewStorage.tableProperty] == nil
        else {
            throw QueryFault(
                .tableAlreadyExists, "View '\(name)' already exists",
                hint: "write CREATE OR REPLACE VIEW", span: create.name.span)
        }
        let gone = [ViewStorage.commentProperty, ViewStorage.ownerIDProperty].filter {
            properties[$0] == nil && old.metadata.properties[$0] != nil
        }
        try changing("\(name)") {
            _ = try catalog.commitView(
                context, at, name.identifier,
                requirements: [.assertViewUUID(old.metadata.uuid)],
                updates: [
                    .addSchema(schema), .addVersion(version), .setCurrentVersion(-1),
                    .setProperties(properties), .removeProperties(gone),
                ])
        }
        return outcome
    }

    /// The columns that a view's query gives: named, each name once.
    private func viewColumns(_ query: SQLSyntax.Query) throws(QueryFault) -> [TableColumn] {
        guard
            case .query(let bound) = try bindOnly(
                Statement(kind: .query(query), place: query.place))
        else { return [] }
        guard parameters.isEmpty else {
            throw QueryFault(
                .notSupported, "Views cannot have parameters", span: query.span)
        }
        return try resultColumns(bound.columns, aliases: [], query)
    }

    /// Names and types for the columns of CREATE … AS: lower case, each once.
    func resultColumns(
        _ columns: [ResultColumn], aliases: [Identifier], _ node: any SyntaxNode
    ) throws(QueryFault) -> [TableColumn] {
        guard aliases.isEmpty || aliases.count == columns.count else {
            throw QueryFault(
                .mismatchedColumnAliases,
                "Column alias list has \(aliases.count) entries but query has \(columns.count) columns",
                span: node.span)
        }
        var names: Set<String> = []
        var result: [TableColumn] = []
        for (index, column) in columns.enumerated() {
            let name = aliases.isEmpty ? column.label.lowercased() : aliases[index].canonical
            let isAnonymous =
                aliases.isEmpty && !column.isAliased && column.origin == nil
                && name == "_col\(index)"
            guard !isAnonymous else {
                throw QueryFault(
                    .missingColumnName, "Column name not specified at position \(index + 1)",
                    hint: "name the expression with AS", span: node.span)
            }
            guard names.insert(name).inserted else {
                throw QueryFault(
                    .duplicateColumnName, "Column name '\(name)' specified more than once",
                    span: node.span)
            }
            guard column.type != .unknown else {
                throw QueryFault(
                    .notSupported, "Column type is unknown: \(name)",
                    hint: "write CAST(NULL AS varchar) or another type", span: node.span)
            }
            result.append(TableColumn(name: name, type: column.type))
        }
        return result
    }

    /// The view as the catalog has it; nil where there is none.
    func loadedView(
        _ name: TableName, _ catalog: Catalog, _ at: CatalogReference
    ) throws(QueryFault) -> LoadedView? {
        do {
            return try catalog.loadView(context, at, name.identifier)
        } catch let error as CatalogError
            where error.code == .noSuchView || error.code == .noSuchTable
        {
            return nil
        } catch let error as CatalogError where error.code == .noSuchNamespace {
            throw QueryFault(
                .schemaNotFound, "Schema '\(name.schema)' does not exist", hint: error.hint)
        } catch { throw Self.fault(error, about: "\(name)") }
    }

    func dropView(_ name: QualifiedName, ifExists: Bool) throws(QueryFault) -> StatementOutcome {
        let view = try tableName(name)
        let (catalog, at) = try writable(view.catalog, schema: view.schema, name)
        try requirePlainView(view, catalog, at, name)
        do {
            try catalog.dropView(context, at, view.identifier)
        } catch let error as CatalogError
            where error.code == .noSuchView || error.code == .noSuchNamespace
        {
            if !ifExists { throw unknownView(view, name, error.hint) }
        } catch { throw Self.fault(error, about: "\(view)") }
        return .done(updateType: "DROP VIEW", count: nil)
    }

    func renameView(
        _ name: QualifiedName, ifExists: Bool, to target: QualifiedName
    ) throws(QueryFault) -> StatementOutcome {
        let view = try tableName(name)
        let (catalog, at) = try writable(view.catalog, schema: view.schema, name)
        let renamed = try renamed(view, to: target)
        try requirePlainView(view, catalog, at, name)
        do {
            try catalog.renameView(context, at, from: view.identifier, to: renamed.identifier)
        } catch let error as CatalogError where error.code == .noSuchView {
            if !ifExists { throw unknownView(view, name, error.hint) }
        } catch { throw Self.fault(error, about: "\(view)") }
        return .done(updateType: "RENAME VIEW", count: nil)
    }

    /// Throws where the view is a materialized one: it has statements of its own, which mind its storage.
    private func requirePlainView(
        _ view: TableName, _ catalog: Catalog, _ at: CatalogReference, _ name: QualifiedName
    ) throws(QueryFault) {
        guard
            let loaded = try? loadedView(view, catalog, at),
            loaded.metadata.properties[MaterializedViewStorage.tableProperty] != nil
        else { return }
        throw QueryFault(
            .tableNotFound,
            "View '\(view)' does not exist, but a materialized view with that name exists",
            hint: "write MATERIALIZED VIEW", span: name.span)
    }

    private func unknownView(
        _ view: TableName, _ name: QualifiedName, _ hint: String?
    ) -> QueryFault {
        QueryFault(
            .tableNotFound, "View '\(view)' does not exist", hint: hint, span: name.span)
    }

    // MARK: Comments

    func commentView(_ name: QualifiedName, _ text: String?) throws(QueryFault) {
        let (_, loaded, catalog, at) = try viewToChange(name)
        let key = ViewStorage.commentProperty
        try changing("\(name)") {
            _ = try catalog.commitView(
                context, at, loaded.identifier,
                requirements: [.assertViewUUID(loaded.metadata.uuid)],
                updates: [text.map { .setProperties([key: $0]) } ?? .removeProperties([key])])
        }
    }

    /// A comment on a view's column makes a new version with the same query.
    func commentViewColumn(
        _ name: QualifiedName, _ column: Identifier, _ text: String?
    ) throws(QueryFault) {
        let (view, loaded, catalog, at) = try viewToChange(name)
        var definition = try ViewStorage.definition(of: loaded, view)
        guard let index = definition.columns.firstIndex(where: { $0.name == column.canonical })
        else {
            throw QueryFault(
                .columnNotFound, "Column '\(column.canonical)' does not exist",
                hint: suggestion(column.canonical, definition.columns.map(\.name)),
                span: column.span)
        }
        definition.columns[index].comment = text
        let (schema, version) = ViewStorage.version(
            sql: definition.sql, columns: definition.columns,
            catalog: loaded.metadata.currentVersion?.defaultCatalog, schema: definition.schema,
            nowMilliseconds: engine.clock.now().milliseconds, summary: commitSummary)
        try changing("\(view)") {
            _ = try catalog.commitView(
                context, at, loaded.identifier,
                requirements: [.assertViewUUID(loaded.metadata.uuid)],
                updates: [.addSchema(schema), .addVersion(version), .setCurrentVersion(-1)])
        }
    }

    private func viewToChange(
        _ name: QualifiedName
    ) throws(QueryFault) -> (TableName, LoadedView, Catalog, CatalogReference) {
        let view = try tableName(name)
        let (catalog, at) = try writable(view.catalog, schema: view.schema, name)
        guard let loaded = try loadedView(view, catalog, at) else {
            throw unknownView(view, name, nil)
        }
        return (view, loaded, catalog, at)
    }

    /// Who made a commit, and what the session adds, for summaries of snapshots and view versions.
    var commitSummary: [String: String] {
        let own = [
            "engine-name": "lakehouse", "engine-version": QueryEngine.version,
            "trino_query_id": query.id, "trino_user": context.principal.name,
        ]
        return query.session.commitProperties.merging(own) { _, own in own }
    }
}
