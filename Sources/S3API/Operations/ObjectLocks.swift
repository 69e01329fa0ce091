import Authority
import CivilTime
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML

extension ObjectLock {
    /// From the headers of a write.
    init(_ call: S3Call) throws(S3Error) {
        self.init()
        switch call.header("x-amz-object-lock-legal-hold") {
        case nil, "": break
        case "ON": hasLegalHold = true
        case "OFF": hasLegalHold = false
        case .some: throw S3Error(.invalidArgument, "Legal Hold must be either of 'ON' or 'OFF'")
        }
        let mode = call.header("x-amz-object-lock-mode")
        let until = call.header("x-amz-object-lock-retain-until-date")
        guard (mode == nil) == (until == nil) else {
            throw S3Error(
                .invalidArgument,
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
            )
        }
        guard let mode, let until else { return }
        (self.mode, untilMicroseconds) = try retention(mode, until, call)
    }
}

/// Reads a mode and a date that lies ahead.
private func retention(
    _ mode: String, _ until: String, _ call: S3Call
) throws(S3Error) -> (ObjectLock.Mode, Int64) {
    guard let known = ObjectLock.Mode(rawValue: mode) else {
        throw S3Error(.malformedXML, "Unknown wormMode directive: \(mode)")
    }
    guard let time = CivilParse.rfc3339(until) else {
        throw S3Error(.invalidArgument, "The retain until date must be provided in ISO 8601 format")
    }
    guard time > call.nowMicroseconds else {
        throw S3Error(.invalidArgument, "The retain until date must be in the future!")
    }
    return (known, time)
}

extension Fields {
    /// Says what keeps the version.
    mutating func append(_ lock: ObjectLock) {
        if let mode = lock.mode, let until = lock.untilMicroseconds {
            append("x-amz-object-lock-mode", mode.rawValue)
            append("x-amz-object-lock-retain-until-date", xmlTime(until))
        }
        if lock.hasLegalHold { append("x-amz-object-lock-legal-hold", "ON") }
    }

    /// Says when the bucket's rules will remove the object.
    mutating func append(expiryOf record: ObjectRecord, _ call: S3Call) {
        guard let (rule, time) = call.store.expiry(tenant: call.context.tenant, of: record) else {
            return
        }
        let date = HTTPDate.format(floorDivide(time, 1_000_000))
        append(
            "x-amz-expiration",
            "expiry-date=\"\(date)\", rule-id=\"\(PercentCoding.encode(rule))\"")
    }
}

/// Whether a legal hold is on. Source: Amazon S3 API Reference, "GetObjectLegalHold".
enum GetObjectLegalHold: S3Operation {
    static let name = "GetObjectLegalHold"
    static let method = Method.get
    static let scope = S3Target.Scope.object
    static let query: String? = "legal-hold"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectRead)
        let record = try call.store.head(call.context, call.location, version: call.version())
        try call.requireLock()
        var writer = XMLWriter()
        writer.element("LegalHold", attributes: s3Namespace) { writer in
            writer.element("Status", record.attributes.lock.hasLegalHold ? "ON" : "OFF")
        }
        return xmlResponse(200, writer)
    }
}

/// Puts a legal hold on a version, or lifts it. Source: Amazon S3 API Reference, "PutObjectLegalHold".
enum PutObjectLegalHold: S3Operation {
    static let name = "PutObjectLegalHold"
    static let method = Method.put
    static let scope = S3Target.Scope.object
    static let query: String? = "legal-hold"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectWrite)
        let root = try call.document(limit: 64 * 1024)
        guard root.name == "LegalHold", let status = root.text(of: "Status"),
            status == "ON" || status == "OFF"
        else { throw S3Error(.malformedXML, "the document is not a LegalHold") }
        try call.store.setLegalHold(
            call.context, call.location, version: call.version(), status == "ON")
        return Response(status: 200)
    }
}

/// How long a version stays. Source: Amazon S3 API Reference, "GetObjectRetention".
enum GetObjectRetention: S3Operation {
    static let name = "GetObjectRetention"
    static let method = Method.get
    static let scope = S3Target.Scope.object
    static let query: String? = "retention"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectRead)
        let record = try call.store.head(call.context, call.location, version: call.version())
        try call.requireLock()
        let lock = record.attributes.lock
        guard let mode = lock.mode, let until = lock.untilMicroseconds else {
            throw S3Error(
                .noSuchLock, "The specified object does not have a ObjectLock configuration")
        }
        var writer = XMLWriter()
        writer.element("Retention", attributes: s3Namespace) { writer in
            writer.element("Mode", mode.rawValue)
            writer.element("RetainUntilDate", xmlTime(until))
        }
        return xmlResponse(200, writer)
    }
}

/// Sets how long a version stays. Source: Amazon S3 API Reference, "PutObjectRetention".
enum PutObjectRetention: S3Operation {
    static let name = "PutObjectRetention"
    static let method = Method.put
    static let scope = S3Target.Scope.object
    static let query: String? = "retention"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectWrite)
        let root = try call.document(limit: 64 * 1024)
        guard root.name == "Retention" else {
            throw S3Error(.malformedXML, "the document is not a Retention")
        }
        let bypasses = call.flag("x-amz-bypass-governance-retention")
        if bypasses { try call.allowBypass() }
        var wanted: (mode: ObjectLock.Mode?, until: Int64?) = (nil, nil)
        switch (root.text(of: "Mode"), root.text(of: "RetainUntilDate")) {
        case (nil, nil): break
        case (.some(let mode), .some(let until)):
            let (known, time) = try retention(mode, until, call)
            wanted = (known, time)
        default: throw S3Error(.malformedXML, "a retention has a mode and a date")
        }
        try call.store.setRetention(
            call.context, call.location, version: call.version(), mode: wanted.mode,
            untilMicroseconds: wanted.until, bypassesGovernance: bypasses)
        return Response(status: 200)
    }
}

/// Whether versions can be locked, and for how long new ones are.
/// Source: Amazon S3 API Reference, "GetObjectLockConfiguration".
enum GetObjectLockConfiguration: S3Operation {
    static let name = "GetObjectLockConfiguration"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "object-lock"
    static let permission = "s3:GetBucketObjectLockConfiguration"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        let state = try call.store.bucketState(call.context, call.target.bucket)
        guard state.hasLock else {
            throw S3Error(
                .noLockConfiguration, "Object Lock configuration does not exist for this bucket")
        }
        var writer = XMLWriter()
        writer.element("ObjectLockConfiguration", attributes: s3Namespace) { writer in
            writer.element("ObjectLockEnabled", "Enabled")
            guard let rule = state.lockDefault else { return }
            writer.element("Rule") { writer in
                writer.element("DefaultRetention") { writer in
                    writer.element("Mode", rule.mode.rawValue)
                    writer.element(rule.isYears ? "Years" : "Days", rule.count)
                }
            }
        }
        return xmlResponse(200, writer)
    }
}

/// Sets how long new versions are kept. Source: Amazon S3 API Reference, "PutObjectLockConfiguration".
enum PutObjectLockConfiguration: S3Operation {
    static let name = "PutObjectLockConfiguration"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket
    static let query: String? = "object-lock"
    static let permission = "s3:PutBucketObjectLockConfiguration"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        let root = try call.document(limit: 64 * 1024)
        guard root.name == "ObjectLockConfiguration",
            root.text(of: "ObjectLockEnabled").map({ $0 == "Enabled" }) ?? true
        else { throw S3Error(.malformedXML, "the document is not an ObjectLockConfiguration") }
        let rule = try root.first("Rule").map(lockDefault)
        if !(try call.store.bucketState(call.context, call.target.bucket).hasLock) {
            try call.store.enableLock(call.context, bucket: call.target.bucket)
        }
        try call.store.set(
            call.context, bucket: call.target.bucket, .lockDefault, rule?.text)
        return Response(status: 200)
    }

    private static func lockDefault(_ rule: XMLElement) throws(S3Error) -> LockDefault {
        guard let retention = rule.first("DefaultRetention"),
            let mode = retention.text(of: "Mode").flatMap({ ObjectLock.Mode(rawValue: $0) })
        else { throw S3Error(.malformedXML, "a rule has a default retention with a mode") }
        let days = retention.text(of: "Days")
        let years = retention.text(of: "Years")
        guard (days == nil) != (years == nil), let count = Int(days ?? years ?? "") else {
            throw S3Error(.malformedXML, "a default retention has either days or years")
        }
        guard count >= 1, count <= (days == nil ? 100 : 36_500) else {
            throw S3Error(
                .invalidArgument, "Default retention period must be a positive integer value")
        }
        return LockDefault(mode: mode, count: count, isYears: days == nil)
    }
}

extension S3Call {
    /// Throws unless the bucket was made for object lock. Asks for no right: who may see the lock of an object
    /// need not see the bucket.
    func requireLock() throws {
        guard store.hasLock(tenant: context.tenant, bucket: target.bucket) else {
            throw S3Error(
                .invalidRequest, "Bucket is missing Object Lock Configuration")
        }
    }
}
