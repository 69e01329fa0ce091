// Operations: how the process does, kept for seven days, and five alerts over it.
//
//     OperationsProbe.read ─▶ Watchman.tick ─┬─▶ samples (a value of each measure, every half minute)
//       components, gauges,                  ├─▶ AlertBook ─▶ alerts, their history ─▶ log
//       counters                             └─▶ notices ─▶ NoticeSender (a webhook), until it took them
//
// Everything is in `operations.sqlite`. Counters are kept as what was added since the look before, so that
// a restart is no dip and sums over any time are right; gauges as they are. What is shown of it, the ops
// dashboard and `system.operations`, is SQL over these tables.
//
// An alert is `ok`, `pending` while its condition has not held for long enough, or `firing`. Only going to
// and from `firing` is told; the state is written with the notice in one transaction, so that neither a
// crash nor a restart loses a notice or tells it twice to the outbox of notices. A webhook that does not
// answer is tried again, further and further apart, for a day.
