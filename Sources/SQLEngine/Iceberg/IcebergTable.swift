import Authority
import Iceberg
import ObjectStorage
import Parquet
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableCatalog
import Synchronization
import TableFiles
import Vectors

/// What Iceberg tables are read with; shared by all of them.
struct IcebergReading: Sendable {
    let store: any ObjectStore
    var manifests: ManifestSource
    let files: ParquetFileCache
    /// Row filters and masks; nil: there are none.
    var governance: (any TableGovernance)?
    /// Keeps the files of the table that is read from being deleted by maintenance.
    var pin: TablePin?
    /// Throws for a file that the reader may not have; nil: every file of the table may be read.
    var check: (@Sendable (ObjectLocation) throws(QueryFault) -> Void)?
    /// Whether what is refused depends on policies, which may change while the table does not.
    var isGoverned = false
}

/// An Iceberg table at one snapshot.
final class IcebergTable: ExecutableTable {
    let name: TableName
    let reference: CatalogReference
    let identifier: TableIdentifier
    /// The metadata file that says all this; empty for a table that only takes part in a rewrite.
    let metadataLocation: String
    let metadata: TableMetadata
    let snapshot: Snapshot?
    let schema: Schema
    /// The visible columns, then `$path`, `$pos`, and from version 3 on `$row_id` and
    /// `$last_updated_sequence_number`.
    let columns: [TableColumn]
    let fields: [NestedField]
    private let reading: IcebergReading
    /// The data files that scans read; nil: all of the snapshot.
    private let onlyPaths: Set<String>?
    /// The statistics, once they were asked for: the planner asks often.
    private let knownStatistics = Mutex<TableStatistics??>(nil)

    init(
        name: TableName, reference: CatalogReference, identifier: TableIdentifier,
        metadata: TableMetadata, snapshot: Snapshot?, schema: Schema, reading: IcebergReading,
        onlyPaths: Set<String>? = nil, metadataLocation: String = ""
    ) throws(QueryFault) {
        self.name = name
        self.reference = reference
        self.identifier = identifier
        self.metadataLocation = metadataLocation
        self.metadata = metadata
        self.snapshot = snapshot
        self.schema = schema
        self.reading = reading
        self.onlyPaths = onlyPaths
        var columns: [TableColumn] = []
        for field in schema.fields {
            guard let type = IcebergTypes.sqlType(field.type) else {
                throw QueryFault(
                    .notSupported,
                    "column \(field.name) of \(name) has a type that is not supported yet")
            }
            columns.append(
                TableColumn(
                    name: field.name.lowercased(), type: type, isNullable: !field.isRequired,
                    comment: field.doc, defaultValue: ColumnDefault.value(of: field, type)))
        }
        fields = schema.fields
        columns += [
            TableColumn(name: "$path", type: .text, isNullable: false, isHidden: true),
            TableColumn(name: "$pos", type: .bigint, isNullable: false, isHidden: true),
        ]
        if metadata.formatVersion >= 3 {
            columns += [
                TableColumn(name: "$row_id", type: .bigint, isHidden: true),
                TableColumn(
                    name: "$last_updated_sequence_number", type: .bigint, isHidden: true),
            ]
        }
        self.columns = columns
    }

    /// Whether rows have ids that outlive their files.
    var hasRowLineage: Bool { metadata.formatVersion >= 3 }

    /// What keeps the table's files while somebody has this.
    var pin: TablePin? { reading.pin }

    /// The same table with only these of its data files: what rewriting reads.
    func restricted(to paths: Set<String>) throws(QueryFault) -> IcebergTable {
        try IcebergTable(
            name: name, reference: reference, identifier: identifier, metadata: metadata,
            snapshot: snapshot, schema: schema, reading: reading, onlyPaths: paths)
    }

    /// One state of the table, if the whole of it is read.
    var stateIdentity: String {
        let snapshot = snapshot.map { String($0.snapshotID) } ?? "none"
        let text = "\(name) \(metadata.tableUUID) \(snapshot) \(schema.schemaID)"
        guard onlyPaths != nil || reading.isGoverned else { return text }
        return "\(text) \(UInt(bitPattern: ObjectIdentifier(self)))"
    }

    /// Rows from the snapshot's summary; bounds would need the manifests, which planning reads later.
    var statistics: TableStatistics? {
        if let known = knownStatistics.withLock({ $0 }) { return known }
        let made = readStatistics()
        knownStatistics.withLock { $0 = .some(made) }
        return made
    }

    private func readStatistics() -> TableStatistics? {
        guard let snapshot else { return TableStatistics(rowCount: 0) }
        guard let text = snapshot.summary["total-records"], let records = Double(text) else {
            return nil
        }
        let deleted = snapshot.summary["total-position-deletes"].flatMap { Double($0) } ?? 0
        return TableStatistics(
            rowCount: max(0, records - deleted), columns: columnStatistics(rowCount: records))
    }

    /// Bounds and NULLs from the files' entries in the manifests, which are cached.
    private func columnStatistics(rowCount: Double) -> [Int: ColumnStatistics] {
        guard let snapshot, rowCount > 0,
            let plan = try? TableScan(metadata: metadata, snapshot: snapshot).plan(
                reading.manifests),
            plan.tasks.count <= 10_000, mayRead(plan)
        else { return [:] }
        var result: [Int: ColumnStatistics] = [:]
        let distinct = DistinctCounts(metadata)
        let samples = rowCount < Self.sampledRows ? [] : sampleFiles(plan)
        for (index, field) in fields.enumerated() {
            guard let type = field.type.primitive else { continue }
            let sql = columns[index].type
            var (low, high): (Literal?, Literal?) = (nil, nil)
            var nulls: Int64 = 0
            var isKnown = true
            for task in plan.tasks {
                nulls += task.file.nullCounts[field.id] ?? 0
                if let count = task.file.valueCounts[field.id],
                    count == task.file.nullCounts[field.id]
                {
                    continue
                }
                guard let lower = task.file.lowerBounds[field.id],
                    let upper = task.file.upperBounds[field.id],
                    let lowest = Literal(singleValueBytes: lower, type: type),
                    let highest = Literal(singleValueBytes: upper, type: type)
                else {
                    isKnown = false
                    continue
                }
                if low.map({ (lowest.order(to: $0) ?? 1) < 0 }) ?? true { low = lowest }
                if high.map({ (highest.order(to: $0) ?? -1) > 0 }) ?? true { high = highest }
            }
            result[index] = ColumnStatistics(
                // Counted once and rows since then: never more than there are.
                distinctCount: distinct.byField[field.id].map { min(Double($0), rowCount) }
                    ?? ParquetFile.distinctEstimate(samples) { file in
                        file.schema.fields.first { $0.fieldID == Int(field.id) }
                    },
                nullFraction: Double(nulls) / rowCount,
                minimum: isKnown
                    ? low.flatMap { IcebergTypes.value($0, as: sql).map(literalValue) } : nil,
                maximum: isKnown
                    ? high.flatMap { IcebergTypes.value($0, as: sql).map(literalValue) } : nil)
        }
        return result
    }

    /// Tables with fewer rows are joined well enough without a look into their files.
    private static let sampledRows = 100_000.0
    private static let sampledFiles = 4

    /// Some of the files, evenly chosen, for estimates: the scan opens them anyway.
    private func sampleFiles(_ plan: ScanPlan) -> [ParquetFile] {
        let step = max(1, plan.tasks.count / Self.sampledFiles)
        let places = stride(from: 0, to: plan.tasks.count, by: step).prefix(Self.sampledFiles)
        return places.compactMap { place in
            let data = plan.tasks[place].file
            guard data.format.uppercased() == "PARQUET",
                let location = ObjectLocation(uri: data.path)
            else { return nil }
            return try? reading.files.open(location, in: reading.store)
        }
    }

    /// Whether no file is one that the viewer may not have.
    private func mayRead(_ plan: ScanPlan) -> Bool {
        plan.tasks.allSatisfy { mayRead($0.file.path) }
    }

    /// Whether the viewer may have a file that the table names.
    func mayRead(_ path: String) -> Bool {
        guard let check = reading.check else { return true }
        guard let location = ObjectLocation(uri: path) else { return false }
        do throws(QueryFault) { try check(location) } catch { return false }
        return true
    }

    /// Whether the viewer may have all files of a task.
    func mayRead(_ task: FileScanTask) -> Bool {
        do throws(QueryFault) { try admit(task) } catch { return false }
        return true
    }

    /// Throws for a task with a file that the viewer may not have.
    func admit(_ task: FileScanTask) throws(QueryFault) {
        guard let check = reading.check else { return }
        try check(try location(of: task.file.path))
        for file in task.positionDeletes { try check(try location(of: file.path)) }
        for file in task.equalityDeletes { try check(try location(of: file.path)) }
    }

    /// Reads the table's delete files, those that the viewer may have.
    func deletes(budget: MemoryBudget) -> DeleteFileReader {
        reading.deletes(of: nil, budget: budget)
    }

    /// The same with equality deletes.
    func allDeletes(budget: MemoryBudget) -> DeleteFileReader {
        reading.deletes(of: metadata, budget: budget)
    }

    /// The manifests that the viewer may read.
    var manifests: ManifestSource { reading.manifests }

    /// Runs a reading of files, with its errors as the query's.
    func faults<Result>(_ body: () throws -> Result) throws(QueryFault) -> Result {
        try reading.faults(body)
    }

    /// Opens a Parquet data file.
    func open(_ file: DataFile) throws(QueryFault) -> ParquetFile {
        try reading.files.open(try location(of: file.path), in: reading.store)
    }

    /// Opens an Avro data file.
    func openAvro(_ file: DataFile, _ budget: MemoryBudget) throws(QueryFault) -> AvroDataFile {
        let location = try location(of: file.path)
        return try reading.faults {
            try AvroDataFile(location, in: reading.store, budget: budget)
        }
    }

    var fetchesRows: Bool { true }

    func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        let wanted = request.columns.map { $0 < fields.count ? fields[$0] : nil }
        let scan = TableScan(
            metadata: metadata, snapshot: snapshot,
            predicate: PredicateTranslation.predicate(request.filters, wanted))
        let plan: ScanPlan
        do throws(IcebergError) { plan = try scan.plan(reading.manifests) } catch {
            if error.code == .foreignFile { throw EngineCatalogs.fault(error, about: "\(name)") }
            throw QueryFault(
                .icebergInvalidMetadata,
                "the table's manifests cannot be read: \(name): \(error.message)",
                hint: error.hint, cause: error)
        }
        var tasks: [ParquetFileTask] = []
        var late: [LateFileSource.Opening] = []
        let deletes = reading.deletes(of: metadata, budget: request.budget)
        let columns = IcebergColumns(self, request)
        for task in plan.tasks where onlyPaths?.contains(task.file.path) ?? true {
            let location = try location(of: task.file.path)
            try admit(task)
            let gone = try reading.faults { try deletes.deletes(of: task) }
            switch task.file.format.uppercased() {
            case "PARQUET":
                let file = try reading.files.open(location, in: reading.store)
                tasks.append(try columns.task(file, task, gone))
            case "AVRO":
                let opening: LateFileSource.Opening = { [reading] budget throws(QueryFault) in
                    let avro = try reading.faults {
                        try AvroDataFile(location, in: reading.store, budget: budget)
                    }
                    return try columns.task(avro.file, task, gone, owner: avro)
                }
                // Rows that are fetched later need a file that stays.
                if request.lateColumns.isEmpty {
                    late.append(opening)
                } else {
                    tasks.append(try opening(request.budget))
                }
            default:
                throw QueryFault(
                    .notSupported,
                    "data files of format \(task.file.format) are not supported: \(task.file.path)",
                    hint: "rewrite the table \(name) as Parquet with the engine that wrote it")
            }
        }
        var pruned: [ScanReport.Pruned] = []
        if plan.skippedFileCount > 0 {
            pruned.append(.init(count: plan.skippedFileCount, cause: "partition or bounds"))
        }
        if plan.skippedManifestCount > 0 {
            pruned.append(
                .init(count: plan.skippedManifestCount, cause: "partitions of whole manifests"))
        }
        let source = ParquetSource(
            tasks, types: request.columns.map { self.columns[$0].type }, request: request,
            prunedFiles: pruned, unfiltered: columns.lineageColumns)
        return late.isEmpty ? source : LateFileSource(source, late: late)
    }

    private func location(of path: String) throws(QueryFault) -> ObjectLocation {
        guard let location = ObjectLocation(uri: path) else {
            throw QueryFault(.icebergBadData, "a data file's location is not one of ours: \(path)")
        }
        return location
    }
}
