import Authority
import Diagnostics
import Iceberg
import SQLFunctions
import SQLPlanning
import Synchronization
import TableCatalog

/// Finds what SQL's names stand for: warehouses of the catalog, `system`, and tables that were given to
/// the engine (files on the command line).
final class EngineCatalogs: CatalogView {
    /// nil for an engine that only reads files.
    let catalog: Catalog?
    let reading: IcebergReading?
    private let given: [TableName: any PlannedTable]
    let systemTables: SystemTables
    /// Trained models; nil for an engine without a keeper.
    let models: (any ModelKeeper)?
    /// By warehouse: the branch that its plain name means, for the runs of pipelines that work on one.
    let branches: [String: String]
    /// The transaction whose own references stand for what names mean.
    let transaction: EngineTransaction?

    /// The same catalogs with other branches behind the warehouses' plain names, or in a transaction.
    func on(
        _ branches: [String: String], _ transaction: EngineTransaction? = nil
    ) -> EngineCatalogs {
        branches == self.branches && transaction == nil
            ? self
            : EngineCatalogs(
                catalog: catalog, reading: reading, given: Array(given.values),
                systemTables: systemTables, models: models, branches: branches,
                transaction: transaction)
    }

    /// The warehouse and reference that a catalog's name means.
    func reference(_ name: String) -> CatalogReference {
        var at = CatalogReference(parsing: name)
        if at.warehouse == name, let branch = branches[name] { at.reference = branch }
        return transaction?.reference(for: at) ?? at
    }

    init(
        catalog: Catalog?, reading: IcebergReading?, given: [any PlannedTable],
        systemTables: SystemTables, models: (any ModelKeeper)? = nil,
        branches: [String: String] = [:], transaction: EngineTransaction? = nil
    ) {
        self.branches = branches
        self.transaction = transaction
        self.models = models
        self.catalog = catalog
        self.reading = reading
        self.given = Dictionary(given.map { ($0.name, $0) }) { first, _ in first }
        self.systemTables = systemTables
    }

    // MARK: Names

    var catalogNames: [String] { catalogNames(.system) }

    /// Names of the catalogs that the caller may use, in order.
    func catalogNames(_ context: RequestContext) -> [String] {
        var names: Set<String> = ["system"]
        for name in given.keys { names.insert(name.catalog) }
        if let catalog, let warehouses = try? catalog.listWarehouses(context) {
            for warehouse in warehouses { names.insert(warehouse.name) }
        }
        names.formUnion(connectedNames(context))
        return names.sorted()
    }

    private var systemContext: RequestContext {
        RequestContext(principal: .system, requestID: "catalogs", door: .sql)
    }
    private func catalogNames(_ principal: Principal) -> [String] {
        catalogNames(RequestContext(principal: principal, requestID: "catalogs", door: .sql))
    }

    /// Schemas of a catalog, with `information_schema`.
    func schemaNames(_ context: RequestContext, _ name: String) throws(QueryFault) -> [String] {
        var names: Set<String> = ["information_schema"]
        if name == "system" {
            names.formUnion(SystemTables.schemas)
            return names.sorted()
        }
        for table in given.keys where table.catalog == name { names.insert(table.schema) }
        if let catalog, isWarehouse(context, name) {
            do {
                try collectNamespaces(context, catalog, reference(name), [], &names)
            } catch { throw EngineCatalogs.fault(error, about: name) }
        } else if let connected = try connected(context, name) {
            names.formUnion(try connected.schemas(context))
        } else if names.count == 1 {
            throw unknownCatalog(context, name, span: nil)
        }
        return names.sorted()
    }

    private func collectNamespaces(
        _ context: RequestContext, _ catalog: Catalog, _ at: CatalogReference, _ parent: [String],
        _ names: inout Set<String>
    ) throws {
        for levels in try catalog.listNamespaces(context, at, parent: parent).elements {
            names.insert(levels.joined(separator: ".").lowercased())
            try collectNamespaces(context, catalog, at, levels, &names)
        }
    }

    /// Tables and views of a schema.
    func relations(
        _ context: RequestContext, _ catalogName: String, _ schema: String
    ) throws(QueryFault) -> [(name: String, isView: Bool)] {
        if schema == "information_schema" {
            return InformationSchema.tableNames.map { ($0, false) }
        }
        if catalogName == "system" { return systemTables.names(schema).map { ($0, false) } }
        var found: [(name: String, isView: Bool)] = given.keys
            .filter { $0.catalog == catalogName && $0.schema == schema }
            .map { ($0.table, false) }
        if let catalog, isWarehouse(context, catalogName) {
            let at = reference(catalogName)
            let levels = schema.split(separator: ".").map(String.init)
            do {
                found += try catalog.listTables(context, at, levels).elements
                    .filter { !MaterializedViewStorage.isStorage($0.name) }
                    .map { ($0.name.lowercased(), false) }
                found += try catalog.listViews(context, at, levels).elements
                    .map { ($0.name.lowercased(), true) }
            } catch { throw EngineCatalogs.fault(error, about: "\(catalogName).\(schema)") }
        } else if let connected = try connected(context, catalogName) {
            found += try connected.relations(context, schema)
        }
        return found.sorted { $0.name < $1.name }
    }

    func isWarehouse(_ context: RequestContext, _ name: String) -> Bool {
        guard let catalog else { return false }
        return (try? catalog.warehouse(context, name: CatalogReference(parsing: name).warehouse))
            != nil
    }

    // MARK: Resolution

    func resolve(
        _ context: RequestContext, _ name: TableName, version: TableVersion, span: SourceSpan?
    ) throws(QueryFault) -> ResolvedRelation {
        if let table = given[name] { return .table(table, .everything) }
        if name.schema == "information_schema" {
            if let table = InformationSchema.table(name, self, context) {
                return .table(table, .everything)
            }
            throw unknownTable(context, name, span)
        }
        if name.catalog == "system" {
            guard let table = systemTables.table(name, self, context) else {
                throw unknownTable(context, name, span)
            }
            return .table(table, .everything)
        }
        guard let catalog, let reading, isWarehouse(context, name.catalog) else {
            if given.keys.contains(where: { $0.catalog == name.catalog }) {
                throw unknownTable(context, name, span)
            }
            if let table = try resolveConnected(context, name, version, span) { return table }
            throw unknownCatalog(context, name.catalog, span: span)
        }
        do {
            // A right to a view says nothing of a table of its name: who asks for the one is not refused
            // the other.
            let at = reference(name.catalog)
            if try catalog.entryKind(context, at, name.identifier) == .view,
                let view = try view(context, name, catalog)
            {
                return .view(view)
            }
            return try resolve(context, name, version, catalog, reading)
        } catch let error as CatalogError where error.code == .noSuchTable {
            if let view = try view(context, name, catalog) { return .view(view) }
            if let table = try metadataTable(context, name, catalog, reading) { return table }
            throw unknownTable(context, name, span)
        } catch let error as CatalogError where error.code == .noSuchNamespace {
            throw QueryFault(
                .schemaNotFound, "Schema '\(name.schema)' does not exist",
                hint: suggestion(name.schema, (try? schemaNames(context, name.catalog)) ?? []),
                span: span)
        } catch {
            var fault = EngineCatalogs.fault(error, about: "\(name)")
            fault.span = span
            throw fault
        }
    }

    private func resolve(
        _ context: RequestContext, _ name: TableName, _ version: TableVersion, _ catalog: Catalog,
        _ reading: IcebergReading
    ) throws -> ResolvedRelation {
        let at = reference(name.catalog)
        let (loaded, pin) = try catalog.pinnedTable(context, at, name.identifier)
        try MaterializedViewStorage.require(name, loaded, context)
        var reading = reading
        reading.pin = pin
        let metadata = loaded.metadata
        let snapshot = try metadata.select(EngineCatalogs.selection(version))
        // An old state is read with the schema it was written with; a branch with the present one.
        var schema = metadata.currentSchema
        switch version {
        case .snapshot, .timestamp: if let snapshot { schema = metadata.schema(of: snapshot) }
        case .current, .reference: break
        }
        let table = try IcebergTable(
            name: name, reference: at, identifier: loaded.identifier, metadata: metadata,
            snapshot: snapshot, schema: schema,
            reading: reading.guarded(
                context, own: loaded.key(in: at),
                catalog.fileRule(context, loaded.identifier, metadata)),
            metadataLocation: loaded.metadataLocation)
        return .table(table, loaded.decision(for: schema))
    }

    private static func selection(_ version: TableVersion) -> SnapshotSelection {
        switch version {
        case .current: .current
        case .snapshot(let id): .id(id)
        case .reference(let name): .reference(name)
        case .timestamp(let microseconds):
            .asOf(
                milliseconds: microseconds >= 0
                    ? microseconds / 1000 : -((-microseconds + 999) / 1000))
        }
    }

    /// The view of that name, if there is one.
    func view(
        _ context: RequestContext, _ name: TableName, _ catalog: Catalog
    ) throws(QueryFault) -> ViewDefinition? {
        let at = reference(name.catalog)
        do {
            let loaded = try catalog.loadView(context, at, name.identifier)
            return try ViewStorage.definition(of: loaded, name)
        } catch let error as CatalogError
            where error.code == .noSuchView || error.code == .noSuchTable
        {
            return nil
        } catch { throw EngineCatalogs.fault(error, about: "\(name)") }
    }

    /// `table$snapshots` and its like.
    private func metadataTable(
        _ context: RequestContext, _ name: TableName, _ catalog: Catalog, _ reading: IcebergReading
    ) throws(QueryFault) -> ResolvedRelation? {
        guard let mark = name.table.lastIndex(of: "$"), mark != name.table.startIndex else {
            return nil
        }
        let kind = String(name.table[name.table.index(after: mark)...])
        let base = TableName(
            catalog: name.catalog, schema: name.schema, table: String(name.table[..<mark]))
        do {
            let (loaded, pin) = try catalog.pinnedTable(
                context, reference(name.catalog), base.identifier)
            defer { withExtendedLifetime(pin) {} }
            try MaterializedViewStorage.require(base, loaded, context)
            let reading = reading.guarded(
                context, own: loaded.key(in: reference(name.catalog)),
                catalog.fileRule(context, loaded.identifier, loaded.metadata))
            guard
                let table = try kind == "metrics_reports"
                    ? MetricsReports.table(context, reference(name.catalog), base, name, catalog)
                    : MetadataTables.table(
                        kind, name, loaded.metadata, at: loaded.metadataLocation,
                        reading.manifests)
            else { return nil }
            return try governedMetadata(table, kind, base, loaded, reading)
        } catch let error as CatalogError where error.code == .noSuchTable { return nil } catch {
            throw EngineCatalogs.fault(error, about: "\(base)")
        }
    }

    func model(
        _ context: RequestContext, _ name: TableName, version: Int64?, span: SourceSpan?
    ) throws(QueryFault) -> any PlannedModel {
        guard let models else {
            throw QueryFault(
                .notSupported, "Models are not available here",
                hint: "start a server with `lakehouse serve`", span: span)
        }
        return try models.model(context, name, version: version, span: span)
    }

    // MARK: Faults

    func unknownTable(
        _ context: RequestContext, _ name: TableName, _ span: SourceSpan?
    ) -> QueryFault {
        let schemas = (try? schemaNames(context, name.catalog)) ?? []
        guard schemas.contains(name.schema) else {
            return QueryFault(
                .schemaNotFound, "Schema '\(name.schema)' does not exist",
                hint: suggestion(name.schema, schemas), span: span)
        }
        let names = ((try? relations(context, name.catalog, name.schema)) ?? []).map(\.name)
        return QueryFault(
            .tableNotFound, "Table '\(name)' does not exist", hint: suggestion(name.table, names),
            span: span)
    }

    func unknownCatalog(
        _ context: RequestContext, _ name: String, span: SourceSpan?
    ) -> QueryFault {
        QueryFault(
            .catalogNotFound, "Catalog '\(name)' not found",
            hint: suggestion(name, catalogNames(context)), span: span)
    }

    private func suggestion(_ name: String, _ candidates: [String]) -> String? {
        nearestName(to: name, among: candidates).map { "did you mean \($0)?" }
    }

    /// A fault of the layers below as the query's.
    static func fault(_ error: any Error, about subject: String) -> QueryFault {
        switch error {
        case let fault as QueryFault: return fault
        case let denied as AccessDenied:
            return QueryFault(
                .permissionDenied, "Access Denied: \(denied.message)", hint: denied.reason,
                cause: denied)
        case let error as CatalogError:
            return QueryFault(code(of: error.code), error.message, hint: error.hint, cause: error)
        case let error as IcebergError:
            let isDenied = error.code == .foreignFile
            return QueryFault(
                code(of: error.code), (isDenied ? "Access Denied: " : "") + error.message,
                hint: error.hint, cause: error)
        default:
            return QueryFault(.genericInternalError, "\(subject): \(error)", cause: error)
        }
    }

    private static func code(of code: CatalogError.Code) -> QueryFault.Code {
        switch code {
        case .noSuchWarehouse: .catalogNotFound
        case .noSuchNamespace: .schemaNotFound
        case .noSuchTable, .noSuchView: .tableNotFound
        case .noSuchReference: .branchNotFound
        case .noSuchFile: .notFound
        case .alreadyExists: .alreadyExists
        case .namespaceNotEmpty: .schemaNotEmpty
        case .invalidName, .invalidRequest, .contradictoryRequest: .invalidArguments
        case .isProtected: .notSupported
        case .contractBroken: .constraintViolation
        case .commitConflict: .icebergCommitError
        case .mergeConflict: .transactionConflict
        case .corruptTable: .icebergInvalidMetadata
        case .storageFailed: .externalSourceError
        case .limitExceeded: .genericInsufficientResources
        }
    }

    private static func code(of code: IcebergError.Code) -> QueryFault.Code {
        switch code {
        case .requirementFailed: .transactionConflict
        case .noSuchSnapshot, .noSuchReference: .invalidArguments
        case .foreignFile: .permissionDenied
        default: .icebergInvalidMetadata
        }
    }
}

extension TableName {
    /// The catalog's identifier: a schema with dots is a nested namespace.
    var identifier: TableIdentifier {
        TableIdentifier(namespace: schema.split(separator: ".").map(String.init), name: table)
    }
}

extension Decision {
    /// For tables that everybody who may run SQL can read.
    static let everything = Decision(isAllowed: true, reason: "open to all")
}
