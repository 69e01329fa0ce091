import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax

/// Statements of pipelines take effect once.
///
/// A pipeline gives each statement the id of its run and step (`lakehouse.run-id`, `lakehouse.step-id`,
/// which ends in `#2` for the second statement of a step). They stand in the summary of the snapshot that
/// the statement commits, beside the number of rows it answered (`lakehouse.rows`). One that is begun again
/// after a crash looks into the history of its table first and answers what its first try has committed.
extension StatementRun {
    private static let runKey = "lakehouse.run-id"
    private static let stepKey = "lakehouse.step-id"
    private static let rowsKey = "lakehouse.rows"

    /// The outcome of the same statement of the same run, when it is in the table's history already.
    func committedBefore(_ bound: BoundStatement) throws(QueryFault) -> StatementOutcome? {
        let properties = query.session.commitProperties
        guard let run = properties[Self.runKey], let step = properties[Self.stepKey],
            let (metadata, updateType) = try changedTable(bound),
            let snapshot = metadata.snapshots.last(where: {
                $0.summary[Self.runKey] == run && $0.summary[Self.stepKey] == step
            })
        else { return nil }
        let counted = snapshot.summary[Self.rowsKey] ?? snapshot.summary["added-records"]
        return .done(updateType: updateType, count: counted.flatMap { Int64($0) } ?? 0)
    }

    /// The summary of a commit that changed so many rows.
    func commitSummary(rows: Int64?) -> [String: String] {
        var summary = commitSummary
        if let rows, summary[Self.runKey] != nil { summary[Self.rowsKey] = String(rows) }
        if let columnLineage { summary[ColumnLineage.summaryKey] = columnLineage }
        return summary
    }

    private func changedTable(
        _ bound: BoundStatement
    ) throws(QueryFault) -> (metadata: TableMetadata, updateType: String)? {
        func metadata(_ table: any PlannedTable) -> TableMetadata? {
            (table as? IcebergTable)?.metadata
        }
        switch bound {
        case .insert(let insert): return metadata(insert.table).map { ($0, "INSERT") }
        case .delete(let change): return metadata(change.table).map { ($0, "DELETE") }
        case .update(let change): return metadata(change.table).map { ($0, "UPDATE") }
        case .merge(let change): return metadata(change.table).map { ($0, "MERGE") }
        case .createTableAs(let create, _):
            let name = try tableName(create.name)
            return try table(name, ifExists: true, create.name)
                .map { ($0.metadata, "CREATE TABLE") }
        case .query, .utility: return nil
        }
    }
}
