/// Bytes that grow at the end: the writer's side of every format.
package struct ByteBuffer: Sendable {
    package var bytes: [UInt8]

    package init(capacity: Int = 0) {
        bytes = []
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    package var count: Int { bytes.count }

    package mutating func append(_ byte: UInt8) { bytes.append(byte) }
    package mutating func append(_ other: [UInt8]) { bytes.append(contentsOf: other) }
    package mutating func append(_ other: ArraySlice<UInt8>) { bytes.append(contentsOf: other) }
    package mutating func append(_ other: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: other)
    }

    /// The UTF-8 of a text.
    package mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
    package mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    package mutating func appendUInt16LE(_ value: UInt16) { store(value.littleEndian) }
    package mutating func appendUInt32LE(_ value: UInt32) { store(value.littleEndian) }
    package mutating func appendUInt64LE(_ value: UInt64) { store(value.littleEndian) }
    package mutating func appendUInt16BE(_ value: UInt16) { store(value.bigEndian) }
    package mutating func appendUInt32BE(_ value: UInt32) { store(value.bigEndian) }
    package mutating func appendUInt64BE(_ value: UInt64) { store(value.bigEndian) }
    package mutating func appendInt32LE(_ value: Int32) { store(value.littleEndian) }
    package mutating func appendInt64LE(_ value: Int64) { store(value.littleEndian) }
    package mutating func appendInt32BE(_ value: Int32) { store(value.bigEndian) }
    package mutating func appendInt64BE(_ value: Int64) { store(value.bigEndian) }
    package mutating func appendFloatLE(_ value: Float) { appendUInt32LE(value.bitPattern) }
    package mutating func appendDoubleLE(_ value: Double) { appendUInt64LE(value.bitPattern) }

    /// An unsigned LEB128 varint, 1 to 10 bytes.
    package mutating func appendULEB128(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    package mutating func appendZigZag(_ value: Int64) { appendULEB128(zigZagEncode(value)) }

    /// A decimal integer as ASCII digits.
    package mutating func appendDecimal(_ value: Int64) {
        appendDecimalDigits(of: value, to: &bytes)
    }

    @inline(__always)
    private mutating func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }
}

/// Appends the ASCII digits of an integer, with a minus sign when negative. No allocation but growth.
package func appendDecimalDigits(of value: Int64, to bytes: inout [UInt8]) {
    if value >= 0, value < 10 {
        bytes.append(UInt8(truncatingIfNeeded: value) &+ 0x30)
        return
    }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
        var at = 20
        var rest = value.magnitude
        repeat {
            at -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            digits[at] = UInt8(truncatingIfNeeded: digit) &+ 0x30
            rest = quotient
        } while rest > 0
        if value < 0 {
            at -= 1
            digits[at] = 0x2D
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[at..<20]))
    }
}
