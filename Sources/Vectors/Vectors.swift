// Vectors: the engine's values: logical types, vectors, chunks, strings, memory.
//
// A `Vector` is a plain struct that points; who made it owns the memory, and there is no reference
// count on the data path (two threads that copy a counted vector pay 430 ns). A `Chunk` is up to
// `Chunk.capacity` rows in columns, with an optional selection of the active ones; one chunk belongs
// to one operator and worker and is filled again and again.
//
// Rules of ownership (engine blueprint, section 2):
//   1. A chunk is valid from `push` until it returns; the producer then reuses everything.
//   2. An operator changes `selection` and descriptors only of its own chunks, never bytes it did not make.
//   3. Who keeps a row copies it; strings over 12 bytes go to its own heap unless `isStable`.
//   4. Buffers are 64-aligned with 64 bytes of slack, so that wide loads need no tail code.
//   5. Unsafe pointers stay inside Vectors, the formats' readers and writers, SQLFunctions and SQLExecution.
//
// Physical layout by logical type:
//
//     boolean                        bool    1 byte, 0 or 1
//     tinyint smallint integer date  int32   ranges are checked where values are made
//     interval year to month         int32   months
//     bigint decimal(≤18)            int64   decimals unscaled
//     time(p)                        int64   picoseconds of the day
//     timestamp(≤6)                  int64   microseconds since 1970-01-01
//     interval day to second         int64   milliseconds
//     decimal(>18)                   int128  unscaled
//     timestamp(>6)                  int128  microseconds << 64 | picoseconds within the microsecond
//     timestamp with time zone       int128  UTC microseconds << 64 | picoseconds << 16 | zone key
//     time with time zone            int128  UTC picoseconds << 64 | (offset minutes + 1024)
//     uuid                           int128  big-endian value with the top bit flipped: order is kept
//     real double                    double  a real is a double that is always rounded to Float
//     varchar char varbinary json
//     ipaddress (16 bytes)           string  16-byte view
//     array map                      list    offset and length into the children
//     row                            row     children only
