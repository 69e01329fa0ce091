import Compression
import ObjectStorage
import Vectors

/// Walks the pages of one column chunk through a window of its bytes.
///
/// Headers are parsed in order; a payload is read only when asked for, so that pages that are passed
/// over and lie outside of the window are never read at all.
final class PageStream {
    private let file: ParquetFile
    private let memory: ScanMemory
    private let readAhead: Int
    private let window: ScanBuffer
    /// File offsets of the window's bytes.
    private var windowStart = 0
    private var windowEnd = 0
    /// File offset of the next header, or of the payload behind a header just read.
    private(set) var position = 0
    private var end = 0
    private(set) var codec = Codec.none
    private var name = ""
    var bytesRead = 0
    var bytesDecompressed = 0

    init(_ file: ParquetFile, readAhead: Int, memory: ScanMemory) {
        self.file = file
        self.readAhead = max(readAhead, 4096)
        self.memory = memory
        window = ScanBuffer(memory)
    }

    /// Opens a chunk and returns the read of its first window, which the caller performs together
    /// with those of other columns.
    func open(
        _ chunk: ColumnChunkMetadata, _ leaf: ParquetLeaf, from offset: Int? = nil
    ) throws(ParquetError) -> RangeRead? {
        name = leaf.path.joined(separator: ".")
        if chunk.isEncrypted { throw .unsupported("column \(name) is encrypted") }
        if let code = chunk.unknownCodec {
            throw .unsupported("column \(name) is compressed with codec \(code)")
        }
        guard chunk.type == leaf.type else {
            throw .corrupted(
                "column \(name) is \(leaf.type) in the schema and \(chunk.type) in a row group")
        }
        codec = chunk.codec
        position = chunk.startOffset
        end = position + chunk.compressedSize
        let first = min(readAhead, end - position)
        windowStart = position
        windowEnd = position
        guard first > 0 else { return nil }
        try window.ensure(first)
        windowEnd = position + first
        bytesRead += first
        return RangeRead(
            offset: Int64(position),
            destination: UnsafeMutableRawBufferPointer(start: window.start, count: first))
    }

    /// The next page's header; nil when the chunk is done. The payload must be taken or passed over
    /// before the next call.
    func next() throws(ParquetError) -> PageHeader? {
        guard position < end else { return nil }
        var wanted = min(end - position, 256)
        while true {
            try ensure(wanted)
            // All that the window has, since a header may be longer than expected.
            let available = min(windowEnd, end) - position
            let bytes = UnsafeRawBufferPointer(
                start: window.start + (position - windowStart), count: available)
            do throws(ParquetError) {
                let (header, size) = try PageHeader.read(bytes)
                guard header.compressedSize <= end - position - size else {
                    throw .corrupted(
                        "a page of column \(name) runs over the end of its column chunk")
                }
                position += size
                return header
            } catch {
                guard error.code == .truncated, available < end - position,
                    available < ParquetLimits.pageHeaderBytes
                else { throw error }
                wanted = min(end - position, available * 4)
            }
        }
    }

    /// Moves past the payload of the header just read.
    func skip(_ header: PageHeader) { position += header.compressedSize }

    /// Jumps to the header at a file offset, which the page index named.
    func seek(to offset: Int) throws(ParquetError) {
        guard offset >= position - (16 << 20), offset >= 4, offset <= end else {
            throw .corrupted("the page index of column \(name) points outside of its column chunk")
        }
        position = offset
    }

    /// The payload's bytes, compressed as they are; valid until the next call of any method here.
    func payload(_ header: PageHeader) throws(ParquetError) -> UnsafeRawBufferPointer {
        try ensure(header.compressedSize)
        let bytes = UnsafeRawBufferPointer(
            start: window.start + (position - windowStart), count: header.compressedSize)
        position += header.compressedSize
        return bytes
    }

    /// Decompresses bytes into `buffer`, or hands them out as they are when there is no codec and the
    /// caller takes them in place.
    func decompressed(
        _ bytes: UnsafeRawBufferPointer, size: Int, into buffer: ScanBuffer, inPlace: Bool
    ) throws(ParquetError) -> UnsafeRawBufferPointer {
        if codec == .none {
            guard size == bytes.count else {
                throw .corrupted(
                    "a page of column \(name) has \(bytes.count) bytes instead of \(size)")
            }
            if inPlace { return bytes }
        }
        try buffer.ensure(size)
        let output = UnsafeMutableRawBufferPointer(start: buffer.start, count: size)
        if size > 0 {
            do throws(CompressionError) {
                try memory.decompressor.decompress(codec, bytes, into: output)
            } catch {
                throw .wrapping(error)
            }
        }
        bytesDecompressed += size
        return UnsafeRawBufferPointer(output)
    }

    /// Makes the window hold `count` bytes from `position` on.
    private func ensure(_ count: Int) throws(ParquetError) {
        if position >= windowStart && position + count <= windowEnd { return }
        guard count <= end - position else {
            throw .truncated("column chunk \(name) ends too early")
        }
        let size = min(end - position, max(count, readAhead))
        var kept = 0
        if position >= windowStart && position < windowEnd {
            kept = windowEnd - position
            if size <= window.capacity {
                window.start.copyMemory(
                    from: window.start + (position - windowStart), byteCount: kept)
            } else {
                // A larger window reads its bytes again: rarer than it is worth code.
                kept = 0
            }
        }
        try window.ensure(size)
        windowStart = position
        windowEnd = position + kept
        let destination = UnsafeMutableRawBufferPointer(
            start: window.start + kept, count: size - kept)
        do throws(ObjectStoreError) {
            try file.reader.readNow([
                RangeRead(offset: Int64(position + kept), destination: destination)
            ])
        } catch {
            throw .wrapping(
                error, "column \(name) of \(file.reader.description.location) cannot be read")
        }
        bytesRead += size - kept
        windowEnd = position + size
    }
}
