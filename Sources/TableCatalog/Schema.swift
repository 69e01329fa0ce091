import SQLite

/// The schema of `catalog.sqlite`. Root tables begin with the tenant.
let catalogMigrations: [Migration] = [
    Migration(
        1, "catalog",
        sql: """
            CREATE TABLE warehouses (
                tenant TEXT NOT NULL, name TEXT NOT NULL, location TEXT NOT NULL,
                properties TEXT NOT NULL, created_us INTEGER NOT NULL,
                PRIMARY KEY (tenant, name)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE refs (
                tenant TEXT NOT NULL, warehouse TEXT NOT NULL, name TEXT NOT NULL,
                kind TEXT NOT NULL, parent TEXT, commit_id INTEGER, created_us INTEGER NOT NULL,
                PRIMARY KEY (tenant, warehouse, name)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE commits (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                tenant TEXT NOT NULL, warehouse TEXT NOT NULL, ref TEXT NOT NULL, parent INTEGER,
                at_us INTEGER NOT NULL, principal TEXT NOT NULL, request_id TEXT NOT NULL,
                operation TEXT NOT NULL, subject TEXT NOT NULL
            ) STRICT;
            CREATE INDEX commits_by_ref ON commits (tenant, warehouse, ref, id);

            CREATE TABLE namespaces (
                tenant TEXT NOT NULL, warehouse TEXT NOT NULL, ref TEXT NOT NULL,
                folded TEXT NOT NULL, path TEXT NOT NULL, depth INTEGER NOT NULL,
                properties TEXT NOT NULL, owner TEXT NOT NULL, is_dropped INTEGER NOT NULL DEFAULT 0,
                created_us INTEGER NOT NULL,
                PRIMARY KEY (tenant, warehouse, ref, folded)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE pointers (
                tenant TEXT NOT NULL, warehouse TEXT NOT NULL, ref TEXT NOT NULL,
                namespace TEXT NOT NULL, folded TEXT NOT NULL,
                path TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, uuid TEXT NOT NULL,
                location TEXT NOT NULL, metadata_location TEXT NOT NULL, version INTEGER NOT NULL,
                owner TEXT NOT NULL, is_dropped INTEGER NOT NULL DEFAULT 0,
                created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL,
                PRIMARY KEY (tenant, warehouse, ref, namespace, folded)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX pointers_by_location ON pointers (location);

            CREATE TABLE journal (
                metadata_location TEXT PRIMARY KEY, text BLOB NOT NULL, at_us INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE purges (
                id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, location TEXT NOT NULL,
                requested_us INTEGER NOT NULL
            ) STRICT;

            CREATE TABLE contracts (
                tenant TEXT NOT NULL, warehouse TEXT NOT NULL, namespace TEXT NOT NULL,
                folded TEXT NOT NULL, name TEXT NOT NULL, rule TEXT NOT NULL,
                PRIMARY KEY (tenant, warehouse, namespace, folded, name)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE labels (
                tenant TEXT NOT NULL, warehouse TEXT NOT NULL, namespace TEXT NOT NULL,
                folded TEXT NOT NULL, column_name TEXT NOT NULL, label TEXT NOT NULL,
                value TEXT NOT NULL,
                PRIMARY KEY (tenant, warehouse, namespace, folded, column_name, label)
            ) STRICT, WITHOUT ROWID;
            """),
    Migration(
        2, "branches and tags",
        sql: """
            ALTER TABLE refs ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
            CREATE INDEX refs_by_parent ON refs (tenant, warehouse, parent);

            -- What a branch saw under the name when it first differed from its parent; NULL: nothing.
            ALTER TABLE pointers ADD COLUMN base_location TEXT;
            ALTER TABLE namespaces ADD COLUMN base_properties TEXT;
            """),
    Migration(
        3, "requests told once, reports, dropped tables, tags, contracts",
        sql: """
            -- What a request with an idempotency key came to; no status: it took effect, and its answer
            -- was not kept.
            CREATE TABLE idempotency (
                tenant TEXT NOT NULL, principal TEXT NOT NULL, key TEXT NOT NULL,
                request TEXT NOT NULL, status INTEGER, body BLOB, at_us INTEGER NOT NULL,
                PRIMARY KEY (tenant, principal, key)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX idempotency_by_age ON idempotency (at_us);

            CREATE TABLE metrics_reports (
                id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, uuid TEXT NOT NULL,
                kind TEXT NOT NULL, snapshot_id INTEGER, principal TEXT NOT NULL,
                at_us INTEGER NOT NULL, body TEXT NOT NULL
            ) STRICT;
            CREATE INDEX metrics_reports_by_table ON metrics_reports (tenant, uuid, id);

            -- Tables and views that can be had back until they expire.
            CREATE TABLE dropped (
                id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL,
                warehouse TEXT NOT NULL, ref TEXT NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL,
                kind TEXT NOT NULL, uuid TEXT NOT NULL, location TEXT NOT NULL,
                metadata_location TEXT NOT NULL, version INTEGER NOT NULL, owner TEXT NOT NULL,
                purges INTEGER NOT NULL, dropped_us INTEGER NOT NULL, expires_us INTEGER NOT NULL,
                dropped_by TEXT NOT NULL
            ) STRICT;
            CREATE INDEX dropped_by_place ON dropped (tenant, warehouse, ref, id);
            CREATE INDEX dropped_by_age ON dropped (expires_us);
            CREATE INDEX dropped_by_location ON dropped (location);

            DROP TABLE contracts;
            DROP TABLE labels;
            -- Both follow their table through renames; a column is meant by its field id, 0 is the table.
            CREATE TABLE tags (
                tenant TEXT NOT NULL, uuid TEXT NOT NULL, field_id INTEGER NOT NULL,
                tag TEXT NOT NULL, value TEXT NOT NULL, set_by TEXT NOT NULL,
                at_us INTEGER NOT NULL,
                PRIMARY KEY (tenant, uuid, field_id, tag)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE contracts (
                tenant TEXT NOT NULL, uuid TEXT NOT NULL, name TEXT NOT NULL, rule TEXT NOT NULL,
                set_by TEXT NOT NULL, at_us INTEGER NOT NULL,
                PRIMARY KEY (tenant, uuid, name)
            ) STRICT, WITHOUT ROWID;
            """),
    Migration(
        4, "places of tables",
        sql: """
            -- Folders that were chosen for tables in the making, each for its principal's first commit.
            CREATE TABLE staged (
                tenant TEXT NOT NULL, uuid TEXT NOT NULL, warehouse TEXT NOT NULL,
                location TEXT NOT NULL, principal TEXT NOT NULL, at_us INTEGER NOT NULL,
                PRIMARY KEY (tenant, uuid)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX staged_by_age ON staged (at_us);

            -- Where tables have, or had, files besides their location.
            CREATE TABLE places (
                tenant TEXT NOT NULL, uuid TEXT NOT NULL, location TEXT NOT NULL,
                PRIMARY KEY (tenant, uuid, location)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX places_by_location ON places (location);
            CREATE INDEX pointers_by_table ON pointers (tenant, uuid);
            CREATE INDEX dropped_by_table ON dropped (tenant, uuid);

            -- Tables of before, whose metadata has still to be looked at for such places.
            CREATE TABLE unplaced (
                metadata_location TEXT PRIMARY KEY, tenant TEXT NOT NULL, uuid TEXT NOT NULL
            ) STRICT, WITHOUT ROWID;
            INSERT OR IGNORE INTO unplaced
                SELECT metadata_location, tenant, uuid FROM pointers
                WHERE kind = 'table' AND is_dropped = 0
                UNION SELECT metadata_location, tenant, uuid FROM dropped WHERE kind = 'table';
            """),
]
