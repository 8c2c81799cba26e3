-- Totals of days and of weeks, so that a report about months is there at once: they are kept by triggers on the totals of
-- quarters of an hour, in the transaction of whoever writes those, and by nobody else. So they say the same, whatever
-- comes late, is added up again or erased.
--
-- All that is kept is a sum over quarters, or is found again from them: each statement adds what came and takes away
-- what went. Days are days in UTC, and weeks begin on Mondays.

-- A day of a person. It is there as long as it has a quarter.
CREATE TABLE public.activity_days (
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    day date NOT NULL,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    -- A bit for each quarter that has a row. Each quarter has one row of a person at most: whoever adds or takes away a
    -- row turns its bit over.
    quarters bit(96) NOT NULL,
    sessions integer NOT NULL,
    desktop integer NOT NULL,
    mobile integer NOT NULL,
    tablet integer NOT NULL,
    millis bigint NOT NULL,
    PRIMARY KEY (organization_id, day, user_id)
) WITH (fillfactor = 90);
CREATE INDEX activity_days_by_user ON public.activity_days (user_id);

-- The same of a week.
CREATE TABLE public.activity_weeks (
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    week date NOT NULL,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    quarters bit(672) NOT NULL,
    sessions integer NOT NULL,
    desktop integer NOT NULL,
    mobile integer NOT NULL,
    tablet integer NOT NULL,
    millis bigint NOT NULL,
    PRIMARY KEY (organization_id, week, user_id)
) WITH (fillfactor = 90);
CREATE INDEX activity_weeks_by_user ON public.activity_weeks (user_id);

-- The numbers under which people are in sets, from 0 on: of those who viewed a page, as long as there is one of theirs.
CREATE TABLE public.activity_members (
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    -- Without a foreign key: whoever takes the last page of a person away has to know the number.
    user_id uuid NOT NULL,
    number integer NOT NULL CHECK (number >= 0),
    PRIMARY KEY (organization_id, user_id),
    UNIQUE (organization_id, number)
);

-- A day of a page, as long as it has views. Who viewed it are the bits of their numbers; whoever it is too short for did
-- not.
CREATE TABLE public.activity_page_days (
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    day date NOT NULL,
    page text NOT NULL,
    views bigint NOT NULL,
    people bit varying NOT NULL,
    PRIMARY KEY (organization_id, day, page)
) WITH (fillfactor = 90);

-- The same of a week.
CREATE TABLE public.activity_page_weeks (
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    week date NOT NULL,
    page text NOT NULL,
    views bigint NOT NULL,
    people bit varying NOT NULL,
    PRIMARY KEY (organization_id, week, page)
) WITH (fillfactor = 90);

-- Follows `activity_rollups`: days first, then weeks.
CREATE FUNCTION public.presence_days_follow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed constant text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT 1 AS sign, * FROM after'
        WHEN 'UPDATE' THEN 'SELECT 1 AS sign, * FROM after UNION ALL SELECT -1, * FROM before'
        ELSE 'SELECT -1 AS sign, * FROM before' END;
    -- %1$I: the table, %2$I: its day or week, %3$L: how long that is, %4$s: quarters of it, %5$s: what changed.
    changes constant text := $sql$
        SELECT organization_id, (began AT TIME ZONE 'UTC')::date AS %2$I, user_id,
            bit_xor(set_bit("bit"(B'0', %4$s, true), extract(epoch FROM bucket - began)::integer / 900, 1)) AS quarters,
            sum(sign * sessions)::integer AS sessions, sum(sign * desktop)::integer AS desktop,
            sum(sign * mobile)::integer AS mobile, sum(sign * tablet)::integer AS tablet,
            sum(sign * millis)::bigint AS millis
        FROM (%5$s) AS changed, LATERAL (SELECT date_bin(%3$L, bucket, '2001-01-01Z')) AS beginning (began)
        GROUP BY organization_id, began, user_id ORDER BY organization_id, began, user_id
        $sql$;
    kept record;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM public.activity_days;
        DELETE FROM public.activity_weeks;
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM before) THEN
            RETURN NULL;
        END IF;
    END IF;
    FOR kept IN SELECT * FROM (VALUES
        ('activity_days', 'day', interval '1 day', 96), ('activity_weeks', 'week', interval '7 days', 672)
    ) AS totals (relation, unit, length, quarters) LOOP
        -- Who was removed from the directory is in none any more, and does not come into one.
        IF TG_OP = 'DELETE' THEN
            EXECUTE format('UPDATE public.%1$I AS known SET quarters = known.quarters # changes.quarters,
                    sessions = known.sessions + changes.sessions, desktop = known.desktop + changes.desktop,
                    mobile = known.mobile + changes.mobile, tablet = known.tablet + changes.tablet,
                    millis = known.millis + changes.millis
                FROM (' || changes || ') AS changes WHERE (known.organization_id, known.%2$I, known.user_id)
                    = (changes.organization_id, changes.%2$I, changes.user_id)',
                kept.relation, kept.unit, kept.length, kept.quarters, changed);
        ELSE
            EXECUTE format('INSERT INTO public.%1$I AS known (organization_id, %2$I, user_id, quarters, sessions,
                    desktop, mobile, tablet, millis) ' || changes || '
                ON CONFLICT (organization_id, %2$I, user_id) DO UPDATE SET
                    quarters = known.quarters # excluded.quarters, sessions = known.sessions + excluded.sessions,
                    desktop = known.desktop + excluded.desktop, mobile = known.mobile + excluded.mobile,
                    tablet = known.tablet + excluded.tablet, millis = known.millis + excluded.millis',
                kept.relation, kept.unit, kept.length, kept.quarters, changed);
        END IF;
        IF TG_OP <> 'INSERT' THEN
            EXECUTE format('DELETE FROM public.%1$I AS known
                USING (SELECT DISTINCT organization_id, (date_bin(%3$L, bucket, ''2001-01-01Z'') AT TIME ZONE ''UTC'')::date
                    AS %2$I, user_id FROM before) AS was
                WHERE (known.organization_id, known.%2$I, known.user_id)
                    = (was.organization_id, was.%2$I, was.user_id) AND known.quarters = "bit"(B''0'', %4$s, true)',
                kept.relation, kept.unit, kept.length, kept.quarters);
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

-- Follows `activity_pages`: days first, then weeks. What is left of those who go is asked with their names and that time
-- at hand, so that it is planned for them: it is few people, or few days.
CREATE FUNCTION public.presence_pages_follow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed constant text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT 1 AS sign, * FROM after'
        WHEN 'UPDATE' THEN 'SELECT 1 AS sign, * FROM after UNION ALL SELECT -1, * FROM before'
        ELSE 'SELECT -1 AS sign, * FROM before' END;
    gone constant text := CASE TG_OP
        WHEN 'UPDATE' THEN 'SELECT organization_id, bucket, page, user_id FROM before EXCEPT '
            'SELECT organization_id, bucket, page, user_id FROM after'
        ELSE 'SELECT organization_id, bucket, page, user_id FROM before' END;
    who uuid[];
    first timestamptz;
    last timestamptz;
    kept record;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM public.activity_page_days;
        DELETE FROM public.activity_page_weeks;
        DELETE FROM public.activity_members;
        RETURN NULL;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        -- The smallest numbers that are free.
        WITH fresh AS MATERIALIZED (
            SELECT organization_id, user_id, row_number() OVER (PARTITION BY organization_id ORDER BY user_id) AS nth
            FROM (SELECT DISTINCT organization_id, user_id FROM after) AS viewer
            WHERE NOT EXISTS (SELECT FROM public.activity_members AS known
                WHERE (known.organization_id, known.user_id) = (viewer.organization_id, viewer.user_id))
        ), free AS (
            SELECT organization_id, n AS number, row_number() OVER (PARTITION BY organization_id ORDER BY n) AS nth
            FROM (SELECT organization_id, count(*)::integer AS wanted FROM fresh GROUP BY organization_id) AS short,
                LATERAL (SELECT count(*)::integer AS taken FROM public.activity_members AS known
                    WHERE known.organization_id = short.organization_id) AS members,
                LATERAL generate_series(0, taken + wanted - 1) AS n
            WHERE NOT EXISTS (SELECT FROM public.activity_members AS known
                WHERE (known.organization_id, known.number) = (short.organization_id, n))
        )
        INSERT INTO public.activity_members (organization_id, user_id, number)
            SELECT organization_id, user_id, number FROM fresh JOIN free USING (organization_id, nth);
    END IF;
    IF TG_OP <> 'INSERT' THEN
        EXECUTE format('SELECT array_agg(DISTINCT user_id), min(bucket), max(bucket) FROM (%s) AS gone', gone)
            INTO who, first, last;
    END IF;
    FOR kept IN SELECT * FROM (VALUES
        ('activity_page_days', 'day', interval '1 day'), ('activity_page_weeks', 'week', interval '7 days')
    ) AS totals (relation, unit, length) LOOP
        IF TG_OP = 'DELETE' THEN
            EXECUTE format($sql$
                UPDATE public.%1$I AS known SET views = known.views - was.views
                FROM (SELECT organization_id, (date_bin(%3$L, bucket, '2001-01-01Z') AT TIME ZONE 'UTC')::date AS %2$I,
                    page, sum(views) AS views FROM before GROUP BY 1, 2, 3) AS was
                WHERE (known.organization_id, known.%2$I, known.page) = (was.organization_id, was.%2$I, was.page)
                $sql$, kept.relation, kept.unit, kept.length);
        ELSE
            EXECUTE format($sql$
                WITH changed AS MATERIALIZED (
                    SELECT organization_id, (date_bin(%3$L, bucket, '2001-01-01Z') AT TIME ZONE 'UTC')::date AS %2$I,
                        page, user_id, sign, views
                    FROM (%4$s) AS written
                ), wide AS MATERIALIZED (
                    SELECT organization_id, (SELECT max(number) + 1 FROM public.activity_members AS known
                        WHERE known.organization_id = changed.organization_id) AS width
                    FROM changed GROUP BY organization_id
                )
                INSERT INTO public.%1$I AS known (organization_id, %2$I, page, views, people)
                SELECT organization_id, %2$I, page, sum(sign * views),
                    coalesce(bit_or(set_bit("bit"(B'0', width, true), number, 1)) FILTER (WHERE sign > 0), B'0')
                FROM changed JOIN wide USING (organization_id)
                    JOIN public.activity_members USING (organization_id, user_id)
                GROUP BY organization_id, %2$I, page ORDER BY organization_id, %2$I, page
                ON CONFLICT (organization_id, %2$I, page) DO UPDATE SET views = known.views + excluded.views,
                    people = "bit"(known.people, greatest(length(known.people), length(excluded.people)), true)
                        | "bit"(excluded.people, greatest(length(known.people), length(excluded.people)), true)
                $sql$, kept.relation, kept.unit, kept.length, changed);
        END IF;
        CONTINUE WHEN who IS NULL;
        EXECUTE format($sql$
            WITH gone AS MATERIALIZED (
                SELECT organization_id, (date_bin(%3$L, bucket, '2001-01-01Z') AT TIME ZONE 'UTC')::date AS %2$I, page,
                    user_id FROM (%4$s) AS gone
                EXCEPT SELECT organization_id, (date_bin(%3$L, bucket, '2001-01-01Z') AT TIME ZONE 'UTC')::date, page,
                    user_id FROM public.activity_pages WHERE user_id = ANY ($1) AND bucket >= $2 AND bucket < $3
            ), wide AS MATERIALIZED (
                SELECT organization_id, (SELECT max(number) + 1 FROM public.activity_members AS known
                    WHERE known.organization_id = gone.organization_id) AS width
                FROM gone GROUP BY organization_id
            ), left_by AS MATERIALIZED (
                SELECT organization_id, %2$I, page, bit_or(set_bit("bit"(B'0', width, true), number, 1)) AS people
                FROM gone JOIN wide USING (organization_id)
                    JOIN public.activity_members USING (organization_id, user_id)
                GROUP BY organization_id, %2$I, page
            )
            UPDATE public.%1$I AS known
            SET people = known.people & ~"bit"(left_by.people, length(known.people), true)
            FROM left_by WHERE (known.organization_id, known.%2$I, known.page)
                = (left_by.organization_id, left_by.%2$I, left_by.page)
            $sql$, kept.relation, kept.unit, kept.length, gone)
            USING who, date_bin(kept.length, first, '2001-01-01Z'),
                date_bin(kept.length, last, '2001-01-01Z') + kept.length;
        EXECUTE format($sql$
            DELETE FROM public.%1$I AS known
            USING (SELECT DISTINCT organization_id, (date_bin(%3$L, bucket, '2001-01-01Z') AT TIME ZONE 'UTC')::date
                AS %2$I, page FROM (%4$s) AS gone) AS was
            WHERE (known.organization_id, known.%2$I, known.page) = (was.organization_id, was.%2$I, was.page)
              AND known.views = 0
            $sql$, kept.relation, kept.unit, kept.length, gone);
    END LOOP;
    IF who IS NOT NULL THEN
        EXECUTE format($sql$
            DELETE FROM public.activity_members AS known
            USING (SELECT DISTINCT organization_id, user_id FROM (%s) AS gone) AS was
            WHERE (known.organization_id, known.user_id) = (was.organization_id, was.user_id)
              AND NOT EXISTS (SELECT FROM public.activity_pages AS page
                  WHERE (page.organization_id, page.user_id) = (known.organization_id, known.user_id))
            $sql$, gone);
    END IF;
    RETURN NULL;
END
$$;

DO $triggers$
DECLARE
    followed record;
BEGIN
    FOR followed IN SELECT * FROM (VALUES
        ('activity_rollups', 'presence_days_follow'), ('activity_pages', 'presence_pages_follow')
    ) AS followed (relation, routine) LOOP
        EXECUTE format('CREATE TRIGGER presence_inserted AFTER INSERT ON public.%I REFERENCING NEW TABLE AS after
            EXECUTE FUNCTION public.%I()', followed.relation, followed.routine);
        EXECUTE format('CREATE TRIGGER presence_updated AFTER UPDATE ON public.%I
            REFERENCING OLD TABLE AS before NEW TABLE AS after
            EXECUTE FUNCTION public.%I()', followed.relation, followed.routine);
        EXECUTE format('CREATE TRIGGER presence_deleted AFTER DELETE ON public.%I REFERENCING OLD TABLE AS before
            EXECUTE FUNCTION public.%I()', followed.relation, followed.routine);
        EXECUTE format('CREATE TRIGGER presence_truncated AFTER TRUNCATE ON public.%I
            EXECUTE FUNCTION public.%I()', followed.relation, followed.routine);
    END LOOP;
END
$triggers$;

-- What there is already. Row security binds the owner too, who copies it; nobody writes it since there are triggers.
ALTER TABLE public.activity_rollups NO FORCE ROW LEVEL SECURITY;
ALTER TABLE public.activity_pages NO FORCE ROW LEVEL SECURITY;
INSERT INTO public.activity_days
    SELECT organization_id, (began AT TIME ZONE 'UTC')::date, user_id,
        bit_or(set_bit("bit"(B'0', 96, true), extract(epoch FROM bucket - began)::integer / 900, 1)),
        sum(sessions), sum(desktop), sum(mobile), sum(tablet), sum(millis)
    FROM public.activity_rollups, LATERAL (SELECT date_bin('1 day', bucket, '2001-01-01Z')) AS beginning (began)
    GROUP BY organization_id, began, user_id ORDER BY organization_id, began, user_id;
INSERT INTO public.activity_weeks
    SELECT organization_id, (began AT TIME ZONE 'UTC')::date, user_id,
        bit_or(set_bit("bit"(B'0', 672, true), extract(epoch FROM bucket - began)::integer / 900, 1)),
        sum(sessions), sum(desktop), sum(mobile), sum(tablet), sum(millis)
    FROM public.activity_rollups, LATERAL (SELECT date_bin('7 days', bucket, '2001-01-01Z')) AS beginning (began)
    GROUP BY organization_id, began, user_id ORDER BY organization_id, began, user_id;
INSERT INTO public.activity_members
    SELECT organization_id, user_id, row_number() OVER (PARTITION BY organization_id ORDER BY user_id) - 1
    FROM (SELECT DISTINCT organization_id, user_id FROM public.activity_pages) AS viewer;
INSERT INTO public.activity_page_days
    SELECT organization_id, (date_bin('1 day', bucket, '2001-01-01Z') AT TIME ZONE 'UTC')::date, page, sum(views),
        bit_or(set_bit("bit"(B'0', width, true), number, 1))
    FROM public.activity_pages JOIN public.activity_members USING (organization_id, user_id)
        JOIN (SELECT organization_id, max(number) + 1 AS width FROM public.activity_members GROUP BY organization_id)
            AS wide USING (organization_id)
    GROUP BY organization_id, 2, page ORDER BY organization_id, 2, page;
INSERT INTO public.activity_page_weeks
    SELECT organization_id, (date_bin('7 days', bucket, '2001-01-01Z') AT TIME ZONE 'UTC')::date, page, sum(views),
        bit_or(set_bit("bit"(B'0', width, true), number, 1))
    FROM public.activity_pages JOIN public.activity_members USING (organization_id, user_id)
        JOIN (SELECT organization_id, max(number) + 1 AS width FROM public.activity_members GROUP BY organization_id)
            AS wide USING (organization_id)
    GROUP BY organization_id, 2, page ORDER BY organization_id, 2, page;
ALTER TABLE public.activity_rollups FORCE ROW LEVEL SECURITY;
ALTER TABLE public.activity_pages FORCE ROW LEVEL SECURITY;

-- The hub reads them. The functions of the triggers write them, for whoever writes quarters or removes people.
DO $rights$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY[
        'activity_days', 'activity_weeks', 'activity_members', 'activity_page_days', 'activity_page_weeks'
    ] LOOP
        PERFORM public.presence_close(('public.' || relation)::regclass);
        EXECUTE format('GRANT SELECT ON public.%I TO presence_hub', relation);
        EXECUTE format('CREATE POLICY presence_hub ON public.%I FOR SELECT TO presence_hub USING (true)', relation);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO presence_definer', relation);
        EXECUTE format('CREATE POLICY presence_definer ON public.%I TO presence_definer USING (true) WITH CHECK (true)',
            relation);
    END LOOP;
END
$rights$;
GRANT SELECT ON public.activity_pages TO presence_definer;
CREATE POLICY presence_definer ON public.activity_pages FOR SELECT TO presence_definer USING (true);

GRANT CREATE ON SCHEMA public TO presence_definer;
DO $owner$
DECLARE
    routine regprocedure;
BEGIN
    FOREACH routine IN ARRAY ARRAY[
        'public.presence_days_follow()', 'public.presence_pages_follow()'
    ]::regprocedure[] LOOP
        PERFORM public.presence_close(routine);
        EXECUTE format('ALTER FUNCTION %s OWNER TO presence_definer', routine);
    END LOOP;
END
$owner$;
REVOKE CREATE ON SCHEMA public FROM presence_definer;
