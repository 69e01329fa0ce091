import Diagnostics

/// Why a text is not a document that we read.
package struct XMLError: Fault {
    package enum Code: String, Sendable {
        case malformed = "xml.malformed"
        case limitExceeded = "xml.limit_exceeded"
        case unsupported = "xml.unsupported"
    }

    package let code: Code
    package let message: String
    package var hint: String? { nil }

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }
}
