import Vectors

extension ScalarFunction {
    /// Numbers as bytes and back, the highest byte first.
    static let byteOrders: [ScalarFunction] = [
        ScalarFunction(
            "to_big_endian_32", [.integer], .varbinary, "The number's bytes, the highest first.",
            example: "to_big_endian_32(1)",
            kernel: unary { (value: Int32) in bigEndianBytes(UInt32(bitPattern: value)) }),
        ScalarFunction(
            "from_big_endian_32", [.varbinary], .integer, "The number of four bytes.",
            example: "from_big_endian_32(x'00000001')", canFail: true,
            kernel: unary { (bytes: Text) -> Int32 in
                Int32(truncatingIfNeeded: try number(bytes, 4))
            }),
        ScalarFunction(
            "to_ieee754_32", [.real], .varbinary, "The bytes of a real by IEEE 754.",
            example: "to_ieee754_32(REAL '1.0')",
            kernel: unary { (value: Double) in bigEndianBytes(Float(value).bitPattern) }),
        ScalarFunction(
            "from_ieee754_32", [.varbinary], .real, "The real of four bytes by IEEE 754.",
            example: "from_ieee754_32(x'3f800000')", canFail: true,
            kernel: unary { (bytes: Text) -> Double in
                Double(Float(bitPattern: UInt32(truncatingIfNeeded: try number(bytes, 4))))
            }),
        ScalarFunction(
            "to_ieee754_64", [.double], .varbinary, "The bytes of a double by IEEE 754.",
            example: "to_ieee754_64(1.0)",
            kernel: unary { (value: Double) in bigEndianBytes(value.bitPattern) }),
        ScalarFunction(
            "from_ieee754_64", [.varbinary], .double, "The double of eight bytes by IEEE 754.",
            example: "from_ieee754_64(x'3ff0000000000000')", canFail: true,
            kernel: unary { (bytes: Text) -> Double in
                Double(bitPattern: try number(bytes, 8))
            }),
        ScalarFunction(
            "to_base32", [.varbinary], .text, "The bytes in base32, padded.",
            example: "to_base32(x'ff')", kernel: unary { (bytes: Text) in base32Text(bytes) }),
        ScalarFunction(
            "from_base32", [.text], .varbinary, "The bytes of a base32 text.",
            example: "from_base32('74======')", canFail: true,
            kernel: unary { (text: Text) -> [UInt8] in
                guard let bytes = base32Bytes(text) else {
                    throw invalid("Invalid base32 text: \(text.string.prefix(80))")
                }
                return bytes
            }),
        ScalarFunction(
            "murmur3", [.varbinary], .varbinary, "The Murmur3 digest of 128 bits.",
            example: "murmur3(to_utf8('abc'))",
            kernel: unary { (bytes: Text) -> [UInt8] in murmur128(bytes) }),
        ScalarFunction(
            "spooky_hash_v2_32", [.varbinary], .varbinary, "The SpookyHash V2 digest of 32 bits.",
            example: "spooky_hash_v2_32(to_utf8('abc'))",
            kernel: unary { (bytes: Text) in
                bigEndianBytes(UInt32(truncatingIfNeeded: SpookyHash.hash(bytes)))
            }),
        ScalarFunction(
            "spooky_hash_v2_64", [.varbinary], .varbinary, "The SpookyHash V2 digest of 64 bits.",
            example: "spooky_hash_v2_64(to_utf8('abc'))",
            kernel: unary { (bytes: Text) in bigEndianBytes(SpookyHash.hash(bytes)) }),
    ]

    private static func number(_ bytes: Text, _ count: Int) throws -> UInt64 {
        guard bytes.count == count else {
            throw invalid("expected \(count)-byte input, but got instead: \(bytes.count)")
        }
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// A number's bytes, the highest first.
func bigEndianBytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}

private let base32Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

/// Source: RFC 4648 section 6.
private func base32Text(_ bytes: Text) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 4) / 5 * 8)
    var window: UInt64 = 0
    var bits = 0
    for byte in bytes {
        window = window << 8 | UInt64(byte)
        bits += 8
        while bits >= 5 {
            bits -= 5
            text.append(base32Digits[Int(window >> UInt64(bits)) & 31])
        }
    }
    if bits > 0 { text.append(base32Digits[Int(window << UInt64(5 - bits)) & 31]) }
    while text.count % 8 != 0 { text.append(UInt8(ascii: "=")) }
    return text
}

/// The bytes of a base32 text, with or without padding; nil when it is none.
private func base32Bytes(_ text: Text) -> [UInt8]? {
    var end = text.count
    while end > 0, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
    guard text.count - end < 8, ![1, 3, 6].contains(end % 8) else { return nil }
    var bytes: [UInt8] = []
    var window: UInt64 = 0
    var bits = 0
    for index in 0..<end {
        guard let digit = base32Digits.firstIndex(of: text[index]) else { return nil }
        window = window << 5 | UInt64(digit)
        bits += 5
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: window >> UInt64(bits)))
        }
    }
    return bytes
}
