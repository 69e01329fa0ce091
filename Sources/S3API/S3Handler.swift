import Authority
package import DiskObjectStorage
package import HTTPMessages
import ObjectStorage
package import Platform

/// Answers S3 requests. Called on handler threads, many at once.
package final class S3Handler: RequestHandler {
    private let store: DiskObjectStore
    private let credentials: any S3CredentialSource
    private let clock: any WallClock
    private let region: String
    private let hostSuffixes: [String]

    /// `hostSuffixes` are the names below which a label is a bucket: with `s3.localhost`, the host
    /// `b.s3.localhost` means the bucket `b`.
    package init(
        store: DiskObjectStore, credentials: any S3CredentialSource,
        clock: any WallClock = SystemWallClock(), region: String = "us-east-1",
        hostSuffixes: [String] = ["s3.localhost"]
    ) {
        self.store = store
        self.credentials = credentials
        self.clock = clock
        self.region = region
        self.hostSuffixes = hostSuffixes
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
        return response
    }

    private func answer(_ request: Request) throws -> Response {
        let target = try S3Target(request, hostSuffixes: hostSuffixes)
        let signatureClaim = try SignatureV4(
            request, query: target.query, nowSeconds: clock.now().seconds)
        guard let claim = signatureClaim else {
            throw S3Error(
                .accessDenied, "Anonymous requests are not allowed",
                hint: "sign the request with an access key")
        }
        let credential = try find(claim)
        let signature = try claim.verify(request, query: target.query, secret: credential.secret)
        let operation = try findOperation(request, target)
        let context = RequestContext(
            principal: credential.principal, requestID: request.requestID, door: .s3)
        let call = S3Call(
            request: request, target: target, signature: signature, credential: credential,
            context: context, store: store, region: region)
        return try operation.respond(call)
    }

    private func find(_ claim: SignatureV4) throws(S3Error) -> S3Credential {
        switch credentials.credential(
            forAccessKey: claim.accessKey, sessionToken: claim.sessionToken)
        {
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
