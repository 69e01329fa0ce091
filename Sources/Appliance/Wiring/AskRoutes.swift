import Authority
import CivilTime
import Diagnostics
import HTTPMessages
import IdentityAPI
import JSON
import Metrics

/// Questions over REST.
///
///     POST /api/v1/ask       {"question": "…", "previous": {…}, "asOf": "2026-11-21", "frame": {…}}
///     GET  /api/v1/metrics   models with their metrics and dimensions
///
/// 200 is an answer, or readings to choose from; 422 a question that is refused, 403 one that the
/// caller may not ask. Everything runs as the caller.
struct AskRoutes {
    let asker: any QuestionAnswering
    let authenticator: RequestAuthenticator

    private static let bodyBytes = 1 << 18

    var routes: [Route] {
        [
            Route(.post, "/api/v1/ask") { request, _ in
                answer(request) { context in
                    let bytes = try request.body.readAll(limit: Self.bodyBytes)
                    let body = try JSONValue(parsing: bytes, depthLimit: 16).cursor
                    let outcome = try asker.ask(
                        context, try AskRequest(body, parseTime: Self.time))
                    return (Self.status(outcome), outcome.json)
                }
            },
            Route(.get, "/api/v1/metrics") { request, _ in
                answer(request) { context in
                    (200, .array(asker.models(context).map(Self.json)))
                }
            },
        ]
    }

    /// A date (the end of it: the whole day is known) or a moment of RFC 3339.
    static func time(_ text: String) -> Int64? {
        if let day = CivilParse.date(text) {
            return Microseconds.timestamp(day: day, timeOfDay: Microseconds.perDay / 2)
        }
        return CivilParse.rfc3339(text)
    }

    private static func status(_ outcome: AskOutcome) -> Int {
        switch outcome {
        case .answered, .ambiguous: 200
        case .refused(_, let refusal): refusal.code == .denied ? 403 : 422
        }
    }

    private func answer(
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
        } catch let error as MetricError {
            let status = error.code == .denied ? 403 : error.code == .noSuchModel ? 404 : 400
            return Self.fault(
                error.code == .endpoint ? 502 : status, error.codeText, error.message, error.hint)
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

    private static func json(_ model: MetricModel) -> JSONValue {
        .object([
            ("name", .string(model.name)), ("version", .int(model.version)),
            ("digest", .string(model.digest)), ("title", .string(model.title)),
            ("zone", .string(model.zone.name)),
            (
                "metrics",
                .array(
                    model.metrics.map {
                        .object([
                            ("name", .string($0.name)), ("label", .string($0.label)),
                            ("kind", .string($0.kind.rawValue)),
                            ("format", .string($0.format.rawValue)), ("unit", .string($0.unit)),
                            ("synonyms", .array($0.synonyms.map { .string($0) })),
                            ("description", .string($0.description)),
                        ])
                    })
            ),
            (
                "dimensions",
                .array(
                    model.dimensions.map {
                        .object([
                            ("name", .string($0.name)), ("label", .string($0.label)),
                            ("synonyms", .array($0.synonyms.map { .string($0) })),
                        ])
                    })
            ),
        ])
    }
}
