import Authority
import Bytes
import Cryptography
import HTTPMessages
import Identity
import JSON

extension IdentityEndpoints {
    var oidcRoutes: [Route] {
        [
            Route(.get, "/oidc/.well-known/openid-configuration") { _, _ in discovery },
            Route(.get, "/.well-known/openid-configuration") { _, _ in discovery },
            Route(.get, "/oidc/.well-known/oauth-authorization-server") { _, _ in discovery },
            Route(.get, "/oidc/jwks") { _, _ in
                do {
                    return .json(200, try registry.keySet().encoded())
                        .with("Cache-Control", "public, max-age=300")
                        .with("Access-Control-Allow-Origin", "*")
                } catch { return oauthAnswer(error) }
            },
            Route(.get, "/oidc/authorize") { request, _ in page(request) { try authorize(request) }
            },
            Route(.post, "/oidc/token") { request, _ in token(request, door: .oidc) },
            Route(.get, "/oidc/userinfo") { request, _ in userInfo(request) },
            Route(.post, "/oidc/userinfo") { request, _ in userInfo(request) },
            Route(.post, "/oidc/introspect") { request, _ in oauth { try introspect(request) } },
            Route(.post, "/oidc/revoke") { request, _ in oauth { try revoke(request) } },
            Route(.post, "/oidc/device_authorization") { request, _ in
                oauth { try startDevice(request) }
            },
            Route(.get, "/oidc/logout") { request, _ in page(request) { try endSession(request) } },
        ]
    }

    func oauth(_ body: () throws -> Response) -> Response {
        do {
            var response = try body()
            response.fields["Cache-Control"] = "no-store"
            return response
        } catch { return oauthAnswer(error) }
    }

    /// Source: OpenID Connect Discovery 1.0 section 3, RFC 8414.
    private var discovery: Response {
        let base = registry.configuration.issuer
        let lists: [(String, [String])] = [
            ("response_types_supported", ["code"]), ("response_modes_supported", ["query"]),
            ("grant_types_supported", GrantType.allCases.map(\.rawValue)),
            ("subject_types_supported", ["public"]),
            (
                "id_token_signing_alg_values_supported",
                [registry.configuration.signatureAlgorithm.rawValue]
            ),
            ("scopes_supported", ["openid", "profile", "email", "groups", "offline_access"]),
            (
                "token_endpoint_auth_methods_supported",
                ["client_secret_basic", "client_secret_post", "none"]
            ),
            (
                "claims_supported",
                [
                    "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "name", "email",
                    "preferred_username", "groups",
                ]
            ), ("code_challenge_methods_supported", ["S256"]),
        ]
        let places = [
            ("authorization_endpoint", "authorize"), ("token_endpoint", "token"),
            ("userinfo_endpoint", "userinfo"), ("jwks_uri", "jwks"),
            ("introspection_endpoint", "introspect"), ("revocation_endpoint", "revoke"),
            ("device_authorization_endpoint", "device_authorization"),
            ("end_session_endpoint", "logout"),
        ]
        let document: JSONValue = .object(
            [("issuer", .string(base))]
                + places.map { ($0.0, .string("\(base)/\($0.1)")) }
                + lists.map { ($0.0, .array($0.1.map { .string($0) })) }
                + [("authorization_response_iss_parameter_supported", true)])
        return .json(200, document.encoded()).with("Cache-Control", "public, max-age=300")
            .with("Access-Control-Allow-Origin", "*")
    }

    // MARK: The authorization endpoint

    /// Source: RFC 6749 section 4.1, RFC 7636, OpenID Connect Core section 3.1.2.
    private func authorize(_ request: Request) throws -> Response {
        let query = request.queryItems
        // Until client and redirect URI are known to be sound, nothing may be redirected anywhere.
        guard let clientID = query["client_id"],
            let client = try registry.registeredClient(clientID), !client.isDisabled,
            client.grantTypes.contains(.authorizationCode)
        else { throw OAuthError.invalidRequest("The client is not known here.") }
        guard let redirectURI = query["redirect_uri"],
            Self.isRegistered(redirectURI, for: client)
        else {
            throw OAuthError.invalidRequest("The redirect URI is not registered for the client.")
        }
        func refuse(_ code: String, _ description: String) -> Response {
            answer(
                redirectURI, query["state"],
                [("error", code), ("error_description", description)])
        }
        guard query["response_type"] == "code" else {
            return refuse("unsupported_response_type", "only code is supported")
        }
        let challenge = query["code_challenge"]
        if challenge != nil || client.kind == .public {
            guard query["code_challenge_method"] == "S256", let challenge,
                challenge.utf8.count == 43, base64Bytes(challenge, alphabet: .url) != nil
            else { return refuse("invalid_request", "PKCE with S256 is required") }
        }
        let known = try authenticator.authenticate(request, door: .oidc)
        guard let known, let session = known.session else {
            return query["prompt"] == "none"
                ? refuse("login_required", "nobody is logged in") : redirectToLogin(request)
        }
        let code = try registry.createAuthorizationCode(
            known.context, client: client, redirectURI: redirectURI,
            scope: query["scope"] ?? "", nonce: query["nonce"], challenge: challenge,
            authenticatedMicroseconds: session.authenticatedMicroseconds)
        return answer(redirectURI, query["state"], [("code", code)])
    }

    private func answer(
        _ redirectURI: String, _ state: String?, _ items: [(String, String)]
    ) -> Response {
        var items = items
        if let state { items.append(("state", state)) }
        items.append(("iss", registry.configuration.issuer))
        let query = items.map { "\($0.0)=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
        return .redirect(to: redirectURI + (redirectURI.contains("?") ? "&" : "?") + query)
    }

    /// Exact, but for the port of a loopback address, which native programs pick when they start.
    /// Source: RFC 8252 section 7.3.
    static func isRegistered(_ uri: String, for client: Client) -> Bool {
        if client.redirectURIs.contains(uri) { return true }
        guard let bare = withoutLoopbackPort(uri) else { return false }
        return client.redirectURIs.contains { withoutLoopbackPort($0) == bare }
    }

    private static func withoutLoopbackPort(_ uri: String) -> String? {
        for host in ["http://127.0.0.1", "http://[::1]", "http://localhost"]
        where uri.hasPrefix(host) {
            let rest = uri.dropFirst(host.count)
            if rest.hasPrefix(":") {
                let after = rest.dropFirst().drop { $0.isASCII && $0.isNumber }
                return after.isEmpty || after.hasPrefix("/") ? host + after : nil
            }
            return rest.isEmpty || rest.hasPrefix("/") ? host + rest : nil
        }
        return nil
    }

    // MARK: What a token tells

    private func userInfo(_ request: Request) -> Response {
        let context = authenticator.anonymous(request, door: .oidc)
        do {
            let halves = (request.fields["Authorization"] ?? "").split(
                separator: " ", maxSplits: 1)
            guard halves.count == 2, halves[0].lowercased() == "bearer" else {
                return apiAnswer(401, "request.no_credential", "send a bearer token", nil)
                    .with("WWW-Authenticate", RequestAuthenticator.challenge(nil))
            }
            let bearer = try registry.authenticate(context, bearer: String(halves[1]))
            return .json(
                200, JSONValue.object(try registry.userClaims(bearer.principal.id)).encoded()
            )
            .with("Cache-Control", "no-store")
        } catch { return apiAnswer(error) }
    }

    /// Source: RFC 7662.
    private func introspect(_ request: Request) throws -> Response {
        let form = try readForm(request)
        let context = authenticator.anonymous(request, door: .oidc)
        let client = try authenticateClient(request, form, context)
        guard client.kind != .public else {
            throw OAuthError(
                code: "invalid_client", description: "only clients with a secret may ask",
                status: 401)
        }
        guard let token = form["token"] else { throw OAuthError.invalidRequest("token is missing") }
        guard let bearer = try? registry.authenticate(context, bearer: token) else {
            return .json(200, JSONValue.object([("active", false)]).encoded())
        }
        let claims = bearer.claims
        var members: [(String, JSONValue)] = [
            ("active", true), ("token_type", "Bearer"), ("iss", .string(claims.issuer)),
            ("sub", .string(claims.subject)), ("exp", .int(claims.expiresSeconds)),
            ("iat", .int(claims.issuedSeconds)), ("scope", .string(claims.scope)),
            ("username", .string(bearer.principal.name)),
            ("groups", .array(bearer.principal.groups.map { .string($0) })),
        ]
        if let id = claims.clientID { members.append(("client_id", .string(id))) }
        return .json(200, JSONValue.object(members).encoded())
    }

    /// Source: RFC 7009: an unknown token is as good as a revoked one.
    private func revoke(_ request: Request) throws -> Response {
        let form = try readForm(request)
        let context = authenticator.anonymous(request, door: .oidc)
        let client = try authenticateClient(request, form, context)
        guard let token = form["token"] else { throw OAuthError.invalidRequest("token is missing") }
        if let bearer = try? registry.authenticate(context, bearer: token) {
            guard bearer.claims.clientID == client.id else {
                throw OAuthError(
                    code: "invalid_grant", description: "the token belongs to another client")
            }
            try registry.revoke(context, accessToken: token)
        } else {
            try registry.revoke(context, refreshToken: token, client: client)
        }
        return Response(status: 200)
    }

    private func startDevice(_ request: Request) throws -> Response {
        let form = try readForm(request)
        let context = authenticator.anonymous(request, door: .oidc)
        let client = try authenticateClient(request, form, context)
        guard client.grantTypes.contains(.deviceCode) else {
            throw IdentityError(
                code: .unauthorizedClient, message: "the client may not use device codes")
        }
        let started = try registry.startDeviceAuthorization(
            context, client: client, scope: form["scope"] ?? "")
        let body: JSONValue = .object([
            ("device_code", .string(started.deviceCode)), ("user_code", .string(started.userCode)),
            ("verification_uri", .string("\(publicURL)/device")),
            (
                "verification_uri_complete",
                .string("\(publicURL)/device?user_code=\(started.userCode)")
            ), ("expires_in", .int(started.expiresInSeconds)),
            ("interval", .int(started.intervalSeconds)),
        ])
        return .json(200, body.encoded())
    }

    // MARK: Logout

    /// Asks before it ends the session, since any site can link here. Source: OpenID Connect
    /// RP-Initiated Logout 1.0.
    private func endSession(_ request: Request) throws -> Response {
        let target = request.queryItems["post_logout_redirect_uri"] ?? ""
        let isRegistered = target.isEmpty ? false : try isRegisteredLogoutTarget(target)
        guard let known = try authenticator.authenticate(request, door: .oidc),
            let session = known.session
        else { return .redirect(to: isRegistered ? target : "/login") }
        let origin = isRegistered ? BrowserRules.authority(ofURL: target) : nil
        let scheme = target.hasPrefix("https") ? "https" : "http"
        return rules.secured(
            .html(200, Pages.logout(csrf: session.csrfToken, target: isRegistered ? target : "")),
            formTargets: origin.map { ["\(scheme)://\($0)"] } ?? [])
    }

    /// Whether some client has a redirect URI of the same origin.
    func isRegisteredLogoutTarget(_ target: String) throws -> Bool {
        guard let authority = BrowserRules.authority(ofURL: target),
            target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return false }
        let context = RequestContext(principal: .system, requestID: "-", door: .oidc)
        return try registry.clients(context).contains { client in
            client.redirectURIs.contains {
                BrowserRules.authority(ofURL: $0) == authority
                    && $0.hasPrefix("https:") == target.hasPrefix("https:")
            }
        }
    }
}
