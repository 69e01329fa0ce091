// Ledger: who did or saw what, by which door, and what was refused.
//
//     identity.sqlite ─┐ outbox
//     objects.sqlite  ─┼────────▶ AuditLedger.drain ─▶ ledger.sqlite ─▶ query, system table
//     catalog.sqlite  ─┘                ▲                               (system.ledger.entries)
//     Authorizer ── record (denials, allowed reads) ── buffer ── flush
//
// Changes come from the outboxes of the other databases, where they were written in the transaction of
// the change itself, so none can be missing: each source's place is kept here, in the transaction that
// writes the rows, and an event that is read twice is written once. Denials and allowed reads come from
// the authorizer and go through a buffer: who answers a refusal waits until its denial is written
// (`settle`), reads wait up to a second for each other and may be lost in a crash. When the buffer is full, rows are dropped and a row says
// how many.
//
// Payloads of events are JSON objects; `principal`, `principalName`, `requestID`, `door`, `action`,
// `resource` and `decision` become columns where they are there, the whole payload is the detail.
//
// Who reads asks for `ledger.view`: pages with `entries`, `system.ledger.entries` with `scan`, whose bounds
// go to the index that finds the rows.
