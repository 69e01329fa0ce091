package import Authority
package import HTTPMessages
package import Identity
import JSON

/// Every endpoint of this module, over one registry.
package struct IdentityEndpoints: Sendable {
    let registry: IdentityRegistry
    let authenticator: RequestAuthenticator
    var rules: BrowserRules { authenticator.rules }
    /// Without `/oidc`: what endpoints are announced under.
    let publicURL: String
    /// Logins of programs by way of a browser; whoever refuses a request announces them.
    package let externalLogins: ExternalLogins

    package init(
        registry: IdentityRegistry, rules: BrowserRules, publicURL: String,
        externalLogins: ExternalLogins = ExternalLogins()
    ) {
        self.externalLogins = externalLogins
        self.registry = registry
        authenticator = RequestAuthenticator(registry: registry, rules: rules)
        self.publicURL = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
    }

    /// The routes for the console's port.
    package var routes: [Route] {
        oidcRoutes + loginRoutes + externalLoginRoutes + apiRoutes
    }

    /// Answers a token request; also for Iceberg's `/v1/oauth/tokens`.
    package func token(_ request: Request, door: Door) -> Response {
        do { return try grantToken(request, door: door) } catch { return oauthAnswer(error) }
    }
}
