import Iceberg
import ObjectStorage
import Parquet
import SQLFunctions
import TableFiles
import Vectors

extension IcebergReading {
    /// Reads a table's delete files, opened through the cache.
    func deletes(of metadata: TableMetadata?, budget: MemoryBudget) -> DeleteFileReader {
        DeleteFileReader(metadata, store: store, budget: budget) { [files, store, check] in
            try check?($0)
            return try files.open($0, in: store)
        }
    }

    /// Runs a reading of delete files, with its errors as the query's.
    func faults<Result>(_ body: () throws -> Result) throws(QueryFault) -> Result {
        do { return try body() } catch let error as QueryFault { throw error } catch {
            throw Self.fault(error)
        }
    }

    private static func fault(_ error: any Error) -> QueryFault {
        switch error {
        case let error as TableFileError: RowWriter.fault(error)
        case let error as ParquetError: queryFault(error)
        case let error as MemoryLimitFault:
            QueryFault(.exceededMemoryLimit, error.message, hint: error.hint, cause: error)
        default:
            QueryFault(.icebergBadData, "a delete file cannot be read: \(error)", cause: error)
        }
    }
}
