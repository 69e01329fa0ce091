package import Authority
import Iceberg
import JSON
import ObjectStorage
package import Platform
import SQLite

/// Purges that wait for somebody to do them.
struct PurgeState {
    /// Whether a thread of the appliance does them; without one, who drops does.
    var hasWorker = false
    var isAsked = false
    var isClosed = false
}

/// What becomes of the files of a table that is dropped.
package enum DroppedFiles: Sendable {
    /// They stay; for a while the table can be had back.
    case stay
    /// They go, at once unless `undrop-days` says otherwise.
    case go
    /// They go when the table cannot be had back any more: after `undrop-days`, and where nobody says
    /// anything after a week.
    case goLater
}

extension Catalog {
    /// The property that keeps a table, view or namespace from being dropped while it is `true`.
    package static let protectionProperty = "drop-protection"
    /// How many days a dropped table can be had back with its files: a property of the table, of a
    /// namespace above it, or of the warehouse; the nearest counts.
    package static let undropProperty = "undrop-days"

    /// Drops a table. With `purge` its files go too, once it cannot be had back any more: at once, unless
    /// `undrop-days` says otherwise. What a crash leaves of them `runPurges` takes.
    package func dropTable(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        purge: Bool
    ) throws {
        try dropTable(context, at, identifier, files: purge ? .go : .stay)
    }

    /// Drops a table; what `files` says becomes of its files, those of a crash `runPurges` takes.
    package func dropTable(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        files: DroppedFiles
    ) throws {
        try drop(context, at, identifier, kind: .table, files: files)
        if files != .stay { try purgeSoon() }
    }

    /// Takes a table out of the catalog and leaves its files for another one; returns its last state.
    package func unregisterTable(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> LoadedTable {
        let decision = try authorizer.require(
            context, .tableDrop, resource(context, at, identifier.namespace, identifier.name))
        try drop(context, at, identifier, kind: .table, files: .stay)
        return try lastState(context, at, identifier, decision)
    }

    /// The state in which a table was dropped last. Throws `.noSuchTable` when none of the name was.
    package func lastState(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> LoadedTable {
        let decision = try authorizer.require(
            context, .tableDrop, resource(context, at, identifier.namespace, identifier.name))
        return try lastState(context, at, identifier, decision)
    }

    private func lastState(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        _ decision: Decision
    ) throws -> LoadedTable {
        let found = try database.read { tx in
            try droppedRows(tx, context, at).last { $0.isNamed(identifier) && $0.kind == .table }
        }
        guard let found else {
            throw CatalogError(code: .noSuchTable, message: "table not found: \(identifier)")
        }
        return try loaded(found.pointer, decision, context, at)
    }

    func drop(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        kind: EntryKind, files: DroppedFiles
    ) throws {
        try authorizer.require(
            context, .tableDrop,
            resource(context, at, identifier.namespace, identifier.name, kind: kind))
        try serialized([lockKey(context, at, identifier)]) {
            let present = try database.read { tx in
                try requirePointer(tx, context, at, identifier, kind: kind)
            }
            let properties = properties(of: present)
            try Self.refuseIfProtected(properties, "\(identifier)")
            try database.writeGrouped { tx in
                let pointer = try requirePointer(tx, context, at, identifier, kind: kind)
                try drop(tx, context, at, pointer, properties, files)
            }
        }
    }

    /// The properties of a table or view. One whose metadata is damaged can be dropped: nothing says that it
    /// may not.
    func properties(of entry: Pointer) -> [String: String] {
        let found =
            entry.kind == .table
            ? (try? metadata(at: entry.metadataLocation).metadata.properties)
            : (try? loadedView(entry).metadata.properties)
        return found ?? [:]
    }

    /// Takes an entry out, once nothing is left to ask.
    func drop(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ pointer: Pointer, _ properties: [String: String], _ files: DroppedFiles
    ) throws {
        let identifier = pointer.identifier
        let files = pointer.kind == .table ? files : .stay
        // What a branch drops may still be there on its parent: the files stay.
        let inherited = try chain(tx, context, at).dropFirst()
        let base = try findPointer(tx, context, at, Array(inherited), identifier)
        // In a transaction nothing is to be had back: COMMIT decides what becomes of the files.
        let isInTransaction = try findReference(tx, context, at)?.kind == .transaction
        let days =
            isInTransaction ? 0 : try undropDays(tx, context, at, identifier, properties, files)
        try remove(tx, context, at, pointer)
        let purges = files != .stay && base == nil
        if isInTransaction, !purges { return }
        if purges, days == 0 {
            try tx.run(
                "INSERT INTO purges (tenant, location, requested_us) VALUES (?, ?, ?)",
                context.tenant, pointer.location, tx.nowMicroseconds)
        } else {
            try keep(
                tx, context, at, pointer, purges: purges,
                days: purges ? days : max(days, Limits.undropDays))
        }
        try record(
            tx, context, at, kind: "catalog.\(pointer.kind.rawValue).dropped",
            namespace: identifier.namespace, name: identifier.name,
            details: [("purge", .bool(files != .stay))])
    }

    static func refuseIfProtected(
        _ properties: [String: String], _ name: String
    ) throws(CatalogError) {
        guard properties[protectionProperty]?.lowercased() == "true" else { return }
        throw CatalogError(
            code: .isProtected, message: "\(name) is protected against being dropped",
            hint: "set its property \(protectionProperty) to false first")
    }

    /// What the nearest `undrop-days` says; where nobody says anything, a week for files that go later, and
    /// none for others.
    func undropDays(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ identifier: TableIdentifier, _ properties: [String: String], _ files: DroppedFiles
    ) throws -> Int64 {
        func days(_ properties: [String: String]) -> Int64? {
            properties[Self.undropProperty].flatMap { Int64($0) }.map { min(max($0, 0), 3_650) }
        }
        if let days = days(properties) { return days }
        let chain = try chain(tx, context, at)
        var levels = identifier.namespace
        while !levels.isEmpty {
            if let found = try findNamespace(tx, context, at, chain, levels),
                let days = days(found.properties)
            {
                return days
            }
            levels.removeLast()
        }
        let warehouse = try tx.text(
            "SELECT properties FROM warehouses WHERE tenant = ? AND name = ?", context.tenant,
            at.warehouse)
        return days(try decodeProperties(warehouse ?? "{}"))
            ?? (files == .goLater ? Limits.statementUndropDays : 0)
    }

    // MARK: Purges

    /// Says that a thread does purges from now on, so that dropping a table does not wait for its files.
    package func startPurger() { purging.withLock { $0.hasWorker = true } }

    /// Waits until a purge is asked for; false when the purger is to end.
    package func waitForPurge(until deadline: MonotonicInstant) -> Bool {
        purging.wait(until: deadline) { state -> Bool? in
            if state.isClosed { return false }
            guard state.isAsked else { return nil }
            state.isAsked = false
            return true
        } ?? true
    }

    /// Ends the waiting of the purger.
    package func stopPurger() {
        purging.notify {
            $0.hasWorker = false
            $0.isClosed = true
        }
    }

    /// Has purges done: by the thread that does them, or here.
    func purgeSoon() throws {
        let hasWorker = purging.notify { state in
            state.isAsked = true
            return state.hasWorker
        }
        if !hasWorker { try runPurges() }
    }

    /// Deletes the files of purged tables; resumes what a stop interrupted. A place that another
    /// pointer still uses, on whichever branch or tag, or that can be had back, waits until none does.
    /// One that cannot be purged now keeps no other from it; the last failure is thrown in the end.
    package func runPurges() throws {
        try expireDropped()
        let waiting = try database.read { tx in
            try tx.query("SELECT id, location FROM purges ORDER BY id") {
                ($0.int64(0), $0.string(1))
            }
        }
        var failure: (any Error)?
        for (id, location) in waiting {
            // A branch or tag has the table still: the files go when the last of them is gone.
            if try database.read({ tx in try isUsed(tx, location) }) { continue }
            // Nor does anything go while nobody can say what others have there.
            guard let kept = try? filesOfOthers(below: location) else { continue }
            do {
                if let root = ObjectLocation(uri: location + "/"), try !purge(root, but: kept) {
                    return
                }
                try database.writeGrouped { tx in
                    try tx.run("DELETE FROM purges WHERE id = ?", id)
                }
            } catch let error as ObjectStoreError {
                failure = CatalogError(
                    code: .storageFailed, message: "cannot purge \(location)", cause: error)
            }
        }
        if let failure { throw failure }
    }

    /// Deletes what lies below a place, but what others have there; false when the catalog is closing, and
    /// the rest stays for later.
    private func purge(
        _ root: ObjectLocation, but kept: Set<ObjectLocation>
    ) throws(ObjectStoreError) -> Bool {
        do throws(ObjectStoreError) {
            var after: String?
            while !purging.withLock({ $0.isClosed }) {
                let found = try manifests.store.list(
                    bucket: root.bucket, prefix: root.key, after: after, limit: Limits.purgeBatch)
                for object in found where !kept.contains(object.location) {
                    try manifests.store.delete(object.location)
                }
                guard found.count == Limits.purgeBatch, let last = found.last else { return true }
                after = last.location.key
            }
            return false
        } catch {
            // A bucket that is gone took its files along.
            guard error.code == .noSuchBucket else { throw error }
            return true
        }
    }
}
