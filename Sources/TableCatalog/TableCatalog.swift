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
// Every pointer stands under a reference of its warehouse: `main`, a branch, a tag. A reference without a
// pointer of its own reads its parent's, so that a branch costs one row; before a parent changes a name, it
// leaves what was there to each child that has no row yet (`Branches/Preservation.swift`), so that a branch
// sees nothing of what happens beside it. A row remembers where it began (`base_location`): what differs
// from that is what a merge brings to the parent, fast-forward or combined, all tables in one transaction.
// Metadata never changes under its location, so parsed metadata is cached by location.
//
// Invariants: names are unique without regard to case and keep theirs; a pointer's text is in the
// journal or in the object store, never nowhere. Source: DESIGN sections 2 and 4; REST catalog
// specification for what each verb promises.
