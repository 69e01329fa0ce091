import Diagnostics
import SQLFunctions
import SQLSyntax
import Vectors

extension Binder {
    /// `TABLE(system.table_changes(schema_name => …, table_name => …, start_snapshot_id => …,
    /// end_snapshot_id => …))`: the rows that came and went after one snapshot, up to another. Source: Trino
    /// documentation, "Iceberg connector", "Table functions".
    func tableChanges(
        _ call: TableFunctionCall, _ environment: Environment
    ) throws(QueryFault) -> BoundRelation {
        let names = ["schema_name", "table_name", "start_snapshot_id", "end_snapshot_id"]
        var values: [String: LiteralValue] = [:]
        for (index, argument) in call.arguments.enumerated() {
            guard case .scalar(let expression) = argument.value,
                let name = argument.name?.canonical
                    ?? (index < names.count ? names[index] : nil),
                names.contains(name)
            else { throw .analysis(.invalidArguments, "Unexpected argument", argument.span) }
            let isText = name.hasSuffix("_name")
            let value = try constant(expression)
            guard isText == value.type.isText || value.literalValue == .null else {
                throw .analysis(
                    .invalidArguments,
                    "Invalid argument \(name.uppercased()). Expected type: "
                        + (isText ? "varchar" : "bigint"), argument.span)
            }
            values[name] = (isText ? value : value.coerced(to: .bigint)).literalValue
        }
        func text(_ name: String) throws(QueryFault) -> String {
            guard case .bytes(let bytes)? = values[name] else { throw missing(name, values, call) }
            return String(decoding: bytes, as: UTF8.self).lowercased()
        }
        func snapshot(_ name: String) throws(QueryFault) -> Int64 {
            guard case .integer(let id)? = values[name] else { throw missing(name, values, call) }
            return id
        }
        let parts = call.name.canonicalParts
        guard let catalog = parts.count > 2 ? parts[0] : environment.catalog else {
            throw .analysis(
                .missingCatalogName, "Catalog must be specified when session catalog is not set",
                call.span)
        }
        let name = TableName(
            catalog: catalog, schema: try text("schema_name"), table: try text("table_name"))
        let (start, end) = (try snapshot("start_snapshot_id"), try snapshot("end_snapshot_id"))
        let relation = try context.catalog.resolve(
            environment.context, name, version: .snapshot(end), span: call.span)
        guard case .table(let found, let decision) = relation,
            let table = found as? any ChangeTracking
        else {
            throw .analysis(
                .invalidFunctionArgument, "'\(name)' is no table whose changes are known", call.span
            )
        }
        var bound = try self.table(
            try table.changes(after: start), name, decision, environment)
        bound.fields = bound.fields.map { $0.requalified([]) }
        return bound
    }

    private func missing(
        _ name: String, _ values: [String: LiteralValue], _ call: TableFunctionCall
    ) -> QueryFault {
        values[name] == nil
            ? .analysis(.missingArgument, "Missing argument: \(name.uppercased())", call.span)
            : .analysis(
                .invalidFunctionArgument, "table_changes arguments may not be null", call.span)
    }
}
