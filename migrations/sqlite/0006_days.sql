-- Totals of days in UTC, so that a report about months adds up few rows. They follow the totals of quarters of an hour,
-- row by row and in the same transaction, whoever writes those; nobody else writes them. A day is counted from the 1st
-- of January 1970.

-- A day of a person, as long as it has a quarter. `forenoon` has a bit for each quarter of its first twelve hours that
-- has a row, `afternoon` for each of the others. A quarter has one row at most, so they are sums like all else.
CREATE TABLE activity_days (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    forenoon INTEGER NOT NULL,
    afternoon INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    millis INTEGER NOT NULL,
    desktop INTEGER NOT NULL,
    mobile INTEGER NOT NULL,
    tablet INTEGER NOT NULL,
    PRIMARY KEY (organization_id, day, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX activity_days_by_user ON activity_days (user_id);

-- How often a page was viewed on a day, by all.
CREATE TABLE activity_page_days (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    page TEXT NOT NULL,
    views INTEGER NOT NULL,
    PRIMARY KEY (organization_id, day, page)
) STRICT, WITHOUT ROWID;

INSERT INTO activity_days
        (organization_id, day, user_id, forenoon, afternoon, sessions, millis, desktop, mobile, tablet)
    SELECT organization_id, bucket / 86400000, user_id,
        sum(iif(bucket % 86400000 < 43200000, 1 << (bucket % 43200000 / 900000), 0)),
        sum(iif(bucket % 86400000 < 43200000, 0, 1 << (bucket % 43200000 / 900000))),
        sum(sessions), sum(millis), sum(desktop), sum(mobile), sum(tablet)
    FROM activity_rollups GROUP BY organization_id, bucket / 86400000, user_id;
INSERT INTO activity_page_days (organization_id, day, page, views)
    SELECT organization_id, bucket / 86400000, page, sum(views) FROM activity_pages
    GROUP BY organization_id, bucket / 86400000, page;

CREATE TRIGGER activity_rollups_came AFTER INSERT ON activity_rollups BEGIN
    INSERT INTO activity_days
            (organization_id, day, user_id, forenoon, afternoon, sessions, millis, desktop, mobile, tablet)
        VALUES (NEW.organization_id, NEW.bucket / 86400000, NEW.user_id,
            iif(NEW.bucket % 86400000 < 43200000, 1 << (NEW.bucket % 43200000 / 900000), 0),
            iif(NEW.bucket % 86400000 < 43200000, 0, 1 << (NEW.bucket % 43200000 / 900000)),
            NEW.sessions, NEW.millis, NEW.desktop, NEW.mobile, NEW.tablet)
        ON CONFLICT (organization_id, day, user_id) DO UPDATE SET forenoon = forenoon + excluded.forenoon,
            afternoon = afternoon + excluded.afternoon, sessions = sessions + excluded.sessions,
            millis = millis + excluded.millis, desktop = desktop + excluded.desktop, mobile = mobile + excluded.mobile,
            tablet = tablet + excluded.tablet;
END;

CREATE TRIGGER activity_rollups_went AFTER DELETE ON activity_rollups BEGIN
    UPDATE activity_days SET
            forenoon = forenoon - iif(OLD.bucket % 86400000 < 43200000, 1 << (OLD.bucket % 43200000 / 900000), 0),
            afternoon = afternoon - iif(OLD.bucket % 86400000 < 43200000, 0, 1 << (OLD.bucket % 43200000 / 900000)),
            sessions = sessions - OLD.sessions, millis = millis - OLD.millis, desktop = desktop - OLD.desktop,
            mobile = mobile - OLD.mobile, tablet = tablet - OLD.tablet
        WHERE organization_id = OLD.organization_id AND day = OLD.bucket / 86400000 AND user_id = OLD.user_id;
    DELETE FROM activity_days
        WHERE organization_id = OLD.organization_id AND day = OLD.bucket / 86400000 AND user_id = OLD.user_id
            AND forenoon = 0 AND afternoon = 0;
END;

CREATE TRIGGER activity_pages_came AFTER INSERT ON activity_pages BEGIN
    INSERT INTO activity_page_days (organization_id, day, page, views)
        VALUES (NEW.organization_id, NEW.bucket / 86400000, NEW.page, NEW.views)
        ON CONFLICT (organization_id, day, page) DO UPDATE SET views = views + excluded.views;
END;

CREATE TRIGGER activity_pages_went AFTER DELETE ON activity_pages BEGIN
    UPDATE activity_page_days SET views = views - OLD.views
        WHERE organization_id = OLD.organization_id AND day = OLD.bucket / 86400000 AND page = OLD.page;
    DELETE FROM activity_page_days
        WHERE organization_id = OLD.organization_id AND day = OLD.bucket / 86400000 AND page = OLD.page AND views = 0;
END;

-- The hub removes a quarter and makes it anew. Who changes one by hand would be overlooked.
CREATE TRIGGER activity_rollups_stay BEFORE UPDATE ON activity_rollups BEGIN
    SELECT RAISE(ABORT, 'a total is removed and made anew, not changed');
END;
CREATE TRIGGER activity_pages_stay BEFORE UPDATE ON activity_pages BEGIN
    SELECT RAISE(ABORT, 'a total is removed and made anew, not changed');
END;
