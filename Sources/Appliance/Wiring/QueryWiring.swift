import Authority
import HTTPMessages
import Identity
import IdentityAPI
import QueryAPI

/// Who sends SQL: a credential of the registry, or, where the operator trusts this machine, the user
/// that the client names.
struct RegistryQueryAuthenticator: QueryAuthenticator {
    let authenticator: RequestAuthenticator
    let trustsLoopback: Bool
    /// Invites programs to log in by a browser; nil where there is none.
    var externalLogins: ExternalLogins?

    func authenticate(_ request: Request) -> Result<Principal, QueryRefusal> {
        if trustsLoopback, request.fields["Authorization"] == nil, isOwnClient(request),
            let name = request.fields["X-Trino-User"], let principal = principal(named: name)
        {
            return .success(principal)
        }
        do {
            if let found = try authenticator.authenticate(request, door: .sql) {
                return .success(found.context.principal)
            }
            return .failure(challenge(nil, request))
        } catch let refusal as BrowserRefusal {
            return .failure(QueryRefusal(refusal.response))
        } catch { return .failure(challenge(error as? IdentityError, request)) }
    }

    func principal(named name: String) -> Principal? {
        let context = RequestContext(principal: .system, requestID: "sql", door: .sql)
        return try? authenticator.registry.principal(context, named: name)
    }

    /// A request of a program on this machine, not of a page in its browser: those carry an origin, and a
    /// rebound host name could make them look local.
    private func isOwnClient(_ request: Request) -> Bool {
        ["127.0.0.1", "::1", "::ffff:127.0.0.1"].contains(request.remoteAddress)
            && ["Origin", "Referer", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host"].allSatisfy
            {
                request.fields[$0] == nil
            }
    }

    private func challenge(_ error: IdentityError?, _ request: Request) -> QueryRefusal {
        var response = Response(
            status: 401, contentType: "text/plain; charset=utf-8",
            bytes: Array((error?.message ?? "a credential is needed").utf8))
        response.fields.append("WWW-Authenticate", "Basic realm=\"Trino\"")
        response.fields.append("WWW-Authenticate", RequestAuthenticator.challenge(error))
        if let invitation = externalLogins?.challenge(request) {
            response.fields.append("WWW-Authenticate", invitation)
        }
        return QueryRefusal(response)
    }
}
