import Authority
package import DiskObjectStorage
package import HTTPMessages
package import Identity
import ObjectStorage
package import Platform

/// Answers S3 requests. Called on handler threads, many at once.
package final class S3Handler: RequestHandler {
    private let store: DiskObjectStore
    private let credentials: any S3CredentialSource
    private let clock: any WallClock
    private let region: String
    private let hostSuffixes: [String]
    private let sts: TokenService?
    private let keys: SigningKeys

    /// With `identity` the port also answers STS. Signatures count for `region` and for us-east-1.
    /// `hostSuffixes` are the names below which a label is a bucket: with `s3.localhost`, the host
    /// `b.s3.localhost` means the bucket `b`.
    package init(
        store: DiskObjectStore, credentials: any S3CredentialSource,
        clock: any WallClock = SystemWallClock(), region: String = "us-east-1",
        hostSuffixes: [String] = ["s3.localhost"], identity: IdentityRegistry? = nil
    ) {
        self.store = store
        self.credentials = credentials
        self.clock = clock
        self.region = region
        self.hostSuffixes = hostSuffixes
        let keys = SigningKeys()
        self.keys = keys
        sts = identity.map { TokenService(registry: $0, clock: clock, region: region, keys: keys) }
    }

    package func respond(to request: Request) -> Response {
        var response: Response
        do {
            response = try answer(request)
        } catch let error as S3Error {
            response = error.response(to: request)
        } catch let fault as ObjectStoreError {
            response = S3Error(fault).response(to: request)
        } catch {
            response = S3Error(.internalError, "something failed inside: \(error)").response(
                to: request)
        }
        response.fields["x-amz-request-id"] = request.requestID
        response.fields["x-amz-id-2"] = "lakehouse"
        if let origin = request.fields["Origin"], request.method != .options,
            let target = try? S3Target(request, hostSuffixes: hostSuffixes)
        {
            CrossOrigin(store: store, target: target).open(&response, request, origin: origin)
        }
        return response
    }

    private func answer(_ request: Request) throws -> Response {
        let target = try S3Target(request, hostSuffixes: hostSuffixes)
        if request.method == .options {
            return try CrossOrigin(store: store, target: target).preflight(request)
        }
        if let sts, sts.isMeant(request, target) { return sts.respond(to: request, find: find) }
        let claim = try SignatureClaim(
            request, query: target.query, nowSeconds: clock.now().seconds)
        let sent = request
        let request = claim?.unfolded(sent, query: target.query) ?? sent
        let operation = try findOperation(request, target)
        if operation == PostObject.self {
            return try PostObject.respond(
                request, target, store: store, region: region, now: clock.now(), find: find)
        }
        try claim?.requireRegion(region)
        let credential = try claim.map { try find($0.accessKey, $0.sessionToken) } ?? .anonymous
        let signature =
            try claim?.verify(sent, target: target, secret: credential.secret, keys: keys)
            ?? .anonymous(sent)
        if claim == nil, target.scope == .service {
            throw S3Error(
                .accessDenied, "Anonymous requests are not allowed",
                hint: "sign the request with an access key")
        }
        guard claim.map({ $0.service == "s3" }) ?? true else {
            throw S3Error(
                .authorizationHeaderMalformed, "the credential is scoped to another service")
        }
        for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
            guard let owner = request.fields[name], owner != StorageNames.account else { continue }
            throw S3Error(
                .accessDenied, "the bucket is not of the account that \(name) expects: \(owner)")
        }
        let call = S3Call(
            request: request, target: target, signature: signature, credential: credential,
            context: context(request, target, operation, credential, claim: claim), store: store,
            region: region, nowMicroseconds: clock.now().microseconds)
        do {
            return try operation.respond(call)
        } catch let fault as ObjectStoreError where fault.code == .accessDenied && claim == nil {
            throw S3Error(
                .accessDenied, "Anonymous requests are not allowed",
                hint: "sign the request with an access key")
        }
    }

    private func context(
        _ request: Request, _ target: S3Target, _ operation: any S3Operation.Type,
        _ credential: S3Credential, claim: SignatureClaim?
    ) -> RequestContext {
        var context = RequestContext(
            principal: credential.principal, requestID: request.requestID, door: .s3)
        context.assumedRole = credential.assumedRole
        // Each operation asks what the credential covers before it asks the store.
        if credential.covers != nil, let warrant = credential.warrant, !target.bucket.isEmpty {
            context.verdict = .allows(warrant)
        }
        // Only where a policy could ask: most buckets have none.
        let isAsked =
            credential.policy != nil || request.fields["x-amz-copy-source"] != nil
            || store.hasPolicy(tenant: context.tenant, bucket: target.bucket)
        var values = isAsked ? conditionValues(request, target, claim) : [:]
        if isAsked { values[sessionNameKey] = credential.sessionName }
        context.facts = RequestFacts(
            operation: permission(operation, target), sourceAddress: request.remoteAddress,
            isSecure: request.isSecure, values: values)
        return context
    }

    /// Policies know what is done to a named version by names of its own.
    private func permission(_ operation: any S3Operation.Type, _ target: S3Target) -> String {
        let name = operation.permission
        guard let version = target.query["versionId"], !version.isEmpty else { return name }
        return switch name {
        case "s3:GetObject": "s3:GetObjectVersion"
        case "s3:DeleteObject": "s3:DeleteObjectVersion"
        case "s3:GetObjectTagging": "s3:GetObjectVersionTagging"
        case "s3:PutObjectTagging": "s3:PutObjectVersionTagging"
        case "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging"
        default: name
        }
    }

    private func conditionValues(
        _ request: Request, _ target: S3Target, _ claim: SignatureClaim?
    ) -> [String: String] {
        var values = claim?.conditionValues ?? [:]
        for name in [
            "x-amz-acl", "x-amz-copy-source", "x-amz-metadata-directive", "x-amz-storage-class",
            "x-amz-server-side-encryption", "x-amz-content-sha256",
        ] {
            if let value = request.fields[name] { values["s3:" + name] = value }
        }
        values["aws:referer"] = request.fields["Referer"]
        values["aws:useragent"] = request.fields["User-Agent"]
        values["s3:object-lock-mode"] = request.fields["x-amz-object-lock-mode"]
        values["s3:object-lock-legal-hold"] = request.fields["x-amz-object-lock-legal-hold"]
        // The tags of a copy are those of its source, unless it says otherwise.
        if let text = request.fields["x-amz-tagging"],
            request.fields["x-amz-copy-source"] == nil
                || request.fields["x-amz-tagging-directive"]?.uppercased() == "REPLACE",
            let tags = try? TagText.read(header: text)
        {
            for (name, value) in tags { values[requestTagKey(name)] = value }
        }
        values["s3:versionid"] = target.query["versionId"]
        if target.scope == .bucket, request.method == .get || request.method == .head {
            values["s3:prefix"] = target.query["prefix"] ?? ""
            values["s3:delimiter"] = target.query["delimiter"]
            values["s3:max-keys"] = target.query["max-keys"]
        }
        return values
    }

    private func find(
        _ accessKey: String, _ sessionToken: String?
    ) throws(S3Error) -> S3Credential {
        switch credentials.credential(forAccessKey: accessKey, sessionToken: sessionToken) {
        case .found(let credential): return credential
        case .unknown:
            throw S3Error(
                .invalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records")
        case .expired: throw S3Error(.expiredToken, "The provided token has expired")
        case .invalidToken:
            throw S3Error(.invalidToken, "The provided token is malformed or otherwise invalid")
        case .disabled: throw S3Error(.accessDenied, "The account of this access key is disabled")
        }
    }
}
