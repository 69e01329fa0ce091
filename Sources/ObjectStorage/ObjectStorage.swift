// ObjectStorage: the one seam to bytes (DESIGN section 2, number 2).
//
// `ObjectStore` is what formats and the engine read and write through. Reads are batches of ranges
// with completion, so that a source may say *blocked* and its thread goes on with other morsels; the
// blocking forms are built on it. The local durable store is in `DiskObjectStorage`; `MemoryObjectStore`
// here serves tests and caches.
//
// Locations are `s3://bucket/key`. A key is any UTF-8 text of 1 to 1,024 bytes; there are no
// directories. An object is immutable once written: a write under the same key replaces it whole, and
// readers that opened the older one by its version keep reading it.
