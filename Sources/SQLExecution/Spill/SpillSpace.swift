import Compression
import Platform
import SQLFunctions
import Synchronization
import Vectors

/// The query's directory for what does not fit into memory. Files die with it.
final class SpillSpace: Sendable {
    private let directory: String?
    private let files: any FileSystem
    private let name: String
    private let state = Mutex<(made: String?, next: Int)>((nil, 0))

    init(directory: String?, files: any FileSystem, name: String) {
        self.directory = directory
        self.files = files
        self.name = name
    }

    deinit {
        if let made = state.withLock({ $0.made }) { try? files.removeTree(made) }
    }

    /// Whether anything may be spilled.
    var isAvailable: Bool { directory != nil }

    /// A new empty file.
    func makeFile() throws(QueryFault) -> SpillFile {
        guard let directory else {
            throw QueryFault(
                .exceededMemoryLimit, "the query needs to spill, but has no spill directory",
                hint: "set engine.spill_directory, or raise the memory limit")
        }
        do throws(PlatformError) {
            let number: Int
            let path: String
            let identity = UInt(bitPattern: ObjectIdentifier(self).hashValue)
            let folder =
                directory + "/spill-\(name.isEmpty ? "query" : name)-" + String(identity, radix: 16)
            number = state.withLock { state in
                state.next += 1
                return state.next
            }
            try files.makeDirectory(folder, mode: 0o700)
            state.withLock { $0.made = folder }
            path = folder + "/\(number).rows"
            return SpillFile(try files.open(path, .createNew, mode: 0o600))
        } catch {
            throw QueryFault(
                .genericInsufficientResources, "cannot spill: \(error.message)",
                hint: "check that the spill directory is writable and has room", cause: error)
        }
    }
}

/// A file of compressed blocks, written once and read any number of times.
///
///     block = [compressed size u32][raw size u32][LZ4 bytes]; compressed size 0: stored raw
final class SpillFile: @unchecked Sendable {
    // Safe because one worker writes under the owner's lock, and readers begin when writing is done.
    private let file: any File
    private(set) var sizeBytes: Int64 = 0
    private(set) var rowCount = 0

    init(_ file: any File) { self.file = file }

    func append(_ block: [UInt8], rows: Int, _ compressor: Compressor) throws(QueryFault) {
        if block.isEmpty { return }
        var output = [UInt8](repeating: 0, count: 8 + Codec.lz4Block.bound(block.count))
        var written = 0
        do throws(CompressionError) {
            written = try compress(block, &output, compressor)
        } catch {
            throw QueryFault(.genericInternalError, "cannot spill: \(error.message)", cause: error)
        }
        let isStored = written >= block.count
        if isStored {
            output.replaceSubrange(8..<(8 + block.count), with: block)
            written = block.count
        }
        store(UInt32(isStored ? 0 : written), &output, 0)
        store(UInt32(block.count), &output, 4)
        output.removeLast(output.count - 8 - written)
        do throws(PlatformError) { try file.write(output, at: sizeBytes) } catch {
            throw QueryFault(
                .genericInsufficientResources, "cannot spill: \(error.message)", cause: error)
        }
        sizeBytes += Int64(output.count)
        rowCount += rows
    }

    private func compress(
        _ block: [UInt8], _ output: inout [UInt8], _ compressor: Compressor
    ) throws(CompressionError) -> Int {
        let outcome = output.withUnsafeMutableBytes { target -> Result<Int, CompressionError> in
            block.withUnsafeBytes { source in
                do throws(CompressionError) {
                    return .success(
                        try compressor.compress(
                            .lz4Block, source,
                            into: UnsafeMutableRawBufferPointer(rebasing: target[8...])))
                } catch { return .failure(error) }
            }
        }
        return try outcome.get()
    }

    private func store(_ value: UInt32, _ bytes: inout [UInt8], _ at: Int) {
        for index in 0..<4 {
            bytes[at + index] = UInt8(truncatingIfNeeded: value >> UInt32(index * 8))
        }
    }

    /// Reads the block at `offset` into `block` and returns the offset of the next; nil at the end.
    func read(
        at offset: Int64, into block: inout [UInt8], _ decompressor: Decompressor
    ) throws(QueryFault) -> Int64? {
        if offset >= sizeBytes { return nil }
        do throws(PlatformError) {
            let head = try file.read(8, at: offset)
            guard head.count == 8 else { throw damaged }
            func word(_ at: Int) -> Int {
                (0..<4).reduce(0) { $0 | Int(head[at + $1]) << ($1 * 8) }
            }
            let compressed = word(0)
            let raw = word(4)
            let size = compressed == 0 ? raw : compressed
            let body = try file.read(size, at: offset + 8)
            guard body.count == size else { throw damaged }
            if compressed == 0 {
                block = body
            } else {
                block = [UInt8](repeating: 0, count: raw)
                var failed = false
                block.withUnsafeMutableBytes { target in
                    body.withUnsafeBytes { source in
                        do throws(CompressionError) {
                            try decompressor.decompress(.lz4Block, source, into: target)
                        } catch { failed = true }
                    }
                }
                if failed { throw damaged }
            }
            return offset + 8 + Int64(size)
        } catch {
            throw QueryFault(
                .genericInsufficientResources, "cannot read spilled rows: \(error.message)",
                cause: error)
        }
    }

    private var damaged: PlatformError {
        PlatformError(code: .invalidArgument, message: "a spill file is damaged")
    }
}
