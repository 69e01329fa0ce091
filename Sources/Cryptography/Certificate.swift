import Bytes
import COpenSSL

/// An OpenSSL certificate with its owner count. Whoever uses `pointer` outside a method that got the
/// owner as an argument keeps the owner alive with `withExtendedLifetime`.
final class Certificate: Sendable {
    // Safe because a parsed certificate is only read; OpenSSL locks its own caches.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Takes ownership.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_free(pointer) }

    /// Every certificate of a PEM text, in order; throws when there is none.
    static func parseChain(_ pem: String) throws(CryptographyError) -> [Certificate] {
        let chain = pem.withMemoryBIO { bio -> [Certificate] in
            var found: [Certificate] = []
            while let next = PEM_read_bio_X509(bio, nil, nil, nil) {
                found.append(Certificate(owning: next))
            }
            // The loop ends with "no start line" on the error queue.
            ERR_clear_error()
            return found
        }
        guard let chain, !chain.isEmpty else {
            throw CryptographyError(
                code: .badCertificate, message: "the text holds no certificate",
                hint: "it must have a PEM block that begins -----BEGIN CERTIFICATE-----")
        }
        return chain
    }

    func pem() throws(CryptographyError) -> String {
        guard let text = textOfMemoryBIO({ PEM_write_bio_X509($0, pointer) == 1 }) else {
            throw .openSSL("cannot write the certificate")
        }
        return text
    }
}

/// What a certificate says, for renewal and for people.
package struct CertificateDescription: Sendable {
    /// The common name of its subject.
    package let subject: String
    /// The names and addresses it is for.
    package let names: [String]
    /// Seconds since 1970.
    package let notBefore: Int64
    /// Seconds since 1970.
    package let notAfter: Int64
    /// SHA-256 of its DER form, hexadecimal.
    package let fingerprint: String

    /// Reads the first certificate of a PEM text.
    package init(pem: String) throws(CryptographyError) {
        let owner = try Certificate.parseChain(pem)[0]
        defer { withExtendedLifetime(owner) {} }
        let certificate = owner.pointer
        subject = Self.commonName(X509_get_subject_name(certificate))
        names = Self.alternativeNames(certificate)
        notBefore = try Self.seconds(X509_get0_notBefore(certificate))
        notAfter = try Self.seconds(X509_get0_notAfter(certificate))
        var digest = [UInt8](repeating: 0, count: 32)
        guard X509_digest(certificate, EVP_sha256(), &digest, nil) == 1 else {
            throw .openSSL("cannot digest the certificate")
        }
        fingerprint = hexText(digest)
    }

    private static func commonName(_ name: OpaquePointer?) -> String {
        let position = X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        guard position >= 0, let entry = X509_NAME_get_entry(name, position),
            let text = X509_NAME_ENTRY_get_data(entry)
        else { return "" }
        return String(
            decoding: UnsafeBufferPointer(
                start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text))),
            as: UTF8.self)
    }

    private static func alternativeNames(_ certificate: OpaquePointer) -> [String] {
        let extensionIndex = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1)
        guard extensionIndex >= 0, let value = X509_get_ext(certificate, extensionIndex) else {
            return []
        }
        // Printed as `DNS:localhost, IP Address:127.0.0.1`.
        let text = textOfMemoryBIO { X509V3_EXT_print($0, value, 0, 0) == 1 } ?? ""
        return text.split(separator: ", ").map { part in
            part.split(separator: ":", maxSplits: 1).last.map(String.init) ?? String(part)
        }
    }

    private static func seconds(
        _ time: UnsafePointer<ASN1_TIME>?
    ) throws(CryptographyError) -> Int64 {
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard let epoch = ASN1_TIME_set(nil, 0) else { throw .openSSL("no memory for a time") }
        defer { ASN1_STRING_free(epoch) }
        guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else {
            throw .openSSL("the certificate has a bad time", code: .badCertificate)
        }
        return Int64(days) * 86_400 + Int64(seconds)
    }
}
