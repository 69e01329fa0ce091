// SQLite: one writer, many readers, closures as transactions, and the outbox.
//
//     let database = try Database(path: …, migrations: [...], nowMicroseconds: clock)
//     try database.write { tx in                 one transaction on the one writer connection
//         try tx.run("INSERT INTO t VALUES (?, ?)", name, size)
//         try tx.emit(kind: "object.created", payload: json)      same transaction, so never lost
//     }
//     let names = try database.read { tx in      one snapshot on a pooled `query_only` connection
//         try tx.query("SELECT name FROM t WHERE size > ?", 10) { $0.string(0) }
//     }
//     try database.writeGrouped { tx in … }      small write that shares its fsync with others
//
// Invariants. Only the writer connection writes and checkpoints (SQLite 3.40 has a rare race when a WAL
// is reset by one connection and written by another). Synchronous is FULL: a write that returned is on
// the disk. A closure runs once, on a thread that may be another's while the caller waits (grouped
// writes); it must not call the same database's `write` again. Rows are valid only inside their closure.
//
// The outbox is a table of every database file: `outbox(seq, tenant, at_us, kind, payload)`, in commit
// order, since there is one writer. Consumers keep cursors in `outbox_cursors`; `OutboxSignal` wakes
// them after a commit; `trim` removes what every consumer passed.
//
// Schema versions live in `PRAGMA user_version`; migrations are numbered from 1 and only go forward.
// Source: sqlite.org, "C-language Interface", "Write-Ahead Logging", "SAVEPOINT".
