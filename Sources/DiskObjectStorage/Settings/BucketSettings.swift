package import Authority
import JSON
package import ObjectStorage
import SQLite

extension DiskObjectStore {
    /// The bucket with what is configured of it; `.noSuchBucket` when there is none.
    package func bucketState(
        _ context: RequestContext, _ name: String
    ) throws(ObjectStoreError) -> BucketState {
        try require(context, .objectList, bucket: name)
        return try knownState(context, name)
    }

    /// The state for doors that must answer before they know who asks: rules of CORS. Asks nobody.
    package func corsRules(tenant: String, bucket: String) -> CORSRules? {
        (try? state(tenant, bucket))?.cors
    }

    func knownState(
        _ context: RequestContext, _ name: String
    ) throws(ObjectStoreError) -> BucketState {
        let found = try storing("look at bucket \(name)") { try state(context.tenant, name) }
        guard let found else { throw Self.noSuchBucket(name) }
        return found
    }

    /// The text of a setting; nil when it was never made. Policies are shown to those who may set them.
    package func setting(
        _ context: RequestContext, bucket: String, _ setting: BucketSetting
    ) throws(ObjectStoreError) -> String? {
        try require(
            context, setting == .policy ? .bucketConfigure : .objectList, bucket: bucket)
        return try storing("look at a setting of bucket \(bucket)") {
            try database.read { tx in
                _ = try Self.bucketRow(tx, context.tenant, bucket)
                return try tx.text(
                    "SELECT body FROM bucket_settings WHERE tenant = ? AND bucket = ? AND name = ?",
                    context.tenant, bucket, setting.rawValue)
            }
        }
    }

    /// Makes, replaces or (with nil) removes a setting. Effective for every decision after it returned.
    package func set(
        _ context: RequestContext, bucket: String, _ setting: BucketSetting, _ body: String?
    ) throws(ObjectStoreError) {
        try require(context, .bucketConfigure, bucket: bucket)
        if let body {
            // What cannot be read back is never written.
            try storing("read a setting of bucket \(bucket)") {
                var probe = BucketState(name: bucket, versioning: .unversioned, hasLock: false)
                try probe.take(setting, body)
            }
        }
        try storing("change a setting of bucket \(bucket)") {
            try database.writeGrouped { tx in
                let row = try Self.bucketRow(tx, context.tenant, bucket)
                if setting == .lockDefault && !row.hasLock {
                    throw ObjectStoreError(
                        code: .invalidBucketState,
                        message: "the bucket was not made for object lock: \(bucket)",
                        hint: "make a bucket with object lock enabled")
                }
                if let body {
                    try tx.run(
                        """
                        INSERT INTO bucket_settings (tenant, bucket, name, body, modified_us)
                        VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, bucket, name)
                        DO UPDATE SET body = excluded.body, modified_us = excluded.modified_us
                        """, context.tenant, bucket, setting.rawValue, body, tx.nowMicroseconds)
                } else {
                    try tx.run(
                        "DELETE FROM bucket_settings WHERE tenant = ? AND bucket = ? AND name = ?",
                        context.tenant, bucket, setting.rawValue)
                }
                if setting == .notifications { try watchForWebhooks(tx) }
                try emit(
                    tx, context,
                    kind: body == nil ? "bucket.setting.removed" : "bucket.setting.set",
                    [("bucket", .string(bucket)), ("setting", .string(setting.rawValue))])
                forgetStates(tx)
            }
        }
    }

    /// Switches versioning on or suspends it; it never goes away again.
    package func setVersioning(
        _ context: RequestContext, bucket: String, isEnabled: Bool
    ) throws(ObjectStoreError) {
        try require(context, .bucketConfigure, bucket: bucket)
        try storing("change the versioning of bucket \(bucket)") {
            try database.writeGrouped { tx in
                let row = try Self.bucketRow(tx, context.tenant, bucket)
                if !isEnabled && row.hasLock {
                    throw ObjectStoreError(
                        code: .invalidBucketState,
                        message: "versioning stays on in a bucket with object lock: \(bucket)")
                }
                let state = isEnabled ? Versioning.enabled : .suspended
                try tx.run(
                    "UPDATE buckets SET versioning = ? WHERE tenant = ? AND name = ?",
                    state.rawValue, context.tenant, bucket)
                try emit(
                    tx, context, kind: "bucket.setting.set",
                    [("bucket", .string(bucket)), ("setting", .string("versioning"))])
                forgetStates(tx)
            }
        }
    }

    /// Makes a bucket fit for object lock, which wants versioning; it never goes away again.
    package func enableLock(
        _ context: RequestContext, bucket: String
    ) throws(ObjectStoreError) {
        try require(context, .bucketConfigure, bucket: bucket)
        try storing("enable object lock in bucket \(bucket)") {
            try database.writeGrouped { tx in
                let row = try Self.bucketRow(tx, context.tenant, bucket)
                guard row.versioning == .enabled else {
                    throw ObjectStoreError(
                        code: .invalidBucketState,
                        message: "object lock wants versioning: \(bucket)",
                        hint: "enable versioning first")
                }
                try tx.run(
                    "UPDATE buckets SET has_lock = 1 WHERE tenant = ? AND name = ?",
                    context.tenant, bucket)
                forgetStates(tx)
            }
        }
    }
}

extension DiskObjectStore {
    /// Whether a bucket keeps versions, for the headers of answers. Asks nobody.
    package func versioning(tenant: String, bucket: String) -> Versioning {
        (try? state(tenant, bucket))?.versioning ?? .unversioned
    }

    /// Whether versions in a bucket can be locked. Asks nobody.
    package func hasLock(tenant: String, bucket: String) -> Bool {
        (try? state(tenant, bucket))?.hasLock == true
    }

    /// Whether a bucket has a policy, for doors that collect what its conditions ask. Asks nobody.
    package func hasPolicy(tenant: String, bucket: String) -> Bool {
        if bucket.isEmpty { return false }
        // One that cannot be read refuses later, where it is judged.
        guard let found = try? state(tenant, bucket) else { return false }
        return found.policy != nil
    }

    /// When an object expires by the bucket's rules, for the headers of answers. Asks nobody.
    package func expiry(
        tenant: String, of record: ObjectRecord
    ) -> (ruleID: String, microseconds: Int64)? {
        let object = record.description
        guard let rules = (try? state(tenant, object.location.bucket))?.lifecycle else {
            return nil
        }
        return rules.expiry(
            key: object.location.key, sizeBytes: object.sizeBytes, tags: record.attributes.tags,
            writtenMicroseconds: object.modifiedMicroseconds
        ).map { ($0.rule.id, $0.microseconds) }
    }
}
