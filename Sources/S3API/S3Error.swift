import CivilTime
import Diagnostics
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML

/// What an S3 client is told.
struct S3Error: Fault {
    enum Code: String, Sendable, CaseIterable {
        case accessDenied = "AccessDenied"
        case authorizationHeaderMalformed = "AuthorizationHeaderMalformed"
        case authorizationQueryParametersError = "AuthorizationQueryParametersError"
        case badDigest = "BadDigest"
        case bucketAlreadyOwnedByYou = "BucketAlreadyOwnedByYou"
        case bucketNotEmpty = "BucketNotEmpty"
        case entityTooLarge = "EntityTooLarge"
        case entityTooSmall = "EntityTooSmall"
        case expiredToken = "ExpiredToken"
        case incompleteBody = "IncompleteBody"
        case internalError = "InternalError"
        case invalidAccessKeyId = "InvalidAccessKeyId"
        case invalidArgument = "InvalidArgument"
        case invalidBucketName = "InvalidBucketName"
        case invalidDigest = "InvalidDigest"
        case invalidPart = "InvalidPart"
        case invalidPartNumber = "InvalidPartNumber"
        case invalidPartOrder = "InvalidPartOrder"
        case invalidRange = "InvalidRange"
        case invalidRequest = "InvalidRequest"
        case invalidToken = "InvalidToken"
        case invalidURI = "InvalidURI"
        case keyTooLong = "KeyTooLongError"
        case malformedXML = "MalformedXML"
        case metadataTooLarge = "MetadataTooLarge"
        case methodNotAllowed = "MethodNotAllowed"
        case missingContentLength = "MissingContentLength"
        case missingSecurityHeader = "MissingSecurityHeader"
        case noSuchBucket = "NoSuchBucket"
        case noSuchKey = "NoSuchKey"
        case noSuchUpload = "NoSuchUpload"
        case notImplemented = "NotImplemented"
        case notModified = "NotModified"
        case preconditionFailed = "PreconditionFailed"
        case requestTimeTooSkewed = "RequestTimeTooSkewed"
        case requestTimeout = "RequestTimeout"
        case serviceUnavailable = "ServiceUnavailable"
        case signatureDoesNotMatch = "SignatureDoesNotMatch"
        case slowDown = "SlowDown"
        case storageFull = "XAmzStorageFull"
        case tooManyBuckets = "TooManyBuckets"
        case corsForbidden = "AccessForbidden"
        case invalidBucketState = "InvalidBucketState"
        case invalidTag = "InvalidTag"
        case malformedPolicy = "MalformedPolicy"
        case noSuchBucketPolicy = "NoSuchBucketPolicy"
        case noSuchCORS = "NoSuchCORSConfiguration"
        case noSuchLifecycle = "NoSuchLifecycleConfiguration"
        case noSuchLock = "NoSuchObjectLockConfiguration"
        case noSuchPublicAccessBlock = "NoSuchPublicAccessBlockConfiguration"
        case noSuchTagSet = "NoSuchTagSet"
        case noSuchVersion = "NoSuchVersion"
        case noEncryption = "ServerSideEncryptionConfigurationNotFoundError"
        case noOwnershipControls = "OwnershipControlsNotFoundError"
        case malformedPOST = "MalformedPOSTRequest"
        case invalidPolicyDocument = "InvalidPolicyDocument"
        case aclNotSupported = "AccessControlListNotSupported"
        case malformedACL = "MalformedACLError"
        case noLockConfiguration = "ObjectLockConfigurationNotFoundError"
        case contentHashMismatch = "XAmzContentSHA256Mismatch"

        var status: Int {
            switch self {
            case .notModified: 304
            case .accessDenied, .expiredToken, .invalidAccessKeyId, .requestTimeTooSkewed,
                .signatureDoesNotMatch, .corsForbidden:
                403
            case .noSuchBucket, .noSuchKey, .noSuchUpload, .noSuchVersion, .noSuchBucketPolicy,
                .noSuchCORS, .noSuchLifecycle, .noSuchLock, .noSuchPublicAccessBlock, .noSuchTagSet,
                .noEncryption, .noLockConfiguration, .noOwnershipControls:
                404
            case .methodNotAllowed: 405
            case .bucketAlreadyOwnedByYou, .bucketNotEmpty, .invalidBucketState: 409
            case .missingContentLength: 411
            case .preconditionFailed: 412
            case .invalidRange, .invalidPartNumber: 416
            case .internalError: 500
            case .notImplemented: 501
            case .serviceUnavailable, .slowDown: 503
            case .storageFull: 507
            case .authorizationHeaderMalformed, .authorizationQueryParametersError, .badDigest,
                .entityTooLarge, .entityTooSmall, .incompleteBody, .invalidArgument,
                .invalidBucketName,
                .invalidDigest, .invalidPart, .invalidPartOrder, .invalidRequest, .invalidToken,
                .invalidURI, .keyTooLong, .malformedXML, .metadataTooLarge, .missingSecurityHeader,
                .requestTimeout, .tooManyBuckets, .contentHashMismatch, .invalidTag,
                .malformedPolicy, .malformedPOST, .invalidPolicyDocument, .aclNotSupported,
                .malformedACL:
                400
            }
        }
    }

    let code: Code
    let message: String
    let hint: String?
    let cause: (any Error)?
    /// The region that a request should have been signed for; SDKs sign it anew by this.
    var region: String?

    init(_ code: Code, _ message: String, hint: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }

    /// The store's fault in S3's words.
    init(_ fault: ObjectStoreError) {
        self.init(fault.code.s3, fault.message, hint: fault.hint, cause: fault)
    }
}

extension ObjectStoreError.Code {
    var s3: S3Error.Code {
        switch self {
        case .noSuchBucket: .noSuchBucket
        case .noSuchKey: .noSuchKey
        case .noSuchUpload: .noSuchUpload
        case .noSuchVersion: .noSuchVersion
        case .deleteMarker: .methodNotAllowed
        case .locked: .accessDenied
        case .invalidBucketState: .invalidBucketState
        case .invalidSetting: .invalidRequest
        case .malformedPolicy: .malformedPolicy
        case .bucketAlreadyExists: .bucketAlreadyOwnedByYou
        case .bucketNotEmpty: .bucketNotEmpty
        case .invalidBucketName: .invalidBucketName
        case .invalidKey: .keyTooLong
        case .invalidRange: .invalidRange
        case .invalidPart: .invalidPart
        case .invalidPartOrder: .invalidPartOrder
        case .entityTooSmall: .entityTooSmall
        case .entityTooLarge: .entityTooLarge
        case .metadataTooLarge: .metadataTooLarge
        case .preconditionFailed: .preconditionFailed
        case .notModified: .notModified
        case .checksumMismatch: .badDigest
        case .corrupted: .internalError
        case .storageFull: .storageFull
        case .accessDenied: .accessDenied
        case .limitExceeded: .tooManyBuckets
        case .unavailable: .serviceUnavailable
        }
    }
}

extension S3Error {
    /// The answer, with the body that S3 clients parse. HEAD and 304 have none.
    func response(to request: Request) -> Response {
        var response = Response(status: code.status)
        response.fields["x-amz-request-id"] = request.requestID
        if let marker = (cause as? ObjectStoreError)?.cause as? DeleteMarker {
            response.fields["x-amz-delete-marker"] = "true"
            response.fields["x-amz-version-id"] = marker.id.text
            if code == .methodNotAllowed {
                response.fields["Allow"] = "DELETE"
                response.fields["Last-Modified"] = HTTPDate.format(
                    floorDivide(marker.modifiedMicroseconds, 1_000_000))
            }
        }
        if let region { response.fields["x-amz-bucket-region"] = region }
        if request.method == .head || code == .notModified { return response }
        var writer = XMLWriter()
        writer.element("Error") { writer in
            writer.element("Code", code.rawValue)
            writer.element("Message", hint.map { "\(message); \($0)" } ?? message)
            if let region { writer.element("Region", region) }
            writer.element("Resource", request.rawPath)
            writer.element("RequestId", request.requestID)
            writer.element("HostId", "lakehouse")
        }
        response.fields["Content-Type"] = "application/xml"
        response.body = .bytes(writer.bytes)
        return response
    }
}
