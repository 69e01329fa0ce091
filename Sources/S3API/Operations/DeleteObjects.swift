import Authority
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML

/// Deletes up to 1,000 objects. Source: Amazon S3 API Reference, "DeleteObjects".
enum DeleteObjects: S3Operation {
    static let name = "DeleteObjects"
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
        var keys: [String] = []
        var refused: [(key: String, error: S3Error)] = []
        for object in objects {
            guard let key = object.text(of: "Key"), !key.isEmpty else {
                throw S3Error(.malformedXML, "an object without its key")
            }
            do throws(S3Error) {
                try refuseVersion(object.text(of: "VersionId"))
                try call.allow(.objectDelete, bucket: call.target.bucket, key: key)
                keys.append(key)
            } catch {
                refused.append((key, error))
            }
        }
        var removed: [String] = []
        for outcome in try call.store.delete(call.context, bucket: call.target.bucket, keys: keys) {
            if let fault = outcome.fault {
                refused.append((outcome.key, S3Error(fault)))
            } else {
                removed.append(outcome.key)
            }
        }
        let isQuiet = root.text(of: "Quiet") == "true"
        var writer = XMLWriter()
        writer.element("DeleteResult", attributes: s3Namespace) { writer in
            if !isQuiet {
                for key in removed { writer.element("Deleted") { $0.element("Key", key) } }
            }
            for (key, error) in refused {
                writer.element("Error") { writer in
                    writer.element("Key", key)
                    writer.element("Code", error.code.rawValue)
                    writer.element("Message", error.message)
                }
            }
        }
        return xmlResponse(200, writer)
    }
}
