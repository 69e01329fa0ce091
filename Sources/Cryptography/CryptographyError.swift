import COpenSSL
import Diagnostics

/// What OpenSSL refused, or what a key, a certificate, a token or a ciphertext did not hold.
package struct CryptographyError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        case openSSL = "crypto.openssl"
        case badKey = "crypto.bad_key"
        case badCertificate = "crypto.bad_certificate"
        case cannotUnseal = "crypto.cannot_unseal"
        case badPasswordHash = "crypto.bad_password_hash"
        case badToken = "crypto.bad_token"
        case badSignature = "crypto.bad_signature"
        case handshakeFailed = "tls.handshake_failed"
        case connectionBroken = "tls.connection_broken"
    }

    package let code: Code
    package let message: String
    package let hint: String?

    package init(code: Code, message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// The fault for a call of OpenSSL that failed, with the reason it left on its error queue.
    static func openSSL(_ what: String, code: Code = .openSSL, hint: String? = nil) -> Self {
        let reason = lakehouse_last_error().map { String(cString: $0) }
        return Self(
            code: code, message: reason.map { "\(what): \($0)" } ?? what, hint: hint)
    }
}
