import SQLExecution

/// The second half of EXPLAIN ANALYZE: what was done, by pipeline and operator.
///
///     Elapsed 88.20 ms, CPU 170 ms, read 61 MB in 6001215 rows, peak memory 35 MB
///     Pipeline 1
///         Scan [files.default.lineitem]: in 6001215 rows, out 225954 rows, time 150.11 ms, read 61 MB
///             row groups 53 read, 0 pruned; pages 318 read, 12 skipped
///         Aggregate [1 keys, 1 calls]: in 225954 rows, out 10000 rows, time 41.10 ms, then 2.00 ms
///
/// Time is that of the operator alone, over all workers; what a sink did once its input was there
/// (`then`) is elapsed time.
enum AnalyzedPlan {
    /// The line above the pipelines.
    static func summary(_ executions: [QueryExecution], milliseconds elapsed: Double) -> String {
        let steps = executions.flatMap(\.statistics).flatMap { $0 }
        let reports = steps.compactMap(\.scanReport)
        let processor = executions.reduce(0) { $0 + $1.processorNanoseconds }
        var text = "Elapsed \(milliseconds(elapsed)), CPU \(milliseconds(Double(processor) / 1e6))"
        if !reports.isEmpty {
            text += ", read \(bytes(reports.reduce(0) { $0 + $1.bytes }))"
            text += " in \(reports.reduce(0) { $0 + $1.rows }) rows"
        }
        text += ", peak memory \(bytes(executions.map(\.peakMemoryBytes).max() ?? 0))"
        let spilled = unique(steps).reduce(0) { $0 + $1.spilledBytes }
        if spilled > 0 { text += ", spilled \(bytes(spilled))" }
        return text
    }

    /// A line a pipeline and a line or two an operator.
    static func lines(_ executions: [QueryExecution], isVerbose: Bool) -> [String] {
        var lines: [String] = []
        for (number, pipeline) in executions.flatMap(\.statistics).enumerated() {
            lines.append("Pipeline \(number + 1)")
            for step in pipeline {
                lines.append(line(step, isVerbose: isVerbose))
                let parts = (step.scanReport?.lines ?? []) + step.remarks
                if !parts.isEmpty { lines.append("        " + parts.joined(separator: "; ")) }
            }
        }
        return lines
    }

    private static func line(_ step: OperatorStatistics, isVerbose: Bool) -> String {
        let report = step.scanReport
        var line = "    \(step.name)"
        if !step.detail.isEmpty { line += " [\(step.detail)]" }
        line += ": in \(report?.rows ?? step.inputRows) rows, out \(step.outputRows) rows"
        line += ", time \(milliseconds(Double(step.ownNanoseconds) / 1e6))"
        if step.finishNanoseconds > 0 {
            line += ", then \(milliseconds(Double(step.finishNanoseconds) / 1e6))"
        }
        if let report { line += ", read \(bytes(report.bytes))" }
        if step.peakMemoryBytes > 0 { line += ", memory \(bytes(step.peakMemoryBytes))" }
        if step.spilledBytes > 0 { line += ", spilled \(bytes(step.spilledBytes))" }
        if isVerbose { line += ", \(step.inputChunks) chunks" }
        return line
    }

    /// A sink that is the next pipeline's source stands in both, and counts once.
    private static func unique(_ steps: [OperatorStatistics]) -> [OperatorStatistics] {
        var seen: Set<ObjectIdentifier> = []
        return steps.filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    static func milliseconds(_ value: Double) -> String {
        guard value.isFinite, value < 1e12 else { return "?" }
        let hundredths = Int((value * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
    }

    static func bytes(_ count: Int) -> String {
        if count < 10_000 { return "\(count) B" }
        return count < 10_000_000 ? "\(count / 1000) kB" : "\(count / 1_000_000) MB"
    }
}
