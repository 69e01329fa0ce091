package import Authority
import CivilTime
package import ObjectStorage
import JSON
import SQLite

/// One object to delete among many.
package struct DeletionTarget: Sendable, Hashable {
    package var key: String
    package var version: VersionID?
    package var condition: DeletionCondition

    package init(
        key: String, version: VersionID? = nil, condition: DeletionCondition = DeletionCondition()
    ) {
        self.key = key
        self.version = version
        self.condition = condition
    }
}

/// How the object or version that is to be deleted must be.
package struct DeletionCondition: Sendable, Hashable {
    package var etag: String?
    package var sizeBytes: Int64?
    /// In whole seconds since 1970-01-01 UTC: more of it clients do not see everywhere.
    package var modifiedSeconds: Int64?

    package init(
        etag: String? = nil, sizeBytes: Int64? = nil, modifiedSeconds: Int64? = nil
    ) {
        self.etag = etag
        self.sizeBytes = sizeBytes
        self.modifiedSeconds = modifiedSeconds
    }

    /// Throws `.preconditionFailed` unless what is there is as it must be. Where nothing is, a tag
    /// that is asked for is `.noSuchKey`; the others have nothing to keep from harm.
    func check(
        etag present: String?, _ facts: (sizeBytes: Int64, modifiedMicroseconds: Int64)?,
        at location: ObjectLocation
    ) throws(ObjectStoreError) {
        if let etag { try WritePrecondition.etag(etag).check(presentETag: present, at: location) }
        guard let facts else { return }
        let seconds = floorDivide(facts.modifiedMicroseconds, 1_000_000)
        guard sizeBytes ?? facts.sizeBytes == facts.sizeBytes,
            modifiedSeconds ?? seconds == seconds
        else {
            throw ObjectStoreError(
                code: .preconditionFailed,
                message: "the object has another size or time of change: \(location)")
        }
    }
}

extension DiskObjectStore {
    /// Deletes an object; one that is absent is fine. In a bucket with versions a marker is put before the
    /// others. Returns whether there was one.
    @discardableResult
    package func delete(
        _ context: RequestContext, _ location: ObjectLocation
    ) throws(ObjectStoreError) -> Bool {
        try delete(context, location, version: nil).found
    }

    /// As `delete`, and tells what became of it; a version that is named goes itself. Deletes nothing
    /// that is not as the condition says. `bypassesGovernance` wants the right to.
    package func delete(
        _ context: RequestContext, _ location: ObjectLocation, version: VersionID?,
        condition: DeletionCondition = DeletionCondition(), bypassesGovernance: Bool = false
    ) throws(ObjectStoreError) -> Deletion {
        try require(context, .objectDelete, location, version: version)
        if bypassesGovernance { try requireBypass(context, location) }
        let name = folder.nextName()
        let (deletion, unused) = try storing("delete \(location)") {
            try database.writeGrouped { tx in
                try checkCondition(tx, context, location, version, condition)
                return try remove(
                    tx, context, location, version, markerName: name,
                    bypassesGovernance: bypassesGovernance)
            }
        }
        trash.discard(unused)
        return deletion
    }

    /// Deletes many objects in one transaction; each is decided alone. Returns what became of each.
    package func delete(
        _ context: RequestContext, bucket: String, _ targets: [DeletionTarget],
        bypassesGovernance: Bool = false
    ) throws(ObjectStoreError) -> [(
        target: DeletionTarget, result: Result<Deletion, ObjectStoreError>
    )] {
        try requireBucket(context, bucket)
        var refusals: [Int: ObjectStoreError] = [:]
        for (index, target) in targets.enumerated() {
            do throws(ObjectStoreError) {
                let location = ObjectLocation(bucket: bucket, key: target.key)
                try require(context, .objectDelete, location, version: target.version)
                if bypassesGovernance { try requireBypass(context, location) }
            } catch {
                refusals[index] = error
            }
        }
        let names = targets.map { _ in folder.nextName() }
        let (outcomes, unused) = try storing("delete \(targets.count) objects of \(bucket)") {
            try database.writeGrouped { tx in
                var outcomes: [(DeletionTarget, Result<Deletion, ObjectStoreError>)] = []
                var unused: [String] = []
                for (index, target) in targets.enumerated() {
                    if let refusal = refusals[index] {
                        outcomes.append((target, .failure(refusal)))
                        continue
                    }
                    let location = ObjectLocation(bucket: bucket, key: target.key)
                    do {
                        // A locked version refuses before anything was changed for it.
                        try checkCondition(
                            tx, context, location, target.version, target.condition)
                        let (deletion, names) = try remove(
                            tx, context, location, target.version, markerName: names[index],
                            bypassesGovernance: bypassesGovernance)
                        unused += names
                        outcomes.append((target, .success(deletion)))
                    } catch let fault as ObjectStoreError where Self.isOwn(fault) {
                        outcomes.append((target, .failure(fault)))
                    }
                }
                return (outcomes, unused)
            }
        }
        trash.discard(unused)
        return outcomes.map { (target: $0.0, result: $0.1) }
    }

    /// As `delete` of many, by their keys: a fault for each that was refused.
    package func delete(
        _ context: RequestContext, bucket: String, keys: [String]
    ) throws(ObjectStoreError) -> [(key: String, fault: ObjectStoreError?)] {
        try delete(context, bucket: bucket, keys.map { DeletionTarget(key: $0) }).map { outcome in
            switch outcome.result {
            case .success: (outcome.target.key, nil)
            case .failure(let fault): (outcome.target.key, fault)
            }
        }
    }

    /// Whether a fault is about one object and leaves the transaction as it was.
    private static func isOwn(_ fault: ObjectStoreError) -> Bool {
        switch fault.code {
        case .locked, .preconditionFailed, .noSuchKey, .noSuchVersion: true
        default: false
        }
    }

    /// Throws unless the version that is named, or else the latest, is as the client wants it.
    private func checkCondition(
        _ tx: ReadTransaction, _ context: RequestContext, _ location: ObjectLocation,
        _ version: VersionID?, _ condition: DeletionCondition
    ) throws {
        if condition == DeletionCondition() { return }
        let tenant = context.tenant
        if version == nil, let present = try Self.find(tx, tenant, location)?.record.description {
            return try condition.check(
                etag: present.etag, (present.sizeBytes, present.modifiedMicroseconds), at: location)
        }
        let found: FoundVersion?
        if let version {
            found = try Self.findVersion(tx, tenant, location, version)
        } else {
            found = try Self.newestBehind(tx, tenant, location)
        }
        try condition.check(
            etag: found.flatMap { $0.isMarker ? nil : $0.etag },
            found.map { ($0.sizeBytes, $0.modifiedMicroseconds) }, at: location)
    }

    /// Removes the object or one of its versions, or puts a marker before them.
    func remove(
        _ tx: WriteTransaction, _ context: RequestContext, _ location: ObjectLocation,
        _ version: VersionID?, markerName: String, bypassesGovernance: Bool = false
    ) throws -> (deletion: Deletion, unused: [String]) {
        if let version {
            return try removeVersion(
                tx, context, location, version, bypassesGovernance: bypassesGovernance)
        }
        let bucket = try Self.bucketRow(tx, context.tenant, location.bucket)
        if bucket.versioning == .unversioned {
            guard let removed = try removeRow(tx, context.tenant, location) else {
                return (Deletion(), [])
            }
            try emitRemoved(tx, context, location, version: removed.version)
            return (Deletion(found: true), removed.unused)
        }
        let isVersioned = bucket.versioning == .enabled
        let found = try Self.find(tx, context.tenant, location) != nil
        let unused = try makeRoom(tx, context.tenant, bucket, at: location)
        try insertMarker(tx, context, location, version: markerName, isVersioned: isVersioned)
        try emitRemoved(tx, context, location, version: markerName, isMarker: true)
        let id = isVersioned ? VersionID.named(markerName) : .null
        return (Deletion(found: found, id: id, isMarker: true), unused)
    }

    private func removeVersion(
        _ tx: WriteTransaction, _ context: RequestContext, _ location: ObjectLocation,
        _ version: VersionID, bypassesGovernance: Bool
    ) throws -> (deletion: Deletion, unused: [String]) {
        let found = try Self.findVersion(tx, context.tenant, location, version)
        guard let found else {
            guard try Self.hasBucket(tx, context.tenant, location.bucket) else {
                throw Self.noSuchBucket(location.bucket)
            }
            return (Deletion(id: version), [])
        }
        if !found.isMarker, found.attributes != "{}" {
            try ObjectAttributes(text: found.attributes).lock.checkDeletion(
                nowMicroseconds: tx.nowMicroseconds, bypassesGovernance: bypassesGovernance,
                location)
        }
        let isLatest = try found.isPresent || isLatestMarker(tx, context.tenant, location, found)
        let unused = try drop(tx, context.tenant, location, found)
        if isLatest { try promoteNewest(tx, context.tenant, location) }
        if found.isPresent {
            try emitRemoved(tx, context, location, version: found.version)
        } else {
            try emit(
                tx, context, kind: "object.version.removed",
                [
                    ("bucket", .string(location.bucket)), ("key", .string(location.key)),
                    ("version", .string(found.version)), ("isMarker", .bool(found.isMarker)),
                ])
        }
        return (Deletion(found: true, id: version, isMarker: found.isMarker), unused)
    }

    private func isLatestMarker(
        _ tx: ReadTransaction, _ tenant: String, _ location: ObjectLocation, _ found: FoundVersion
    ) throws -> Bool {
        try found.isMarker
            && tx.exists(
                """
                SELECT 1 FROM versions
                WHERE tenant = ? AND bucket = ? AND key = ? AND seq = ? AND since_us IS NULL
                """, tenant, location.bucket, location.key, found.seq)
    }
}
