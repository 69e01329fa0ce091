package import SQLite

extension DiskObjectStore {
    /// The index's schema, step by step.
    package static let migrations: [Migration] = [
        Migration(
            1, "buckets, objects, contents, uploads",
            sql: """
                CREATE TABLE boots (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    started_us INTEGER NOT NULL,
                    is_swept INTEGER NOT NULL DEFAULT 0
                ) STRICT;

                CREATE TABLE buckets (
                    tenant TEXT NOT NULL,
                    name TEXT NOT NULL,
                    created_us INTEGER NOT NULL,
                    owner TEXT NOT NULL,
                    -- 'unversioned', later 'enabled' and 'suspended'
                    versioning TEXT NOT NULL DEFAULT 'unversioned',
                    PRIMARY KEY (tenant, name)
                ) STRICT, WITHOUT ROWID;

                -- What an object consists of; copies share it.
                CREATE TABLE contents (
                    id INTEGER PRIMARY KEY,
                    size INTEGER NOT NULL,
                    refs INTEGER NOT NULL,
                    -- NULL: the bytes are in blobs
                    inline BLOB,
                    crc32c INTEGER
                ) STRICT;

                CREATE TABLE objects (
                    tenant TEXT NOT NULL,
                    bucket TEXT NOT NULL,
                    key TEXT NOT NULL,
                    -- 0 is the present version; older ones, once exposed, count up
                    rank INTEGER NOT NULL DEFAULT 0,
                    version TEXT NOT NULL,
                    is_delete_marker INTEGER NOT NULL DEFAULT 0,
                    etag TEXT NOT NULL,
                    size INTEGER NOT NULL,
                    modified_us INTEGER NOT NULL,
                    owner TEXT NOT NULL,
                    content INTEGER NOT NULL REFERENCES contents (id),
                    part_count INTEGER NOT NULL,
                    checksums TEXT NOT NULL,
                    attributes TEXT NOT NULL,
                    PRIMARY KEY (tenant, bucket, key, rank)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX objects_content ON objects (content);

                CREATE TABLE uploads (
                    id TEXT PRIMARY KEY,
                    tenant TEXT NOT NULL,
                    bucket TEXT NOT NULL,
                    key TEXT NOT NULL,
                    started_us INTEGER NOT NULL,
                    owner TEXT NOT NULL,
                    checksum_algorithm TEXT,
                    checksum_type TEXT NOT NULL,
                    attributes TEXT NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX uploads_key ON uploads (tenant, bucket, key, id);

                CREATE TABLE completed_uploads (
                    id TEXT PRIMARY KEY,
                    version TEXT NOT NULL,
                    at_us INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;

                -- A file. It belongs to a content or to a running upload; `number` is its part.
                CREATE TABLE blobs (
                    id INTEGER PRIMARY KEY,
                    name TEXT NOT NULL UNIQUE,
                    size INTEGER NOT NULL,
                    content INTEGER REFERENCES contents (id),
                    upload TEXT REFERENCES uploads (id),
                    number INTEGER NOT NULL,
                    etag TEXT NOT NULL,
                    checksums TEXT NOT NULL,
                    modified_us INTEGER NOT NULL,
                    CHECK ((content IS NULL) <> (upload IS NULL))
                ) STRICT;
                CREATE UNIQUE INDEX blobs_content ON blobs (content, number) WHERE content IS NOT NULL;
                CREATE UNIQUE INDEX blobs_upload ON blobs (upload, number) WHERE upload IS NOT NULL;

                CREATE TABLE trash (
                    name TEXT PRIMARY KEY,
                    at_us INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                """),
        versionMigration,
    ]
}
