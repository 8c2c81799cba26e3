-- Facts about people: who they are, where they work, which weddings they share.
--
-- Ids are text in the hyphenated form: readable in any shell, the same in rows, audit and logs, and json_each can
-- bring a list of them into a query. Sixteen bytes would save 20 bytes a column, which an embedded file does not
-- miss. Times are milliseconds since the Unix epoch.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    display_name TEXT NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    -- Last-seen noted before this is of somebody who was erased and had the same id.
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    name TEXT NOT NULL,
    plan TEXT NOT NULL CHECK (plan IN ('standard', 'enterprise'))
) STRICT, WITHOUT ROWID;

CREATE TABLE user_organizations (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    PRIMARY KEY (user_id, organization_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_organizations_by_organization ON user_organizations (organization_id);

CREATE TABLE weddings (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE wedding_collaborations (
    wedding_id TEXT NOT NULL REFERENCES weddings (id) ON DELETE CASCADE,
    supplier_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    supplier_type TEXT NOT NULL,
    PRIMARY KEY (wedding_id, supplier_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX wedding_collaborations_by_supplier ON wedding_collaborations (supplier_id);
CREATE INDEX wedding_collaborations_by_client ON wedding_collaborations (client_id);

-- Taking part in a wedding follows from the collaborations; it is not a fact of its own.
CREATE VIEW wedding_participants (wedding_id, user_id, part) AS
    SELECT wedding_id, supplier_id, 'supplier' FROM wedding_collaborations
    UNION
    SELECT wedding_id, client_id, 'client' FROM wedding_collaborations;

CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_by_organization ON accounts (organization_id);
