import Authority
import Diagnostics
import HTTPMessages
import IdentityAPI
import JSON
import Jobs
import Platform

/// Pipelines over REST: `/api/v1/pipelines`, `/api/v1/runs`.
///
///     GET  /api/v1/pipelines                 a list
///     POST /api/v1/pipelines/{name}/runs     {"parameters": {…}, "wait": true} starts a run
///     GET  /api/v1/runs/{id}                 a run with its steps
struct PipelineRoutes {
    let jobs: JobScheduler
    let authenticator: RequestAuthenticator

    /// How long a request with `wait` waits at the most.
    private static let patience = Duration.seconds(300)

    var routes: [Route] {
        [
            Route(.get, "/api/v1/pipelines") { request, _ in
                answer(request) { context in
                    .array(try jobs.pipelines(context).map { PipelineJSON.pipeline($0) })
                }
            },
            Route(.post, "/api/v1/pipelines/{name}/runs") { request, path in
                answer(request) { try start($0, path.required("name"), request) }
            },
            Route(.get, "/api/v1/runs/{id}") { request, path in
                answer(request) { PipelineJSON.run(try jobs.run($0, path.required("id"))) }
            },
        ]
    }

    private func start(
        _ context: RequestContext, _ name: String, _ request: Request
    ) throws -> JSONValue {
        let bytes = try request.body.readAll(limit: 1 << 20)
        let body =
            bytes.isEmpty ? JSONValue.object([]).cursor : try JSONValue(parsing: bytes).cursor
        let run = try jobs.trigger(
            context, name, parameters: try body["parameters"].optionalStringMap() ?? [:])
        guard try body["wait"].optionalBool() ?? false else {
            return PipelineJSON.run(try jobs.run(context, run.id))
        }
        let deadline = SystemMonotonicClock().now() + PipelineRoutes.patience
        return PipelineJSON.run(try jobs.waitForRun(context, run.id, until: deadline))
    }

    private func answer(
        _ request: Request, _ body: (RequestContext) throws -> JSONValue
    ) -> Response {
        do {
            guard let caller = try authenticator.authenticate(request, door: .api) else {
                var response = Self.fault(401, "api.unauthenticated", "a credential is needed", nil)
                response.fields["WWW-Authenticate"] = RequestAuthenticator.challenge(nil)
                return response
            }
            return .json(200, try body(caller.context).encoded())
        } catch let refusal as BrowserRefusal {
            return refusal.response
        } catch let denied as AccessDenied {
            return Self.fault(403, denied.codeText, denied.message, denied.hint)
        } catch let error as JobError {
            let isMissing = error.code == .noSuchPipeline || error.code == .noSuchRun
            return Self.fault(isMissing ? 404 : 400, error.codeText, error.message, error.hint)
        } catch let fault as any Fault {
            return Self.fault(400, fault.codeText, fault.message, fault.hint)
        } catch {
            return Self.fault(400, "api.bad_request", "\(error)", nil)
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
