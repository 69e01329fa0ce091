package import Authority
import Platform
package import SQLite
import Synchronization

/// One operation of maintenance on one table, or on the branches of a warehouse.
package struct MaintenanceRecord: Sendable, Hashable {
    /// How it ended.
    package enum Outcome: String, Sendable {
        case running, finished, failed
        /// The process ended while it was running.
        case interrupted
        /// Switched off by a property.
        case skipped
    }

    package var id: Int64 = 0
    /// The operations of one nightly run or one command have the same.
    package var runID: String
    package var operation: String
    package var at: CatalogReference
    package var namespace: [String]
    /// Empty for operations on a warehouse.
    package var table: String
    package var startedMicroseconds: Int64
    package var endedMicroseconds: Int64?
    package var outcome: Outcome
    package var isDryRun: Bool
    package var before: TableFootprint?
    package var after: TableFootprint?
    /// What was done, or why it failed.
    package var message: String
    package var requestedBy: String

    package init(
        runID: String, operation: String, at: CatalogReference, namespace: [String], table: String,
        startedMicroseconds: Int64, isDryRun: Bool, requestedBy: String
    ) {
        self.runID = runID
        self.operation = operation
        self.at = at
        self.namespace = namespace
        self.table = table
        self.startedMicroseconds = startedMicroseconds
        self.isDryRun = isDryRun
        self.requestedBy = requestedBy
        outcome = .running
        message = ""
    }
}

/// What maintenance did, kept in `maintenance.sqlite` beside the catalog. The file is opened when it is
/// first needed, so that a start costs nothing; operations that a crash cut off are then marked.
package final class MaintenanceLog: Sendable {
    private let path: String
    private let clock: any WallClock
    private let opened = Mutex<Database?>(nil)

    /// The file lies in the folder of `catalog.sqlite`.
    init(besideCatalog databasePath: String, clock: any WallClock) {
        let folder = databasePath.lastIndex(of: "/").map { databasePath[...$0] } ?? ""
        path = folder + Self.fileName
        self.clock = clock
    }

    /// The file's name in the data directory.
    package static let fileName = "maintenance.sqlite"

    private static let migrations = [
        Migration(
            1, "log of maintenance",
            sql: """
                CREATE TABLE log (
                    id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, run_id TEXT NOT NULL,
                    operation TEXT NOT NULL, warehouse TEXT NOT NULL, ref TEXT NOT NULL,
                    namespace TEXT NOT NULL, name TEXT NOT NULL, started_us INTEGER NOT NULL,
                    ended_us INTEGER, outcome TEXT NOT NULL, is_dry_run INTEGER NOT NULL,
                    snapshots_before INTEGER, files_before INTEGER, bytes_before INTEGER,
                    snapshots_after INTEGER, files_after INTEGER, bytes_after INTEGER,
                    message TEXT NOT NULL, requested_by TEXT NOT NULL
                ) STRICT;
                CREATE INDEX log_by_run ON log (tenant, run_id, id);
                """)
    ]

    /// The database, opened at the first call.
    package var database: Database {
        get throws {
            try opened.withLock { opened in
                if let opened { return opened }
                let database = try Database(
                    path: path, migrations: Self.migrations,
                    nowMicroseconds: { [clock] in clock.now().microseconds })
                try database.write { tx in
                    try tx.run(
                        """
                        UPDATE log SET outcome = 'interrupted', ended_us = ?,
                            message = 'the process ended while this was running'
                        WHERE outcome = 'running'
                        """, tx.nowMicroseconds)
                }
                opened = database
                return database
            }
        }
    }

    func close() { opened.withLock { $0?.close() } }

    /// Notes that an operation has begun; the record gets its id.
    package func begin(_ context: RequestContext, _ record: inout MaintenanceRecord) throws {
        let entry = record
        record.id = try database.write { tx in
            try tx.run(
                """
                INSERT INTO log
                    (tenant, run_id, operation, warehouse, ref, namespace, name, started_us, ended_us,
                     outcome, is_dry_run, message, requested_by)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, context.tenant, entry.runID, entry.operation, entry.at.warehouse,
                entry.at.reference, entry.namespace.joinedLevels, entry.table,
                entry.startedMicroseconds, entry.endedMicroseconds, entry.outcome.rawValue,
                entry.isDryRun, entry.message, entry.requestedBy)
            let id = tx.lastInsertedRow
            try tx.run("DELETE FROM log WHERE id <= ?", id - Int64(Limits.maintenanceRecords))
            return id
        }
    }

    /// Notes how it ended.
    package func end(_ record: MaintenanceRecord) throws {
        try database.write { tx in
            try tx.run(
                """
                UPDATE log SET ended_us = ?, outcome = ?, message = ?, snapshots_before = ?,
                    files_before = ?, bytes_before = ?, snapshots_after = ?, files_after = ?,
                    bytes_after = ?
                WHERE id = ?
                """, record.endedMicroseconds, record.outcome.rawValue, record.message,
                record.before.map { Int64($0.snapshots) }, record.before.map { Int64($0.files) },
                record.before?.bytes, record.after.map { Int64($0.snapshots) },
                record.after.map { Int64($0.files) }, record.after?.bytes, record.id)
        }
    }

    /// The newest records, newest first; of one run, if it is named.
    package func records(
        _ context: RequestContext, runID: String? = nil, limit: Int
    ) throws -> [MaintenanceRecord] {
        try database.read { tx in
            try tx.query(
                """
                SELECT id, run_id, operation, warehouse, ref, namespace, name, started_us, ended_us,
                    outcome, is_dry_run, snapshots_before, files_before, bytes_before,
                    snapshots_after, files_after, bytes_after, message, requested_by
                FROM log WHERE tenant = ?1 AND (?2 IS NULL OR run_id = ?2)
                ORDER BY id DESC LIMIT ?3
                """, context.tenant, runID, min(max(limit, 0), Limits.maintenanceRecords)
            ) { row in
                var record = MaintenanceRecord(
                    runID: row.string(1), operation: row.string(2),
                    at: CatalogReference(warehouse: row.string(3), reference: row.string(4)),
                    namespace: row.string(5).levels.filter { !$0.isEmpty }, table: row.string(6),
                    startedMicroseconds: row.int64(7), isDryRun: row.bool(10),
                    requestedBy: row.string(18))
                record.id = row.int64(0)
                record.endedMicroseconds = row.int64OrNil(8)
                record.outcome = .init(rawValue: row.string(9)) ?? .failed
                record.before = Self.footprint(row, 11)
                record.after = Self.footprint(row, 14)
                record.message = row.string(17)
                return record
            }
        }
    }

    private static func footprint(_ row: Row, _ first: Int) -> TableFootprint? {
        guard let snapshots = row.int64OrNil(first), let files = row.int64OrNil(first + 1),
            let bytes = row.int64OrNil(first + 2)
        else { return nil }
        return TableFootprint(snapshots: Int(snapshots), files: Int(files), bytes: bytes)
    }
}

extension Catalog {
    /// The log's newest records that the caller may see: of tables that they may list.
    package func maintenanceRecords(
        _ context: RequestContext, runID: String? = nil, limit: Int = 10_000
    ) throws -> [MaintenanceRecord] {
        var known: [String: Bool] = [:]
        return try maintenance.records(context, runID: runID, limit: limit).filter { record in
            let key = "\(record.at.warehouse)/\(record.namespace.joinedLevels)"
            if let isSeen = known[key] { return isSeen }
            let isSeen = authorizer.decide(
                context, record.table.isEmpty ? .warehouseUse : .tableList,
                resource(context, record.at, record.namespace)
            ).isAllowed
            known[key] = isSeen
            return isSeen
        }
    }
}
