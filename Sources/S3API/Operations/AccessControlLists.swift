import Authority
import DiskObjectStorage
import HTTPMessages
import XML

/// The only list there is: the owner may everything. Who else may what is said by roles and policies.
private func ownerOnly(_ owner: String) -> XMLWriter {
    let halves = owner.split(separator: " ", maxSplits: 1).map(String.init)
    var writer = XMLWriter()
    writer.element("AccessControlPolicy", attributes: s3Namespace) { writer in
        writer.owner("Owner", owner)
        writer.element("AccessControlList") { writer in
            writer.element("Grant") { writer in
                writer.element(
                    "Grantee",
                    attributes: [
                        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
                        ("xsi:type", "CanonicalUser"),
                    ]
                ) { writer in
                    writer.element("ID", halves.first ?? "")
                    writer.element("DisplayName", halves.last ?? "")
                }
                writer.element("Permission", "FULL_CONTROL")
            }
        }
    }
    return writer
}

/// Throws unless the headers ask for no more than the owner's own access.
func refuseACL(_ call: S3Call) throws(S3Error) {
    let refusal = S3Error(
        .aclNotSupported, "The bucket does not allow ACLs",
        hint: "let others in by a bucket policy or a role")
    switch call.header("x-amz-acl") {
    case nil, "", "private", "bucket-owner-full-control": break
    case .some: throw refusal
    }
    for name in ["full-control", "read", "read-acp", "write", "write-acp"]
    where call.header("x-amz-grant-" + name) != nil { throw refusal }
}

/// Takes a list that says what is so anyway.
private func acceptOwnList(_ call: S3Call) throws {
    try refuseACL(call)
    if call.header("x-amz-acl") != nil { return }
    let root = try call.document(limit: 256 * 1024)
    guard root.name == "AccessControlPolicy", let list = root.first("AccessControlList") else {
        throw S3Error(.malformedACL, "The XML you provided was not well-formed")
    }
    let isOwnOnly = list.all("Grant").allSatisfy { grant in
        grant.text(of: "Permission") == "FULL_CONTROL"
            && grant.first("Grantee")?.text(of: "ID") == root.first("Owner")?.text(of: "ID")
    }
    guard isOwnOnly else {
        throw S3Error(
            .aclNotSupported, "The bucket does not allow ACLs",
            hint: "let others in by a bucket policy or a role")
    }
}

/// Source: Amazon S3 API Reference, "GetBucketAcl".
enum GetBucketAcl: S3Operation {
    static let name = "GetBucketAcl"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "acl"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        let bucket = try call.store.bucket(call.context, call.target.bucket)
        return xmlResponse(200, ownerOnly(bucket.owner))
    }
}

/// Source: Amazon S3 API Reference, "PutBucketAcl".
enum PutBucketAcl: S3Operation {
    static let name = "PutBucketAcl"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket
    static let query: String? = "acl"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        _ = try call.store.bucket(call.context, call.target.bucket)
        try acceptOwnList(call)
        return Response(status: 200)
    }
}

/// Source: Amazon S3 API Reference, "GetObjectAcl".
enum GetObjectAcl: S3Operation {
    static let name = "GetObjectAcl"
    static let method = Method.get
    static let scope = S3Target.Scope.object
    static let query: String? = "acl"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectRead)
        let record = try call.store.head(call.context, call.location, version: call.version())
        var response = xmlResponse(200, ownerOnly(record.owner))
        response.fields.append(version: record, call)
        return response
    }
}

/// Source: Amazon S3 API Reference, "PutObjectAcl".
enum PutObjectAcl: S3Operation {
    static let name = "PutObjectAcl"
    static let method = Method.put
    static let scope = S3Target.Scope.object
    static let query: String? = "acl"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectWrite)
        _ = try call.store.head(call.context, call.location, version: call.version())
        try acceptOwnList(call)
        return Response(status: 200)
    }
}

/// Source: Amazon S3 API Reference, "GetBucketOwnershipControls".
enum GetBucketOwnershipControls: S3Operation {
    static let name = "GetBucketOwnershipControls"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "ownershipControls"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        _ = try call.store.bucket(call.context, call.target.bucket)
        var writer = XMLWriter()
        writer.element("OwnershipControls", attributes: s3Namespace) { writer in
            writer.element("Rule") { $0.element("ObjectOwnership", "BucketOwnerEnforced") }
        }
        return xmlResponse(200, writer)
    }
}

/// Takes the only setting there is. Source: Amazon S3 API Reference, "PutBucketOwnershipControls".
enum PutBucketOwnershipControls: S3Operation {
    static let name = "PutBucketOwnershipControls"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket
    static let query: String? = "ownershipControls"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        _ = try call.store.bucket(call.context, call.target.bucket)
        let root = try call.document(limit: 64 * 1024)
        guard root.name == "OwnershipControls",
            let rule = root.first("Rule")?.text(of: "ObjectOwnership")
        else { throw S3Error(.malformedXML, "the document is not an OwnershipControls") }
        guard rule == "BucketOwnerEnforced" else {
            throw S3Error(
                .notImplemented, "access control lists are not offered, so that \(rule) is not")
        }
        return Response(status: 200)
    }
}
