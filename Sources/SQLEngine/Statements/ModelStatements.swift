import Authority
import Diagnostics
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// CREATE, DROP, DESCRIBE MODEL and SHOW MODELS. What a model is and where it stays is the keeper's.
extension StatementRun {
    func model(_ statement: ModelStatement) throws(QueryFault) -> StatementOutcome {
        switch statement {
        case .create(let create): return try createModel(create)
        case .drop(let name, let ifExists): return try dropModel(name, ifExists: ifExists)
        case .describe(let name, let version): return try describeModel(name, version)
        case .show(let schema, let pattern): return try showModels(schema, pattern)
        }
    }

    private func keeper() throws(QueryFault) -> any ModelKeeper {
        guard let keeper = catalogs.models else {
            throw QueryFault(
                .notSupported, "Models are not available here",
                hint: "start a server with `lakehouse serve`")
        }
        return keeper
    }

    /// Runs the training query once and hands its rows, as doubles, to the trainer. The name is checked
    /// first, then the options and columns, and only then is a row read.
    private func createModel(_ create: CreateModel) throws(QueryFault) -> StatementOutcome {
        let name = try tableName(create.name)
        let keeper = try keeper()
        let (catalog, at) = try writable(name.catalog, schema: name.schema, create.name)
        try changing("\(name)") {
            _ = try catalog.namespace(
                context, at, name.schema.split(separator: ".").map(String.init))
        }
        var options: [ModelOption] = []
        for property in create.properties {
            guard let expression = property.value else { continue }
            let (value, type) = try evaluate(expression)
            options.append(
                ModelOption(
                    name: property.name.description, value: value, type: type, span: property.span))
        }
        let statement = Statement(kind: .query(create.query), place: create.query.place)
        guard case .query(let bound) = try bind(statement) else {
            throw QueryFault(.notSupported, "A model is trained on a query", span: statement.span)
        }
        let columns = try resultColumns(bound.columns, aliases: [], create.query)
        let trainer = try keeper.begin(
            context,
            ModelTraining(
                name: name, orReplace: create.orReplace, algorithm: create.algorithm.canonical,
                algorithmSpan: create.algorithm.span, options: options,
                query: SQLFormatter.format(create.query), querySpan: create.query.span,
                columns: columns.map { ModelFeature(name: $0.name, type: $0.type) },
                sources: Self.sources(of: bound.plan), budget: budget))
        // Ids from the other end than those of the plan, which count up from one.
        let doubles = bound.columns.enumerated().map { index, column in
            let value = BoundExpression.column(column.id, column.type)
            return Assignment(
                column: PlanColumn(
                    id: ColumnID(Int32.max - Int32(index)), type: .double, name: column.label),
                expression: column.type == .double
                    ? value : .cast(value, to: .double, isSafe: false))
        }
        try execute(.project(bound.plan, doubles), columns: doubles.map(\.column.id)) {
            (chunk) throws(QueryFault) in try trainer.take(chunk)
        }
        let record = try trainer.finish()
        return .done(updateType: "CREATE MODEL", count: record.rowCount)
    }

    /// The tables that a plan reads, each state once.
    private static func sources(of plan: LogicalPlan) -> [ModelSource] {
        var found: Set<ModelSource> = []
        var open = [plan]
        while let node = open.popLast() {
            if case .scan(let scan) = node {
                let snapshot = (scan.table as? IcebergTable)?.snapshot?.snapshotID
                found.insert(ModelSource(table: "\(scan.table.name)", snapshotID: snapshot))
            }
            open += node.children
        }
        return found.sorted { ($0.table, $0.snapshotID ?? 0) < ($1.table, $1.snapshotID ?? 0) }
    }

    private func dropModel(
        _ name: QualifiedName, ifExists: Bool
    ) throws(QueryFault) -> StatementOutcome {
        let model = try tableName(name)
        let isDropped = try keeper().drop(context, model)
        guard isDropped || ifExists else { throw try unknownModel(model, name) }
        return .done(updateType: "DROP MODEL", count: nil)
    }

    private func unknownModel(
        _ model: TableName, _ name: QualifiedName
    ) throws(QueryFault) -> QueryFault {
        let known = try keeper().records(context, catalog: model.catalog, schema: model.schema)
        return QueryFault(
            .notFound, "Model '\(model)' does not exist",
            hint: suggestion(model.table, Set(known.map(\.name.table)).sorted()), span: name.span)
    }

    /// The models that go with a schema. Throws where there are some without CASCADE, and for one that the
    /// caller may not drop.
    func modelsToDrop(
        of catalog: String, _ schema: String, cascade: Bool, _ node: any SyntaxNode
    ) throws(QueryFault) -> [TableName] {
        guard let keeper = catalogs.models else { return [] }
        // All of them, also those that the caller may not see.
        var everybody = context
        everybody.principal = .system
        let records = try keeper.records(everybody, catalog: catalog, schema: nil).filter {
            $0.isLatest && ($0.name.schema == schema || $0.name.schema.hasPrefix(schema + "."))
        }
        guard cascade || records.isEmpty else {
            throw QueryFault(
                .schemaNotEmpty, "Cannot drop non-empty schema '\(schema)'",
                hint: "drop its models first, or write CASCADE", span: node.span)
        }
        for record in records where record.owner != context.principal.name {
            let identifier = record.name.identifier
            let warehouse = CatalogReference(parsing: catalog).warehouse
            do throws(AccessDenied) {
                _ = try engine.authorizer.require(
                    context, .modelDrop,
                    Resource(
                        tenant: context.tenant, kind: .model,
                        path: [warehouse] + identifier.namespace + [identifier.name]))
            } catch { throw EngineCatalogs.fault(error, about: "\(record.name)") }
        }
        return records.map(\.name)
    }

    private func describeModel(
        _ name: QualifiedName, _ version: Int64?
    ) throws(QueryFault) -> StatementOutcome {
        let record = try keeper().record(
            context, try tableName(name), version: version, span: name.span)
        var rows: [(String, String)] = [
            ("name", "\(record.name)"), ("version", "\(record.version)"),
            ("latest", "\(record.isLatest)"), ("algorithm", record.algorithm),
            ("owner", record.owner), ("created", ModelTexts.time(record.createdMicroseconds)),
            ("digest", record.digest), ("seed", "\(record.seed)"),
            ("rows", "\(record.rowCount)"), ("rows skipped", "\(record.skippedCount)"),
            ("size", "\(record.sizeBytes)"),
        ]
        for feature in record.features {
            rows.append(("feature \(feature.name)", "\(feature.type)"))
        }
        if let label = record.label { rows.append(("label", label)) }
        for (name, value) in record.parameters { rows.append(("parameter \(name)", value)) }
        for (name, value) in record.metrics { rows.append(("metric \(name)", "\(value)")) }
        for source in record.sources {
            let snapshot = source.snapshotID.map { "snapshot \($0)" } ?? "no snapshot"
            rows.append(("trained on \(source.table)", snapshot))
        }
        rows.append(("query", record.query))
        return .rows(
            ["Property", "Value"].map { QueryColumn(name: $0, type: .text) },
            rows.map { [.text($0.0), .text($0.1)] })
    }

    /// The latest version of each model of a schema; without one, of all that the caller may see, by full
    /// names.
    private func showModels(
        _ schema: QualifiedName?, _ pattern: LikePattern?
    ) throws(QueryFault) -> StatementOutcome {
        let keeper = try keeper()
        let matcher = try NameMatcher(pattern)
        let place = try modelPlace(schema)
        if let place, let name = place.schema {
            let schemas = try catalogs.schemaNames(context, place.catalog)
            guard schemas.contains(name) else {
                throw QueryFault(
                    .schemaNotFound, "Schema '\(name)' does not exist",
                    hint: suggestion(name, schemas), span: schema?.span)
            }
        }
        var records: [ModelRecord] = []
        let warehouses =
            place.map { [$0.catalog] }
            ?? catalogs.catalogNames(context).filter { catalogs.isWarehouse(context, $0) }
        for catalog in warehouses {
            records += try keeper.records(context, catalog: catalog, schema: place?.schema)
                .filter { $0.isLatest && matcher.matches($0.name.table) }
        }
        let isPlain = place?.schema != nil
        let columns =
            [("Model", LogicalType.text), ("Version", .bigint)]
            + [("Algorithm", .text), ("Features", .text), ("Rows", .bigint), ("Owner", .text)]
        return .rows(
            columns.map { QueryColumn(name: $0.0, type: $0.1) },
            records.map { record in
                [
                    .text(isPlain ? record.name.table : "\(record.name)"),
                    .integer(record.version), .text(record.algorithm),
                    .text(record.features.map(\.name).joined(separator: ", ")),
                    .integer(record.rowCount), .text(record.owner),
                ]
            })
    }

    /// The catalog, and perhaps the schema, that SHOW MODELS is about; nil: all there are.
    private func modelPlace(
        _ name: QualifiedName?
    ) throws(QueryFault) -> (catalog: String, schema: String?)? {
        // Every client has some catalog set; only a schema narrows what is shown.
        guard let name else {
            guard let catalog = session.catalog, let schema = session.schema else { return nil }
            return (catalog, schema)
        }
        let parts = name.canonicalParts
        if parts.count == 1, catalogs.isWarehouse(context, parts[0]) {
            return (parts[0], nil)
        }
        let (catalog, schema) = try schemaName(name)
        return (catalog, schema)
    }
}
