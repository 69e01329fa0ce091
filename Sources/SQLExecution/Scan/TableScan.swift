import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// A scan within a plan: opened when its pipeline begins, so that join filters are known.
final class TableScanSource: PipelineSource {
    let statistics: OperatorStatistics
    private let table: any ExecutableTable
    private let request: ScanRequest
    private let residualLayout: Layout
    private let opened = Mutex<(any MorselSource)?>(nil)
    private let outputPositions: [Int]
    private let wish: SummaryWish?
    /// What summaries answered; the morsel after the source's own gives its rows.
    private let answered = Mutex<SummaryWish.Answer?>(nil)

    /// `outputPositions`: which of the request's columns leave the scan, in order.
    init(
        _ table: any ExecutableTable, _ request: ScanRequest, layout: Layout,
        outputPositions: [Int], wish: SummaryWish? = nil, detail: String
    ) {
        self.table = table
        self.request = request
        residualLayout = layout
        self.outputPositions = outputPositions
        self.wish = wish
        statistics = OperatorStatistics("Scan", detail)
    }

    func prepare(_ runtime: Runtime) throws(QueryFault) {
        if opened.withLock({ $0 != nil }) { return }
        var request = request
        request.joinFilters = request.joinFilters.filter { $0.filter.isReady }
        if request.joinFilters.contains(where: { $0.filter.isEmpty }) {
            statistics.note("nothing is read: no key can match")
            opened.withLock { $0 = EmptySource() }
            return
        }
        let source = try table.openScan(request)
        statistics.readFrom(source)
        opened.withLock { $0 = source }
        if let wish, let answer = wish.answer(source.summaries) {
            answered.withLock { $0 = answer }
            statistics.note(
                "\(answer.answered.count) of \(source.morselCount) pieces by their statistics")
        }
    }

    /// What the table opened; nil before the scan begins.
    var source: (any MorselSource)? { opened.withLock { $0 } }

    var morselCount: Int {
        let own = opened.withLock { $0?.morselCount ?? 0 }
        return answered.withLock { $0 == nil ? own : own + 1 }
    }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        guard let source = opened.withLock({ $0 }) else { return EmptyReader() }
        let applied = source.appliedFilters
        let rest = request.filters.indices.filter { !applied.contains($0) }
            .map { request.filters[$0].predicate }
        var reader = try source.makeReader(worker)
        if let wish, let answer = answered.withLock({ $0 }) {
            let types = residualLayout.columns.map(\.type)
            reader = AnsweredReader(
                reader, answer.answered, SummaryReader(answer, types, wish, worker),
                answerMorsel: source.morselCount)
        }
        return TableScanReader(reader, rest, residualLayout, outputPositions, worker)
    }
}

/// Reads what summaries did not answer.
private final class AnsweredReader: MorselReader {
    private let inner: any MorselReader
    private let answered: Set<Int>
    private let summary: SummaryReader
    private let answerMorsel: Int

    init(
        _ inner: any MorselReader, _ answered: Set<Int>, _ summary: SummaryReader,
        answerMorsel: Int
    ) {
        self.inner = inner
        self.answered = answered
        self.summary = summary
        self.answerMorsel = answerMorsel
    }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        if morsel == answerMorsel { return try summary.run(morsel, into: consumer) }
        if !answered.contains(morsel) { try inner.run(morsel, into: consumer) }
    }
}

/// Tests what the table did not, and drops columns that only filters needed.
private final class TableScanReader: MorselReader, ChunkConsumer {
    private let inner: any MorselReader
    private let filter: FilterProgram?
    private let worker: Worker
    private let output: Chunk
    private let positions: [Int]
    private let isIdentity: Bool
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    private var consumer: (any ChunkConsumer)?

    init(
        _ inner: any MorselReader, _ predicates: [BoundExpression], _ layout: Layout,
        _ positions: [Int],
        _ worker: Worker
    ) {
        self.inner = inner
        self.worker = worker
        self.positions = positions
        isIdentity = positions == Array(0..<layout.columns.count)
        filter =
            predicates.isEmpty
            ? nil
            : FilterProgram(
                predicates, layout: layout, context: worker.context, budget: worker.budget)
        output = Chunk(columnCount: positions.count)
    }

    deinit { selection.deallocate() }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        self.consumer = consumer
        defer { self.consumer = nil }
        try inner.run(morsel, into: self)
    }

    func push(_ chunk: Chunk) throws(QueryFault) {
        // Filters that the table applied leave their failures in the worker's context.
        if let fault = worker.context.takeFault() { throw fault }
        guard let consumer else { return }
        if filter == nil && isIdentity { return try consumer.push(chunk) }
        output.count = chunk.count
        output.selection = chunk.selection
        output.selectedCount = chunk.selectedCount
        if let filter {
            let kept = try filter.select(chunk.columns, ActiveRows(chunk), into: selection)
            if kept == 0 { return }
            if kept < chunk.activeCount {
                output.selection = selection
                output.selectedCount = kept
            }
        }
        for (index, position) in positions.enumerated() {
            output.columns[index] = chunk.columns[position]
        }
        try consumer.push(output)
    }
}

/// No rows at all.
final class EmptySource: PipelineSource {
    let statistics = OperatorStatistics("Empty")
    var morselCount: Int { 0 }
    func prepare(_ runtime: Runtime) throws(QueryFault) {}
    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader { EmptyReader() }
}

private final class EmptyReader: MorselReader {
    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {}
}
