// Parquet: reads and writes Parquet files; the scan is the fastest piece of the product.
//
// Reading. `ParquetFile.open` reads the footer once (callers cache the file by the object's version);
// its `schema` is a tree of `ParquetField`s with SQL types. A worker makes one `ParquetScan` per file
// and calls, for each row group (or part of one) that it takes as a morsel:
//
//     let memory = ScanMemory(budget: budget)                       // one a worker, for all files
//     let scan = try ParquetScan(file, columns: …, outputs: …, filters: …, memory: memory)
//     if try scan.begin(rowGroup: 3) {                              // false: statistics exclude it
//         while let chunk = try scan.next() { try first.push(chunk) }
//     }
//
// What the scan does in `next` (engine blueprint, section 5):
//
//     step = up to 2,048 rows, cut at the nearest page end of the flat columns read
//     filter columns, cheapest and most selective first
//         dictionary page: filters were asked once about the entries; `pass[code]` narrows
//         else: the column's rows of this step are decoded and the filter selects among them
//     nothing left: the other columns skip (pages that nobody wants are never decompressed)
//     the other columns decode only the selected rows; the chunk is dense
//
// Lifetime: a chunk and everything it points to is valid until the next call of `next` or `begin` on
// the same scan. Strings leave the scan as dictionary vectors where the page was dictionary-encoded
// (`dictionaryID` is new for each dictionary page, over all scans of the process), else flat; long
// strings point into the scan's page buffers (`isStable` is false). Everything of fixed width is
// flat. `valid` is nil when the rows handed out have no NULL (or the page was proven free of them).
// Arrays and maps are list vectors, structs are row vectors, to any depth.
//
// Pieces, from the outside in:
//
//     Metadata/   Thrift, footer, schema tree, statistics, page index, bloom filters
//     Scan/       ParquetScan, filters, cursors over column chunks, nested assembly
//     Encodings/  bit unpacking, run-length hybrids, deltas, byte arrays, conversions to SQL types
//     Write/      ParquetWriter: chunks in; pages, dictionaries, statistics and indexes out
//
// Wrong bytes never trap: every length is checked against the page before it is used, and becomes a
// `ParquetError`. Buffers have 64 bytes of slack so that wide loads may run over the end.
//
// Source: apache/parquet-format: parquet.thrift, Encodings.md, LogicalTypes.md, PageIndex.md,
// BloomFilter.md.
