import Diagnostics

/// A text that is no JSON, or JSON of another shape than expected.
package struct JSONError: Fault, Equatable {
    package enum Code: String, Sendable {
        case syntax = "json.syntax"
        case tooDeep = "json.too_deep"
        case missing = "json.missing_member"
        case wrongType = "json.wrong_type"
        case outOfRange = "json.number_out_of_range"
    }

    package let code: Code
    package let message: String
    /// Byte offset of a syntax error.
    package let offset: Int?
    package var hint: String? { nil }

    package init(code: Code, message: String, offset: Int? = nil) {
        self.code = code
        self.message = message
        self.offset = offset
    }
}
