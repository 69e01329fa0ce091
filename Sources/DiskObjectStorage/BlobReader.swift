import Bytes
import ObjectStorage
import Platform

/// An open blob whose tail was checked; every page is checked before its bytes are handed over.
final class BlobReader: Sendable {
    let name: String
    let sizeBytes: Int64
    private let file: any File
    private let pages: [UInt32]

    init(folder: BlobFolder, name: String, sizeBytes: Int64) throws(ObjectStoreError) {
        self.name = name
        self.sizeBytes = sizeBytes
        do throws(PlatformError) {
            file = try folder.files.open(folder.path(name), .read)
        } catch {
            if error.code == .notFound { throw corrupted("blob \(name) is missing") }
            throw wrap(error, name)
        }
        let tailBytes = BlobFormat.pageCount(sizeBytes) * 4 + BlobFormat.footerBytes
        let tail: [UInt8]
        let total: Int64
        do throws(PlatformError) {
            total = try file.sizeBytes()
            tail = try file.read(tailBytes, at: sizeBytes)
        } catch {
            throw wrap(error, name)
        }
        guard total == BlobFormat.fileBytes(sizeBytes) else {
            throw corrupted(
                "blob \(name) has \(total) bytes, expected \(BlobFormat.fileBytes(sizeBytes))")
        }
        pages = try BlobFormat.pages(tail: tail, size: sizeBytes, name: name)
    }

    /// Fills `destination` from an offset; the range lies inside.
    func read(at offset: Int64, into destination: UnsafeMutableRawBufferPointer)
        throws(ObjectStoreError)
    {
        let page = Int64(Limits.pageBytes)
        var done = 0
        var scratch: UnsafeMutableRawBufferPointer?
        defer { scratch?.deallocate() }
        while done < destination.count {
            let at = offset + Int64(done)
            let inPage = Int(at % page)
            let left = destination.count - done
            let isWholeTail = at + Int64(left) == sizeBytes
            // Whole pages go straight to where they are wanted, the rest by way of a scratch page.
            let whole = inPage == 0 ? (isWholeTail ? left : left - left % Int(page)) : 0
            if whole > 0 {
                let target = UnsafeMutableRawBufferPointer(
                    rebasing: destination[done..<(done + whole)])
                try fill(target, at: at)
                done += whole
                continue
            }
            let start = at - Int64(inPage)
            let count = Int(min(page, sizeBytes - start))
            let memory = scratch ?? .allocate(byteCount: Int(page), alignment: 4096)
            scratch = memory
            try fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]), at: start)
            let taken = min(count - inPage, left)
            UnsafeMutableRawBufferPointer(rebasing: destination[done..<(done + taken)])
                .copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: memory[inPage..<(inPage + taken)]))
            done += taken
        }
    }

    /// Reads every page once; throws at the first that is damaged.
    func verify() throws(ObjectStoreError) {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Limits.writeBufferBytes, alignment: 4096)
        defer { memory.deallocate() }
        var offset: Int64 = 0
        while offset < sizeBytes {
            let count = Int(min(Int64(memory.count), sizeBytes - offset))
            try fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]), at: offset)
            offset += Int64(count)
        }
    }

    /// Reads pages from the start of one and compares their checksums.
    private func fill(
        _ target: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(ObjectStoreError) {
        let count: Int
        do throws(PlatformError) {
            count = try file.read(into: target, at: offset)
        } catch {
            throw wrap(error, name)
        }
        guard count == target.count else {
            throw corrupted("blob \(name) ends at byte \(offset + Int64(count))")
        }
        var start = 0
        var index = Int(offset / Int64(Limits.pageBytes))
        while start < count {
            let end = min(start + Limits.pageBytes, count)
            guard index < pages.count,
                crc32c(UnsafeRawBufferPointer(rebasing: target[start..<end])) == pages[index]
            else {
                throw corrupted("page \(index) of blob \(name) does not have its checksum")
            }
            start = end
            index += 1
        }
    }
}

/// Tells a failed system call in the words of the store.
private func wrap(_ error: PlatformError, _ name: String) -> ObjectStoreError {
    ObjectStoreError(
        code: .unavailable, message: "cannot read blob \(name)", hint: error.hint, cause: error)
}
