// HTTPServer: doors on which requests come in, and the loops that own the sockets.
//
//     accept ─▶ EventLoop (one a core) ─▶ Connection ─▶ RequestParser ─▶ Request ─▶ HandlerPool
//                   ▲  owns sockets, TLS, deadlines                                  │ respond
//                   └──────────────── mailbox: answers, pieces, wants ◀──────────────┘
//
// A loop never blocks and never runs a handler (but for `ImmediateHandler`s). A handler runs on a thread
// of the pool, may block on disk and SQLite, and never touches a socket: it reads the request's body
// through `ServerBody`, which asks the loop for more when it has room, and gives back a `Response` whose
// stream is pulled piece by piece when the socket can take it. So a slow reader holds no thread, and a
// slow uploader holds a parked one that does not count against the pool.
//
// A connection speaks plain HTTP or TLS; its first byte tells (0x16 begins a TLS handshake). Requests that
// come before the former is answered wait in the socket. A request that could be read in two ways is refused and
// the connection ends: see `HTTPMessages`.
//
// Everything has a limit in `HTTPServerLimits`: connections in all and an address, queue, head, body and
// write deadlines. A full queue answers 503 with Retry-After.
//
// An answer that ends its connection is followed by a half-close; then the loop reads away what the peer still
// sends, within `lingerBytes` and `lingerDeadline`, since closing over unread bytes would reset the
// connection and could lose the answer. So a refused head and an early 413 are always heard.
//
// Lock order: a loop's mailbox, a body's monitor and the pool's monitor are never held together.
