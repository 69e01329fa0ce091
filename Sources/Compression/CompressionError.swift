import Diagnostics

/// Why bytes could not be compressed or decompressed.
package struct CompressionError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        /// The compressed bytes are damaged or cut short.
        case corrupted = "compression.corrupted"
        /// The bytes are sound, but not as many as the caller was told.
        case sizeMismatch = "compression.size_mismatch"
        /// More bytes would come out than the caller allows.
        case limitExceeded = "compression.limit_exceeded"
        /// The codec cannot do this, such as streaming a bare block.
        case unsupported = "compression.unsupported"
        /// The library refused for lack of memory or a setting it does not know.
        case libraryFailed = "compression.library_failed"
    }

    package let code: Code
    package let message: String
    package let hint: String?

    package init(code: Code, message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }
}
