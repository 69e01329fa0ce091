/// A handler that can answer some requests without blocking: health checks, what is in memory.
///
/// The server asks on its poller's thread, before it queues the request for a handler thread; nil sends it
/// there. What takes more than some microseconds does not belong here.
package protocol ImmediateHandler: RequestHandler {
    func immediateResponse(to request: Request) -> Response?
}
