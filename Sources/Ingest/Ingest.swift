// Ingest: rows from elsewhere become rows of Iceberg tables, each exactly once.
//
//     IngestRequest(options) ─▶ Ingestor.run ─▶ RowSource (CSV, JSON lines, Parquet, Excel, SQLite)
//                                   │              │ chunks, read as the types the table has
//                                   ▼              ▼
//                     TargetTable: create, evolve   RowAligner ─▶ TableFiles.PartitionedDataWriter
//                                   │                                   │ data files
//                                   └──────────── one commit ◀──────────┘ (and position deletes)
//
// Modes: `append` adds, `replace` makes the rows the whole table, `merge` replaces rows by key. A merge
// reads only what changed since the watermark of its last commit (`incremental`), finds the rows that
// are there by scanning the key column of the files whose bounds allow it, and commits new files and
// position deletes as one snapshot (copy on write where the format version or
// `write.merge.mode` wants it). Rows at the watermark are read again and left out when they are there
// unchanged, so that a row committed late with the same time is not lost and a rerun adds nothing.
//
// A watermark is taken back by a property of the table that names the snapshot up to which watermarks do
// not count; the next merge compares everything, and either commits a newer one or finds the old one right.
// With `delete_missing` rows go that the source, read as a whole, does not have any more.
//
// Files: `replace-file` puts the rows of a file in the place of those that came from it before, by the
// columns `_source_file`, `_source_etag` and `_ingested_at` that it adds; a file with the same tag is not
// read again, and one that is gone takes its rows with it when `on_delete` says so. The columns are the
// registry of what was loaded: what they say is committed with the rows. Types are those of nine tenths
// of a column's values; the others become NULL and are told. `validate` only looks.
// Text may be packed (gzip, zstd, lz4) and is unpacked while it is read; of workbooks one sheet is read, cell
// by cell without a tree. `IngestRegistry` notes for people what became of each file, failures too.
//
// Exactly once: the run and step id, and for objects the bucket, key and version, stand in the
// summary of the snapshot (`lakehouse.run-id`, `lakehouse.step-id`, `lakehouse.source-version`), and are
// looked for before the work and again within the commit. A retried step sees its own commit.
//
// Types: a new table gets the source's types; columns that are new are added as nullable ones; a column
// of the table is widened where Iceberg allows it (int to bigint, real to double, decimals), otherwise
// the values are read as the type that the table has, and one that does not fit is named with its line.
