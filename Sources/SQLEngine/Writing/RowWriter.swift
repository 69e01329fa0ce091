import Iceberg
import ObjectStorage
import Platform
import SQLFunctions
import SQLPlanning
import TableFiles
import Vectors

/// What has written files that a failed statement must not leave behind.
protocol FileWriter: AnyObject {
    /// Deletes what is written.
    func abandon()
}

/// Writes a statement's rows as data files, and sees to NOT NULL.
final class RowWriter: FileWriter, @unchecked Sendable {
    // Safe because the engine hands over one chunk at a time, under a lock, and everything else is
    // called on the query's own thread before or after the run.
    private let writer: PartitionedDataWriter
    /// Columns that take no NULL, by number, with their names.
    private let required: [(column: Int, name: String)]

    /// `overrides` are properties that the session sets over the table's; `isSorted` says that rows come in
    /// the table's order. `lineage`: columns that chunks have after the schema's.
    init(
        store: any ObjectStore, metadata: TableMetadata, schema: Schema,
        lineage: [RowLineage] = [],
        overrides: [String: String], isSorted: Bool, budget: MemoryBudget, entropy: any Entropy
    ) throws(QueryFault) {
        var options = DataWriterOptions(
            properties: metadata.properties.merging(overrides) { _, new in new })
        if isSorted { options.sortOrderID = metadata.defaultSortOrderID }
        do throws(TableFileError) {
            writer = try PartitionedDataWriter(
                store: store, table: metadata, schema: schema, lineage: lineage, options: options,
                budget: budget, entropy: entropy)
        } catch { throw Self.fault(error) }
        required = schema.fields.enumerated().filter { $0.element.isRequired }.map {
            ($0.offset, $0.element.name)
        }
    }

    var rowCount: Int64 { Int64(writer.rowCount) }

    /// Adds the chunk's active rows, whose columns are the schema's. Throws CONSTRAINT_VIOLATION for NULL
    /// in a column that takes none.
    func append(_ chunk: Chunk) throws(QueryFault) {
        for (column, name) in required where chunk.columns[column].valid != nil {
            let vector = chunk.columns[column]
            for index in 0..<chunk.activeCount where !vector.isValid(chunk.row(index)) {
                throw QueryFault(
                    .constraintViolation, "NULL value not allowed for NOT NULL column: \(name)")
            }
        }
        do throws(TableFileError) { try writer.append(chunk) } catch { throw Self.fault(error) }
    }

    /// Closes the files; they are durable but in no snapshot yet.
    func finish() throws(QueryFault) -> [DataFile] {
        do throws(TableFileError) { return try writer.finish() } catch { throw Self.fault(error) }
    }

    func abandon() { writer.abandon() }

    /// The table's sort order over a plan's outputs, which begin with its columns; nil where it has none that a sort can keep.
    static func sortKeys(_ metadata: TableMetadata, _ columns: [ColumnID]) -> [SortKey]? {
        let fields = metadata.currentSchema.fields
        guard !metadata.defaultSortOrder.fields.isEmpty, columns.count >= fields.count else {
            return nil
        }
        var keys: [SortKey] = []
        for field in metadata.defaultSortOrder.fields {
            guard field.transform == .identity,
                let index = fields.firstIndex(where: { $0.id == field.sourceID })
            else { return nil }
            keys.append(
                SortKey(
                    column: columns[index], isAscending: field.direction == .ascending,
                    nullsFirst: field.nullOrder == .first))
        }
        return keys
    }

    /// A writer's error as the query's.
    static func fault(_ error: TableFileError) -> QueryFault {
        let code: QueryFault.Code =
            switch error.code {
            case .unsupported: .notSupported
            case .schemaMismatch: .typeMismatch
            case .valueOutOfRange: .constraintViolation
            case .limitExceeded: .genericInsufficientResources
            case .memoryLimit: .exceededMemoryLimit
            case .corrupted: .icebergBadData
            case .storageFailed: .externalSourceError
            }
        return QueryFault(code, error.message, hint: error.hint, cause: error)
    }
}
