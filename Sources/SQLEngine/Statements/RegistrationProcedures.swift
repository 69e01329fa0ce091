import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog

/// CALL of procedures that take tables in and let them go, with Trino's names and arguments:
///
///     register_table(schema_name, table_name, table_location[, metadata_file_name])
///     unregister_table(schema_name, table_name)
///
/// Source: Trino documentation, "Iceberg connector", "Procedures".
extension StatementRun {
    /// The procedures' names, for suggestions.
    static let registrationProcedures = ["register_table", "unregister_table"]

    /// Runs a procedure of this page; nil for others.
    func callRegistrationProcedure(
        _ name: QualifiedName, _ arguments: [FunctionCall.Argument]
    ) throws(QueryFault) -> StatementOutcome? {
        let parts = name.canonicalParts
        guard parts.count >= 2, parts[parts.count - 2] == "system", let procedure = parts.last,
            Self.registrationProcedures.contains(procedure)
        else { return nil }
        guard let catalogName = parts.count == 3 ? parts[0] : session.catalog else {
            throw QueryFault(
                .missingCatalogName,
                "Catalog must be specified when session catalog is not set", span: name.span)
        }
        let registers = procedure == "register_table"
        let more = registers ? ["table_location", "metadata_file_name"] : []
        let values = try bound(
            arguments, ["schema_name", "table_name"] + more, required: registers ? 3 : 2, name)
        func filled(_ index: Int, _ parameter: String) throws(QueryFault) -> String {
            let text = try self.text(values[index], parameter)
            guard !text.isEmpty else {
                throw QueryFault(.invalidArguments, "\(parameter) cannot be null or empty")
            }
            return text
        }
        let table = TableName(
            catalog: catalogName, schema: try filled(0, "schema_name").lowercased(),
            table: try filled(1, "table_name").lowercased())
        let (catalog, at) = try writable(catalogName, schema: table.schema, name)
        if registers {
            let location = try filled(2, "table_location")
            let isNamed = values[3].map { $0 != .null } ?? false
            try register(
                table, at: location, file: isNamed ? try filled(3, "metadata_file_name") : nil,
                catalog, at)
        } else {
            do { _ = try catalog.unregisterTable(context, at, table.identifier) } catch {
                throw Self.fault(error, about: "\(table)")
            }
        }
        return .done(updateType: "CALL", count: nil)
    }

    private func register(
        _ table: TableName, at location: String, file: String?, _ catalog: Catalog,
        _ at: CatalogReference
    ) throws(QueryFault) {
        do {
            let metadata = try catalog.metadataFile(context, ofTableAt: location, named: file)
            _ = try catalog.registerTable(
                context, at, table.identifier, metadataLocation: metadata, tableLocation: location)
        } catch let error as CatalogError where error.code == .alreadyExists {
            throw QueryFault(.tableAlreadyExists, error.message, hint: error.hint, cause: error)
        } catch { throw Self.fault(error, about: "\(table)") }
    }
}
