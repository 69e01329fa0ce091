import Authority
import CivilTime
import HTTPMessages
import JSON
import Metrics

/// Questions over REST.
///
///     POST /api/v1/ask       {"question": "…", "previous": {…}, "asOf": "2026-11-21", "frame": {…}}
///                            and "model", "limit", "zone" (of periods: Europe/Berlin)
///     GET  /api/v1/metrics   models with their metrics and dimensions
///
/// 200 is an answer, or readings to choose from; 422 a question that is refused, 403 one that the
/// caller may not ask. Everything runs as the caller.
struct AskRoutes {
    let asker: any QuestionAnswering
    let door: APIDoor

    private static let bodyBytes = 1 << 18

    var routes: [Route] {
        [
            Route(.post, "/api/v1/ask") { request, _ in
                door.answer(request) { context in
                    let bytes = try request.body.readAll(limit: Self.bodyBytes)
                    let body = try JSONValue(parsing: bytes, depthLimit: 16).cursor
                    let outcome = try asker.ask(
                        context, try AskRequest(body, parseTime: Self.time))
                    return (Self.status(outcome), outcome.json)
                }
            },
            Route(.get, "/api/v1/metrics") { request, _ in
                door.answer(request) { context in
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
                            ("minimumRows", $0.minimumRows.map { .int($0) } ?? .null),
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
