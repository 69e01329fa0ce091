import Authority
import JSON
import ObjectStorage
import SQLite

extension DiskObjectStore {
    /// Writes an event with who did it and by which door.
    func emit(
        _ tx: WriteTransaction, _ context: RequestContext, kind: String,
        _ members: [(String, JSONValue)]
    ) throws {
        let who: [(String, JSONValue)] = [
            ("principal", .string(context.principal.id)),
            ("principalName", .string(context.principal.name)),
            ("door", .string(context.door.rawValue)),
            ("requestID", .string(context.requestID)),
        ]
        try tx.emit(
            tenant: context.tenant, kind: kind,
            payload: JSONValue.object(members + who).encodedText())
    }

    /// `by` is how it came, in the words of S3's events.
    func emitCreated(
        _ tx: WriteTransaction, _ context: RequestContext, _ record: ObjectRecord,
        by: String = "Put"
    ) throws {
        let object = record.description
        try emit(
            tx, context, kind: "object.created",
            [
                ("bucket", .string(object.location.bucket)), ("key", .string(object.location.key)),
                ("sizeBytes", .int(object.sizeBytes)), ("etag", .string(object.etag)),
                ("version", .string(object.version)), ("by", .string(by)),
            ])
    }

    func emitRemoved(
        _ tx: WriteTransaction, _ context: RequestContext, _ location: ObjectLocation,
        version: String, isMarker: Bool = false
    ) throws {
        var members: [(String, JSONValue)] = [
            ("bucket", .string(location.bucket)), ("key", .string(location.key)),
            ("version", .string(version)),
        ]
        if isMarker { members.append(("isMarker", true)) }
        try emit(tx, context, kind: "object.removed", members)
    }
}
