import Authority
import CivilTime
import HTTPMessages
import Identity
import JSON

/// The REST administration: JSON in, JSON out; lists are under `items`.
extension IdentityEndpoints {
    var apiRoutes: [Route] {
        accountRoutes + groupRoutes + roleRoutes + rightRoutes + clientRoutes + keyRoutes
    }

    /// Authenticates, runs the verb, encodes. nil answers 204.
    private func api(
        _ method: Method, _ path: String, status: Int = 200,
        _ verb:
            @escaping @Sendable (RequestContext, PathParameters, JSONCursor) throws -> JSONValue?
    ) -> Route {
        Route(method, path) { request, parameters in
            do {
                guard let known = try authenticator.authenticate(request, door: .api) else {
                    return apiAnswer(
                        401, "request.no_credential", "send a bearer token or log in", nil
                    ).with("WWW-Authenticate", RequestAuthenticator.challenge(nil))
                }
                var body = JSONCursor(nil)
                if method == .post || method == .patch || method == .put {
                    let bytes = try request.body.readAll(limit: 1 << 20)
                    body =
                        try bytes.isEmpty
                        ? JSONCursor(.object([]))
                        : JSONValue(parsing: bytes, depthLimit: 32).cursor
                }
                guard let value = try verb(known.context, parameters, body) else {
                    return .noContent
                }
                return .json(status, value.encoded()).with("Cache-Control", "no-store")
            } catch { return apiAnswer(error) }
        }
    }

    private var accountRoutes: [Route] {
        [
            api(.get, "/api/v1/users") { context, _, _ in
                list(try registry.accounts(context).map(json))
            },
            api(.post, "/api/v1/users", status: 201) { context, _, body in
                let kind = try body["kind"].optionalString() ?? "user"
                guard let kind = Account.Kind(rawValue: kind) else {
                    throw body["kind"].expected("user or service")
                }
                return json(
                    try registry.createAccount(
                        context, name: try body["name"].string(),
                        id: try body["id"].optionalString(), kind: kind,
                        displayName: try body["displayName"].optionalString() ?? "",
                        email: try body["email"].optionalString(),
                        password: try body["password"].optionalString(),
                        roles: try body["roles"].optionalElements()?.map { try $0.string() } ?? []))
            },
            api(.get, "/api/v1/users/{name}") { context, path, _ in
                json(try registry.account(context, named: path.required("name")))
            },
            api(.patch, "/api/v1/users/{name}") { context, path, body in
                json(
                    try registry.updateAccount(
                        context, path.required("name"),
                        displayName: try body["displayName"].optionalString(),
                        email: try body["email"].optionalString(),
                        isDisabled: try body["isDisabled"].optionalBool()))
            },
            api(.delete, "/api/v1/users/{name}") { context, path, _ in
                try registry.deleteAccount(context, path.required("name"))
                return nil
            },
            api(.put, "/api/v1/users/{name}/password") { context, path, body in
                try registry.setPassword(
                    context, of: path.required("name"), to: try body["password"].string(),
                    present: try body["present"].optionalString())
                return nil
            },
            api(.post, "/api/v1/users/{name}/login-link", status: 201) { context, path, _ in
                let token = try registry.createLoginLink(context, account: path.required("name"))
                return .object([("url", .string("\(publicURL)/login?token=\(token)"))])
            },
            api(.put, "/api/v1/users/{name}/roles/{role}") { context, path, _ in
                try registry.assignRole(
                    context, path.required("role"), toAccount: path.required("name"))
                return nil
            },
            api(.delete, "/api/v1/users/{name}/roles/{role}") { context, path, _ in
                try registry.unassignRole(
                    context, path.required("role"), fromAccount: path.required("name"))
                return nil
            },
        ]
    }

    private var groupRoutes: [Route] {
        [
            api(.get, "/api/v1/groups") { context, _, _ in
                list(try registry.groups(context).map(json))
            },
            api(.post, "/api/v1/groups", status: 201) { context, _, body in
                json(
                    try registry.ensureGroup(
                        context, name: try body["name"].string(),
                        id: try body["id"].optionalString(),
                        description: try body["description"].optionalString() ?? ""
                    ).group)
            },
            api(.get, "/api/v1/groups/{name}") { context, path, _ in
                json(try registry.group(context, named: path.required("name")))
            },
            api(.delete, "/api/v1/groups/{name}") { context, path, _ in
                try registry.deleteGroup(context, path.required("name"))
                return nil
            },
            api(.put, "/api/v1/groups/{name}/members/{member}") { context, path, _ in
                try registry.addMember(
                    context, path.required("member"), toGroup: path.required("name"))
                return nil
            },
            api(.delete, "/api/v1/groups/{name}/members/{member}") { context, path, _ in
                try registry.removeMember(
                    context, path.required("member"), fromGroup: path.required("name"))
                return nil
            },
            api(.put, "/api/v1/groups/{name}/roles/{role}") { context, path, _ in
                try registry.setRole(
                    context, path.required("role"), ofGroup: path.required("name"),
                    isAssigned: true)
                return nil
            },
            api(.delete, "/api/v1/groups/{name}/roles/{role}") { context, path, _ in
                try registry.setRole(
                    context, path.required("role"), ofGroup: path.required("name"),
                    isAssigned: false)
                return nil
            },
        ]
    }

    private var roleRoutes: [Route] {
        [
            api(.get, "/api/v1/roles") { context, _, _ in
                list(try registry.roles(context).map(json))
            },
            api(.post, "/api/v1/roles", status: 201) { context, _, body in
                json(
                    try registry.ensureRole(
                        context, name: try body["name"].string(),
                        id: try body["id"].optionalString(),
                        description: try body["description"].optionalString() ?? "",
                        grants: try body["grants"].optionalElements()?.map(readGrant) ?? []
                    ).role)
            },
            api(.get, "/api/v1/roles/{name}") { context, path, _ in
                json(try registry.role(context, named: path.required("name")))
            },
            api(.delete, "/api/v1/roles/{name}") { context, path, _ in
                try registry.deleteRole(context, path.required("name"))
                return nil
            },
            api(.post, "/api/v1/roles/{name}/grants", status: 201) { context, path, body in
                json(
                    try registry.addGrant(
                        context, readGrant(body), toRole: path.required("name")))
            },
            api(.delete, "/api/v1/roles/{name}/grants/{id}") { context, path, _ in
                try registry.removeGrant(
                    context, path.required("id"), fromRole: path.required("name"))
                return nil
            },
            api(.get, "/api/v1/grants") { context, _, _ in
                list(
                    try registry.roles(context).flatMap { role in
                        role.grants.map { grant in
                            var object = JSONObject([("role", .string(role.name))])
                            if case .object(let members) = json(grant) {
                                for (name, value) in members.members { object.append(name, value) }
                            }
                            return .object(object)
                        }
                    })
            },
        ]
    }

    private var rightRoutes: [Route] {
        [
            api(.get, "/api/v1/rights") { context, _, _ in
                list(try registry.catalogRights(context).map(json))
            },
            api(.post, "/api/v1/rights", status: 201) { context, _, body in
                let rights = try readRights(body)
                try registry.grant(context, rights)
                return list(rights.map(json))
            },
            api(.post, "/api/v1/rights/revoke") { context, _, body in
                let wanted = try readRights(body).flatMap { right in
                    [false, true].map { isDenial in
                        var right = right
                        right.isDenial = isDenial
                        return right
                    }
                }
                return list(try registry.revoke(context, wanted).map(json))
            },
        ]
    }

    private var clientRoutes: [Route] {
        [
            api(.get, "/api/v1/clients") { context, _, _ in
                list(try registry.clients(context).map(json))
            },
            api(.post, "/api/v1/clients", status: 201) { context, _, body in
                let text = try body["kind"].optionalString() ?? "confidential"
                guard let kind = Client.Kind(rawValue: text) else {
                    throw body["kind"].expected("confidential, public or application")
                }
                let types = try body["grantTypes"].optionalElements()?.map { element in
                    guard let type = GrantType(rawValue: try element.string()) else {
                        throw element.expected("a grant type")
                    }
                    return type
                }
                let usual: Int64? = kind == .application ? 30 * 86_400 : nil
                let seconds = try body["lifetimeSeconds"].optionalInt64() ?? usual
                return json(
                    try registry.ensureClient(
                        context, id: try body["id"].optionalString(),
                        name: try body["name"].string(), kind: kind,
                        secret: try body["secret"].optionalString(),
                        account: try body["user"].optionalString(),
                        redirectURIs: try body["redirectURIs"].optionalElements()?.map {
                            try $0.string()
                        } ?? [], grantTypes: types, lifetime: try lifetime(seconds)))
            },
            api(.get, "/api/v1/clients/{id}") { context, path, _ in
                json(try registry.client(context, id: path.required("id")))
            },
            api(.patch, "/api/v1/clients/{id}") { context, path, body in
                try registry.setClient(
                    context, path.required("id"), isDisabled: try body["isDisabled"].bool())
                return nil
            },
            api(.post, "/api/v1/clients/{id}/rotate") { context, path, _ in
                json(try registry.rotateClientSecret(context, path.required("id")))
            },
            api(.delete, "/api/v1/clients/{id}") { context, path, _ in
                try registry.deleteClient(context, path.required("id"))
                return nil
            },
        ]
    }

    private var keyRoutes: [Route] {
        [
            api(.get, "/api/v1/keys") { context, _, _ in
                list(try registry.accessKeys(context).map(json))
            },
            api(.post, "/api/v1/keys", status: 201) { context, _, body in
                json(
                    try registry.createAccessKey(
                        context, account: try body["user"].string(),
                        createAccount: try body["createUser"].optionalBool() ?? false,
                        id: try body["accessKeyId"].optionalString(),
                        secret: try body["secretAccessKey"].optionalString(),
                        description: try body["description"].optionalString() ?? "",
                        lifetime: try lifetime(body["lifetimeSeconds"].optionalInt64())))
            },
            api(.post, "/api/v1/keys/{id}/rotate") { context, path, _ in
                json(try registry.rotateAccessKey(context, path.required("id")))
            },
            api(.patch, "/api/v1/keys/{id}") { context, path, body in
                try registry.setAccessKey(
                    context, path.required("id"), isDisabled: try body["isDisabled"].bool())
                return nil
            },
            api(.delete, "/api/v1/keys/{id}") { context, path, _ in
                try registry.deleteAccessKey(context, path.required("id"))
                return nil
            },
        ]
    }

    private func lifetime(_ seconds: Int64?) throws -> Duration? {
        guard let seconds else { return nil }
        guard (1...315_360_000).contains(seconds) else {
            throw IdentityError(
                code: .invalidValue, message: "lifetimeSeconds must be between 1 and 315360000")
        }
        return .seconds(seconds)
    }

    private func readRights(_ body: JSONCursor) throws -> [CatalogRight] {
        let kinds: [PolicySubject.Kind] = [.user, .group, .role]
        let named = try kinds.compactMap { kind in
            try body[kind.rawValue].optionalString().map { PolicySubject(kind, $0) }
        }
        guard named.count == 1, let grantee = named.first else {
            throw IdentityError(
                code: .invalidValue, message: "one of user, group and role is wanted")
        }
        let object = try CatalogObject(text: try body["on"].string())
        let isDenial = try body["deny"].optionalBool() ?? false
        return try body["privileges"].strings().map {
            CatalogRight(
                grantee: grantee, privilege: try CatalogPrivilege(text: $0), object: object,
                isDenial: isDenial)
        }
    }

    private func readGrant(_ body: JSONCursor) throws -> Grant {
        let effect = try body["effect"].optionalString() ?? "allow"
        guard let effect = Grant.Effect(rawValue: effect) else {
            throw body["effect"].expected("allow or deny")
        }
        return Grant(
            effect: effect, actions: try body["actions"].strings(),
            resource: try body["resource"].string(),
            rowFilter: try body["rowFilter"].optionalString(),
            columnMasks: try body["columnMasks"].optionalStringMap() ?? [:])
    }
}
