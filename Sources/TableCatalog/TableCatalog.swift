// TableCatalog: which tables there are, and the one place where their state changes.
//
//     caller ─▶ Catalog verb (RequestContext first; asks the Authorizer) ─▶ catalog.sqlite
//                                                                          └▶ outbox, same transaction
//     commit: load ─▶ check requirements ─▶ apply updates (pure, in Iceberg)
//             ─▶ one transaction: journal the metadata text, swing the pointer, write the event
//             ─▶ write the metadata.json object ─▶ (later) drop the journal's copy
//
// A commit is durable with its transaction. The object is written after it, for other engines; if
// the process dies between the two, `recover` writes the object from the journal. Several tables
// commit in one transaction. Writers of one table take turns; a failed requirement is an error at once.
//
// Every pointer stands under a reference of its warehouse. A reference without a pointer of its own
// reads its parent's, so that a branch costs one row; today only `main` exists. Metadata never changes
// under its location, so parsed metadata is cached by location.
//
// Invariants: names are unique without regard to case and keep theirs; a pointer's text is in the
// journal or in the object store, never nowhere. Source: DESIGN sections 2 and 4; REST catalog
// specification for what each verb promises.
