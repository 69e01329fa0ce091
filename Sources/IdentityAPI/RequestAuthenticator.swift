package import Authority
import Diagnostics
package import HTTPMessages
package import Identity

/// A request whose sender is known.
package struct AuthenticatedRequest: Sendable {
    package let context: RequestContext
    /// The session, when a cookie proved it: writes need its CSRF token then.
    package let session: Session?
}

/// Finds out who sends a request: by `Authorization` first, by session cookie second.
package struct RequestAuthenticator: Sendable {
    package let registry: IdentityRegistry
    package let rules: BrowserRules

    package init(registry: IdentityRegistry, rules: BrowserRules) {
        self.registry = registry
        self.rules = rules
    }

    /// The context of somebody who has not said who they are.
    package func anonymous(_ request: Request, door: Door) -> RequestContext {
        RequestContext(principal: .anonymous, requestID: request.requestID, door: door)
    }

    /// Who sends the request; nil when it has no credential at all. Throws `IdentityError` for one that
    /// is wrong, and `BrowserRefusal` for a write by cookie that breaks the rules.
    package func authenticate(
        _ request: Request, door: Door, csrfToken: String? = nil
    ) throws -> AuthenticatedRequest? {
        var context = anonymous(request, door: door)
        if let value = request.fields["Authorization"] {
            context.principal = try registry.authenticate(
                context, authorization: value, address: request.remoteAddress)
            return AuthenticatedRequest(context: context, session: nil)
        }
        guard let cookie = rules.sessionCookie(request),
            let session = try registry.session(context, cookie: cookie)
        else { return nil }
        if let refusal = rules.hostRefusal(request) { throw BrowserRefusal(response: refusal) }
        if request.method != .get, request.method != .head {
            let token = csrfToken ?? request.fields["X-CSRF-Token"]
            let refusal = rules.writeRefusal(request, token: token, expected: session.csrfToken)
            if let refusal { throw BrowserRefusal(response: refusal) }
        }
        context.principal = session.principal
        return AuthenticatedRequest(context: context, session: session)
    }

    /// The value of `WWW-Authenticate` for an error, or for no credential. Source: RFC 6750 section 3.
    package static func challenge(_ error: IdentityError?) -> String {
        guard let error else { return "Bearer realm=\"lakehouse\"" }
        switch error.code {
        case .invalidToken, .expiredToken, .disabled:
            let text = error.message.filter { $0 != "\"" && $0 != "\\" && $0.isASCII }
            return
                "Bearer realm=\"lakehouse\", error=\"invalid_token\", error_description=\"\(text)\""
        default: return "Basic realm=\"lakehouse\", charset=\"UTF-8\""
        }
    }
}

/// A request by cookie that another site may have made, with the answer to give.
package struct BrowserRefusal: Error, Sendable {
    package let response: Response
}
