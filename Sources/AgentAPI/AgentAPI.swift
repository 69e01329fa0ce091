// AgentAPI: the door for agents, which speak the Model Context Protocol over HTTP at `/mcp`.
//
//     POST ─▶ host and origin ─▶ bearer of our issuer ─▶ one JSON-RPC message ─▶ method ─▶ tool ─▶ answer
//               421, 403            401 with where to           400, 404           │
//                                   get a token                                    └▶ SQL as the caller
//
// Two eras of the protocol are spoken. Up to 2025-11-25 a client shakes hands (`initialize`) and gets a
// session id, which belongs to its account; from 2026-07-28 on each request stands alone, tells its version
// in `_meta`, and repeats method and name in header fields that must agree with the body. Answers are plain
// JSON, never streams: no tool here has anything to say before it is done, so GET is refused.
//
// An agent does what its token's account may do, through the same engine, policies and ledger as everybody.
// Beyond that this door only reads: `ReadOnlySQL` looks at the syntax tree and lets queries, SHOW, DESCRIBE
// and EXPLAIN through; what it does not know is refused. Rows, bytes and time are capped.
//
// What the tools need of other domains are the small protocols in `AgentDoors`; a tool whose protocol
// nobody supplies is not listed. Source: Model Context Protocol, revisions 2025-11-25 and 2026-07-28;
// RFC 9728 for the protected resource's metadata.
