import Authority
import JSON
import ObjectStorage
import SQLite
import Synchronization

/// What is configured of a bucket, one text each, in the index.
package enum BucketSetting: String, Sendable, CaseIterable {
    /// The JSON text as it was put.
    case policy
    case publicAccess = "public_access"
    case cors
    case lifecycle
    case tags
    case notifications
    case lockDefault = "lock_default"
    case ownership
}

/// A bucket with all that requests ask of it, kept in memory. Immutable: a change makes another.
package struct BucketState: Sendable {
    package let name: String
    package var versioning: Versioning
    package var hasLock: Bool
    package var policy: PolicyDocument?
    package var publicAccess: PublicAccessBlock?
    package var cors: CORSRules?
    package var lifecycle: LifecycleRules?
    package var notifications: NotificationRules?
    package var lockDefault: LockDefault?
}

/// States by tenant and bucket; forgotten when a transaction that changed one has committed.
struct BucketStates: Sendable {
    struct Key: Hashable {
        let tenant: String
        let bucket: String
    }

    /// Grows with every change, so that nobody keeps what was read before it.
    var generation: UInt64 = 0
    var known: [Key: BucketState] = [:]

    mutating func forget() {
        generation &+= 1
        known.removeAll(keepingCapacity: true)
    }
}

extension DiskObjectStore {
    /// The bucket with what is configured of it, from memory; nil when there is none.
    func state(_ tenant: String, _ name: String) throws -> BucketState? {
        let key = BucketStates.Key(tenant: tenant, bucket: name)
        let (known, generation) = states.withLock { ($0.known[key], $0.generation) }
        if let known { return known }
        guard let read = try database.read({ try Self.readState($0, tenant, name) }) else {
            return nil
        }
        keep(read, key, generation)
        return read
    }

    /// As `state`, inside a transaction, whose own changes it sees.
    func state(_ tx: ReadTransaction, _ tenant: String, _ name: String) throws -> BucketState? {
        try Self.readState(tx, tenant, name)
    }

    private func keep(_ state: BucketState, _ key: BucketStates.Key, _ generation: UInt64) {
        states.withLock { states in
            guard states.generation == generation else { return }
            states.known[key] = state
        }
    }

    /// Has everybody read the bucket anew once the transaction is on the disk.
    func forgetStates(_ tx: WriteTransaction) {
        tx.afterCommit { [self] in states.withLock { $0.forget() } }
    }

    private static func readState(
        _ tx: ReadTransaction, _ tenant: String, _ name: String
    ) throws -> BucketState? {
        let row = try tx.first(
            "SELECT versioning, has_lock FROM buckets WHERE tenant = ? AND name = ?", tenant, name
        ) { row in
            BucketState(
                name: name, versioning: Versioning(rawValue: row.string(0)) ?? .unversioned,
                hasLock: row.bool(1))
        }
        guard var state = row else { return nil }
        try tx.each(
            "SELECT name, body FROM bucket_settings WHERE tenant = ? AND bucket = ?", tenant, name
        ) { row in
            guard let setting = BucketSetting(rawValue: row.string(0)) else { return true }
            try state.take(setting, row.string(1))
            return true
        }
        return state
    }
}

extension BucketState {
    /// Reads a setting's text into its place. A policy that cannot be read closes the bucket rather than
    /// opening it: the fault goes up.
    mutating func take(_ setting: BucketSetting, _ text: String) throws {
        switch setting {
        case .policy: policy = try PolicyDocument(text: text)
        case .publicAccess: publicAccess = try PublicAccessBlock(text: text)
        case .cors: cors = try CORSRules(text: text)
        case .lifecycle: lifecycle = try LifecycleRules(text: text)
        case .notifications: notifications = try NotificationRules(text: text)
        case .lockDefault: lockDefault = try LockDefault(text: text)
        case .tags, .ownership: break
        }
    }
}
