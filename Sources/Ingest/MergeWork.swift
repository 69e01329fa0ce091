import Iceberg
import Parquet
import SQLite
import TableCatalog
import TableFiles
import Vectors

/// A row's key as values.
private enum RowKey: Hashable {
    case one(ParquetValue)
    case several([ParquetValue])
}

/// What becomes of a key of the source.
private struct ChangedRow {
    /// The value of the incremental column; nil: there is none, or NULL.
    var stamp: ParquetValue?
    var fate = Fate.inserted

    enum Fate { case inserted, updated, unchanged }
}

/// Merges the changed rows of a database's table.
struct MergeWork {
    private let work: IngestWork
    private let file: SQLiteFile
    private let sourceTable: String

    init(_ work: IngestWork, _ file: SQLiteFile, _ sourceTable: String) {
        self.work = work
        self.file = file
        self.sourceTable = sourceTable
    }

    /// Merges, again from the start when a commit of somebody else is in the way.
    func run() throws -> IngestReport {
        var attempt = 1
        while true {
            do {
                return try merge()
            } catch let done as IngestWork.DoneAlready {
                return Ingestor.wasDone(work.request.target, done.snapshot, work.identity)
            } catch let error as IcebergError where error.code == .conflict {
                guard attempt < IngestLimits.mergeAttempts else {
                    throw IngestError(
                        .conflict,
                        "\(work.request.target) changed \(attempt) times during the merge",
                        hint: "try again when fewer write to the table", cause: error)
                }
                attempt += 1
            }
        }
    }

    private func merge() throws -> IngestReport {
        let request = work.request
        var report = IngestReport(target: request.target)
        let whole = try SQLiteSource(file, table: sourceTable)
        var metadata = try work.prepare(whole, &report)
        let plan = try TypeFitting.plan(whole, into: metadata.currentSchema, widens: true)
        metadata = try work.evolve(metadata, plan, &report)

        let columns = try MergeColumns(request, whole, plan, metadata.currentSchema)
        let since = Watermarks(of: metadata)
        // What is missing at the source is known only when all of its keys are.
        let filter = request.deleteMissing ? Filter() : try changedFilter(since)
        var changed = try readKeys(filter, columns)
        var removed = try readDeletions(since, columns, changed)
        report.rowsRead = changed.count

        var missing = 0
        let found = try find(&changed, &removed, &missing, columns, metadata)
        for row in changed.values {
            switch row.fate {
            case .inserted: report.rowsInserted += 1
            case .updated: report.rowsUpdated += 1
            case .unchanged: break
            }
        }
        report.rowsDeleted = removed.values.count { $0 } + missing
        guard report.rowsInserted + report.rowsUpdated + report.rowsDeleted > 0 else {
            // Every row was compared: the marks from before the reset are right again.
            try work.makeEmpty()
            if since.isReset { try work.table.remove(metadata, [IngestSummary.reset]) }
            work.log(report.sentence)
            return report
        }
        let marks = try since.next(file, request, sourceTable)
        let output = try MergeOutput(work, metadata)
        do {
            let rows = try SQLiteSource(
                file, table: sourceTable, condition: filter.condition, values: filter.values)
            let chosen = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
            defer { chosen.deallocate() }
            try work.read(rows, plan.readTypes, into: output.data, metadata) { chunk in
                var count = 0
                for row in 0..<chunk.count {
                    guard let key = columns.key(chunk, row, at: columns.sourcePlaces) else {
                        continue
                    }
                    if changed[key]?.fate == .unchanged { continue }
                    chosen[count] = UInt32(truncatingIfNeeded: row)
                    count += 1
                }
                chunk.selection = chosen
                chunk.selectedCount = count
                return count > 0
            }
            for (task, positions) in found { try output.remove(positions, of: task) }
            let changes = try output.finish()
            report.filesAdded = changes.addedData.count
            let checks = ConflictChecks(
                startingSnapshotID: metadata.currentSnapshotID,
                predicate: predicate(changed, removed, columns),
                touchedPaths: Set(found.map(\.task.file.path)))
            let isAppend = changes.addedDeletes.isEmpty && changes.removedPaths.isEmpty
            report.snapshotID = try work.commit(
                isAppend ? .append : .overwrite, summary: marks,
                checks: checks
            ) { _ in changes }
        } catch {
            output.abandon()
            throw error
        }
        work.log(report.sentence)
        return report
    }

    // MARK: The source

    private struct Filter {
        var condition: String?
        var values: [any SQLiteBindable] = []
    }

    private func changedFilter(_ since: Watermarks) throws -> Filter {
        guard let incremental = work.request.incremental else { return Filter() }
        let present = try file.columns(of: sourceTable)
        let column = try SQLiteSource.column(incremental, in: present, of: sourceTable)
        guard let mark = since.rows else { return Filter() }
        return Filter(condition: "\(SQLiteFile.quoted(column.name)) >= ?", values: [mark])
    }

    private func readKeys(
        _ filter: Filter, _ columns: MergeColumns
    ) throws -> [RowKey: ChangedRow] {
        let names = work.request.key + [work.request.incremental].compactMap { $0 }
        let source = try SQLiteSource(
            file, table: sourceTable, only: names, condition: filter.condition,
            values: filter.values)
        var changed: [RowKey: ChangedRow] = [:]
        let types = columns.keyTypes + [columns.stampType].compactMap { $0 }
        let places = Array(columns.keyTypes.indices)
        try source.read(as: types, budget: work.ingestor.budget) { chunk in
            try work.checkCancellation()
            for row in 0..<chunk.count {
                guard let key = columns.key(chunk, row, at: places) else {
                    throw IngestError(
                        .keyNotUnique, "a row of \(source.name) has NULL in its key",
                        hint: "mend the row, or choose another key")
                }
                let stamp = columns.stampType.flatMap { _ in
                    IcebergTypes.value(chunk.columns[places.count], row)
                }
                guard changed.updateValue(ChangedRow(stamp: stamp), forKey: key) == nil else {
                    throw IngestError(
                        .keyNotUnique, "two rows of \(source.name) have the same key: \(key)",
                        hint: "choose a key that tells all rows apart")
                }
            }
            guard changed.count <= IngestLimits.mergedRows else {
                throw IngestError(
                    .limitExceeded, "a merge changes at most \(IngestLimits.mergedRows) rows",
                    hint: "use mode: replace")
            }
        }
        return changed
    }

    /// Keys that were removed at the source and are not back; false until they are found in the table.
    private func readDeletions(
        _ since: Watermarks, _ columns: MergeColumns, _ changed: [RowKey: ChangedRow]
    ) throws -> [RowKey: Bool] {
        guard let deletions = work.request.deletions else { return [:] }
        let present = try file.columns(of: deletions.table)
        let keys = try deletions.key.map {
            try SQLiteSource.column($0, in: present, of: deletions.table).name
        }
        let source = try file.columns(of: sourceTable)
        let own = try work.request.key.map {
            try SQLiteSource.column($0, in: source, of: sourceTable).name
        }
        let removed = SQLiteFile.quoted(deletions.table)
        let table = SQLiteFile.quoted(sourceTable)
        let same = zip(own, keys).map {
            "\(table).\(SQLiteFile.quoted($0)) = \(removed).\(SQLiteFile.quoted($1))"
        }
        // A key may have come back since, with a change that was merged long ago.
        var condition =
            "NOT EXISTS (SELECT 1 FROM \(table) WHERE \(same.joined(separator: " AND ")))"
        var values: [any SQLiteBindable] = []
        if let incremental = deletions.incremental, let mark = since.deletions {
            let column = try SQLiteSource.column(incremental, in: present, of: deletions.table)
            condition += " AND \(SQLiteFile.quoted(column.name)) >= ?"
            values.append(mark)
        }
        let rows = try SQLiteSource(
            file, table: deletions.table, only: deletions.key, condition: condition, values: values)
        var result: [RowKey: Bool] = [:]
        let places = Array(columns.keyTypes.indices)
        try rows.read(as: columns.keyTypes, budget: work.ingestor.budget) { chunk in
            for row in 0..<chunk.count {
                if let key = columns.key(chunk, row, at: places), changed[key] == nil {
                    result[key] = false
                }
            }
        }
        return result
    }

    // MARK: The table

    /// What files with rows that the merge concerns must satisfy.
    private func predicate(
        _ changed: [RowKey: ChangedRow], _ removed: [RowKey: Bool], _ columns: MergeColumns
    ) -> ScanPredicate {
        work.request.deleteMissing
            ? .always : columns.range(Array(changed.keys) + Array(removed.keys))
    }

    /// Finds the rows that the changes concern; tells each key's fate, and the positions to remove.
    private func find(
        _ changed: inout [RowKey: ChangedRow], _ removed: inout [RowKey: Bool],
        _ missing: inout Int, _ columns: MergeColumns, _ metadata: TableMetadata
    ) throws -> [(task: FileScanTask, positions: [Int64])] {
        let deletesMissing = work.request.deleteMissing
        guard let snapshot = metadata.currentSnapshot,
            deletesMissing || !changed.isEmpty || !removed.isEmpty
        else { return [] }
        let scan = TableScan(
            metadata: metadata, snapshot: snapshot,
            predicate: predicate(changed, removed, columns))
        let reader = DataFileReader(
            metadata, store: work.ingestor.store, budget: work.ingestor.budget)
        var found: [(task: FileScanTask, positions: [Int64])] = []
        let fields = columns.keyFields + [columns.stampField].compactMap { $0 }
        let places = Array(columns.keyFields.indices)
        for task in try work.tasks(of: scan) {
            var positions: [Int64] = []
            try reader.read(task, fields: fields, withPositions: true) { chunk in
                try work.checkCancellation()
                for index in 0..<chunk.activeCount {
                    let row = chunk.row(index)
                    guard let key = columns.key(chunk, row, at: places) else { continue }
                    if let place = changed.index(forKey: key) {
                        let stamp = columns.stampField.flatMap { _ in
                            IcebergTypes.value(chunk.columns[places.count], row)
                        }
                        if let stamp, changed.values[place].stamp == stamp {
                            changed.values[place].fate = .unchanged
                            continue
                        }
                        changed.values[place].fate = .updated
                    } else if removed[key] != nil {
                        removed[key] = true
                    } else if deletesMissing {
                        missing += 1
                    } else {
                        continue
                    }
                    positions.append(chunk.columns[fields.count].value(row, as: Int64.self))
                }
            }
            if !positions.isEmpty { found.append((task, positions)) }
        }
        return found
    }
}

/// Where key and incremental column are, and how they are read.
private struct MergeColumns {
    let keyFields: [NestedField]
    let keyTypes: [LogicalType]
    let stampField: NestedField?
    let stampType: LogicalType?
    /// The key's columns among all of the source's.
    let sourcePlaces: [Int]

    init(
        _ request: IngestRequest, _ source: SQLiteSource, _ plan: ColumnPlan, _ schema: Schema
    ) throws {
        func place(_ name: String) throws -> Int {
            let column = try SQLiteSource.column(name, in: source.columns, of: source.name)
            return source.columns.firstIndex { $0.name == column.name } ?? 0
        }
        func field(_ place: Int) throws -> NestedField {
            let name = source.columns[place].name
            guard let field = schema.fields.first(where: { $0.name.lowercased() == name }) else {
                throw IngestError(.invalidOptions, "the table has no column \(name)", option: "key")
            }
            return field
        }
        sourcePlaces = try request.key.map(place)
        keyFields = try sourcePlaces.map(field)
        keyTypes = sourcePlaces.map { plan.readTypes[$0] }
        let stamp = try request.incremental.map(place)
        stampField = try stamp.map(field)
        stampType = stamp.map { plan.readTypes[$0] }
    }

    /// A row's key; nil when a part of it is NULL.
    func key(_ chunk: Chunk, _ row: Int, at places: [Int]) -> RowKey? {
        if places.count == 1 {
            return IcebergTypes.value(chunk.columns[places[0]], row).map { .one($0) }
        }
        var parts: [ParquetValue] = []
        for place in places {
            guard let part = IcebergTypes.value(chunk.columns[place], row) else { return nil }
            parts.append(part)
        }
        return .several(parts)
    }

    /// What files with one of the keys must satisfy: their first column's range.
    func range(_ keys: [RowKey]) -> ScanPredicate {
        guard let field = keyFields.first, let type = field.type.primitive else { return .always }
        var low: Literal?
        var high: Literal?
        for key in keys {
            let part: ParquetValue? =
                switch key {
                case .one(let value): value
                case .several(let values): values.first
                }
            guard let literal = part.flatMap({ IcebergTypes.literal($0, type) }) else {
                return .always
            }
            if low.map({ (literal.order(to: $0) ?? -1) < 0 }) ?? true { low = literal }
            if high.map({ (literal.order(to: $0) ?? 1) > 0 }) ?? true { high = literal }
        }
        guard let low, let high else { return .never }
        return .and([
            .compare(field.id, .greaterOrEqual, low), .compare(field.id, .lessOrEqual, high),
        ])
    }
}
