import COpenSSL
import Diagnostics

/// What all TLS sessions of a listener share: certificate, key, protocol limits. Immutable: a renewed
/// certificate is a new context, and sessions under the old one live on.
///
/// TLS 1.2 is the floor; ALPN offers `http/1.1` and refuses clients that insist on something else.
package final class TLSContext: Sendable {
    // Safe because an SSL_CTX is counted and locked by OpenSSL, and never changed after `init`.
    nonisolated(unsafe) private let context: OpaquePointer
    private let isServer: Bool

    /// The server's side, with its certificate chain (its own first) and private key, both PEM.
    package init(certificateChainPEM: String, privateKeyPEM: String) throws(CryptographyError) {
        guard let context = SSL_CTX_new(TLS_server_method()) else {
            throw .openSSL("cannot make a TLS context")
        }
        self.context = context
        isServer = true
        Self.limit(context)
        let chain = try Certificate.parseChain(certificateChainPEM)
        let key = try PrivateKey(pem: privateKeyPEM)
        defer { withExtendedLifetime((chain, key)) {} }
        guard let leaf = chain.first, SSL_CTX_use_certificate(context, leaf.pointer) == 1 else {
            throw .openSSL("the certificate cannot be used", code: .badCertificate)
        }
        for issuer in chain.dropFirst() {
            // Takes ownership, therefore one more reference.
            X509_up_ref(issuer.pointer)
            guard SSL_CTX_ctrl(context, SSL_CTRL_EXTRA_CHAIN_CERT, 0, .init(issuer.pointer)) == 1
            else {
                X509_free(issuer.pointer)
                throw .openSSL("the certificate chain cannot be used", code: .badCertificate)
            }
        }
        guard SSL_CTX_use_PrivateKey(context, key.pointer) == 1,
            SSL_CTX_check_private_key(context) == 1
        else {
            throw .openSSL(
                "the private key does not belong to the certificate", code: .badKey,
                hint: "give the key that the certificate was made with")
        }
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, out, outLength, offered, offeredLength, _ in
                // The one protocol we speak, in wire form: its length, then its name.
                let ours: StaticString = "\u{8}http/1.1"
                var selected: UnsafeMutablePointer<UInt8>?
                let status = SSL_select_next_proto(
                    &selected, outLength, ours.utf8Start, UInt32(ours.utf8CodeUnitCount), offered,
                    offeredLength)
                guard status == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                out?.pointee = UnsafePointer(selected)
                return SSL_TLSEXT_ERR_OK
            }, nil)
    }

    /// The client's side, which trusts only the certificates given (PEM) and checks names.
    package init(trustingPEM: String) throws(CryptographyError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw .openSSL("cannot make a TLS context")
        }
        self.context = context
        isServer = false
        Self.limit(context)
        let store = SSL_CTX_get_cert_store(context)
        let trusted = try Certificate.parseChain(trustingPEM)
        defer { withExtendedLifetime(trusted) {} }
        for certificate in trusted {
            guard X509_STORE_add_cert(store, certificate.pointer) == 1 else {
                throw .openSSL("the certificate cannot be trusted", code: .badCertificate)
            }
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        let ours: [UInt8] = [8] + Array("http/1.1".utf8)
        SSL_CTX_set_alpn_protos(context, ours, UInt32(ours.count))
    }

    private static func limit(_ context: OpaquePointer) {
        _ = lakehouse_ssl_require_tls12(context)
        lakehouse_ssl_set_modes(context)
    }

    deinit { SSL_CTX_free(context) }

    /// A session for one accepted connection, still before its handshake.
    package func makeSession() throws(CryptographyError) -> TLSSession {
        invariant(isServer, "a client's session needs the server's name")
        let session = try TLSSession(context: context)
        session.becomeServer()
        return session
    }

    /// A session towards the named server, whose certificate must carry the name.
    package func makeSession(serverName: String) throws(CryptographyError) -> TLSSession {
        invariant(!isServer, "a server's session names nobody")
        let session = try TLSSession(context: context)
        try session.becomeClient(of: serverName)
        return session
    }
}
