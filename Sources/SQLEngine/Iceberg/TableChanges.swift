import Iceberg
import ObjectStorage
import Parquet
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableFiles
import Vectors

extension IcebergTable: ChangeTracking {
    /// What came and went after a snapshot, up to the one that this table stands at.
    func changes(after start: Int64) throws(QueryFault) -> any PlannedTable {
        guard let end = snapshot else {
            throw QueryFault(.invalidFunctionArgument, "Table '\(name)' has no snapshots")
        }
        guard metadata.snapshot(id: start) != nil else {
            throw QueryFault(
                .invalidFunctionArgument,
                "Snapshot not found in Iceberg table history: \(start)",
                hint: "\"\(name.table)$snapshots\" lists those there are")
        }
        let line = metadata.ancestors(of: end.snapshotID)
        guard start != end.snapshotID,
            let first = line.firstIndex(where: { $0.snapshotID == start })
        else {
            throw QueryFault(
                .invalidFunctionArgument,
                "Starting snapshot (exclusive) \(start) is not a parent ancestor of end snapshot "
                    + "\(end.snapshotID)")
        }
        return TableChanges(self, line[..<first].reversed(), after: line[first])
    }
}

/// The rows that came and went with each snapshot of a line, oldest first, as Trino's `table_changes` shows
/// them: the columns of the table, and what became of the row, where and when.
///
/// What a snapshot did is the difference between its files and its parent's. A file that is new brings
/// rows, one that is gone takes along those that were left of it, and one that has other delete files
/// loses those which these name. Rows that a rewritten file only carries on come and go.
final class TableChanges: ExecutableTable {
    let name: TableName
    let columns: [TableColumn]
    var statistics: TableStatistics? { nil }
    private let table: IcebergTable
    private let base: Snapshot
    private let snapshots: [Snapshot]

    init(_ table: IcebergTable, _ snapshots: [Snapshot], after base: Snapshot) {
        self.table = table
        self.snapshots = snapshots
        self.base = base
        name = table.name
        columns =
            table.columns.filter { !$0.isHidden }
            + [
                TableColumn(name: "_change_type", type: .text),
                TableColumn(name: "_change_version_id", type: .bigint),
                TableColumn(
                    name: "_change_timestamp", type: .timestampWithTimeZone(precision: 3)),
                TableColumn(name: "_change_ordinal", type: .integer),
            ]
    }

    /// Rows of one file that came or went.
    private struct Change {
        var task: FileScanTask
        var deletes: FileDeletes
        /// `_change_type` and so on, in the columns' order.
        var said: [ParquetValue]
    }

    func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        let finder = IcebergColumns(table, request, changes: columns.suffix(4).map(\.type))
        var tasks: [ParquetFileTask] = []
        var late: [LateFileSource.Opening] = []
        for change in try changes(request.budget) {
            try table.admit(change.task)
            let file = change.task.file
            switch file.format.uppercased() {
            case "PARQUET":
                tasks.append(
                    try finder.task(
                        try table.open(file), change.task, change.deletes, said: change.said))
            case "AVRO":
                let opening: LateFileSource.Opening = { [table] budget throws(QueryFault) in
                    let avro = try table.openAvro(file, budget)
                    return try finder.task(
                        avro.file, change.task, change.deletes, said: change.said, owner: avro)
                }
                late.append(opening)
            default:
                throw QueryFault(
                    .notSupported,
                    "data files of format \(file.format) are not supported: \(file.path)")
            }
        }
        let source = ParquetSource(
            tasks, types: request.columns.map { columns[$0].type }, request: request)
        return late.isEmpty ? source : LateFileSource(source, late: late)
    }

    /// The changes of all snapshots in their order.
    private func changes(_ budget: MemoryBudget) throws(QueryFault) -> [Change] {
        var found: [Change] = []
        var before = try table.tasks(of: base)
        let deletes = table.allDeletes(budget: budget)
        for (ordinal, snapshot) in snapshots.enumerated() {
            let after = try table.tasks(of: snapshot)
            defer { before = after }
            // Rewriting files changes no rows.
            if snapshot.operation == "replace" { continue }
            func said(_ type: String) -> [ParquetValue] {
                let (micros, isOver) = snapshot.timestampMilliseconds.multipliedReportingOverflow(
                    by: 1000)
                return [
                    .bytes(Array(type.utf8)), .int64(snapshot.snapshotID),
                    .int128(Int128(isOver ? 0 : micros) << 64),
                    .int32(Int32(clamping: ordinal)),
                ]
            }
            for path in after.keys.sorted() {
                guard let task = after[path] else { continue }
                guard let old = before[path] else {
                    let own = try table.faults { try deletes.deletes(of: task) }
                    found.append(Change(task: task, deletes: own, said: said("insert")))
                    continue
                }
                guard task.deleteMarks != old.deleteMarks else { continue }
                guard task.equalityDeletes.map(\.path) == old.equalityDeletes.map(\.path) else {
                    throw QueryFault(
                        .notSupported,
                        "Equality delete files are currently not supported in table_changes: "
                            + "snapshot \(snapshot.snapshotID) of \(name)",
                        hint: "name snapshots between which no engine wrote equality deletes")
                }
                if let gone = try gone(task, since: old, deletes) {
                    found.append(Change(task: task, deletes: gone, said: said("delete")))
                }
            }
            for path in before.keys.sorted() where after[path] == nil {
                guard let old = before[path] else { continue }
                let own = try table.faults { try deletes.deletes(of: old) }
                found.append(Change(task: old, deletes: own, said: said("delete")))
            }
        }
        return found
    }

    /// What leaves nothing of a file but the rows that were deleted since `old`; nil where none were.
    private func gone(
        _ task: FileScanTask, since old: FileScanTask, _ reader: DeleteFileReader
    ) throws(QueryFault) -> FileDeletes? {
        var deletes = try table.faults { try reader.deletes(of: old) }
        let now = try table.faults { try reader.positions(of: task) }
        let before = Set(deletes.positions?.sorted ?? [])
        let new = Set(now).subtracting(before)
        if new.isEmpty { return nil }
        guard task.file.recordCount <= Self.rowLimit else {
            throw QueryFault(
                .genericInsufficientResources,
                "a file of more than \(Self.rowLimit) rows lost some of them: \(task.file.path)",
                hint: "ALTER TABLE … EXECUTE optimize makes smaller files")
        }
        deletes.positions = DeletedPositions(
            (0..<max(0, task.file.recordCount)).filter { !new.contains($0) })
        return deletes
    }

    /// Rows of a file whose remaining rows are named one by one.
    private static let rowLimit: Int64 = 50_000_000
}

extension FileScanTask {
    /// Which delete files, and which parts of them, apply.
    fileprivate var deleteMarks: Set<String> {
        Set((positionDeletes + equalityDeletes).map { "\($0.path)#\($0.contentOffset ?? -1)" })
    }
}

extension IcebergTable {
    /// The data files of a snapshot by their paths.
    fileprivate func tasks(of snapshot: Snapshot) throws(QueryFault) -> [String: FileScanTask] {
        do throws(IcebergError) {
            let plan = try TableScan(metadata: metadata, snapshot: snapshot).plan(manifests)
            return Dictionary(plan.tasks.map { ($0.file.path, $0) }) { first, _ in first }
        } catch { throw EngineCatalogs.fault(error, about: "\(name)") }
    }
}
