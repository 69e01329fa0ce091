import Cryptography
import Testing

/// Both sides of a connection in one process, joined by hand.
private struct Pair {
    let server: TLSSession
    let client: TLSSession

    init(names: [String] = CertificateAuthority.localNames, serverName: String = "localhost") throws
    {
        // A past date would make the client refuse; its clock is the system's.
        let authority = try CertificateAuthority.generate(
            commonName: "test authority", now: 1_700_000_000, days: 36_500)
        let issued = try authority.issue(names: names, now: 1_700_000_000, days: 36_500)
        server = try TLSContext(
            certificateChainPEM: issued.chainPEM, privateKeyPEM: issued.privateKeyPEM
        ).makeSession()
        client = try TLSContext(trustingPEM: authority.kept().chainPEM)
            .makeSession(serverName: serverName)
    }

    /// Carries bytes until both are established, at most so many at a time.
    func shakeHands(pieceSize: Int = .max) throws {
        for _ in 0..<2000 where !(client.isEstablished && server.isEstablished) {
            _ = try client.handshake()
            try carry(from: client, to: server, limit: pieceSize)
            _ = try server.handshake()
            try carry(from: server, to: client, limit: pieceSize)
        }
    }

    func carry(from source: TLSSession, to target: TLSSession, limit: Int = .max) throws {
        var piece = [UInt8](repeating: 0, count: min(limit, max(1, source.ciphertextByteCount)))
        let count = piece.withUnsafeMutableBytes { source.takeCiphertext(into: $0) }
        try piece[..<count].withUnsafeBytes { try target.receive($0) }
    }

    func readAll(_ session: TLSSession) throws -> (bytes: [UInt8], end: TLSSession.ReadResult) {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 777)
        while true {
            let result = try buffer.withUnsafeMutableBytes { try session.read(into: $0) }
            guard case .bytes(let count) = result else { return (all, result) }
            all += buffer[..<count]
        }
    }
}

struct TLSTests {
    @Test(arguments: [1, 100, Int.max])
    func `a handshake in pieces of any size carries bytes both ways`(_ pieceSize: Int) throws {
        let pair = try Pair()
        try pair.shakeHands(pieceSize: pieceSize)
        #expect(pair.server.isEstablished && pair.client.isEstablished)
        #expect(pair.server.negotiatedProtocol == "http/1.1")
        #expect(pair.server.version == "TLSv1.3")

        let long = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try Array("GET / HTTP/1.1\r\n".utf8).withUnsafeBytes { try pair.client.write($0) }
        try pair.carry(from: pair.client, to: pair.server)
        #expect(try pair.readAll(pair.server).bytes == Array("GET / HTTP/1.1\r\n".utf8))
        try long.withUnsafeBytes { try pair.server.write($0) }
        try pair.carry(from: pair.server, to: pair.client)
        let answer = try pair.readAll(pair.client)
        #expect(answer.bytes == long)
        #expect(answer.end == .wantsInput)
    }

    @Test func `a close notice is an end and not an error`() throws {
        let pair = try Pair()
        try pair.shakeHands()
        pair.server.close()
        try pair.carry(from: pair.server, to: pair.client)
        #expect(try pair.readAll(pair.client).end == .closed)
    }

    @Test(arguments: ["localhost", "127.0.0.1", "::1", "bucket.s3.localhost"])
    func `the local names are all accepted`(_ name: String) throws {
        let pair = try Pair(serverName: name)
        try pair.shakeHands()
        #expect(pair.client.isEstablished)
    }

    @Test func `a client refuses a certificate for another name and the server hears of it`() throws
    {
        let pair = try Pair(names: ["other.example.org"])
        #expect(throws: CryptographyError.self) { try pair.shakeHands() }
        try pair.carry(from: pair.client, to: pair.server)
        let failure = #expect(throws: CryptographyError.self) { try pair.server.handshake() }
        #expect(failure?.code == .handshakeFailed)
    }

    @Test func `plain bytes in place of a handshake are a fault`() throws {
        let server = try Pair().server
        try Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8).withUnsafeBytes {
            try server.receive($0)
        }
        let failure = #expect(throws: CryptographyError.self) { try server.handshake() }
        #expect(failure?.code == .handshakeFailed)
    }

    @Test func `a record that was changed on its way breaks the connection`() throws {
        let pair = try Pair()
        try pair.shakeHands()
        _ = try pair.readAll(pair.client)
        try [UInt8](repeating: 7, count: 100).withUnsafeBytes { try pair.client.write($0) }
        var record = pair.client.takeCiphertext()
        record[40] ^= 1
        try record.withUnsafeBytes { try pair.server.receive($0) }
        let failure = #expect(throws: CryptographyError.self) { try pair.readAll(pair.server) }
        #expect(failure?.code == .connectionBroken)
    }
}

struct CertificateTests {
    @Test func `a certificate says its names and times`() throws {
        let authority = try CertificateAuthority.generate(commonName: "A", now: 1_800_000_000)
        let again = try CertificateAuthority(authority.kept())
        let issued = try again.issue(
            names: ["lake.example.org", "192.0.2.7"], now: 1_800_000_000, days: 10)
        let description = try CertificateDescription(pem: issued.chainPEM)
        #expect(description.subject == "lake.example.org")
        #expect(description.names == ["lake.example.org", "192.0.2.7"])
        #expect(description.notBefore == 1_799_996_400)
        #expect(description.notAfter == 1_799_996_400 + 864_000)
        #expect(description.fingerprint.utf8.count == 64)
        #expect(try CertificateDescription(pem: authority.kept().chainPEM).subject == "A")
    }

    @Test(arguments: ["", "a,DNS:evil.example", "a b", "a\u{0}b", "1:2:x"])
    func `a name that could forge another entry is refused`(_ name: String) throws {
        let authority = try CertificateAuthority.generate(commonName: "A", now: 1_800_000_000)
        let failure = #expect(throws: CryptographyError.self) {
            try authority.issue(names: [name], now: 0)
        }
        #expect(failure?.code == .badCertificate)
    }

    @Test func `a foreign key and text without certificates are refused`() throws {
        let one = try CertificateAuthority.generate(commonName: "A", now: 0).kept()
        let two = try CertificateAuthority.generate(commonName: "B", now: 0).kept()
        #expect(throws: CryptographyError.self) {
            try TLSContext(certificateChainPEM: one.chainPEM, privateKeyPEM: two.privateKeyPEM)
        }
        #expect(throws: CryptographyError.self) { try CertificateDescription(pem: "nothing") }
    }
}
