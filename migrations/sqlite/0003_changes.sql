-- Who and what is to be read again: written by the tables themselves, so that no statement forgets anybody, and what
-- another program writes is found too. Foreign keys that cascade fire these triggers as well. Putting again what is
-- there changes nothing: importing a directory twice names nobody.
--
-- One writer at a time means that numbers are committed in their order: whoever has read up to one has missed none
-- before it.

CREATE TABLE presence_changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    -- When, in whole seconds: any SQLite of the last years can write this, also an operator's shell.
    at INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    user_id TEXT,
    account_id TEXT,
    CHECK ((user_id IS NULL) <> (account_id IS NULL))
) STRICT;

-- Whoever is further behind reads everything again.
CREATE TRIGGER presence_changes_bounded AFTER INSERT ON presence_changes BEGIN
    DELETE FROM presence_changes WHERE seq <= NEW.seq - 100000;
END;

CREATE TRIGGER users_inserted AFTER INSERT ON users BEGIN
    INSERT INTO presence_changes (user_id) VALUES (NEW.id);
END;
CREATE TRIGGER users_deleted AFTER DELETE ON users BEGIN
    INSERT INTO presence_changes (user_id) VALUES (OLD.id);
END;
CREATE TRIGGER users_updated AFTER UPDATE ON users
WHEN NEW.id <> OLD.id OR NEW.display_name <> OLD.display_name OR NEW.disabled <> OLD.disabled BEGIN
    INSERT INTO presence_changes (user_id) SELECT OLD.id UNION SELECT NEW.id;
END;

CREATE TRIGGER user_organizations_inserted AFTER INSERT ON user_organizations BEGIN
    INSERT INTO presence_changes (user_id) VALUES (NEW.user_id);
END;
CREATE TRIGGER user_organizations_deleted AFTER DELETE ON user_organizations BEGIN
    INSERT INTO presence_changes (user_id) VALUES (OLD.user_id);
END;
CREATE TRIGGER user_organizations_updated AFTER UPDATE ON user_organizations
WHEN NEW.user_id <> OLD.user_id OR NEW.organization_id <> OLD.organization_id OR NEW.role <> OLD.role BEGIN
    INSERT INTO presence_changes (user_id) SELECT OLD.user_id UNION SELECT NEW.user_id;
END;

CREATE TRIGGER wedding_collaborations_inserted AFTER INSERT ON wedding_collaborations BEGIN
    INSERT INTO presence_changes (user_id) SELECT NEW.supplier_id UNION SELECT NEW.client_id;
END;
CREATE TRIGGER wedding_collaborations_deleted AFTER DELETE ON wedding_collaborations BEGIN
    INSERT INTO presence_changes (user_id) SELECT OLD.supplier_id UNION SELECT OLD.client_id;
END;
CREATE TRIGGER wedding_collaborations_updated
AFTER UPDATE OF wedding_id, supplier_id, client_id ON wedding_collaborations BEGIN
    INSERT INTO presence_changes (user_id)
        SELECT OLD.supplier_id UNION SELECT OLD.client_id UNION SELECT NEW.supplier_id UNION SELECT NEW.client_id;
END;

CREATE TRIGGER accounts_inserted AFTER INSERT ON accounts BEGIN
    INSERT INTO presence_changes (account_id) VALUES (NEW.id);
END;
CREATE TRIGGER accounts_deleted AFTER DELETE ON accounts BEGIN
    INSERT INTO presence_changes (account_id) VALUES (OLD.id);
END;
CREATE TRIGGER accounts_updated AFTER UPDATE ON accounts
WHEN NEW.id <> OLD.id OR NEW.organization_id <> OLD.organization_id OR NEW.name <> OLD.name BEGIN
    INSERT INTO presence_changes (account_id) SELECT OLD.id UNION SELECT NEW.id;
END;

CREATE TRIGGER presence_settings_inserted AFTER INSERT ON presence_settings BEGIN
    INSERT INTO presence_changes (user_id) VALUES (NEW.user_id);
END;
CREATE TRIGGER presence_settings_deleted AFTER DELETE ON presence_settings BEGIN
    INSERT INTO presence_changes (user_id) VALUES (OLD.user_id);
END;
CREATE TRIGGER presence_settings_updated AFTER UPDATE ON presence_settings BEGIN
    INSERT INTO presence_changes (user_id) SELECT OLD.user_id UNION SELECT NEW.user_id;
END;
