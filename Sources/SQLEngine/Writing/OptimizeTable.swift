import Authority
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Vectors

extension StatementRun {
    /// ALTER TABLE … EXECUTE optimize: rewrites small files, and files with deleted rows, as few large ones.
    ///
    /// Rows stay the same, so that the commit is a `replace`; when somebody changes one of the files
    /// meanwhile, the work is given up as TRANSACTION_CONFLICT.
    func optimize(
        _ table: IcebergTable, threshold: Int64, _ filter: Expression?
    ) throws(QueryFault) -> StatementOutcome {
        try require(.tableInsert, on: table.name)
        let files = try LiveFiles(table, try manifests())
        let wanted = try filter.map { condition throws(QueryFault) in
            try self.wholeFiles(of: table, where: condition)
        }
        let paths = Self.worthRewriting(
            files.tasks.values.filter { wanted?.contains($0.file.path) ?? true }, table, threshold)
        if paths.isEmpty { return Self.metrics(rewritten: 0, removedDeletes: 0, added: 0) }
        let (plan, columns) = scan(try table.restricted(to: paths), withPositions: false)
        let writer = try rowWriter(table.metadata, table.schema, of: table.name)
        return try writing([writer]) { () throws(QueryFault) in
            try self.execute(
                self.sorted(plan, columns, table.metadata, table.name), columns: columns
            ) { chunk throws(QueryFault) in try writer.append(chunk) }
            let added = try writer.finish()
            let deletes = files.deletesOnly(for: paths)
            try self.commit(
                table, .replace,
                FileChanges(addedData: added, removedPaths: paths.union(deletes)), branch: nil,
                checks: ConflictChecks(
                    startingSnapshotID: table.snapshot?.snapshotID, isolation: .snapshot,
                    touchedPaths: paths))
            return Self.metrics(
                rewritten: paths.count, removedDeletes: deletes.count, added: added.count)
        }
    }

    /// The files for all rows of which a condition holds by their partition; a condition that divides a
    /// file is refused, as in Trino.
    private func wholeFiles(
        of table: IcebergTable, where filter: Expression
    ) throws(QueryFault) -> Set<String> {
        let (scan, condition) = try policyBinder.condition(filter, over: table)
        let exact = ExactPredicate(scan, table)
        guard let predicate = exact.all(condition.conjuncts) else {
            throw Self.dividing(filter)
        }
        let source = try manifests()
        let tasks: [FileScanTask]
        do throws(IcebergError) {
            let plan = try TableScan(
                metadata: table.metadata, snapshot: table.snapshot, predicate: predicate
            ).plan(source)
            tasks = plan.tasks
        } catch { throw EngineCatalogs.fault(error, about: "\(table.name)") }
        guard tasks.allSatisfy(\.allRowsMatch) else { throw Self.dividing(filter) }
        return Set(tasks.map(\.file.path))
    }

    private static func dividing(_ filter: Expression) -> QueryFault {
        QueryFault(
            .notSupported,
            "Unexpected FilterNode found in plan; probably connector was not able to handle provided "
                + "WHERE expression",
            hint: "the condition has to choose whole partitions", span: filter.span)
    }

    /// Files below the threshold that have a neighbour to be joined with, and files with deleted rows.
    private static func worthRewriting(
        _ tasks: [FileScanTask], _ table: IcebergTable, _ threshold: Int64
    ) -> Set<String> {
        struct Partition: Hashable {
            var specID: Int32
            var values: [Literal?]
        }
        var groups: [Partition: [FileScanTask]] = [:]
        for task in tasks {
            let isOld = task.file.specID != table.metadata.defaultSpecID
            let isMarked = !task.positionDeletes.isEmpty
            guard task.file.sizeBytes < threshold || isMarked || isOld else { continue }
            groups[
                Partition(specID: task.file.specID, values: task.file.partition), default: []
            ].append(task)
        }
        var paths: Set<String> = []
        for (partition, group) in groups {
            let isOld = partition.specID != table.metadata.defaultSpecID
            guard group.count > 1 || isOld || group.contains(where: { !$0.positionDeletes.isEmpty })
            else { continue }
            paths.formUnion(group.map(\.file.path))
        }
        return paths
    }

    private static func metrics(
        rewritten: Int, removedDeletes: Int, added: Int
    ) -> StatementOutcome {
        .rows(
            [
                QueryColumn(name: "metric_name", type: .text),
                QueryColumn(name: "metric_value", type: .bigint),
            ],
            [
                ("rewritten_data_files_count", rewritten),
                ("removed_delete_files_count", removedDeletes),
                ("added_data_files_count", added),
            ].map { [.text($0.0), .integer(Int64($0.1))] })
    }
}
