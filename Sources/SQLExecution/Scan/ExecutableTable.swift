package import SQLFunctions
package import SQLPlanning
package import Vectors

/// A table that can be read.
package protocol ExecutableTable: PlannedTable {
    /// Opens the table for one scan of a query; called when all join filters of finished joins are known.
    func openScan(_ request: ScanRequest) throws(QueryFault) -> any MorselSource
    /// Whether the sources that it opens are `RowFetching`.
    var fetchesRows: Bool { get }
}

extension ExecutableTable {
    package var fetchesRows: Bool { false }
}

/// Independent pieces of rows; workers take one after the other.
package protocol MorselSource: AnyObject, Sendable {
    var morselCount: Int { get }
    /// Indices into `ScanRequest.filters` that the source applies exactly; the others are applied behind
    /// it. Only asked of sources that `openScan` made.
    var appliedFilters: Set<Int> { get }
    /// What was read so far; nil: the source does not count. Asked while readers run.
    var report: ScanReport? { get }
    /// What is known of morsels without reading them, if no filter, bound or limit applies.
    var summaries: [UnitSummary] { get }
    /// What one worker reads with: buffers, open files.
    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader
}

extension MorselSource {
    package var appliedFilters: Set<Int> { [] }
    package var report: ScanReport? { nil }
    package var summaries: [UnitSummary] { [] }
}

/// One worker's reader of a source.
package protocol MorselReader: AnyObject {
    /// Pushes the morsel's rows in chunks of at most `chunkRows`. Asks `worker.isStopped` between chunks
    /// and returns early when it is.
    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault)
}

/// What a scan is wanted to read.
package struct ScanRequest: Sendable {
    /// Indices into `table.columns`; the chunks have these columns in this order.
    package var columns: [Int]
    /// Columns that are fetched of single rows later. If there are any, the chunks have two bigints more
    /// at their end: the number of the row's file, and the row's position in it.
    package var lateColumns: [Int] = []
    /// Conjuncts that may be applied in the scan; all of them hold for every row wanted.
    package var filters: [PushedFilter]
    /// Filters of joins whose build side is done: rows that fail may be dropped, none must be.
    package var joinFilters: [JoinFilterUse]
    /// At most so many rows are wanted, any of them, after all filters.
    package var limit: Int64?
    /// Rows beyond this bound cannot be among the first: may be dropped. Grows tighter while running.
    package var topN: TopNBound?
    package var budget: MemoryBudget
    package var settings: ExecutionSettings
    package var session: SessionValues
    /// Asked now and then by sources that do long work between chunks.
    package var isCancelled: @Sendable () -> Bool
}

/// A conjunct of a scan.
package struct PushedFilter: Sendable {
    /// Position within `ScanRequest.columns` when the conjunct reads exactly one column.
    package var column: Int?
    /// Positions of all columns that the conjunct reads.
    package var columns: [Int]
    /// The bounds that follow from it, for pruning by statistics; nil where nothing follows.
    package var range: ValueRange?
    /// The values one of which a passing row must equal, when they are few: for bloom filters.
    package var candidates: [LiteralValue]?
    /// Whether NULL passes; only of conjuncts of one column.
    package var passesNull: Bool
    /// Of one column only: whether the outcome depends on nothing but the value.
    package var isDictionaryCapable: Bool
    /// The conjunct; its columns are those of `columnIDs`.
    package var predicate: BoundExpression
    package var columnIDs: [ColumnID]
    package var columnTypes: [LogicalType]

    /// The filter as one worker evaluates it. Failures go to the worker's context, which the engine
    /// tests after each chunk.
    package func makeSelector(_ worker: Worker) -> VectorSelector {
        VectorSelector(self, context: worker.context, budget: worker.budget)
    }
}

/// What a value must lie within.
package struct ValueRange: Sendable {
    /// nil: no bound. Literals of the column's type.
    package var lower: LiteralValue?
    package var upper: LiteralValue?
    package var isLowerInclusive: Bool
    package var isUpperInclusive: Bool
    /// Only NULLs pass (`IS NULL`).
    package var onlyNull: Bool

    package init(
        lower: LiteralValue? = nil, upper: LiteralValue? = nil, isLowerInclusive: Bool = true,
        isUpperInclusive: Bool = true, onlyNull: Bool = false
    ) {
        self.lower = lower
        self.upper = upper
        self.isLowerInclusive = isLowerInclusive
        self.isUpperInclusive = isUpperInclusive
        self.onlyNull = onlyNull
    }
}

/// A join filter on one column of a scan.
package struct JoinFilterUse: Sendable {
    /// Position within `ScanRequest.columns`.
    package var column: Int
    package var filter: JoinFilter

    package init(column: Int, filter: JoinFilter) {
        self.column = column
        self.filter = filter
    }
}
