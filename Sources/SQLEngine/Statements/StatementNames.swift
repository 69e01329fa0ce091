import Authority
import Diagnostics
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog

/// Names of a statement, and the way down to the catalog.
extension StatementRun {
    /// The full name of a table or view; the session's catalog and schema fill what is missing.
    func tableName(_ name: QualifiedName) throws(QueryFault) -> TableName {
        let parts = name.canonicalParts
        guard parts.count <= 3 else {
            throw QueryFault(
                .syntaxError, "Too many dots in table name: \(name)", span: name.span)
        }
        guard let schema = parts.count > 1 ? parts[parts.count - 2] : session.schema else {
            throw QueryFault(
                .missingSchemaName, "Schema must be specified when session schema is not set",
                span: name.span)
        }
        return TableName(
            catalog: parts.count > 2 ? parts[0] : try sessionCatalog(name), schema: schema,
            table: parts[parts.count - 1])
    }

    /// Catalog and schema of a schema's name.
    func schemaName(
        _ name: QualifiedName
    ) throws(QueryFault) -> (catalog: String, schema: String) {
        let parts = name.canonicalParts
        guard parts.count <= 2 else {
            throw QueryFault(
                .syntaxError, "Too many parts in schema name: \(name)",
                hint: "a nested schema is one quoted name, such as \"sales.raw\"", span: name.span)
        }
        let schema = parts[parts.count - 1]
        return (parts.count > 1 ? parts[0] : try sessionCatalog(name), schema)
    }

    private func sessionCatalog(_ name: QualifiedName) throws(QueryFault) -> String {
        guard let catalog = session.catalog else {
            throw QueryFault(
                .missingCatalogName, "Catalog must be specified when session catalog is not set",
                span: name.span)
        }
        return catalog
    }

    /// The warehouse behind a catalog name, for statements that change something.
    ///
    /// Throws CATALOG_NOT_FOUND, NOT_SUPPORTED for catalogs that cannot be changed, and
    /// READ_ONLY_VIOLATION in a transaction that only reads.
    func writable(
        _ catalogName: String, schema: String = "", _ node: (any SyntaxNode)? = nil
    ) throws(QueryFault) -> (catalog: Catalog, at: CatalogReference) {
        if catalogs.transaction?.isReadOnly ?? false {
            throw QueryFault(
                .readOnlyViolation, "Cannot execute write operation in a read-only transaction",
                hint: "begin it with START TRANSACTION READ WRITE", span: node?.span)
        }
        if catalogName == "system" || schema == "information_schema" {
            throw QueryFault(
                .notSupported, "\(catalogName).\(schema) cannot be changed", span: node?.span)
        }
        if catalogs.isConnected(context, catalogName) {
            throw QueryFault(
                .notSupported, "Catalog '\(catalogName)' does not support this change",
                hint: "tables are written in warehouses", span: node?.span)
        }
        let catalog = try self.catalog()
        guard catalogs.isWarehouse(context, catalogName) else {
            throw catalogs.unknownCatalog(context, catalogName, span: node?.span)
        }
        let at = catalogs.reference(catalogName)
        // What is not the transaction's own could not be taken back.
        guard catalogs.transaction?.holds(at) ?? true else {
            throw QueryFault(
                .notSupported, "\(at) cannot be changed in a transaction", span: node?.span)
        }
        return (catalog, at)
    }

    /// Runs verbs of the catalog, with their errors as the query's.
    func changing<Result>(
        _ subject: String, exists: QueryFault.Code = .tableAlreadyExists,
        _ body: () throws -> Result
    ) throws(QueryFault) -> Result {
        do { return try body() } catch {
            throw Self.fault(error, about: subject, exists: exists)
        }
    }

    /// An error of a change as the query's: races and forbidden changes have codes of their own.
    static func fault(
        _ error: any Error, about subject: String, exists: QueryFault.Code = .tableAlreadyExists
    ) -> QueryFault {
        switch error {
        case let error as CatalogError where error.code == .alreadyExists:
            QueryFault(exists, error.message, hint: error.hint, cause: error)
        case let error as IcebergError where error.code == .conflict:
            QueryFault(.transactionConflict, error.message, hint: error.hint, cause: error)
        case let error as IcebergError
        where error.code == .invalidUpdate || error.code == .unsupported:
            QueryFault(.notSupported, error.message, hint: error.hint, cause: error)
        case let error as IcebergError where error.code == .storageFailed:
            QueryFault(.externalSourceError, error.message, hint: error.hint, cause: error)
        default: EngineCatalogs.fault(error, about: subject)
        }
    }

    /// Refuses early what the catalog would refuse at the commit, before work is spent on it.
    func require(_ action: Action, on name: TableName) throws(QueryFault) {
        let identifier = name.identifier
        let warehouse = CatalogReference(parsing: name.catalog).warehouse
        let resource = Resource(
            tenant: context.tenant, kind: .table,
            path: [warehouse] + identifier.namespace + [identifier.name])
        do throws(AccessDenied) {
            _ = try engine.authorizer.require(context, action, resource)
        } catch { throw EngineCatalogs.fault(error, about: "\(name)") }
    }

    /// The table to change, in its present state; nil where `ifExists` allows that there is none.
    func table(
        _ name: TableName, ifExists: Bool = false, _ node: (any SyntaxNode)? = nil
    ) throws(QueryFault) -> IcebergTable? {
        do throws(QueryFault) {
            switch try catalogs.resolve(context, name, version: .current, span: node?.span) {
            case .table(let table as IcebergTable, _): return table
            case .table:
                throw QueryFault(
                    .notSupported, "'\(name)' is not a table that can be changed", span: node?.span)
            case .view:
                throw QueryFault(
                    .tableNotFound, "'\(name)' is a view, not a table", span: node?.span)
            }
        } catch {
            if ifExists, [.tableNotFound, .schemaNotFound].contains(error.code) { return nil }
            throw error
        }
    }

    /// Changes a table's metadata: `change` gives the updates for a state, and is asked again when
    /// somebody else was faster.
    func alter(
        _ table: IcebergTable,
        _ change: (TableMetadata) throws(QueryFault) -> [TableUpdate]
    ) throws(QueryFault) {
        let (catalog, at) = try writable(table.name.catalog, schema: table.name.schema)
        try require(.tableAlter, on: table.name)
        var metadata = table.metadata
        for attempt in 1...Self.alterAttempts {
            let updates = try change(metadata)
            if updates.isEmpty { return }
            let requirements: [TableRequirement] = [
                .assertTableUUID(table.metadata.tableUUID),
                .assertCurrentSchemaID(metadata.currentSchemaID),
                .assertLastAssignedFieldID(metadata.lastColumnID),
                .assertDefaultSpecID(metadata.defaultSpecID),
                .assertDefaultSortOrderID(metadata.defaultSortOrderID),
            ]
            do {
                _ = try catalog.commit(
                    context, at,
                    TableCommit(
                        identifier: table.identifier, requirements: requirements, updates: updates))
                return
            } catch let error as IcebergError
                where error.code == .requirementFailed && attempt < Self.alterAttempts
            {
                do {
                    metadata = try catalog.loadTable(context, at, table.identifier).metadata
                } catch { throw Self.fault(error, about: "\(table.name)") }
            } catch { throw Self.fault(error, about: "\(table.name)") }
        }
    }

    /// How often a change of metadata is tried while others commit to the table.
    private static let alterAttempts = 5
}

/// "did you mean …?", where a name is near.
func suggestion(_ name: String, _ candidates: some Sequence<String>) -> String? {
    nearestName(to: name, among: candidates).map { "did you mean \($0)?" }
}
