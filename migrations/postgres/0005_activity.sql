-- What may lag: activity, the time of sessions and what is rolled up of both, written behind in batches; the weeks of
-- the log, which are taken out and back; the jobs that keep all of it in order; and who was erased.
--
-- Nothing of a person comes back after their erasure. Whoever writes about people (a batch, a rollup) holds a shared
-- lock until the end of the transaction, whoever erases holds it alone; the statement that follows the lock sees what
-- was committed meanwhile. One number for all: a lock for each person would tell those who read pg_locks who writes.

-- Rows that were noted before it are of somebody who wanted them gone. 'infinity', and so all rows, until the person
-- chooses to be seen.
ALTER TABLE public.presence_settings ADD COLUMN erased_at timestamptz;

-- That somebody was erased, and not who.
ALTER TABLE public.presence_audit DROP CONSTRAINT presence_audit_kind_check, ADD CONSTRAINT presence_audit_kind_check
    CHECK (kind IN ('settings', 'directory', 'occupancy', 'access_code', 'erasure'));

-- The numbers of our locks. They are others in every database: whoever has no right to read the salt, and never saw the
-- lock held, cannot hold it against us.
CREATE FUNCTION public.presence_lock_key(what text) RETURNS bigint LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT hashtextextended(what || coalesce((SELECT lock_salt::text FROM public.presence_installation), ''), 0)
$$;
SELECT public.presence_close('public.presence_lock_key(text)'::regprocedure);
GRANT EXECUTE ON FUNCTION public.presence_lock_key(text) TO presence_hub, presence_definer;
GRANT SELECT (lock_salt) ON public.presence_installation TO presence_definer;

-- Rewritten every few seconds: a new version finds room on its page.
ALTER TABLE public.user_last_seen SET (fillfactor = 80);

-- The foreign keys cost two lookups a row. What the keys did is done by the statement that writes, which joins both
-- tables, and by the triggers below; and a week can be taken out without shutting out those who use `users`.
ALTER TABLE public.presence_activity_logs
    DROP CONSTRAINT presence_activity_logs_organization_id_fkey,
    DROP CONSTRAINT presence_activity_logs_user_id_fkey;
-- Whom organizations are looked up for is their removal alone. Without the time in it, the index is a seventh as large.
DROP INDEX public.presence_activity_logs_by_organization;
CREATE INDEX presence_activity_logs_by_organization ON public.presence_activity_logs (organization_id);

-- A stretch of a session: tracked, shown and consented, for one organization. Signs of life are written every few
-- seconds: no index has a column of them, so that a new version stays on its page.
CREATE TABLE public.presence_sessions (
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    -- The last sign of life; the end where it ended.
    seen_at timestamptz NOT NULL,
    ended boolean NOT NULL DEFAULT false,
    device_type text CHECK (device_type IN ('desktop', 'mobile', 'tablet')),
    -- The few that a look a day back from a quarter of an hour does not find.
    long boolean NOT NULL GENERATED ALWAYS AS (seen_at - started_at > interval '24 hours') STORED,
    PRIMARY KEY (organization_id, session_id, started_at),
    CHECK (seen_at >= started_at)
) WITH (fillfactor = 70);
CREATE INDEX presence_sessions_by_user ON public.presence_sessions (user_id);
CREATE INDEX presence_sessions_by_start ON public.presence_sessions (started_at);
CREATE INDEX presence_sessions_long ON public.presence_sessions (started_at) WHERE long;
CREATE INDEX presence_sessions_open ON public.presence_sessions (started_at) WHERE NOT ended;

-- Totals of a quarter of an hour, because the clocks of all time zones differ by whole quarters. Nobody wrote the ones
-- before.
DROP TABLE public.activity_rollups;
CREATE TABLE public.activity_rollups (
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    bucket timestamptz NOT NULL,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    -- Rows of the log.
    events integer NOT NULL CHECK (events >= 0),
    -- Stretches that began in it, and with which device.
    sessions integer NOT NULL CHECK (sessions >= 0),
    desktop integer NOT NULL CHECK (desktop >= 0),
    mobile integer NOT NULL CHECK (mobile >= 0),
    tablet integer NOT NULL CHECK (tablet >= 0),
    -- Milliseconds of stretches in it.
    millis bigint NOT NULL CHECK (millis >= 0),
    PRIMARY KEY (organization_id, bucket, user_id)
);
CREATE INDEX activity_rollups_by_user ON public.activity_rollups (user_id);
CREATE INDEX activity_rollups_by_time ON public.activity_rollups (bucket);

CREATE TABLE public.activity_pages (
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    bucket timestamptz NOT NULL,
    page text NOT NULL,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    views integer NOT NULL CHECK (views > 0),
    PRIMARY KEY (organization_id, bucket, page, user_id)
);
CREATE INDEX activity_pages_by_user ON public.activity_pages (user_id);
CREATE INDEX activity_pages_by_time ON public.activity_pages (bucket);

-- Quarters in which something was written. Without a unique key, so that no batch waits for another one or for the job.
CREATE TABLE public.presence_rollup_queue (
    bucket timestamptz NOT NULL
);
CREATE INDEX presence_rollup_queue_by_time ON public.presence_rollup_queue (bucket);

-- Activity that was accepted and had to be dropped: nobody takes the gap for silence.
CREATE TABLE public.presence_gaps (
    id uuid PRIMARY KEY,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    rows_lost bigint NOT NULL CHECK (rows_lost >= 0),
    reason text NOT NULL CHECK (reason IN ('full', 'corrupt', 'refused'))
);

-- Which hub does which job, and how it went.
CREATE TABLE public.presence_jobs (
    name text PRIMARY KEY,
    holder uuid,
    held_until timestamptz,
    finished_at timestamptz,
    report text,
    CHECK ((holder IS NULL) = (held_until IS NULL))
);

-- Erasures whose archives may still hold something. The one place that remembers whom.
CREATE TABLE public.presence_erasures (
    user_id uuid NOT NULL,
    at timestamptz NOT NULL,
    -- Whether what is stored was removed to the last step; it is done in several.
    finished boolean NOT NULL DEFAULT true,
    PRIMARY KEY (user_id, at)
);

-- Weeks of the log that were taken out or back: what the catalogue does not know of them.
CREATE TABLE public.presence_weeks (
    week date PRIMARY KEY CHECK (extract(isodow FROM week) = 1),
    restored_at timestamptz,
    -- Whether some of its rows may be missing yet. Totals of it wait for them.
    restoring boolean NOT NULL DEFAULT false,
    -- Set when it was dropped: how many rows it had.
    dropped_rows bigint
);

DO $rights$
DECLARE
    relation record;
BEGIN
    FOR relation IN
        SELECT * FROM (VALUES
            ('presence_sessions', 'SELECT, INSERT, UPDATE, DELETE'),
            ('activity_rollups', 'SELECT, INSERT, UPDATE, DELETE'),
            ('activity_pages', 'SELECT, INSERT, UPDATE, DELETE'),
            ('presence_rollup_queue', 'SELECT, INSERT, DELETE'),
            ('presence_gaps', 'SELECT, INSERT'),
            ('presence_jobs', 'SELECT, INSERT, UPDATE'),
            ('presence_erasures', 'SELECT, INSERT, UPDATE, DELETE'),
            ('presence_weeks', 'SELECT, INSERT, UPDATE')
        ) AS ours (name, verbs)
    LOOP
        PERFORM public.presence_close(('public.' || relation.name)::regclass);
        EXECUTE format('GRANT %s ON public.%I TO presence_hub', relation.verbs, relation.name);
        EXECUTE format('CREATE POLICY presence_hub ON public.%I TO presence_hub USING (true) WITH CHECK (true)',
            relation.name);
    END LOOP;
END
$rights$;
GRANT INSERT, SELECT ON public.presence_erasures TO presence_definer;
CREATE POLICY presence_definer ON public.presence_erasures TO presence_definer USING (true) WITH CHECK (true);
GRANT DELETE ON public.presence_activity_logs TO presence_definer;
CREATE POLICY presence_definer_erases ON public.presence_activity_logs FOR DELETE TO presence_definer USING (true);

-- The weeks of the log that there are, by their Mondays. One that is not `attached` was taken out and waits for its
-- archive. What is called like one of ours and belongs to somebody else is none.
CREATE FUNCTION public.presence_log_weeks() RETURNS TABLE (week date, name text, attached boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_date(right(c.relname, 8), 'YYYYMMDD'), c.relname::text, i.inhrelid IS NOT NULL
    FROM pg_class AS log
    JOIN pg_class AS c ON c.relnamespace = log.relnamespace AND c.relowner = log.relowner
    LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = log.oid
    WHERE log.oid = 'public.presence_activity_logs'::regclass AND c.relkind = 'r'
      AND c.relname ~ '^presence_activity_logs_\d{8}$'
$$;

-- Makes sure that a week of the log is there and attached; whether something had to be done for it. Two who call it at
-- once take turns. A table is made first and attached then: that does not shut out those who write into the others.
CREATE FUNCTION public.presence_attach_week(week date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
    name text := 'presence_activity_logs_' || to_char(week, 'YYYYMMDD');
    first timestamptz := week::timestamp AT TIME ZONE 'UTC';
    next timestamptz := (week + 7)::timestamp AT TIME ZONE 'UTC';
    is_attached boolean;
BEGIN
    IF week IS NULL OR extract(isodow FROM week) <> 1 OR week NOT BETWEEN '1970-01-05' AND current_date + 3650 THEN
        RAISE EXCEPTION 'no week of the log begins on %', week USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(public.presence_lock_key('presence_make_partitions'));
    SELECT w.attached INTO is_attached FROM public.presence_log_weeks() AS w
        WHERE w.week = presence_attach_week.week;
    IF is_attached THEN
        RETURN false;
    END IF;
    IF is_attached IS NULL THEN
        EXECUTE format('CREATE TABLE public.%I (LIKE public.presence_activity_logs INCLUDING ALL)', name);
        PERFORM public.presence_close(('public.' || name)::regclass);
        EXECUTE format('CREATE POLICY presence_hub ON public.%I TO presence_hub USING (true) WITH CHECK (true)', name);
    ELSE
        EXECUTE format('DROP INDEX IF EXISTS public.%I', name || '_by_id');
        EXECUTE format('DROP POLICY owner ON public.%I', name);
        EXECUTE format('DROP POLICY presence_definer ON public.%I', name);
        PERFORM public.presence_close(('public.' || name)::regclass);
    END IF;
    EXECUTE format('ALTER TABLE public.presence_activity_logs ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        name, first, next);
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION public.presence_make_partitions(weeks_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    monday date := date_trunc('week', now() AT TIME ZONE 'UTC')::date;
    made integer := 0;
BEGIN
    IF weeks_ahead IS NULL OR weeks_ahead NOT BETWEEN 0 AND 520 THEN
        RAISE EXCEPTION 'weeks_ahead is %, not 0 to 520', weeks_ahead USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(public.presence_lock_key('presence_make_partitions'));
    FOR ahead IN 0..weeks_ahead LOOP
        -- A week that was taken out stays out.
        IF NOT EXISTS (SELECT FROM public.presence_log_weeks() AS w WHERE w.week = monday + 7 * ahead)
            AND public.presence_attach_week(monday + 7 * ahead) THEN
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END
$$;

-- Takes a week out of the log: it keeps its rows and gets no more. For a moment nobody reads or writes the log; whoever
-- would have to wait for that longer is told so, and tries again.
CREATE FUNCTION public.presence_detach_week(week date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
    found_name text;
BEGIN
    PERFORM pg_advisory_xact_lock(public.presence_lock_key('presence_make_partitions'));
    SELECT w.name INTO found_name FROM public.presence_log_weeks() AS w
        WHERE w.week = presence_detach_week.week AND w.attached;
    IF found_name IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('ALTER TABLE public.presence_activity_logs DETACH PARTITION public.%I', found_name);
    EXECUTE format('GRANT SELECT, DELETE ON public.%I TO presence_hub, presence_definer', found_name);
    EXECUTE format('CREATE POLICY presence_definer ON public.%I TO presence_definer USING (true)', found_name);
    -- Who drops it counts it first, and row security binds the owner too.
    EXECUTE format('CREATE POLICY owner ON public.%I FOR SELECT TO %I USING (true)', found_name, current_user);
    RETURN true;
END
$$;

-- Makes a week readable by id, page by page. It can still be read meanwhile, and is old: nobody writes into it, but for
-- erasures, which wait.
CREATE FUNCTION public.presence_index_week(week date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
    found_name text;
BEGIN
    SELECT w.name INTO found_name FROM public.presence_log_weeks() AS w WHERE w.week = presence_index_week.week;
    IF found_name IS NULL OR to_regclass('public.' || found_name || '_by_id') IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON public.%I (id)', found_name || '_by_id', found_name);
EXCEPTION WHEN undefined_table THEN
    NULL; -- dropped meanwhile
END
$$;

-- Drops a week that was taken out if it has just so many rows; NULL: there is no such week. It is counted while others
-- erase from it: what they remove after the count is in an archive that is still to be cleaned of it. Nobody adds rows
-- while it is read, because nobody can take it back.
CREATE FUNCTION public.presence_drop_week(week date, expected_rows bigint) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
    found record;
    found_rows bigint;
BEGIN
    SELECT * INTO found FROM public.presence_log_weeks() AS w WHERE w.week = presence_drop_week.week;
    IF found.name IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('LOCK TABLE public.%I IN ACCESS SHARE MODE', found.name);
    IF (SELECT w.attached FROM public.presence_log_weeks() AS w WHERE w.week = presence_drop_week.week) THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT count(*) FROM public.%I', found.name) INTO found_rows;
    IF found_rows IS DISTINCT FROM expected_rows THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(public.presence_lock_key('presence_make_partitions'));
    EXECUTE format('DROP TABLE public.%I', found.name);
    RETURN true;
EXCEPTION WHEN undefined_table THEN
    RETURN NULL; -- dropped meanwhile
END
$$;

SELECT public.presence_close(routine) FROM unnest(ARRAY[
    'public.presence_log_weeks()', 'public.presence_attach_week(date)', 'public.presence_detach_week(date)',
    'public.presence_index_week(date)', 'public.presence_drop_week(date, bigint)'
]::regprocedure[]) AS routine;
GRANT EXECUTE ON FUNCTION public.presence_log_weeks() TO presence_hub, presence_definer;
GRANT EXECUTE ON FUNCTION public.presence_attach_week(date), public.presence_detach_week(date),
    public.presence_index_week(date), public.presence_drop_week(date, bigint) TO presence_hub;

-- Nobody writes about people from here on to the end of the transaction. Comes before the first row is locked.
CREATE FUNCTION public.presence_erasing() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(public.presence_lock_key('presence_erasure'));
    RETURN NULL;
END
$$;

-- Removes what people did, also from weeks that were taken out.
CREATE FUNCTION public.presence_erase_activity(gone uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    -- No week is taken out, back or dropped meanwhile.
    PERFORM pg_advisory_xact_lock_shared(public.presence_lock_key('presence_make_partitions'));
    DELETE FROM public.presence_activity_logs WHERE user_id = ANY (gone);
    FOR name IN SELECT w.name FROM public.presence_log_weeks() AS w WHERE NOT w.attached LOOP
        EXECUTE format('DELETE FROM public.%I WHERE user_id = ANY ($1)', name) USING gone;
    END LOOP;
END
$$;

-- The same for what was done in organizations.
CREATE FUNCTION public.presence_organizations_gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone uuid[];
    name text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        gone := ARRAY(SELECT id FROM before);
    ELSE -- TRUNCATE, before it
        gone := ARRAY(SELECT id FROM public.organizations);
    END IF;
    PERFORM pg_advisory_xact_lock_shared(public.presence_lock_key('presence_make_partitions'));
    DELETE FROM public.presence_activity_logs WHERE organization_id = ANY (gone);
    FOR name IN SELECT w.name FROM public.presence_log_weeks() AS w WHERE NOT w.attached LOOP
        EXECUTE format('DELETE FROM public.%I WHERE organization_id = ANY ($1)', name) USING gone;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION public.presence_users_gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone uuid[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        gone := ARRAY(SELECT id FROM before);
    ELSE -- TRUNCATE, before it: they are still there to be read
        gone := ARRAY(SELECT id FROM public.users);
    END IF;
    PERFORM public.presence_forget(gone);
    PERFORM public.presence_erase_activity(gone);
    -- Rows that the archives have of them are older.
    INSERT INTO public.presence_erasures (user_id, at)
        SELECT unnest(gone), date_trunc('milliseconds', clock_timestamp() + interval '1 millisecond')
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

-- The hub erases somebody who stays in the directory: the audit forgets them as if they were removed. Of those who were
-- removed it forgets what was written at the same time.
CREATE FUNCTION public.presence_forget_person(person uuid) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.presence_forget(ARRAY[person])
    WHERE EXISTS (SELECT FROM public.presence_settings AS s WHERE s.user_id = person AND s.erased_at IS NOT NULL)
       OR EXISTS (SELECT FROM public.presence_erasures AS e WHERE e.user_id = person)
          AND NOT EXISTS (SELECT FROM public.users AS u WHERE u.id = person)
$$;

-- Somebody who was erased chooses to be seen: what is noted of them from now on is taken again.
CREATE FUNCTION public.presence_chosen() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.erased_at := clock_timestamp();
    RETURN NEW;
END
$$;
SELECT public.presence_close('public.presence_chosen()'::regprocedure);
CREATE TRIGGER presence_chosen BEFORE UPDATE ON public.presence_settings FOR EACH ROW
    WHEN (OLD.erased_at = 'infinity' AND NEW.erased_at = 'infinity' AND NEW.visibility <> 'nobody')
    EXECUTE FUNCTION public.presence_chosen();

-- That they were erased is a fact about a person, as their settings are.
CREATE OR REPLACE FUNCTION public.presence_settings_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CASE TG_OP
    WHEN 'INSERT' THEN
        PERFORM public.presence_note('user', ARRAY(SELECT user_id FROM after));
    WHEN 'DELETE' THEN
        PERFORM public.presence_note('user', ARRAY(SELECT user_id FROM before));
    ELSE
        PERFORM public.presence_note('user', ARRAY(
            WITH was AS (SELECT user_id, visibility, show_activity, show_current_page, appear_offline, custom_status,
                    custom_status_emoji, erased_at FROM before),
                has AS (SELECT user_id, visibility, show_activity, show_current_page, appear_offline, custom_status,
                    custom_status_emoji, erased_at FROM after)
            SELECT user_id FROM ((TABLE was EXCEPT TABLE has) UNION ALL (TABLE has EXCEPT TABLE was)) AS differing));
    END CASE;
    RETURN NULL;
END
$$;

-- An organization's plan is a fact about its members.
CREATE FUNCTION public.presence_plans_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM public.presence_note('user', ARRAY(
        SELECT m.user_id FROM public.user_organizations AS m
        WHERE m.organization_id IN (
            SELECT has.id FROM after AS has LEFT JOIN before AS was ON was.id = has.id
            WHERE (has.plan::text = 'enterprise') IS DISTINCT FROM (was.plan::text = 'enterprise'))));
    RETURN NULL;
END
$$;

-- A TRUNCATE shuts out all who read the table anyway.
CREATE TRIGGER presence_erasing BEFORE DELETE ON public.users EXECUTE FUNCTION public.presence_erasing();
CREATE TRIGGER presence_erasing BEFORE DELETE ON public.organizations EXECUTE FUNCTION public.presence_erasing();
CREATE TRIGGER presence_gone AFTER DELETE ON public.organizations
    REFERENCING OLD TABLE AS before EXECUTE FUNCTION public.presence_organizations_gone();
CREATE TRIGGER presence_all_gone BEFORE TRUNCATE ON public.organizations
    EXECUTE FUNCTION public.presence_organizations_gone();
CREATE TRIGGER presence_updated AFTER UPDATE ON public.organizations
    REFERENCING OLD TABLE AS before NEW TABLE AS after EXECUTE FUNCTION public.presence_plans_changed();

GRANT CREATE ON SCHEMA public TO presence_definer;
DO $owner$
DECLARE
    routine regprocedure;
BEGIN
    FOREACH routine IN ARRAY ARRAY[
        'public.presence_erasing()', 'public.presence_erase_activity(uuid[])',
        'public.presence_organizations_gone()', 'public.presence_users_gone()',
        'public.presence_forget_person(uuid)', 'public.presence_plans_changed()'
    ]::regprocedure[] LOOP
        PERFORM public.presence_close(routine);
        EXECUTE format('ALTER FUNCTION %s OWNER TO presence_definer', routine);
    END LOOP;
END
$owner$;
REVOKE CREATE ON SCHEMA public FROM presence_definer;
GRANT EXECUTE ON FUNCTION public.presence_erase_activity(uuid[]), public.presence_forget_person(uuid) TO presence_hub;
