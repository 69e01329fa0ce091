import JSON

/// A step as it was said.
struct SaidStep: Sendable {
    let step: DemoScript.Step
    var lines: [SaidLine] = []
    /// nil while the step goes on.
    var milliseconds: Int?

    init(_ step: DemoScript.Step) { self.step = step }

    var json: JSONValue {
        .object([
            ("step", .int(step.number)), ("title", .string(step.title)), ("why", .string(step.why)),
            ("lines", .array(lines.map(\.json))),
            ("milliseconds", milliseconds.map { .int($0) } ?? .null),
        ])
    }
}

/// Something that was said in a step.
enum SaidLine: Sendable {
    case command(String)
    case result(String)
    case claim(ClaimOutcome)

    var json: JSONValue {
        switch self {
        case .command(let text): .object([("kind", "command"), ("text", .string(text))])
        case .result(let text): .object([("kind", "result"), ("text", .string(text))])
        case .claim(let outcome):
            .object([
                ("kind", "claim"), ("id", .string(outcome.claim.id)),
                ("text", .string(outcome.claim.text)), ("holds", .bool(outcome.holds)),
            ])
        }
    }
}
