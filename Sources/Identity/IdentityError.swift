import Diagnostics

/// Why a credential, a name or a change of the directory was refused.
package struct IdentityError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        case notFound = "identity.not_found"
        case alreadyExists = "identity.already_exists"
        case invalidName = "identity.invalid_name"
        case invalidValue = "identity.invalid_value"
        case weakPassword = "identity.weak_password"
        case builtIn = "identity.built_in"
        case lastAdministrator = "identity.last_administrator"
        case wrongCredentials = "identity.wrong_credentials"
        case disabled = "identity.disabled"
        case expired = "identity.expired"
        case throttled = "identity.throttled"
        case invalidToken = "identity.invalid_token"
        case expiredToken = "identity.expired_token"
        case invalidClient = "identity.invalid_client"
        case invalidGrant = "identity.invalid_grant"
        case unauthorizedClient = "identity.unauthorized_client"
        case authorizationPending = "identity.authorization_pending"
        case slowDown = "identity.slow_down"
        case refusedByUser = "identity.refused_by_user"
        case masterKey = "identity.master_key"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?
    /// For `.throttled`: how many seconds to wait.
    package let retryAfterSeconds: Int?

    package init(
        code: Code, message: String, hint: String? = nil, cause: (any Error)? = nil,
        retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// One answer for unknown names and wrong secrets, so that names cannot be probed.
    static let wrongCredentials = IdentityError(
        code: .wrongCredentials, message: "the name or the password is wrong",
        hint: "make new credentials with `lakehouse connect` or ask an administrator")

    static func notFound(_ kind: String, _ name: String) -> IdentityError {
        let lists = [
            "account": "user", "group": "group", "role": "role", "client": "client",
            "access key": "key",
        ]
        return IdentityError(
            code: .notFound, message: "\(kind) not found: \(name)",
            hint: lists[kind].map { "`lakehouse \($0) list` shows those there are" })
    }
}
