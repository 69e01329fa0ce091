import Diagnostics

/// A failure of planar geometry.
package struct GeometryError: Fault {
    package enum Code: String, Sendable {
        /// The library is not on this machine, or too old.
        case notInstalled = "geometry.not_installed"
        /// Bytes that are no shape, or a shape for which the operation has no answer.
        case invalid = "geometry.invalid"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package var cause: (any Error)? { nil }

    init(code: Code, message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }
}
