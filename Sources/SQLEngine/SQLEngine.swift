// SQLEngine: sessions and queries; turns tables and files into scans; statements into effects.
//
//     text ─▶ SQLSyntax ─▶ binder (names by `EngineCatalogs`) ─▶ optimizer ─▶ SQLExecution ─▶ pages
//                               │ utility statements
//                               ▼
//                       TableCatalog verbs, session changes, listings
//
// `QueryEngine` takes a statement and gives a `Query`, which runs on a thread of its own and never waits
// for its client: finished pages wait in memory, then in a file. Doors (the Trino protocol, the console,
// the command line) bring a `ResultEncoder`, which turns chunks into their bytes on the worker that made
// them, and fetch pages in order.
//
// A session lives in the client, as in Trino: each statement brings it along (`QuerySession`), and the
// answer says what changed (`SessionChanges`). A table is fixed at one snapshot when the query is bound.
// Writers (INSERT, CTAS, UPDATE, DELETE, MERGE) write Parquet files through the object store and commit
// through the catalog; a lost race is rebased there or is TRANSACTION_CONFLICT.
//
// START TRANSACTION opens private references in the catalog (`Transactions/`), and the transaction's
// statements find them where names mean a warehouse's branch: so each reads one state and its own writes,
// whatever it does, and COMMIT is a merge of all of them. A materialized view (`MaterializedViews/`) is a view
// beside a table with the rows of its last refresh; who reads it gets a selection from that table where it is
// fresh enough and nothing is hidden from the reader, else the definition.
