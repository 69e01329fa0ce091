// Compression: one `Codec` over zstd, zlib, lz4, snappy and brotli.
//
//     Compressor    whole buffers in, whole buffers out; owns the libraries' contexts
//     Decompressor  the reverse, into memory whose size the caller knows exactly, or up to a limit
//     StreamDecompressor  pieces in, pieces out: for text files larger than memory
//
// All three belong to one thread at a time and are made once per worker: a zstd context costs more
// than a small page. Lengths that foreign bytes claim are never trusted: the caller says how many
// bytes must come out (or how many at the most), and anything else is a `CompressionError`. No input
// can trap, write outside of the output or allocate more than the limit.
//
// Snappy is decoded by our own code, which is up to 1.6 times as fast as Debian's library (engine
// blueprint, section 5); libsnappy compresses, and is the oracle in the tests.
//
// Framings: `lz4Block` is a bare LZ4 block, `lz4Frame` the .lz4 file format, `lz4Hadoop` what old
// Parquet writers called LZ4: blocks with big-endian lengths in front (the reader also takes a bare
// block or a frame, as Arrow does). `gzip` takes several members, as gunzip does. `deflate` is raw,
// without zlib's header.
