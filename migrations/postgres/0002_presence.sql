-- What people chose, when they were last seen, what they did, who holds which account, and who changed what.
-- Viewers get their rights in 0004.

-- What holds for users who chose nothing. One row; presence_may_see() reads it, so it says what the hub's
-- configuration says, and the hub does not start where it does not.
CREATE TABLE public.presence_installation (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    visibility text NOT NULL DEFAULT 'contacts' CHECK (visibility IN ('everyone', 'team', 'contacts', 'nobody')),
    -- Everybody may read pg_locks. With this in it, the key of a lock tells nobody whose settings are being changed.
    lock_salt uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO public.presence_installation DEFAULT VALUES;

CREATE TABLE public.presence_settings (
    user_id uuid PRIMARY KEY REFERENCES public.users (id) ON DELETE CASCADE,
    visibility text NOT NULL CHECK (visibility IN ('everyone', 'team', 'contacts', 'nobody')),
    show_activity boolean NOT NULL,
    show_current_page boolean NOT NULL,
    appear_offline boolean NOT NULL,
    custom_status text CHECK (char_length(custom_status) <= 100),
    custom_status_emoji text CHECK (char_length(custom_status_emoji) <= 10),
    updated_at timestamptz NOT NULL
);

CREATE TABLE public.user_last_seen (
    user_id uuid PRIMARY KEY REFERENCES public.users (id) ON DELETE CASCADE,
    -- What viewers may know: cut to the minute.
    last_seen_at timestamptz NOT NULL,
    -- The hub's own, exact.
    seen_at timestamptz NOT NULL,
    last_page text,
    last_device text CHECK (last_device IN ('desktop', 'mobile', 'tablet')),
    last_activity_type text,
    session_duration_minutes integer NOT NULL DEFAULT 0 CHECK (session_duration_minutes >= 0),
    updated_at timestamptz NOT NULL,
    CONSTRAINT user_last_seen_to_the_minute CHECK (last_seen_at = date_trunc('minute', seen_at, 'UTC'))
);

-- What a row of the audit mentions, wherever in it: an erasure finds these rows by their index.
CREATE FUNCTION public.presence_mentions(actor text, before_json jsonb, after_json jsonb) RETURNS uuid[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(DISTINCT found[1]::uuid)
    FROM regexp_matches(concat_ws(' ', actor, before_json, after_json),
        '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'g') AS found
$$;

-- No foreign key to users: the audit outlives them, under a random pseudonym. Nobody updates or deletes here; only
-- the trigger of an erasure does.
CREATE TABLE public.presence_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('settings', 'directory', 'occupancy', 'access_code')),
    actor text NOT NULL,
    organization_id uuid,
    -- Of settings: whose they are. That user alone reads the row.
    subject uuid,
    -- Names a change of the directory, so that it is known whether it was made. Of settings: see operation_results.
    operation uuid UNIQUE,
    before_json jsonb,
    after_json jsonb,
    -- Of settings nothing: they are found by their subject.
    mentions uuid[] GENERATED ALWAYS AS (
        CASE WHEN kind <> 'settings' THEN public.presence_mentions(actor, before_json, after_json) END) STORED
);
CREATE INDEX presence_audit_by_subject ON public.presence_audit (subject, id DESC) WHERE subject IS NOT NULL;
CREATE INDEX presence_audit_by_organization ON public.presence_audit (organization_id, id DESC)
    WHERE organization_id IS NOT NULL;
CREATE INDEX presence_audit_by_mention ON public.presence_audit USING gin (mentions);

-- What a durable operation answered, for those who ask again. Bodies are compared byte for byte, so they are text.
CREATE TABLE public.operation_results (
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    operation_id uuid NOT NULL,
    body_json text NOT NULL,
    result_json jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (user_id, operation_id)
);
CREATE INDEX operation_results_by_time ON public.operation_results (at);

-- Partitions of one week, from Monday, in UTC: old ones are dropped whole. There is none by default: it would have
-- to be searched whenever a week is added.
CREATE TABLE public.presence_activity_logs (
    id uuid NOT NULL,
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    activity_type text NOT NULL CHECK (activity_type IN
        ('page_view', 'focus', 'interaction', 'status_update', 'clock_in', 'clock_out', 'session_end')),
    page_viewed text,
    "timestamp" timestamptz NOT NULL,
    device_type text CHECK (device_type IN ('desktop', 'mobile', 'tablet')),
    session_id uuid,
    metadata jsonb,
    PRIMARY KEY ("timestamp", id)
) PARTITION BY RANGE ("timestamp");
CREATE INDEX presence_activity_logs_by_user ON public.presence_activity_logs (user_id, "timestamp");
CREATE INDEX presence_activity_logs_by_organization ON public.presence_activity_logs (organization_id, "timestamp");

CREATE TABLE public.activity_rollups (
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    day date NOT NULL,
    hour smallint NOT NULL CHECK (hour BETWEEN 0 AND 23),
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    sessions integer NOT NULL DEFAULT 0 CHECK (sessions >= 0),
    minutes numeric NOT NULL DEFAULT 0 CHECK (minutes >= 0),
    PRIMARY KEY (organization_id, day, hour, user_id)
);
CREATE INDEX activity_rollups_by_user ON public.activity_rollups (user_id);

-- At most one holder of an account, at most one account of a person in an organization.
CREATE TABLE public.account_presence (
    account_id uuid PRIMARY KEY REFERENCES public.accounts (id) ON DELETE CASCADE,
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    clocked_in_at timestamptz NOT NULL,
    last_sign_at timestamptz NOT NULL,
    last_activity_at timestamptz NOT NULL,
    -- Set when the extension was lost; the last sign of life then.
    stale_since timestamptz,
    -- Raised by every change; fences old calls.
    epoch bigint NOT NULL CHECK (epoch > 0),
    UNIQUE (organization_id, user_id)
);
CREATE INDEX account_presence_by_user ON public.account_presence (user_id);

CREATE TABLE public.access_codes (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    code_hash bytea NOT NULL UNIQUE,
    created_by uuid REFERENCES public.users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    max_uses integer CHECK (max_uses > 0),
    uses integer NOT NULL DEFAULT 0 CHECK (uses >= 0 AND uses <= coalesce(max_uses, uses))
);
CREATE INDEX access_codes_by_organization ON public.access_codes (organization_id);
CREATE INDEX access_codes_by_user ON public.access_codes (user_id);
CREATE INDEX access_codes_by_creator ON public.access_codes (created_by);

-- The hub may do what a verb is granted for, on every row. The audit is written once.
DO $rights$
DECLARE
    relation record;
BEGIN
    FOR relation IN
        SELECT * FROM (VALUES
            ('presence_installation', 'SELECT'),
            ('presence_settings', 'SELECT, INSERT, UPDATE, DELETE'),
            ('user_last_seen', 'SELECT, INSERT, UPDATE, DELETE'),
            ('presence_audit', 'SELECT, INSERT'),
            ('operation_results', 'SELECT, INSERT, UPDATE, DELETE'),
            ('presence_activity_logs', 'SELECT, INSERT, DELETE'),
            ('activity_rollups', 'SELECT, INSERT, UPDATE, DELETE'),
            ('account_presence', 'SELECT, INSERT, UPDATE, DELETE'),
            ('access_codes', 'SELECT, INSERT, UPDATE, DELETE')
        ) AS ours (name, verbs)
    LOOP
        PERFORM public.presence_close(('public.' || relation.name)::regclass);
        EXECUTE format('GRANT %s ON public.%I TO presence_hub', relation.verbs, relation.name);
        EXECUTE format('CREATE POLICY presence_hub ON public.%I TO presence_hub USING (true) WITH CHECK (true)',
            relation.name);
    END LOOP;
END
$rights$;

-- Row security binds the owner too, who says here what the configuration says.
CREATE POLICY owner ON public.presence_installation TO CURRENT_USER USING (true) WITH CHECK (true);

SELECT public.presence_close('public.presence_mentions(text, jsonb, jsonb)'::regprocedure);
GRANT EXECUTE ON FUNCTION public.presence_mentions(text, jsonb, jsonb) TO presence_hub, presence_definer;

-- Makes the partitions of this week and of `weeks_ahead` more, where they are missing; returns how many it made.
-- Two who call it at once take turns. Its owner is the owner of the table, as Postgres demands. A table is made first
-- and attached then: that does not shut out those who write into the others.
CREATE FUNCTION public.presence_make_partitions(weeks_ahead integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    monday timestamp := date_trunc('week', now() AT TIME ZONE 'UTC');
    week timestamp;
    name text;
    made integer := 0;
BEGIN
    IF weeks_ahead IS NULL OR weeks_ahead NOT BETWEEN 0 AND 520 THEN
        RAISE EXCEPTION 'weeks_ahead is %, not 0 to 520', weeks_ahead USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('presence_make_partitions', 0));
    FOR week IN SELECT generate_series(monday, monday + weeks_ahead * interval '1 week', interval '1 week') LOOP
        name := 'presence_activity_logs_' || to_char(week, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.presence_activity_logs INCLUDING ALL)', name);
        PERFORM public.presence_close(('public.' || name)::regclass);
        EXECUTE format('CREATE POLICY presence_hub ON public.%I TO presence_hub USING (true) WITH CHECK (true)', name);
        EXECUTE format('ALTER TABLE public.presence_activity_logs ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            name, week AT TIME ZONE 'UTC', (week + interval '1 week') AT TIME ZONE 'UTC');
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
SELECT public.presence_close('public.presence_make_partitions(integer)'::regprocedure);
GRANT EXECUTE ON FUNCTION public.presence_make_partitions(integer) TO presence_hub;
SELECT public.presence_make_partitions(4);
