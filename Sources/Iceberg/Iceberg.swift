// Iceberg: the table format, as values and pure functions; files come and go through `ObjectStorage`.
//
//     metadata.json ─▶ TableMetadata ─select─▶ Snapshot ─▶ manifest list ─▶ manifests ─▶ files
//                          ▲                                    │
//        applying(updates) │                    TableScan.plan: │ prune by partition, then by bounds
//                          │                                    ▼
//     SnapshotProducer ────┘ writes manifests         FileScanTask (data file + its deletes)
//
// `Types` holds schemas, literals, transforms, specs; `Metadata` the document, its requirements and
// updates; `Manifests` the Avro files; `Scanning` predicates and planning; `Committing` what turns
// new and removed files into updates and requirements. Data files themselves belong to others: here
// they are `DataFile` records.
//
// Invariants: a parsed `TableMetadata` has its current schema, default spec and order, and every
// reference finds its snapshot. Pruning may keep a file that has no row for a predicate, and never
// drops one that has. Source: Iceberg specification, format versions 1 to 3; REST catalog
// specification for updates and requirements.
