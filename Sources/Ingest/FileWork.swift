import Iceberg
import ObjectStorage
import Parquet
import Platform
import TableCatalog
import TableFiles
import Vectors

/// An object that is, or was, a source of rows.
struct SourceFile {
    let location: ObjectLocation
    /// nil: it is not there any more.
    let reader: (any ObjectReader)?
    let format: String?
    /// Of a workbook; nil: the first.
    let sheet: String?

    init(
        _ location: ObjectLocation, _ reader: (any ObjectReader)?, _ format: String?,
        _ sheet: String?
    ) {
        self.sheet = sheet
        self.location = location
        self.reader = reader
        self.format = format
    }
}

/// Brings files into a table one by one, each with a commit of its own: its rows take the place of those
/// that came from it before.
struct FileWork {
    private let work: IngestWork
    private let files: [SourceFile]

    /// Bytes above which a file is remarked upon.
    static let largeBytes: Int64 = 100 << 20

    init(_ work: IngestWork, _ files: [SourceFile]) {
        self.work = work
        self.files = files
    }

    func run() throws -> IngestReport {
        var total = IngestReport(target: work.request.target)
        total.isLook = work.request.mode == .validate
        for file in files {
            let report = try work.request.mode == .validate ? validate(file) : noted(file)
            total.rowsRead += report.rowsRead
            total.rowsInserted += report.rowsInserted
            total.rowsDeleted += report.rowsDeleted
            total.filesAdded += report.filesAdded
            total.createdTable = total.createdTable || report.createdTable
            total.changedColumns += report.changedColumns
            total.snapshotID = report.snapshotID ?? total.snapshotID
            if files.count == 1 { total.wasDone = report.wasDone }
        }
        return total
    }

    // MARK: Looking

    private func open(_ file: SourceFile) throws -> any RowSource {
        guard let reader = file.reader else {
            throw IngestError(
                .sourceUnavailable, "the object is not there any more: \(file.location)")
        }
        if reader.description.sizeBytes > Self.largeBytes {
            work.log("\(file.location) has \(reader.description.sizeBytes >> 20) MiB")
        }
        let source = try ObjectSource.openLoose(
            reader, format: file.format, sheet: file.sheet, budget: work.ingestor.budget,
            log: work.log)
        for remark in source.remarks { work.log("\(file.location): \(remark)") }
        try RequiredColumns.check(work.request.requires, in: source)
        return source
    }

    private func validate(_ file: SourceFile) throws -> IngestReport {
        let source = try open(file)
        let columns = source.columns.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
        work.log("\(source.name): \(columns)")
        var report = IngestReport(target: work.request.target)
        try source.read(
            as: source.columns.map(\.type), budget: work.ingestor.budget
        ) { report.rowsRead += $0.activeCount }
        work.log("\(source.name): \(report.rowsRead) rows")
        return report
    }

    // MARK: Replacing

    /// Replaces, and notes what became of the file.
    private func noted(_ file: SourceFile) throws -> IngestReport {
        let report: IngestReport
        do { report = try replace(file) } catch {
            if let reader = file.reader {
                work.note(reader, .failed, rows: nil, IngestWork.words(error))
            }
            throw error
        }
        if let reader = file.reader {
            if report.snapshotID == nil || report.wasDone, work.isNoted(reader) { return report }
            work.note(reader, .loaded, rows: report.wasDone ? nil : Int64(report.rowsRead))
        } else {
            work.note(
                file.location, etag: "", sizeBytes: 0, .removed, rows: 0)
        }
        return report
    }

    /// Replaces, again from the start when a commit of somebody else is in the way.
    private func replace(_ file: SourceFile) throws -> IngestReport {
        var attempt = 1
        while true {
            do {
                return try replaceOnce(file)
            } catch let done as IngestWork.DoneAlready {
                return Ingestor.wasDone(work.request.target, done.snapshot, work.identity)
            } catch let error as IcebergError where error.code == .conflict {
                guard attempt < IngestLimits.mergeAttempts else {
                    throw IngestError(
                        .conflict,
                        "\(work.request.target) changed \(attempt) times meanwhile",
                        hint: "try again when fewer write to the table", cause: error)
                }
                attempt += 1
            }
        }
    }

    private func replaceOnce(_ file: SourceFile) throws -> IngestReport {
        var report = IngestReport(target: work.request.target)
        let name = "\(file.location)"
        let present = try work.table.load()
        let old = try present.map { try find(name, in: $0) } ?? FoundRows()
        guard let reader = file.reader else {
            guard work.request.onDelete == .remove || work.request.deleteMissing else {
                throw IngestError(
                    .sourceUnavailable, "the object is not there any more: \(name)",
                    hint: "its rows go with it under on_delete: remove")
            }
            guard let present, !old.tasks.isEmpty else { return report }
            work.log("\(name) is gone, and its \(old.count) rows with it")
            return try commit(nil, [], old, name, present, &report)
        }
        let etag = reader.description.etag
        if !old.tasks.isEmpty, old.etags == [etag] {
            work.log("\(name) is loaded already (\(etag))")
            report.rowsRead = old.count
            return report
        }
        let source = try AuditedSource(
            open(file), file: name, etag: etag,
            atMicroseconds: SystemWallClock().now().microseconds, budget: work.ingestor.budget)
        var metadata = try work.prepare(source, &report)
        let plan = try TypeFitting.plan(source, into: metadata.currentSchema, widens: true)
        metadata = try work.evolve(metadata, plan, &report)
        return try commit(source, plan.readTypes, old, name, metadata, &report)
    }

    private func commit(
        _ source: AuditedSource?, _ types: [LogicalType], _ old: FoundRows, _ name: String,
        _ metadata: TableMetadata, _ report: inout IngestReport
    ) throws -> IngestReport {
        let output = try MergeOutput(work, metadata)
        do {
            if let source { try work.read(source, types, into: output.data, metadata) }
            report.rowsRead = output.data.rowCount
            report.rowsInserted = output.data.rowCount
            report.rowsDeleted = old.count
            for (task, positions) in old.tasks { try output.remove(positions, of: task) }
            let changes = try output.finish()
            report.filesAdded = changes.addedData.count
            guard report.rowsInserted + report.rowsDeleted > 0 else {
                try work.makeEmpty()
                return report
            }
            let isAppend = changes.addedDeletes.isEmpty && changes.removedPaths.isEmpty
            report.snapshotID = try work.commit(
                isAppend ? .append : .overwrite,
                summary: [
                    IngestSummary.source: name,
                    IngestSummary.sourceVersion: "\(name)#\(source?.version ?? "removed")",
                ],
                checks: ConflictChecks(
                    startingSnapshotID: metadata.currentSnapshotID,
                    predicate: Self.predicate(name, metadata.currentSchema),
                    touchedPaths: Set(old.tasks.map(\.task.file.path))),
                part: files.count > 1 ? name : nil
            ) { _ in changes }
        } catch {
            output.abandon()
            throw error
        }
        work.log(report.sentence)
        return report
    }

    // MARK: What came from the file

    private struct FoundRows {
        var tasks: [(task: FileScanTask, positions: [Int64])] = []
        var etags: Set<String> = []
        var count: Int { tasks.reduce(0) { $0 + $1.positions.count } }
    }

    /// The names of all files that rows of the table came from, in order.
    static func loadedFiles(_ work: IngestWork) throws -> [String] {
        guard let metadata = try work.table.load(), let snapshot = metadata.currentSnapshot,
            let fileField = field(AuditedSource.fileColumn, metadata.currentSchema)
        else { return [] }
        let scan = TableScan(metadata: metadata, snapshot: snapshot, predicate: .always)
        let reader = DataFileReader(
            metadata, store: work.ingestor.store, budget: work.ingestor.budget)
        var names: Set<String> = []
        for task in try work.tasks(of: scan) {
            try reader.read(task, fields: [fileField]) { chunk in
                try work.checkCancellation()
                for index in 0..<chunk.activeCount {
                    guard
                        case .bytes(let name)? = IcebergTypes.value(
                            chunk.columns[0], chunk.row(index))
                    else { continue }
                    names.insert(String(decoding: name, as: UTF8.self))
                }
            }
        }
        return names.sorted()
    }

    private static func field(_ name: String, _ schema: Schema) -> NestedField? {
        schema.fields.first { $0.name.lowercased() == name && $0.type.primitive == .string }
    }

    private static func predicate(_ file: String, _ schema: Schema) -> ScanPredicate {
        guard let field = field(AuditedSource.fileColumn, schema) else { return .always }
        return .compare(field.id, .equal, .string(file))
    }

    /// The rows that came from a file, and the tags that it had.
    private func find(_ file: String, in metadata: TableMetadata) throws -> FoundRows {
        var found = FoundRows()
        let schema = metadata.currentSchema
        guard let snapshot = metadata.currentSnapshot,
            let fileField = Self.field(AuditedSource.fileColumn, schema),
            let tagField = Self.field(AuditedSource.tagColumn, schema)
        else { return found }
        let scan = TableScan(
            metadata: metadata, snapshot: snapshot, predicate: Self.predicate(file, schema))
        let reader = DataFileReader(
            metadata, store: work.ingestor.store, budget: work.ingestor.budget)
        let wanted = ParquetValue.bytes(Array(file.utf8))
        for task in try work.tasks(of: scan) {
            var positions: [Int64] = []
            try reader.read(task, fields: [fileField, tagField], withPositions: true) { chunk in
                try work.checkCancellation()
                for index in 0..<chunk.activeCount {
                    let row = chunk.row(index)
                    guard IcebergTypes.value(chunk.columns[0], row) == wanted else { continue }
                    if case .bytes(let tag)? = IcebergTypes.value(chunk.columns[1], row) {
                        found.etags.insert(String(decoding: tag, as: UTF8.self))
                    } else {
                        found.etags.insert("")
                    }
                    positions.append(chunk.columns[2].value(row, as: Int64.self))
                }
            }
            if !positions.isEmpty { found.tasks.append((task, positions)) }
        }
        return found
    }
}

/// Columns that a file has to have.
enum RequiredColumns {
    /// The types that can be required; each takes the narrower ones too.
    static let names = [
        "boolean", "bigint", "decimal", "double", "date", "timestamp", "varchar",
    ]

    static func isKnown(_ type: String) -> Bool { names.contains(type.lowercased()) }

    static func check(_ required: [String: String], in source: any RowSource) throws(IngestError) {
        for (name, type) in required.sorted(by: { $0.key < $1.key }) {
            guard let column = source.columns.first(where: { $0.name == name.lowercased() }) else {
                throw IngestError(
                    .incompatibleType, "\(source.name) has no column \(name)",
                    hint: "it has \(source.columns.map(\.name).joined(separator: ", "))")
            }
            guard fits(column.type, type.lowercased()) else {
                throw IngestError(
                    .incompatibleType,
                    "column \(name) of \(source.name) is \(column.type), not \(type)")
            }
        }
    }

    private static func fits(_ type: LogicalType, _ wanted: String) -> Bool {
        switch (type, wanted) {
        case (_, "varchar"), (.boolean, "boolean"), (.date, "date"), (.date, "timestamp"),
            (.timestamp, "timestamp"):
            true
        case (.tinyint, "bigint"), (.smallint, "bigint"), (.integer, "bigint"), (.bigint, "bigint"):
            true
        case (.decimal, "decimal"), (.decimal, "double"), (.real, "double"), (.double, "double"):
            true
        case (.integer, "decimal"), (.bigint, "decimal"), (.integer, "double"), (.bigint, "double"):
            true
        default: false
        }
    }
}
