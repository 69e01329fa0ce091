package import Authority
import Diagnostics
package import HTTPMessages
package import Platform
package import TableCatalog

/// Tells who sends a bearer token.
package protocol BearerAuthenticator: Sendable {
    /// The token's principal; nil for one that is unknown, expired or revoked.
    func principal(forBearerToken token: String) -> Principal?
}

/// Storage credentials for one table, as a client's properties.
package struct VendedCredentials: Sendable {
    /// `s3.access-key-id`, `s3.secret-access-key`, `s3.session-token` and so on.
    package var properties: [String: String]
    package var expiresMilliseconds: Int64

    package init(properties: [String: String], expiresMilliseconds: Int64) {
        self.properties = properties
        self.expiresMilliseconds = expiresMilliseconds
    }
}

/// Makes storage credentials that reach a table's files and nothing else.
package protocol CredentialVendor: Sendable {
    /// How long credentials live; an answer without new ones is given for at most half of it.
    var lifetimeMilliseconds: Int64 { get }

    /// Credentials of the caller for the files of `table` (warehouse, levels, name), which lie below
    /// `locations` (`s3://…`); read only unless the caller may write. The right to the table stands for
    /// a right to the files in the `own` of them; in the others only the caller's own grants count.
    func credentials(
        _ context: RequestContext, table: [String], locations: [String], own: [String],
        canWrite: Bool
    ) throws -> VendedCredentials
}

/// What the service tells its clients of the appliance.
package struct IcebergSettings: Sendable {
    /// Where clients reach S3, such as `http://localhost:9000`.
    package var s3Endpoint: String
    package var region: String
    /// The warehouse of clients that name none.
    package var defaultWarehouse: String
    /// How long an answer waits for a scan's plan before the client is asked to come again.
    package var planPatience = Duration.seconds(2)

    package init(s3Endpoint: String, region: String, defaultWarehouse: String = "lakehouse") {
        self.s3Endpoint = s3Endpoint
        self.region = region
        self.defaultWarehouse = defaultWarehouse
    }

    /// Properties with which every S3 client of a table finds the store.
    var storage: [String: String] {
        [
            "s3.endpoint": s3Endpoint, "s3.region": region, "client.region": region,
            "s3.path-style-access": "true", "s3.force-virtual-addressing": "false",
        ]
    }
}

/// The REST catalog.
package struct IcebergService: Sendable {
    let catalog: Catalog
    let authenticator: any BearerAuthenticator
    let authorizer: any Authorizer
    let vendor: (any CredentialVendor)?
    let settings: IcebergSettings
    let clock: any WallClock
    let plans: PlanRegistry
    let credentials = KeptCredentials()
    let functionReader: FunctionReader?
    private let tokens: (@Sendable (Request) -> Response)?

    /// `tokens` answers `/v1/oauth/tokens`; without it clients have to bring a token.
    package init(
        catalog: Catalog, authenticator: any BearerAuthenticator, authorizer: any Authorizer,
        vendor: (any CredentialVendor)?, settings: IcebergSettings, clock: any WallClock,
        functions: FunctionReader? = nil, tokens: (@Sendable (Request) -> Response)? = nil
    ) {
        self.catalog = catalog
        self.authenticator = authenticator
        self.authorizer = authorizer
        self.vendor = vendor
        self.settings = settings
        self.clock = clock
        plans = PlanRegistry(patience: settings.planPatience)
        functionReader = functions
        self.tokens = tokens
    }

    /// The routes to mount, below `/iceberg`.
    package var routes: [Route] {
        var routes = IcebergEndpoint.all.map { endpoint in
            Route(RoutePattern(endpoint.method, "/iceberg" + endpoint.path)) {
                request, parameters in
                respond(endpoint, request, parameters)
            }
        }
        if let tokens {
            routes.append(
                Route(.post, "/iceberg/v1/oauth/tokens") { request, _ in tokens(request) })
        }
        return routes
    }

    private func respond(
        _ endpoint: IcebergEndpoint, _ request: Request, _ parameters: PathParameters
    ) -> Response {
        guard let principal = principal(of: request) else {
            // 401 and not 403: clients renew their token on it.
            var response = errorResponse(
                ErrorBody(
                    status: 401, type: "NotAuthorizedException",
                    message: "the bearer token is missing, unknown or expired"))
            response.fields["WWW-Authenticate"] =
                "Bearer realm=\"iceberg\", error=\"invalid_token\""
            return response
        }
        let context = RequestContext(
            principal: principal, requestID: request.requestID, door: .catalog)
        var call = IcebergCall(
            service: self, context: context, request: request, parameters: parameters)
        guard let text = request.fields["Idempotency-Key"], let again = endpoint.again else {
            return answer(endpoint, call)
        }
        do {
            let key = try call.key(text)
            return try catalog.once(context, key) { state in
                switch state {
                case .new: try answerOnce(endpoint, call, key)
                case .effective: try again(call)
                case .refused(let status, let body):
                    Response(status: status, contentType: "application/json", bytes: body)
                }
            }
        } catch {
            return errorResponse(ErrorBody(error, of: endpoint))
        }
    }

    private func answer(_ endpoint: IcebergEndpoint, _ call: IcebergCall) -> Response {
        do {
            return try endpoint.respond(call)
        } catch {
            return errorResponse(ErrorBody(error, of: endpoint))
        }
    }

    /// The first answer to a request with a key. Refusals that would be the same again are kept;
    /// failures of the server, of rights and of time are not.
    private func answerOnce(
        _ endpoint: IcebergEndpoint, _ call: IcebergCall, _ key: IdempotencyKey
    ) throws -> Response {
        let response = answer(endpoint, call)
        let isFinal =
            400..<500 ~= response.status && ![401, 403, 408, 419, 429].contains(response.status)
        if isFinal, case .bytes(let body) = response.body {
            try catalog.keepRefusal(call.context, key, status: response.status, body: body)
        }
        return response
    }

    private func principal(of request: Request) -> Principal? {
        guard let field = request.fields["Authorization"] else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, equalsIgnoringCase(String(parts[0]), "Bearer") else { return nil }
        // Tokens are long: by bytes, and copied only where there is something to leave out.
        let token = parts[1].utf8.drop { $0 == 0x20 }
        guard token.contains(0x20) else {
            return authenticator.principal(forBearerToken: String(Substring(token)))
        }
        return authenticator.principal(
            forBearerToken: String(decoding: token.filter { $0 != 0x20 }, as: UTF8.self))
    }
}
