-- What people do, where their organization keeps a log of it; what is added up from that; and what keeps it in order.
--
-- Times are milliseconds since the Unix epoch. Everything here goes with its user and its organization: foreign keys
-- cascade, whoever deletes. Secondary indexes are those by which it goes, and no others: each one costs every batch.

ALTER TABLE user_last_seen ADD COLUMN last_activity_type TEXT CHECK (last_activity_type IN
    ('page_view', 'focus', 'interaction', 'status_update', 'clock_in', 'clock_out', 'session_end'));
ALTER TABLE user_last_seen ADD COLUMN session_duration_minutes INTEGER NOT NULL DEFAULT 0
    CHECK (session_duration_minutes >= 0);

-- What was noted up to then is not written any more. The greatest number: everything was erased, and nothing is written
-- of them at all until they choose to be seen.
ALTER TABLE presence_settings ADD COLUMN erased_at INTEGER;

-- Whoever they choose it with: the hub, or an operator's shell of any age.
CREATE TRIGGER presence_settings_chosen AFTER UPDATE ON presence_settings
WHEN OLD.erased_at = 9223372036854775807 AND NEW.erased_at = 9223372036854775807 AND NEW.visibility <> 'nobody' BEGIN
    UPDATE presence_settings
    SET erased_at = CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) WHERE user_id = NEW.user_id;
END;

-- An erasure has an entry of its own, which names nobody. What a column may hold is changed by making its table anew.
ALTER TABLE presence_audit RENAME TO presence_audit_before;
CREATE TABLE presence_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('settings', 'directory', 'erasure')),
    actor TEXT NOT NULL,
    -- Of settings: whose they are. That user alone reads the row.
    subject TEXT,
    before_json TEXT CHECK (json_valid(before_json)),
    after_json TEXT CHECK (json_valid(after_json))
) STRICT;
INSERT INTO presence_audit (id, at, kind, actor, subject, before_json, after_json)
    SELECT id, at, kind, actor, subject, before_json, after_json FROM presence_audit_before;
DROP TABLE presence_audit_before;
CREATE INDEX presence_audit_by_subject ON presence_audit (subject, id) WHERE subject IS NOT NULL;

-- By time: batches go to the end, a quarter of an hour and a week are a range each.
CREATE TABLE presence_activity_logs (
    timestamp INTEGER NOT NULL,
    id TEXT NOT NULL CHECK (length(id) = 36),
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    activity_type TEXT NOT NULL CHECK (activity_type IN
        ('page_view', 'focus', 'interaction', 'status_update', 'clock_in', 'clock_out', 'session_end')),
    page_viewed TEXT,
    device_type TEXT CHECK (device_type IN ('desktop', 'mobile', 'tablet')),
    session_id TEXT,
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    PRIMARY KEY (timestamp, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX presence_activity_logs_by_user ON presence_activity_logs (user_id);
CREATE INDEX presence_activity_logs_by_organization ON presence_activity_logs (organization_id);

-- Weeks of the log that are, or were, out of it, by their first instant. Without a row: in the log.
CREATE TABLE presence_weeks (
    start INTEGER NOT NULL PRIMARY KEY,
    -- Neither written nor read: being archived, or archived and dropped.
    set_aside INTEGER NOT NULL CHECK (set_aside IN (0, 1)),
    restored_at INTEGER,
    -- Some of its rows are back, and others not yet: its totals are left as they are.
    restoring INTEGER NOT NULL DEFAULT 0 CHECK (restoring IN (0, 1)),
    -- Set aside, and all its rows are in presence_week_rows.
    listed INTEGER NOT NULL DEFAULT 0 CHECK (listed IN (0, 1))
) STRICT;

-- The rows of a week that is set aside, by their ids: an archive has them in that order, and the log by time. It may name
-- rows that are gone.
CREATE TABLE presence_week_rows (
    start INTEGER NOT NULL,
    id TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    PRIMARY KEY (start, id)
) STRICT, WITHOUT ROWID;

-- Stretches of time in which a session was there, shown and consented.
CREATE TABLE presence_sessions (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL CHECK (length(session_id) = 36),
    started_at INTEGER NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seen_at INTEGER NOT NULL,
    ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
    device_type TEXT CHECK (device_type IN ('desktop', 'mobile', 'tablet')),
    PRIMARY KEY (organization_id, session_id, started_at),
    CHECK (seen_at >= started_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX presence_sessions_by_user ON presence_sessions (user_id);
CREATE INDEX presence_sessions_by_start ON presence_sessions (started_at);
CREATE INDEX presence_sessions_open ON presence_sessions (seen_at) WHERE ended = 0;
-- The longest one says how far back those begin that reach into a given quarter.
CREATE INDEX presence_sessions_by_length ON presence_sessions (seen_at - started_at);

-- What a user did in a quarter of an hour: `events` are rows of the log, `sessions` are stretches that began in it
-- (`desktop`, `mobile`, `tablet`: on such a device), `millis` is the part of all stretches that lies in it.
CREATE TABLE activity_rollups (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    bucket INTEGER NOT NULL CHECK (bucket % 900000 = 0),
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    events INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    millis INTEGER NOT NULL,
    desktop INTEGER NOT NULL,
    mobile INTEGER NOT NULL,
    tablet INTEGER NOT NULL,
    PRIMARY KEY (organization_id, bucket, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX activity_rollups_by_bucket ON activity_rollups (bucket);
CREATE INDEX activity_rollups_by_user ON activity_rollups (user_id);

-- Which pages a user viewed in a quarter of an hour, and how often.
CREATE TABLE activity_pages (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    bucket INTEGER NOT NULL CHECK (bucket % 900000 = 0),
    page TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    views INTEGER NOT NULL,
    PRIMARY KEY (organization_id, bucket, page, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX activity_pages_by_bucket ON activity_pages (bucket);
CREATE INDEX activity_pages_by_user ON activity_pages (user_id);

-- Quarters of an hour in which something was written since they were rolled up.
CREATE TABLE presence_rollup_queue (
    bucket INTEGER NOT NULL PRIMARY KEY CHECK (bucket % 900000 = 0)
) STRICT;

-- Activity that had to be dropped, so that nobody takes the gap for silence. Names no person.
CREATE TABLE presence_gaps (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('full', 'corrupt', 'refused'))
) STRICT, WITHOUT ROWID;

-- Who does which job, and how it went last.
CREATE TABLE presence_jobs (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT,
    heard_at INTEGER NOT NULL,
    finished_at INTEGER,
    report TEXT CHECK (json_valid(report))
) STRICT, WITHOUT ROWID;

-- Erasures that have still to be carried out in the archives. No foreign key: the person may be gone.
CREATE TABLE presence_erasures (
    user_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user_id, at)
) STRICT, WITHOUT ROWID;

-- The end of this second: what was noted in it before the user went is erased, too.
CREATE TRIGGER users_erased AFTER DELETE ON users BEGIN
    INSERT OR IGNORE INTO presence_erasures (user_id, at) VALUES (OLD.id, unixepoch() * 1000 + 999);
END;

-- The plan says whether a log is kept of the members.
CREATE TRIGGER organizations_updated AFTER UPDATE OF plan ON organizations WHEN NEW.plan <> OLD.plan BEGIN
    INSERT INTO presence_changes (user_id)
        SELECT user_id FROM user_organizations WHERE organization_id = NEW.id;
END;
