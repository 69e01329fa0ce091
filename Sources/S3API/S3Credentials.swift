package import Authority
package import DiskObjectStorage

/// What stands behind an access key.
package struct S3Credential: Sendable {
    package let secret: String
    package let principal: Principal
    /// What a temporary credential is limited to: whether it covers the action on the bucket and key. An empty
    /// key means the bucket. nil: everything that the principal may.
    package let covers: (@Sendable (Action, _ bucket: String, _ key: String) -> Bool)?

    /// The policy of the session; what it does not allow, the credential does not cover.
    package var policy: PolicyDocument?
    /// The only role of the principal that counts; nil: all.
    package var assumedRole: String?
    /// The name that the session was given when a role was assumed.
    package var sessionName: String?
    /// Whether it expires: such a credential makes no others.
    package var isTemporary = false
    /// Why what it covers is allowed where no grant on objects speaks: a right to the table whose files
    /// these are, as it stands now. nil: grants alone decide.
    package var warrant: String?

    package init(
        secret: String, principal: Principal,
        covers: (@Sendable (Action, _ bucket: String, _ key: String) -> Bool)? = nil
    ) {
        self.secret = secret
        self.principal = principal
        self.covers = covers
    }
}

extension S3Credential {
    /// Nobody: may what the policies of buckets open to everybody.
    static let anonymous = S3Credential(secret: "", principal: .anonymous)
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
