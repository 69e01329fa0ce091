// Identity: who may come in, with what, and what each may do.
//
//     IdentityRegistry                     identity.sqlite and DIR/master.key (0600)
//       accounts, groups, roles, grants    people and service accounts; a role holds grants, a grant
//                                          allows actions on resource patterns, with filters and masks
//       access keys                        S3 pairs; SigV4 must recover the secret, so it is sealed
//       clients                            OAuth clients, and application credentials that expire
//       sessions, login links, codes,      short-lived secrets, kept as SHA-256 only
//       refresh tokens, device codes
//       signing keys                       RS256, rotated; old ones verify until their tokens are gone
//     DirectorySnapshot                    everything a decision needs, in memory, immutable
//     PolicyAuthorizer                     the product's `Authorizer`: decides from the snapshot
//
// A request comes in by one of four ways and becomes a `Principal`:
//
//     Basic name:password, name:application secret ─▶ authenticate(_:name:password:address:)
//     Bearer JWT ──────────────────────────────────▶ authenticate(_:bearer:)
//     session cookie ──────────────────────────────▶ session(_:cookie:)
//     S3 access key (and session token) ───────────▶ secret(_:forAccessKey:sessionToken:)
//
// Verbs take a `RequestContext` first and ask the authorizer; what people do to their own keys and
// passwords needs no grant. Every change writes an event into the outbox in its own transaction; the
// snapshot is marked stale after the commit and rebuilt by the next reader, so that a change counts
// for every decision made after the verb returned. Secrets leave only as the result of the verb that
// made them. Roles are looked up at each request: a token says who, never what one may do.
//
// Sources: RFC 6749 (OAuth 2.0), 7519 (JWT), 7636 (PKCE), 8628 (device), 9068 (JWT access tokens),
// OAuth 2.0 Security Best Current Practice (refresh rotation with reuse detection).
