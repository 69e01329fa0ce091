import COpenSSL

/// A certificate with its private key, both PEM. The chain begins with the certificate itself.
package struct KeyedCertificate: Sendable {
    package let chainPEM: String
    package let privateKeyPEM: String

    package init(chainPEM: String, privateKeyPEM: String) {
        self.chainPEM = chainPEM
        self.privateKeyPEM = privateKeyPEM
    }
}

/// A local authority that one appliance makes for itself at first start. Its keys are P-256, which
/// every client reads and which take well under a millisecond to make.
///
/// Source: RFC 5280; the limits on lifetimes follow what browsers accept.
package struct CertificateAuthority: Sendable {
    private let certificate: Certificate
    private let key: PrivateKey

    /// The names that every server certificate carries.
    package static let localNames = [
        "localhost", "127.0.0.1", "::1", "*.s3.localhost", "s3.localhost",
    ]

    /// Reads an authority that was kept.
    package init(_ kept: KeyedCertificate) throws(CryptographyError) {
        certificate = try Certificate.parseChain(kept.chainPEM)[0]
        key = try PrivateKey(pem: kept.privateKeyPEM)
        guard X509_check_private_key(certificate.pointer, key.pointer) == 1 else {
            throw .openSSL(
                "the authority's key does not belong to its certificate", code: .badKey)
        }
    }

    private init(certificate: Certificate, key: PrivateKey) {
        self.certificate = certificate
        self.key = key
    }

    /// Makes an authority that is valid from `now` (seconds since 1970), less an hour for clocks that
    /// run late, for so many days.
    package static func generate(
        commonName: String, now: Int64, days: Int = 3650
    ) throws(CryptographyError) -> CertificateAuthority {
        let key = try PrivateKey.p256()
        let draft = try CertificateDraft(
            subject: commonName, subjectKey: key, now: now, days: days)
        try draft.setIssuer(draft.certificate)
        try draft.add(
            NID_basic_constraints, "critical,CA:TRUE,pathlen:0", issuer: draft.certificate)
        try draft.add(NID_key_usage, "critical,keyCertSign,cRLSign", issuer: draft.certificate)
        try draft.add(NID_subject_key_identifier, "hash", issuer: draft.certificate)
        try draft.sign(with: key)
        return CertificateAuthority(certificate: draft.certificate, key: key)
    }

    /// The authority as it is kept in two files.
    package func kept() throws(CryptographyError) -> KeyedCertificate {
        KeyedCertificate(chainPEM: try certificate.pem(), privateKeyPEM: try key.privatePEM())
    }

    /// Makes a server certificate for host names, wildcards and addresses, valid for so many days.
    package func issue(
        names: [String], now: Int64, days: Int = 397
    ) throws(CryptographyError) -> KeyedCertificate {
        let alternatives = try names.map { name throws(CryptographyError) in
            try Self.alternativeName(name)
        }
        guard let first = names.first else {
            throw CryptographyError(
                code: .badCertificate, message: "a server certificate needs a name")
        }
        let key = try PrivateKey.p256()
        let draft = try CertificateDraft(subject: first, subjectKey: key, now: now, days: days)
        try draft.setIssuer(certificate)
        try draft.add(NID_basic_constraints, "critical,CA:FALSE", issuer: certificate)
        try draft.add(NID_key_usage, "critical,digitalSignature", issuer: certificate)
        try draft.add(NID_ext_key_usage, "serverAuth", issuer: certificate)
        try draft.add(NID_subject_key_identifier, "hash", issuer: certificate)
        try draft.add(NID_authority_key_identifier, "keyid:always", issuer: certificate)
        try draft.add(
            NID_subject_alt_name, alternatives.joined(separator: ","), issuer: certificate)
        try draft.sign(with: self.key)
        return KeyedCertificate(
            chainPEM: try draft.certificate.pem() + certificate.pem(),
            privateKeyPEM: try key.privatePEM())
    }

    /// `DNS:` or `IP:` with the name, which must not be able to end the entry.
    private static func alternativeName(_ name: String) throws(CryptographyError) -> String {
        let isHexadecimal = name.utf8.allSatisfy {
            ($0 >= 0x30 && $0 <= 0x3A) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66)
        }
        if isHexadecimal, name.utf8.contains(0x3A) { return "IP:\(name)" }
        if !name.isEmpty, name.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2E }) {
            return "IP:\(name)"
        }
        let isName =
            !name.isEmpty && name.utf8.count <= 253
            && name.utf8.allSatisfy {
                ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A)
                    || $0 == 0x2D || $0 == 0x2E || $0 == 0x2A
            }
        guard isName else {
            throw CryptographyError(
                code: .badCertificate, message: "not a host name or address: \(name)",
                hint: "give names such as lake.example.org, *.s3.example.org or 192.0.2.7")
        }
        return "DNS:\(name)"
    }
}

/// A certificate while it is being made.
private struct CertificateDraft {
    let certificate: Certificate

    init(
        subject: String, subjectKey: PrivateKey, now: Int64, days: Int
    ) throws(CryptographyError) {
        guard let pointer = X509_new() else { throw .openSSL("no memory for a certificate") }
        certificate = Certificate(owning: pointer)
        var serial = try randomBytes(16)
        serial[0] &= 0x7F  // Positive, as RFC 5280 section 4.1.2.2 wants.
        guard let number = BN_bin2bn(serial, Int32(serial.count), nil) else {
            throw .openSSL("cannot number the certificate")
        }
        defer { BN_free(number) }
        let (start, startOverflow) = now.subtractingReportingOverflow(3600)
        let name = X509_get_subject_name(pointer)
        guard !startOverflow, X509_set_version(pointer, 2) == 1,
            BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer)) != nil,
            ASN1_TIME_adj(X509_getm_notBefore(pointer), Int(start), 0, 0) != nil,
            ASN1_TIME_adj(X509_getm_notAfter(pointer), Int(start), Int32(clamping: days), 0) != nil,
            X509_NAME_add_entry_by_NID(
                name, NID_organizationName, MBSTRING_UTF8, "lakehouse", -1, -1, 0) == 1,
            X509_NAME_add_entry_by_NID(
                name, NID_commonName, MBSTRING_UTF8, subject, -1, -1, 0) == 1,
            X509_set_pubkey(pointer, subjectKey.pointer) == 1
        else { throw .openSSL("cannot fill in the certificate") }
    }

    func setIssuer(_ issuer: Certificate) throws(CryptographyError) {
        let name = X509_get_subject_name(issuer.pointer)
        guard X509_set_issuer_name(certificate.pointer, name) == 1 else {
            throw .openSSL("cannot name the issuer")
        }
    }

    func add(_ kind: Int32, _ value: String, issuer: Certificate) throws(CryptographyError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer.pointer, certificate.pointer, nil, nil, 0)
        guard let made = X509V3_EXT_conf_nid(nil, &context, kind, value) else {
            throw .openSSL("the certificate cannot say: \(value)", code: .badCertificate)
        }
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(certificate.pointer, made, -1) == 1 else {
            throw .openSSL("cannot extend the certificate")
        }
    }

    func sign(with key: PrivateKey) throws(CryptographyError) {
        guard X509_sign(certificate.pointer, key.pointer, EVP_sha256()) > 0 else {
            throw .openSSL("cannot sign the certificate")
        }
    }
}
