import Cryptography
import Platform
import Synchronization

/// The local certificate authority and the server's certificate in `DIR/tls`, made when first asked for
/// and renewed before they end.
final class Certificates: Sendable {
    private let folder: String
    private let names: [String]
    private let clock: any WallClock
    private let context = Mutex<(tls: TLSContext, until: Int64)?>(nil)
    private static let renewalSeconds: Int64 = 30 * 86_400

    init(directory: String, names: [String], clock: any WallClock) {
        folder = directory + "/tls"
        self.names = names
        self.clock = clock
    }

    /// Where the authority's certificate is, for clients that verify.
    var authorityPath: String { folder + "/ca.pem" }

    /// The context for a new connection; nil when none can be made, which refuses TLS alone.
    func current() -> TLSContext? {
        context.withLock { kept in
            let now = clock.now().seconds
            if let kept, now < kept.until { return kept.tls }
            guard let made = try? make(now) else { return kept?.tls }
            kept = made
            return made.tls
        }
    }

    private func make(_ now: Int64) throws -> (tls: TLSContext, until: Int64) {
        let files = LocalFileSystem()
        if try !files.exists(folder) { try files.makeDirectory(folder, mode: 0o700) }
        let authority = try loadAuthority(files, now)
        var server = try load(files, "server")
        if let present = server {
            let description = try CertificateDescription(pem: present.chainPEM)
            let isCurrent =
                description.notAfter - now > Certificates.renewalSeconds
                && Set(names).isSubset(of: Set(description.names))
            if !isCurrent { server = nil }
        }
        let certificate = try server ?? authority.issue(names: names, now: now)
        if server == nil { try save(files, "server", certificate) }
        let description = try CertificateDescription(pem: certificate.chainPEM)
        let tls = try TLSContext(
            certificateChainPEM: certificate.chainPEM, privateKeyPEM: certificate.privateKeyPEM)
        return (tls, description.notAfter - Certificates.renewalSeconds)
    }

    /// Makes the authority if there is none, so that its file can be named to clients.
    func ensureAuthority() throws {
        let files = LocalFileSystem()
        if try !files.exists(folder) { try files.makeDirectory(folder, mode: 0o700) }
        _ = try loadAuthority(files, clock.now().seconds)
    }

    private func loadAuthority(_ files: LocalFileSystem, _ now: Int64) throws
        -> CertificateAuthority
    {
        if let kept = try load(files, "ca") { return try CertificateAuthority(kept) }
        let made = try CertificateAuthority.generate(
            commonName: "lakehouse local authority", now: now)
        try save(files, "ca", try made.kept())
        return made
    }

    private func load(_ files: LocalFileSystem, _ name: String) throws -> KeyedCertificate? {
        let (chain, key) = ("\(folder)/\(name).pem", "\(folder)/\(name).key")
        guard try files.exists(chain), try files.exists(key) else { return nil }
        return KeyedCertificate(
            chainPEM: String(decoding: try files.readAll(chain, limit: 1 << 20), as: UTF8.self),
            privateKeyPEM: String(decoding: try files.readAll(key, limit: 1 << 20), as: UTF8.self))
    }

    private func save(_ files: LocalFileSystem, _ name: String, _ kept: KeyedCertificate) throws {
        try files.replaceDurably(
            "\(folder)/\(name).key", with: Array(kept.privateKeyPEM.utf8), mode: 0o600)
        try files.replaceDurably(
            "\(folder)/\(name).pem", with: Array(kept.chainPEM.utf8), mode: 0o644)
    }
}
