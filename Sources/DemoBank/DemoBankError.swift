import Diagnostics

/// What can stop the making of a bank.
package struct DemoBankError: Fault {
    package enum Code: String, Sendable {
        /// The database holds a schema of that name which is somebody's.
        case sourceTaken = "demo.source_taken"
    }
    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?

    init(_ code: Code, _ message: String, hint: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }
}
