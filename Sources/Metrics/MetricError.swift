import Diagnostics

/// A metrics file, a frame or a question that cannot be used.
package struct MetricError: Fault {
    /// What went wrong, stable on wires.
    package enum Code: String, Sendable {
        case invalidFile = "metrics.invalid_file"
        case invalidExpression = "metrics.invalid_expression"
        case invalidFrame = "metrics.invalid_frame"
        case fanOut = "metrics.join_fans_out"
        case noSuchModel = "metrics.no_such_model"
        case queryFailed = "metrics.query_failed"
        case denied = "metrics.denied"
        case endpoint = "metrics.endpoint_failed"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?

    /// A failure with its words.
    package init(
        _ code: Code, _ message: String, hint: String? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }
}
