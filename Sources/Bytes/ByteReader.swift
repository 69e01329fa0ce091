/// A bounded cursor over bytes that somebody else wrote.
///
/// Every read checks its bounds and throws `BytesError`; a failed read leaves the cursor where it
/// was. Copying a reader copies the cursor, not the bytes.
package struct ByteReader: Sendable {
    /// The bytes that the cursor moves over.
    package let bytes: [UInt8]
    /// Offset of the next byte in `bytes`.
    package private(set) var offset: Int
    /// Offset past the last byte that may be read.
    package let end: Int

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        offset = 0
        end = bytes.count
    }

    /// Reads only `range`, clamped to the bytes there are.
    package init(_ bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        let clamped = range.clamped(to: 0..<bytes.count)
        offset = clamped.lowerBound
        end = clamped.upperBound
    }

    package init(_ slice: ArraySlice<UInt8>) {
        self.init(Array(slice))
    }

    /// How many bytes are left.
    package var remaining: Int { end - offset }
    package var isAtEnd: Bool { offset >= end }

    /// The next byte without moving; nil at the end.
    package var peek: UInt8? { offset < end ? bytes[offset] : nil }

    /// Moves to an absolute offset within the bounds.
    package mutating func seek(to target: Int) throws(BytesError) {
        guard target >= 0, target <= end else {
            throw .truncated(at: target, wanted: 0, available: end)
        }
        offset = target
    }

    /// Passes over `count` bytes. Throws `truncated` when fewer are left.
    package mutating func skip(_ count: Int) throws(BytesError) {
        try require(count)
        offset += count
    }

    /// One byte. Throws `truncated` at the end of the input.
    package mutating func readUInt8() throws(BytesError) -> UInt8 {
        guard offset < end else { throw .truncated(at: offset, wanted: 1, available: 0) }
        defer { offset += 1 }
        return bytes[offset]
    }

    /// The next `count` bytes as an array.
    package mutating func readBytes(_ count: Int) throws(BytesError) -> [UInt8] {
        try require(count)
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// The next `count` bytes without copying.
    package mutating func readSlice(_ count: Int) throws(BytesError) -> ArraySlice<UInt8> {
        try require(count)
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    /// A reader over the next `count` bytes, which this one skips.
    package mutating func readReader(_ count: Int) throws(BytesError) -> ByteReader {
        try require(count)
        defer { offset += count }
        return ByteReader(bytes, range: offset..<offset + count)
    }

    /// The next `count` bytes as strict UTF-8.
    package mutating func readUTF8(_ count: Int) throws(BytesError) -> String {
        try require(count)
        guard let text = String(validating: bytes[offset..<offset + count], as: UTF8.self) else {
            throw BytesError(code: .invalidText, message: "no valid UTF-8 at offset \(offset)")
        }
        offset += count
        return text
    }

    /// The fixed-width reads: little (`LE`) or big endian (`BE`). Each throws `truncated` when
    /// fewer bytes are left.
    package mutating func readUInt16LE() throws(BytesError) -> UInt16 {
        UInt16(littleEndian: try load())
    }
    package mutating func readUInt32LE() throws(BytesError) -> UInt32 {
        UInt32(littleEndian: try load())
    }
    package mutating func readUInt64LE() throws(BytesError) -> UInt64 {
        UInt64(littleEndian: try load())
    }
    package mutating func readUInt16BE() throws(BytesError) -> UInt16 {
        UInt16(bigEndian: try load())
    }
    package mutating func readUInt32BE() throws(BytesError) -> UInt32 {
        UInt32(bigEndian: try load())
    }
    package mutating func readUInt64BE() throws(BytesError) -> UInt64 {
        UInt64(bigEndian: try load())
    }
    package mutating func readInt16LE() throws(BytesError) -> Int16 {
        Int16(bitPattern: try readUInt16LE())
    }
    package mutating func readInt32LE() throws(BytesError) -> Int32 {
        Int32(bitPattern: try readUInt32LE())
    }
    package mutating func readInt64LE() throws(BytesError) -> Int64 {
        Int64(bitPattern: try readUInt64LE())
    }
    package mutating func readInt16BE() throws(BytesError) -> Int16 {
        Int16(bitPattern: try readUInt16BE())
    }
    package mutating func readInt32BE() throws(BytesError) -> Int32 {
        Int32(bitPattern: try readUInt32BE())
    }
    package mutating func readInt64BE() throws(BytesError) -> Int64 {
        Int64(bitPattern: try readUInt64BE())
    }
    package mutating func readFloatLE() throws(BytesError) -> Float {
        Float(bitPattern: try readUInt32LE())
    }
    package mutating func readDoubleLE() throws(BytesError) -> Double {
        Double(bitPattern: try readUInt64LE())
    }

    /// An unsigned LEB128 varint of at most 64 bits.
    package mutating func readULEB128() throws(BytesError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var at = offset
        while at < end {
            let byte = bytes[at]
            at += 1
            if shift == 63, byte > 1 { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                offset = at
                return value
            }
            shift += 7
            if shift > 63 { break }
        }
        if at >= end, shift <= 63 { throw .truncated(at: offset, wanted: 10, available: remaining) }
        throw BytesError(
            code: .varintTooLong, message: "varint of over 64 bits at offset \(offset)")
    }

    /// A zigzag varint of 64 bits: Thrift's and Avro's integers.
    package mutating func readZigZag64() throws(BytesError) -> Int64 {
        zigZagDecode(try readULEB128())
    }

    /// A zigzag varint that has to fit 32 bits.
    package mutating func readZigZag32() throws(BytesError) -> Int32 {
        let start = offset
        guard let value = Int32(exactly: try readZigZag64()) else {
            offset = start
            throw BytesError(
                code: .varintTooLong, message: "varint of over 32 bits at offset \(start)")
        }
        return value
    }

    /// An unsigned varint that is a count of bytes to follow, within what is left.
    package mutating func readLength() throws(BytesError) -> Int {
        let start = offset
        let value = try readULEB128()
        guard value <= UInt64(remaining) else {
            defer { offset = start }
            throw .truncated(at: start, wanted: Int(clamping: value), available: remaining)
        }
        return Int(value)
    }

    /// Calls `body` with the bytes left; the pointer is valid in the call only.
    package func withRemainingBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[offset..<end])) }
    }

    private func require(_ count: Int) throws(BytesError) {
        guard count >= 0 else {
            throw BytesError(
                code: .invalidLength, message: "negative length at offset \(offset): \(count)")
        }
        guard count <= remaining else {
            throw .truncated(at: offset, wanted: count, available: remaining)
        }
    }

    @inline(__always)
    private mutating func load<Value: FixedWidthInteger & BitwiseCopyable>() throws(BytesError)
        -> Value
    {
        let size = MemoryLayout<Value>.size
        guard size <= remaining else {
            throw .truncated(at: offset, wanted: size, available: remaining)
        }
        defer { offset += size }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }
}

/// The signed value of a zigzag-coded one.
@inlinable
package func zigZagDecode(_ value: UInt64) -> Int64 {
    Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1)))
}

/// Zigzag: small magnitudes become small numbers.
@inlinable
package func zigZagEncode(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: (value << 1) ^ (value >> 63))
}
