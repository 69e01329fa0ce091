import SQLite

let identityMigrations: [Migration] = [
    Migration(
        1, "the directory",
        sql: """
            CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
            CREATE TABLE accounts (
                id TEXT PRIMARY KEY, tenant TEXT NOT NULL DEFAULT 'main', name TEXT NOT NULL,
                kind TEXT NOT NULL, display_name TEXT NOT NULL DEFAULT '', email TEXT,
                password TEXT, is_disabled INTEGER NOT NULL DEFAULT 0,
                created_us INTEGER NOT NULL, last_used_us INTEGER, UNIQUE (tenant, name)
            ) STRICT;
            CREATE TABLE groups (
                id TEXT PRIMARY KEY, tenant TEXT NOT NULL DEFAULT 'main', name TEXT NOT NULL,
                description TEXT NOT NULL DEFAULT '', created_us INTEGER NOT NULL,
                UNIQUE (tenant, name)
            ) STRICT;
            CREATE TABLE memberships (
                group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                PRIMARY KEY (group_id, account_id)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX memberships_by_account ON memberships (account_id);
            CREATE TABLE roles (
                id TEXT PRIMARY KEY, tenant TEXT NOT NULL DEFAULT 'main', name TEXT NOT NULL,
                description TEXT NOT NULL DEFAULT '', is_built_in INTEGER NOT NULL DEFAULT 0,
                created_us INTEGER NOT NULL, UNIQUE (tenant, name)
            ) STRICT;
            CREATE TABLE grants (
                id TEXT PRIMARY KEY, role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
                effect TEXT NOT NULL, actions TEXT NOT NULL, resource TEXT NOT NULL,
                row_filter TEXT, column_masks TEXT NOT NULL DEFAULT '{}', created_us INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX grants_by_role ON grants (role_id);
            CREATE TABLE account_roles (
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
                PRIMARY KEY (account_id, role_id)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE group_roles (
                group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
                role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
                PRIMARY KEY (group_id, role_id)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE access_keys (
                id TEXT PRIMARY KEY, tenant TEXT NOT NULL DEFAULT 'main',
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                sealed_secret BLOB NOT NULL, description TEXT NOT NULL DEFAULT '',
                is_disabled INTEGER NOT NULL DEFAULT 0, created_us INTEGER NOT NULL,
                expires_us INTEGER, last_used_us INTEGER
            ) STRICT;
            CREATE INDEX access_keys_by_account ON access_keys (account_id);
            CREATE TABLE clients (
                id TEXT PRIMARY KEY, tenant TEXT NOT NULL DEFAULT 'main', name TEXT NOT NULL,
                kind TEXT NOT NULL, secret TEXT,
                account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
                redirect_uris TEXT NOT NULL DEFAULT '[]', grant_types TEXT NOT NULL DEFAULT '[]',
                is_disabled INTEGER NOT NULL DEFAULT 0, created_us INTEGER NOT NULL,
                expires_us INTEGER, last_used_us INTEGER
            ) STRICT;
            CREATE INDEX clients_by_secret ON clients (secret) WHERE secret IS NOT NULL;
            CREATE INDEX clients_by_account ON clients (account_id);
            CREATE TABLE sessions (
                token_hash BLOB PRIMARY KEY, tenant TEXT NOT NULL DEFAULT 'main',
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                address TEXT NOT NULL, created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX sessions_by_account ON sessions (account_id);
            CREATE TABLE login_links (
                token_hash BLOB PRIMARY KEY,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                expires_us INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE authorization_codes (
                code_hash BLOB PRIMARY KEY, family TEXT NOT NULL,
                client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                redirect_uri TEXT NOT NULL, scope TEXT NOT NULL, nonce TEXT, challenge TEXT,
                authenticated_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, used_us INTEGER
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE refresh_tokens (
                token_hash BLOB PRIMARY KEY, family TEXT NOT NULL,
                client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
                account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                scope TEXT NOT NULL, nonce TEXT, authenticated_us INTEGER NOT NULL,
                expires_us INTEGER NOT NULL, used_us INTEGER
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
            CREATE TABLE device_codes (
                device_hash BLOB PRIMARY KEY, user_code TEXT NOT NULL UNIQUE,
                client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
                scope TEXT NOT NULL, account_id TEXT REFERENCES accounts (id) ON DELETE CASCADE,
                is_refused INTEGER NOT NULL DEFAULT 0, expires_us INTEGER NOT NULL,
                polled_us INTEGER
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE signing_keys (
                id TEXT PRIMARY KEY, tenant TEXT NOT NULL DEFAULT 'main', algorithm TEXT NOT NULL,
                sealed_key BLOB NOT NULL, created_us INTEGER NOT NULL, retired_us INTEGER
            ) STRICT;
            CREATE TABLE revoked_tokens (
                id TEXT PRIMARY KEY, expires_us INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            """),
    Migration(
        2, "policies",
        sql: """
            CREATE TABLE policies (
                tenant TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
                created_by TEXT NOT NULL, created_us INTEGER NOT NULL,
                PRIMARY KEY (tenant, name)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE tags (
                tenant TEXT NOT NULL, uuid TEXT NOT NULL, path TEXT NOT NULL,
                field_id INTEGER NOT NULL, column_name TEXT NOT NULL, tag TEXT NOT NULL,
                PRIMARY KEY (tenant, uuid, field_id, tag)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE governed_places (
                tenant TEXT NOT NULL, uuid TEXT NOT NULL, path TEXT NOT NULL, place TEXT NOT NULL,
                PRIMARY KEY (tenant, uuid, path, place)
            ) STRICT, WITHOUT ROWID;
            """),
    Migration(
        3, "rights of one holder",
        sql: """
            -- A user `group-risk` and a group `risk` had one role: it stays the group's.
            UPDATE roles SET name = 'rights-of-group:' || substr(name, 17)
            WHERE is_built_in = 0 AND name LIKE 'rights-of-group-%'
                AND description LIKE 'What was granted to % alone.'
                AND EXISTS (
                    SELECT 1 FROM group_roles h JOIN groups g ON g.id = h.group_id
                    WHERE h.role_id = roles.id AND g.name = substr(roles.name, 17));
            DELETE FROM account_roles WHERE role_id IN (
                SELECT id FROM roles WHERE name LIKE 'rights-of-group:%');
            UPDATE roles SET name = 'rights-of:' || substr(name, 11)
            WHERE is_built_in = 0 AND name LIKE 'rights-of-%' AND name NOT LIKE '%:%'
                AND description LIKE 'What was granted to % alone.'
                AND EXISTS (
                    SELECT 1 FROM account_roles h JOIN accounts a ON a.id = h.account_id
                    WHERE h.role_id = roles.id AND a.name = substr(roles.name, 11));
            -- Those whose holder was deleted.
            DELETE FROM roles
            WHERE is_built_in = 0 AND name LIKE 'rights-of-%' AND name NOT LIKE '%:%'
                AND description LIKE 'What was granted to % alone.'
                AND id NOT IN (
                    SELECT role_id FROM account_roles UNION SELECT role_id FROM group_roles);
            """),
    Migration(
        4, "keys that connect made",
        sql: """
            -- Who made a key: 'connect', or nobody in particular.
            ALTER TABLE access_keys ADD COLUMN maker TEXT NOT NULL DEFAULT '';
            """),
]
