import Authority
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import TableFiles
import Vectors

/// Statements that change rows: files are written first, then one commit puts them into the table.
///
///     plan ─▶ chunks ─▶ RowWriter ─▶ data files ─┐
///                   └▶ ChangeCollector ─▶ deletes ─┴▶ catalog commit (again when others were faster)
///
/// Files of a statement that fails are deleted; a commit that loses a race is rebased, unless another
/// changed what this one relied on: then it is TRANSACTION_CONFLICT.
enum DataStatements {
    static func execute(
        _ bound: BoundStatement, in run: StatementRun
    ) throws(QueryFault) -> StatementOutcome {
        if let outcome = try run.committedBefore(bound) { return outcome }
        switch bound {
        case .createTableAs(let create, let query): return try run.createTableAs(create, query)
        case .insert(let insert): return try run.insert(insert)
        case .delete(let change): return try run.delete(change)
        case .update(let change): return try run.update(change)
        case .merge(let change): return try run.merge(change)
        case .query, .utility:
            throw QueryFault(
                .genericInternalError, "a statement that changes no rows came to the writers",
                hint: "please report this statement")
        }
    }
}

extension StatementRun {
    /// INSERT: appends files.
    func insert(_ insert: BoundInsert) throws(QueryFault) -> StatementOutcome {
        let table = try icebergTable(insert.table)
        _ = try writable(table.name.catalog, schema: table.name.schema)
        try require(.tableInsert, on: table.name)
        noteLineage(
            insert.plan, insert.columns, of: table.schema.fields, named: Set(insert.named),
            writing: table.name)
        let writer = try rowWriter(table.metadata, table.schema, of: table.name)
        return try writing([writer]) { () throws(QueryFault) in
            try self.execute(
                self.sorted(insert.plan, insert.columns, table.metadata, table.name),
                columns: insert.columns
            ) { chunk throws(QueryFault) in try writer.append(chunk) }
            let files = try writer.finish()
            if !files.isEmpty {
                try self.commit(
                    table, .append, FileChanges(addedData: files), branch: insert.branch,
                    rows: writer.rowCount)
            }
            return .done(updateType: "INSERT", count: writer.rowCount)
        }
    }

    /// TRUNCATE TABLE: takes every file out, without reading any.
    func truncateTable(_ name: QualifiedName) throws(QueryFault) -> StatementOutcome {
        let outcome = StatementOutcome.done(updateType: "TRUNCATE TABLE", count: nil)
        let tableName = try self.tableName(name)
        _ = try writable(tableName.catalog, schema: tableName.schema, name)
        guard let table = try table(tableName, name) else { return outcome }
        try require(.tableDelete, on: tableName)
        let files = try LiveFiles(table, try manifests())
        if files.tasks.isEmpty { return outcome }
        let paths = Set(files.tasks.keys)
        try commit(
            table, .delete,
            FileChanges(removedPaths: paths.union(files.deletesOnly(for: paths))), branch: nil,
            checks: ConflictChecks(
                startingSnapshotID: table.snapshot?.snapshotID, touchedPaths: paths))
        return outcome
    }

    // MARK: Steps of all writers

    /// The table as one that can be written.
    func icebergTable(_ table: any PlannedTable) throws(QueryFault) -> IcebergTable {
        guard let table = table as? IcebergTable else {
            throw QueryFault(.notSupported, "Table '\(table.name)' cannot be written")
        }
        return table
    }

    func manifests() throws(QueryFault) -> ManifestSource { try catalog().manifests }

    /// What takes rows for a table; they come out of a plan that `sorted` gave, unless said otherwise.
    /// `lineage`: what rows bring beside the schema's columns.
    func rowWriter(
        _ metadata: TableMetadata, _ schema: Schema, of name: TableName, isSorted: Bool = true,
        lineage: [RowLineage] = []
    ) throws(QueryFault) -> RowWriter {
        guard let reading = catalogs.reading else {
            throw QueryFault(.notSupported, "this engine has no store to write to")
        }
        let hasOrder = RowWriter.sortKeys(metadata, schema.fields.map { ColumnID($0.id) }) != nil
        return try RowWriter(
            store: reading.store, metadata: metadata, schema: schema, lineage: lineage,
            overrides: writeOverrides(name), isSorted: isSorted && hasOrder && writesSorted(name),
            budget: budget, entropy: engine.entropy)
    }

    /// Session properties that change how files are written, as properties of the table.
    private func writeOverrides(_ name: TableName) -> [String: String] {
        let session = query.session.properties
        var overrides: [String: String] = [:]
        if let codec = session["\(name.catalog).compression_codec"]?.lowercased() {
            overrides["write.parquet.compression-codec"] = codec == "none" ? "uncompressed" : codec
        }
        if let text = session["\(name.catalog).target_max_file_size"],
            let bytes = try? TableProperties.bytes(text)
        {
            overrides["write.target-file-size-bytes"] = String(bytes)
        }
        return overrides
    }

    /// The plan with its rows in the table's sort order, where it has one.
    func sorted(
        _ plan: LogicalPlan, _ columns: [ColumnID], _ metadata: TableMetadata, _ name: TableName
    ) -> LogicalPlan {
        guard writesSorted(name), let keys = RowWriter.sortKeys(metadata, columns) else {
            return plan
        }
        return .sort(plan, keys)
    }

    func writesSorted(_ name: TableName) -> Bool {
        query.session.properties["\(name.catalog).sorted_writing_enabled"] != "false"
    }

    /// Runs a writer's work and deletes its files when it fails.
    ///
    /// After a failure of the store or of ourselves during the commit nobody knows whether it happened:
    /// then files stay, since a file too many is harmless and one too few is lost data.
    func writing(
        _ writers: [any FileWriter],
        _ body: () throws(QueryFault) -> StatementOutcome
    ) throws(QueryFault) -> StatementOutcome {
        do throws(QueryFault) { return try body() } catch {
            if error.code != .genericInternalError, error.code != .externalSourceError {
                for writer in writers { writer.abandon() }
            }
            throw error
        }
    }

    /// Puts files into the table, again on its new state when others were faster. `rows` is what the
    /// statement answers.
    func commit(
        _ table: IcebergTable, _ operation: SnapshotOperation, _ changes: FileChanges,
        branch: String?, checks: ConflictChecks? = nil, rows: Int64? = nil
    ) throws(QueryFault) {
        guard !context.cancellation.isCancelled else {
            throw QueryFault(.userCanceled, "Query was canceled")
        }
        let catalog = try self.catalog()
        let branch = branch ?? "main"
        let summary = commitSummary(rows: rows)
        try changing("\(table.name)") {
            _ = try catalog.commitWithRetry(context, table.reference, table.identifier) {
                metadata in
                try table.metadata.requireSameTable(metadata, schema: table.schema)
                try checks?.check(against: metadata, branch: branch, source: catalog.manifests)
                return try catalog.snapshotProducer().produce(
                    operation, changes, on: metadata, branch: branch, summary: summary)
            }
        }
    }
}

extension TableMetadata {
    /// Throws `.conflict` unless `now` is the same table, in which files of `schema` still make sense.
    func requireSameTable(_ now: TableMetadata, schema: Schema) throws(IcebergError) {
        let isSame = now.tableUUID == tableUUID
        let missing = schema.fields.first { now.currentSchema.field(id: $0.id) == nil }
        guard isSame, missing == nil else {
            throw IcebergError(
                code: .conflict,
                message: isSame
                    ? "the column \(missing?.name ?? "") was dropped meanwhile"
                    : "the table was dropped and made again meanwhile",
                hint: "repeat the statement on the table's present state")
        }
    }
}

/// The data files of a table's snapshot, and which delete files each has.
struct LiveFiles {
    private(set) var tasks: [String: FileScanTask] = [:]
    /// By delete file: the data files that it is about.
    private var targets: [String: Set<String>] = [:]

    init(_ table: IcebergTable, _ source: ManifestSource) throws(QueryFault) {
        do throws(IcebergError) {
            let plan = try TableScan(metadata: table.metadata, snapshot: table.snapshot)
                .plan(source)
            for task in plan.tasks {
                tasks[task.file.path] = task
                // A vector goes with its data file by itself.
                for delete in task.positionDeletes + task.equalityDeletes
                where !delete.isDeletionVector {
                    targets[delete.path, default: []].insert(task.file.path)
                }
            }
        } catch { throw EngineCatalogs.fault(error, about: "\(table.name)") }
    }

    /// Position delete files that are about these data files only, and no vectors: what a vector of each
    /// of them takes the place of.
    func positionDeletesOnly(for paths: Set<String>) -> Set<String> {
        var files: Set<String> = []
        for path in paths {
            for delete in tasks[path]?.positionDeletes ?? []
            where !delete.isDeletionVector && delete.referencedDataFile == path {
                files.insert(delete.path)
            }
        }
        return files
    }

    /// Delete files that nothing needs once these data files are gone.
    func deletesOnly(for paths: Set<String>) -> Set<String> {
        Set(targets.filter { $0.value.isSubset(of: paths) }.keys)
    }
}
