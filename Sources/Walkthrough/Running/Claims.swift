import JSON

/// What a walkthrough asserts.
struct Claim: Sendable {
    let id: String
    let step: Int
    let text: String
    /// What it is only made with: `--chaos` or `--verify`; nil: always.
    var option: String?

    var json: JSONValue {
        .object([
            ("id", .string(id)), ("step", .int(step)), ("claim", .string(text)),
            ("option", option.map { .string($0) } ?? .null),
        ])
    }
}

/// How a claim turned out.
struct ClaimOutcome: Sendable {
    let claim: Claim
    let holds: Bool
    let evidence: String
    let milliseconds: Int

    var json: JSONValue {
        .object([
            ("id", .string(claim.id)), ("step", .int(claim.step)), ("claim", .string(claim.text)),
            ("holds", .bool(holds)), ("evidence", .string(evidence)),
            ("milliseconds", .int(milliseconds)),
        ])
    }
}
