import Bytes
import ObjectStorage
import Platform

/// Writes one blob: to a temporary name, checksummed a page at a time, then synced and renamed.
///
/// One thread at a time. Dropped unfinished, it removes what it wrote.
final class BlobWriter {
    private let folder: BlobFolder
    let name: String
    private var file: (any File)?
    private let buffer: UnsafeMutableRawBufferPointer
    private var filled = 0
    private var pages: [UInt32] = []
    private(set) var sizeBytes: Int64 = 0

    init(folder: BlobFolder) throws(ObjectStoreError) {
        self.folder = folder
        let name = folder.nextName()
        self.name = name
        file = try storing("begin blob \(name)") {
            try folder.files.open(folder.incomingPath(name), .createNew)
        }
        buffer = .allocate(byteCount: Limits.writeBufferBytes, alignment: 4096)
    }

    deinit {
        abandon()
        buffer.deallocate()
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError) {
        guard file != nil else { throw spentWriter() }
        var rest = bytes
        while !rest.isEmpty {
            let count = min(rest.count, buffer.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(filled + count)])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if filled == buffer.count { try flush() }
        }
    }

    /// Makes the blob durable under its final name; no row knows it yet.
    func finish() throws(ObjectStoreError) {
        guard let file else { throw spentWriter() }
        try flush()
        let tail = BlobFormat.tail(size: sizeBytes, pages: pages)
        do {
            try storing("finish blob \(name)") {
                try file.append(tail)
                try file.sync()
                try file.close()
                try folder.publish(name)
            }
        } catch {
            abandon()
            throw error
        }
        self.file = nil
    }

    /// Gives the bytes up.
    func abandon() {
        guard let file else { return }
        self.file = nil
        // What cannot be removed now goes with the next recovery.
        try? file.close()
        _ = try? folder.files.removeIfPresent(folder.incomingPath(name))
        _ = try? folder.files.removeIfPresent(folder.path(name))
    }

    private func flush() throws(ObjectStoreError) {
        guard filled > 0, let file else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
        // The buffer holds whole pages, but for the last of the blob.
        var start = 0
        while start < filled {
            let end = min(start + Limits.pageBytes, filled)
            pages.append(crc32c(UnsafeRawBufferPointer(rebasing: bytes[start..<end])))
            start = end
        }
        do {
            try storing("write blob \(name)") { try file.append(bytes) }
        } catch {
            abandon()
            throw error
        }
        sizeBytes += Int64(filled)
        filled = 0
    }
}
