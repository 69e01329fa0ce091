import SQLite

/// The schema of `models.sqlite`. Versions are never changed; a row a version.
let modelMigrations: [Migration] = [
    Migration(
        1, "models",
        sql: """
            CREATE TABLE models (
                tenant TEXT NOT NULL, warehouse TEXT NOT NULL, namespace TEXT NOT NULL,
                name TEXT NOT NULL, owner TEXT NOT NULL, owner_id TEXT NOT NULL,
                latest INTEGER NOT NULL,
                PRIMARY KEY (tenant, warehouse, namespace, name)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE versions (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                tenant TEXT NOT NULL, warehouse TEXT NOT NULL, namespace TEXT NOT NULL,
                name TEXT NOT NULL, version INTEGER NOT NULL, algorithm TEXT NOT NULL,
                created_us INTEGER NOT NULL, query TEXT NOT NULL, sources TEXT NOT NULL,
                features TEXT NOT NULL, label TEXT, parameters TEXT NOT NULL,
                metrics TEXT NOT NULL, row_count INTEGER NOT NULL, skipped INTEGER NOT NULL,
                seed INTEGER NOT NULL, digest TEXT NOT NULL, body BLOB NOT NULL
            ) STRICT;
            CREATE UNIQUE INDEX versions_by_name
                ON versions (tenant, warehouse, namespace, name, version);
            """)
]
