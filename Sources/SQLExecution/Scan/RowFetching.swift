package import SQLFunctions
import Synchronization
import Vectors

/// Where a row is, as the last two columns of a chunk say it.
package struct RowPlace: Sendable, Hashable {
    package var file: Int64
    package var position: Int64

    package init(file: Int64, position: Int64) {
        self.file = file
        self.position = position
    }
}

/// A source that reads the late columns of single rows, once it is known which rows are wanted.
package protocol RowFetching: MorselSource {
    /// The indices of `places` in groups that are read together, each in the order of positions.
    func groups(of places: [RowPlace]) throws(QueryFault) -> [[Int]]
    /// What one worker fetches with.
    func makeFetcher(_ worker: Worker) throws(QueryFault) -> any RowFetcher
}

/// Reads the late columns of the rows of one group at a time.
package protocol RowFetcher: AnyObject {
    /// Pushes the rows' late columns in the order of the places, which ascend and are not empty.
    func fetch(_ places: [RowPlace], into consumer: any ChunkConsumer) throws(QueryFault)
}

/// The first rows of a top-N with the columns that it left behind: a morsel is one group of them.
final class LateRowSource: PipelineSource {
    let statistics = OperatorStatistics("LateRows")
    private let top: TopNSink
    private let scan: TableScanSource
    /// Where the columns of the top-N's rows go, and those fetched, in the output.
    private let earlyPositions: [Int]
    private let latePositions: [Int]
    private let plan = Mutex(Plan())

    private struct Plan: @unchecked Sendable {
        // Safe because rows are only read, once the top-N has them all.
        var source: (any RowFetching)?
        var rows: [UnsafeMutableRawPointer] = []
        var places: [RowPlace] = []
        var groups: [[Int]] = []
    }

    /// The top-N's rows have the early columns, then the two that say where the row is.
    init(_ top: TopNSink, _ scan: TableScanSource, earlyPositions: [Int], latePositions: [Int]) {
        self.top = top
        self.scan = scan
        self.earlyPositions = earlyPositions
        self.latePositions = latePositions
    }

    func prepare(_ runtime: Runtime) throws(QueryFault) {
        var plan = Plan()
        plan.rows = top.winners
        if plan.rows.isEmpty { return }
        guard let source = scan.source as? any RowFetching else {
            throw QueryFault(
                .genericInternalError, "the table does not fetch rows: \(scan.statistics.detail)",
                hint: "please report this query")
        }
        let fields = top.layout.payload.suffix(2)
        plan.places = plan.rows.map { row in
            let words = fields.map { row.load(fromByteOffset: $0.offset, as: Int64.self) }
            return RowPlace(file: words[0], position: words[1])
        }
        plan.groups = try source.groups(of: plan.places)
        plan.source = source
        statistics.note("\(plan.rows.count) rows in \(plan.groups.count) row groups")
        let made = plan
        self.plan.withLock { $0 = made }
    }

    var morselCount: Int { plan.withLock { $0.groups.count } }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        let plan = plan.withLock { $0 }
        guard let source = plan.source else { return NoRows() }
        return Reader(self, plan, try source.makeFetcher(worker))
    }

    private final class NoRows: MorselReader {
        func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {}
    }

    private final class Reader: MorselReader, ChunkConsumer {
        private let source: LateRowSource
        private let plan: Plan
        private let fetcher: any RowFetcher
        private let early: [RowLayout.Field]
        private let buffers: [ColumnBuffer]
        private let output: Chunk
        /// Rows of the group at hand that still wait for their late columns.
        private var waiting: ArraySlice<UnsafeMutableRawPointer> = []
        private var consumer: (any ChunkConsumer)?

        init(_ source: LateRowSource, _ plan: Plan, _ fetcher: any RowFetcher) {
            self.source = source
            self.plan = plan
            self.fetcher = fetcher
            early = Array(source.top.layout.payload.dropLast(2))
            buffers = early.map { ColumnBuffer($0.type) }
            output = Chunk(
                columnCount: source.earlyPositions.count + source.latePositions.count)
        }

        func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
            let group = plan.groups[morsel]
            waiting = group.map { plan.rows[$0] }[...]
            self.consumer = consumer
            defer { self.consumer = nil }
            try fetcher.fetch(group.map { plan.places[$0] }, into: self)
            guard waiting.isEmpty else {
                throw QueryFault(
                    .genericInternalError, "\(waiting.count) rows were not found again",
                    hint: "please report this query")
            }
        }

        func push(_ chunk: Chunk) throws(QueryFault) {
            guard chunk.count <= waiting.count, chunk.selection == nil else {
                throw QueryFault(
                    .genericInternalError, "more rows were fetched than are wanted",
                    hint: "please report this query")
            }
            let rows = Array(waiting.prefix(chunk.count))
            waiting = waiting.dropFirst(chunk.count)
            rows.withUnsafeBufferPointer { raw in
                guard let base = raw.baseAddress else { return }
                for (index, position) in source.earlyPositions.enumerated() {
                    output.columns[position] = gatherField(
                        early[index], base, rows.count, into: buffers[index], isStable: true)
                }
            }
            for (index, position) in source.latePositions.enumerated() {
                output.columns[position] = chunk.columns[index]
            }
            output.count = chunk.count
            output.selection = nil
            try consumer?.push(output)
        }
    }
}
