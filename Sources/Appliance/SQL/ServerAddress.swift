import Cryptography
import HTTPClient
import Platform

/// Another machine's server as `--server URL` names it.
struct ServerAddress {
    let host: String
    let port: Int
    let isEncrypted: Bool
    /// What stands before `/v1/statement`, for servers behind a proxy.
    let prefix: String

    /// `https://host:8443`, `http://localhost:8080`, `host:8443` (which is HTTPS).
    init(_ text: String) throws(ApplianceError) {
        var rest = text[...]
        var encrypted = true
        for (scheme, isTLS) in [("https://", true), ("http://", false)]
        where rest.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
            encrypted = isTLS
        }
        let authority = rest.prefix { $0 != "/" }
        var path = String(rest.dropFirst(authority.count))
        while path.hasSuffix("/") { path.removeLast() }
        func wrong(_ why: String) -> ApplianceError {
            ApplianceError(
                .usage, "--server \(why): \(text)",
                hint: "write https://host:8443, or http://localhost:8080")
        }
        guard !authority.contains("@") else {
            throw wrong("takes no credentials: use --user, --password-file or LAKEHOUSE_TOKEN")
        }
        guard !rest.contains("?"), !rest.contains("#"), !rest.contains("://") else {
            throw wrong("wants a plain http or https URL")
        }
        var name = authority
        var number = encrypted ? 443 : 80
        let afterBracket = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[afterBracket...].lastIndex(of: ":") {
            guard let port = Int(authority[authority.index(after: colon)...]),
                (1...65535).contains(port)
            else { throw wrong("has no valid port") }
            name = authority[..<colon]
            number = port
        }
        let isBracketed = name.hasPrefix("[") && name.hasSuffix("]")
        guard !name.isEmpty, isBracketed || !name.contains(":") else {
            throw wrong("has no valid host")
        }
        host = String(name)
        port = number
        isEncrypted = encrypted
        prefix = path
    }

    /// The authority of a certificate: as given, of an appliance, or what the system trusts.
    private static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
    ]

    /// A connection, still unopened. Plain HTTP stays on this machine unless `allowsPlain`.
    func connection(authorityPath: String?, allowsPlain: Bool) throws -> HTTPConnection {
        guard isEncrypted else {
            let isHere = try SocketAddress.resolve(host: host, port: port).allSatisfy(\.isLoopback)
            guard isHere || allowsPlain else {
                throw ApplianceError(
                    .usage,
                    "plain HTTP to another machine shows everything to the network: \(host)",
                    hint: "use https://, or say --insecure")
            }
            return HTTPConnection(host: host, port: port)
        }
        return HTTPConnection(
            host: host, port: port, tls: try TLSContext(trustingPEM: authorities(authorityPath)))
    }

    private func authorities(_ given: String?) throws -> String {
        let system = LocalFileSystem()
        let named = given ?? Environment.value("LAKEHOUSE_CA") ?? Environment.value("SSL_CERT_FILE")
        let found = try named ?? Self.bundles.first { try system.exists($0) }
        guard let path = found else {
            throw ApplianceError(
                .usage, "no authority is known that could vouch for \(host)",
                hint: "give its certificate with --ca FILE")
        }
        do {
            return String(decoding: try system.readAll(path, limit: 16 << 20), as: UTF8.self)
        } catch {
            throw ApplianceError(
                .usage, "cannot read the authority's certificate: \(path)",
                hint: "give the right file with --ca", cause: error)
        }
    }
}
