import Diagnostics

/// Why the server does not listen.
package struct HTTPServerError: Fault {
    /// What clients of the module match on.
    package enum Code: String, Sendable {
        case cannotListen = "http.cannot_listen"
    }
    /// Which failure it is.
    package let code: Code
    /// What went wrong, in one sentence.
    package let message: String
    /// What to do next.
    package let hint: String?
    /// The failure below.
    package let cause: (any Error)?
}
