import Authority
import Jobs
import Platform
import SQLite

/// Follows a run for somebody who waits: a line on standard error for each change of a step.
struct RunWatch {
    private let jobs: JobScheduler
    private let context: RequestContext
    private let streams: any CommandStreams

    init(_ jobs: JobScheduler, _ context: RequestContext, _ streams: any CommandStreams) {
        self.jobs = jobs
        self.context = context
        self.streams = streams
    }

    /// Waits for the end, or as long as given; the run as it is then.
    func follow(_ id: String, for patience: Duration?) throws -> RunDetail {
        let clock = SystemMonotonicClock()
        let deadline = patience.map { clock.now() + $0 }
        var shown: [String: String] = [:]
        while true {
            let seen = jobs.changes.current
            let detail = try jobs.run(context, id)
            for step in detail.steps {
                let line = Self.line(step)
                if shown.updateValue(line, forKey: step.id) == line { continue }
                if step.state != .waiting, step.state != .queued || step.attempts > 0 {
                    streams.complain(line + "\n")
                }
            }
            if detail.run.state.isFinal || !jobs.isRunning { return detail }
            // A stop of the server is no event of the run: look up now and then.
            var left = Int64(1_000_000_000)
            if let deadline {
                left = min(left, (deadline - clock.now()).wholeNanoseconds)
                guard left > 0 else { return detail }
            }
            _ = jobs.changes.wait(past: seen, timeoutNanoseconds: UInt64(left))
        }
    }

    private static func line(_ step: StepRecord) -> String {
        var text = "  \(step.id): \(step.state.rawValue)"
        if step.state == .queued { text = "  \(step.id): waits for its next try" }
        if step.state == .running, step.attempts > 1 { text += " (try \(step.attempts))" }
        if let message = step.message { text += ": \(message)" }
        if step.state == .succeeded, let start = step.startedMicroseconds,
            let end = step.finishedMicroseconds
        {
            text += " (\(seconds(end &- start)))"
        }
        return text
    }

    /// One line about a run: what, how it ended, how long, and why if it failed.
    static func sentence(_ run: RunRecord) -> String {
        var text = "\(run.pipeline) \(run.state.rawValue)"
        if run.state == .succeeded { text += ", \(run.rows) rows" }
        if let duration = duration(run) { text += " after \(duration)" }
        if let message = run.message { text += ": \(message)" }
        return text + "  (\(run.id))"
    }

    /// How long a run took, once it is over.
    static func duration(_ run: RunRecord) -> String? {
        guard let start = run.startedMicroseconds, let end = run.finishedMicroseconds else {
            return nil
        }
        return seconds(end &- start)
    }

    private static func seconds(_ microseconds: Int64) -> String {
        let milliseconds = max(0, microseconds / 1000)
        return milliseconds < 10_000
            ? "\(milliseconds) ms" : "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }
}
