// HTTPMessages: requests, responses, fields, routes and the HTTP/1.1 parser as a state machine.
//
// Pure values: no sockets, no clock. `HTTPServer` feeds the parser with bytes and performs what it
// says; API targets see `Request` and answer `Response`, and do not know the framing, so that HTTP/2
// can come. Source: RFC 9110 (semantics), RFC 9112 (HTTP/1.1).
//
//     bytes ─▶ RequestParser.handle ─▶ head, body pieces, end ─▶ Request ─▶ handler ─▶ Response ─▶ bytes
