package import Authority

/// What stands behind an access key.
package struct S3Credential: Sendable {
    package let secret: String
    package let principal: Principal
    /// What a temporary credential is limited to: whether it covers the action on the bucket and key. An empty
    /// key means the bucket. nil: everything that the principal may.
    package let covers: (@Sendable (Action, _ bucket: String, _ key: String) -> Bool)?

    package init(
        secret: String, principal: Principal,
        covers: (@Sendable (Action, _ bucket: String, _ key: String) -> Bool)? = nil
    ) {
        self.secret = secret
        self.principal = principal
        self.covers = covers
    }
}

/// The answer to "who has this access key?".
package enum S3CredentialLookup: Sendable {
    case found(S3Credential)
    case unknown
    case expired
    /// The session token is missing or does not belong to the key.
    case invalidToken
    case disabled
}

/// Knows access keys. Answers from memory; asked once a request.
package protocol S3CredentialSource: Sendable {
    func credential(forAccessKey id: String, sessionToken: String?) -> S3CredentialLookup
}
