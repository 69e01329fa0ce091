import Bytes
import ObjectStorage

/// The tail of a blob file.
///
///     offset 0            the bytes
///     size                CRC-32C of each page, 4 bytes little-endian
///     size + 4·pages      "LHBLOB01"  8 bytes
///                         size        8 bytes, little-endian
///                         page size   4 bytes
///                         zero        8 bytes
///                         CRC-32C of everything behind the bytes and before this field, 4 bytes
enum BlobFormat {
    static let footerBytes = 32
    static let magic: [UInt8] = Array("LHBLOB01".utf8)

    static func pageCount(_ size: Int64) -> Int {
        Int((size + Int64(Limits.pageBytes) - 1) / Int64(Limits.pageBytes))
    }

    static func fileBytes(_ size: Int64) -> Int64 {
        size + Int64(pageCount(size) * 4 + footerBytes)
    }

    static func tail(size: Int64, pages: [UInt32]) -> [UInt8] {
        var buffer = ByteBuffer(capacity: pages.count * 4 + footerBytes)
        for page in pages { buffer.appendUInt32LE(page) }
        buffer.append(magic)
        buffer.appendUInt64LE(UInt64(size))
        buffer.appendUInt32LE(UInt32(Limits.pageBytes))
        buffer.appendUInt64LE(0)
        buffer.appendUInt32LE(crc32c(buffer.bytes))
        return buffer.bytes
    }

    /// The checksums of the pages; throws `.corrupted` when the tail is not the one of a blob of `size`.
    static func pages(tail: [UInt8], size: Int64, name: String) throws(ObjectStoreError) -> [UInt32]
    {
        let count = pageCount(size)
        guard tail.count == count * 4 + footerBytes else {
            throw corrupted("blob \(name) is cut off: \(tail.count) bytes of its tail are there")
        }
        let parsed: [UInt32]?
        do throws(BytesError) {
            var reader = ByteReader(tail)
            var pages: [UInt32] = []
            pages.reserveCapacity(count)
            for _ in 0..<count { pages.append(try reader.readUInt32LE()) }
            let isOurs = try reader.readBytes(8) == magic
            let isOfSize = try reader.readUInt64LE() == UInt64(size)
            let isOfPage = try reader.readUInt32LE() == UInt32(Limits.pageBytes)
            try reader.skip(8)
            let sum = crc32c(Array(tail[..<reader.offset]))
            let isSound = try reader.readUInt32LE() == sum
            parsed = isOurs && isOfSize && isOfPage && isSound ? pages : nil
        } catch {
            parsed = nil
        }
        guard let parsed else { throw corrupted("the tail of blob \(name) is damaged") }
        return parsed
    }
}
