import Compression

/// The parts of a ZIP archive in memory, found by its central directory.
///
/// Source: PKWARE, "APPNOTE.TXT", sections 4.3.7, 4.3.12 and 4.3.16. Stored and deflated parts are read;
/// archives beyond 4 GiB (ZIP64), encrypted and split ones are not.
struct ZipArchive {
    private struct Entry {
        var method: Int
        var isEncrypted: Bool
        var packedCount: Int
        var count: Int
        var headerOffset: Int
    }

    private let bytes: [UInt8]
    private let name: String
    private var entries: [String: Entry] = [:]

    /// Parts that an archive may have.
    private static let entryLimit = 100_000

    init(_ bytes: [UInt8], name: String) throws(IngestError) {
        self.bytes = bytes
        self.name = name
        // The end record stands last, with a comment of at most 65,535 bytes behind.
        var end: Int?
        var at = bytes.count - 22
        while at >= max(0, bytes.count - 22 - 65_535) {
            if number(at, 4) == 0x0605_4B50 {
                end = at
                break
            }
            at -= 1
        }
        guard let end, let count = number(end + 10, 2), var next = number(end + 16, 4),
            count <= Self.entryLimit
        else { throw damaged("it is no ZIP archive") }
        for _ in 0..<count {
            guard number(next, 4) == 0x0201_4B50, let flags = number(next + 8, 2),
                let method = number(next + 10, 2), let packed = number(next + 20, 4),
                let whole = number(next + 24, 4), let nameCount = number(next + 28, 2),
                let extraCount = number(next + 30, 2), let commentCount = number(next + 32, 2),
                let offset = number(next + 42, 4), next + 46 + nameCount <= bytes.count
            else { throw damaged("its directory is damaged") }
            let path = String(
                decoding: bytes[(next + 46)..<(next + 46 + nameCount)], as: UTF8.self)
            entries[path] = Entry(
                method: method, isEncrypted: flags & 1 != 0, packedCount: packed, count: whole,
                headerOffset: offset)
            next += 46 + nameCount + extraCount + commentCount
        }
    }

    /// The unpacked bytes of a part; nil when there is none of that name.
    func part(_ path: String) throws(IngestError) -> [UInt8]? {
        guard let entry = entries[path] else { return nil }
        guard !entry.isEncrypted, entry.method == 0 || entry.method == 8 else {
            throw damaged("\(path) is encrypted, or packed in a way that is not read")
        }
        guard entry.count <= IngestLimits.workbookPartBytes else {
            throw IngestError(
                .limitExceeded,
                "\(path) of \(name) has more than \(IngestLimits.workbookPartBytes >> 20) MiB")
        }
        guard number(entry.headerOffset, 4) == 0x0403_4B50,
            let nameCount = number(entry.headerOffset + 26, 2),
            let extraCount = number(entry.headerOffset + 28, 2)
        else { throw damaged("\(path) is not where the directory says") }
        let start = entry.headerOffset + 30 + nameCount + extraCount
        let (end, overflow) = start.addingReportingOverflow(entry.packedCount)
        guard !overflow, end <= bytes.count else { throw damaged("\(path) is cut short") }
        if entry.method == 0 {
            guard entry.count == entry.packedCount else { throw damaged("\(path) is damaged") }
            return Array(bytes[start..<end])
        }
        return try inflate(start..<end, count: entry.count, path)
    }

    private func inflate(
        _ range: Range<Int>, count: Int, _ path: String
    ) throws(IngestError) -> [UInt8] {
        do {
            let stream = try StreamDecompressor(.deflate)
            var filled = 0
            let result = try [UInt8](unsafeUninitializedCapacity: count + 1) { buffer, made in
                var taken = range.lowerBound
                try bytes.withUnsafeBytes { source in
                    while true {
                        let room = UnsafeMutableRawBufferPointer(
                            UnsafeMutableBufferPointer(rebasing: buffer[filled...]))
                        let step = try stream.step(
                            UnsafeRawBufferPointer(rebasing: source[taken..<range.upperBound]),
                            into: room)
                        taken += step.consumed
                        filled += step.produced
                        if step.consumed == 0, step.produced == 0 || filled > count { break }
                    }
                }
                made = filled
            }
            try stream.finish()
            guard filled == count else { throw damaged("\(path) is damaged") }
            return result
        } catch let error as IngestError {
            throw error
        } catch {
            throw damaged("\(path) cannot be unpacked", error)
        }
    }

    /// A little-endian number; nil beyond the end.
    private func number(_ offset: Int, _ count: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - count else { return nil }
        var value = 0
        for index in 0..<count { value |= Int(bytes[offset + index]) << (8 * index) }
        return value
    }

    private func damaged(_ what: String, _ cause: (any Error)? = nil) -> IngestError {
        IngestError(
            .damagedFile, "\(name) cannot be read: \(what)", hint: "save the file again",
            cause: cause)
    }
}
