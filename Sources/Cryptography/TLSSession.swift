import COpenSSL
import Diagnostics

/// One TLS connection as a state machine between two byte buffers; never blocks, owns no descriptor.
///
/// The owner of the socket calls, whenever bytes came: `receive`, then `read` until `.wantsInput`, then
/// sends what `takeCiphertext` gives. After `write` it sends `takeCiphertext` too. The handshake runs
/// inside `read`; its answers wait in `takeCiphertext` as everything does, even after a throw (alerts).
///
/// Safe because one thread at a time uses a session: the poller or the handler that owns its
/// connection, which hands over under its own lock.
package final class TLSSession: @unchecked Sendable {
    /// What a read came to.
    package enum ReadResult: Sendable, Hashable {
        /// So many bytes of plaintext were written to the buffer's beginning; never zero.
        case bytes(Int)
        /// Nothing more until `receive` brings more.
        case wantsInput
        /// The peer said that it will send no more.
        case closed
    }

    private let ssl: OpaquePointer
    // Both belong to `ssl`.
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    init(context: OpaquePointer) throws(CryptographyError) {
        guard let ssl = SSL_new(context) else { throw .openSSL("cannot make a TLS session") }
        guard let incoming = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw .openSSL("cannot make a TLS buffer")
        }
        guard let outgoing = BIO_new(BIO_s_mem()) else {
            BIO_free(incoming)
            SSL_free(ssl)
            throw .openSSL("cannot make a TLS buffer")
        }
        // An empty buffer means "later", not "end".
        _ = lakehouse_bio_set_eof_retry(incoming)
        _ = lakehouse_bio_set_eof_retry(outgoing)
        SSL_set_bio(ssl, incoming, outgoing)
        self.ssl = ssl
        self.incoming = incoming
        self.outgoing = outgoing
    }

    deinit { SSL_free(ssl) }

    func becomeServer() { SSL_set_accept_state(ssl) }

    func becomeClient(of name: String) throws(CryptographyError) {
        SSL_set_connect_state(ssl)
        let isAddress =
            name.utf8.contains(0x3A)
            || name.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
        let parameters = SSL_get0_param(ssl)
        let status: Int32
        if isAddress {
            status = X509_VERIFY_PARAM_set1_ip_asc(parameters, name)
        } else {
            status = SSL_set1_host(ssl, name)
            var name = Array(name.utf8CString)
            _ = name.withUnsafeMutableBufferPointer {
                lakehouse_ssl_set_server_name(ssl, $0.baseAddress)
            }
        }
        guard status == 1 else { throw .openSSL("the server name cannot be used: \(name)") }
    }

    /// Whether the handshake is done.
    package var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }

    /// What ALPN agreed on: `http/1.1`, or nil when the client did not ask.
    package var negotiatedProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        guard let name, length > 0 else { return nil }
        return String(
            decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    /// The protocol version, such as `TLSv1.3`.
    package var version: String { String(cString: SSL_get_version(ssl)) }

    /// Takes over bytes that came from the peer. Nothing is decrypted yet; call `read`.
    package func receive(_ ciphertext: UnsafeRawBufferPointer) throws(CryptographyError) {
        guard ciphertext.count > 0 else { return }
        var written = 0
        guard BIO_write_ex(incoming, ciphertext.baseAddress, ciphertext.count, &written) == 1,
            written == ciphertext.count
        else {
            throw .openSSL("no memory for what the peer sent", code: .connectionBroken)
        }
    }

    /// Drives the handshake as far as the bytes received allow; true when it is done.
    package func handshake() throws(CryptographyError) -> Bool {
        if isEstablished { return true }
        ERR_clear_error()
        let status = SSL_do_handshake(ssl)
        if status == 1 { return true }
        switch SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return false
        default: throw .openSSL("TLS handshake failed", code: .handshakeFailed)
        }
    }

    /// Decrypts into the buffer, after the handshake if that is not done.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) -> ReadResult {
        guard try handshake() else { return .wantsInput }
        guard buffer.count > 0 else { return .wantsInput }
        ERR_clear_error()
        var count = 0
        let status = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
        if status == 1 { return .bytes(count) }
        switch SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wantsInput
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: throw .openSSL("the TLS connection is broken", code: .connectionBroken)
        }
    }

    /// Encrypts all of the plaintext; the result waits in `takeCiphertext`. Call when established.
    package func write(_ plaintext: UnsafeRawBufferPointer) throws(CryptographyError) {
        var rest = plaintext
        while rest.count > 0 {
            ERR_clear_error()
            var count = 0
            // The outgoing buffer grows as it must, so this never waits.
            guard SSL_write_ex(ssl, rest.baseAddress, rest.count, &count) == 1 else {
                throw .openSSL("the TLS connection is broken", code: .connectionBroken)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Tells the peer that no more will come; the notice waits in `takeCiphertext`.
    package func close() {
        ERR_clear_error()
        if isEstablished { _ = SSL_shutdown(ssl) }
    }

    /// How many bytes wait to be sent.
    package var ciphertextByteCount: Int { BIO_ctrl_pending(outgoing) }

    /// Moves bytes that are to be sent into the buffer; returns how many, 0 when none wait.
    package func takeCiphertext(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard buffer.count > 0, ciphertextByteCount > 0 else { return 0 }
        var count = 0
        return BIO_read_ex(outgoing, buffer.baseAddress, buffer.count, &count) == 1 ? count : 0
    }

    /// All bytes that are to be sent now.
    package func takeCiphertext() -> [UInt8] {
        let waiting = ciphertextByteCount
        guard waiting > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: waiting) { buffer, count in
            count = takeCiphertext(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
