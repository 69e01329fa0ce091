package import Authority
package import JSON
package import Platform
package import SQLite
import Synchronization

/// The trail, in `ledger.sqlite`.
package final class AuditLedger: Sendable {
    package let database: Database
    private let clock: any WallClock
    private let sources: [any LedgerSource]

    private struct Buffer {
        var entries: [LedgerEntry] = []
        /// What is in `entries`, so that one request that reads a thing a thousand times is one row.
        var known: Set<[String]> = []
        var droppedCount = 0
        var isUrgent = false
        var hasEvents = true
        var isStopped = false
    }
    private let buffer = Monitor(Buffer())
    private let draining = Mutex(())
    /// Held while buffered rows are on their way to the disk. Taken before the buffer's lock.
    private let flushing = Mutex(())
    private let running = Mutex<(thread: Thread?, subscriptions: [OutboxSubscription])>((nil, []))

    /// How many rows may wait.
    static let bufferLimit = 50_000
    /// How many events are written in one transaction.
    static let batchLimit = 1_000
    /// How many rows a page may have.
    package static let pageLimit = 1_000
    /// How long an allowed read may wait to be written.
    static let readDelay = Duration.milliseconds(900)
    /// Events of so long are taken in together: each round costs a sync here and one at their source.
    static let eventPause = Duration.milliseconds(100)

    /// Opens or creates the file; `sources` in any order.
    package init(
        path: String, sources: [any LedgerSource], clock: any WallClock = SystemWallClock()
    ) throws {
        self.clock = clock
        self.sources = sources
        database = try Database(
            path: path, migrations: ledgerMigrations,
            nowMicroseconds: { clock.now().microseconds })
        for source in sources { try source.register() }
    }

    // MARK: Decisions

    /// Takes note of a decision of the authorizer: every denial, and what was allowed to be read.
    /// Never blocks on the disk: whoever answers a refusal calls `settle` first. What is allowed to be
    /// changed comes through an outbox.
    package func record(
        _ context: RequestContext, _ action: Action, _ resource: Resource, _ decision: Decision
    ) {
        guard !decision.isAllowed || Self.isRead(action), context.principal.kind != .system else {
            return
        }
        let name = "\(resource.kind.rawValue):\(resource.path.joined(separator: "/"))"
        let verdict = decision.isAllowed ? "allowed" : "denied"
        let key = [context.principal.id, context.requestID, action.rawValue, name, verdict]
        let detail: JSONValue = .object([("reason", .string(decision.reason))])
        let entry = LedgerEntry(
            sequence: 0, tenant: context.tenant, atMicroseconds: clock.now().microseconds,
            principalID: context.principal.id, principalName: context.principal.name,
            requestID: context.requestID, door: context.door.rawValue, action: action.rawValue,
            resource: name, decision: verdict, detail: detail.encodedText())
        let isUrgent = !decision.isAllowed
        buffer.withLock { buffer in
            guard buffer.known.insert(key).inserted else { return }
            if buffer.entries.count >= Self.bufferLimit {
                buffer.known.remove(key)
                buffer.droppedCount += 1
            } else {
                buffer.entries.append(entry)
            }
        }
        if isUrgent { buffer.notify { $0.isUrgent = true } }
    }

    /// Takes note of something that was done, such as a query that read a table. Like allowed reads it is
    /// written some moments later.
    package func note(
        _ context: RequestContext, _ action: String, resource: String, detail: JSONValue
    ) {
        let entry = LedgerEntry(
            sequence: 0, tenant: context.tenant, atMicroseconds: clock.now().microseconds,
            principalID: context.principal.id, principalName: context.principal.name,
            requestID: context.requestID, door: context.door.rawValue, action: action,
            resource: resource, decision: "allowed", detail: detail.encodedText())
        buffer.withLock { buffer in
            if buffer.entries.count >= Self.bufferLimit {
                buffer.droppedCount += 1
            } else {
                buffer.entries.append(entry)
            }
        }
    }

    private static func isRead(_ action: Action) -> Bool {
        switch action {
        case .objectRead, .tableSelect, .dashboardView, .ledgerView, .identityView, .queryRun: true
        default: false
        }
    }

    /// Returns when every denial recorded before the call is on the disk, so that nobody is refused
    /// without a trace. Those who wait at the same time share one sync. On a full disk the rows stay in
    /// the buffer and the writer tries again: a refusal is answered all the same.
    package func settle() { _ = try? flush() }

    /// Writes what is buffered, durably; returns how many rows. Returns after a flush that is under way,
    /// which may hold rows of the caller.
    @discardableResult
    package func flush() throws -> Int { try flushing.withLock { _ in try write() } }

    private func write() throws -> Int {
        let (entries, droppedCount) = buffer.withLock { buffer in
            defer {
                buffer.entries = []
                buffer.known = []
                buffer.droppedCount = 0
                buffer.isUrgent = false
            }
            return (buffer.entries, buffer.droppedCount)
        }
        guard !entries.isEmpty || droppedCount > 0 else { return 0 }
        do {
            try database.write { tx in
                for entry in entries { try insert(tx, entry, source: nil, sourceSequence: nil) }
                guard droppedCount > 0 else { return }
                let note = LedgerEntry(
                    sequence: 0, tenant: "main", atMicroseconds: tx.nowMicroseconds,
                    principalID: "system", principalName: "system", requestID: "-", door: "event",
                    action: "ledger.overflow", resource: "ledger:", decision: "allowed",
                    detail: "{\"dropped\":\(droppedCount)}")
                try insert(tx, note, source: nil, sourceSequence: nil)
            }
        } catch {
            // A full disk must not make the trail forget: the rows wait for the next try.
            buffer.withLock { buffer in
                let room = max(0, Self.bufferLimit - buffer.entries.count)
                buffer.entries.insert(contentsOf: entries.prefix(room), at: 0)
                buffer.droppedCount += droppedCount + max(0, entries.count - room)
            }
            throw error
        }
        return entries.count
    }

    // MARK: Events

    /// Takes in what the sources have; returns how many rows were written.
    @discardableResult
    package func drain() throws -> Int {
        try draining.withLock { _ in
            var count = 0
            for source in sources { count += try drain(source) }
            return count
        }
    }

    private func drain(_ source: any LedgerSource) throws -> Int {
        var count = 0
        while true {
            let place =
                try database.read { tx in
                    try tx.number("SELECT seq FROM sources WHERE name = ?", source.name)
                } ?? 0
            let events = try source.events(after: place, limit: Self.batchLimit)
            guard let last = events.last else { return count }
            try database.write { tx in
                for event in events {
                    try insert(
                        tx, Self.entry(event), source: source.name, sourceSequence: event.seq)
                }
                try tx.run(
                    """
                    INSERT INTO sources (name, seq) VALUES (?, ?)
                    ON CONFLICT (name) DO UPDATE SET seq = excluded.seq
                    """, source.name, last.seq)
            }
            count += events.count
            try source.acknowledge(last.seq)
            if events.count < Self.batchLimit { return count }
        }
    }

    /// What an event says, column by column.
    private static func entry(_ event: OutboxEvent) -> LedgerEntry {
        let payload = (try? JSONValue(parsing: event.payload))?.cursor ?? JSONCursor(nil)
        func text(_ name: String) -> String? { try? payload[name].string() }
        var resource = text("resource")
        if resource == nil, let bucket = text("bucket") {
            resource =
                "object:" + ([bucket] + [text("key")].compactMap { $0 }).joined(separator: "/")
        }
        if resource == nil { resource = catalogResource(event.kind, payload) }
        if resource == nil, let table = text("table") ?? text("namespace") {
            resource =
                "table:" + ([text("warehouse")].compactMap { $0 } + [table]).joined(separator: "/")
        }
        let principal = text("principalId") ?? text("principal") ?? ""
        return LedgerEntry(
            sequence: 0, tenant: event.tenant, atMicroseconds: event.atMicroseconds,
            principalID: principal,
            principalName: text("principalName") ?? text("principal") ?? principal,
            requestID: text("requestID") ?? text("requestId") ?? "", door: text("door") ?? "",
            action: text("action") ?? event.kind, resource: resource ?? "",
            decision: text("decision") ?? "allowed", detail: event.payload)
    }

    /// `table:silver/sales/orders` of what the catalog tells, in lower case: names are the same in any.
    private static func catalogResource(_ kind: String, _ payload: JSONCursor) -> String? {
        let words = kind.split(separator: ".")
        guard words.count > 1, words[0] == "catalog",
            let warehouse = try? payload["warehouse"].string(),
            let namespace = try? payload["namespace"].strings()
        else { return nil }
        let name = (try? payload["name"].string()).map { [$0] } ?? []
        let path = ([warehouse] + namespace + name).joined(separator: "/")
        return "\(words[1]):\(path.lowercased())"
    }

    private func insert(
        _ tx: WriteTransaction, _ entry: LedgerEntry, source: String?, sourceSequence: Int64?
    ) throws {
        try tx.run(
            """
            INSERT OR IGNORE INTO entries (tenant, at_us, principal_id, principal, request_id, door,
                action, resource, decision, detail, source, source_seq, query_id, run_id, snapshot_id)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
                CASE WHEN json_valid(?10) THEN json_extract(?10, '$.queryId') END,
                CASE WHEN json_valid(?10) THEN json_extract(?10, '$.runId') END,
                CASE WHEN json_valid(?10) THEN CAST(json_extract(?10, '$.snapshotId') AS INTEGER) END
            """, entry.tenant, entry.atMicroseconds, entry.principalID, entry.principalName,
            entry.requestID, entry.door, entry.action, entry.resource, entry.decision, entry.detail,
            source, sourceSequence)
    }

    // MARK: Running

    /// Starts the writer's thread.
    package func start() throws {
        let buffer = buffer
        let subscriptions = sources.map { source in
            source.subscribe { buffer.notify { $0.hasEvents = true } }
        }
        let thread = try Thread(name: "ledger") { [self] in work() }
        running.withLock { $0 = (thread, subscriptions) }
    }

    /// Writes what there is, ends the thread and closes the file.
    package func stop() throws {
        buffer.notify { $0.isStopped = true }
        let thread = running.withLock { running in
            defer { running = (nil, []) }
            return running.thread
        }
        thread?.join()
        // What cannot be taken in stays in the outboxes; the file is closed all the same.
        defer { database.close() }
        try drain()
        try flush()
    }

    private func work() {
        let monotonic = SystemMonotonicClock()
        while true {
            let deadline = monotonic.now() + Self.readDelay
            let woken = buffer.wait(until: deadline) { buffer -> (events: Bool, stop: Bool)? in
                guard buffer.isStopped || buffer.hasEvents || buffer.isUrgent else { return nil }
                defer {
                    buffer.hasEvents = false
                    buffer.isUrgent = false
                }
                return (buffer.hasEvents, buffer.isStopped)
            }
            if woken?.stop == true { return }
            do {
                if woken?.events == true { try drain() }
                try flush()
                guard woken?.events == true else { continue }
                let pause = monotonic.now() + Self.eventPause
                _ = buffer.wait(until: pause) { $0.isStopped || $0.isUrgent ? () : nil }
            } catch {
                // Kept in the outbox and in the buffer; the next round tries again after a pause.
                buffer.withLock { $0.hasEvents = true }
                Thread.sleep(for: .milliseconds(500))
            }
        }
    }

    // MARK: Questions

    /// Rows that fit, newest first, behind `before`. Asks for `ledger.view`.
    package func entries(
        _ context: RequestContext, authorizer: any Authorizer,
        _ filter: LedgerFilter = LedgerFilter(),
        before: Int64? = nil, limit: Int = 100
    ) throws -> LedgerPage {
        try authorizer.require(
            context, .ledgerView, Resource(tenant: context.tenant, kind: .ledger, path: []))
        guard (1...Self.pageLimit).contains(limit) else {
            throw LedgerError(
                code: .invalidLimit,
                message: "a page has 1 to \(Self.pageLimit) rows, not \(limit)",
                hint: "ask for fewer and follow the pages")
        }
        var conditions = ["tenant = ?"]
        var values: [any SQLiteBindable] = [context.tenant]
        func add(_ condition: String, _ value: (any SQLiteBindable)?) {
            guard let value else { return }
            conditions.append(condition)
            values.append(value)
        }
        add("seq < ?", before)
        add("at_us >= ?", filter.sinceMicroseconds)
        add("at_us < ?", filter.untilMicroseconds)
        if let principal = filter.principal {
            conditions.append("(principal = ? OR principal_id = ?)")
            values += [principal, principal]
        }
        add("request_id = ?", filter.requestID)
        add("door = ?", filter.door)
        add("decision = ?", filter.decision)
        if let action = filter.action {
            if action.hasSuffix(".") {
                add(
                    "substr(action, 1, length(?1)) = ?1".replacingPlaceholder(values.count + 1),
                    action)
            } else {
                add("action = ?", action)
            }
        }
        if let prefix = filter.resourcePrefix {
            add(
                "substr(resource, 1, length(?1)) = ?1".replacingPlaceholder(values.count + 1),
                prefix)
        }
        values.append(limit + 1)
        let rows = try database.read { tx in
            try tx.query(
                """
                SELECT seq, tenant, at_us, principal_id, principal, request_id, door, action, resource,
                    decision, detail
                FROM entries WHERE \(conditions.joined(separator: " AND ")) ORDER BY seq DESC LIMIT ?
                """, values: values
            ) { row in
                LedgerEntry(
                    sequence: row.int64(0), tenant: row.string(1), atMicroseconds: row.int64(2),
                    principalID: row.string(3), principalName: row.string(4),
                    requestID: row.string(5), door: row.string(6), action: row.string(7),
                    resource: row.string(8), decision: row.string(9), detail: row.string(10))
            }
        }
        let page = Array(rows.prefix(limit))
        return LedgerPage(entries: page, next: rows.count > limit ? page.last?.sequence : nil)
    }

    /// Removes rows from before a moment; returns how many.
    @discardableResult
    package func trim(before microseconds: Int64) throws -> Int {
        try database.write { tx in try tx.run("DELETE FROM entries WHERE at_us < ?", microseconds) }
    }
}

extension String {
    /// `?1` by its place among the bound values, for conditions that name one value twice.
    fileprivate func replacingPlaceholder(_ number: Int) -> String {
        split(separator: "?1", omittingEmptySubsequences: false).joined(separator: "?\(number)")
    }
}

let ledgerMigrations: [Migration] = [
    Migration(
        1, "the trail",
        sql: """
            CREATE TABLE entries (
                seq INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, at_us INTEGER NOT NULL,
                principal_id TEXT NOT NULL, principal TEXT NOT NULL, request_id TEXT NOT NULL,
                door TEXT NOT NULL, action TEXT NOT NULL, resource TEXT NOT NULL,
                decision TEXT NOT NULL, detail TEXT NOT NULL, source TEXT, source_seq INTEGER,
                UNIQUE (source, source_seq)
            ) STRICT;
            CREATE INDEX entries_by_time ON entries (at_us);
            CREATE INDEX entries_by_principal ON entries (principal, seq);
            CREATE INDEX entries_by_request ON entries (request_id);
            CREATE TABLE sources (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
            """),
    Migration(
        2, "traces",
        sql: """
            CREATE INDEX entries_by_resource ON entries (resource, seq);
            ALTER TABLE entries ADD COLUMN query_id TEXT;
            ALTER TABLE entries ADD COLUMN run_id TEXT;
            ALTER TABLE entries ADD COLUMN snapshot_id INTEGER;
            UPDATE entries SET query_id = json_extract(detail, '$.queryId'),
                run_id = json_extract(detail, '$.runId'),
                snapshot_id = CAST(json_extract(detail, '$.snapshotId') AS INTEGER)
                WHERE json_valid(detail);
            CREATE INDEX entries_by_query ON entries (query_id, seq);
            CREATE INDEX entries_by_run ON entries (run_id, seq);
            CREATE INDEX entries_by_snapshot ON entries (snapshot_id, seq);
            """),
    Migration(
        3, "traces without a limit",
        sql: """
            CREATE INDEX entries_commits ON entries (tenant, seq)
                WHERE action IN ('catalog.table.committed', 'catalog.table.created');
            CREATE INDEX entries_reads ON entries (resource, query_id) WHERE action = 'table.read';
            """),
]
