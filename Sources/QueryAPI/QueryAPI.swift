// QueryAPI: Trino's client protocol over the SQL engine.
//
//     POST /v1/statement ─▶ QueryEngine.submit ─▶ first page, or the next URI
//     GET  /v1/statement/executing/{id}/{slug}/{token} ─▶ page `token`, long poll of up to a second
//     DELETE the same ─▶ cancel
//
// The first answer already carries rows, or the whole result, when that is there within some
// milliseconds: clients accept it, and a small query costs one round trip. Polls need no credential,
// since their slug is a secret of the query. The last page is kept, so that a poll whose answer was lost
// can be repeated; an older token is 410, an unknown one 404. SQL errors are 200 with `error`.
//
// Source: Trino documentation, "Trino client REST API"; `reference/trino-protocol.md`.
