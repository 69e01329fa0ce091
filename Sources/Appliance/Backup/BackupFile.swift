import Compression
import Platform

/// Writes a backup: a tar archive, compressed block by block as zstd frames (`tar --zstd` reads it).
final class BackupWriter {
    private let file: any File
    private let compressor = Compressor()
    private var pending: [UInt8] = []
    private static let blockBytes = 1 << 20

    init(path: String) throws {
        file = try LocalFileSystem().open(path, .createNew, mode: 0o600)
    }

    /// Adds a file of the disk under a name in the archive.
    func add(_ path: String, as name: String, mode: UInt32) throws {
        let source = try LocalFileSystem().open(path, .read)
        let size = try source.sizeBytes()
        try write(Tar.header(name: name, sizeBytes: size, mode: mode))
        var offset: Int64 = 0
        while offset < size {
            let count = Int(min(Int64(BackupWriter.blockBytes), size - offset))
            let piece = try source.read(count, at: offset)
            guard piece.count == count else {
                throw ApplianceError(.failed, "\(path) became shorter while it was copied")
            }
            try write(piece)
            offset += Int64(count)
        }
        try source.close()
        let rest = Int(size % Int64(Tar.blockBytes))
        if rest > 0 { try write([UInt8](repeating: 0, count: Tar.blockBytes - rest)) }
    }

    /// Ends the archive and makes it durable.
    func finish() throws {
        try write([UInt8](repeating: 0, count: 2 * Tar.blockBytes))
        try flush()
        try file.sync()
        try file.close()
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

/// Reads a backup from front to back.
final class BackupReader {
    private let file: any File
    private let size: Int64
    private let decompressor: StreamDecompressor
    private var offset: Int64 = 0
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private static let blockBytes = 1 << 20

    init(path: String) throws {
        file = try LocalFileSystem().open(path, .read)
        size = try file.sizeBytes()
        decompressor = try StreamDecompressor(.zstd)
    }

    /// The next `count` bytes.
    func read(_ count: Int) throws -> [UInt8] {
        while output.count < count {
            guard try fill() else {
                throw ApplianceError(
                    .directoryDamaged, "the backup ends too early", hint: "its copy was cut short")
            }
        }
        defer { output.removeFirst(count) }
        return Array(output[..<count])
    }

    private func fill() throws -> Bool {
        if input.isEmpty {
            let count = Int(min(Int64(BackupReader.blockBytes), size - offset))
            guard count > 0 else { return false }
            input = try file.read(count, at: offset)
            offset += Int64(count)
        }
        var room = [UInt8](repeating: 0, count: 4 * BackupReader.blockBytes)
        let (consumed, produced) = try input.withUnsafeBytes { source in
            try room.withUnsafeMutableBytes { try decompressor.step(source, into: $0) }
        }
        input.removeFirst(consumed)
        output += room[..<produced]
        return consumed > 0 || produced > 0
    }
}
