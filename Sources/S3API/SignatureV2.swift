import Bytes
import CivilTime
import Cryptography
import HTTPMessages

/// Reads and verifies AWS Signature Version 2, in the header or in the query. boto3 and `aws s3 presign`
/// still make such URLs unless they are told otherwise.
///
///     method LF Content-MD5 LF Content-Type LF Date or Expires LF
///     x-amz- headers, one a line LF … path with the bucket, and the subresources
///
/// The version leaves most of the query unsigned. Where an unsigned item would choose another operation than
/// the one that was signed, the request is refused.
///
/// Source: Amazon S3 Developer Guide, "Signing and Authenticating REST Requests"; for the subresources
/// that the guide does not list, botocore's `HmacV1Auth`.
struct SignatureV2 {
    let accessKey: String
    let sessionToken: String?
    let isPresigned: Bool
    private let signature: String
    /// The line between the content's type and the `x-amz-` headers.
    private let timeLine: String

    /// Query items that are part of the text that is signed.
    private static let signedItems: Set<String> = [
        "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory",
        "lifecycle", "location", "logging", "metrics", "notification", "object-lock", "partNumber",
        "policy", "replication", "requestPayment", "response-cache-control",
        "response-content-disposition", "response-content-encoding", "response-content-language",
        "response-content-type", "response-expires", "restore", "select", "select-type",
        "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
        "versions", "website",
    ]

    /// Items that choose an operation and are not signed. How a list is cut is no other operation.
    private static let unsignedChoices = Set(
        s3Operations.compactMap { $0.query?.split(separator: "=").first.map(String.init) }
    ).subtracting(signedItems).subtracting(["list-type"])

    /// Reads what the request claims; nil when it claims nothing in this version.
    init?(_ request: Request, query: QueryItems, nowSeconds: Int64) throws(S3Error) {
        if let field = request.fields["Authorization"] {
            guard field.hasPrefix("AWS ") else { return nil }
            try self.init(header: field, request, nowSeconds: nowSeconds)
        } else if query["AWSAccessKeyId"] != nil || query["Signature"] != nil {
            try self.init(query: query, request, nowSeconds: nowSeconds)
        } else {
            return nil
        }
    }

    private init(
        header field: String, _ request: Request, nowSeconds: Int64
    ) throws(S3Error) {
        let claim = field.dropFirst(4).drop { $0 == " " }
        guard let colon = claim.lastIndex(of: ":"), colon != claim.startIndex else {
            throw S3Error(
                .authorizationHeaderMalformed,
                "the authorization header of signature version 2 is malformed",
                hint: "it reads: AWS key:signature")
        }
        // With x-amz-date, the line of the Date header stays empty: that one is signed among its kind.
        let replaced = request.fields["x-amz-date"]
        let date = replaced ?? request.fields["Date"] ?? ""
        guard let signed = Self.seconds(date) else {
            throw S3Error(
                .accessDenied, "signature version 2 wants a valid Date or x-amz-date header")
        }
        let (difference, overflow) = nowSeconds.subtractingReportingOverflow(signed)
        guard !overflow, difference.magnitude <= UInt64(SignatureV4.skewSeconds) else {
            throw S3Error(
                .requestTimeTooSkewed,
                "the request's time differs from the server's by \(difference) seconds",
                hint: "set the client's clock")
        }
        accessKey = String(claim[..<colon])
        signature = String(claim[claim.index(after: colon)...])
        sessionToken = request.fields["x-amz-security-token"]
        timeLine = replaced == nil ? date : ""
        isPresigned = false
    }

    private init(
        query: QueryItems, _ request: Request, nowSeconds: Int64
    ) throws(S3Error) {
        guard let key = query["AWSAccessKeyId"], let signature = query["Signature"],
            let expires = query["Expires"]
        else {
            throw S3Error(
                .accessDenied,
                "Query-string authentication (signature version 2) requires the Signature, Expires "
                    + "and AWSAccessKeyId parameters")
        }
        guard let end = Int64(expires), end >= 0 else {
            throw S3Error(
                .accessDenied, "Invalid date (should be seconds since epoch): \(expires)")
        }
        guard nowSeconds <= end else { throw S3Error(.accessDenied, "Request has expired") }
        accessKey = key
        self.signature = signature
        sessionToken = query["x-amz-security-token"] ?? request.fields["x-amz-security-token"]
        timeLine = expires
        isPresigned = true
    }

    /// Compares the signature with the one that the secret makes.
    func verify(
        _ request: Request, target: S3Target, secret: String
    ) throws(S3Error) -> VerifiedSignature {
        for (name, _) in target.query.all where Self.unsignedChoices.contains(name) {
            throw S3Error(
                .accessDenied, "signature version 2 does not sign the query item \(name)",
                hint: "sign with AWS4-HMAC-SHA256")
        }
        let form = request.fields["x-amz-content-sha256"]
        guard let payload = form == nil ? .unsigned : form.flatMap({ PayloadForm($0) }) else {
            throw S3Error(
                .invalidArgument, "x-amz-content-sha256 must be a SHA-256 or a known form")
        }
        if case .chunked(isSigned: true, _) = payload {
            throw S3Error(
                .invalidRequest, "signed chunks want AWS4-HMAC-SHA256, not signature version 2")
        }
        let head = head(request, query: target.query)
        let isMatch = paths(request, target).contains { path in
            resources(target.query).contains { resource in
                Self.isSignature(signature, of: head + path + resource, secret: secret)
            }
        }
        guard isMatch else { throw Self.mismatch }
        return VerifiedSignature(
            accessKey: accessKey, signature: signature, dateTime: "", scope: "", signingKey: [],
            payload: payload)
    }

    static let mismatch = S3Error(
        .signatureDoesNotMatch,
        "The request signature we calculated does not match the signature you provided",
        hint: "by signature version 2; check the secret key, and that no proxy changes the path, "
            + "the content's type or the x-amz- headers")

    /// Whether the base64 text is the secret's code of a text.
    static func isSignature(_ signature: String, of text: String, secret: String) -> Bool {
        let code = HMAC.code(.sha1, key: Array(secret.utf8), Array(text.utf8))
        return base64Bytes(signature).map { constantTimeEqual($0, code) } ?? false
    }

    /// The lines before the path.
    private func head(_ request: Request, query: QueryItems) -> String {
        var custom: [String: [String]] = [:]
        for (name, value) in request.fields.all {
            let name = name.lowercased()
            if name.hasPrefix("x-amz-") { custom[name, default: []].append(Self.trimmed(value)) }
        }
        // What was moved into the URL and is sent as a header all the same was signed once.
        for (name, value) in isPresigned ? query.all : [] {
            let name = name.lowercased()
            let value = Self.trimmed(value)
            if name.hasPrefix("x-amz-"), custom[name]?.contains(value) != true {
                custom[name, default: []].append(value)
            }
        }
        var text = request.method.rawValue + "\n"
        for name in ["Content-MD5", "Content-Type"] {
            text += Self.trimmed(request.fields[name] ?? "") + "\n"
        }
        text += timeLine + "\n"
        for (name, values) in custom.sorted(by: { $0.key < $1.key }) {
            text += "\(name):\(values.joined(separator: ","))\n"
        }
        return text
    }

    /// The path as it was sent, with the bucket before it if that is in the host's name. For a bucket alone some
    /// sign a slash behind it that they do not send.
    private func paths(_ request: Request, _ target: S3Target) -> [String] {
        if target.isVirtualHost { return ["/\(target.bucket)" + request.rawPath] }
        let isOpen = target.scope == .bucket && !request.rawPath.hasSuffix("/")
        return [request.rawPath] + (isOpen ? [request.rawPath + "/"] : [])
    }

    /// `?acl&versionId=…`, sorted. An empty value is signed with its `=` by some and without by others;
    /// both texts mean this request and no other.
    private func resources(_ query: QueryItems) -> [String] {
        let items = query.all.filter { Self.signedItems.contains($0.name) }
            .sorted { $0.name < $1.name }
        guard !items.isEmpty else { return [""] }
        let bare = items.map { $0.value.isEmpty ? $0.name : "\($0.name)=\($0.value)" }
        guard items.contains(where: \.value.isEmpty) else {
            return ["?" + bare.joined(separator: "&")]
        }
        let full = items.map { "\($0.name)=\($0.value)" }
        return ["?" + bare.joined(separator: "&"), "?" + full.joined(separator: "&")]
    }

    /// Seconds since 1970 of the forms that clients write.
    private static func seconds(_ date: String) -> Int64? {
        if let microseconds = CivilParse.iso8601Basic(date) { return microseconds / 1_000_000 }
        let text = date.hasSuffix(" +0000") ? date.dropLast(5) + "GMT" : date[...]
        return HTTPDate.parse(String(text))
    }

    private static func trimmed(_ value: String) -> String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        var text = value.drop(while: isBlank)
        while text.last.map(isBlank) ?? false { text.removeLast() }
        return String(text)
    }
}
