// DiskObjectStorage: the durable store (DESIGN section 3).
//
//     DIR/objects.sqlite             the index: buckets, objects, contents, blobs, uploads, trash, outbox
//     DIR/blobs/<boot>/<hundreds>/<boot>-<count>     contents over 64 KiB, and every uploaded part
//     DIR/blobs/incoming/<boot>-<count>              blobs that are being written
//
//     objects row ──▶ contents row ──▶ inline bytes with their CRC-32C
//      (key, etag,     (refs: copies   or
//       attributes)     share it)      blobs rows in order, one a part ──▶ blob files
//
// A blob file is its bytes from offset 0, then the CRC-32C of each 64 KiB page, then a footer of 32 bytes
// (`BlobFormat`). Nothing leaves the store before the checksum of its page was compared.
//
// How a write becomes durable: bytes to `incoming`, fsync, rename, fsync of the directory (shared by those
// who ask for it at the same time), then the index transaction (`writeGrouped`: many writers, one sync)
// that also writes the event into the outbox. Whoever fails in between leaves at most a file that no row
// knows, under the boot's own directory. `recover` removes these, looking only at boots that ended, once
// each, so that it never races a live writer.
//
// How bytes go: the transaction that drops the last reference moves the blob's name to `trash`; after its
// commit the file is unlinked as soon as no reader that could know the name is open (`Trash`). Rows that
// are left are emptied by `recover`.
//
// Versions. `objects` holds the present version of each key and nothing else; what is behind it, and delete
// markers, are rows of `versions`, the newest with the least `seq`. A write moves the present row there, the
// removal of the latest brings the one before back. So reads and listings cost the same with and without.
//
// What is configured of a bucket (`Settings/`) is a text each in `bucket_settings` and one `BucketState` in
// memory. Its policy (`Policies/`) is judged before the authorizer is asked, which gets the verdict in the
// context: a denial beats every grant, an allowance counts where no grant speaks.
//
// Webhooks: an event becomes rows of `deliveries` in the transaction that moves the outbox cursor past it, and a
// row goes when its receiver has answered (`Deliveries`). `runLifecycle` and `Scrub` are called by the appliance.
//
// Every verb takes a `RequestContext` and asks the `Authorizer`; `bound(to:)` gives formats and the engine
// an `ObjectStore` that acts for one context.
//
// Locks: SQLite's writer, then `Trash`, then `DirectorySync`; none is held while another is waited for.
