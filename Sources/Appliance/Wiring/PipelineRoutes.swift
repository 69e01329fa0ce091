import Authority
import HTTPMessages
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
    let door: APIDoor

    /// How long a request with `wait` waits at the most.
    private static let patience = Duration.seconds(300)

    var routes: [Route] {
        [
            Route(.get, "/api/v1/pipelines") { request, _ in
                door.answer(request) { context in
                    (200, .array(try jobs.pipelines(context).map { PipelineJSON.pipeline($0) }))
                }
            },
            Route(.post, "/api/v1/pipelines/{name}/runs") { request, path in
                door.answer(request) { (200, try start($0, path.required("name"), request)) }
            },
            Route(.get, "/api/v1/runs/{id}") { request, path in
                door.answer(request) {
                    (200, PipelineJSON.run(try jobs.run($0, path.required("id"))))
                }
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
}
