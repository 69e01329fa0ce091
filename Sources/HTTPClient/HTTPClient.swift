// HTTPClient: a small blocking HTTP/1.1 client for the command line, the walkthrough and webhooks.
//
// One `HTTPConnection` holds one kept-alive connection to one origin and is used by one thread. With a
// `TLSContext` it speaks HTTPS: the server's certificate has to be of an authority that the context trusts
// and to carry the host's name. Without one it speaks plain HTTP, which is for this machine. Source:
// RFC 9112.
//
//     let connection = HTTPConnection(host: "127.0.0.1", port: 8080)
//     let answer = try connection.send(.post, "/v1/statement", fields: …, body: …)
