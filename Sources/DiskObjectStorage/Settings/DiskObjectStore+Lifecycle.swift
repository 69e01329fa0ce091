package import Authority
package import ObjectStorage
import Platform
import SQLite

/// What one walk of the lifecycle removed.
package struct LifecycleReport: Sendable, Hashable {
    package var expiredObjects = 0
    package var removedVersions = 0
    package var removedMarkers = 0
    package var abortedUploads = 0

    package init() {}
}

extension DiskObjectStore {
    /// Removes what the rules of all buckets say, in small transactions between which others write.
    /// A version under a lock stays. Stops early when the context is cancelled.
    package func runLifecycle(
        _ context: RequestContext
    ) throws(ObjectStoreError) -> LifecycleReport {
        try require(
            context, .systemAdminister,
            Resource(tenant: context.tenant, kind: .system, path: ["storage"]))
        return try storing("run the lifecycle") {
            var report = LifecycleReport()
            let names = try database.read { tx in
                try tx.query(
                    "SELECT bucket FROM bucket_settings WHERE tenant = ? AND name = ?",
                    context.tenant, BucketSetting.lifecycle.rawValue
                ) { $0.string(0) }
            }
            for name in names {
                guard let rules = try state(context.tenant, name)?.lifecycle else { continue }
                for rule in rules.rules where rule.isEnabled && !context.cancellation.isCancelled {
                    try expireObjects(context, name, rule, &report)
                    try expireVersions(context, name, rule, &report)
                    if rule.removesLoneMarkers { try removeMarkers(context, name, rule, &report) }
                    try abortUploads(context, name, rule, &report)
                }
            }
            return report
        }
    }

    // MARK: Steps

    private func expireObjects(
        _ context: RequestContext, _ bucket: String, _ rule: LifecycleRules.Rule,
        _ report: inout LifecycleReport
    ) throws {
        guard rule.expiryDays != nil || rule.expiryMicroseconds != nil else { return }
        var after = ""
        while !context.cancellation.isCancelled {
            let now = clock.now().microseconds
            let page = try database.read { tx in
                try tx.query(
                    """
                    SELECT key, size, modified_us, attributes, version FROM objects
                    WHERE tenant = ? AND bucket = ? AND key > ? AND key >= ? AND rank = 0
                    ORDER BY key LIMIT ?
                    """, context.tenant, bucket, after, rule.prefix, Limits.upkeepBatch
                ) { row in
                    (
                        key: row.string(0), size: row.int64(1), modified: row.int64(2),
                        attributes: row.string(3), version: row.string(4)
                    )
                }
            }
            guard let last = page.last else { return }
            after = last.key
            let due = try page.filter { row in
                let tags = rule.tags.isEmpty ? [:] : try ObjectAttributes(text: row.attributes).tags
                guard rule.covers(key: row.key, sizeBytes: row.size, tags: tags),
                    let expiry = rule.expiry(ofWrite: row.modified)
                else { return false }
                return expiry <= now
            }
            let names = due.map { _ in folder.nextName() }
            if !due.isEmpty {
                let unused = try database.writeGrouped { tx in
                    var unused: [String] = []
                    for (row, name) in zip(due, names) {
                        let location = ObjectLocation(bucket: bucket, key: row.key)
                        // Whoever wrote it anew meanwhile keeps it.
                        let present = try Self.find(tx, context.tenant, location)
                        guard present?.record.description.version == row.version else { continue }
                        unused += try remove(tx, context, location, nil, markerName: name).unused
                        report.expiredObjects += 1
                    }
                    return unused
                }
                trash.discard(unused)
            }
            if !KeyOrder.hasPrefix(last.key, rule.prefix) { return }
        }
    }

    private func expireVersions(
        _ context: RequestContext, _ bucket: String, _ rule: LifecycleRules.Rule,
        _ report: inout LifecycleReport
    ) throws {
        guard let days = rule.noncurrentDays else { return }
        var after = (key: "", seq: Int64.min)
        var newer = (key: "", count: 0)
        while !context.cancellation.isCancelled {
            let now = clock.now().microseconds
            let page = try versionPage(context, bucket, after: after)
            guard let last = page.last else { return }
            after = (last.key, last.seq)
            var due: [NoncurrentRow] = []
            for row in page where row.since != nil {
                if newer.key != row.key { newer = (row.key, 0) }
                let tags = rule.tags.isEmpty ? [:] : try ObjectAttributes(text: row.attributes).tags
                let isOld =
                    LifecycleRules.midnight(row.since ?? now, afterDays: days) <= now
                    && rule.covers(key: row.key, sizeBytes: row.size, tags: tags)
                let isKept = newer.count < (rule.noncurrentKept ?? 0)
                if !row.isMarker { newer.count += 1 }
                if isOld && !isKept { due.append(row) }
            }
            for row in due {
                let removed = try removeUnlessLocked(context, bucket, row)
                if removed { report.removedVersions += 1 }
            }
        }
    }

    private func removeMarkers(
        _ context: RequestContext, _ bucket: String, _ rule: LifecycleRules.Rule,
        _ report: inout LifecycleReport
    ) throws {
        var after = (key: "", seq: Int64.min)
        while !context.cancellation.isCancelled {
            let page = try versionPage(context, bucket, after: after)
            guard let last = page.last else { return }
            after = (last.key, last.seq)
            for row in page
            where row.isMarker && row.since == nil
                && rule.covers(key: row.key, sizeBytes: 0, tags: [:])
            {
                let isLone = try database.read { tx in
                    try tx.number(
                        """
                        SELECT count(*) FROM versions WHERE tenant = ? AND bucket = ? AND key = ?
                        """, context.tenant, bucket, row.key) == 1
                }
                if isLone, try removeUnlessLocked(context, bucket, row) {
                    report.removedMarkers += 1
                }
            }
        }
    }

    private func abortUploads(
        _ context: RequestContext, _ bucket: String, _ rule: LifecycleRules.Rule,
        _ report: inout LifecycleReport
    ) throws {
        // An upload has no tags and no size yet. Such rules are refused, but were not always.
        guard let days = rule.uploadDays, rule.choosesByPrefixAlone else { return }
        let now = clock.now().microseconds
        let found = try database.read { tx in
            try tx.query(
                "SELECT id, key, started_us FROM uploads WHERE tenant = ? AND bucket = ?",
                context.tenant, bucket
            ) { ($0.string(0), $0.string(1), $0.int64(2)) }
        }
        for (id, key, started) in found
        where KeyOrder.hasPrefix(key, rule.prefix)
            && LifecycleRules.midnight(started, afterDays: days) <= now
        {
            let unused = try database.writeGrouped { tx in try removeUpload(tx, id) }
            trash.discard(unused)
            report.abortedUploads += 1
        }
    }

    private struct NoncurrentRow {
        let key: String
        let seq: Int64
        let id: VersionID
        let isMarker: Bool
        let size: Int64
        let since: Int64?
        let attributes: String
    }

    /// Rows behind the present ones in the order of keys, newest first.
    private func versionPage(
        _ context: RequestContext, _ bucket: String, after: (key: String, seq: Int64)
    ) throws -> [NoncurrentRow] {
        try database.read { tx in
            try tx.query(
                """
                SELECT key, seq, version, is_versioned, is_delete_marker, size, since_us, attributes
                FROM versions WHERE tenant = ? AND bucket = ? AND (key, seq) > (?, ?)
                ORDER BY key, seq LIMIT ?
                """, context.tenant, bucket, after.key, after.seq, Limits.upkeepBatch
            ) { row in
                NoncurrentRow(
                    key: row.string(0), seq: row.int64(1),
                    id: row.bool(3) ? .named(row.string(2)) : .null, isMarker: row.bool(4),
                    size: row.int64(5), since: row.int64OrNil(6), attributes: row.string(7))
            }
        }
    }

    private func removeUnlessLocked(
        _ context: RequestContext, _ bucket: String, _ row: NoncurrentRow
    ) throws -> Bool {
        do throws(ObjectStoreError) {
            return try delete(
                context, ObjectLocation(bucket: bucket, key: row.key), version: row.id
            ).found
        } catch {
            if error.code == .locked { return false }
            throw error
        }
    }
}
