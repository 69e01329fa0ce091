// ConsoleAPI: the pages that people see. Written on the server, readable without a script.
//
//     Request ─▶ ConsolePages.page: Host, session (or /login), CSRF for writes ─▶ Pages/… ─▶ Markup
//                                                                                   │
//     what pages show comes through small protocols with plain values (Doors/):     ▼
//       QueryRunner (Dashboards)  runs SQL as the visitor                     Layout.page
//       CatalogBrowser            warehouses, namespaces, tables, files       secured: CSP and kin
//       QueryBrowser              statements that ran or run
//       PipelineBrowser           pipelines, runs, logs
//       AuditBrowser              the ledger
//       TableWatch                tells when a table has a new state
//       ApplianceBrowser          what runs, how to connect
//       AssetSource               styles and modules, embedded or from a directory
//
// `TableCatalogBrowser`, `CatalogTableWatch` and `LedgerBrowser` are the adapters over domains that
// this layer may import; the others are supplied by `Appliance`. All data of anybody's goes through
// `Markup`, which escapes it. Modules in `web/` make pages quicker, never possible: each page works
// without them.
//
// Scripts and styles come from /assets only; the Content-Security-Policy forbids everything inline,
// so no page has a `style` attribute or a handler in its markup.
//
// A dashboard moves like this: the page carries the fingerprint of its tables' states; `/events`
// compares it with the present one when somebody commits, and tells the page, which fetches its
// tiles again. A fingerprint, not a stream of changes: a page that was away for a while sees one
// difference.
