// HTTPMessages: requests, responses, fields, routes and the HTTP/1.1 parser as a state machine.
//
// Pure values: no sockets, no clock. `HTTPServer` feeds the parser with bytes and performs what it
// says; API targets see `Request` and answer `Response`, and do not know the framing, so that HTTP/2
// can come. Source: RFC 9110 (semantics), RFC 9112 (HTTP/1.1).
//
//     bytes ─▶ RequestParser.next ─▶ head, body pieces, end ─▶ Request ─▶ Router ─▶ Response ─▶ bytes
//
// The parser refuses what two readers could read in two ways: two lengths, length and chunked, a bare
// LF, folded lines, space before a colon, no or two Hosts. A refusal has the status to answer, and the
// connection ends after it. Limits are in `HTTPLimits`.
//
// An API target exports `[Route]`; `Router` joins the lists of a port. For handlers: `QueryItems`,
// `Request.readForm`, `Request.cookie` and `SetCookie`, `Request.preferredType`, `ByteRange`, `HTTPDate`,
// `PercentCoding`.
