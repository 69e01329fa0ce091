/// An answer: the status, fields, and a body in one of four forms.
package struct Response: Sendable {
    /// 200 to 599.
    package var status: Int
    /// Without framing, date and connection, which are the server's.
    package var fields: Fields
    /// What follows the head.
    package var body: ResponseBody

    /// An answer; without a body unless one is given.
    package init(status: Int, fields: Fields = Fields(), body: ResponseBody = .empty) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// An answer with bytes and their media type.
    package init(status: Int, contentType: String, bytes: [UInt8]) {
        self.init(
            status: status, fields: Fields([("Content-Type", contentType)]), body: .bytes(bytes))
    }
}

/// What follows the head.
package enum ResponseBody: Sendable {
    case empty
    case bytes([UInt8])
    /// Pieces with a known total: the server asks for the next when the socket can take it.
    case stream(length: Int64, any ResponseStream)
    /// Pieces without a known total: sent chunked; server-sent events too.
    case chunked(any ResponseStream)
}

/// Produces a body piece by piece. The server calls `next` on a handler thread, one call at a time, only
/// when the former piece is on its way: slow readers cost no thread and no memory.
package protocol ResponseStream: AnyObject, Sendable {
    /// The next bytes; nil at the end. Throwing cuts the connection, since the head is gone.
    func next() throws -> [UInt8]?

    /// Called once when the body is done with, sent or not.
    func close()

    /// For streams that wait for something (server-sent events): when `next` has nothing yet, it returns
    /// an empty array, and calls this closure's argument once when it is worth asking again.
    func whenReady(_ wake: @escaping @Sendable () -> Void)
}

extension ResponseStream {
    /// Nothing to close.
    package func close() {}
    /// Always worth asking again.
    package func whenReady(_ wake: @escaping @Sendable () -> Void) { wake() }
}

/// What answers requests. Called on a handler thread; may block on disk and SQLite.
package protocol RequestHandler: Sendable {
    func respond(to request: Request) -> Response
}
