import Diagnostics
package import ObjectStorage
package import SQLExecution
package import SQLFunctions
package import SQLPlanning
import Synchronization
import TableFiles
import TextTables
package import Vectors

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
    private let parts: [TextPart]

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
            var places: [CSVPlace] = []
            switch format {
            case .csv:
                let team = LoadTeam()
                let table = try CSVTable(inferring: source, budget: budget, run: team.run)
                (dialect, textColumns) = (table.dialect, table.columns)
                places = table.inference?.places ?? []
            case .jsonLines:
                (dialect, textColumns) = (
                    CSVDialect(), try JSONLinesTable(inferring: source, budget: budget).columns
                )
            }
            parts = TextPart.parts(of: files, first: places)
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

    /// Opens a part; `wanted` are the columns that the query reads.
    fileprivate func open(
        _ part: TextPart, wanted: Set<Int>, _ budget: MemoryBudget
    ) throws(QueryFault) -> any TextTableReader {
        let source = ObjectByteSource(readers[part.file], from: part.place.offset, to: part.end)
        do {
            switch format {
            case .csv:
                return try CSVTable(
                    source, at: part.place, dialect: dialect, columns: textColumns, wanted: wanted,
                    budget: budget)
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

        var morselCount: Int { table.parts.count }

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

        func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
            let part = source.table.parts[morsel]
            let reader = try source.table.open(
                part, wanted: Set(source.request.columns), worker.budget)
            // Text is read to its end, whatever the query wants of it.
            source.add(
                rows: 0, bytes: Int(part.end - part.place.offset),
                files: part.place.offset == 0 ? 1 : 0)
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

/// Records of one file that one worker reads.
private struct TextPart {
    let file: Int
    let place: CSVPlace
    /// The offset behind the last record.
    let end: Int64

    /// Bytes of a part, about: enough for opening it not to count.
    private static let bytes: Int64 = 4 << 20

    /// The parts of files, in order. `first` is where stretches of the first one begin, if that is known.
    static func parts(of files: [any ObjectReader], first places: [CSVPlace]) -> [TextPart] {
        var parts: [TextPart] = []
        for (index, file) in files.enumerated() {
            var starts = [CSVPlace(offset: 0, line: 1)]
            if index == 0 {
                for place in places where place.offset - starts[starts.count - 1].offset >= bytes {
                    starts.append(place)
                }
            }
            let ends = starts.dropFirst().map(\.offset) + [file.description.sizeBytes]
            for (place, end) in zip(starts, ends) {
                parts.append(TextPart(file: index, place: place, end: end))
            }
        }
        return parts
    }
}
