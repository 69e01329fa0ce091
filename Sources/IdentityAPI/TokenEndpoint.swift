import Authority
import Bytes
import HTTPMessages
import Identity
import JSON

extension IdentityEndpoints {
    /// One token request. Sources: RFC 6749 sections 4 to 6, RFC 8628, RFC 8693.
    func grantToken(_ request: Request, door: Door) throws -> Response {
        let form = try readForm(request)
        let context = authenticator.anonymous(request, door: door)
        guard let name = form["grant_type"] else {
            throw OAuthError.invalidRequest("grant_type is missing")
        }
        guard let type = GrantType(rawValue: name) else {
            throw OAuthError(
                code: "unsupported_grant_type",
                description: "not a grant type here: \(name.prefix(80))")
        }
        if type == .tokenExchange { return try exchange(request, form, context) }
        let client = try authenticateClient(request, form, context)
        guard client.grantTypes.contains(type) else {
            throw IdentityError(
                code: .unauthorizedClient, message: "the client may not use \(name)")
        }
        switch type {
        case .authorizationCode:
            let granted = try registry.redeemAuthorizationCode(
                context, code: try needed(form, "code"), client: client,
                redirectURI: try needed(form, "redirect_uri"), verifier: form["code_verifier"])
            return try answer(context, client, granted)
        case .refreshToken:
            let granted = try registry.refresh(
                context, token: try needed(form, "refresh_token"), client: client,
                scope: form["scope"].flatMap { $0.isEmpty ? nil : $0 })
            return try answer(context, client, granted)
        case .deviceCode:
            let granted = try registry.redeemDeviceCode(
                context, deviceCode: try needed(form, "device_code"), client: client)
            return try answer(context, client, granted)
        case .clientCredentials:
            let issued = try registry.issueToken(
                context, for: registry.principal(of: client), clientID: client.id,
                scope: form["scope"] ?? "")
            return answer(issued)
        case .password:
            let principal = try registry.authenticate(
                context, name: try needed(form, "username"), password: try needed(form, "password"),
                address: request.remoteAddress)
            let scope = form["scope"] ?? ""
            var issued = try registry.issueToken(
                context, for: principal, clientID: client.id, scope: scope)
            issued.refreshToken = try registry.createRefreshToken(
                context, client: client, principal: principal, scope: scope)
            return answer(issued)
        case .tokenExchange:
            throw OAuthError.invalidRequest("the request cannot be understood")
        }
    }

    /// Trades an access token for one that begins to live now: what Iceberg clients do before theirs
    /// expires. The token proves its holder; a client that names itself must prove that, too.
    private func exchange(
        _ request: Request, _ form: QueryItems, _ context: RequestContext
    ) throws -> Response {
        let accessType = "urn:ietf:params:oauth:token-type:access_token"
        let types = [accessType, "urn:ietf:params:oauth:token-type:jwt"]
        guard types.contains(try needed(form, "subject_token_type")) else {
            throw OAuthError.invalidRequest("subject_token_type must be an access token")
        }
        guard form["actor_token"] == nil else {
            throw OAuthError.invalidRequest("actor tokens are not supported")
        }
        if let wanted = form["requested_token_type"], !types.contains(wanted) {
            throw OAuthError.invalidRequest("only access tokens are given")
        }
        let isBasic = request.fields["Authorization"]?.lowercased().hasPrefix("basic ") ?? false
        if isBasic || form["client_id"] != nil {
            let client = try authenticateClient(request, form, context)
            guard client.grantTypes.contains(.tokenExchange) else {
                throw IdentityError(
                    code: .unauthorizedClient, message: "the client may not exchange tokens")
            }
        }
        let bearer = try registry.authenticate(
            context, bearer: try needed(form, "subject_token"))
        // A credential that was disabled or has expired must not live on in exchanged tokens.
        if let id = bearer.claims.clientID {
            let client = try registry.registeredClient(id)
            guard let client, !client.isDisabled,
                client.expiresMicroseconds.map({ $0 > registry.currentMicroseconds }) ?? true
            else {
                throw IdentityError(
                    code: .invalidGrant, message: "the client of the token is gone or has expired")
            }
        }
        let issued = try registry.issueToken(
            context, for: bearer.principal, clientID: bearer.claims.clientID,
            scope: TokenScope.narrowed(form["scope"], from: bearer.claims.scope))
        return answer(issued, extra: [("issued_token_type", .string(accessType))])
    }

    private func answer(
        _ context: RequestContext, _ client: Client, _ granted: GrantedAccess
    ) throws -> Response {
        var issued = try registry.issueToken(
            context, for: granted.principal, clientID: client.id, scope: granted.scope)
        issued.refreshToken = granted.refreshToken
        if granted.scope.split(separator: " ").contains("openid") {
            issued.idToken = try registry.issueIDToken(
                context, for: granted.principal, clientID: client.id, nonce: granted.nonce,
                authenticatedMicroseconds: granted.authenticatedMicroseconds,
                accessToken: issued.accessToken)
        }
        return answer(issued)
    }

    private func answer(
        _ issued: IssuedTokens, extra: [(String, JSONValue)] = []
    ) -> Response {
        var members: [(String, JSONValue)] = [
            ("access_token", .string(issued.accessToken)), ("token_type", "Bearer"),
            ("expires_in", .int(issued.expiresInSeconds)),
        ]
        if !issued.scope.isEmpty { members.append(("scope", .string(issued.scope))) }
        if let token = issued.refreshToken { members.append(("refresh_token", .string(token))) }
        if let token = issued.idToken { members.append(("id_token", .string(token))) }
        return Response.json(200, JSONValue.object(members + extra).encoded())
            .with("Cache-Control", "no-store").with("Pragma", "no-cache")
    }

    // MARK: Reading requests

    func readForm(_ request: Request) throws -> QueryItems {
        guard let type = request.fields["Content-Type"].flatMap({ MediaType(parsing: $0) }),
            type.essence == "application/x-www-form-urlencoded",
            let form = try request.readForm(limit: 64 << 10)
        else {
            throw OAuthError.invalidRequest("send a body of application/x-www-form-urlencoded")
        }
        // RFC 6749 section 3.2: parameters must not be repeated.
        guard Set(form.all.map(\.name)).count == form.all.count else {
            throw OAuthError.invalidRequest("a parameter is repeated")
        }
        return form
    }

    private func needed(_ form: QueryItems, _ name: String) throws -> String {
        guard let value = form[name], !value.isEmpty else {
            throw OAuthError.invalidRequest("\(name) is missing")
        }
        return value
    }

    /// By Basic (each half percent-encoded, as RFC 6749 section 2.3.1 wants, which plain ids and our
    /// secrets survive) or by the form.
    func authenticateClient(
        _ request: Request, _ form: QueryItems, _ context: RequestContext
    ) throws -> Client {
        let address = request.remoteAddress
        let halves = (request.fields["Authorization"] ?? "").split(separator: " ", maxSplits: 1)
        if halves.count == 2, halves[0].lowercased() == "basic" {
            guard let bytes = base64Bytes(halves[1]),
                let text = String(validating: bytes, as: UTF8.self),
                let colon = text.firstIndex(of: ":"),
                let id = PercentCoding.decode(text[..<colon], plusIsSpace: true),
                let secret = PercentCoding.decode(
                    text[text.index(after: colon)...], plusIsSpace: true)
            else {
                throw IdentityError(
                    code: .invalidClient, message: "the Authorization field cannot be read")
            }
            return try registry.authenticateClient(
                context, id: id, secret: secret, address: address)
        }
        guard let id = form["client_id"] else {
            throw IdentityError(code: .invalidClient, message: "the client does not name itself")
        }
        return try registry.authenticateClient(
            context, id: id, secret: form["client_secret"], address: address)
    }
}
