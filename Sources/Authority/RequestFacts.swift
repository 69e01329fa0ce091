/// What a door knows of a request beyond who sent it, for policies with conditions.
package final class RequestFacts: Sendable {
    /// The operation in the door's own words, such as `s3:GetObject`.
    package let operation: String
    /// The peer's address, without the port.
    package let sourceAddress: String
    /// Whether the connection is TLS.
    package let isSecure: Bool
    /// Further condition keys by their lower-case names, such as `s3:prefix`.
    package let values: [String: String]

    package init(
        operation: String, sourceAddress: String, isSecure: Bool, values: [String: String] = [:]
    ) {
        self.operation = operation
        self.sourceAddress = sourceAddress
        self.isSecure = isSecure
        self.values = values
    }
}

/// What the policy of a thing, such as a bucket's, says of one request. A denial beats every grant; an
/// allowance counts where no grant speaks.
package enum ResourceVerdict: Sendable, Hashable {
    case silent
    /// The reason, for people.
    case allows(String)
    /// The reason, for people.
    case denies(String)
}
