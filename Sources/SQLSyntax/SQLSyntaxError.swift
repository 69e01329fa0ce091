package import Diagnostics

/// A text that is not SQL of our dialect: where it stopped making sense, and what would.
package struct SQLSyntaxError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        /// The usual one; Trino's SYNTAX_ERROR.
        case syntax = "sql.syntax_error"
        /// A form of another dialect, with its equivalent as hint.
        case foreignDialect = "sql.foreign_dialect"
        /// A form of the standard that the engine does without; Trino's NOT_SUPPORTED.
        case notSupported = "sql.not_supported"
        /// A number that no type can hold.
        case numberOutOfRange = "sql.number_out_of_range"
        /// Deeper or longer than `Limits` allows.
        case limitExceeded = "sql.statement_too_complex"
    }

    package let code: Code
    /// Begins with `line L:C: `, as Trino's messages do.
    package let message: String
    package let hint: String?
    package let span: SourceSpan

    init(code: Code = .syntax, _ text: String, at span: SourceSpan, hint: String? = nil) {
        self.code = code
        message = "line \(span.line):\(span.column): \(text)"
        self.hint = hint
        self.span = span
    }
}
