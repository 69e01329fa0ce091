import Authority
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML

/// Deletes up to 1,000 objects. Source: Amazon S3 API Reference, "DeleteObjects".
enum DeleteObjects: S3Operation {
    static let name = "DeleteObjects"
    static let permission = "s3:DeleteObject"
    static let method = Method.post
    static let scope = S3Target.Scope.bucket
    static let query: String? = "delete"

    static func respond(_ call: S3Call) throws -> Response {
        let root = try call.document(limit: 4 * 1024 * 1024)
        let objects = root.all("Object")
        guard root.name == "Delete", !objects.isEmpty, objects.count <= Limits.deletedKeys else {
            throw S3Error(
                .malformedXML, "a delete document names 1 to \(Limits.deletedKeys) objects")
        }
        let bypasses = call.flag("x-amz-bypass-governance-retention")
        var targets: [DeletionTarget] = []
        var refused: [(target: DeletionTarget, error: S3Error)] = []
        for object in objects {
            guard let key = object.text(of: "Key"), !key.isEmpty else {
                throw S3Error(.malformedXML, "an object without its key")
            }
            var target = DeletionTarget(
                key: key,
                condition: DeletionCondition(
                    etag: object.text(of: "ETag").map(plainETag),
                    sizeBytes: try object.text(of: "Size").map(deletionSize),
                    modifiedSeconds: try object.text(of: "LastModifiedTime").map(deletionTime)))
            do throws(S3Error) {
                target.version = try parseVersion(object.text(of: "VersionId"))
                try call.allow(
                    .objectDelete, bucket: call.target.bucket, key: key, version: target.version)
                if bypasses { try call.allowBypass(key: key) }
                targets.append(target)
            } catch {
                refused.append((target, error))
            }
        }
        var removed: [(target: DeletionTarget, deletion: Deletion)] = []
        for outcome in try call.store.delete(
            call.context, bucket: call.target.bucket, targets, bypassesGovernance: bypasses)
        {
            switch outcome.result {
            case .success(let deletion): removed.append((outcome.target, deletion))
            case .failure(let fault): refused.append((outcome.target, S3Error(fault)))
            }
        }
        let isQuiet = root.text(of: "Quiet") == "true"
        let hasVersions = call.hasVersions
        var writer = XMLWriter()
        writer.element("DeleteResult", attributes: s3Namespace) { writer in
            for (target, deletion) in removed where !isQuiet {
                write(&writer, target, deletion, hasVersions: hasVersions)
            }
            for (target, error) in refused {
                writer.element("Error") { writer in
                    writer.element("Key", target.key)
                    writer.element("VersionId", target.version?.text)
                    writer.element("Code", error.code.rawValue)
                    writer.element("Message", error.message)
                }
            }
        }
        return xmlResponse(200, writer)
    }

    private static func write(
        _ writer: inout XMLWriter, _ target: DeletionTarget, _ deletion: Deletion, hasVersions: Bool
    ) {
        writer.element("Deleted") { writer in
            writer.element("Key", target.key)
            guard hasVersions else { return }
            writer.element("VersionId", target.version?.text)
            if deletion.isMarker {
                writer.element("DeleteMarker", true)
                writer.element("DeleteMarkerVersionId", deletion.id?.text)
            }
        }
    }
}
