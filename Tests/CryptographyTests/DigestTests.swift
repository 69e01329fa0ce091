import Bytes
import Cryptography
import Testing

struct DigestTests {
    @Test(arguments: [
        (Digest.Algorithm.md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
        (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (.sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            .sha512, "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
    ])
    func `published digests come out`(_ algorithm: Digest.Algorithm, _ text: String, _ hex: String)
    {
        #expect(hexText(Digest.hash(algorithm, text)) == hex)
    }

    @Test func `pieces give what the whole gives and a value does not end the message`() {
        for algorithm in Digest.Algorithm.allCases {
            let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            var digest = Digest(algorithm)
            var start = 0
            for size in [0, 1, 63, 64, 65, 127, 128, 129] {
                digest.update(message[start..<start + size])
                start += size
                #expect(digest.value() == Digest.hash(algorithm, Array(message[..<start])))
            }
        }
    }

    /// RFC 4231, cases 1 to 4, 6 and 7.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0b, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func `HMAC-SHA-256 follows RFC 4231`(_ key: [UInt8], _ message: String, _ hex: String) {
        #expect(hexText(HMAC.sha256(key: key, message)) == hex)
    }

    @Test func `HMAC-SHA-1 and SHA-512 follow their RFCs`() {
        let key = Array("Jefe".utf8)
        let message = Array("what do ya want for nothing?".utf8)
        #expect(
            hexText(HMAC.code(.sha1, key: key, message))
                == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        #expect(
            hexText(HMAC.code(.sha512, key: key, message))
                == "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737")
    }

    @Test func `comparison sees one bit and the length`() {
        #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2, 2]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2]))
        #expect(constantTimeEqual("", ""))
    }
}
