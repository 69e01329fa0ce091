/// A request as a handler sees it: the head parsed, the body still to be read.
package struct Request: Sendable {
    /// The method as sent.
    package var method: Method
    /// The path, percent-decoded segment by segment is the handler's choice: this is as received.
    package var rawPath: String
    /// The query without `?`, as received; empty when there is none.
    package var rawQuery: String
    /// The header fields.
    package var fields: Fields
    /// Read once, by the handler.
    package var body: any RequestBody
    /// Whether the connection is TLS.
    package var isSecure: Bool
    /// The peer's address, without the port.
    package var remoteAddress: String
    /// Unique a request; given back as `X-Request-Id`.
    package var requestID: String

    /// A request as a server makes it; tests make their own.
    package init(
        method: Method, rawPath: String, rawQuery: String = "", fields: Fields = Fields(),
        body: any RequestBody = EmptyBody(), isSecure: Bool = false,
        remoteAddress: String = "127.0.0.1",
        requestID: String = "-"
    ) {
        self.method = method
        self.rawPath = rawPath
        self.rawQuery = rawQuery
        self.fields = fields
        self.body = body
        self.isSecure = isSecure
        self.remoteAddress = remoteAddress
        self.requestID = requestID
    }
}

/// A request method. Unknown ones keep their token.
package struct Method: Sendable, Hashable, RawRepresentable {
    /// The token as sent; methods differ by case.
    package let rawValue: String
    /// Any token, also one that this server does not know.
    package init(rawValue: String) { self.rawValue = rawValue }
    /// Source of this and the next: RFC 9110, section 9.3.
    package static let get = Method(rawValue: "GET")
    /// GET without the body of the answer.
    package static let head = Method(rawValue: "HEAD")
    /// Has the resource work on the body.
    package static let post = Method(rawValue: "POST")
    /// Creates or replaces.
    package static let put = Method(rawValue: "PUT")
    /// Removes.
    package static let delete = Method(rawValue: "DELETE")
    /// Changes a part. Source: RFC 5789.
    package static let patch = Method(rawValue: "PATCH")
    /// Asks what may be done; browsers do before requests from other sites.
    package static let options = Method(rawValue: "OPTIONS")
}

/// The body of a request, read on the handler's thread. Reading for the first time sends
/// `100 Continue` if the client waits for it; a handler that answers without reading refuses the body.
package protocol RequestBody: AnyObject, Sendable {
    /// How long the body says it is; nil when chunked.
    var declaredLength: Int64? { get }

    /// The next bytes, at least one; nil at the end. Blocks the handler's thread, never a poller.
    /// Throws `HTTPBodyError` when the client goes away, stalls, or breaks the framing.
    func next() throws(HTTPBodyError) -> [UInt8]?
}

/// Why a body could not be read to its end.
package enum HTTPBodyError: Error, Sendable, Hashable {
    case disconnected, timedOut, malformed(String), tooLarge(limit: Int64)
}

/// No body.
package final class EmptyBody: RequestBody {
    /// A body of no bytes.
    package init() {}
    /// Always 0.
    package var declaredLength: Int64? { 0 }
    /// Always the end.
    package func next() throws(HTTPBodyError) -> [UInt8]? { nil }
}

extension RequestBody {
    /// Reads to the end; throws `.tooLarge` past the limit.
    package func readAll(limit: Int) throws(HTTPBodyError) -> [UInt8] {
        if let declaredLength, declaredLength > Int64(limit) {
            throw .tooLarge(limit: Int64(limit))
        }
        var bytes: [UInt8] = []
        while let piece = try next() {
            bytes += piece
            if bytes.count > limit { throw .tooLarge(limit: Int64(limit)) }
        }
        return bytes
    }
}
