-- Who works in which account: access codes, the holds of accounts, and what is remembered of a hold when it is over.
--
-- One writer at a time settles every race; the keys say once more what must never be. Times are milliseconds since the
-- Unix epoch.

-- With which the tokens of extensions are signed: made with the file, and never anything else.
CREATE TABLE presence_installation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    token_key BLOB NOT NULL CHECK (length(token_key) = 32)
) STRICT;
INSERT INTO presence_installation (one, token_key) VALUES (1, randomblob(32));

-- Holds and codes have entries too, found by their organization. What a column may hold is changed by making its table
-- anew.
ALTER TABLE presence_audit RENAME TO presence_audit_before;
CREATE TABLE presence_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('settings', 'directory', 'erasure', 'occupancy', 'access_code')),
    actor TEXT NOT NULL,
    -- Of holds and codes. No foreign key: the entry outlives it.
    organization_id TEXT,
    -- Of settings: whose they are. That user alone reads the row.
    subject TEXT,
    before_json TEXT CHECK (json_valid(before_json)),
    after_json TEXT CHECK (json_valid(after_json))
) STRICT;
INSERT INTO presence_audit (id, at, kind, actor, subject, before_json, after_json)
    SELECT id, at, kind, actor, subject, before_json, after_json FROM presence_audit_before;
DROP TABLE presence_audit_before;
CREATE INDEX presence_audit_by_subject ON presence_audit (subject, id) WHERE subject IS NOT NULL;
CREATE INDEX presence_audit_by_organization ON presence_audit (organization_id, id)
    WHERE organization_id IS NOT NULL;

-- In the order in which they were made. A code outlives the membership: whoever asks why it does not work finds it.
CREATE TABLE access_codes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash BLOB NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    max_uses INTEGER CHECK (max_uses > 0),
    uses INTEGER NOT NULL DEFAULT 0 CHECK (uses >= 0 AND uses <= coalesce(max_uses, uses))
) STRICT;

CREATE INDEX access_codes_by_organization ON access_codes (organization_id, user_id);
CREATE INDEX access_codes_by_user ON access_codes (user_id);
CREATE INDEX access_codes_by_creator ON access_codes (created_by);

-- At most one holder of an account, at most one account of a member in an organization. Who is no member holds nothing.
CREATE TABLE account_presence (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    clocked_in_at INTEGER NOT NULL,
    last_sign_at INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    -- Set when the extension was lost; the last sign of life then.
    stale_since INTEGER,
    -- Higher than that of every hold of the account before. Fences old calls.
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    -- The code they came with; gone with it.
    code_id TEXT REFERENCES access_codes (id) ON DELETE SET NULL,
    UNIQUE (user_id, organization_id),
    FOREIGN KEY (user_id, organization_id)
        REFERENCES user_organizations (user_id, organization_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX account_presence_by_code ON account_presence (code_id);

-- The last hold of an account, by its epoch, and how it ended. Names nobody.
CREATE TABLE account_epochs (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    -- NULL: it lasts.
    ended_reason TEXT CHECK (ended_reason IN
        ('clocked_out', 'moved', 'force_cleared', 'inactive', 'code_revoked', 'removed'))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER account_presence_inserted AFTER INSERT ON account_presence BEGIN
    INSERT INTO account_epochs (account_id, epoch) VALUES (NEW.account_id, NEW.epoch)
        ON CONFLICT (account_id) DO UPDATE SET epoch = excluded.epoch, ended_reason = NULL;
    INSERT INTO presence_changes (account_id) VALUES (NEW.account_id);
END;

CREATE TRIGGER account_presence_updated AFTER UPDATE ON account_presence
WHEN NEW.stale_since IS NOT OLD.stale_since OR NEW.user_id <> OLD.user_id OR NEW.epoch <> OLD.epoch
    OR NEW.clocked_in_at <> OLD.clocked_in_at OR NEW.account_id <> OLD.account_id BEGIN
    INSERT INTO presence_changes (account_id) SELECT OLD.account_id UNION SELECT NEW.account_id;
END;

-- Whoever ends a hold says first, in account_epochs, how it ended, and writes its entry. Where nobody did, the directory
-- has ended it: a member, an account or an organization is not there any more.
CREATE TRIGGER account_presence_deleted AFTER DELETE ON account_presence BEGIN
    INSERT INTO presence_changes (account_id) VALUES (OLD.account_id);
    INSERT INTO presence_audit (at, kind, actor, organization_id, before_json, after_json)
        SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER), 'occupancy', 'directory',
            OLD.organization_id,
            json_object('account', OLD.account_id, 'user', OLD.user_id, 'epoch', OLD.epoch),
            json_object('event', 'removed', 'account', OLD.account_id, 'user', OLD.user_id, 'epoch', OLD.epoch)
        WHERE NOT EXISTS (SELECT 1 FROM account_epochs
            WHERE account_id = OLD.account_id AND epoch = OLD.epoch AND ended_reason IS NOT NULL);
    UPDATE account_epochs SET ended_reason = 'removed'
        WHERE account_id = OLD.account_id AND epoch = OLD.epoch AND ended_reason IS NULL;
END;

-- Its holder is of the organization that it leaves.
CREATE TRIGGER accounts_moved AFTER UPDATE OF organization_id ON accounts
WHEN NEW.organization_id <> OLD.organization_id BEGIN
    DELETE FROM account_presence WHERE account_id = OLD.id;
END;
