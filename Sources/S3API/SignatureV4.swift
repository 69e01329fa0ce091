import Bytes
import CivilTime
import Cryptography
import HTTPMessages

/// How the body of a request is signed and framed.
enum PayloadForm: Sendable, Hashable {
    case unsigned
    /// The lower-case hex of its SHA-256.
    case hash(String)
    case chunked(isSigned: Bool, hasTrailer: Bool)

    init?(_ text: String) {
        switch text {
        case "UNSIGNED-PAYLOAD": self = .unsigned
        case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
            self = .chunked(isSigned: false, hasTrailer: true)
        case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
            self = .chunked(isSigned: true, hasTrailer: false)
        case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
            self = .chunked(isSigned: true, hasTrailer: true)
        default:
            guard text.utf8.count == 64, hexBytes(text) != nil else { return nil }
            self = .hash(text.lowercased())
        }
    }
}

/// A signature that was checked: what the body's chunks go on from.
struct VerifiedSignature: Sendable {
    let accessKey: String
    let signature: String
    let dateTime: String
    let scope: String
    let signingKey: [UInt8]
    let payload: PayloadForm

    /// Of a request that nobody signed; its body is what it says it is.
    static func anonymous(_ request: Request) throws(S3Error) -> VerifiedSignature {
        let form = request.fields["x-amz-content-sha256"].flatMap { PayloadForm($0) } ?? .unsigned
        if case .chunked(isSigned: true, _) = form {
            throw S3Error(.accessDenied, "a body with signatures wants a signed request")
        }
        return VerifiedSignature(
            accessKey: "", signature: "", dateTime: "", scope: "", signingKey: [], payload: form)
    }
}

/// Reads and verifies AWS Signature Version 4, in the header or in the query.
/// Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
struct SignatureV4 {
    /// How far a client's clock may be off.
    static let skewSeconds: Int64 = 15 * 60
    static let presignedSecondsLimit: Int64 = 7 * 86_400

    let accessKey: String
    let sessionToken: String?
    /// `s3`, or `sts` for temporary credentials.
    let service: String
    /// What the signature counts for, with the date and the service.
    let region: String
    private let scopeDate: String
    private let scope: String
    private let signedNames: [String]
    private let signature: String
    private let dateTime: String
    private let payloadText: String
    let isPresigned: Bool

    /// Reads what the request claims; nil when it claims nothing. `bodyHash` stands for the header that
    /// services other than S3 do not have.
    init?(
        _ request: Request, query: QueryItems, nowSeconds: Int64, bodyHash: String? = nil
    ) throws(S3Error) {
        if let field = request.fields["Authorization"] {
            try self.init(header: field, request, nowSeconds: nowSeconds, bodyHash: bodyHash)
        } else if query["X-Amz-Algorithm"] != nil || query["X-Amz-Signature"] != nil {
            try self.init(query: query, request, nowSeconds: nowSeconds, bodyHash: bodyHash)
        } else {
            return nil
        }
    }

    private init(
        header field: String, _ request: Request, nowSeconds: Int64, bodyHash: String?
    ) throws(S3Error) {
        let malformed = S3Error(
            .authorizationHeaderMalformed, "the authorization header is malformed",
            hint: "this server speaks AWS4-HMAC-SHA256")
        guard field.hasPrefix("AWS4-HMAC-SHA256 ") else {
            if field.hasPrefix("AWS ") {
                throw S3Error(
                    .invalidRequest, "signature version 2 is for S3 alone, use AWS4-HMAC-SHA256")
            }
            throw malformed
        }
        guard let parts = AuthorizationParts(field) else { throw malformed }
        guard let credential = parts.credential, let names = parts.signedHeaders,
            let signature = parts.signature, let claim = Self.credential(credential)
        else { throw malformed }
        guard let dateTime = request.fields["x-amz-date"],
            let signed = CivilParse.iso8601Basic(dateTime)
        else { throw S3Error(.accessDenied, "a signed request wants a valid x-amz-date header") }
        guard let payload = request.fields["x-amz-content-sha256"] ?? bodyHash else {
            throw S3Error(.missingSecurityHeader, "the header x-amz-content-sha256 is missing")
        }
        let difference = nowSeconds - signed / 1_000_000
        guard abs(difference) <= Self.skewSeconds else {
            throw S3Error(
                .requestTimeTooSkewed,
                "the request's time differs from the server's by \(difference) seconds",
                hint: "set the client's clock")
        }
        accessKey = claim.key
        service = claim.service
        region = claim.region
        scopeDate = claim.date
        scope = claim.scope
        signedNames = Self.names(names)
        self.signature = signature
        self.dateTime = dateTime
        payloadText = payload
        sessionToken = request.fields["x-amz-security-token"]
        isPresigned = false
    }

    private init(
        query: QueryItems, _ request: Request, nowSeconds: Int64, bodyHash: String?
    ) throws(S3Error) {
        guard query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256",
            let credential = query["X-Amz-Credential"],
            let claim = Self.credential(credential),
            let names = query["X-Amz-SignedHeaders"], let signature = query["X-Amz-Signature"],
            let dateTime = query["X-Amz-Date"], let signed = CivilParse.iso8601Basic(dateTime),
            let expires = query["X-Amz-Expires"].flatMap({ Int64($0) })
        else {
            throw S3Error(
                .authorizationQueryParametersError,
                "the parameters of a presigned URL are incomplete")
        }
        guard expires >= 1, expires <= Self.presignedSecondsLimit else {
            throw S3Error(
                .authorizationQueryParametersError,
                "X-Amz-Expires must be from 1 to \(Self.presignedSecondsLimit)")
        }
        let signedSeconds = signed / 1_000_000
        guard nowSeconds <= signedSeconds + expires else {
            throw S3Error(.accessDenied, "Request has expired")
        }
        guard signedSeconds <= nowSeconds + Self.skewSeconds else {
            throw S3Error(.accessDenied, "Request is not valid yet")
        }
        accessKey = claim.key
        service = claim.service
        region = claim.region
        scopeDate = claim.date
        scope = claim.scope
        signedNames = Self.names(names)
        self.signature = signature
        self.dateTime = dateTime
        payloadText =
            query["X-Amz-Content-Sha256"] ?? request.fields["x-amz-content-sha256"]
            ?? bodyHash ?? "UNSIGNED-PAYLOAD"
        sessionToken = query["X-Amz-Security-Token"]
        isPresigned = true
    }

    /// Throws unless the signature counts in the region, with the words of S3, by which SDKs sign anew.
    func requireRegion(_ own: String) throws(S3Error) {
        guard !isOfRegion(region, own) else { return }
        var error =
            isPresigned
            ? S3Error(
                .authorizationQueryParametersError,
                "Error parsing the X-Amz-Credential parameter; "
                    + "the region '\(region)' is wrong; expecting '\(own)'")
            : S3Error(
                .authorizationHeaderMalformed,
                "The authorization header is malformed; "
                    + "the region '\(region)' is wrong; expecting '\(own)'")
        error.region = own
        throw error
    }

    /// Compares the signature with the one that the secret makes.
    func verify(
        _ request: Request, query: QueryItems, secret: String, keys: SigningKeys
    ) throws(S3Error) -> VerifiedSignature {
        guard dateTime.hasPrefix(scopeDate) else {
            throw S3Error(
                .authorizationHeaderMalformed, "the credential's date is not the request's")
        }
        guard let payload = PayloadForm(payloadText) else {
            throw S3Error(
                .invalidArgument,
                "x-amz-content-sha256 must be a SHA-256 or a known form: \(payloadText)")
        }
        try checkSignedNames(request)
        let canonical = try canonicalRequest(request, query: query)
        var text: [UInt8] = []
        text.reserveCapacity(160)
        for line in ["AWS4-HMAC-SHA256", dateTime, scope] {
            text += line.utf8
            text.append(UInt8(ascii: "\n"))
        }
        appendHex(Digest.sha256(canonical), to: &text)
        let key = keys.key(secret, scope: scope)
        var computed: [UInt8] = []
        appendHex(key.code(of: text), to: &computed)
        guard constantTimeEqual(computed, Array(signature.utf8)) else {
            throw S3Error(
                .signatureDoesNotMatch,
                "The request signature we calculated does not match the signature you provided",
                hint: "check the secret key, and that no proxy changes the host, path or headers")
        }
        return VerifiedSignature(
            accessKey: accessKey, signature: signature, dateTime: dateTime, scope: scope,
            signingKey: key.bytes, payload: payload)
    }

    /// What is not signed could be put in by somebody on the way.
    private func checkSignedNames(_ request: Request) throws(S3Error) {
        guard signedNames.contains("host") else {
            throw S3Error(.accessDenied, "the host header must be signed")
        }
        for field in request.fields.all where (field.name.utf8.first ?? 0) | 0x20 == 0x78 {
            let name = field.name.lowercased()
            guard name.hasPrefix("x-amz-"), !signedNames.contains(name) else { continue }
            if isPresigned && name == "x-amz-content-sha256" { continue }
            throw S3Error(
                .accessDenied,
                "There were headers present in the request which were not signed: \(name)")
        }
    }

    /// By bytes: this is done for every request, and texts cost several times as much.
    private func canonicalRequest(
        _ request: Request, query: QueryItems
    ) throws(S3Error) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(512)
        let line = UInt8(ascii: "\n")
        text += request.method.rawValue.utf8
        text.append(line)
        if request.rawPath.utf8.allSatisfy(Self.staysInPath) {
            text += request.rawPath.utf8
        } else {
            guard let path = PercentCoding.decode(request.rawPath) else {
                throw S3Error(.invalidURI, "the path is not percent-encoded UTF-8")
            }
            text += PercentCoding.encode(path, .path).utf8
        }
        text.append(line)
        appendQuery(query, to: &text)
        text.append(line)
        for name in signedNames {
            text += name.utf8
            text.append(UInt8(ascii: ":"))
            var isFirst = true
            for field in request.fields.all where equalsIgnoringCase(field.name, name) {
                if !isFirst { text.append(UInt8(ascii: ",")) }
                isFirst = false
                text += Self.trimmed(field.value).utf8
            }
            if isFirst && name != "content-length" {
                throw S3Error(.signatureDoesNotMatch, "a signed header is missing: \(name)")
            }
            text.append(line)
        }
        text.append(line)
        for (index, name) in signedNames.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ";")) }
            text += name.utf8
        }
        text.append(line)
        text += payloadText.utf8
        return text
    }

    private func appendQuery(_ query: QueryItems, to text: inout [UInt8]) {
        if query.all.isEmpty { return }
        let signedItems = query.all.filter { !(isPresigned && $0.name == "X-Amz-Signature") }
        var encoded: [(name: String, value: String)] = signedItems.map { item in
            (PercentCoding.encode(item.name), PercentCoding.encode(item.value))
        }
        // By name, then by value, both as encoded.
        encoded.sort { left, right in
            left.name == right.name ? left.value < right.value : left.name < right.name
        }
        for (index, item) in encoded.enumerated() {
            if index > 0 { text.append(UInt8(ascii: "&")) }
            text += item.name.utf8
            text.append(UInt8(ascii: "="))
            text += item.value.utf8
        }
    }

    /// Whether a byte of a path is the same encoded; all others may be written in several ways.
    private static func staysInPath(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
            || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
    }

    /// The key that a secret makes for a date, a region and a service.
    static func signingKey(_ secret: String, scope: String) -> [UInt8] {
        var key = Array("AWS4\(secret)".utf8)
        // The credential's own date, region, service and terminator, in this order.
        for part in scope.utf8.split(separator: UInt8(ascii: "/")) {
            key = HMAC.sha256(key: key, Array(part))
        }
        return key
    }

    /// Splits `key/date/region/s3/aws4_request`; the key may hold slashes.
    static func credential(
        _ text: String
    ) -> (key: String, date: String, scope: String, region: String, service: String)? {
        let slash = UInt8(ascii: "/")
        let bytes = text.utf8
        // From the end; between two slashes is one part.
        var slashes: [String.Index] = []
        var end = bytes.endIndex
        while slashes.count < 4 {
            guard let found = bytes[..<end].lastIndex(of: slash) else { return nil }
            slashes.append(found)
            end = found
        }
        func part(_ start: String.Index, _ end: String.Index) -> String {
            String(text[bytes.index(after: start)..<end])
        }
        let date = part(slashes[3], slashes[2])
        let service = part(slashes[1], slashes[0])
        guard date.utf8.count == 8, part(slashes[0], bytes.endIndex) == "aws4_request",
            service == "s3" || service == "sts"
        else { return nil }
        return (
            String(text[..<slashes[3]]), date, part(slashes[3], bytes.endIndex),
            part(slashes[2], slashes[1]), service
        )
    }

    private static func names(_ text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: ";")).map { String(Substring($0)) }
    }

    /// Without blanks at the ends, runs of blanks as one.
    private static func trimmed(_ value: String) -> String {
        var isBlank = true
        for byte in value.utf8 {
            let wasBlank = isBlank
            isBlank = byte == UInt8(ascii: " ")
            if byte == UInt8(ascii: "\t") || (isBlank && wasBlank) { return squeezed(value) }
        }
        return isBlank ? squeezed(value) : value
    }

    private static func squeezed(_ value: String) -> String {
        value.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
    }
}

/// The region of clients that were told none, which S3 takes anywhere.
let usualRegion = "us-east-1"

/// Whether a signature for a region counts here. A text that says none signs for nothing.
func isOfRegion(_ region: String, _ own: String) -> Bool { region == own || region == usualRegion }
