import Diagnostics

/// Foreign bytes that do not follow their format.
package struct BytesError: Fault, Equatable {
    package enum Code: String, Sendable {
        /// Fewer bytes than the format asks for.
        case truncated = "bytes.truncated"
        /// A varint of more bits than its type.
        case varintTooLong = "bytes.varint_too_long"
        /// A length that is negative or past a limit.
        case invalidLength = "bytes.invalid_length"
        /// Text that is not hex, base64, UTF-8 or percent-encoded.
        case invalidText = "bytes.invalid_text"
    }

    package let code: Code
    package let message: String
    package var hint: String? { nil }

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    /// The input ended: `wanted` bytes at `offset`, where `available` were left.
    @inline(never)
    package static func truncated(at offset: Int, wanted: Int, available: Int) -> BytesError {
        BytesError(
            code: .truncated,
            message: "\(wanted) bytes wanted at offset \(offset), \(available) are there")
    }
}
