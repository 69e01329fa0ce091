import Diagnostics

/// What can stop a walkthrough besides a claim that does not hold.
package struct WalkthroughError: Fault {
    package enum Code: String, Sendable {
        case unknownDemo = "demo.unknown"
        case unknownClaim = "demo.unknown_claim"
        case preflight = "demo.preflight"
        /// The directory holds something that a walkthrough does not write over.
        case directoryTaken = "demo.directory_taken"
        case requestFailed = "demo.request_failed"
        case statementFailed = "demo.statement_failed"
        case claimFailed = "demo.claim_failed"
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
