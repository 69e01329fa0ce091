import JSON

/// Which clients of others have checked their claims, and which could not.
struct VerifiedClients: Sendable {
    /// Ids of claims.
    var checked: [String] = []
    var skipped: [(id: String, why: String)] = []

    /// `5 clients checked, 2 skipped (verify.vader: vaderSentiment is not installed, …)`.
    var words: String {
        let reasons = skipped.map { "\($0.id): \($0.why)" }.joined(separator: ", ")
        return "\(checked.count) clients checked, \(skipped.count) skipped"
            + (skipped.isEmpty ? "" : " (\(reasons))")
    }

    var json: JSONValue {
        .object([
            ("checked", .array(checked.map { .string($0) })),
            (
                "skipped",
                .array(
                    skipped.map {
                        .object([("id", .string($0.id)), ("why", .string($0.why))])
                    })
            ),
        ])
    }
}
