import Diagnostics

/// What can go wrong with checks.
package struct QualityError: Fault {
    /// What went wrong.
    package enum Code: String, Sendable, CaseIterable {
        case invalidCheck = "quality.invalid_check"
        case noSuchColumn = "quality.no_such_column"
        case noSuchCheck = "quality.no_such_check"
        case alreadyExists = "quality.already_exists"
        /// Checks of severity `fail` failed.
        case gateRed = "quality.gate_red"
        /// Rows in are not rows kept and rows in quarantine.
        case countsDiffer = "quality.counts_differ"
        /// Somebody else changed the table while its bad rows were on their way.
        case tableChanged = "quality.table_changed"
        /// Others wrote to main whenever the checks had looked at what was to be published.
        case mainMoved = "quality.main_moved"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?
    /// The option of the check that is wrong, if it is one.
    package let option: String?

    /// A fault with its words.
    package init(
        _ code: Code, _ message: String, hint: String? = nil, cause: (any Error)? = nil,
        option: String? = nil
    ) {
        self.option = option
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }
}
