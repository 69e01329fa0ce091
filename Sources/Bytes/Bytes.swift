// Bytes: reading, writing and checking raw bytes.
//
// `ByteReader` is a bounded cursor over foreign bytes: each read checks first and throws
// `BytesError` with the offset, never traps. `ByteBuffer` is its growable counterpart. Around them:
// varints (ULEB128, zigzag), checksums (CRC-32, CRC-32C, CRC-64/NVME), hashes (xxHash64,
// Murmur3-32 as Iceberg buckets use it), and the text forms of bytes: hex, base64, percent-encoding.
//
// Invariants: nothing here allocates in proportion to a length that a foreign byte claims before the
// bytes themselves were seen. Sources: RFC 4648, RFC 3986, the xxHash specification, Iceberg
// specification appendix B, Rocksoft parameters of the CRC catalogue.
