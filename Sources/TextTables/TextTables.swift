// TextTables: CSV and JSON lines to chunks, and chunks to CSV.
//
//     bytes ──CSVSplitter──▶ stretches ──CSVScanner──▶ fields ──CSVParser──▶ ColumnBuffers ──▶ Chunk
//
// A file is read twice when its types are not given: once to infer them over every row, so that no
// later row can contradict the sample, and once to convert. Inference knows boolean, bigint,
// decimal, double, date, timestamp and varchar; an empty field is NULL, a quoted empty field is the
// empty string. Memory stays within a few blocks, whatever the size of the file. A malformed record
// is a fault with its line, column and text; nothing is skipped silently.
//
// Stretches are cut at the ends of records by one thread, which looks at quotes and line feeds only; what
// is in them can then be scanned and converted by many (`ParallelRun`), with the rows, types and mistakes
// that one thread would find. Texts are not copied: views point into the stretch.
//
// Source: RFC 4180 for CSV, with the dialects that people have: other delimiters, bare LF, a byte order
// mark, doubled quotes; jsonlines.org for JSON lines.
