package import Authority
package import ObjectStorage
import JSON
import SQLite

extension DiskObjectStore {
    /// Replaces the tags of an object or of one of its versions.
    @discardableResult
    package func setTags(
        _ context: RequestContext, _ location: ObjectLocation, version: VersionID?,
        _ tags: [String: String]
    ) throws(ObjectStoreError) -> VersionID {
        try ObjectAttributes.check(tags: tags, limit: Limits.objectTags)
        try require(context, .objectWrite, location, version: version)
        return try change(context, location, version, event: "object.tags.set") { _, attributes in
            attributes.tags = tags
        }
    }

    /// Puts a legal hold on a version, or lifts it.
    package func setLegalHold(
        _ context: RequestContext, _ location: ObjectLocation, version: VersionID?, _ isOn: Bool
    ) throws(ObjectStoreError) {
        try require(context, .objectWrite, location, version: version)
        try requireLock(context, location.bucket)
        _ = try change(context, location, version, event: "object.hold.set") { _, attributes in
            attributes.lock.hasLegalHold = isOn
        }
    }

    /// Sets how long a version stays. Shortening wants `bypassesGovernance`, and the right to it.
    package func setRetention(
        _ context: RequestContext, _ location: ObjectLocation, version: VersionID?,
        mode: ObjectLock.Mode?, untilMicroseconds: Int64?, bypassesGovernance: Bool
    ) throws(ObjectStoreError) {
        try require(context, .objectWrite, location, version: version)
        if bypassesGovernance { try requireBypass(context, location) }
        try requireLock(context, location.bucket)
        _ = try change(context, location, version, event: "object.retention.set") {
            now, attributes in
            try attributes.lock.checkChange(
                to: mode, untilMicroseconds: untilMicroseconds, nowMicroseconds: now,
                bypassesGovernance: bypassesGovernance, location)
            attributes.lock.mode = mode
            attributes.lock.untilMicroseconds = mode == nil ? nil : untilMicroseconds
        }
    }

    private func requireLock(
        _ context: RequestContext, _ bucket: String
    ) throws(ObjectStoreError) {
        guard try knownState(context, bucket).hasLock else {
            throw ObjectStoreError(
                code: .invalidSetting,
                message: "the bucket was not made for object lock: \(bucket)",
                hint: "make a bucket with object lock enabled")
        }
    }

    /// Changes what is kept with a version, in place.
    private func change(
        _ context: RequestContext, _ location: ObjectLocation, _ version: VersionID?,
        event: String, _ body: (_ nowMicroseconds: Int64, inout ObjectAttributes) throws -> Void
    ) throws(ObjectStoreError) -> VersionID {
        try storing("change \(location)") {
            try database.writeGrouped { tx in
                let record = try Self.require(tx, context.tenant, location, version: version).record
                let found = try Self.findVersion(tx, context.tenant, location, record.versionID)
                guard let found else { throw Self.noSuchKey(location) }
                var attributes = record.attributes
                try body(tx.nowMicroseconds, &attributes)
                let (table, column) = found.isPresent ? ("objects", "rank") : ("versions", "seq")
                try tx.run(
                    """
                    UPDATE \(table) SET attributes = ?
                    WHERE tenant = ? AND bucket = ? AND key = ? AND \(column) = ?
                    """, attributes.text, context.tenant, location.bucket, location.key, found.seq)
                try emit(
                    tx, context, kind: event,
                    [
                        ("bucket", .string(location.bucket)), ("key", .string(location.key)),
                        ("version", .string(found.version)),
                    ])
                return record.versionID
            }
        }
    }
}
