import Platform
import SQLExecution

/// What an operator of a query did so far; current while the query runs.
package struct QueryStep: Sendable, Hashable {
    /// As EXPLAIN names it, such as `Scan`, and what tells it from others of its kind.
    package var name: String
    package var detail: String
    package var inputRows: Int
    package var outputRows: Int
    /// The operator alone, over all workers.
    package var milliseconds: Double
    /// What a scan read; nil for other operators.
    package var readBytes: Int?
    package var peakMemoryBytes: Int
    package var spilledBytes: Int
    /// What was pruned and why, and further notes.
    package var remarks: [String]

    init(_ step: OperatorStatistics) {
        let report = step.scanReport
        name = step.name
        detail = step.detail
        inputRows = report?.rows ?? step.inputRows
        outputRows = step.outputRows
        milliseconds = Double(step.ownNanoseconds &+ step.finishNanoseconds) / 1e6
        readBytes = report?.bytes
        peakMemoryBytes = step.peakMemoryBytes
        spilledBytes = step.spilledBytes
        remarks = (report?.lines ?? []) + step.remarks
    }

    /// The pipelines of an execution, sources first; one operator may end one and begin the next.
    static func pipelines(of execution: QueryExecution) -> [[QueryStep]] {
        execution.statistics.map { $0.map(QueryStep.init) }
    }
}

extension Query {
    /// Operators whose numbers a query keeps; later ones are left out.
    static let keptSteps = 400

    /// The pipelines of everything that the statement ran, in the order of their execution.
    package var pipelines: [[QueryStep]] {
        let (kept, live) = monitor.withLock { ($0.pipelines, $0.livePipelines) }
        return kept + (live?() ?? [])
    }
}
