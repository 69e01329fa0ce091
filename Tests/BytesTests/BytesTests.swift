import Bytes
import Testing

struct BytesTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func checksumsHaveTheirCheckValues() {
        let digits = bytes("123456789")
        #expect(crc32(digits) == 0xCBF4_3926)
        #expect(crc32c(digits) == 0xE306_9283)
        #expect(crc64NVME(digits) == 0xAE8B_1486_0A79_9888)
    }

    @Test func checksumsContinueFromASeed() {
        let all = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for split in [0, 1, 7, 8, 9, 500, 999, 1000] {
            let (head, tail) = (Array(all[..<split]), Array(all[split...]))
            #expect(crc32(tail, seed: crc32(head)) == crc32(all))
            #expect(crc32c(tail, seed: crc32c(head)) == crc32c(all))
            #expect(crc64NVME(tail, seed: crc64NVME(head)) == crc64NVME(all))
        }
    }

    @Test func hashesEqualThePublishedValues() {
        #expect(xxHash64([]) == 0xEF46_DB37_51D8_E999)
        #expect(xxHash64(bytes("a")) == 0xD24E_C4F1_A98C_6E5B)
        #expect(
            xxHash64(bytes("Call me Ishmael. Some years ago--never mind how long precisely-"))
                == 0x02A2_E854_70D6_FD96)
        // Iceberg specification, appendix B.
        #expect(murmur3(bytes("iceberg")) == 1_210_000_089)
        #expect(Int32(bitPattern: murmur3([0, 1, 2, 3])) == -188_683_207)
        #expect(murmur3([34, 0, 0, 0, 0, 0, 0, 0]) == 2_017_239_379)
    }

    @Test(arguments: [0, 1, -1, 63, -64, 64, Int64.max, .min, 1 << 40])
    func varintsComeBack(value: Int64) throws {
        var buffer = ByteBuffer()
        buffer.appendZigZag(value)
        buffer.appendULEB128(UInt64(bitPattern: value))
        var reader = ByteReader(buffer.bytes)
        #expect(try reader.readZigZag64() == value)
        #expect(try reader.readULEB128() == UInt64(bitPattern: value))
        #expect(reader.isAtEnd)
    }

    @Test func brokenVarintsAreErrors() {
        var long = ByteReader([UInt8](repeating: 0xFF, count: 11))
        #expect { try long.readULEB128() } throws: { ($0 as? BytesError)?.code == .varintTooLong }
        var cut = ByteReader([0x80, 0x80])
        #expect { try cut.readULEB128() } throws: { ($0 as? BytesError)?.code == .truncated }
        #expect(cut.offset == 0)
    }

    @Test func readsPastTheEndAreErrorsAndDoNotMove() throws {
        var reader = ByteReader([1, 2, 3])
        #expect(throws: BytesError.self) { try reader.readUInt32LE() }
        #expect(throws: BytesError.self) { try reader.readBytes(-1) }
        #expect(throws: BytesError.self) { try reader.readBytes(.max) }
        #expect(try reader.readUInt16BE() == 0x0102)
        #expect(try reader.readUInt8() == 3)
        #expect(throws: BytesError.self) { try reader.readUInt8() }
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy"),
    ])
    func base64FollowsTheStandard(plain: String, encoded: String) {
        #expect(base64Text(bytes(plain)) == encoded)
        #expect(base64Bytes(encoded) == bytes(plain))
        let bare = encoded.replacing("=", with: "")
        #expect(base64Text(bytes(plain), alphabet: .url) == bare)
        #expect(base64Bytes(bare, alphabet: .url) == bytes(plain))
    }

    @Test(arguments: ["Zg", "Zg=", "Z===", "Zh==", "Zm9v!", "Z"])
    func brokenBase64IsRefused(text: String) {
        #expect(base64Bytes(text) == nil)
    }

    @Test func percentAndHexFormsComeBack() {
        let text = "a b/ü%+&=\u{1F}"
        #expect(percentEncoded(text) == "a%20b%2F%C3%BC%25%2B%26%3D%1F")
        #expect(percentDecoded(percentEncoded(text)) == text)
        #expect(percentDecoded("%zz") == nil)
        #expect(percentDecoded("%ff") == nil)
        #expect(hexText([0, 0xAB, 0xFF]) == "00abff")
        #expect(hexBytes("00ABff") == [0, 0xAB, 0xFF])
        #expect(hexBytes("0") == nil)
        #expect(formPairs("a=1&b=x+y&c")?.map(\.value) == ["1", "x y", ""])
    }

    @Test(arguments: [0, 9, 10, -1, Int64.max, .min])
    func decimalDigitsEqualTheDescription(value: Int64) {
        var digits: [UInt8] = []
        appendDecimalDigits(of: value, to: &digits)
        #expect(String(decoding: digits, as: UTF8.self) == String(value))
    }
}
