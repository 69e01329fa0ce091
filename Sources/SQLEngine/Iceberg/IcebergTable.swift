import Iceberg
import ObjectStorage
import Parquet
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableCatalog
import TableFiles
import Vectors

/// What Iceberg tables are read with; shared by all of them.
struct IcebergReading: Sendable {
    let store: any ObjectStore
    let manifests: ManifestSource
    let files: ParquetFileCache
}

/// An Iceberg table at one snapshot.
final class IcebergTable: ExecutableTable {
    let name: TableName
    let reference: CatalogReference
    let identifier: TableIdentifier
    let metadata: TableMetadata
    let snapshot: Snapshot?
    let schema: Schema
    /// The visible columns, then `$path`, `$pos`.
    let columns: [TableColumn]
    let fields: [NestedField]
    private let reading: IcebergReading
    /// The data files that scans read; nil: all of the snapshot.
    private let onlyPaths: Set<String>?

    init(
        name: TableName, reference: CatalogReference, identifier: TableIdentifier,
        metadata: TableMetadata, snapshot: Snapshot?, schema: Schema, reading: IcebergReading,
        onlyPaths: Set<String>? = nil
    ) throws(QueryFault) {
        self.name = name
        self.reference = reference
        self.identifier = identifier
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
                    comment: field.doc))
        }
        fields = schema.fields
        self.columns =
            columns + [
                TableColumn(name: "$path", type: .text, isNullable: false, isHidden: true),
                TableColumn(name: "$pos", type: .bigint, isNullable: false, isHidden: true),
            ]
    }

    /// The same table with only these of its data files: what rewriting reads.
    func restricted(to paths: Set<String>) throws(QueryFault) -> IcebergTable {
        try IcebergTable(
            name: name, reference: reference, identifier: identifier, metadata: metadata,
            snapshot: snapshot, schema: schema, reading: reading, onlyPaths: paths)
    }

    /// Rows from the snapshot's summary; bounds would need the manifests, which planning reads later.
    var statistics: TableStatistics? {
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
            plan.tasks.count <= 10_000
        else { return [:] }
        var result: [Int: ColumnStatistics] = [:]
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
                nullFraction: Double(nulls) / rowCount,
                minimum: isKnown
                    ? low.flatMap { IcebergTypes.value($0, as: sql).map(literalValue) } : nil,
                maximum: isKnown
                    ? high.flatMap { IcebergTypes.value($0, as: sql).map(literalValue) } : nil)
        }
        return result
    }

    func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        let wanted = request.columns.map { $0 < fields.count ? fields[$0] : nil }
        let scan = TableScan(
            metadata: metadata, snapshot: snapshot,
            predicate: PredicateTranslation.predicate(request.filters, wanted))
        let plan: ScanPlan
        do throws(IcebergError) { plan = try scan.plan(reading.manifests) } catch {
            throw QueryFault(
                .icebergInvalidMetadata, "the table's manifests cannot be read: \(name)",
                hint: error.hint, cause: error)
        }
        var tasks: [ParquetFileTask] = []
        var deletes = DeleteFiles(reading, budget: request.budget)
        for task in plan.tasks where onlyPaths?.contains(task.file.path) ?? true {
            guard task.file.format.uppercased() == "PARQUET" else {
                throw QueryFault(
                    .notSupported,
                    "data files of format \(task.file.format) are not supported: \(name)",
                    hint: "rewrite the table as Parquet")
            }
            guard task.equalityDeletes.isEmpty else {
                throw QueryFault(
                    .notSupported,
                    "the table has equality deletes, which are not supported yet: \(name)",
                    hint: "compact the table with the engine that wrote them")
            }
            let location = try location(of: task.file.path)
            let file = try reading.files.open(location, in: reading.store)
            tasks.append(
                ParquetFileTask(
                    file: file, columns: scanColumns(request, file, task.file),
                    deleted: try deletes.positions(for: task)))
        }
        return ParquetSource(
            tasks, types: request.columns.map { columns[$0].type }, request: request)
    }

    private func location(of path: String) throws(QueryFault) -> ObjectLocation {
        guard let location = ObjectLocation(uri: path) else {
            throw QueryFault(.icebergBadData, "a data file's location is not one of ours: \(path)")
        }
        return location
    }

    private func scanColumns(
        _ request: ScanRequest, _ file: ParquetFile, _ data: DataFile
    ) -> [ScanColumn] {
        request.columns.map { index in
            if index < fields.count {
                return ScanColumn.bind(
                    IcebergTypes.wantedField(fields[index], columns[index].type), in: file.schema)
            }
            if columns[index].name == "$pos" { return .rowPosition }
            return ScanColumn(
                source: .constant(.bytes(Array(data.path.utf8))), type: columns[index].type)
        }
    }
}

/// Reads position delete files, each once a scan.
struct DeleteFiles {
    private let reading: IcebergReading
    private let budget: MemoryBudget
    /// By delete file: the positions of each data file it names.
    private var known: [String: [String: [Int64]]] = [:]

    init(_ reading: IcebergReading, budget: MemoryBudget) {
        self.reading = reading
        self.budget = budget
    }

    /// All deleted positions of a task's file; nil when there are none.
    mutating func positions(for task: FileScanTask) throws(QueryFault) -> DeletedPositions? {
        guard !task.positionDeletes.isEmpty else { return nil }
        var positions: [Int64] = []
        for delete in task.positionDeletes {
            guard delete.format.uppercased() == "PARQUET" else {
                throw QueryFault(
                    .notSupported, "delete files of format \(delete.format) are not supported yet",
                    hint: "compact the table with the engine that wrote them")
            }
            if known[delete.path] == nil { known[delete.path] = try read(delete.path) }
            positions += known[delete.path]?[task.file.path] ?? []
        }
        return positions.isEmpty ? nil : DeletedPositions(positions)
    }

    private func read(_ path: String) throws(QueryFault) -> [String: [Int64]] {
        guard let location = ObjectLocation(uri: path) else {
            throw QueryFault(
                .icebergBadData, "a delete file's location is not one of ours: \(path)")
        }
        let file = try reading.files.open(location, in: reading.store)
        // Source: Iceberg specification, "Position Delete Files": the reserved field ids.
        let columns = [
            ScanColumn.bind(
                WantedField(name: "file_path", fieldID: 2_147_483_546, type: .text), in: file.schema
            ),
            ScanColumn.bind(
                WantedField(name: "pos", fieldID: 2_147_483_545, type: .bigint), in: file.schema),
        ]
        var result: [String: [Int64]] = [:]
        do throws(ParquetError) {
            let scan = try ParquetScan(file, columns: columns, memory: ScanMemory(budget: budget))
            for group in 0..<file.rowGroupCount where try scan.begin(rowGroup: group) {
                while let chunk = try scan.next() {
                    for index in 0..<chunk.activeCount {
                        let row = chunk.row(index)
                        let path = chunk.columns[0].string(row).string
                        result[path, default: []].append(
                            chunk.columns[1].value(row, as: Int64.self))
                    }
                }
            }
        } catch { throw queryFault(error) }
        return result
    }
}
