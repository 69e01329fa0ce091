import Bytes
package import ObjectStorage
import SQLite
import Synchronization

/// Where the bytes of a content are.
enum ContentLayout {
    case inline(bytes: [UInt8], crc32c: UInt32)
    case blobs([(name: String, sizeBytes: Int64)])
}

extension DiskObjectStore {
    static func layout(_ tx: ReadTransaction, content: Int64) throws -> ContentLayout {
        let inline = try tx.first("SELECT inline, crc32c FROM contents WHERE id = ?", content) {
            row in
            row.isNull(0)
                ? nil
                : ContentLayout.inline(
                    bytes: row.bytes(0), crc32c: UInt32(truncatingIfNeeded: row.int64(1)))
        }
        if let found = inline, let layout = found { return layout }
        return .blobs(
            try tx.query("SELECT name, size FROM blobs WHERE content = ? ORDER BY number", content)
            { row in
                (name: row.string(0), sizeBytes: row.int64(1))
            })
    }
}

/// An open object: its content as it was when opened, checked page by page as it is read.
package final class StoredObjectReader: ObjectReader {
    package let record: ObjectRecord
    package var description: ObjectDescription { record.description }
    private let store: DiskObjectStore
    private let inline: [UInt8]?
    /// Blobs with the offset of each in the object.
    private let blobs: [(name: String, sizeBytes: Int64, start: Int64)]
    /// The blobs that are open, the one used last at the end.
    private let openBlobs = Mutex<[(index: Int, reader: BlobReader)]>([])

    init(
        store: DiskObjectStore, record: ObjectRecord, layout: ContentLayout
    ) throws(ObjectStoreError) {
        self.store = store
        self.record = record
        switch layout {
        case .inline(let bytes, let sum):
            guard Int64(bytes.count) == record.description.sizeBytes, crc32c(bytes) == sum else {
                throw corrupted("the inline bytes of \(record.description.location) are damaged")
            }
            inline = bytes
            blobs = []
        case .blobs(let found):
            inline = nil
            var start: Int64 = 0
            var placed: [(name: String, sizeBytes: Int64, start: Int64)] = []
            placed.reserveCapacity(found.count)
            for blob in found {
                placed.append((blob.name, blob.sizeBytes, start))
                start += blob.sizeBytes
            }
            guard start == record.description.sizeBytes else {
                throw corrupted(
                    "the blobs of \(record.description.location) have \(start) bytes, "
                        + "the object \(record.description.sizeBytes)")
            }
            blobs = placed
        }
        // The caller holds a ticket until this returns, so the names cannot go in between.
        store.trash.pin(blobs.map(\.name))
    }

    deinit { if !blobs.isEmpty { store.trash.unpin(blobs.map(\.name)) } }

    /// Reads at once: the pages come from the system's cache or one `pread` each.
    package func read(
        _ ranges: [RangeRead],
        completion: @escaping @Sendable (Result<Void, ObjectStoreError>) -> Void
    ) {
        do throws(ObjectStoreError) {
            try readNow(ranges)
            completion(.success(()))
        } catch {
            completion(.failure(error))
        }
    }

    package func readNow(_ ranges: [RangeRead]) throws(ObjectStoreError) {
        for range in ranges { try range.check(against: description) }
        for range in ranges {
            if let inline {
                let start = Int(range.offset)
                inline.withUnsafeBytes { source in
                    range.destination.copyMemory(
                        from: UnsafeRawBufferPointer(
                            rebasing: source[start..<(start + range.destination.count)]))
                }
            } else {
                try readBlobs(range)
            }
        }
    }

    private func readBlobs(_ range: RangeRead) throws(ObjectStoreError) {
        var done = 0
        var index = firstBlob(holding: range.offset)
        while done < range.destination.count, index < blobs.count {
            let blob = blobs[index]
            let inside = range.offset + Int64(done) - blob.start
            let count = Int(min(blob.sizeBytes - inside, Int64(range.destination.count - done)))
            if count > 0 {
                let target = UnsafeMutableRawBufferPointer(
                    rebasing: range.destination[done..<(done + count)])
                try reader(index).read(at: inside, into: target)
                done += count
            }
            index += 1
        }
    }

    /// The last blob that starts at or before the offset.
    private func firstBlob(holding offset: Int64) -> Int {
        var low = 0
        var high = blobs.count
        while low < high {
            let middle = (low + high) / 2
            if blobs[middle].start + blobs[middle].sizeBytes <= offset {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    private func reader(_ index: Int) throws(ObjectStoreError) -> BlobReader {
        let known = openBlobs.withLock { open -> BlobReader? in
            guard let place = open.firstIndex(where: { $0.index == index }) else { return nil }
            let entry = open.remove(at: place)
            open.append(entry)
            return entry.reader
        }
        if let known { return known }
        let opened = try BlobReader(
            folder: store.folder, name: blobs[index].name, sizeBytes: blobs[index].sizeBytes)
        openBlobs.withLock { open in
            if open.count >= Limits.openBlobsPerReader { open.removeFirst() }
            open.append((index, opened))
        }
        return opened
    }
}
