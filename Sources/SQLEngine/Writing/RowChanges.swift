import Authority
import Iceberg
import Parquet
import SQLFunctions
import SQLPlanning
import TableFiles
import Vectors

/// DELETE, UPDATE and MERGE: rows that go are marked in delete files, new values come in data files, both
/// in one commit.
extension StatementRun {
    func delete(_ change: BoundChange) throws(QueryFault) -> StatementOutcome {
        let table = try icebergTable(change.table)
        _ = try writable(table.name.catalog, schema: table.name.schema)
        try require(.tableDelete, on: table.name)
        if let count = try deleteFiles(change, table) {
            return .done(updateType: "DELETE", count: count)
        }
        let collector = ChangeCollector(.positions, writer: nil, valueCount: 0, budget: budget)
        try execute(change.plan, columns: change.columns) { chunk throws(QueryFault) in
            try collector.append(chunk)
        }
        _ = collector.sortPositions()
        return try finish(change, table, collector, nil, "DELETE", "write.delete.isolation-level")
    }

    func update(_ change: BoundChange) throws(QueryFault) -> StatementOutcome {
        let table = try icebergTable(change.table)
        _ = try writable(table.name.catalog, schema: table.name.schema)
        try require(.tableUpdate, on: table.name)
        noteLineage(
            change.plan, Array(change.columns.dropFirst(2)), of: table.fields,
            named: Set(change.assigned), writing: table.name)
        let lineage: [RowLineage] = table.hasRowLineage ? [.rowID] : []
        let writer = try rowWriter(table.metadata, table.schema, of: table.name, lineage: lineage)
        let collector = ChangeCollector(
            .values, writer: writer, valueCount: table.fields.count + lineage.count,
            budget: budget)
        return try writing([writer]) { () throws(QueryFault) in
            let plan = self.sorted(
                change.plan, Array(change.columns.dropFirst(2)), table.metadata, table.name)
            try self.execute(plan, columns: change.columns) { chunk throws(QueryFault) in
                try collector.append(chunk)
            }
            guard !collector.sortPositions() else {
                throw QueryFault(
                    .genericInternalError, "UPDATE gave a row twice",
                    hint: "please report this statement")
            }
            return try self.finish(
                change, table, collector, writer, "UPDATE", "write.update.isolation-level")
        }
    }

    func merge(_ change: BoundChange) throws(QueryFault) -> StatementOutcome {
        let table = try icebergTable(change.table)
        _ = try writable(table.name.catalog, schema: table.name.schema)
        // Rights of all its clauses, whether or not a row will need them: as in Trino, the answer must
        // not depend on what the tables hold.
        if change.kinds.contains(.insert) { try require(.tableInsert, on: table.name) }
        if change.kinds.contains(.update) { try require(.tableUpdate, on: table.name) }
        if change.kinds.contains(.delete) { try require(.tableDelete, on: table.name) }
        noteLineage(
            change.plan, Array(change.columns.dropFirst(4)), of: table.fields,
            named: change.kinds.contains(.insert) ? nil : Set(change.assigned),
            writing: table.name)
        let lineage: [RowLineage] = table.hasRowLineage ? [.rowID] : []
        let writer = try rowWriter(table.metadata, table.schema, of: table.name, lineage: lineage)
        let collector = ChangeCollector(
            .operations, writer: writer, valueCount: table.fields.count + lineage.count,
            budget: budget)
        return try writing([writer]) { () throws(QueryFault) in
            let plan = self.sorted(
                change.plan, Array(change.columns.dropFirst(4)), table.metadata, table.name)
            try self.execute(plan, columns: change.columns) { chunk throws(QueryFault) in
                try collector.append(chunk)
            }
            guard !collector.sortPositions() else {
                throw QueryFault(
                    .mergeTargetRowMultipleMatches,
                    "One MERGE target table row matched more than one source row",
                    hint: "make the source's rows unique by the ON condition")
            }
            return try self.finish(
                change, table, collector, writer, "MERGE", "write.merge.isolation-level")
        }
    }

    // MARK: The commit

    /// Writes what marks the rows as gone and commits it with the new files.
    private func finish(
        _ change: BoundChange, _ table: IcebergTable, _ collector: ChangeCollector,
        _ writer: RowWriter?, _ updateType: String, _ isolationKey: String
    ) throws(QueryFault) -> StatementOutcome {
        let outcome = StatementOutcome.done(updateType: updateType, count: collector.rowCount)
        if collector.rowCount == 0 { return outcome }
        var changes = FileChanges(addedData: try writer?.finish() ?? [])
        var others: [any FileWriter] = []
        if !collector.positions.isEmpty {
            let files = try LiveFiles(table, try manifests())
            let whole = try wholeFiles(collector.positions, files, table)
            let partial = collector.positions.filter { !whole.contains($0.key) }
            changes.removedPaths = whole
            if table.metadata.formatVersion >= 3 {
                if let vectors = try deletionVectors(partial, files, table) {
                    changes.addedDeletes = vectors.files
                    changes.replacedVectors = Set(partial.keys)
                    changes.removedPaths.formUnion(
                        files.positionDeletesOnly(for: Set(partial.keys)))
                    others.append(vectors)
                }
            } else if table.metadata.formatVersion == 2 {
                let deletes = try positionDeletes(partial, files, table)
                changes.addedDeletes = deletes.files
                others.append(deletes)
            } else if !partial.isEmpty {
                let rewritten = try rewrite(partial, table)
                changes.addedData += try rewritten.finish()
                changes.removedPaths.formUnion(partial.keys)
                others.append(rewritten)
            }
            changes.removedPaths.formUnion(files.deletesOnly(for: changes.removedPaths))
        }
        let operation: SnapshotOperation =
            if collector.positions.isEmpty {
                .append
            } else if changes.addedData.isEmpty {
                .delete
            } else {
                .overwrite
            }
        let checks = ConflictChecks(
            startingSnapshotID: table.snapshot?.snapshotID, predicate: concerned(change, table),
            isolation: table.metadata.properties[isolationKey] == "snapshot"
                ? .snapshot : .serializable,
            touchedPaths: Set(collector.positions.keys))
        let finished = changes
        return try writing(others) { () throws(QueryFault) in
            try self.commit(
                table, operation, finished, branch: change.branch, checks: checks,
                rows: collector.rowCount)
            return outcome
        }
    }

    /// Files all of whose rows go.
    private func wholeFiles(
        _ positions: [String: [Int64]], _ files: LiveFiles, _ table: IcebergTable
    ) throws(QueryFault) -> Set<String> {
        var whole: Set<String> = []
        for (path, deleted) in positions {
            guard let task = files.tasks[path] else {
                throw QueryFault(
                    .genericInternalError, "a row of a file that the table does not have: \(path)",
                    hint: "please report this statement")
            }
            var gone = Int64(deleted.count)
            let marked = task.positionDeletes.reduce(Int64(0)) { $0 &+ $1.recordCount }
            // The marks of a delete file may be about several files: count only where it may matter.
            if marked > 0, gone &+ marked >= task.file.recordCount {
                gone += try deletedCount(task, of: table)
            }
            if gone >= task.file.recordCount { whole.insert(path) }
        }
        return whole
    }

    /// How many rows of a file its delete files have marked.
    func deletedCount(
        _ task: FileScanTask, of table: IcebergTable
    ) throws(QueryFault) -> Int64 {
        guard !task.positionDeletes.isEmpty, let reading = catalogs.reading else { return 0 }
        try table.admit(task)
        let deletes = table.deletes(budget: budget)
        let positions = try reading.faults { try deletes.positions(of: task) }
        return Int64(DeletedPositions(positions).sorted.count)
    }

    private func positionDeletes(
        _ positions: [String: [Int64]], _ files: LiveFiles, _ table: IcebergTable
    ) throws(QueryFault) -> WrittenDeletes {
        guard let reading = catalogs.reading else {
            throw QueryFault(.notSupported, "this engine has no store to write to")
        }
        do throws(TableFileError) {
            let writer = try PositionDeleteWriter(
                store: reading.store, table: table.metadata, budget: budget,
                entropy: engine.entropy)
            for path in positions.keys.sorted() {
                guard let task = files.tasks[path] else { continue }
                writer.delete(positions[path] ?? [], in: task.file)
            }
            return WrittenDeletes(writer, try writer.finish())
        } catch { throw RowWriter.fault(error) }
    }

    /// Vectors of what goes and what went before; nil where nothing goes.
    private func deletionVectors(
        _ positions: [String: [Int64]], _ files: LiveFiles, _ table: IcebergTable
    ) throws(QueryFault) -> WrittenVectors? {
        if positions.isEmpty { return nil }
        guard let reading = catalogs.reading else {
            throw QueryFault(.notSupported, "this engine has no store to write to")
        }
        let older = table.deletes(budget: budget)
        let writer: DeletionVectorWriter
        do throws(TableFileError) {
            writer = try DeletionVectorWriter(
                store: reading.store, table: table.metadata, entropy: engine.entropy)
        } catch { throw RowWriter.fault(error) }
        for path in positions.keys.sorted() {
            guard let task = files.tasks[path] else { continue }
            try table.admit(task)
            let before = try reading.faults { try older.positions(of: task) }
            writer.delete(positions[path] ?? [], alreadyDeleted: before, in: task.file)
        }
        do throws(TableFileError) { return WrittenVectors(writer, try writer.finish()) } catch {
            throw RowWriter.fault(error)
        }
    }

    /// Copies the rows that stay of files into new ones: for format versions without position deletes.
    private func rewrite(
        _ positions: [String: [Int64]], _ table: IcebergTable
    ) throws(QueryFault) -> RowWriter {
        let source = try table.restricted(to: Set(positions.keys))
        let writer = try rowWriter(table.metadata, table.schema, of: table.name, isSorted: false)
        let filter = SurvivingRows(
            positions.mapValues { DeletedPositionSet($0) }, writer: writer,
            valueCount: table.fields.count)
        let (plan, columns) = scan(source, withPositions: true)
        _ = try writing([writer]) { () throws(QueryFault) in
            try self.execute(plan, columns: columns) { chunk throws(QueryFault) in
                try filter.append(chunk)
            }
            return .done(updateType: "", count: nil)
        }
        return writer
    }

    /// A scan of a table's visible columns, after `$path` and `$pos` where those are wanted, and before
    /// the rows' lineage where that is.
    func scan(
        _ table: IcebergTable, withPositions: Bool, withLineage: Bool = false
    ) -> (plan: LogicalPlan, columns: [ColumnID]) {
        var indices = Array(table.fields.indices)
        if withPositions {
            indices = [table.fields.count, table.fields.count + 1] + indices
        }
        if withLineage { indices += [table.fields.count + 2, table.fields.count + 3] }
        let columns = indices.enumerated().map { number, index in
            PlanColumn(
                id: ColumnID(Int32(number + 1)), type: table.columns[index].type,
                name: table.columns[index].name)
        }
        return (
            .scan(ScanNode(table: table, columns: columns, tableColumns: indices)),
            columns.map(\.id)
        )
    }

    // MARK: Whole files

    /// DELETE of whole files, which reads none; the number of rows, or nil where rows have to be looked at.
    private func deleteFiles(
        _ change: BoundChange, _ table: IcebergTable
    ) throws(QueryFault) -> Int64? {
        guard let (scan, conditions) = Self.onlyScan(change.plan),
            scan.table === table, scan.limit == nil,
            let predicate = ExactPredicate(scan, table).all(conditions)
        else { return nil }
        let source = try manifests()
        let tasks: [FileScanTask]
        do throws(IcebergError) {
            tasks = try TableScan(
                metadata: table.metadata, snapshot: table.snapshot, predicate: predicate
            ).plan(source).tasks
        } catch {
            throw EngineCatalogs.fault(error, about: "\(table.name)")
        }
        guard tasks.allSatisfy({ $0.allRowsMatch && $0.equalityDeletes.isEmpty }) else {
            return nil
        }
        if tasks.isEmpty { return 0 }
        var count: Int64 = 0
        for task in tasks { count += task.file.recordCount - (try deletedCount(task, of: table)) }
        let paths = Set(tasks.map(\.file.path))
        let files = try LiveFiles(table, source)
        let isSnapshot = table.metadata.properties["write.delete.isolation-level"] == "snapshot"
        try commit(
            table, .delete,
            FileChanges(removedPaths: paths.union(files.deletesOnly(for: paths))),
            branch: change.branch,
            checks: ConflictChecks(
                startingSnapshotID: table.snapshot?.snapshotID, predicate: predicate,
                isolation: isSnapshot ? .snapshot : .serializable, touchedPaths: paths),
            rows: count)
        return count
    }

    /// The scan and its conditions, where a plan is nothing else.
    private static func onlyScan(_ plan: LogicalPlan) -> (ScanNode, [BoundExpression])? {
        switch plan {
        case .project(let input, _): return onlyScan(input)
        case .filter(let input, let predicate):
            guard let (node, conditions) = onlyScan(input) else { return nil }
            return (node, conditions + predicate.conjuncts)
        case .scan(let node): return (node, node.filters)
        default: return nil
        }
    }

    /// Which rows of the table the statement's decision was about, as far as it can be said.
    private func concerned(_ change: BoundChange, _ table: IcebergTable) -> ScanPredicate {
        var found: [ScanPredicate] = []
        func visit(_ plan: LogicalPlan) {
            if case .scan(let node) = plan, node.table === table {
                found.append(ExactPredicate(node, table).implied(node.filters))
            }
            for child in plan.children { visit(child) }
        }
        visit(change.plan)
        // The statement may read its target again in a subquery.
        return found.isEmpty ? .always : found.count == 1 ? found[0] : .or(found)
    }
}

/// Position delete files that a commit did not take yet.
final class WrittenDeletes: FileWriter {
    let files: [DataFile]
    private let writer: PositionDeleteWriter

    init(_ writer: PositionDeleteWriter, _ files: [DataFile]) {
        self.writer = writer
        self.files = files
    }

    func abandon() { writer.abandon() }
}

/// A file of deletion vectors that a commit did not take yet.
final class WrittenVectors: FileWriter {
    let files: [DataFile]
    private let writer: DeletionVectorWriter

    init(_ writer: DeletionVectorWriter, _ files: [DataFile]) {
        self.writer = writer
        self.files = files
    }

    func abandon() { writer.abandon() }
}

/// Positions in order, to be asked.
struct DeletedPositionSet {
    private let sorted: [Int64]

    /// The positions have to be in order.
    init(_ sorted: [Int64]) { self.sorted = sorted }

    func contains(_ position: Int64) -> Bool {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low] == position
    }
}

/// Hands the rows on that are not among deleted positions. Chunks have `$path`, `$pos`, the values.
final class SurvivingRows: @unchecked Sendable {
    // Safe because the engine hands over one chunk at a time, under a lock.
    private let deleted: [String: DeletedPositionSet]
    private let writer: RowWriter
    private let values: Chunk
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(_ deleted: [String: DeletedPositionSet], writer: RowWriter, valueCount: Int) {
        self.deleted = deleted
        self.writer = writer
        values = Chunk(columnCount: valueCount)
    }

    deinit { selection.deallocate() }

    func append(_ chunk: Chunk) throws(QueryFault) {
        var kept = 0
        for index in 0..<chunk.activeCount {
            let row = chunk.row(index)
            let path = chunk.columns[0].string(row).string
            let position = chunk.columns[1].value(row, as: Int64.self)
            if deleted[path]?.contains(position) ?? false { continue }
            selection[kept] = UInt32(truncatingIfNeeded: row)
            kept += 1
        }
        if kept == 0 { return }
        for column in 0..<values.columnCount { values.columns[column] = chunk.columns[column + 2] }
        values.count = chunk.count
        values.selection = selection
        values.selectedCount = kept
        try writer.append(values)
    }
}
