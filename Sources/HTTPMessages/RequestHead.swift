/// Everything before the body, checked: there is one way to read it.
package struct RequestHead: Sendable {
    /// How the body is delimited.
    package enum Framing: Sendable, Hashable {
        case none
        case length(Int64)
        case chunked
    }

    /// The method as sent.
    package var method: Method
    /// As received; begins with `/`, or is `*`.
    package var rawPath: String
    /// Without `?`; empty when there is none.
    package var rawQuery: String
    /// 0 or 1, of HTTP/1.
    package var minorVersion: Int
    /// The fields, with a Host that an absolute target named.
    package var fields: Fields
    /// How the body is delimited.
    package var framing: Framing
    /// Whether the client waits for `100 Continue`.
    package var expectsContinue: Bool
    /// Whether the connection may serve another request.
    package var keepsAlive: Bool
}

/// Why a request is not taken: the status to answer, and what was wrong. The connection ends after it,
/// since nobody knows where the next request begins.
package struct RequestRefusal: Error, Sendable, Hashable {
    /// The status to answer.
    package let status: Int
    /// Why, for the answer's text and the log.
    package let reason: String

    /// A refusal with its status.
    package init(_ status: Int, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}
