package import Authority
package import HTTPMessages

/// Who sent a request; `Appliance` supplies it from `Identity`.
package protocol QueryAuthenticator: Sendable {
    /// The principal of the credential (Basic, Bearer, session, or the named user where loopback is
    /// trusted), or the answer that refuses: 401 with one challenge a scheme.
    func authenticate(_ request: Request) -> Result<Principal, QueryRefusal>

    /// The principal of another user, for `X-Trino-User` that differs; nil when there is none.
    func principal(named name: String) -> Principal?
}

/// A refusal as an answer.
package struct QueryRefusal: Error, Sendable {
    package var response: Response
    package init(_ response: Response) { self.response = response }
}
