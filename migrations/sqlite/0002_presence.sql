-- What people chose, when they were last seen, and who changed what.

CREATE TABLE presence_settings (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    visibility TEXT NOT NULL CHECK (visibility IN ('everyone', 'team', 'contacts', 'nobody')),
    show_activity INTEGER NOT NULL CHECK (show_activity IN (0, 1)),
    show_current_page INTEGER NOT NULL CHECK (show_current_page IN (0, 1)),
    appear_offline INTEGER NOT NULL CHECK (appear_offline IN (0, 1)),
    custom_status TEXT,
    custom_status_emoji TEXT,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user_last_seen (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    last_seen_at INTEGER NOT NULL,
    last_page TEXT,
    last_device TEXT CHECK (last_device IN ('desktop', 'mobile', 'tablet')),
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- No foreign key to users: the audit outlives them, under a random pseudonym.
CREATE TABLE presence_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('settings', 'directory')),
    actor TEXT NOT NULL,
    -- Of settings: whose they are. That user alone reads the row.
    subject TEXT,
    before_json TEXT CHECK (json_valid(before_json)),
    after_json TEXT CHECK (json_valid(after_json))
) STRICT;

CREATE INDEX presence_audit_by_subject ON presence_audit (subject, id) WHERE subject IS NOT NULL;

-- What a durable operation answered, for those who ask again.
CREATE TABLE operation_results (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    operation_id TEXT NOT NULL CHECK (length(operation_id) = 36),
    body_json TEXT NOT NULL CHECK (json_valid(body_json)),
    result_json TEXT NOT NULL CHECK (json_valid(result_json)),
    at INTEGER NOT NULL,
    PRIMARY KEY (user_id, operation_id)
) STRICT;

CREATE INDEX operation_results_by_time ON operation_results (at);
