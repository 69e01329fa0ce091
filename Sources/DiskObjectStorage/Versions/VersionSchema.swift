import SQLite

extension DiskObjectStore {
    /// Step 2: older versions and delete markers, and what is configured of a bucket.
    ///
    /// `objects` keeps the present version of each key and nothing else, so that reads and listings cost
    /// the same whether a bucket has versions or not.
    static let versionMigration = Migration(
        2, "versions, bucket settings, webhook deliveries",
        sql: """
            ALTER TABLE objects ADD COLUMN is_versioned INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE buckets ADD COLUMN has_lock INTEGER NOT NULL DEFAULT 0;

            -- What is behind the present version, and delete markers, also one that is the latest.
            CREATE TABLE versions (
                tenant TEXT NOT NULL,
                bucket TEXT NOT NULL,
                key TEXT NOT NULL,
                -- falls: the newest of a key has the least
                seq INTEGER NOT NULL,
                version TEXT NOT NULL,
                -- 0: the one that S3 calls null
                is_versioned INTEGER NOT NULL,
                is_delete_marker INTEGER NOT NULL,
                etag TEXT NOT NULL,
                size INTEGER NOT NULL,
                modified_us INTEGER NOT NULL,
                -- when another took its place; NULL: it is the latest
                since_us INTEGER,
                owner TEXT NOT NULL,
                -- NULL for a delete marker
                content INTEGER REFERENCES contents (id),
                part_count INTEGER NOT NULL,
                checksums TEXT NOT NULL,
                attributes TEXT NOT NULL,
                PRIMARY KEY (tenant, bucket, key, seq)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX versions_content ON versions (content) WHERE content IS NOT NULL;

            CREATE TABLE bucket_settings (
                tenant TEXT NOT NULL,
                bucket TEXT NOT NULL,
                name TEXT NOT NULL,
                body TEXT NOT NULL,
                modified_us INTEGER NOT NULL,
                PRIMARY KEY (tenant, bucket, name)
            ) STRICT, WITHOUT ROWID;

            -- Notices on their way to webhooks; a row goes when its receiver has answered.
            CREATE TABLE deliveries (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                url TEXT NOT NULL,
                body TEXT NOT NULL,
                attempts INTEGER NOT NULL DEFAULT 0,
                next_us INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX deliveries_next ON deliveries (next_us, id);
            """)
}
