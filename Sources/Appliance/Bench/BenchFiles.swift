import Compression
import ObjectStorage
import Parquet
import Platform
import SQLExecution
import SQLFunctions
import SQLPlanning
import Synchronization
import TPCH
import Vectors

/// The tables of TPC-H as Parquet files in a folder, made where they are not there yet.
struct BenchFiles {
    let folder: String
    let scale: Double

    /// In the order in which they are made: the small ones first.
    static let tables: [TPCHSchema] = [
        .region, .nation, .supplier, .customer, .part, .partsupp, .orders, .lineitem,
    ]

    func path(_ table: TPCHSchema) -> String { "\(folder)/\(table.rawValue).parquet" }

    var paths: [String] { BenchFiles.tables.map(path) }

    /// Writes the files that are missing; `progress` is told of each before it is made. A file gets its
    /// name when it is whole.
    func make(progress: (TPCHSchema) -> Void) throws {
        let files = LocalFileSystem()
        try files.makeDirectory(folder)
        for table in BenchFiles.tables where try !files.exists(path(table)) {
            progress(table)
            let unfinished = path(table) + ".part"
            if try files.exists(unfinished) { try files.remove(unfinished) }
            try write(table, to: unfinished)
            try files.rename(unfinished, to: path(table))
        }
    }

    private func write(_ schema: TPCHSchema, to path: String) throws {
        let table = TPCHTable(
            name: TableName(catalog: "tpch", schema: "bench", table: schema.rawValue), schema,
            scale: scale, style: TPCHStyle(hasPrefixes: true, usesDecimals: true))
        let budget = MemoryBudget(limitBytes: 1 << 30)
        var options = WriterOptions()
        options.codec = .snappy
        let output = try LocalFileWriter(path: path)
        let writer = try ParquetWriter(
            output,
            fields: table.columns.map {
                WriterField(name: $0.name, type: $0.type, isNullable: false)
            }, options: options, budget: budget)
        let columns = table.columns.enumerated().map { place, column in
            PlanColumn(id: ColumnID(Int32(place)), type: column.type, name: column.name)
        }
        var settings = ExecutionSettings()
        // Rows in the order of their keys, as other generators write them.
        settings.threadCount = 1
        let execution = QueryExecution(
            .scan(
                ScanNode(
                    table: table, columns: columns, tableColumns: Array(table.columns.indices))),
            columns: columns, settings: settings,
            session: SessionValues(startMicroseconds: 0, queryID: "bench"), parentBudget: budget)
        let sink = FileSink(writer)
        try execution.run(into: sink)
        try sink.finish()
        try output.close()
    }
}

/// Takes rows to a Parquet file.
/// Safe because whoever made the writer leaves it to this, and it is used under the lock alone.
private final class FileSink: ResultSink, @unchecked Sendable {
    private let lock = Mutex(())
    private let writer: ParquetWriter

    init(_ writer: ParquetWriter) { self.writer = writer }

    func take(_ chunk: Chunk) throws(QueryFault) {
        let fault = lock.withLock { _ -> ParquetError? in
            do throws(ParquetError) {
                try writer.append(chunk)
                return nil
            } catch { return error }
        }
        if let fault {
            throw QueryFault(
                .externalSourceError, fault.message, hint: fault.hint, cause: fault)
        }
    }

    func finish() throws {
        let fault = lock.withLock { _ -> ParquetError? in
            do throws(ParquetError) {
                _ = try writer.finish()
                return nil
            } catch { return error }
        }
        if let fault { throw fault }
    }
}

/// A file of the local disk as an object that is written. Not durable: it can be made again.
private final class LocalFileWriter: ObjectWriter {
    private let path: String
    private let file: any File
    private var sizeBytes: Int64 = 0

    init(path: String) throws {
        self.path = path
        file = try LocalFileSystem().open(path, .createNew)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError) {
        do throws(PlatformError) {
            try file.append(bytes)
            sizeBytes += Int64(bytes.count)
        } catch {
            throw ObjectStoreError(
                code: .unavailable, message: "cannot write \(path): \(error.message)",
                hint: error.hint, cause: error)
        }
    }

    func commit(precondition: WritePrecondition) throws(ObjectStoreError) -> ObjectDescription {
        ObjectDescription(
            location: ObjectLocation(bucket: "", key: path), sizeBytes: sizeBytes, etag: "",
            version: path, modifiedMicroseconds: 0)
    }

    func abandon() {}

    func close() throws(PlatformError) { try file.close() }
}
