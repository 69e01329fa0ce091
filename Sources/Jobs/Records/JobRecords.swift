/// Where a run stands.
package enum RunState: String, Sendable, CaseIterable {
    /// Waits for its turn: the pipeline has as many runs as it may.
    case queued
    case running, succeeded, failed, cancelled

    /// Whether nothing more will happen.
    package var isFinal: Bool { self != .queued && self != .running }
}

/// Where a step of a run stands.
package enum StepState: String, Sendable, CaseIterable {
    /// Its needs are not done.
    case waiting
    /// To be begun when due: at once, or after the backoff.
    case queued
    case running, succeeded, failed
    /// What it needs failed.
    case skipped
    case cancelled
}

/// Where an attempt stands.
package enum AttemptState: String, Sendable, CaseIterable {
    case running, succeeded, failed, cancelled
    /// The process ended in the middle of it.
    case lost
    /// The process was stopped in order; the step goes on with the next start.
    case interrupted
}

/// What started a run.
package enum TriggerKind: String, Sendable, CaseIterable { case manual, schedule, event, after }

/// A pipeline in a list.
package struct PipelineSummary: Sendable {
    package var name: String
    package var description: String
    package var isEnabled: Bool
    /// The cron line, and the zone it is about.
    package var schedule: String?
    package var zone: String?
    package var stepCount: Int
    package var triggers: [PipelineTrigger]
    /// Who its runs act as.
    package var owner: String
    /// Microseconds since 1970; nil: not by time.
    package var nextDueMicroseconds: Int64?
    package var lastRun: RunRecord?
    /// Why its declaration cannot be used any more, if so.
    package var fault: String?
}

/// A run in a list.
package struct RunRecord: Sendable, Hashable {
    package var id: String
    /// Ascends in the order of triggers.
    package var number: Int64
    package var pipeline: String
    package var state: RunState
    package var trigger: TriggerKind
    /// Who asked for it, or what: a name, the schedule, `s3://bucket/key`, another pipeline.
    package var requestedBy: String
    package var parameters: [String: String]
    package var createdMicroseconds: Int64
    package var startedMicroseconds: Int64?
    package var finishedMicroseconds: Int64?
    /// The first failure, in words.
    package var message: String?
    package var rows: Int64
}

/// A step of a run.
package struct StepRecord: Sendable, Hashable {
    package var id: String
    package var kind: String
    package var needs: [String]
    package var state: StepState
    package var attempts: Int
    package var startedMicroseconds: Int64?
    package var finishedMicroseconds: Int64?
    /// When the next attempt is due, for one that waits for its retry.
    package var dueMicroseconds: Int64?
    package var message: String?
    package var rows: Int64?
    /// JSON of the handler's figures.
    package var details: String?
}

/// An attempt at a step.
package struct AttemptRecord: Sendable, Hashable {
    package var step: String
    package var number: Int
    package var state: AttemptState
    package var startedMicroseconds: Int64
    package var finishedMicroseconds: Int64?
    package var message: String?
}

/// A run with all that belongs to it.
package struct RunDetail: Sendable {
    package var run: RunRecord
    package var steps: [StepRecord]
    package var attempts: [AttemptRecord]
}

/// A line of an attempt's log.
package struct LogLine: Sendable, Hashable {
    package var step: String
    package var attempt: Int
    package var atMicroseconds: Int64
    package var text: String
}
