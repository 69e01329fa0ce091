import Diagnostics

/// What can be wrong with a text file.
package struct TextTableError: Fault {
    package enum Code: String, Sendable {
        case unreadable = "text.unreadable"
        case empty = "text.empty_file"
        case wrongFieldCount = "text.wrong_field_count"
        case unterminatedQuote = "text.unterminated_quote"
        case strayQuote = "text.stray_quote"
        case recordTooLong = "text.record_too_long"
        case tooManyColumns = "text.too_many_columns"
        case invalidValue = "text.invalid_value"
        case invalidJSON = "text.invalid_json"
        case invalidUTF8 = "text.invalid_utf8"
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
