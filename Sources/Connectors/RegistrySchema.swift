import SQLite

/// The schema of `connectors.sqlite`.
let registryMigrations = [
    Migration(
        1, "catalogs",
        sql: """
            CREATE TABLE catalogs (
                name TEXT PRIMARY KEY, connector TEXT NOT NULL, comment TEXT,
                properties TEXT NOT NULL, sealed BLOB NOT NULL, created_by TEXT NOT NULL,
                created_us INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE external_schemas (
                catalog TEXT NOT NULL, name TEXT NOT NULL, created_by TEXT NOT NULL,
                created_us INTEGER NOT NULL, PRIMARY KEY (catalog, name)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE external_tables (
                catalog TEXT NOT NULL, schema_name TEXT NOT NULL, name TEXT NOT NULL,
                definition TEXT NOT NULL, created_by TEXT NOT NULL, created_us INTEGER NOT NULL,
                PRIMARY KEY (catalog, schema_name, name)
            ) STRICT, WITHOUT ROWID;
            """)
]
