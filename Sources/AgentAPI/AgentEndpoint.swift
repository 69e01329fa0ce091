import Authority
package import HTTPMessages
import JSON

/// `/mcp` and the documents that tell clients where to get a token.
package struct AgentEndpoint: Sendable {
    let doors: AgentDoors
    let methods: AgentMethods
    private let sessions: AgentSessions

    /// The endpoint over its doors.
    package init(_ doors: AgentDoors) {
        self.doors = doors
        methods = AgentMethods(doors)
        sessions = AgentSessions(clock: doors.clock, entropy: doors.entropy)
    }

    /// The routes for the console's port.
    package var routes: [Route] {
        [
            Route(.post, "/mcp") { request, _ in post(request) },
            Route(.get, "/mcp") { request, _ in
                answered(request) { _ in
                    var response = Response.text(405, "this server opens no stream; use POST\n")
                    response.fields["Allow"] = "POST, DELETE"
                    return response
                }
            },
            Route(.delete, "/mcp") { request, _ in
                answered(request) { context in
                    let id = request.fields["Mcp-Session-Id"] ?? ""
                    return Response(status: sessions.close(id, of: context.principal) ? 204 : 404)
                }
            },
            Route(.get, "/.well-known/oauth-protected-resource") { _, _ in metadata },
            Route(.get, "/.well-known/oauth-protected-resource/mcp") { _, _ in metadata },
        ]
    }

    /// Source: RFC 9728 section 2.
    private var metadata: Response {
        .json(
            200,
            JSONValue.object([
                ("resource", .string(doors.publicURL() + "/mcp")),
                ("authorization_servers", [.string(doors.issuer)]),
                ("bearer_methods_supported", ["header"]),
                ("scopes_supported", ["openid"]),
                ("resource_name", "lakehouse"),
            ]).encoded())
    }

    // MARK: Callers

    /// Answers a request whose sender is known.
    private func answered(
        _ request: Request, _ body: (RequestContext) -> Response
    ) -> Response {
        if let refusal = doors.authenticator.refusal(request) { return refusal }
        guard let token = Self.bearer(request) else { return unauthorized(nil) }
        guard let context = doors.authenticator.context(request, bearerToken: token) else {
            return unauthorized("invalid_token")
        }
        return body(context)
    }

    private static func bearer(_ request: Request) -> String? {
        guard let field = request.fields["Authorization"] else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, equalsIgnoringCase(String(parts[0]), "Bearer") else { return nil }
        return String(parts[1])
    }

    /// Source: RFC 9728 section 5.1; RFC 6750 section 3.
    private func unauthorized(_ error: String?) -> Response {
        var response = Response.text(401, "a bearer token of \(doors.issuer) is needed\n")
        var challenge =
            "Bearer realm=\"lakehouse\", resource_metadata=\""
            + "\(doors.publicURL())/.well-known/oauth-protected-resource/mcp\""
        if let error { challenge += ", error=\"\(error)\"" }
        response.fields["WWW-Authenticate"] = challenge
        return response
    }

    // MARK: Messages

    private func post(_ request: Request) -> Response {
        answered(request) { context in
            if let type = request.fields["Content-Type"],
                MediaType(parsing: type)?.essence.lowercased() != "application/json"
            {
                return .text(415, "send application/json\n")
            }
            if request.fields["Accept"] != nil,
                request.preferredType(among: ["application/json"]) == nil
            {
                return .text(406, "answers are application/json\n")
            }
            let bytes: [UInt8]
            do throws(HTTPBodyError) {
                bytes = try request.body.readAll(limit: Limits.messageBytes)
            } catch {
                return .text(413, "a message has at most \(Limits.messageBytes) bytes\n")
            }
            let message: AgentMessage
            do throws(AgentError) { message = try AgentMessage(bytes) } catch {
                return .error(400, nil, error)
            }
            guard !message.isAnswer else { return Response(status: 202) }
            return respond(request, context, message)
        }
    }

    private func respond(
        _ request: Request, _ context: RequestContext, _ message: AgentMessage
    ) -> Response {
        let stated = request.fields["MCP-Protocol-Version"]
        let isModern =
            message.parameters["_meta"][ModernEnvelope.versionKey].value != nil
            || stated.map { AgentVersions.modern.contains($0) } ?? false
        guard let id = message.id else {
            // Notifications change nothing here: what is asked for is done when it is answered.
            return Response(status: 202)
        }
        do throws(AgentError) {
            if isModern {
                try ModernEnvelope.check(request, message)
                return .result(id, try methods.respond(context, message, isModern: true))
            }
            if message.method == "initialize" {
                let (result, version) = try methods.initialize(message)
                var response = Response.result(id, result)
                response.fields["Mcp-Session-Id"] = sessions.open(
                    context.principal, version: version)
                return response
            }
            if message.method == "server/discover" {
                throw AgentError(
                    AgentError.unsupportedVersion, "Unsupported protocol version",
                    data: .object([
                        ("supported", .array(AgentVersions.all.map { .string($0) })),
                        ("requested", stated.map { .string($0) } ?? .null),
                    ]))
            }
            guard let session = request.fields["Mcp-Session-Id"] else {
                throw AgentError(
                    AgentError.invalidRequest, "begin with initialize: there is no session id")
            }
            guard let version = sessions.version(session, of: context.principal) else {
                return .error(
                    404, id, AgentError(AgentError.invalidRequest, "the session is unknown"))
            }
            guard stated == nil || stated == version else {
                throw AgentError(
                    AgentError.invalidRequest, "the session speaks \(version), not \(stated ?? "")")
            }
            return .result(id, try methods.respond(context, message, isModern: false))
        } catch {
            return .error(status(error, isModern), id, error)
        }
    }

    private func status(_ error: AgentError, _ isModern: Bool) -> Int {
        switch error.code {
        case AgentError.methodNotFound: isModern ? 404 : 200
        case AgentError.invalidParameters: isModern ? 400 : 200
        default: 400
        }
    }
}
