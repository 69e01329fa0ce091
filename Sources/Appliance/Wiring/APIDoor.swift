import Authority
import Diagnostics
import HTTPMessages
import IdentityAPI
import JSON
import Jobs
import Metrics
import TableCatalog

/// What every route of `/api/v1` does: finds out who asks, answers JSON, and tells faults in one form.
///
///     {"error": {"code": "jobs.no_such_run", "message": "…", "hint": null}}
struct APIDoor {
    let authenticator: RequestAuthenticator

    /// Answers a request of somebody who is known with a status and a value.
    func answer(
        _ request: Request, _ body: (RequestContext) throws -> (Int, JSONValue)
    ) -> Response {
        do {
            guard let caller = try authenticator.authenticate(request, door: .api) else {
                var response = Self.fault(401, "api.unauthenticated", "a credential is needed", nil)
                response.fields["WWW-Authenticate"] = RequestAuthenticator.challenge(nil)
                return response
            }
            let (status, value) = try body(caller.context)
            return Response(
                status: status, contentType: "application/json", bytes: value.encoded())
        } catch let refusal as BrowserRefusal {
            return refusal.response
        } catch let fault as any Fault {
            return Self.fault(Self.status(fault), fault.codeText, fault.message, fault.hint)
        } catch {
            return Self.fault(400, "api.bad_request", "\(error)", nil)
        }
    }

    /// What clients see of a fault.
    private static func status(_ fault: any Fault) -> Int {
        switch fault {
        case is AccessDenied: 403
        case let error as CatalogError: CatalogRoutes.status(error.code)
        case let error as JobError:
            error.code == .noSuchPipeline || error.code == .noSuchRun ? 404 : 400
        case let error as MetricError:
            switch error.code {
            case .denied: 403
            case .noSuchModel: 404
            case .endpoint: 502
            default: 400
            }
        default: 400
        }
    }

    private static func fault(
        _ status: Int, _ code: String, _ message: String, _ hint: String?
    ) -> Response {
        let body: JSONValue = .object([
            (
                "error",
                .object([
                    ("code", .string(code)), ("message", .string(message)),
                    ("hint", hint.map { .string($0) } ?? .null),
                ])
            )
        ])
        return Response(status: status, contentType: "application/json", bytes: body.encoded())
    }
}
