/// A decoded value in the shape of its schema.
package indirect enum AvroValue: Sendable, Hashable {
    /// An entry of a map.
    package struct Entry: Sendable, Hashable {
        package var key: String
        package var value: AvroValue
        package init(key: String, value: AvroValue) {
            self.key = key
            self.value = value
        }
    }

    case null
    case boolean(Bool)
    case int(Int32)
    case long(Int64)
    case float(Float)
    case double(Double)
    case bytes([UInt8])
    case string(String)
    case fixed([UInt8])
    /// The index of the symbol.
    case enumeration(Int)
    case array([AvroValue])
    case map([Entry])
    /// The fields in the schema's order.
    case record([AvroValue])
    /// The branch taken, and its value.
    case union(Int, AvroValue)

    /// The value without the union around it.
    package var unwrapped: AvroValue {
        if case .union(_, let value) = self { value.unwrapped } else { self }
    }
}

/// The integer behind a decimal's big-endian two's complement bytes; nil past 128 bits.
package func decimalUnscaled(_ bytes: some Collection<UInt8>) -> Int128? {
    guard let first = bytes.first else { return 0 }
    let fill: UInt8 = first & 0x80 != 0 ? 0xFF : 0
    var value: Int128 = fill == 0 ? 0 : -1
    let excess = bytes.count - 16
    for (index, byte) in bytes.enumerated() {
        if index < excess {
            guard byte == fill else { return nil }
            continue
        }
        value = (value << 8) | Int128(byte)
    }
    if excess > 0, (value < 0) != (fill != 0) { return nil }
    return value
}

/// The shortest big-endian two's complement of an integer, or exactly `size` bytes when given.
package func decimalBytes(_ unscaled: Int128, size: Int? = nil) -> [UInt8] {
    var bytes = (0..<16).map { UInt8(truncatingIfNeeded: unscaled >> Int128((15 - $0) * 8)) }
    let fill: UInt8 = unscaled < 0 ? 0xFF : 0
    while bytes.count > 1, bytes[0] == fill, (bytes[1] & 0x80) == (fill & 0x80) {
        bytes.removeFirst()
    }
    if let size, bytes.count < size {
        bytes.insert(contentsOf: repeatElement(fill, count: size - bytes.count), at: 0)
    }
    return bytes
}
