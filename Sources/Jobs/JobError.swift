import Diagnostics

/// What can go wrong with pipelines and runs.
package struct JobError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        /// A declaration that makes no sense; the message begins with `file:line:column`.
        case invalidPipeline = "jobs.invalid_pipeline"
        case invalidSchedule = "jobs.invalid_schedule"
        case noSuchPipeline = "jobs.no_such_pipeline"
        case noSuchRun = "jobs.no_such_run"
        /// A parameter that the pipeline does not have, or one without a value.
        case invalidParameter = "jobs.invalid_parameter"
        /// The run or pipeline is not in a state that allows it.
        case wrongState = "jobs.wrong_state"
        /// Who the pipeline's runs act as is gone, or shut out.
        case principalRefused = "jobs.principal_refused"
        /// No handler is there for a step's kind.
        case unknownKind = "jobs.unknown_kind"
        case timedOut = "jobs.timed_out"
        case cancelled = "jobs.cancelled"
        case limitExceeded = "jobs.limit_exceeded"
        case stopped = "jobs.stopped"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, hint: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }
}
