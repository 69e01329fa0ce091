// TPCH: the tables of the TPC-H benchmark, made while they are read.
//
//     TPCHSchema ─▶ TPCHTable ─▶ morsels of base rows ─▶ RowMaker (one a table) ─▶ column buffers ─▶ chunks
//                                                          │
//                                                          ├ RowRandom: one stream of numbers a column
//                                                          └ TextPool: 300 MiB of prose, kept as words
//
// Every column has a stream of pseudo-random numbers of its own that spends a fixed count of numbers a row,
// so a morsel begins anywhere by one exponentiation, and a column that nobody asks for is never made. A
// base row is a part, a supplier, a customer, an order; `partsupp` has four rows a part, `lineitem` one to
// seven an order. What a row holds follows the reference generator number by number: the content is that
// of `tpchgen-cli` and of dbgen, which the tests compare.
//
// Names and types are those of Trino's tpch connector: columns without prefix and money as double unless
// the catalog's properties say otherwise; schemas `tiny` (scale 0.01), `sf1`, `sf100`, … and any `sf<n>`.
//
// Follows: TPC Benchmark H, revision 3, section 4.2; the generator of the Apache-licensed tpchgen-rs.
