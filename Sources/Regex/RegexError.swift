import Diagnostics

/// A pattern that does not compile, or a match that did not end in its limits.
package struct RegexError: Fault {
    package enum Code: String, Sendable {
        case invalidPattern = "regex.invalid_pattern"
        case invalidReplacement = "regex.invalid_replacement"
        case limitExceeded = "regex.limit_exceeded"
        case cancelled = "regex.cancelled"
        case invalidSubject = "regex.invalid_subject"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    /// The byte of the pattern or replacement where the trouble is, if known.
    package let offset: Int?

    init(code: Code, message: String, hint: String? = nil, offset: Int? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.offset = offset
    }
}

/// What one match may cost.
package enum RegexLimits {
    /// Bytes of a pattern.
    package static let patternBytes = 65_536
    /// Steps of a match before it is watched; some milliseconds.
    package static let quickSteps: UInt32 = 200_000
    /// Steps of one match; some tenths of a second.
    package static let matchSteps: UInt32 = 10_000_000
    /// Items of the pattern that one watched match goes over; about a second.
    package static let matchItems = 50_000_000
    /// Nested backtracking points.
    package static let depth: UInt32 = 250_000
    /// Kibibytes of memory of one match.
    package static let heapKibibytes: UInt32 = 65_536
    /// Patterns that a cache keeps.
    package static let cachedPatterns = 256
    /// How many items are matched between two questions for cancellation.
    package static let itemsPerCheck = 4_096
}
