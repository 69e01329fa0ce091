import CivilTime
import JSON
import Jobs

/// Pipelines and runs as JSON: the same for REST and for the command line.
enum PipelineJSON {
    static func pipeline(_ summary: PipelineSummary) -> JSONValue {
        .object(pipelineMembers(summary))
    }

    /// A pipeline with its steps and declaration.
    static func pipeline(
        _ summary: PipelineSummary, _ document: PipelineDocument?, text: String
    ) -> JSONValue {
        let parameters = (document?.parameters ?? []).map { parameter in
            JSONValue.object([
                ("name", .string(parameter.name)), ("default", optional(parameter.defaultValue)),
            ])
        }
        let steps = (document?.steps ?? []).map { step in
            JSONValue.object([
                ("id", .string(step.id)), ("kind", .string(step.kind)),
                ("needs", .array(step.needs.map { .string($0) })),
                ("retries", .int(Int64(step.retries))),
            ])
        }
        return .object(
            pipelineMembers(summary) + [
                ("parameters", .array(parameters)), ("steps", .array(steps)),
                ("declaration", .string(text)),
            ])
    }

    static func run(_ run: RunRecord) -> JSONValue { .object(runMembers(run)) }

    /// A run with its steps.
    static func run(_ detail: RunDetail) -> JSONValue {
        let steps = detail.steps.map { step in
            JSONValue.object([
                ("id", .string(step.id)), ("kind", .string(step.kind)),
                ("state", .string(step.state.rawValue)), ("message", optional(step.message)),
                ("rows", step.rows.map { .int($0) } ?? .null),
                ("attempts", .int(Int64(step.attempts))),
                ("started", time(step.startedMicroseconds)),
                ("finished", time(step.finishedMicroseconds)),
            ])
        }
        return .object(runMembers(detail.run) + [("steps", .array(steps))])
    }

    static func line(_ line: LogLine) -> JSONValue {
        .object([
            ("time", time(line.atMicroseconds)), ("step", .string(line.step)),
            ("attempt", .int(Int64(line.attempt))), ("text", .string(line.text)),
        ])
    }

    /// What starts a pipeline, in words: its schedule, then events and other pipelines.
    static func causes(_ summary: PipelineSummary) -> [String] {
        let schedule = summary.schedule.map { ["\($0) \(summary.zone ?? "UTC")"] } ?? []
        return schedule
            + summary.triggers.map { trigger in
                switch trigger {
                case .after(let name): "after \(name)"
                case .objectCreated(let bucket, let prefix, let pattern):
                    "s3://\(bucket)/\(prefix)" + (pattern.map { " like \($0.text)" } ?? "")
                case .objectRemoved(let bucket, let prefix, let pattern):
                    "removal from s3://\(bucket)/\(prefix)"
                        + (pattern.map { " like \($0.text)" } ?? "")
                }
            }
    }

    static func time(_ microseconds: Int64?) -> JSONValue {
        microseconds.map { .string(CivilFormat.rfc3339(utc: $0, precision: 3)) } ?? .null
    }

    private static func pipelineMembers(_ summary: PipelineSummary) -> [(String, JSONValue)] {
        [
            ("name", .string(summary.name)), ("description", .string(summary.description)),
            ("enabled", .bool(summary.isEnabled)), ("owner", .string(summary.owner)),
            ("schedule", optional(summary.schedule)),
            ("startedBy", .array(causes(summary).map { .string($0) })),
            ("nextRun", time(summary.nextDueMicroseconds)),
            ("lastRun", optional(summary.lastRun?.id)),
            ("lastState", optional(summary.lastRun?.state.rawValue)),
            ("fault", optional(summary.fault)),
        ]
    }

    private static func runMembers(_ run: RunRecord) -> [(String, JSONValue)] {
        [
            ("id", .string(run.id)), ("pipeline", .string(run.pipeline)),
            ("state", .string(run.state.rawValue)), ("message", optional(run.message)),
            ("rows", .int(run.rows)), ("trigger", .string(run.trigger.rawValue)),
            ("requestedBy", .string(run.requestedBy)),
            (
                "parameters",
                .object(run.parameters.sorted { $0.key < $1.key }.map { ($0, .string($1)) })
            ),
            ("created", time(run.createdMicroseconds)),
            ("started", time(run.startedMicroseconds)),
            ("finished", time(run.finishedMicroseconds)),
        ]
    }

    private static func optional(_ text: String?) -> JSONValue {
        text.map { .string($0) } ?? .null
    }
}
