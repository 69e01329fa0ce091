import Platform
package import SQLFunctions
import Synchronization
package import Vectors

/// Takes chunks: what a source pushes into.
package protocol ChunkConsumer: AnyObject {
    /// The chunk is valid until the call returns; the consumer copies what it keeps.
    func push(_ chunk: Chunk) throws(QueryFault)
}

/// One worker's part of an operator or sink.
class Operator: ChunkConsumer {
    final var next: Operator!

    init() {}

    func push(_ chunk: Chunk) throws(QueryFault) { try next.push(chunk) }

    /// Called once a worker when its morsels are done.
    func finish() throws(QueryFault) { try next?.finish() }
}

/// An operator as the plan holds it: shared state, and how a worker's part is made.
protocol OperatorFactory: AnyObject, Sendable {
    var statistics: OperatorStatistics { get }
    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator
    /// What is to be run through the operators behind this one once all morsels are done:
    /// unmatched build rows, spilled partitions.
    func deferredSources() throws(QueryFault) -> [any PipelineSource]
}

extension OperatorFactory {
    func deferredSources() throws(QueryFault) -> [any PipelineSource] { [] }
}

/// The end of a pipeline: collects from all workers, then becomes a source.
protocol Sink: AnyObject, Sendable {
    var statistics: OperatorStatistics { get }
    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator
    /// Called once, when all workers have finished.
    func finish(_ runtime: Runtime) throws(QueryFault)
}

/// A source within a plan.
protocol PipelineSource: MorselSource {
    var statistics: OperatorStatistics { get }
    /// Called when the pipelines before are done, before `morselCount` is asked.
    func prepare(_ runtime: Runtime) throws(QueryFault)
}

/// What one operator did: sums over workers, for EXPLAIN ANALYZE and progress.
package final class OperatorStatistics: Sendable {
    /// Name as EXPLAIN prints it, and what tells it from others of its kind.
    package let name: String
    package let detail: String
    private let rows = Atomic<Int>(0)
    private let chunks = Atomic<Int>(0)
    private let nanoseconds = Atomic<Int64>(0)
    private let spilled = Atomic<Int>(0)
    private let memory = Atomic<Int>(0)
    private let output = Atomic<Int>(0)
    /// Time of the operators behind, which the inclusive time has too.
    private let behind = Atomic<Int64>(0)
    private let finishing = Atomic<Int64>(0)
    private let notes = Mutex<[String]>([])
    private let source = Mutex<(any MorselSource)?>(nil)

    init(_ name: String, _ detail: String = "") {
        self.name = name
        self.detail = detail
    }

    package var inputRows: Int { rows.load(ordering: .relaxed) }
    package var inputChunks: Int { chunks.load(ordering: .relaxed) }
    package var outputRows: Int { output.load(ordering: .relaxed) }
    /// Time of the operator and of those behind it in the pipeline, over all workers.
    package var inclusiveNanoseconds: Int64 { nanoseconds.load(ordering: .relaxed) }
    /// Time of the operator alone, over all workers.
    package var ownNanoseconds: Int64 {
        max(0, inclusiveNanoseconds &- behind.load(ordering: .relaxed))
    }
    /// Time that a sink took once its input was there: building, merging, sorting. Elapsed, not summed.
    package var finishNanoseconds: Int64 { finishing.load(ordering: .relaxed) }
    /// What a scan of a table read; nil: this is no scan.
    package var scanReport: ScanReport? {
        guard let source = source.withLock({ $0 }) else { return nil }
        if let report = source.report { return report }
        var report = ScanReport()
        report.rows = outputRows
        return report
    }
    package var spilledBytes: Int { spilled.load(ordering: .relaxed) }
    package var peakMemoryBytes: Int { memory.load(ordering: .relaxed) }
    package var remarks: [String] { notes.withLock { $0 } }

    func addInput(rows: Int, chunks: Int, nanoseconds: Int64) {
        self.rows.wrappingAdd(rows, ordering: .relaxed)
        self.chunks.wrappingAdd(chunks, ordering: .relaxed)
        self.nanoseconds.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    func addBehind(nanoseconds: Int64) { behind.wrappingAdd(nanoseconds, ordering: .relaxed) }
    func addFinish(nanoseconds: Int64) { finishing.wrappingAdd(nanoseconds, ordering: .relaxed) }
    func readFrom(_ source: any MorselSource) { self.source.withLock { $0 = source } }
    func addOutput(rows: Int) { output.wrappingAdd(rows, ordering: .relaxed) }
    func addSpilled(_ bytes: Int) { spilled.wrappingAdd(bytes, ordering: .relaxed) }
    func noteMemory(_ bytes: Int) { memory.max(bytes, ordering: .relaxed) }
    func note(_ text: String) { notes.withLock { if !$0.contains(text) { $0.append(text) } } }
}

/// Counts and times what goes into an operator; stands before each one in a chain.
final class Meter: Operator {
    private let statistics: OperatorStatistics
    private let previous: OperatorStatistics?
    private let runtime: Runtime
    private var rows = 0
    private var chunks = 0
    private var nanoseconds: Int64 = 0

    init(_ statistics: OperatorStatistics, previous: OperatorStatistics?, runtime: Runtime) {
        self.statistics = statistics
        self.previous = previous
        self.runtime = runtime
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        let active = chunk.activeCount
        if active == 0 { return }
        rows &+= active
        chunks &+= 1
        let start = runtime.clock.now().nanoseconds
        try next.push(chunk)
        nanoseconds &+= runtime.clock.now().nanoseconds &- start
        // Now and then, so that one who watches sees it move.
        if chunks & 63 == 0 { publish() }
    }

    override func finish() throws(QueryFault) {
        let start = runtime.clock.now().nanoseconds
        try next.finish()
        nanoseconds &+= runtime.clock.now().nanoseconds &- start
        publish()
    }

    private func publish() {
        statistics.addInput(rows: rows, chunks: chunks, nanoseconds: nanoseconds)
        previous?.addOutput(rows: rows)
        previous?.addBehind(nanoseconds: nanoseconds)
        rows = 0
        chunks = 0
        nanoseconds = 0
    }
}
