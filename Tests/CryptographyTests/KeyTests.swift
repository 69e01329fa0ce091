import Bytes
import Cryptography
import Testing

struct SigningKeyTests {
    @Test(arguments: SignatureAlgorithm.allCases)
    func `a signature holds for its message and key only`(_ algorithm: SignatureAlgorithm) throws {
        let key = try SigningKey.generate(algorithm)
        let other = try SigningKey.generate(algorithm)
        let message = Array("header.payload".utf8)
        let signature = try key.sign(message)
        #expect(signature.count == (algorithm == .rs256 ? 256 : 64))
        #expect(key.verificationKey.isValid(signature: signature, of: message))
        #expect(!key.verificationKey.isValid(signature: signature, of: message + [0]))
        #expect(!other.verificationKey.isValid(signature: signature, of: message))
        #expect(!key.verificationKey.isValid(signature: [], of: message))
        for index in [0, signature.count - 1] {
            var changed = signature
            changed[index] ^= 1
            #expect(!key.verificationKey.isValid(signature: changed, of: message))
        }
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `a key that was kept is the same key`(_ algorithm: SignatureAlgorithm) throws {
        let key = try SigningKey.generate(algorithm)
        let again = try SigningKey(privateKeyPEM: key.privateKeyPEM())
        let half = try VerificationKey(publicKeyPEM: key.verificationKey.publicKeyPEM())
        #expect(again.id == key.id && half.id == key.id)
        #expect(half.algorithm == algorithm)
        #expect(half.isValid(signature: try again.sign([1, 2]), of: [1, 2]))
    }

    /// The public half of the key of RFC 7638 section 3.1.
    @Test func `the thumbprint follows RFC 7638`() throws {
        // The modulus of the RFC, wrapped in SubjectPublicKeyInfo by its fixed DER prefix.
        let modulus = try #require(
            base64Bytes(
                "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
                alphabet: .url))
        let prefix = try #require(
            hexBytes("30820122300d06092a864886f70d01010105000382010f003082010a0282010100"))
        let der = prefix + modulus + [0x02, 0x03, 0x01, 0x00, 0x01]
        let pem =
            "-----BEGIN PUBLIC KEY-----\n" + lines(base64Text(der)) + "-----END PUBLIC KEY-----\n"
        let key = try VerificationKey(publicKeyPEM: pem)
        #expect(key.id == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        #expect(key.members.map(\.name) == ["e", "kty", "n"])
        #expect(key.members[0].value == "AQAB")
    }

    private func lines(_ text: String) -> String {
        var rest = Substring(text)
        var result = ""
        while !rest.isEmpty {
            result += rest.prefix(64) + "\n"
            rest = rest.dropFirst(64)
        }
        return result
    }

    @Test func `text that is no key is refused`() {
        let failure = #expect(throws: CryptographyError.self) {
            try SigningKey(privateKeyPEM: "-----BEGIN PRIVATE KEY-----\nAAAA\n")
        }
        #expect(failure?.code == .badKey)
    }
}

struct PasswordHashTests {
    /// RFC 7914 section 12.
    @Test(arguments: [
        (
            "", "", PasswordHash.Cost(logN: 4, r: 1, p: 1),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        ),
        (
            "password", "NaCl", PasswordHash.Cost(logN: 10, r: 8, p: 16),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        ),
    ])
    func `scrypt follows RFC 7914`(
        _ password: String, _ salt: String, _ cost: PasswordHash.Cost, _ hex: String
    ) throws {
        let key = try PasswordHash.scrypt(
            Array(password.utf8), salt: Array(salt.utf8), cost: cost, byteCount: 64)
        #expect(hexText(key) == hex)
    }

    @Test func `a kept hash knows its password again`() throws {
        let hash = try PasswordHash(
            password: "correct horse", salt: [UInt8](repeating: 7, count: 16), cost: .weak)
        #expect(hash.text.hasPrefix("$scrypt$ln=4,r=1,p=1$"))
        let again = try PasswordHash(text: hash.text)
        #expect(again == hash)
        #expect(again.matches("correct horse"))
        #expect(!again.matches("correct horsf"))
        #expect(!again.matches(""))
        let generated = try PasswordHash(text: PasswordHash(generatedSecret: "abc").text)
        #expect(generated.matches("abc") && !generated.matches("abd"))
    }

    @Test(arguments: [
        "", "x", "$scrypt$ln=15,r=8$AAAA$AAAA", "$scrypt$ln=40,r=8,p=1$AAAA$AAAA", "$sha256$AAAA",
        "$scrypt$ln=-1,r=8,p=1$AAAA$AAAA",
    ])
    func `a kept text that is none, or would take for ever, is refused`(_ text: String) {
        let failure = #expect(throws: CryptographyError.self) { try PasswordHash(text: text) }
        #expect(failure?.code == .badPasswordHash)
    }
}

struct SealingKeyTests {
    @Test func `a sealed secret opens with its key and label only`() throws {
        let key = try SealingKey([UInt8](0..<32))
        let secret = Array("wJalrXUtnFEMI".utf8)
        let sealed = try key.seal(secret, label: "key:AKIA1")
        #expect(try key.open(sealed, label: "key:AKIA1") == secret)
        #expect(try key.seal(secret, label: "key:AKIA1") != sealed)
        #expect(try key.open(key.seal([], label: ""), label: "") == [])
        let other = try SealingKey([UInt8](repeating: 1, count: 32))
        #expect(throws: CryptographyError.self) { try other.open(sealed, label: "key:AKIA1") }
        #expect(throws: CryptographyError.self) { try key.open(sealed, label: "key:AKIA2") }
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 0x80
            let failure = #expect(throws: CryptographyError.self) {
                try key.open(changed, label: "key:AKIA1")
            }
            #expect(failure?.code == .cannotUnseal)
        }
        #expect(throws: CryptographyError.self) {
            try key.open(Array(sealed.prefix(20)), label: "key:AKIA1")
        }
        #expect(throws: CryptographyError.self) { try SealingKey([1, 2, 3]) }
    }
}
