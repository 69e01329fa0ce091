package import Authority
import Diagnostics
package import Iceberg
import JSON
package import ObjectStorage
package import Platform
package import SQLite
import Synchronization
import Telemetry

/// The catalog. One a process; every verb may be called from any thread and blocks on the disk.
package final class Catalog: Sendable {
    let database: Database
    let authorizer: any Authorizer
    /// Decides what a listing shows, without a trail: nothing is refused by it.
    let listing: any Authorizer
    /// Row filters and masks; nil: there are none.
    package let governance: (any TableGovernance)?
    let clock: any WallClock
    let entropy: any Entropy
    /// Manifest lists and manifests, cached; planning and commits read through it.
    package let manifests: ManifestSource
    let cache = MetadataCache()
    /// Commits that wait for a table's turn.
    let line = CommitLine()
    /// Tables with a writer inside.
    let busy = Monitor<Set<String>>([])
    /// Journal copies whose object is written: the next transaction drops them.
    let settled = Mutex<[String]>([])
    /// Who reads and writes table files at the moment.
    package let pins = TablePins()
    let foreignFiles = ForeignFiles()
    /// What maintenance did.
    package let maintenance: MaintenanceLog
    private let log = Logger()
    /// Requests under way that came with an idempotency key, by their id.
    let keyed = Mutex<[String: IdempotencyKey]>([:])
    /// How many purges were asked for, and whether somebody waits to do them.
    let purging = Monitor(PurgeState())

    /// Opens or creates the database. `store` writes and reads with the appliance's own rights: the
    /// catalog has asked the authorizer before.
    package init(
        databasePath: String, store: any ObjectStore, authorizer: any Authorizer,
        clock: any WallClock, entropy: any Entropy, governance: (any TableGovernance)? = nil,
        listing: (any Authorizer)? = nil
    ) throws {
        database = try Database(
            path: databasePath, migrations: catalogMigrations,
            nowMicroseconds: { clock.now().microseconds })
        self.authorizer = authorizer
        self.listing = listing ?? authorizer
        self.governance = governance
        self.clock = clock
        self.entropy = entropy
        manifests = ManifestSource(store: store)
        maintenance = MaintenanceLog(besideCatalog: databasePath, clock: clock)
    }

    /// Wakes those who read the outbox of `catalog.sqlite`.
    package var outbox: Database { database }

    /// Writes the metadata objects that a crash kept from being written; returns how many. Call it
    /// once before the first verb. What cannot be written now stays in the journal, from which its
    /// table is read, and is told in the log: one table keeps no catalog from opening.
    @discardableResult
    package func recover() throws -> Int {
        let pending = try database.read { tx in
            try tx.query("SELECT metadata_location, text FROM journal") {
                ($0.string(0), $0.bytes(1))
            }
        }
        var written = 0
        for (location, text) in pending {
            do { try manifests.write(text, to: location) } catch {
                unwritten(location, error)
                continue
            }
            settled.withLock { $0.append(location) }
            written += 1
        }
        if written > 0 { try database.write { tx in try dropSettled(tx) } }
        try placeTablesOfBefore()
        try rollBackAbandonedTransactions()
        return written
    }

    /// Tells of a metadata object that only the journal has.
    func unwritten(_ location: String, _ error: IcebergError) {
        log.error(
            "catalog.metadata_unwritten",
            "A metadata file cannot be written; the catalog keeps it and tries again at its next start.",
            ["file": .string(location), "because": .string("\(error)")])
    }

    /// Closes the database; later verbs fail.
    package func close() {
        maintenance.close()
        database.close()
    }

    /// A random id.
    package func newID() -> String { entropy.uuid() }

    var nowMilliseconds: Int64 { clock.now().milliseconds }

    /// A producer of snapshots with this catalog's clock, randomness and store.
    package func snapshotProducer() -> SnapshotProducer {
        let entropy = entropy
        return SnapshotProducer(
            source: manifests, nowMilliseconds: nowMilliseconds, entropy: { entropy.word() })
    }

    // MARK: Helpers of the verbs

    func resource(
        _ context: RequestContext, _ at: CatalogReference, _ namespace: [String],
        _ name: String? = nil, kind: EntryKind = .table
    ) -> Resource {
        if let name {
            return Resource(
                tenant: context.tenant, kind: kind == .view ? .view : .table,
                path: [at.warehouse] + namespace + [name])
        }
        return Resource(
            tenant: context.tenant, kind: namespace.isEmpty ? .warehouse : .namespace,
            path: [at.warehouse] + namespace)
    }

    /// Takes the table's turn for the time of `body`. Several names are taken in order, so that two
    /// transactions over the same tables cannot wait for each other.
    func serialized<Result>(_ keys: [String], _ body: () throws -> Result) rethrows -> Result {
        let sorted = Set(keys).sorted()
        for key in sorted {
            busy.wait { $0.insert(key).inserted ? () : nil }
        }
        defer { busy.notify { $0.subtract(sorted) } }
        return try body()
    }

    func lockKey(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) -> String {
        [
            context.tenant, at.warehouse, at.reference, identifier.namespace.folded,
            identifier.name.lowercased(),
        ].joined(separator: "\u{0}")
    }

    /// Notes a commit on the reference and emits its event.
    func record(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        kind: String, namespace: [String], name: String?, details: [(String, JSONValue)] = []
    ) throws {
        let subject = (namespace + (name.map { [$0] } ?? [])).joined(separator: ".")
        let reference = try tx.first(
            "SELECT commit_id, kind FROM refs WHERE tenant = ? AND warehouse = ? AND name = ?",
            context.tenant, at.warehouse, at.reference,
            row: { ($0.int64OrNil(0), $0.string(1)) })
        // What a transaction does becomes a commit, and an event, when it is committed.
        if reference?.1 == ReferenceKind.transaction.rawValue { return }
        guard reference?.1 != ReferenceKind.tag.rawValue else {
            throw CatalogError(
                code: .invalidRequest, message: "\(at) is a tag, which never changes",
                hint: "create a branch from it, and write there")
        }
        try noteEffect(tx, context)
        let parent = reference?.0
        try tx.run(
            """
            INSERT INTO commits
                (tenant, warehouse, ref, parent, at_us, principal, request_id, operation, subject)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, context.tenant, at.warehouse, at.reference, parent, tx.nowMicroseconds,
            context.principal.name, context.requestID, kind, subject)
        try tx.run(
            "UPDATE refs SET commit_id = ? WHERE tenant = ? AND warehouse = ? AND name = ?",
            tx.lastInsertedRow, context.tenant, at.warehouse, at.reference)
        var payload: [(String, JSONValue)] = [
            ("warehouse", .string(at.warehouse)), ("ref", .string(at.reference)),
            ("namespace", .array(namespace.map { .string($0) })),
            ("principal", .string(context.principal.name)),
            ("principalId", .string(context.principal.id)),
            ("requestId", .string(context.requestID)), ("door", .string(context.door.rawValue)),
        ]
        if let name { payload.append(("name", .string(name))) }
        try tx.emit(
            tenant: context.tenant, kind: kind,
            payload: JSONValue.object(payload + details).encodedText())
    }

    /// Drops journal copies that are no longer needed, with the transaction at hand.
    func dropSettled(_ tx: WriteTransaction) throws {
        let locations = settled.withLock { waiting in
            let taken = Array(waiting.prefix(Limits.journalCleanup))
            waiting.removeFirst(taken.count)
            return taken
        }
        for location in locations {
            try tx.run("DELETE FROM journal WHERE metadata_location = ?", location)
        }
    }

    /// The reference and its parents, nearest first. Throws for an unknown warehouse or reference.
    func chain(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference
    ) throws -> [String] {
        guard
            try tx.exists(
                "SELECT 1 FROM warehouses WHERE tenant = ? AND name = ?", context.tenant,
                at.warehouse)
        else {
            let names = try tx.query(
                "SELECT name FROM warehouses WHERE tenant = ?", context.tenant
            ) { $0.string(0) }
            throw CatalogError(
                code: .noSuchWarehouse, message: "warehouse not found: \(at.warehouse)",
                hint: nearestName(to: at.warehouse, among: names).map { "did you mean \($0)?" })
        }
        var chain: [String] = []
        var next: String? = at.reference
        while let name = next, !chain.contains(name) {
            guard
                let parent = try tx.first(
                    "SELECT parent FROM refs WHERE tenant = ? AND warehouse = ? AND name = ?",
                    context.tenant, at.warehouse, name, row: { $0.stringOrNil(0) })
            else { throw try noSuchReference(tx, context, at) }
            chain.append(name)
            next = parent
        }
        return chain
    }

    /// A name that people may give: not empty, not too long, no separators or control characters.
    static func check(name: String) throws(CatalogError) {
        let isPlain = name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        guard !name.isEmpty, name.utf8.count <= Limits.nameBytes, isPlain else {
            throw CatalogError(
                code: .invalidName,
                message: "a name has 1 to \(Limits.nameBytes) bytes and no control characters")
        }
    }

    static func check(namespace: [String]) throws(CatalogError) {
        guard !namespace.isEmpty, namespace.count <= Limits.namespaceDepth else {
            throw CatalogError(
                code: .invalidName,
                message: "a namespace has 1 to \(Limits.namespaceDepth) levels")
        }
        for level in namespace { try check(name: level) }
    }
}

func encodeProperties(_ properties: [String: String]) -> String {
    JSONValue.object(properties.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
        .encodedText()
}

func decodeProperties(_ text: String) throws -> [String: String] {
    try JSONValue(parsing: text).cursor.stringMap()
}
