import Authority
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableFiles
import Vectors

extension StatementRun {
    /// ALTER TABLE … EXECUTE optimize: rewrites as few large files what is small, what has deleted rows, what
    /// has a former partitioning, and what is not in the order that the table asks for now. Delete files
    /// that apply to no row any more are taken out.
    ///
    /// Rows stay the same, so that the commit is a `replace`; when somebody changes one of the files
    /// meanwhile, the work is given up as TRANSACTION_CONFLICT.
    func optimize(
        _ table: IcebergTable, threshold: Int64, _ filter: Expression?, isDryRun: Bool
    ) throws(QueryFault) -> Maintained {
        let files = try LiveFiles(table, try manifests())
        let wanted = try filter.map { condition throws(QueryFault) in
            try self.wholeFiles(of: table, where: condition)
        }
        // What lies outside of the table's places, and is not for whoever asks to read, stays as it is:
        // written anew it would be the table's own.
        let paths = worthRewriting(
            files.tasks.values.filter {
                wanted?.contains($0.file.path) ?? true && table.mayRead($0)
            }, table, threshold)
        var deletes = files.deletesOnly(for: paths)
        if filter == nil { deletes.formUnion(try danglingDeletes(of: table, files)) }
        var added: [DataFile] = []
        let changes = FileChanges(removedPaths: paths.union(deletes))
        if !isDryRun, !changes.removedPaths.isEmpty {
            added = try rewrite(paths, of: table, changes)
        }
        let verb = isDryRun ? "would be rewritten" : "rewritten as \(added.count)"
        return (
            [
                ("rewritten_data_files_count", Int64(paths.count)),
                ("removed_delete_files_count", Int64(deletes.count)),
                ("added_data_files_count", Int64(added.count)),
            ], "\(paths.count) data files \(verb), \(deletes.count) delete files merged"
        )
    }

    /// Writes the rows of these files into new ones and commits the exchange.
    private func rewrite(
        _ paths: Set<String>, of table: IcebergTable, _ changes: FileChanges
    ) throws(QueryFault) -> [DataFile] {
        let writer = try rowWriter(
            table.metadata, table.schema, of: table.name,
            lineage: table.hasRowLineage ? [.rowID, .lastUpdated] : [])
        var added: [DataFile] = []
        _ = try writing([writer]) { () throws(QueryFault) in
            if !paths.isEmpty {
                let (plan, columns) = scan(
                    try table.restricted(to: paths), withPositions: false,
                    withLineage: table.hasRowLineage)
                try self.execute(
                    self.sorted(plan, columns, table.metadata, table.name), columns: columns
                ) { chunk throws(QueryFault) in try writer.append(chunk) }
                added = try writer.finish()
            }
            var exchange = changes
            exchange.addedData = added
            try self.commit(
                table, .replace, exchange, branch: nil,
                checks: ConflictChecks(
                    startingSnapshotID: table.snapshot?.snapshotID, isolation: .snapshot,
                    touchedPaths: paths))
            return .done(updateType: "", count: nil)
        }
        return added
    }

    /// Live delete files that apply to none of the live data files: they only cost planning.
    private func danglingDeletes(
        of table: IcebergTable, _ files: LiveFiles
    ) throws(QueryFault) -> Set<String> {
        guard let snapshot = table.snapshot else { return [] }
        var applied: Set<String> = []
        for task in files.tasks.values {
            for file in task.positionDeletes + task.equalityDeletes { applied.insert(file.path) }
        }
        var dangling: Set<String> = []
        let source = try manifests()
        do throws(IcebergError) {
            for manifest in try source.manifests(of: snapshot)
            where manifest.content == .deletes && manifest.mayHaveLiveFiles {
                for entry in try source.entries(of: manifest, in: table.metadata)
                where entry.isLive && !applied.contains(entry.file.path) {
                    dangling.insert(entry.file.path)
                }
            }
        } catch { throw EngineCatalogs.fault(error, about: "\(table.name)") }
        return dangling
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

    /// Files below the threshold that have a neighbour to be joined with, and those that are to be written
    /// anew in any case.
    private func worthRewriting(
        _ tasks: [FileScanTask], _ table: IcebergTable, _ threshold: Int64
    ) -> Set<String> {
        struct Partition: Hashable {
            var specID: Int32
            var values: [Literal?]
        }
        let metadata = table.metadata
        let columns = table.schema.fields.map { ColumnID($0.id) }
        let order =
            writesSorted(table.name) && RowWriter.sortKeys(metadata, columns) != nil
            ? metadata.defaultSortOrderID : nil
        /// Old partitioning, deleted rows, another order.
        func isOutdated(_ task: FileScanTask) -> Bool {
            task.file.specID != metadata.defaultSpecID || !task.positionDeletes.isEmpty
                || !task.equalityDeletes.isEmpty
                || (order != nil && task.file.sortOrderID != order)
        }
        var groups: [Partition: [FileScanTask]] = [:]
        for task in tasks where task.file.sizeBytes < threshold || isOutdated(task) {
            groups[
                Partition(specID: task.file.specID, values: task.file.partition), default: []
            ].append(task)
        }
        var paths: Set<String> = []
        for group in groups.values where group.count > 1 || group.contains(where: isOutdated) {
            paths.formUnion(group.map(\.file.path))
        }
        return paths
    }
}
