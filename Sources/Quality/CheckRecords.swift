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
    Migration(
        3, "checks of two tables that had one name",
        sql: """
            -- uuid is empty where the check is about a name.
            CREATE TABLE kept_checks (
                tenant TEXT NOT NULL, catalog TEXT NOT NULL, schema TEXT NOT NULL,
                table_name TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
                options TEXT NOT NULL, source TEXT NOT NULL, created_us INTEGER NOT NULL,
                created_by TEXT NOT NULL, uuid TEXT NOT NULL,
                PRIMARY KEY (tenant, catalog, schema, table_name, name, uuid)
            ) STRICT, WITHOUT ROWID;
            INSERT INTO kept_checks
            SELECT tenant, catalog, schema, table_name, name, kind, options, source, created_us,
                created_by, coalesce(uuid, '') FROM checks;
            DROP TABLE checks;
            ALTER TABLE kept_checks RENAME TO checks;
            CREATE INDEX checks_by_uuid ON checks (tenant, catalog, uuid);
            -- Which table a result is of, and as JSON what it was found in; reads is NULL where nobody
            -- can say.
            ALTER TABLE results ADD COLUMN uuid TEXT;
            ALTER TABLE results ADD COLUMN reads TEXT;
            UPDATE results SET reads = '[]'
            WHERE kind NOT IN ('custom_sql', 'reconcile', 'relationships');
            """),
]

/// A table that a check looked at, besides its own.
struct ComparedTable: Sendable, Hashable {
    /// Without a reference.
    var name: TableName
    var uuid: String
}

/// A result as it is kept.
struct KeptOutcome: Sendable {
    var outcome: CheckOutcome
    /// The table's own id; nil for results of former versions.
    var uuid: String?
    /// The tables that it was found in; nil: others than those of warehouses too.
    var reads: [ComparedTable]?
}

/// What became of a check that was to be removed.
enum CheckRemoval: Sendable {
    case removed
    case notThere
    /// It is the check of a table that had the name before, and that is there under another one.
    case ofAnotherTable
}

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

    /// The checks of a table: those that were declared for it, under whatever name, and those of its name.
    /// Its own go first, then those of the name alone, then those of tables that had the name.
    func checks(tenant: String, table: TableName, uuid: String?) throws -> [Check] {
        let found = try database.read { tx in
            try tx.query(
                """
                SELECT name, kind, options, source FROM checks
                WHERE tenant = ?1 AND catalog = ?2
                    AND ((schema = ?3 AND table_name = ?4) OR uuid = ?5)
                ORDER BY name, uuid IS ?5 DESC, uuid = '' DESC, created_us DESC, uuid,
                    schema, table_name
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
            tenant = ? AND catalog = ? AND schema = ? AND table_name = ? AND uuid = ''
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
                "UPDATE OR IGNORE checks SET uuid = ? WHERE \(unknown)", uuid, tenant,
                table.catalog,
                table.schema, table.table)
        }
    }

    /// The rows by which a table has a check of a name: its own under whatever name it had, and at its name
    /// those of the name alone and of tables that are gone. `others` are at its name too, but belong to a
    /// table that is there under another one.
    private func rows(
        _ tx: WriteTransaction, _ tenant: String, _ table: TableName, _ uuid: String?,
        _ name: String, isThere: (String) throws -> Bool
    ) throws -> (own: [(schema: String, table: String, uuid: String)], others: Int) {
        let found = try tx.query(
            """
            SELECT schema, table_name, uuid FROM checks
            WHERE tenant = ?1 AND catalog = ?2 AND name = ?3
                AND ((schema = ?4 AND table_name = ?5) OR uuid = ?6)
            """, values: [tenant, table.catalog, name, table.schema, table.table, uuid]
        ) { (schema: $0.string(0), table: $0.string(1), uuid: $0.string(2)) }
        let own = try found.filter { row in
            try row.uuid.isEmpty || row.uuid == uuid || !isThere(row.uuid)
        }
        return (own, found.count - own.count)
    }

    private func delete(
        _ tx: WriteTransaction, _ tenant: String, _ table: TableName, _ name: String,
        _ rows: [(schema: String, table: String, uuid: String)]
    ) throws {
        for row in rows {
            try tx.run(
                """
                DELETE FROM checks WHERE tenant = ? AND catalog = ? AND schema = ?
                    AND table_name = ? AND name = ? AND uuid = ?
                """, tenant, table.catalog, row.schema, row.table, name, row.uuid)
        }
    }

    /// Puts a check, or leaves one of the name as it is; whether it is this one now. `uuid` is the table's,
    /// nil where there is none at the name. With `follows` the check follows the table to other names.
    /// Checks of a table that had the name before and has another one now (`isThere`) stay as they are.
    func put(
        _ tx: WriteTransaction, tenant: String, _ check: Check, uuid: String?, follows: Bool,
        by principal: String, replaces: Bool, isThere: (String) throws -> Bool
    ) throws -> Bool {
        let own = try rows(tx, tenant, check.table, uuid, check.name, isThere: isThere).own
        guard own.isEmpty || replaces else { return false }
        try delete(tx, tenant, check.table, check.name, own)
        try tx.run(
            """
            INSERT INTO checks (tenant, catalog, schema, table_name, name, kind, options, source,
                created_us, created_by, uuid)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, tenant, check.table.catalog, check.table.schema, check.table.table, check.name,
            check.kind.rawValue, JSONValue.object(check.options).encodedText(), check.source,
            tx.nowMicroseconds, principal, follows ? uuid ?? "" : "")
        return true
    }

    /// Removes a table's check; that of a table which had the name before stays.
    func remove(
        _ tx: WriteTransaction, tenant: String, table: TableName, uuid: String?, name: String,
        isThere: (String) throws -> Bool
    ) throws -> CheckRemoval {
        let (own, others) = try rows(tx, tenant, table, uuid, name, isThere: isThere)
        try delete(tx, tenant, table, name, own)
        if !own.isEmpty { return .removed }
        return others > 0 ? .ofAnotherTable : .notThere
    }

    /// Keeps the results of one run, and lets the oldest go.
    func add(tenant: String, _ kept: [KeptOutcome]) throws {
        let outcomes = kept.map(\.outcome)
        guard let first = outcomes.first else { return }
        try database.write { tx in
            for entry in kept {
                let outcome = entry.outcome
                try tx.run(
                    """
                    INSERT INTO results (tenant, run_id, at_us, catalog, ref, schema, table_name,
                        snapshot_id, check_name, kind, severity, status, failing, total, message,
                        samples, elapsed_ms, requested_by, uuid, reads)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """, tenant, outcome.runID, outcome.atMicroseconds, outcome.warehouse,
                    outcome.reference, outcome.schema, outcome.table, outcome.snapshotID,
                    outcome.check, outcome.kind, outcome.severity, outcome.status,
                    outcome.failingRows, outcome.totalRows, outcome.message, outcome.samples,
                    outcome.elapsedMilliseconds, outcome.requestedBy, entry.uuid,
                    entry.reads.map(Self.text))
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
    ) throws -> [KeptOutcome] {
        try database.read { tx in
            try tx.query(
                """
                SELECT run_id, at_us, catalog, ref, schema, table_name, snapshot_id, check_name, kind,
                    severity, status, failing, total, message, samples, elapsed_ms, requested_by,
                    uuid, reads
                FROM results
                WHERE tenant = ? AND (?2 IS NULL OR (catalog = ?2 AND schema = ?3
                    AND table_name = ?4)) AND (?5 IS NULL OR run_id = ?5)
                ORDER BY id DESC LIMIT ?6
                """,
                values: [tenant, table?.catalog, table?.schema, table?.table, runID, limit]
            ) { row in
                let outcome = CheckOutcome(
                    runID: row.string(0), atMicroseconds: row.int64(1), warehouse: row.string(2),
                    reference: row.string(3), schema: row.string(4), table: row.string(5),
                    snapshotID: row.int64OrNil(6), check: row.string(7), kind: row.string(8),
                    severity: row.string(9), status: row.string(10),
                    failingRows: row.int64OrNil(11), totalRows: row.int64OrNil(12),
                    message: row.string(13), samples: row.string(14),
                    elapsedMilliseconds: row.int64(15), requestedBy: row.string(16))
                return KeptOutcome(
                    outcome: outcome, uuid: row.stringOrNil(17),
                    reads: row.stringOrNil(18).flatMap(Self.reads))
            }
        }
    }

    /// Tables as JSON: catalog, schema, name and id of each.
    private static func text(_ reads: [ComparedTable]) -> String {
        JSONValue.array(
            reads.map {
                .array([
                    .string($0.name.catalog), .string($0.name.schema), .string($0.name.table),
                    .string($0.uuid),
                ])
            }
        ).encodedText()
    }

    private static func reads(_ text: String) -> [ComparedTable]? {
        try? JSONValue(parsing: text).cursor.elements().map { element in
            let parts = try element.strings()
            guard parts.count == 4 else {
                throw QualityError(.invalidCheck, "not a table: \(text)")
            }
            return ComparedTable(
                name: TableName(catalog: parts[0], schema: parts[1], table: parts[2]),
                uuid: parts[3])
        }
    }
}
