import Iceberg
import Parquet
import SQLExecution
import SQLFunctions
import Synchronization
import TableFiles
import Vectors

/// One file of a scan.
struct ParquetFileTask: Sendable {
    /// How the columns that equality deletes compare are found in the file.
    struct EqualityColumns: Sendable {
        let binding: FieldBinding
        let data: DataFile
    }

    let file: ParquetFile
    /// Where each requested column comes from in this file.
    let columns: [ScanColumn]
    /// The same of the columns that are fetched later.
    var lateColumns: [ScanColumn] = []
    var deletes = FileDeletes()
    var equalityColumns: EqualityColumns?
    /// What the file lives in.
    var owner: AvroDataFile?
}

/// Scans Parquet files: a morsel is a row group, or a part of one where row groups are few.
final class ParquetSource: RowFetching {
    /// Rows that a part of a row group has at the least.
    static let morselRows = 131_072
    /// Morsels wanted for each worker; more row groups than that are not cut.
    static let morselsPerWorker = 4

    struct Morsel {
        let task: Int
        let rowGroup: Int
        let rows: Range<Int>
    }

    let tasks: [ParquetFileTask]
    let morsels: [Morsel]
    let request: ScanRequest
    let types: [LogicalType]
    let appliedFilters: Set<Int>
    /// Columns that filters cannot look at in the scan.
    private let unfiltered: Set<Int>
    private let totals = Mutex(ScanCounters())
    private let prunedFiles: [ScanReport.Pruned]

    /// `prunedFiles`: what the caller left out of `tasks`, for the report. `unfiltered`: the request's
    /// columns that have to be filtered behind the scan.
    init(
        _ tasks: [ParquetFileTask], types: [LogicalType], request: ScanRequest,
        prunedFiles: [ScanReport.Pruned] = [], unfiltered: Set<Int> = []
    ) {
        self.tasks = tasks
        self.prunedFiles = prunedFiles
        self.request = request
        self.types = types
        let morsels = ParquetSource.morsels(of: tasks, workers: request.settings.threadCount)
        self.morsels = ParquetSource.ordered(morsels, tasks, request.topN)
        self.unfiltered = unfiltered.union(types.indices.filter { !types[$0].children.isEmpty })
        // Nested columns are filtered behind the scan.
        appliedFilters = Set(
            request.filters.indices.filter { [unfiltered = self.unfiltered] index in
                !request.filters[index].columns.isEmpty
                    && unfiltered.isDisjoint(with: request.filters[index].columns)
            })
    }

    /// The same scan of other files.
    func like(with tasks: [ParquetFileTask]) -> ParquetSource {
        ParquetSource(tasks, types: types, request: request, unfiltered: unfiltered)
    }

    var morselCount: Int { morsels.count }

    /// What all readers did together, up to the morsels that they are at.
    var report: ScanReport? {
        let counters = totals.withLock { $0 }
        var report = ScanReport()
        report.rows = counters.rowsConsidered
        report.bytes = counters.bytesRead
        report.files = tasks.count
        report.prunedFiles = prunedFiles
        report.rowGroupsRead = counters.rowGroupsRead
        report.rowGroupsPruned = counters.rowGroupsPruned
        report.prunedRowGroups = counters.prunedBy
            .map { cause, count in
                ScanReport.Pruned(
                    count: count,
                    cause: "\(cause.evidence.rawValue) of \(cause.column) (\(cause.origin))")
            }
            .sorted { ($1.count, $0.cause) < ($0.count, $1.cause) }
        report.pagesRead = counters.pagesRead
        report.pagesSkipped = counters.pagesSkipped
        return report
    }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        Reader(self, worker)
    }

    private final class Reader: MorselReader {
        private let source: ParquetSource
        private let worker: Worker
        private let memory: ScanMemory
        private var scan: ParquetScan?
        private var task = -1
        /// What of the scan's counters the source has.
        private var reported = ScanCounters()

        init(_ source: ParquetSource, _ worker: Worker) {
            self.source = source
            self.worker = worker
            memory = ScanMemory(budget: worker.budget)
        }

        func run(_ number: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
            let morsel = source.morsels[number]
            let scan = try opened(morsel.task)
            defer { reportProgress(of: scan) }
            guard
                try reading({ () throws(ParquetError) in
                    try scan.begin(rowGroup: morsel.rowGroup, rows: morsel.rows)
                })
            else { return }
            while !worker.isStopped,
                let chunk = try reading({ () throws(ParquetError) in try scan.next() })
            {
                if let fault = worker.context.takeFault() { throw fault }
                try consumer.push(chunk)
            }
            if let fault = worker.context.takeFault() { throw fault }
        }

        /// Runs a step of the scan, with its errors as the query's.
        private func reading<Result>(
            _ body: () throws(ParquetError) -> Result
        ) throws(QueryFault) -> Result {
            do throws(ParquetError) { return try body() } catch { throw queryFault(error) }
        }

        private func opened(_ index: Int) throws(QueryFault) -> ParquetScan {
            if task == index, let scan { return scan }
            scan = nil
            reported = ScanCounters()
            let made = try source.makeScan(index, worker, memory)
            (scan, task) = (made, index)
            return made
        }

        private func reportProgress(of scan: ParquetScan) {
            let counters = scan.counters
            let news = counters.since(reported)
            reported = counters
            source.add(news)
        }
    }

    /// Counts what some reader did.
    func add(_ news: ScanCounters) { totals.withLock { $0.add(news) } }

    private func makeScan(
        _ number: Int, _ worker: Worker, _ memory: ScanMemory
    ) throws(QueryFault) -> ParquetScan {
        let task = tasks[number]
        var filters: [ScanFilter] = []
        var rowFilters: [any RowFilter] = []
        for index in appliedFilters.sorted() {
            let pushed = request.filters[index]
            if let column = pushed.column {
                filters.append(
                    ScanFilter(
                        column: column, filter: PushedColumnFilter(pushed, types[column], worker)))
            } else {
                rowFilters.append(PushedRowFilter(pushed, worker))
            }
        }
        for use in request.joinFilters where !unfiltered.contains(use.column) {
            filters.append(ScanFilter(column: use.column, filter: JoinColumnFilter(use.filter)))
        }
        if let bound = request.topN, !unfiltered.contains(bound.column) {
            filters.append(ScanFilter(column: bound.column, filter: TopNColumnFilter(bound)))
        }
        var options = ScanOptions()
        options.stepRows = request.settings.verification.chunkRows
        var columns = task.columns
        if !request.lateColumns.isEmpty {
            let number = ParquetValue.int64(Int64(number))
            columns += [ScanColumn(source: .constant(number), type: .bigint), .rowPosition]
        }
        let all: DeletingColumns
        do throws(TableFileError) {
            all = try DeletingColumns(
                columns, task.deletes, in: task.file.schema,
                of: task.equalityColumns?.data,
                task.equalityColumns?.binding ?? FieldBinding(nil))
        } catch { throw RowWriter.fault(error) }
        do throws(ParquetError) {
            return try ParquetScan(
                task.file, columns: all.columns, outputs: all.outputs, filters: filters,
                rowFilters: rowFilters + all.filters, deleted: task.deletes.positions,
                options: options, memory: memory)
        } catch { throw queryFault(error) }
    }
}

/// What a damaged or unreadable Parquet file means to a query.
func queryFault(_ error: ParquetError) -> QueryFault {
    if let memory = error.cause as? MemoryLimitFault {
        return QueryFault(.exceededMemoryLimit, memory.message, hint: memory.hint, cause: error)
    }
    return QueryFault(.icebergBadData, error.message, hint: error.hint, cause: error)
}
