-- What a person may read with SQL of their own: the same as through the hub, decided here once more.
--
-- Viewers only read, and columns are named one by one, so that a column that is added later is seen by nobody (and
-- neither are ctid and xmin, which tell how much others write). They read views whose rows come out of functions, and of
-- the tables nothing but the ids in user_last_seen: Postgres trusts some conditions, such as `=` of two texts or `>` of
-- two times, so far that it asks them of every row before it asks row security, and EXPLAIN ANALYZE tells what came of
-- it. The policies below stand behind that, for the day when somebody grants a table.

GRANT SELECT ON public.presence_settings, public.presence_activity_logs, public.account_presence TO presence_definer;
GRANT SELECT (visibility) ON public.presence_installation TO presence_definer;
GRANT SELECT (user_id, last_seen_at) ON public.user_last_seen TO presence_definer;
CREATE POLICY presence_definer ON public.user_last_seen FOR SELECT TO presence_definer USING (true);
CREATE POLICY presence_definer ON public.presence_settings FOR SELECT TO presence_definer USING (true);
CREATE POLICY presence_definer ON public.presence_activity_logs FOR SELECT TO presence_definer USING (true);
CREATE POLICY presence_definer ON public.presence_installation FOR SELECT TO presence_definer USING (true);
CREATE POLICY presence_definer ON public.account_presence FOR SELECT TO presence_definer USING (true);

-- The viewer, as far as the directory knows them and lets them in; else NULL, which is equal to nobody.
CREATE FUNCTION public.presence_viewer() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT id FROM public.users WHERE id = public.presence_uid() AND disabled IS NOT TRUE
$$;

-- Whether the viewer may see the subject. The same for an id that does not exist and one that is hidden.
CREATE FUNCTION public.presence_may_see(subject uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.users AS v, public.users AS s
        WHERE v.id = public.presence_uid() AND v.disabled IS NOT TRUE
          AND s.id = presence_may_see.subject AND s.disabled IS NOT TRUE
          AND (v.id = s.id OR CASE coalesce(
                (SELECT visibility FROM public.presence_settings WHERE user_id = s.id),
                (SELECT visibility FROM public.presence_installation))
            WHEN 'everyone' THEN true
            WHEN 'team' THEN EXISTS (
                SELECT FROM public.user_organizations AS mine
                JOIN public.user_organizations AS theirs USING (organization_id)
                WHERE mine.user_id = v.id AND theirs.user_id = s.id)
            WHEN 'contacts' THEN EXISTS (
                SELECT FROM public.wedding_collaborations AS mine
                JOIN public.wedding_collaborations AS theirs USING (wedding_id)
                WHERE (mine.supplier_id = v.id OR mine.client_id = v.id)
                  AND (theirs.supplier_id = s.id OR theirs.client_id = s.id))
            ELSE false END))
$$;

-- When the subject was last seen, to the minute, as far as the viewer may see them; else NULL. The row is touched only
-- where they may. In PL/pgSQL, which plans presence_may_see() once a query; within SQL it would be planned for each row.
CREATE FUNCTION public.presence_last_seen(subject uuid) RETURNS timestamptz LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT public.presence_may_see(subject) THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT last_seen_at FROM public.user_last_seen WHERE user_id = presence_last_seen.subject);
END
$$;

-- Last-seen for viewers. Asked for some people it looks at those alone, by their ids.
CREATE VIEW public.last_seen WITH (security_invoker = true) AS
    SELECT user_id, public.presence_last_seen(user_id) AS last_seen_at FROM public.user_last_seen
    -- As rows lie in the table they would tell who was written last.
    ORDER BY user_id;

-- Occupied accounts of the viewer's organizations: by name for owners and admins, their own since when for the holder,
-- and for every other member that it is occupied. What is not for the viewer is NULL. Times are cut to the minute.
CREATE FUNCTION public.presence_accounts() RETURNS TABLE (
    account_id uuid, organization_id uuid, own boolean, user_id uuid, display_name text,
    clocked_in_at timestamptz, stale_since timestamptz, last_sign_at timestamptz
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.account_id, a.organization_id, form.own,
        CASE WHEN form.named THEN o.user_id END,
        CASE WHEN form.named THEN u.display_name::text END,
        CASE WHEN form.named OR form.own THEN date_trunc('minute', o.clocked_in_at, 'UTC') END,
        CASE WHEN form.named THEN date_trunc('minute', o.stale_since, 'UTC') END,
        CASE WHEN form.named THEN date_trunc('minute', o.last_sign_at, 'UTC') END
    FROM (
        SELECT v.id AS viewer, m.organization_id, bool_or(m.role::text IN ('owner', 'admin')) AS administers
        FROM public.users AS v JOIN public.user_organizations AS m ON m.user_id = v.id
        WHERE v.id = public.presence_uid() AND v.disabled IS NOT TRUE
        GROUP BY v.id, m.organization_id
    ) AS member
    JOIN public.accounts AS a ON a.organization_id = member.organization_id
    JOIN public.account_presence AS o ON o.account_id = a.id
    JOIN public.users AS u ON u.id = o.user_id
    CROSS JOIN LATERAL (
        SELECT member.administers, NOT member.administers AND o.user_id = member.viewer
    ) AS form (named, own)
    -- As rows lie in the table they would tell who gave a sign of life last.
    ORDER BY o.account_id
$$;

CREATE VIEW public.account_badges WITH (security_invoker = true) AS
    SELECT account_id, organization_id, own, user_id, display_name, clocked_in_at, stale_since, last_sign_at
    FROM public.presence_accounts();

-- The viewer's own history of settings, the newest first: `nth` is 1 for the last change. Ids of the audit would tell
-- how much others change.
CREATE FUNCTION public.presence_settings_history(newest bigint) RETURNS TABLE (
    nth bigint, at timestamptz, before_json jsonb, after_json jsonb
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT row_number() OVER (ORDER BY id DESC), at, before_json, after_json
    FROM public.presence_audit
    WHERE subject = public.presence_viewer() AND kind = 'settings'
    ORDER BY id DESC LIMIT greatest(newest, 0)
$$;

CREATE FUNCTION public.presence_own_settings() RETURNS TABLE (
    user_id uuid, visibility text, show_activity boolean, show_current_page boolean, appear_offline boolean,
    custom_status text, custom_status_emoji text, updated_at timestamptz
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.user_id, s.visibility, s.show_activity, s.show_current_page, s.appear_offline, s.custom_status,
        s.custom_status_emoji, s.updated_at
    FROM public.presence_settings AS s WHERE s.user_id = public.presence_viewer()
$$;

CREATE VIEW public.own_settings WITH (security_invoker = true) AS
    SELECT user_id, visibility, show_activity, show_current_page, appear_offline, custom_status, custom_status_emoji,
        updated_at
    FROM public.presence_own_settings();

CREATE FUNCTION public.presence_own_activity() RETURNS TABLE (
    id uuid, organization_id uuid, user_id uuid, activity_type text, page_viewed text, "timestamp" timestamptz,
    device_type text, session_id uuid, metadata jsonb
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.id, l.organization_id, l.user_id, l.activity_type, l.page_viewed, l."timestamp", l.device_type,
        l.session_id, l.metadata
    FROM public.presence_activity_logs AS l WHERE l.user_id = public.presence_viewer()
$$;

CREATE VIEW public.own_activity WITH (security_invoker = true) AS
    SELECT id, organization_id, user_id, activity_type, page_viewed, "timestamp", device_type, session_id, metadata
    FROM public.presence_own_activity();

GRANT CREATE ON SCHEMA public TO presence_definer;
DO $owner$
DECLARE
    relation regclass;
    routine regprocedure;
BEGIN
    FOREACH relation IN ARRAY ARRAY[
        'public.last_seen', 'public.account_badges', 'public.own_settings', 'public.own_activity'
    ]::regclass[] LOOP
        PERFORM public.presence_close(relation);
        EXECUTE format('GRANT SELECT ON %s TO authenticated', relation);
    END LOOP;
    FOREACH routine IN ARRAY ARRAY[
        'public.presence_viewer()', 'public.presence_may_see(uuid)', 'public.presence_last_seen(uuid)',
        'public.presence_accounts()', 'public.presence_settings_history(bigint)', 'public.presence_own_settings()',
        'public.presence_own_activity()'
    ]::regprocedure[] LOOP
        PERFORM public.presence_close(routine);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO authenticated', routine);
        EXECUTE format('ALTER FUNCTION %s OWNER TO presence_definer', routine);
    END LOOP;
END
$owner$;
REVOKE CREATE ON SCHEMA public FROM presence_definer;

GRANT SELECT (user_id) ON public.user_last_seen TO authenticated;
CREATE POLICY viewers ON public.user_last_seen FOR SELECT TO authenticated
    USING (public.presence_may_see(user_id));
CREATE POLICY viewers ON public.presence_settings FOR SELECT TO authenticated
    USING (user_id = (SELECT public.presence_viewer()));
CREATE POLICY viewers ON public.presence_audit FOR SELECT TO authenticated
    USING (kind = 'settings' AND subject = (SELECT public.presence_viewer()));
CREATE POLICY viewers ON public.presence_activity_logs FOR SELECT TO authenticated
    USING (user_id = (SELECT public.presence_viewer()));
