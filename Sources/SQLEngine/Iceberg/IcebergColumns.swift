import Iceberg
import ObjectStorage
import Parquet
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableFiles
import Vectors

/// Where a scan's columns come from in each data file of an Iceberg table.
struct IcebergColumns: Sendable {
    private enum Wanted: Sendable {
        case field(NestedField, LogicalType)
        case path(LogicalType)
        case position
        case lineage(RowLineage)
        /// What is said of a whole file, by its place.
        case said(Int, LogicalType)
    }

    private let wanted: [Wanted]
    /// What is fetched later.
    private let late: [Wanted]
    private let binding: FieldBinding

    init(_ table: IcebergTable, _ request: ScanRequest) {
        binding = FieldBinding(table.metadata)
        let find = { (index: Int) -> Wanted in
            if index < table.fields.count {
                return .field(table.fields[index], table.columns[index].type)
            }
            switch table.columns[index].name {
            case "$pos": return .position
            case "$row_id": return .lineage(.rowID)
            case "$last_updated_sequence_number": return .lineage(.lastUpdated)
            default: return .path(table.columns[index].type)
            }
        }
        wanted = request.columns.map(find)
        late = request.lateColumns.map(find)
    }

    /// Of the table's visible columns, followed by others of which each file says one value.
    init(_ table: IcebergTable, _ request: ScanRequest, changes: [LogicalType]) {
        binding = FieldBinding(table.metadata)
        wanted = request.columns.map { index in
            let more = index - table.fields.count
            return more < 0
                ? .field(table.fields[index], table.columns[index].type)
                : .said(more, changes[more])
        }
        late = []
    }

    /// The request's columns that scans cannot filter.
    var lineageColumns: Set<Int> {
        Set(wanted.indices.filter { if case .lineage = wanted[$0] { true } else { false } })
    }

    /// A file to read; `owner` is what it lives in.
    func task(
        _ file: ParquetFile, _ task: FileScanTask, _ deletes: FileDeletes,
        said: [ParquetValue] = [], owner: AvroDataFile? = nil
    ) throws(QueryFault) -> ParquetFileTask {
        do throws(TableFileError) {
            return ParquetFileTask(
                file: file, columns: try columns(wanted, file.schema, task, said),
                lateColumns: try columns(late, file.schema, task, said), deletes: deletes,
                equalityColumns: equalityColumns(task, deletes), owner: owner)
        } catch { throw RowWriter.fault(error) }
    }

    private func equalityColumns(
        _ task: FileScanTask, _ deletes: FileDeletes
    ) -> ParquetFileTask.EqualityColumns? {
        deletes.equalities.isEmpty
            ? nil : ParquetFileTask.EqualityColumns(binding: binding, data: task.file)
    }

    private func columns(
        _ wanted: [Wanted], _ schema: ParquetSchema, _ task: FileScanTask,
        _ said: [ParquetValue]
    ) throws(TableFileError) -> [ScanColumn] {
        var columns: [ScanColumn] = []
        for column in wanted {
            switch column {
            case .field(let field, let type):
                columns.append(try binding.column(field, type, in: schema, of: task.file))
            case .said(let place, let type):
                columns.append(ScanColumn(source: .constant(said[place]), type: type))
            case .position: columns.append(.rowPosition)
            case .path(let type):
                columns.append(
                    ScanColumn(source: .constant(.bytes(Array(task.file.path.utf8))), type: type))
            case .lineage(let lineage):
                columns.append(
                    binding.lineage(
                        lineage, in: schema, of: task.file,
                        sequenceNumber: task.dataSequenceNumber))
            }
        }
        return columns
    }
}
