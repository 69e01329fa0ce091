import Diagnostics
package import ObjectStorage
import Parquet
package import SQLExecution
package import SQLFunctions
package import SQLPlanning
import Synchronization
import TextTables
package import Vectors

/// A table over whole Parquet files of one schema: files on the command line, external tables.
package final class ParquetFilesTable: ExecutableTable {
    package let name: TableName
    package let columns: [TableColumn]
    package let statistics: TableStatistics?
    private let files: [ParquetFile]
    private let fields: [WantedField]

    /// Opens the files; the first one's schema is the table's.
    package init(name: TableName, files readers: [any ObjectReader]) throws(QueryFault) {
        var files: [ParquetFile] = []
        for reader in readers {
            do throws(ParquetError) { files.append(try ParquetFile.open(reader)) } catch {
                throw queryFault(error)
            }
        }
        guard let first = files.first else {
            throw QueryFault(.notFound, "the table has no file: \(name)")
        }
        self.name = name
        self.files = files
        let usable = first.schema.fields.filter { $0.unsupported == nil }
        fields = usable.map { WantedField($0) }
        columns = usable.map { TableColumn(name: $0.name.lowercased(), type: $0.type) }
        statistics = ParquetFilesTable.statistics(files, usable)
    }

    private static func statistics(
        _ files: [ParquetFile], _ fields: [ParquetField]
    ) -> TableStatistics {
        let rows = files.reduce(0) { $0 + $1.rowCount }
        var columns: [Int: ColumnStatistics] = [:]
        for (index, field) in fields.enumerated() where field.leaf != nil {
            var merged = BoundsMerge()
            for file in files {
                let own = file.schema.fields.first { $0.name == field.name } ?? field
                for group in 0..<file.rowGroupCount {
                    merged.add(file.bounds(rowGroup: group, of: own, as: field.type))
                }
            }
            var column = merged.statistics(rowCount: rows)
            column.distinctCount = ParquetFile.distinctEstimate(files) { file in
                file.schema.fields.first { $0.name == field.name }
            }
            columns[index] = column
        }
        return TableStatistics(rowCount: Double(rows), columns: columns)
    }

    package var fetchesRows: Bool { true }

    package func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        let wanted = request.columns.map { fields[$0] }
        let late = request.lateColumns.map { fields[$0] }
        let tasks = files.map { file in
            ParquetFileTask(
                file: file, columns: wanted.map { ScanColumn.bind($0, in: file.schema) },
                lateColumns: late.map { ScanColumn.bind($0, in: file.schema) })
        }
        return ParquetSource(
            tasks, types: request.columns.map { columns[$0].type }, request: request)
    }
}

/// Bounds of a column over many row groups.
struct BoundsMerge {
    private var lower: ParquetValue?
    private var upper: ParquetValue?
    private var nulls = 0
    private var isKnown = true
    private var isFirst = true

    mutating func add(_ bounds: ColumnBounds) {
        defer { isFirst = false }
        if let count = bounds.nullCount { nulls += count }
        if bounds.isAllNull, bounds.rowCount > 0 { return }
        guard let low = bounds.lower, let high = bounds.upper else {
            isKnown = false
            return
        }
        if lower.map({ (ParquetValue.compare(low, $0) ?? 1) < 0 }) ?? true { lower = low }
        if upper.map({ (ParquetValue.compare(high, $0) ?? -1) > 0 }) ?? true { upper = high }
    }

    func statistics(rowCount: Int) -> ColumnStatistics {
        ColumnStatistics(
            nullFraction: rowCount == 0 ? 0 : Double(nulls) / Double(rowCount),
            minimum: isKnown ? lower.map(literalValue) : nil,
            maximum: isKnown ? upper.map(literalValue) : nil)
    }
}

/// A table over CSV or JSON lines files whose columns were inferred when it was opened.
package final class TextFilesTable: ExecutableTable {
    /// How the files are written.
    package enum Format: Sendable { case csv, jsonLines }

    package let name: TableName
    package let columns: [TableColumn]
    package let statistics: TableStatistics? = nil
    private let readers: [any ObjectReader]
    private let format: Format
    private let dialect: CSVDialect
    private let textColumns: [TextColumn]

    /// Reads the first file once to infer the columns.
    package init(
        name: TableName, files: [any ObjectReader], format: Format, budget: MemoryBudget
    ) throws(QueryFault) {
        guard let first = files.first else {
            throw QueryFault(.notFound, "the table has no file: \(name)")
        }
        self.name = name
        readers = files
        self.format = format
        do {
            let source = ObjectByteSource(first)
            switch format {
            case .csv:
                let table = try CSVTable(inferring: source, budget: budget)
                (dialect, textColumns) = (table.dialect, table.columns)
            case .jsonLines:
                (dialect, textColumns) = (
                    CSVDialect(), try JSONLinesTable(inferring: source, budget: budget).columns
                )
            }
        } catch { throw TextFilesTable.fault(error) }
        columns = textColumns.map { TableColumn(name: $0.name, type: $0.type) }
    }

    static func fault(_ error: any Error) -> QueryFault {
        if let fault = error as? QueryFault { return fault }
        if let text = error as? TextTableError {
            return QueryFault(.icebergBadData, text.message, hint: text.hint, cause: text)
        }
        if let memory = error as? MemoryLimitFault {
            return QueryFault(.exceededMemoryLimit, memory.message, hint: memory.hint)
        }
        return QueryFault(.externalSourceError, "the file cannot be read", cause: error)
    }

    package func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource {
        Source(self, request)
    }

    fileprivate func open(
        _ file: Int, _ budget: MemoryBudget
    ) throws(QueryFault) -> any TextTableReader {
        let source = ObjectByteSource(readers[file])
        do {
            switch format {
            case .csv:
                return try CSVTable(source, dialect: dialect, columns: textColumns, budget: budget)
            case .jsonLines:
                return try JSONLinesTable(source, columns: textColumns, budget: budget)
            }
        } catch { throw TextFilesTable.fault(error) }
    }

    private final class Source: MorselSource {
        let table: TextFilesTable
        let request: ScanRequest
        private let counted = Mutex(ScanReport())

        init(_ table: TextFilesTable, _ request: ScanRequest) {
            self.table = table
            self.request = request
        }

        var morselCount: Int { table.readers.count }

        var report: ScanReport? { counted.withLock { $0 } }

        func add(rows: Int, bytes: Int, files: Int) {
            counted.withLock { report in
                report.rows += rows
                report.bytes += bytes
                report.files += files
            }
        }

        func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
            Reader(self, worker)
        }
    }

    private final class Reader: MorselReader {
        private let source: Source
        private let worker: Worker
        private let whole: Chunk
        private let part: Chunk

        init(_ source: Source, _ worker: Worker) {
            self.source = source
            self.worker = worker
            whole = Chunk(columnCount: source.table.columns.count)
            part = Chunk(columnCount: source.request.columns.count)
        }

        func run(_ file: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
            let reader = try source.table.open(file, worker.budget)
            // Text is read to its end, whatever the query wants of it.
            source.add(
                rows: 0, bytes: Int(source.table.readers[file].description.sizeBytes), files: 1)
            while !worker.isStopped {
                do {
                    guard try reader.next(into: whole) else { return }
                } catch { throw TextFilesTable.fault(error) }
                source.add(rows: whole.count, bytes: 0, files: 0)
                try pushPieces(consumer)
            }
        }

        /// Pushes the rows in pieces of the run's chunk size.
        private func pushPieces(_ consumer: any ChunkConsumer) throws(QueryFault) {
            let step = source.request.settings.verification.chunkRows
            if step >= whole.count {
                for (place, column) in source.request.columns.enumerated() {
                    part.columns[place] = whole.columns[column]
                }
                part.count = whole.count
                part.selection = nil
                try consumer.push(part)
                return
            }
            let rows = UnsafeMutablePointer<UInt32>.allocate(capacity: step)
            defer { rows.deallocate() }
            var start = 0
            while start < whole.count {
                let count = min(step, whole.count - start)
                for index in 0..<count { rows[index] = UInt32(start + index) }
                for (place, column) in source.request.columns.enumerated() {
                    part.columns[place] = whole.columns[column]
                }
                part.count = whole.count
                part.selection = rows
                part.selectedCount = count
                try consumer.push(part)
                start += count
            }
        }
    }
}
