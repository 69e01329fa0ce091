import Diagnostics

/// Why the server does not listen.
package struct HTTPServerError: Fault {
    package enum Code: String, Sendable {
        case cannotListen = "http.cannot_listen"
    }
    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?
}
