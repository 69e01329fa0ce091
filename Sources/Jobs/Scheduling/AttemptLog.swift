import Platform
import SQLite
import Synchronization

/// The log of a running attempt: lines are shown at once and written in batches.
final class AttemptLog: Sendable {
    private struct State {
        var waiting: [LogLine] = []
        var count = 0
        var dropped = 0
        var lastFlush: Int64
    }

    private let database: Database
    private let runID: String
    private let stepID: String
    private let attempt: Int
    private let clock: any WallClock
    private let state: Mutex<State>
    private static let batch = 200
    private static let flushMicroseconds: Int64 = 1_000_000

    init(database: Database, runID: String, stepID: String, attempt: Int, clock: any WallClock) {
        self.database = database
        self.runID = runID
        self.stepID = stepID
        self.attempt = attempt
        self.clock = clock
        state = Mutex(State(lastFlush: clock.now().microseconds))
    }

    func append(_ text: String) {
        let now = clock.now().microseconds
        let isDue = state.withLock { state in
            state.count += 1
            guard state.count <= JobLimits.logLines else {
                state.dropped += 1
                return false
            }
            let line =
                text.utf8.count <= JobLimits.logLineBytes
                ? text
                : String(decoding: text.utf8.prefix(JobLimits.logLineBytes), as: UTF8.self) + "…"
            state.waiting.append(
                LogLine(step: stepID, attempt: attempt, atMicroseconds: now, text: line))
            return state.waiting.count >= Self.batch
                || now - state.lastFlush >= Self.flushMicroseconds
        }
        // A log that cannot be written must not end the work that it tells of.
        if isDue { try? database.writeGrouped { tx in try flush(tx) } }
    }

    /// Lines that are not in the database yet.
    var unwritten: [LogLine] { state.withLock { $0.waiting } }

    /// Writes what waits with a transaction at hand.
    func flush(_ tx: WriteTransaction, isLast: Bool = false) throws {
        let now = clock.now().microseconds
        var lines = state.withLock { state in
            let lines = state.waiting
            state.waiting = []
            state.lastFlush = now
            return lines
        }
        let dropped = state.withLock { $0.dropped }
        if isLast, dropped > 0 {
            lines.append(
                LogLine(
                    step: stepID, attempt: attempt, atMicroseconds: now,
                    text: "\(dropped) more lines were left out"))
        }
        for line in lines {
            try tx.run(
                "INSERT INTO logs (run_id, step_id, attempt, at_us, text) VALUES (?, ?, ?, ?, ?)",
                runID,
                stepID, attempt, line.atMicroseconds, line.text)
        }
        if !lines.isEmpty {
            try tx.emit(kind: "job.log", payload: #"{"run":"\#(runID)"}"#)
        }
    }
}
