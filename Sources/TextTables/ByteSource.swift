package import ObjectStorage

/// Bytes from front to back, which can be read again from the start.
package protocol ByteSource: AnyObject {
    /// Fills the buffer from the current place; how many bytes came, 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int

    /// Goes back to the first byte.
    func rewind() throws

    /// What errors call it.
    var name: String { get }
}

/// An object, or a part of one, as a source.
package final class ObjectByteSource: ByteSource {
    private let reader: any ObjectReader
    private let start: Int64
    private let end: Int64
    private var offset: Int64

    package init(_ reader: any ObjectReader) {
        self.reader = reader
        (start, offset, end) = (0, 0, reader.description.sizeBytes)
    }

    /// The bytes from `start` to before `end`, which must lie in the object.
    package init(_ reader: any ObjectReader, from start: Int64, to end: Int64) {
        self.reader = reader
        self.start = start
        self.end = end
        offset = start
    }

    package var name: String { "\(reader.description.location)" }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = Int(min(Int64(buffer.count), end - offset))
        guard count > 0 else { return 0 }
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<count])
        try reader.readNow([RangeRead(offset: offset, destination: part)])
        offset += Int64(count)
        return count
    }

    package func rewind() throws { offset = start }
}

/// Bytes in memory as a source.
package final class MemoryByteSource: ByteSource {
    private let bytes: [UInt8]
    private var offset = 0
    package let name: String

    package init(_ bytes: [UInt8], name: String = "memory") {
        self.bytes = bytes
        self.name = name
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, bytes.count - offset)
        guard count > 0 else { return 0 }
        buffer.copyBytes(from: bytes[offset..<(offset + count)])
        offset += count
        return count
    }

    package func rewind() throws { offset = 0 }
}
