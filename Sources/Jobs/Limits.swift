/// Limits of jobs.
package enum JobLimits {
    /// Bytes of a pipeline's YAML.
    package static let documentBytes = 1 << 20
    /// Steps of a pipeline.
    package static let steps = 500
    /// Times that a step is begun again because the process ended in the middle of it, without that a part of
    /// it was finished in between.
    package static let lostAttempts = 3
    /// Retries that a step may ask for.
    package static let retries = 100
    /// Lines of log an attempt keeps; what comes after is counted.
    package static let logLines = 10_000
    /// Bytes of one line.
    package static let logLineBytes = 8_192
    /// Runs of a pipeline that wait; further triggers are refused.
    package static let waitingRuns = 100_000
    /// Events taken from a source in one transaction.
    package static let eventBatch = 500
    /// For so long events that began no run are let come together.
    package static let eventPause = Duration.milliseconds(20)
    /// Files that no pipeline takes of which the log tells one by one before `unclaimedPause` is over; the
    /// others are counted.
    package static let unclaimedNotes = 20
    package static let unclaimedPause = Duration.seconds(60)
    /// Runs that a list gives at the most.
    package static let listedRuns = 1_000
    /// Seconds that the scheduler sleeps at the most: a clock that somebody sets is noticed then.
    package static let sleepSeconds = 60
}
