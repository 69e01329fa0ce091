import Authority
import Bytes
import CivilTime
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML

/// One operation of the protocol. One file each in `Operations/`, one entry in `s3Operations`.
protocol S3Operation: Sendable {
    /// The name in the S3 API Reference.
    static var name: String { get }
    static var method: Method { get }
    static var scope: S3Target.Scope { get }
    /// A query item that must be there: `uploads`, or `list-type=2` with its value.
    static var query: String? { get }
    /// A header that must be there.
    static var header: String? { get }
    /// The action of policies that the operation needs; its own name, unless policies know another.
    static var permission: String { get }

    static func respond(_ call: S3Call) throws -> Response
}

extension S3Operation {
    static var query: String? { nil }
    static var header: String? { nil }
    static var permission: String { "s3:" + name }
}

/// One request on its way through an operation.
struct S3Call {
    let request: Request
    let target: S3Target
    let signature: VerifiedSignature
    let credential: S3Credential
    private(set) var context: RequestContext
    let store: DiskObjectStore
    let region: String
    let nowMicroseconds: Int64

    var location: ObjectLocation { ObjectLocation(bucket: target.bucket, key: target.key) }

    /// The version that the request is about; nil: the present one. An empty name is a slip of a client
    /// that meant one.
    func version() throws(S3Error) -> VersionID? {
        guard let text = query("versionId") else { return nil }
        guard !text.isEmpty else { throw emptyVersion() }
        return try parseVersion(text)
    }

    /// Throws unless the credential's own limits cover the action; what the principal may, the store asks.
    ///
    /// `operation` is its name in policies, where it is not the request's own.
    func allow(
        _ action: Action, as operation: String? = nil, bucket: String, key: String = "",
        version: VersionID? = nil
    ) throws(S3Error) {
        if let covers = credential.covers, !covers(action, bucket, key) {
            throw S3Error(
                .accessDenied, "this temporary credential does not cover \(action.rawValue) here")
        }
        guard let policy = credential.policy else { return }
        guard
            let operation = operation
                ?? PolicyActions.name(action, facts: context.facts, isOfVersion: version != nil),
            isAllowed(
                by: policy, operation, bucket: bucket, key: action == .objectList ? "" : key,
                version)
        else {
            throw S3Error(.accessDenied, "the policy of this session does not allow it")
        }
    }

    private func isAllowed(
        by policy: PolicyDocument, _ operation: String, bucket: String, key: String,
        _ version: VersionID?
    ) -> Bool {
        var tags: [String: String] = [:]
        if policy.asksForExistingTags, !key.isEmpty {
            // What cannot be looked up is not allowed.
            guard
                let found = try? store.existingTags(
                    tenant: context.tenant, ObjectLocation(bucket: bucket, key: key), version)
            else { return false }
            tags = found
        }
        let ask = { (operation: String, resource: String) in
            policy.judge(
                PolicyQuestion(
                    operation: operation, resource: resource, principal: context.principal,
                    assumedRole: context.assumedRole, facts: context.facts,
                    nowMicroseconds: nowMicroseconds, existingTags: tags))
        }
        switch ask(operation, StorageNames.resource(bucket: bucket, key: key)) {
        case .allows: return true
        case .denies: return false
        case .silent: break
        }
        // Who may put may put in parts: session policies are often written without these.
        switch operation {
        case "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts":
            if case .allows = ask(
                "s3:PutObject", StorageNames.resource(bucket: bucket, key: key))
            {
                return true
            }
        case "s3:ListBucketMultipartUploads":
            let prefix = query("prefix") ?? ""
            if case .allows = ask("s3:PutObject", "arn:aws:s3:::\(bucket)/\(prefix)") {
                return true
            }
        default: break
        }
        return false
    }

    /// The same for what the request addresses.
    func allow(_ action: Action) throws(S3Error) {
        try allow(
            action, bucket: target.bucket, key: target.key, version: try version())
    }

    /// The same for ending a retention before its time.
    func allowBypass(key: String? = nil) throws(S3Error) {
        try allow(
            .bucketConfigure, as: PolicyActions.bypass, bucket: target.bucket,
            key: key ?? target.key)
    }

    /// The same for what a write gives the new object beside its bytes: tags, a retention, a legal hold. Each is an
    /// action of its own, of sessions' policies and the bucket's.
    /// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
    func allowWhatComesAlong(tags: Bool) throws {
        var operations: [String] = []
        if tags { operations.append("s3:PutObjectTagging") }
        if !(header("x-amz-object-lock-mode") ?? "").isEmpty
            || !(header("x-amz-object-lock-retain-until-date") ?? "").isEmpty
        {
            operations.append("s3:PutObjectRetention")
        }
        if !(header("x-amz-object-lock-legal-hold") ?? "").isEmpty {
            operations.append("s3:PutObjectLegalHold")
        }
        for operation in operations {
            try allow(.objectWrite, as: operation, bucket: target.bucket, key: target.key)
            try store.require(context, .objectWrite, as: operation, location)
        }
    }

    /// The same request, with the tags that its body gives to the object.
    func giving(_ tags: [String: String]) -> S3Call {
        guard let facts = context.facts else { return self }
        var values = facts.values
        for (name, value) in tags { values[requestTagKey(name)] = value }
        var call = self
        call.context.facts = RequestFacts(
            operation: facts.operation, sourceAddress: facts.sourceAddress,
            isSecure: facts.isSecure, values: values)
        return call
    }

    func query(_ name: String) -> String? { target.query[name] }
    func header(_ name: String) -> String? { request.fields[name] }

    /// A number in the query; throws when it is none or out of range.
    func number(_ name: String, in range: ClosedRange<Int>, default usual: Int) throws(S3Error)
        -> Int
    {
        guard let text = query(name), !text.isEmpty else { return usual }
        guard let number = Int(text), number >= 0 else {
            throw S3Error(.invalidArgument, "\(name) must be a number: \(text)")
        }
        return min(max(number, range.lowerBound), range.upperBound)
    }

    /// Whether a header says yes.
    func flag(_ name: String) -> Bool { header(name)?.lowercased() == "true" }

    /// The body as a document.
    func document(limit: Int) throws -> XMLElement {
        var reader = PayloadReader(body: request.body, signature: signature)
        let bytes = try reader.all(limit: limit)
        try verifyDocument(bytes)
        do throws(XMLError) {
            return try XMLElement(parsing: bytes)
        } catch {
            throw S3Error(.malformedXML, error.message)
        }
    }

    private func verifyDocument(_ bytes: [UInt8]) throws(S3Error) {
        let checks = try BodyChecks(self)
        for algorithm in checks.headerValues.keys {
            var calculator = ChecksumCalculator(algorithm)
            bytes.withUnsafeBytes { calculator.update($0) }
            guard checks.headerValues[algorithm] == calculator.value else {
                throw S3Error(.badDigest, "the \(algorithm.rawValue) you specified did not match")
            }
        }
        if let md5 = checks.md5, md5 != md5Digest(bytes) {
            throw S3Error(
                .badDigest, "the Content-MD5 you specified did not match what we received")
        }
    }

    /// Streams the body into `sink`, then tells what it must amount to.
    func receive(
        _ checks: BodyChecks, into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> ExpectedContent {
        var reader = PayloadReader(body: request.body, signature: signature)
        try reader.drain(declaredBytes: try decodedLength(), into: sink)
        return try checks.expected(trailers: reader.trailers)
    }

    /// How long the body is without framing; nil when the client does not say.
    private func decodedLength() throws(S3Error) -> Int64? {
        guard case .chunked = signature.payload else { return request.body.declaredLength }
        guard let text = header("x-amz-decoded-content-length") else {
            throw S3Error(.missingContentLength, "aws-chunked wants x-amz-decoded-content-length")
        }
        guard let length = Int64(text), length >= 0 else {
            throw S3Error(
                .invalidArgument, "x-amz-decoded-content-length must be a length: \(text)")
        }
        return length
    }
}

/// Reads the name of a version; none and an empty one mean the present version.
func parseVersion(_ text: String?) throws(S3Error) -> VersionID? {
    guard let text, !text.isEmpty else { return nil }
    guard let id = VersionID(text) else {
        throw S3Error(.invalidArgument, "Invalid version id specified")
    }
    return id
}

func emptyVersion() -> S3Error {
    S3Error(.invalidArgument, "Version id cannot be the empty string")
}

/// An answer with an XML document.
func xmlResponse(_ status: Int = 200, _ writer: XMLWriter) -> Response {
    Response(status: status, contentType: "application/xml", bytes: writer.bytes)
}

/// The namespace of S3's documents.
let s3Namespace = [("xmlns", "http://s3.amazonaws.com/doc/2006-03-01/")]

/// A time as S3's documents have it.
func xmlTime(_ microseconds: Int64) -> String {
    CivilFormat.rfc3339(utc: microseconds, precision: 3)
}

extension XMLWriter {
    /// Writes the owner that the store keeps as `id name`.
    mutating func owner(_ tag: String, _ text: String) {
        let halves = text.split(separator: " ", maxSplits: 1).map(String.init)
        element(tag) { writer in
            writer.element("ID", halves.first ?? "")
            writer.element("DisplayName", halves.last ?? "")
        }
    }

    /// Writes the checksums, as `ChecksumCRC32` and so on.
    mutating func checksums(_ checksums: ObjectChecksums, withType: Bool) {
        for (algorithm, value) in checksums.values.sorted(by: { $0.key.rawValue < $1.key.rawValue })
        {
            element("Checksum\(algorithm.rawValue)", value)
        }
        if withType, !checksums.values.isEmpty { element("ChecksumType", checksums.type.rawValue) }
    }
}

extension Fields {
    /// Adds the checksums, as `x-amz-checksum-crc32` and so on.
    mutating func append(_ checksums: ObjectChecksums) {
        for (algorithm, value) in checksums.values.sorted(by: { $0.key.rawValue < $1.key.rawValue })
        {
            append("x-amz-checksum-\(algorithm.rawValue.lowercased())", value)
        }
        if !checksums.values.isEmpty { append("x-amz-checksum-type", checksums.type.rawValue) }
    }
}
