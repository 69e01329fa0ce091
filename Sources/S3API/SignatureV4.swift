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
        // By bytes here and below: this is done for every request, and characters cost ten times as much.
        var credential: String?
        var names: String?
        var claimed: String?
        for part in field.utf8.dropFirst(17).split(separator: UInt8(ascii: ",")) {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { throw malformed }
            let name = part[..<equals].drop { $0 == UInt8(ascii: " ") }
            let value = String(
                Substring(
                    part[part.index(after: equals)...].prefix { $0 != UInt8(ascii: " ") }))
            switch Substring(name) {
            case "Credential": credential = value
            case "SignedHeaders": names = value
            case "Signature": claimed = value
            default: break
            }
        }
        guard let credential, let names, let signature = claimed,
            let (key, date, scope, service) = Self.credential(credential)
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
        accessKey = key
        self.service = service
        scopeDate = date
        self.scope = scope
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
            let (key, date, scope, service) = Self.credential(credential),
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
        accessKey = key
        self.service = service
        scopeDate = date
        self.scope = scope
        signedNames = Self.names(names)
        self.signature = signature
        self.dateTime = dateTime
        payloadText =
            query["X-Amz-Content-Sha256"] ?? request.fields["x-amz-content-sha256"]
            ?? bodyHash ?? "UNSIGNED-PAYLOAD"
        sessionToken = query["X-Amz-Security-Token"]
        isPresigned = true
    }

    /// Compares the signature with the one that the secret makes.
    func verify(
        _ request: Request, query: QueryItems, secret: String
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
        let text = "AWS4-HMAC-SHA256\n\(dateTime)\n\(scope)\n" + hexText(Digest.sha256(canonical))
        let key = signingKey(secret)
        guard constantTimeEqual(hexText(HMAC.sha256(key: key, text)), signature) else {
            throw S3Error(
                .signatureDoesNotMatch,
                "The request signature we calculated does not match the signature you provided",
                hint: "check the secret key, and that no proxy changes the host, path or headers")
        }
        return VerifiedSignature(
            accessKey: accessKey, signature: signature, dateTime: dateTime, scope: scope,
            signingKey: key, payload: payload)
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

    private func canonicalRequest(_ request: Request, query: QueryItems) throws(S3Error) -> String {
        guard let path = PercentCoding.decode(request.rawPath) else {
            throw S3Error(.invalidURI, "the path is not percent-encoded UTF-8")
        }
        let signedItems = query.all.filter { !(isPresigned && $0.name == "X-Amz-Signature") }
        var encoded: [(name: String, value: String)] = signedItems.map { item in
            (PercentCoding.encode(item.name), PercentCoding.encode(item.value))
        }
        // By name, then by value, both as encoded.
        encoded.sort { left, right in
            left.name == right.name ? left.value < right.value : left.name < right.name
        }
        let pairs = encoded.map { $0.name + "=" + $0.value }.joined(separator: "&")
        var text = "\(request.method.rawValue)\n\(PercentCoding.encode(path, .path))\n\(pairs)\n"
        for name in signedNames {
            let values = request.fields.values(name)
            if values.isEmpty && name != "content-length" {
                throw S3Error(.signatureDoesNotMatch, "a signed header is missing: \(name)")
            }
            text += "\(name):" + values.map(Self.trimmed).joined(separator: ",") + "\n"
        }
        return text + "\n" + signedNames.joined(separator: ";") + "\n" + payloadText
    }

    private func signingKey(_ secret: String) -> [UInt8] { Self.signingKey(secret, scope: scope) }

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
    ) -> (key: String, date: String, scope: String, service: String)? {
        let parts = text.utf8.split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false
        ).map { Substring($0) }
        guard parts.count >= 5 else { return nil }
        let scope = parts.suffix(4)
        guard let date = scope.first, date.utf8.count == 8, scope.last == "aws4_request",
            case let service = scope[scope.startIndex + 2], service == "s3" || service == "sts"
        else { return nil }
        return (
            parts.dropLast(4).joined(separator: "/"), String(date), scope.joined(separator: "/"),
            String(service)
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
