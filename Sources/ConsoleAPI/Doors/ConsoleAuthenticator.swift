package import Authority
package import HTTPMessages

/// Somebody who looks at pages.
package struct ConsoleVisitor: Sendable {
    package var context: RequestContext
    /// What the forms of this session must carry; nil when a header proved who it is.
    package var csrfToken: String?

    package init(context: RequestContext, csrfToken: String?) {
        self.context = context
        self.csrfToken = csrfToken
    }
}

/// A refusal as an answer.
package struct ConsoleRefusal: Error, Sendable {
    package var response: Response
    package init(_ response: Response) { self.response = response }
}

/// The browser rules and sessions of IdentityAPI, which this module does not import; `Appliance`
/// supplies them.
package protocol ConsoleAuthenticator: Sendable {
    /// Who sends the request; nil without a credential. `csrfToken` is the form's field `csrf`, if
    /// the request brought a form (the field `X-CSRF-Token` counts otherwise). Throws the refusal
    /// of a wrong credential, a foreign Host, or a write by cookie that breaks the rules.
    func authenticate(
        _ request: Request, csrfToken: String?
    ) throws(ConsoleRefusal) -> ConsoleVisitor?

    /// The answer with the fields that every page has: Content-Security-Policy and kin.
    func secured(_ response: Response) -> Response
}
