import SQLite

let jobMigrations = [
    Migration(
        1, "pipelines, runs, steps, attempts, logs",
        sql: """
            CREATE TABLE pipelines (
                tenant TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL,
                files TEXT NOT NULL, description TEXT NOT NULL, enabled INTEGER NOT NULL,
                owner_id TEXT NOT NULL, owner_name TEXT NOT NULL, owner_kind TEXT NOT NULL,
                declared_us INTEGER NOT NULL, next_due_s INTEGER, fault TEXT,
                PRIMARY KEY (tenant, name)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE runs (
                number INTEGER PRIMARY KEY AUTOINCREMENT,
                id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, pipeline TEXT NOT NULL, state TEXT NOT NULL,
                trigger_kind TEXT NOT NULL, trigger_key TEXT UNIQUE, requested_by TEXT NOT NULL,
                parameters TEXT NOT NULL, run_values TEXT NOT NULL, cancel_requested INTEGER NOT NULL DEFAULT 0,
                created_us INTEGER NOT NULL, started_us INTEGER, finished_us INTEGER, message TEXT
            ) STRICT;
            CREATE INDEX runs_by_pipeline ON runs (tenant, pipeline, number);
            CREATE INDEX runs_open ON runs (tenant, pipeline, state, number)
                WHERE state IN ('queued', 'running');
            CREATE TABLE steps (
                run_id TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL,
                needs TEXT NOT NULL, options TEXT NOT NULL, retries INTEGER NOT NULL,
                backoff_us INTEGER NOT NULL, timeout_us INTEGER, state TEXT NOT NULL,
                attempts INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0,
                failed INTEGER NOT NULL DEFAULT 0, due_us INTEGER,
                started_us INTEGER, finished_us INTEGER, message TEXT, rows INTEGER, details TEXT,
                PRIMARY KEY (run_id, id)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX steps_open ON steps (state, due_us) WHERE state IN ('queued', 'running');
            CREATE TABLE attempts (
                run_id TEXT NOT NULL, step_id TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL,
                lease TEXT NOT NULL, started_us INTEGER NOT NULL, finished_us INTEGER, message TEXT,
                PRIMARY KEY (run_id, step_id, number)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX attempts_running ON attempts (lease) WHERE state = 'running';
            CREATE TABLE logs (
                seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL, step_id TEXT NOT NULL,
                attempt INTEGER NOT NULL, at_us INTEGER NOT NULL, text TEXT NOT NULL
            ) STRICT;
            CREATE INDEX logs_by_run ON logs (run_id, seq);
            CREATE TABLE progress (
                run_id TEXT NOT NULL, step_id TEXT NOT NULL, part TEXT NOT NULL,
                PRIMARY KEY (run_id, step_id, part)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE cursors (source TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
            """),
    Migration(
        2, "rows of finished parts",
        sql: "ALTER TABLE progress ADD COLUMN rows INTEGER NOT NULL DEFAULT 0"),
]
