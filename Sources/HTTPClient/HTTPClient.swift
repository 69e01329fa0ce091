// HTTPClient: a small blocking HTTP/1.1 client for the command line, the walkthrough and webhooks.
//
// One `HTTPConnection` holds one kept-alive connection to one origin and is used by one thread. It
// speaks plain HTTP only: the command line reaches servers on this machine, or over a TLS tunnel that
// the operator provides. Source: RFC 9112.
//
//     let connection = HTTPConnection(host: "127.0.0.1", port: 8080)
//     let answer = try connection.send(.post, "/v1/statement", fields: …, body: …)
