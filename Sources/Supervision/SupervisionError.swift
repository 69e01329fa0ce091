import Diagnostics

/// A service that could not be started.
package struct SupervisionError: Fault {
    package enum Code: String, Sendable {
        case startFailed = "supervision.start_failed"
    }
    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?

    /// Names the service and the cause; the remedy is the cause's own hint.
    init(service: String, cause: any Error) {
        code = .startFailed
        if let fault = cause as? any Fault {
            message = "the service \(service) did not start: \(fault.message)"
            hint = fault.hint ?? "see the cause, mend it and start again"
        } else {
            message = "the service \(service) did not start: \(cause)"
            hint = "see the cause, mend it and start again"
        }
        self.cause = cause
    }
}
