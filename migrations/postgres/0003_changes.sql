-- What has changed, whoever changed it: the hub follows this table. And what an erasure leaves behind.
--
-- The hub asks for the rows that a snapshot of its own did not see yet, so a transaction that began before others and
-- was committed after them is found as well. Sequence numbers would pass over it.

CREATE TABLE public.presence_changes (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL CHECK (kind IN ('user', 'account', 'all')),
    id uuid,
    CHECK ((kind = 'all') = (id IS NULL))
);
CREATE INDEX presence_changes_by_transaction ON public.presence_changes (xid);
CREATE INDEX presence_changes_by_time ON public.presence_changes (at);

SELECT public.presence_close('public.presence_changes'::regclass);
GRANT SELECT, DELETE ON public.presence_changes TO presence_hub;
GRANT INSERT ON public.presence_changes TO presence_definer;
CREATE POLICY presence_hub ON public.presence_changes TO presence_hub USING (true);
CREATE POLICY presence_definer ON public.presence_changes FOR INSERT TO presence_definer WITH CHECK (true);

GRANT SELECT, UPDATE ON public.presence_audit TO presence_definer;
CREATE POLICY presence_definer ON public.presence_audit TO presence_definer USING (true) WITH CHECK (true);

CREATE FUNCTION public.presence_note(kind text, ids uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.presence_changes (kind, id)
        SELECT presence_note.kind, touched.id FROM (SELECT DISTINCT unnest(ids)) AS touched (id)
        WHERE touched.id IS NOT NULL;
    IF FOUND THEN
        PERFORM pg_notify('presence_changes', '');
    END IF;
END
$$;

CREATE FUNCTION public.presence_all_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.presence_changes (kind) VALUES ('all');
    PERFORM pg_notify('presence_changes', '');
    RETURN NULL;
END
$$;

-- That something was changed stays; who it was goes, and with them what they chose. Each gets one random pseudonym.
CREATE FUNCTION public.presence_forget(gone uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person uuid;
    pseudonym uuid;
BEGIN
    FOREACH person IN ARRAY gone LOOP
        pseudonym := gen_random_uuid();
        UPDATE public.presence_audit SET
            subject = CASE WHEN subject = person THEN pseudonym ELSE subject END,
            actor = replace(actor, person::text, pseudonym::text),
            before_json = CASE WHEN kind <> 'settings'
                THEN replace(before_json::text, person::text, pseudonym::text)::jsonb END,
            after_json = CASE WHEN kind <> 'settings'
                THEN replace(after_json::text, person::text, pseudonym::text)::jsonb END
        WHERE subject = person OR mentions @> ARRAY[person];
    END LOOP;
END
$$;

CREATE FUNCTION public.presence_users_gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM public.presence_forget(ARRAY(SELECT id FROM before));
    ELSE -- TRUNCATE, before it: they are still there to be read
        PERFORM public.presence_forget(ARRAY(SELECT id FROM public.users));
    END IF;
    RETURN NULL;
END
$$;

-- For each table a function and its triggers: which columns name whom a row touches, and which are the facts that are
-- followed. A row that is written again as it was is no change.
DO $triggers$
DECLARE
    watched record;
BEGIN
    FOR watched IN
        SELECT * FROM (VALUES
            ('users', 'presence_users_changed', 'user', 'id', 'id, display_name::text, disabled'),
            ('user_organizations', 'presence_members_changed', 'user', 'user_id',
                'user_id, organization_id, role::text'),
            -- Both people of a collaboration take part in its wedding.
            ('wedding_collaborations', 'presence_collaborations_changed', 'user', 'supplier_id, client_id',
                'wedding_id, supplier_id, client_id'),
            ('accounts', 'presence_accounts_changed', 'account', 'id', 'id, organization_id, name::text'),
            ('presence_settings', 'presence_settings_changed', 'user', 'user_id',
                'user_id, visibility, show_activity, show_current_page, appear_offline, custom_status, '
                'custom_status_emoji'),
            -- Signs of life are no change until they end: `stale_since` is what viewers see of them.
            ('account_presence', 'presence_occupancy_changed', 'account', 'account_id',
                'account_id, organization_id, user_id, clocked_in_at, stale_since, epoch')
        ) AS tables (name, routine, kind, touched, facts)
    LOOP
        EXECUTE format($template$
            CREATE FUNCTION public.%1$I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp AS $body$
            BEGIN
                CASE TG_OP
                WHEN 'INSERT' THEN
                    PERFORM public.presence_note(%2$L, ARRAY(SELECT unnest(ARRAY[%3$s]) FROM after));
                WHEN 'DELETE' THEN
                    PERFORM public.presence_note(%2$L, ARRAY(SELECT unnest(ARRAY[%3$s]) FROM before));
                ELSE
                    PERFORM public.presence_note(%2$L, ARRAY(
                        WITH was AS (SELECT %4$s FROM before), has AS (SELECT %4$s FROM after)
                        SELECT unnest(ARRAY[%3$s]) FROM
                            ((TABLE was EXCEPT TABLE has) UNION ALL (TABLE has EXCEPT TABLE was)) AS differing));
                END CASE;
                RETURN NULL;
            END
            $body$
        $template$, watched.routine, watched.kind, watched.touched, watched.facts);
        EXECUTE format('CREATE TRIGGER presence_inserted AFTER INSERT ON public.%I
            REFERENCING NEW TABLE AS after EXECUTE FUNCTION public.%I()', watched.name, watched.routine);
        EXECUTE format('CREATE TRIGGER presence_updated AFTER UPDATE ON public.%I
            REFERENCING OLD TABLE AS before NEW TABLE AS after EXECUTE FUNCTION public.%I()',
            watched.name, watched.routine);
        EXECUTE format('CREATE TRIGGER presence_deleted AFTER DELETE ON public.%I
            REFERENCING OLD TABLE AS before EXECUTE FUNCTION public.%I()', watched.name, watched.routine);
        EXECUTE format('CREATE TRIGGER presence_truncated AFTER TRUNCATE ON public.%I
            EXECUTE FUNCTION public.presence_all_changed()', watched.name);
    END LOOP;
END
$triggers$;

CREATE TRIGGER presence_truncated AFTER TRUNCATE ON public.presence_changes
    EXECUTE FUNCTION public.presence_all_changed();
CREATE TRIGGER presence_gone AFTER DELETE ON public.users
    REFERENCING OLD TABLE AS before EXECUTE FUNCTION public.presence_users_gone();
CREATE TRIGGER presence_all_gone BEFORE TRUNCATE ON public.users
    EXECUTE FUNCTION public.presence_users_gone();

-- An owner must be allowed to make things in the schema, at the moment of becoming one and no longer.
GRANT CREATE ON SCHEMA public TO presence_definer;
DO $owner$
DECLARE
    routine regprocedure;
BEGIN
    FOREACH routine IN ARRAY ARRAY[
        'public.presence_note(text, uuid[])', 'public.presence_forget(uuid[])', 'public.presence_users_gone()',
        'public.presence_users_changed()', 'public.presence_members_changed()',
        'public.presence_collaborations_changed()', 'public.presence_settings_changed()',
        'public.presence_accounts_changed()', 'public.presence_occupancy_changed()', 'public.presence_all_changed()'
    ]::regprocedure[] LOOP
        PERFORM public.presence_close(routine);
        EXECUTE format('ALTER FUNCTION %s OWNER TO presence_definer', routine);
    END LOOP;
END
$owner$;
REVOKE CREATE ON SCHEMA public FROM presence_definer;
