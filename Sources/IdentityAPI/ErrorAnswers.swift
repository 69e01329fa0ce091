import Authority
import Diagnostics
import HTTPMessages
import Identity
import JSON

extension IdentityError.Code {
    /// The status of REST answers.
    var status: Int {
        switch self {
        case .notFound: 404
        case .alreadyExists: 409
        case .invalidName, .invalidValue, .weakPassword: 400
        case .builtIn, .lastAdministrator: 409
        case .wrongCredentials, .disabled, .expired, .invalidToken, .expiredToken: 401
        case .throttled: 429
        case .invalidClient: 401
        case .invalidGrant, .unauthorizedClient, .authorizationPending, .slowDown: 400
        case .refusedByUser: 403
        case .masterKey: 500
        }
    }

    /// The `error` of OAuth answers. Sources: RFC 6749 section 5.2, RFC 8628 section 3.5.
    var oauth: String {
        switch self {
        case .notFound, .alreadyExists, .invalidName, .invalidValue, .weakPassword, .builtIn,
            .lastAdministrator:
            "invalid_request"
        case .wrongCredentials, .disabled, .expired, .invalidToken, .invalidGrant: "invalid_grant"
        case .expiredToken: "expired_token"
        case .throttled: "temporarily_unavailable"
        case .invalidClient: "invalid_client"
        case .unauthorizedClient: "unauthorized_client"
        case .authorizationPending: "authorization_pending"
        case .slowDown: "slow_down"
        case .refusedByUser: "access_denied"
        case .masterKey: "server_error"
        }
    }
}

/// A request that cannot be understood, in OAuth's words.
struct OAuthError: Error {
    var code: String
    var description: String
    var status = 400

    static func invalidRequest(_ description: String) -> OAuthError {
        OAuthError(code: "invalid_request", description: description)
    }
}

/// The JSON answer of the token endpoint and its kin to an error.
func oauthAnswer(_ error: any Error) -> Response {
    var code = "server_error"
    var description = "the request failed"
    var status = 500
    var extra: [(String, String)] = []
    switch error {
    case let error as OAuthError:
        (code, description, status) = (error.code, error.description, error.status)
    case let error as IdentityError:
        (code, description) = (error.code.oauth, error.message)
        status =
            error.code == .invalidClient
            ? 401 : error.code == .throttled ? 429 : error.code.status / 100 == 5 ? 500 : 400
        if status == 401 { extra.append(("WWW-Authenticate", "Basic realm=\"lakehouse\"")) }
        if let seconds = error.retryAfterSeconds { extra.append(("Retry-After", String(seconds))) }
    case let error as AccessDenied:
        (code, description, status) = ("access_denied", error.message, 403)
    case is HTTPBodyError:
        (code, description, status) = ("invalid_request", "the body cannot be read", 400)
    default: break
    }
    let body: JSONValue = .object([
        ("error", .string(code)), ("error_description", .string(description)),
    ])
    var response = Response.json(status, body.encoded())
    response.fields["Cache-Control"] = "no-store"
    for (name, value) in extra { response.fields[name] = value }
    return response
}

/// The JSON answer of the REST API to an error.
func apiAnswer(_ error: any Error) -> Response {
    switch error {
    case let refusal as BrowserRefusal: return refusal.response
    case let error as IdentityError:
        var response = apiAnswer(error.code.status, error.codeText, error.message, error.hint)
        if error.code.status == 401 {
            response.fields["WWW-Authenticate"] = RequestAuthenticator.challenge(error)
        }
        if let seconds = error.retryAfterSeconds {
            response.fields["Retry-After"] = String(seconds)
        }
        return response
    case let error as AccessDenied:
        return apiAnswer(403, error.codeText, error.message, error.hint)
    case let error as JSONError: return apiAnswer(400, error.codeText, error.message, error.hint)
    case let error as HTTPBodyError:
        if case .tooLarge(let limit) = error {
            return apiAnswer(413, "request.too_large", "the body is over \(limit) bytes", nil)
        }
        return apiAnswer(400, "request.body", "the body cannot be read", nil)
    case let error as any Fault:
        // Of the layers below only the code: paths and statements are nobody's business.
        return apiAnswer(
            error.codeText == "sqlite.disk_full" ? 507 : 500, error.codeText,
            "the directory of identities cannot be used", error.hint)
    default: return apiAnswer(500, "internal", "the request failed", nil)
    }
}

func apiAnswer(_ status: Int, _ code: String, _ message: String, _ hint: String?) -> Response {
    var members: [(String, JSONValue)] = [("code", .string(code)), ("message", .string(message))]
    if let hint { members.append(("hint", .string(hint))) }
    return .json(status, JSONValue.object([("error", .object(members))]).encoded())
}
