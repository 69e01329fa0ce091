import JSON
import SQLEngine
import SQLPlanning
import SQLite

/// The schema of `quality.sqlite`.
let qualityMigrations: [Migration] = [
    Migration(
        1, "checks and results",
        sql: """
            CREATE TABLE checks (
                tenant TEXT NOT NULL, catalog TEXT NOT NULL, schema TEXT NOT NULL,
                table_name TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
                options TEXT NOT NULL, source TEXT NOT NULL, created_us INTEGER NOT NULL,
                created_by TEXT NOT NULL,
                PRIMARY KEY (tenant, catalog, schema, table_name, name)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE results (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                tenant TEXT NOT NULL, run_id TEXT NOT NULL, at_us INTEGER NOT NULL,
                catalog TEXT NOT NULL, ref TEXT NOT NULL, schema TEXT NOT NULL,
                table_name TEXT NOT NULL, snapshot_id INTEGER, check_name TEXT NOT NULL,
                kind TEXT NOT NULL, severity TEXT NOT NULL, status TEXT NOT NULL,
                failing INTEGER, total INTEGER, message TEXT NOT NULL, samples TEXT NOT NULL,
                elapsed_ms INTEGER NOT NULL, requested_by TEXT NOT NULL
            ) STRICT;
            CREATE INDEX results_by_table ON results (tenant, catalog, schema, table_name, id);
            CREATE INDEX results_by_run ON results (tenant, run_id);
            """),
    Migration(
        2, "checks of a table that was renamed",
        sql: """
            ALTER TABLE checks ADD COLUMN uuid TEXT;
            CREATE INDEX checks_by_uuid ON checks (tenant, catalog, uuid);
            """),
]

/// The rows of `quality.sqlite`.
struct CheckRecords: Sendable {
    let database: Database

    /// All checks.
    func checks(tenant: String) throws -> [Check] {
        try database.read { tx in
            try tx.query(
                """
                SELECT name, kind, options, source, catalog, schema, table_name FROM checks
                WHERE tenant = ? ORDER BY catalog, schema, table_name, name
                """, tenant
            ) { row in
                try Self.check(
                    row,
                    of: TableName(
                        catalog: row.string(4), schema: row.string(5), table: row.string(6)))
            }
        }
    }

    /// The checks of a table: those of its name, and those that were declared for it under another one.
    /// What the name says goes first.
    func checks(tenant: String, table: TableName, uuid: String?) throws -> [Check] {
        let found = try database.read { tx in
            try tx.query(
                """
                SELECT name, kind, options, source FROM checks
                WHERE tenant = ?1 AND catalog = ?2
                    AND ((schema = ?3 AND table_name = ?4) OR uuid = ?5)
                ORDER BY name, schema = ?3 AND table_name = ?4 DESC, schema, table_name
                """, values: [tenant, table.catalog, table.schema, table.table, uuid]
            ) { row in try Self.check(row, of: table) }
        }
        var names: Set<String> = []
        return found.filter { names.insert($0.name).inserted }
    }

    private static func check(_ row: borrowing Row, of table: TableName) throws -> Check {
        let options = try JSONValue(parsing: row.string(2)).cursor.object()
        return try Check(
            table: table, name: row.string(0), kind: row.string(1), options: options,
            source: row.string(3))
    }

    /// Notes which table the checks of a name are about, where that is not known: they follow it.
    func adopt(tenant: String, table: TableName, uuid: String) throws {
        let unknown = """
            tenant = ? AND catalog = ? AND schema = ? AND table_name = ? AND uuid IS NULL
                AND source = 'sql'
            """
        let isWanted = try database.read { tx in
            try tx.first(
                "SELECT 1 FROM checks WHERE \(unknown)", tenant, table.catalog, table.schema,
                table.table, row: { $0.int64(0) }) != nil
        }
        guard isWanted else { return }
        try database.write { tx in
            try tx.run(
                "UPDATE checks SET uuid = ? WHERE \(unknown)", uuid, tenant, table.catalog,
                table.schema, table.table)
        }
    }

    /// Puts a check, or leaves one of the name as it is; whether it is this one now. With `uuid` it
    /// follows the table to other names.
    func put(
        _ tx: WriteTransaction, tenant: String, _ check: Check, uuid: String?,
        by principal: String, replaces: Bool
    ) throws -> Bool {
        if let uuid {
            let elsewhere = """
                FROM checks WHERE tenant = ? AND catalog = ? AND uuid = ? AND name = ?
                    AND NOT (schema = ? AND table_name = ?)
                """
            let table = check.table
            if replaces {
                try tx.run(
                    "DELETE \(elsewhere)", tenant, table.catalog, uuid, check.name, table.schema,
                    table.table)
            } else if try tx.first(
                "SELECT 1 \(elsewhere)", tenant, table.catalog, uuid, check.name, table.schema,
                table.table, row: { $0.int64(0) }) != nil
            {
                return false
            }
        }
        let conflict =
            replaces
            ? """
            DO UPDATE SET kind = excluded.kind, options = excluded.options, source = excluded.source,
                created_us = excluded.created_us, created_by = excluded.created_by,
                uuid = excluded.uuid
            """ : "DO NOTHING"
        return try tx.run(
            """
            INSERT INTO checks (tenant, catalog, schema, table_name, name, kind, options, source,
                created_us, created_by, uuid)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (tenant, catalog, schema, table_name, name) \(conflict)
            """, tenant, check.table.catalog, check.table.schema, check.table.table, check.name,
            check.kind.rawValue, JSONValue.object(check.options).encodedText(), check.source,
            tx.nowMicroseconds, principal, uuid) > 0
    }

    func remove(
        _ tx: WriteTransaction, tenant: String, table: TableName, uuid: String?, name: String
    ) throws -> Bool {
        try tx.run(
            """
            DELETE FROM checks WHERE tenant = ? AND catalog = ? AND name = ?
                AND ((schema = ? AND table_name = ?) OR uuid = ?)
            """, tenant, table.catalog, name, table.schema, table.table, uuid) > 0
    }

    /// Keeps the results of one run, and lets the oldest go.
    func add(tenant: String, _ outcomes: [CheckOutcome]) throws {
        guard let first = outcomes.first else { return }
        try database.write { tx in
            for outcome in outcomes {
                try tx.run(
                    """
                    INSERT INTO results (tenant, run_id, at_us, catalog, ref, schema, table_name,
                        snapshot_id, check_name, kind, severity, status, failing, total, message,
                        samples, elapsed_ms, requested_by)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """, tenant, outcome.runID, outcome.atMicroseconds, outcome.warehouse,
                    outcome.reference, outcome.schema, outcome.table, outcome.snapshotID,
                    outcome.check, outcome.kind, outcome.severity, outcome.status,
                    outcome.failingRows, outcome.totalRows, outcome.message, outcome.samples,
                    outcome.elapsedMilliseconds, outcome.requestedBy)
            }
            try tx.run(
                "DELETE FROM results WHERE id <= (SELECT max(id) FROM results) - ?",
                QualityLimits.keptResults)
            let bad = outcomes.filter { $0.status != "passed" }
            try tx.emit(
                tenant: tenant, kind: "quality.checks.run",
                payload: JSONValue.object([
                    ("warehouse", .string(first.warehouse)), ("ref", .string(first.reference)),
                    (
                        "namespace",
                        .array(first.schema.split(separator: ".").map { .string(String($0)) })
                    ),
                    ("name", .string(first.table)), ("runId", .string(first.runID)),
                    ("principal", .string(first.requestedBy)),
                    ("checks", .int(outcomes.count)),
                    ("notPassed", .array(bad.map { .string("\($0.check): \($0.status)") })),
                ]).encodedText())
        }
    }

    /// Results, newest first; `limit` at the most.
    func results(
        tenant: String, table: TableName? = nil, runID: String? = nil, limit: Int
    ) throws -> [CheckOutcome] {
        try database.read { tx in
            try tx.query(
                """
                SELECT run_id, at_us, catalog, ref, schema, table_name, snapshot_id, check_name, kind,
                    severity, status, failing, total, message, samples, elapsed_ms, requested_by
                FROM results
                WHERE tenant = ? AND (?2 IS NULL OR (catalog = ?2 AND schema = ?3
                    AND table_name = ?4)) AND (?5 IS NULL OR run_id = ?5)
                ORDER BY id DESC LIMIT ?6
                """,
                values: [tenant, table?.catalog, table?.schema, table?.table, runID, limit]
            ) { row in
                CheckOutcome(
                    runID: row.string(0), atMicroseconds: row.int64(1), warehouse: row.string(2),
                    reference: row.string(3), schema: row.string(4), table: row.string(5),
                    snapshotID: row.int64OrNil(6), check: row.string(7), kind: row.string(8),
                    severity: row.string(9), status: row.string(10),
                    failingRows: row.int64OrNil(11), totalRows: row.int64OrNil(12),
                    message: row.string(13), samples: row.string(14),
                    elapsedMilliseconds: row.int64(15), requestedBy: row.string(16))
            }
        }
    }
}
