package import Authority
package import Iceberg
import JSON
import Platform
import SQLite
import Synchronization

/// The change of one table.
package struct TableCommit: Sendable {
    package var identifier: TableIdentifier
    package var requirements: [TableRequirement]
    package var updates: [TableUpdate]

    package init(
        identifier: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate]
    ) {
        self.identifier = identifier
        self.requirements = requirements
        self.updates = updates
    }
}

/// A pointer to be swung, and the text it will point at.
struct PreparedPointer {
    var pointer: Pointer
    var text: [UInt8]
    /// What the pointer has to be still; nil: it must not exist.
    var expectedLocation: String?
    var metadata: TableMetadata?
    /// Whether the table comes to be with it.
    var isNew = false
    /// The table's location before, where it is another one now.
    var formerLocation: String?
}

extension Catalog {
    /// Commits to one table. Throws `IcebergError.requirementFailed` for a lost race and
    /// `.invalidUpdate` for a change that is never allowed.
    package func commit(
        _ context: RequestContext, _ at: CatalogReference, _ commit: TableCommit
    ) throws -> LoadedTable {
        let decision = try decision(context, at, commit)
        let prepared = try commitInLine(context, at, commit)
        return try loaded(prepared.pointer, decision, context, at)
    }

    /// Commits to several tables at once: all of it or nothing.
    @discardableResult
    package func commit(
        _ context: RequestContext, _ at: CatalogReference, _ commits: [TableCommit]
    ) throws -> [LoadedTable] {
        guard commits.count <= Limits.tablesPerCommit else {
            throw CatalogError(
                code: .limitExceeded,
                message: "a transaction has at most \(Limits.tablesPerCommit) tables")
        }
        let keys = commits.map { lockKey(context, at, $0.identifier) }
        guard Set(keys).count == keys.count else {
            throw CatalogError(
                code: .invalidRequest, message: "a transaction names a table twice")
        }
        let decisions = try decisions(context, at, commits)
        return try serialized(keys) { try swing(context, at, commits, decisions) }
    }

    /// Whether the caller may do all that the commits do.
    private func decisions(
        _ context: RequestContext, _ at: CatalogReference, _ commits: [TableCommit]
    ) throws -> [Decision] {
        try commits.map { try decision(context, at, $0) }
    }

    private func decision(
        _ context: RequestContext, _ at: CatalogReference, _ commit: TableCommit
    ) throws -> Decision {
        var decision: Decision?
        for action in Self.actions(of: commit) {
            decision = try authorizer.require(
                context, action,
                resource(context, at, commit.identifier.namespace, commit.identifier.name))
        }
        return decision ?? Decision(isAllowed: true, reason: "")
    }

    /// Swings the pointers of tables that the caller holds by `serialized`.
    private func swing(
        _ context: RequestContext, _ at: CatalogReference, _ commits: [TableCommit],
        _ decisions: [Decision]
    ) throws -> [LoadedTable] {
        var prepared: [PreparedPointer] = []
        for commit in commits { prepared.append(try next(context, at, commit)) }
        try publish(context, at, prepared) { tx in
            for (commit, entry) in zip(commits, prepared) {
                try record(
                    tx, context, at,
                    kind: entry.expectedLocation == nil
                        ? "catalog.table.created" : "catalog.table.committed",
                    namespace: entry.pointer.identifier.namespace,
                    name: entry.pointer.identifier.name,
                    details: Self.details(of: commit, entry))
            }
        }
        return try zip(prepared, decisions).map { try loaded($0.pointer, $1, context, at) }
    }

    /// Lost races after which a writer holds the table.
    private static var racesBeforeHolding: Int { 3 }

    /// Commits changes that `build` makes on the table's present state, again on the new state when
    /// somebody was faster. `build` checks its conflicts itself (see `ConflictChecks`).
    ///
    /// For our own writers: append, overwrite, row delta. Files that a lost attempt wrote are removed.
    /// Who has lost some races holds the table from its state to the commit, so that nobody else is
    /// faster: a slow commit gets in between many quick ones.
    package func commitWithRetry(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        attempts: Int = 20,
        _ build: (TableMetadata) throws -> SnapshotProducer.Product
    ) throws -> LoadedTable {
        let section = pins.beginSection()
        defer { pins.endSection(section) }
        var attempt = 1
        while true {
            var written: [String] = []
            func once(_ commit: (TableCommit) throws -> LoadedTable) throws -> LoadedTable {
                let pointer = try database.read { tx in
                    try requirePointer(tx, context, at, identifier, kind: .table)
                }
                let base = try metadata(at: pointer.metadataLocation).metadata
                let product = try build(base)
                written = product.writtenPaths
                return try commit(
                    TableCommit(
                        identifier: identifier, requirements: product.requirements,
                        updates: product.updates))
            }
            do {
                guard attempt > Self.racesBeforeHolding else {
                    return try once { try commit(context, at, $0) }
                }
                return try serialized([lockKey(context, at, identifier)]) {
                    try once { one in
                        try swing(context, at, [one], decisions(context, at, [one]))[0]
                    }
                }
            } catch let error as IcebergError where error.code == .requirementFailed {
                manifests.discard(written)
                guard attempt < attempts, !context.cancellation.isCancelled else {
                    throw CatalogError(
                        code: .commitConflict,
                        message: "\(identifier) changed \(attempt) times while this was committing",
                        hint: "try again when fewer write to the table", cause: error)
                }
                attempt += 1
            } catch {
                // The transaction failed as a whole: nothing points at the files.
                manifests.discard(written)
                throw error
            }
        }
    }

    /// Adds, removes and replaces files in one snapshot, with conflict checks, until it is in.
    package func commitFiles(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        _ operation: SnapshotOperation, _ changes: FileChanges, branch: String = "main",
        checks: ConflictChecks? = nil, summary: [String: String] = [:]
    ) throws -> LoadedTable {
        try commitWithRetry(context, at, identifier) { metadata in
            try checks?.check(against: metadata, branch: branch, source: manifests)
            return try snapshotProducer().produce(
                operation, changes, on: metadata, branch: branch, summary: summary)
        }
    }

    // MARK: Steps

    /// What a commit does, in the authorizer's words.
    static func actions(of commit: TableCommit) -> [Action] {
        if commit.requirements.contains(.assertCreate) { return [.tableCreate] }
        var actions: Set<Action> = []
        for update in commit.updates {
            switch update {
            case .addSnapshot(let snapshot):
                switch snapshot.operation {
                case "append", "replace": actions.insert(.tableInsert)
                case "delete": actions.insert(.tableDelete)
                default: actions.insert(.tableUpdate)
                }
            // Moving a branch to the snapshot that the same commit adds is part of writing it.
            case .setSnapshotReference(_, let reference):
                let isOwn = commit.updates.contains {
                    if case .addSnapshot(let added) = $0 {
                        added.snapshotID == reference.snapshotID
                    } else {
                        false
                    }
                }
                if !isOwn { actions.insert(.tableAlter) }
            case .setStatistics, .setPartitionStatistics: actions.insert(.tableInsert)
            default: actions.insert(.tableAlter)
            }
        }
        return actions.isEmpty
            ? [.tableAlter] : actions.sorted { $0.rawValue < $1.rawValue }
    }

    static func details(
        of commit: TableCommit, _ entry: PreparedPointer
    ) -> [(String, JSONValue)] {
        var details: [(String, JSONValue)] = [
            ("uuid", .string(entry.pointer.uuid)),
            ("metadataLocation", .string(entry.pointer.metadataLocation)),
        ]
        for case .addSnapshot(let snapshot) in commit.updates {
            details += Self.details(of: snapshot)
        }
        return details
    }

    /// What an event says of a snapshot.
    static func details(of snapshot: Snapshot?) -> [(String, JSONValue)] {
        guard let snapshot else { return [] }
        var details: [(String, JSONValue)] = [
            ("snapshotId", .int(snapshot.snapshotID)),
            ("operation", .string(snapshot.operation ?? "unknown")),
        ]
        for (name, key) in [
            ("queryId", "trino_query_id"), ("runId", "lakehouse.run-id"),
            ("stepId", "lakehouse.step-id"),
        ] {
            if let value = snapshot.summary[key] { details.append((name, .string(value))) }
        }
        if let records = snapshot.summary["added-records"] {
            details.append(("addedRecords", .string(records)))
        }
        return details
    }

    /// Works out the next state of one table: of what is there, or of a state that the same transaction
    /// will make before it.
    func next(
        _ context: RequestContext, _ at: CatalogReference, _ commit: TableCommit,
        after last: PreparedPointer? = nil
    ) throws -> PreparedPointer {
        let found =
            try last?.pointer
            ?? database.read { tx in
                let chain = try chain(tx, context, at)
                _ = try requireNamespace(tx, context, at, chain, commit.identifier.namespace)
                return try findPointer(tx, context, at, chain, commit.identifier)
            }
        guard let pointer = found, pointer.kind == .table else {
            if let found {
                throw CatalogError(
                    code: .alreadyExists,
                    message: "it is a \(found.kind.rawValue): \(commit.identifier)")
            }
            guard commit.requirements.contains(.assertCreate) else {
                throw CatalogError(
                    code: .noSuchTable, message: "table not found: \(commit.identifier)")
            }
            return try create(context, at, commit)
        }
        let base = try last?.metadata ?? metadata(at: pointer.metadataLocation).metadata
        for requirement in commit.requirements { try requirement.check(base) }
        var next = try base.applying(commit.updates, nowMilliseconds: nowMilliseconds)
            .keepingPlaces(of: base)
        if next == base.touched(at: next.lastUpdatedMilliseconds) {
            // Nothing changed: the pointer stays, and no new file is written.
            return PreparedPointer(
                pointer: pointer, text: [], expectedLocation: pointer.metadataLocation)
        }
        try requireOwnLists(context, commit, next)
        try checkContracts(context, pointer, from: base, to: next)
        try requirePlaces(context, at, next, base: base)
        next = next.recordingPrevious(base, metadataFile: pointer.metadataLocation)
        var prepared = prepare(
            next, pointer.identifier, kind: .table, version: pointer.version + 1, context)
        prepared.pointer.owner = pointer.owner
        prepared.expectedLocation = pointer.metadataLocation
        if next.location != base.location { prepared.formerLocation = base.location }
        let path = "write.metadata.path"
        if next.location != base.location || next.properties[path] != base.properties[path] {
            try prove(prepared)
        }
        return prepared
    }

    /// Refuses a snapshot whose manifest list is none of the table's, nor the caller's to read.
    private func requireOwnLists(
        _ context: RequestContext, _ commit: TableCommit, _ next: TableMetadata
    ) throws {
        for case .addSnapshot(let snapshot) in commit.updates {
            let rule = fileRule(context, commit.identifier, next)
            for path in [snapshot.manifestList].compactMap({ $0 }) + snapshot.manifests {
                do throws(IcebergError) { try rule.require(path) } catch {
                    throw CatalogError(
                        code: .invalidRequest,
                        message:
                            "snapshot \(snapshot.snapshotID) has a manifest list that is not of "
                            + "the table: \(path)",
                        hint: "write it below \(next.location)/metadata", cause: nil)
                }
            }
        }
    }

    /// Writes a metadata file before its commit, where the catalog has not written for the entry yet:
    /// once committed to a place that cannot be written, it would be in the journal alone.
    func prove(_ entry: PreparedPointer) throws {
        do { try manifests.write(entry.text, to: entry.pointer.metadataLocation) } catch {
            throw Self.unprovable(
                entry.pointer.identifier, entry.pointer.metadataLocation, error)
        }
    }

    /// The first commit of a staged table.
    private func create(
        _ context: RequestContext, _ at: CatalogReference, _ commit: TableCommit
    ) throws -> PreparedPointer {
        try Self.check(name: commit.identifier.name)
        for requirement in commit.requirements { try requirement.check(nil) }
        var version = 2
        for case .upgradeFormatVersion(let wanted) in commit.updates {
            try Self.check(formatVersion: "\(wanted)")
            version = wanted
        }
        var updates = commit.updates
        var wanted: (uuid: String?, location: String?)
        for case .assignUUID(let own) in updates { wanted.uuid = own }
        for case .setLocation(let own) in updates { wanted.location = own }
        try wanted.uuid.map { try Self.check(uuid: $0) }
        let (levels, known, home) = try database.read { tx in
            let chain = try chain(tx, context, at)
            let found = try requireNamespace(tx, context, at, chain, commit.identifier.namespace)
            let known = try staged(
                tx, context, at, uuid: wanted.uuid, location: wanted.location)
            let uuid = wanted.uuid ?? known?.uuid ?? entropy.uuid()
            if let known { return (found.levels, known, TableHome(known)) }
            var home = try self.home(tx, context, at, found, commit.identifier.name, uuid)
            // Who brings a uuid may know of a folder of that name.
            if wanted.uuid != nil { home.isOwn = false }
            return (found.levels, StagedTable(uuid: uuid, location: home.location), home)
        }
        if wanted.uuid == nil { updates.insert(.assignUUID(known.uuid), at: 0) }
        if wanted.location == nil { updates.insert(.setLocation(home.location), at: 0) }
        let metadata = try TableMetadata.empty(formatVersion: version).applying(
            updates, nowMilliseconds: nowMilliseconds)
        try requirePlaces(
            context, at, metadata, isHome: home.isOwn && metadata.location == home.location)
        try requireOwnLists(context, commit, metadata)
        let identifier = TableIdentifier(namespace: levels, name: commit.identifier.name)
        var prepared = prepare(metadata, identifier, kind: .table, version: 0, context)
        prepared.isNew = true
        try prove(prepared)
        return prepared
    }

    /// Refuses what no later start could read.
    static func check(formatVersion: String) throws {
        guard ["1", "2", "3"].contains(formatVersion) else {
            throw CatalogError(
                code: .invalidRequest, message: "format-version is 1, 2 or 3, not \(formatVersion)")
        }
    }

    func prepare(
        _ metadata: TableMetadata, _ identifier: TableIdentifier, kind: EntryKind, version: Int64,
        _ context: RequestContext
    ) -> PreparedPointer {
        let base = metadata.properties["write.metadata.path"] ?? "\(metadata.location)/metadata"
        return PreparedPointer(
            pointer: Pointer(
                identifier: identifier, kind: kind, uuid: metadata.tableUUID,
                location: metadata.location,
                metadataLocation: Self.metadataName(base, version, entropy.uuid()),
                version: version, owner: context.principal.name),
            text: metadata.json.encoded(), expectedLocation: nil, metadata: metadata)
    }

    /// `…/00003-<uuid>.metadata.json`.
    static func metadataName(_ base: String, _ version: Int64, _ uuid: String) -> String {
        let digits = String(version)
        let number = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        return "\(base)/\(number)-\(uuid).metadata.json"
    }

    /// Journals the texts and swings the pointers in one transaction, then writes the objects.
    func publish(
        _ context: RequestContext, _ at: CatalogReference, _ prepared: [PreparedPointer],
        _ inTransaction: (WriteTransaction) throws -> Void
    ) throws {
        let changed = prepared.filter { !$0.text.isEmpty }
        guard !changed.isEmpty else { return }
        try database.writeGrouped { tx in
            try dropSettled(tx)
            let chain = try chain(tx, context, at)
            for entry in changed {
                try swing(tx, context, at, chain, entry)
            }
            try inTransaction(tx)
        }
        writeObjects(of: changed)
    }

    /// Journals one text and swings its pointer, if that is where it was left.
    func swing(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ chain: [String], _ entry: PreparedPointer
    ) throws {
        let present = try findPointer(tx, context, at, chain, entry.pointer.identifier)
        guard present?.metadataLocation == entry.expectedLocation else {
            throw IcebergError(
                code: .requirementFailed,
                message: "\(entry.pointer.identifier) changed during the commit",
                hint: "load it again and repeat the change on its present state")
        }
        if entry.isNew { try claim(tx, context, entry.pointer.uuid) }
        if let metadata = entry.metadata {
            try note(tx, tenant: context.tenant, metadata, was: entry.formerLocation)
        }
        try journal(tx, entry)
        try put(tx, context, at, entry.pointer)
    }

    /// Keeps a metadata text until its object is written.
    func journal(_ tx: WriteTransaction, _ entry: PreparedPointer) throws {
        try tx.run(
            "INSERT INTO journal (metadata_location, text, at_us) VALUES (?, ?, ?)",
            entry.pointer.metadataLocation, entry.text, tx.nowMicroseconds)
    }

    /// Writes what was journaled by a transaction that is committed.
    func writeObjects(of changed: [PreparedPointer]) {
        for entry in changed {
            if let metadata = entry.metadata {
                cache.insert(entry.pointer.metadataLocation, metadata, text: entry.text)
            }
            // The commit is durable; an object that cannot be written now is written by recovery,
            // and until then read from the journal.
            do {
                try manifests.write(entry.text, to: entry.pointer.metadataLocation)
                settled.withLock { $0.append(entry.pointer.metadataLocation) }
            } catch {
                unwritten(entry.pointer.metadataLocation, error)
            }
        }
    }
}

extension TableMetadata {
    /// The same with another time of its last change, to compare the rest.
    fileprivate func touched(at milliseconds: Int64) -> TableMetadata {
        var copy = self
        copy.lastUpdatedMilliseconds = milliseconds
        return copy
    }
}
