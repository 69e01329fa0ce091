package import Authority
import JSON
package import ObjectStorage
package import Platform
package import SQLite
import Synchronization

/// The durable store of one data directory. Every verb may be called from any thread and blocks.
package final class DiskObjectStore: Sendable {
    /// The index; its outbox has `object.created`, `object.removed`, `bucket.created`, `bucket.removed`.
    package let database: Database
    let folder: BlobFolder
    let trash: Trash
    /// Names that earlier boots put into the trash: no reader of this one can know them.
    let inheritedTrash: [String]
    let authorizer: any Authorizer
    let entropy: any Entropy
    /// What is configured of buckets, in memory.
    let states = Mutex(BucketStates())
    let clock: any WallClock
    /// Raised when a bucket's notifications were changed.
    package let webhookChanges = OutboxSignal()
    /// Parts but the last have at least this size.
    let minimumPartBytes: Int64

    /// Opens or makes the store in a directory that exists.
    ///
    /// Ready when it returns; call `recover` once afterwards, on a thread of its own if there is much.
    package init(
        directory: String, authorizer: any Authorizer, files: any FileSystem = LocalFileSystem(),
        clock: any WallClock = SystemWallClock(), entropy: any Entropy = SystemEntropy(),
        minimumPartBytes: Int64 = 5 * 1024 * 1024
    ) throws(ObjectStoreError) {
        let opened = try storing("open the object store in \(directory)") {
            let database = try Database(
                path: directory + "/objects.sqlite", migrations: Self.migrations,
                nowMicroseconds: { clock.now().microseconds })
            let boot = try database.write { tx in
                try tx.run("INSERT INTO boots (started_us) VALUES (?)", tx.nowMicroseconds)
                let trashed = try tx.query("SELECT name FROM trash") { $0.string(0) }
                return (tx.lastInsertedRow, trashed)
            }
            return (database, boot.0, boot.1)
        }
        database = opened.0
        folder = try BlobFolder(files: files, root: directory + "/blobs", boot: opened.1)
        trash = Trash(folder: folder)
        inheritedTrash = opened.2
        self.authorizer = authorizer
        self.entropy = entropy
        self.clock = clock
        self.minimumPartBytes = minimumPartBytes
    }

    /// Closes the index; later calls throw `.unavailable`.
    package func close() { database.close() }

    /// The store as `context` may use it, for formats and the engine.
    package func bound(to context: RequestContext) -> any ObjectStore {
        BoundObjectStore(store: self, context: context)
    }

    // MARK: Buckets

    /// Makes a bucket; `.bucketAlreadyExists` when there is one of that name. With a lock, which wants
    /// versions, versioning is on from the start.
    package func createBucket(
        _ context: RequestContext, _ name: String, hasLock: Bool = false
    ) throws(ObjectStoreError) {
        try require(context, .bucketCreate, bucket: name)
        try checkBucketName(name)
        try storing("create bucket \(name)") {
            try database.writeGrouped { tx in
                if try Self.hasBucket(tx, context.tenant, name) {
                    throw ObjectStoreError(
                        code: .bucketAlreadyExists, message: "the bucket exists: \(name)")
                }
                let count =
                    try tx.number("SELECT count(*) FROM buckets WHERE tenant = ?", context.tenant)
                    ?? 0
                guard count < Limits.bucketCount else {
                    throw ObjectStoreError(
                        code: .limitExceeded,
                        message: "a tenant has at most \(Limits.bucketCount) buckets")
                }
                try tx.run(
                    """
                    INSERT INTO buckets (tenant, name, created_us, owner, versioning, has_lock)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                    context.tenant, name, tx.nowMicroseconds, owner(context),
                    (hasLock ? Versioning.enabled : .unversioned).rawValue, hasLock)
                forgetStates(tx)
                try emit(tx, context, kind: "bucket.created", [("bucket", .string(name))])
            }
        }
    }

    /// A bucket; `.noSuchBucket` when there is none.
    package func bucket(
        _ context: RequestContext, _ name: String
    ) throws(ObjectStoreError) -> BucketRecord {
        try require(context, .objectList, bucket: name)
        let record = try storing("look at bucket \(name)") {
            try database.read { tx in
                try tx.first(
                    "SELECT name, created_us, owner FROM buckets WHERE tenant = ? AND name = ?",
                    context.tenant, name, row: Self.bucketRecord)
            }
        }
        guard let record else { throw Self.noSuchBucket(name) }
        return record
    }

    /// The buckets that the caller may list, by name.
    package func buckets(_ context: RequestContext) throws(ObjectStoreError) -> [BucketRecord] {
        let all = try storing("list buckets") {
            try database.read { tx in
                try tx.query(
                    "SELECT name, created_us, owner FROM buckets WHERE tenant = ? ORDER BY name",
                    context.tenant, row: Self.bucketRecord)
            }
        }
        return all.filter { bucket in
            let resource = Resource(tenant: context.tenant, kind: .bucket, path: [bucket.name])
            return authorizer.decide(context, .bucketList, resource).isAllowed
        }
    }

    /// Deletes an empty bucket and gives up the uploads that run in it.
    package func deleteBucket(
        _ context: RequestContext, _ name: String
    ) throws(ObjectStoreError) {
        try require(context, .bucketDelete, bucket: name)
        let names = try storing("delete bucket \(name)") {
            try database.writeGrouped { tx in
                guard try Self.hasBucket(tx, context.tenant, name) else {
                    throw Self.noSuchBucket(name)
                }
                if try tx.exists(
                    "SELECT 1 FROM objects WHERE tenant = ?1 AND bucket = ?2 LIMIT 1",
                    context.tenant, name)
                    || tx.exists(
                        "SELECT 1 FROM versions WHERE tenant = ?1 AND bucket = ?2 LIMIT 1",
                        context.tenant, name)
                {
                    throw ObjectStoreError(
                        code: .bucketNotEmpty, message: "the bucket has objects: \(name)",
                        hint: "delete the objects and their versions first")
                }
                var names: [String] = []
                let uploads = try tx.query(
                    "SELECT id FROM uploads WHERE tenant = ? AND bucket = ?", context.tenant, name
                ) { $0.string(0) }
                for upload in uploads { names += try removeUpload(tx, upload) }
                try tx.run(
                    "DELETE FROM bucket_settings WHERE tenant = ? AND bucket = ?", context.tenant,
                    name)
                try tx.run(
                    "DELETE FROM buckets WHERE tenant = ? AND name = ?", context.tenant, name)
                try watchForWebhooks(tx)
                forgetStates(tx)
                try emit(tx, context, kind: "bucket.removed", [("bucket", .string(name))])
                return names
            }
        }
        trash.discard(names)
    }

    // MARK: Shared by the verbs

    /// Asks the authorizer about a bucket.
    func require(
        _ context: RequestContext, _ action: Action, bucket: String
    ) throws(ObjectStoreError) {
        try require(
            context, action, Resource(tenant: context.tenant, kind: .bucket, path: [bucket]))
    }

    /// Asks the authorizer about an object.
    func require(
        _ context: RequestContext, _ action: Action, _ location: ObjectLocation,
        version: VersionID? = nil
    ) throws(ObjectStoreError) {
        try require(
            context, action,
            Resource(tenant: context.tenant, kind: .object, path: [location.bucket, location.key]),
            version: version)
    }

    /// Asks the authorizer, with what the bucket's own policy says.
    func require(
        _ context: RequestContext, _ action: Action, _ resource: Resource,
        version: VersionID? = nil
    ) throws(ObjectStoreError) {
        try storing("decide") {
            var context = context
            try judge(&context, action, resource, version: version)
            _ = try authorizer.require(context, action, resource)
        }
    }

    /// What another authorizer would say of an action on an object, with what the bucket's own policy
    /// says, and whether a table's policy closes the place. Asks for no right.
    package func decision(
        _ context: RequestContext, _ action: Action, _ location: ObjectLocation,
        by authorizer: any Authorizer
    ) throws(ObjectStoreError) -> Decision {
        let resource = Resource(
            tenant: context.tenant, kind: .object, path: [location.bucket, location.key])
        let decision = try storing("decide") {
            var context = context
            try judge(&context, action, resource)
            return authorizer.decide(context, action, resource)
        }
        guard decision.isAllowed,
            let closed = authorizer.restriction(
                context, bucket: location.bucket, key: location.key)
        else { return decision }
        return Decision(isAllowed: false, reason: closed.reason)
    }

    /// Whether another authorizer lets the caller list keys under a prefix, with what the bucket's own policy
    /// says. Asks for no right.
    package func mayList(
        _ context: RequestContext, bucket: String, prefix: String, by authorizer: any Authorizer
    ) throws(ObjectStoreError) -> Bool {
        let resource = Resource(tenant: context.tenant, kind: .bucket, path: [bucket, prefix])
        return try storing("decide") {
            var context = context
            try judge(&context, .objectList, resource)
            return authorizer.decide(context, .objectList, resource).isAllowed
        }
    }

    func owner(_ context: RequestContext) -> String {
        context.principal.id + " " + context.principal.name
    }

    static func hasBucket(_ tx: ReadTransaction, _ tenant: String, _ name: String) throws -> Bool {
        try tx.exists("SELECT 1 FROM buckets WHERE tenant = ? AND name = ?", tenant, name)
    }

    static func noSuchBucket(_ name: String) -> ObjectStoreError {
        ObjectStoreError(code: .noSuchBucket, message: "no such bucket: \(name)")
    }

    static func noSuchKey(_ location: ObjectLocation) -> ObjectStoreError {
        ObjectStoreError(code: .noSuchKey, message: "no such object: \(location)")
    }

    private static func bucketRecord(_ row: Row) -> BucketRecord {
        BucketRecord(name: row.string(0), createdMicroseconds: row.int64(1), owner: row.string(2))
    }
}
