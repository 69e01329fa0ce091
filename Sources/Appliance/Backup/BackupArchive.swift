import Bytes
import Compression
import Platform

/// Writes a backup: a tar archive, compressed block by block as zstd frames (`tar --zstd` reads it). Its last
/// entry, `SUMS`, has the CRC-32C of every entry before it.
final class BackupWriter {
    private let path: String
    private let file: any File
    private let compressor = Compressor()
    private var pending: [UInt8] = []
    private var sums = ""
    private let progress: (Int64) -> Void
    private static let blockBytes = 1 << 20
    static let sumsName = "SUMS"

    /// `progress` hears how many bytes of the disk were read.
    init(path: String, progress: @escaping (Int64) -> Void) throws {
        self.path = path
        self.progress = progress
        file = try LocalFileSystem().open(path, .createNew, mode: 0o600)
    }

    /// Adds a file of the disk under a name in the archive; `sizeBytes` nil: all of it.
    func add(_ path: String, as name: String, sizeBytes: Int64? = nil) throws {
        let source = try LocalFileSystem().open(path, .read)
        let size = try sizeBytes ?? source.sizeBytes()
        try write(Tar.header(name: name, sizeBytes: size, mode: 0o600))
        var sum: UInt32 = 0
        var offset: Int64 = 0
        while offset < size {
            let count = Int(min(Int64(BackupWriter.blockBytes), size - offset))
            let piece = try source.read(count, at: offset)
            guard piece.count == count else {
                throw ApplianceError(.failed, "\(path) became shorter while it was copied")
            }
            sum = crc32c(piece, seed: sum)
            try write(piece)
            offset += Int64(count)
            progress(Int64(count))
        }
        try source.close()
        try write(Tar.padding(size))
        note(sum, name)
    }

    /// Adds a text of our own.
    func add(text: String, as name: String) throws {
        let bytes = Array(text.utf8)
        try write(Tar.header(name: name, sizeBytes: Int64(bytes.count), mode: 0o600))
        try write(bytes)
        try write(Tar.padding(Int64(bytes.count)))
        note(crc32c(bytes), name)
    }

    /// Ends the archive and makes it durable.
    func finish() throws {
        try add(text: sums, as: Self.sumsName)
        try write([UInt8](repeating: 0, count: 2 * Tar.blockBytes))
        try flush()
        try file.sync()
        try file.close()
        try LocalFileSystem().syncDirectory(parentDirectory(of: path))
    }

    /// Removes what was written: half an archive is none.
    func giveUp() {
        try? file.close()
        _ = try? LocalFileSystem().removeIfPresent(path)
    }

    private func note(_ sum: UInt32, _ name: String) { sums += Self.sumLine(sum, name) }

    /// A line of `SUMS`.
    static func sumLine(_ sum: UInt32, _ name: String) -> String {
        let digits = String(sum, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits + "  " + name + "\n"
    }

    private func write(_ bytes: [UInt8]) throws {
        pending += bytes
        if pending.count >= BackupWriter.blockBytes { try flush() }
    }

    private func flush() throws {
        guard !pending.isEmpty else { return }
        try file.append(try compressor.compress(.zstd, pending))
        pending.removeAll(keepingCapacity: true)
    }
}

/// Reads a backup from front to back and compares it with its sums.
final class BackupReader {
    let path: String
    private let file: any File
    /// Of the archive itself.
    let sizeBytes: Int64
    /// How much of the archive was read.
    private(set) var offset: Int64 = 0
    private let decompressor: StreamDecompressor
    private var input: [UInt8] = []
    private var inputStart = 0
    private var output: [UInt8] = []
    private var outputStart = 0
    private var sums = ""
    private static let blockBytes = 1 << 20
    /// Of a text entry that is read as a whole.
    private static let textLimit: Int64 = 1 << 31

    init(path: String) throws {
        self.path = path
        file = try LocalFileSystem().open(path, .read)
        sizeBytes = try file.sizeBytes()
        decompressor = try StreamDecompressor(.zstd)
    }

    /// The next entry; nil behind the last, when all that was read had its sums. Its bytes have to be
    /// taken with `pieces` before the next is asked for.
    func next() throws -> Tar.Header? {
        guard var header = try Tar.parse(read(Tar.blockBytes)) else {
            throw ApplianceError(
                .directoryDamaged, "the backup has no sums: \(path)", hint: "take another backup")
        }
        if header.isLongName {
            let name = try read(Int(header.sizeBytes))
            _ = try read(Tar.padding(header.sizeBytes).count)
            guard let own = try Tar.parse(read(Tar.blockBytes)), !own.isLongName else {
                throw Tar.damaged(header.name)
            }
            header = own
            header.name = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
            guard Tar.isSafe(header.name) else { throw Tar.damaged(header.name) }
        }
        guard header.name == BackupWriter.sumsName else { return header }
        let mine = sums
        guard try text(header) == mine else {
            throw ApplianceError(
                .directoryDamaged, "the backup's bytes are not those that were written: \(path)",
                hint: "take another copy of it, or another backup")
        }
        return nil
    }

    /// Hands over an entry's bytes.
    func pieces(_ header: Tar.Header, _ body: ([UInt8]) throws -> Void) throws {
        var left = header.sizeBytes
        var sum: UInt32 = 0
        while left > 0 {
            let piece = try read(Int(min(left, Int64(Self.blockBytes))))
            sum = crc32c(piece, seed: sum)
            try body(piece)
            left -= Int64(piece.count)
        }
        _ = try read(Tar.padding(header.sizeBytes).count)
        sums += BackupWriter.sumLine(sum, header.name)
    }

    /// An entry's bytes as a text.
    func text(_ header: Tar.Header) throws -> String {
        guard header.sizeBytes <= Self.textLimit else { throw Tar.damaged(header.name) }
        var bytes: [UInt8] = []
        try pieces(header) { bytes += $0 }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func read(_ count: Int) throws -> [UInt8] {
        while output.count - outputStart < count {
            guard try fill() else {
                throw ApplianceError(
                    .directoryDamaged, "the backup ends too early: \(path)",
                    hint: "its copy was cut short")
            }
        }
        defer { outputStart += count }
        return Array(output[outputStart..<(outputStart + count)])
    }

    private func fill() throws -> Bool {
        if inputStart == input.count {
            let count = Int(min(Int64(Self.blockBytes), sizeBytes - offset))
            guard count > 0 else { return false }
            input = try file.read(count, at: offset)
            inputStart = 0
            offset += Int64(input.count)
        }
        output.removeFirst(outputStart)
        outputStart = 0
        let end = output.count
        output += [UInt8](repeating: 0, count: Self.blockBytes)
        let (consumed, produced) = try input.withUnsafeBytes { source in
            try output.withUnsafeMutableBytes { target in
                try decompressor.step(
                    UnsafeRawBufferPointer(rebasing: source[inputStart...]),
                    into: UnsafeMutableRawBufferPointer(rebasing: target[end...]))
            }
        }
        inputStart += consumed
        output.removeLast(Self.blockBytes - produced)
        return consumed > 0 || produced > 0
    }
}
