import Bytes
import Cryptography
import Vectors

/// Digests and text forms of binary values.
enum BinaryFunctions {
    static let all: [ScalarFunction] = [
        digest("md5", .md5), digest("sha1", .sha1), digest("sha256", .sha256),
        digest("sha512", .sha512),
        hmac("hmac_md5", .md5), hmac("hmac_sha1", .sha1), hmac("hmac_sha256", .sha256),
        hmac("hmac_sha512", .sha512),
        bytes("xxhash64", "The xxHash64 digest.") {
            bigEndian(xxHash64(UnsafeRawBufferPointer($0)))
        },
        bytes("murmur3_32", "The Murmur3 digest of 32 bits, as Iceberg's buckets use it.") {
            bigEndian(murmur3(UnsafeRawBufferPointer($0)))
        },
        ScalarFunction(
            "crc32", [.varbinary], .bigint, "The CRC-32 checksum.",
            example: "crc32(to_utf8('abc'))",
            kernel: unary { (bytes: Text) in Int64(crc32(UnsafeRawBufferPointer(bytes))) }),
        ScalarFunction(
            "to_hex", [.varbinary], .text, "The bytes as hexadecimal digits.",
            example: "to_hex(x'00ff')",
            kernel: unary { (bytes: Text) -> [UInt8] in
                let digits = Array("0123456789ABCDEF".utf8)
                var text: [UInt8] = []
                text.reserveCapacity(bytes.count * 2)
                for byte in bytes {
                    text.append(digits[Int(byte >> 4)])
                    text.append(digits[Int(byte & 15)])
                }
                return text
            }),
        ScalarFunction(
            "from_hex", [.text], .varbinary, "The bytes of hexadecimal digits.",
            example: "from_hex('00FF')", canFail: true,
            kernel: unary { (text: Text) -> [UInt8] in
                guard let bytes = hexBytes(text.string) else {
                    throw invalid("Invalid hexadecimal text: \(text.string.prefix(80))")
                }
                return bytes
            }),
        ScalarFunction(
            "to_base64", [.varbinary], .text, "The bytes in base64.",
            example: "to_base64(to_utf8('abc'))",
            kernel: unary { (bytes: Text) in base64Text(Array(bytes)) }),
        ScalarFunction(
            "to_base64url", [.varbinary], .text, "The bytes in base64 for URLs, padded.",
            example: "to_base64url(x'fbff')",
            kernel: unary { (bytes: Text) in
                let text = base64Text(Array(bytes), alphabet: .url)
                return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
            }),
        fromBase64("from_base64", .standard), fromBase64("from_base64url", .url),
        ScalarFunction(
            "to_utf8", [.text], .varbinary, "The string's UTF-8 bytes.", example: "to_utf8('é')",
            kernel: unary { (text: Text) in text }),
        ScalarFunction(
            "from_utf8", [.varbinary], .text,
            "The string of UTF-8 bytes; broken sequences become U+FFFD.",
            example: "from_utf8(x'c3a9')",
            kernel: unary { (bytes: Text) in bytes.string }),
        ScalarFunction(
            "from_utf8", [.varbinary, .text], .text,
            "The string of UTF-8 bytes; broken sequences become the second argument.",
            example: "from_utf8(x'58bf', '?')", canFail: true,
            kernel: binary { (bytes: Text, replacement: Text) -> String in
                let other = replacement.string
                guard other.unicodeScalars.count <= 1 else {
                    throw invalid("Replacement string must be empty or a single character")
                }
                return decode(bytes, replacement: other)
            }),
        substr([.bigint], example: "substr(x'010203', 2)"),
        substr([.bigint, .bigint], example: "substr(x'010203', 2, 1)"),
        ScalarFunction(
            "to_big_endian_64", [.bigint], .varbinary, "The number's bytes, the highest first.",
            example: "to_big_endian_64(1)",
            kernel: unary { (value: Int64) in bigEndian(UInt64(bitPattern: value)) }),
        ScalarFunction(
            "from_big_endian_64", [.varbinary], .bigint, "The number of eight bytes.",
            example: "from_big_endian_64(x'0000000000000001')", canFail: true,
            kernel: unary { (bytes: Text) -> Int64 in
                guard bytes.count == 8 else {
                    throw invalid("expected 8-byte input, but got instead: \(bytes.count)")
                }
                return Int64(bitPattern: bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
            }),
    ]

    private static func digest(_ name: String, _ algorithm: Digest.Algorithm) -> ScalarFunction {
        bytes(name, "The \(name.uppercased()) digest.") {
            Digest.hash(algorithm, UnsafeRawBufferPointer($0))
        }
    }

    private static func hmac(_ name: String, _ algorithm: Digest.Algorithm) -> ScalarFunction {
        ScalarFunction(
            name, [.varbinary, .varbinary], .varbinary, "The authentication code under a key.",
            example: "\(name)(to_utf8('text'), to_utf8('key'))",
            kernel: binary { (message: Text, key: Text) in
                HMAC.code(algorithm, key: Array(key), Array(message))
            })
    }

    private static func bytes(
        _ name: String, _ summary: String, _ body: @escaping @Sendable (Text) -> [UInt8]
    ) -> ScalarFunction {
        ScalarFunction(
            name, [.varbinary], .varbinary, summary, example: "\(name)(to_utf8('abc'))",
            kernel: unary { (bytes: Text) in body(bytes) })
    }

    private static func fromBase64(_ name: String, _ alphabet: Base64Alphabet) -> ScalarFunction {
        ScalarFunction(
            name, [.text], .varbinary, "The bytes of a base64 text.", example: "\(name)('YWJj')",
            canFail: true,
            kernel: unary { (text: Text) -> [UInt8] in
                guard let bytes = base64Bytes(text.string, alphabet: alphabet) else {
                    throw invalid("Invalid base64 text: \(text.string.prefix(80))")
                }
                return bytes
            })
    }

    private static func substr(_ rest: [LogicalType], example: String) -> ScalarFunction {
        ScalarFunction(
            "substr", [.varbinary] + rest, .varbinary,
            "Bytes from a 1-based position; a negative one counts from the end.", example: example,
            kernel: { call in
                let lengths = rest.count > 1 ? call.input(2, as: Int64.self) : nil
                let starts = call.input(1, as: Int64.self)
                let values = call.input(0, as: Text.self)
                call.rows { row -> Text in
                    let bytes = values[row]
                    let start = starts[row]
                    let length = lengths?[row] ?? .max
                    let from = start > 0 ? start - 1 : start + Int64(bytes.count)
                    guard start != 0, from >= 0, from < Int64(bytes.count), length > 0 else {
                        return bytes.slice(0, 0)
                    }
                    let count = min(length, Int64(bytes.count) - from)
                    return bytes.slice(Int(from), Int(from + count))
                }
            })
    }
}

private func bigEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}

private func decode(_ bytes: Text, replacement: String) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var result = ""
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    while true {
        switch decoder.decode(&iterator) {
        case .scalarValue(let scalar): result.unicodeScalars.append(scalar)
        case .emptyInput: return result
        case .error: result += replacement
        }
    }
}
