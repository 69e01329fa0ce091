import DiskObjectStorage
import Authority
import HTTPMessages
import XML

/// Lists the buckets that the caller may list. Source: Amazon S3 API Reference, "ListBuckets".
enum ListBuckets: S3Operation {
    static let name = "ListBuckets"
    static let permission = "s3:ListAllMyBuckets"
    static let method = Method.get
    static let scope = S3Target.Scope.service

    static func respond(_ call: S3Call) throws -> Response {
        // The names of buckets are no bucket's own: a session's policy allows all of them or none.
        if call.credential.policy != nil { try call.allow(.bucketList, bucket: "") }
        let prefix = call.query("prefix") ?? ""
        let after = call.query("continuation-token").flatMap(ListingToken.decode)
        let limit = try call.number("max-buckets", in: 1...1000, default: 1000)
        var buckets = try call.store.buckets(call.context).filter { bucket in
            bucket.name.hasPrefix(prefix) && after.map { bucket.name > $0 } ?? true
                && call.credential.covers.map { $0(.bucketList, bucket.name, "") } ?? true
        }
        let isCut = buckets.count > limit
        buckets = Array(buckets.prefix(limit))
        var writer = XMLWriter()
        writer.element("ListAllMyBucketsResult", attributes: s3Namespace) { writer in
            writer.owner("Owner", call.context.principal.id + " " + call.context.principal.name)
            writer.element("Buckets") { writer in
                for bucket in buckets {
                    writer.element("Bucket") { writer in
                        writer.element("Name", bucket.name)
                        writer.element("CreationDate", xmlTime(bucket.createdMicroseconds))
                        writer.element("BucketRegion", call.region)
                    }
                }
            }
            if !prefix.isEmpty { writer.element("Prefix", prefix) }
            if isCut, let last = buckets.last {
                writer.element("ContinuationToken", ListingToken.encode(last.name))
            }
        }
        return xmlResponse(200, writer)
    }
}
