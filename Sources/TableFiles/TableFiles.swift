// TableFiles: rows as the data and delete files of an Iceberg table; what SQL and ingest both need.
//
//     chunks ─▶ PartitionedDataWriter ─▶ one open ParquetWriter a partition ─▶ [DataFile]
//     positions ─▶ PositionDeleteWriter ─▶ one delete file a partition ─▶ [DataFile]
//
// The caller hands the `DataFile` records to `Iceberg.SnapshotProducer` (or `Catalog.commitFiles`),
// or gives everything up with `abandon()`:
//
//     let writer = try PartitionedDataWriter(store: store, table: metadata, budget: budget, entropy: entropy)
//     try writer.append(chunk)              // any number of times; columns as `writer.types`
//     let files = try writer.finish()       // files are durable, but in no snapshot yet
//
// `append(_:_:)` with a `LoadTeam` takes several chunks at once: each of its threads encodes columns of
// its own, so that the file is the one that a single thread writes.
//
// `IcebergTypes` maps types and values between the format and the engine. Writers belong to one
// thread; several may write for one commit, each with its own files.
//
// Invariants: a finished file's rows all lie in its partition; its bounds hold for every value that is
// neither NULL nor NaN; files of a writer that was dropped or abandoned are deleted as far as they were
// committed. Source: Iceberg specification, "Partitioning", "Column Projection", "Manifests",
// "Position Delete Files".
//
// Types for callers: `PartitionedDataWriter(store:table:schema:spec:options:budget:entropy:)` with
// `append`, `finish`, `abandon`, `types`, `rowCount`; `PositionDeleteWriter(store:table:budget:entropy:)` with
// `delete(_:in:)`, `finish`, `abandon` (format version 2 only); `DataWriterOptions(properties:)` reads
// `write.*` properties of the table; faults are `TableFileError`.
