import HTTPMessages

/// Who a request says that it is from, in either version of the signatures.
enum SignatureClaim {
    case version2(SignatureV2)
    case version4(SignatureV4)

    /// Reads what the request claims; nil when it claims nothing.
    init?(_ request: Request, query: QueryItems, nowSeconds: Int64) throws(S3Error) {
        if let claim = try SignatureV2(request, query: query, nowSeconds: nowSeconds) {
            self = .version2(claim)
        } else if let claim = try SignatureV4(request, query: query, nowSeconds: nowSeconds) {
            self = .version4(claim)
        } else {
            return nil
        }
    }

    var accessKey: String {
        switch self {
        case .version2(let claim): claim.accessKey
        case .version4(let claim): claim.accessKey
        }
    }

    var sessionToken: String? {
        switch self {
        case .version2(let claim): claim.sessionToken
        case .version4(let claim): claim.sessionToken
        }
    }

    /// `s3`, or another service that a credential is scoped to.
    var service: String {
        switch self {
        case .version2: "s3"
        case .version4(let claim): claim.service
        }
    }

    /// Throws unless the signature counts in the region; those of version 2 know none.
    func requireRegion(_ own: String) throws(S3Error) {
        if case .version4(let claim) = self { try claim.requireRegion(own) }
    }

    /// Compares the signature with the one that the secret makes.
    func verify(
        _ request: Request, target: S3Target, secret: String, keys: SigningKeys
    ) throws(S3Error) -> VerifiedSignature {
        switch self {
        case .version2(let claim):
            try claim.verify(request, target: target, secret: secret)
        case .version4(let claim):
            try claim.verify(request, query: target.query, secret: secret, keys: keys)
        }
    }

    /// What policies ask about signatures. Source: Amazon S3 User Guide, "Amazon S3 Signature Version 4
    /// Authentication Specific Policy Keys".
    var conditionValues: [String: String] {
        [
            "s3:signatureversion": isVersion2 ? "AWS" : "AWS4-HMAC-SHA256",
            "s3:authtype": isPresigned ? "REST-QUERY-STRING" : "REST-HEADER",
        ]
    }

    private var isVersion2: Bool {
        switch self {
        case .version2: true
        case .version4: false
        }
    }

    private var isPresigned: Bool {
        switch self {
        case .version2(let claim): claim.isPresigned
        case .version4(let claim): claim.isPresigned
        }
    }

    /// The request with the headers that a presigned URL holds in its query, where clients put them so that
    /// whoever has the URL need not know them: `x-amz-acl`, `x-amz-meta-…`, `x-amz-copy-source`.
    /// A checksum in there is of the empty body that the one who signed had, and is left.
    func unfolded(_ request: Request, query: QueryItems) -> Request {
        guard isPresigned else { return request }
        var request = request
        for (name, value) in query.all {
            let name = name.lowercased()
            guard name.hasPrefix("x-amz-"), !Self.staysInQuery(name), request.fields[name] == nil
            else { continue }
            request.fields.append(name, value)
        }
        return request
    }

    private static func staysInQuery(_ name: String) -> Bool {
        switch name {
        case "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires",
            "x-amz-signedheaders", "x-amz-signature", "x-amz-security-token",
            "x-amz-content-sha256", "x-amz-sdk-checksum-algorithm":
            true
        case "x-amz-checksum-mode", "x-amz-checksum-algorithm": false
        default: name.hasPrefix("x-amz-checksum-")
        }
    }
}
