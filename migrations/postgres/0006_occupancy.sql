-- Who works in which account: the last epoch of each account and how its last hold ended, what a directory ends, and the
-- audit of all of it, whoever writes.
--
-- Locks are taken in one order: the turn of the organization (by hubs), then rows of organizations, users, memberships and
-- accounts, then the hold, then its code and its epoch. What ends a hold for the directory comes with the locks of the
-- directory's rows, and takes no turn: who clocks in holds these rows shared, so that a removal is seen first or waits.

-- The hub signs the tokens of extensions with it. Of the hash of three random uuids every bit is random.
ALTER TABLE public.presence_installation ADD COLUMN token_key bytea NOT NULL
    DEFAULT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
    CHECK (octet_length(token_key) = 32);

-- The code that its assistant came with; gone with it. Rewritten every few seconds: a new version finds room on its page,
-- and no index has a column of the signs of life.
ALTER TABLE public.account_presence
    ADD COLUMN code_id uuid REFERENCES public.access_codes (id) ON DELETE SET NULL,
    SET (fillfactor = 70);
CREATE INDEX account_presence_by_code ON public.account_presence (code_id);

-- Each use is a new version, too. Codes are listed newest first.
ALTER TABLE public.access_codes SET (fillfactor = 90);
DROP INDEX public.access_codes_by_organization;
CREATE INDEX access_codes_by_organization ON public.access_codes (organization_id, created_at);

-- What a hub named itself, so that a call whose answer was lost can be made again, is nobody's to ask for.
-- Whom an operation of somebody else was about, such as whose hold an admin ended, is to be forgotten with that person.
ALTER TABLE public.operation_results
    ADD COLUMN is_named boolean NOT NULL DEFAULT true,
    ADD COLUMN about uuid GENERATED ALWAYS AS (coalesce(
        result_json #>> '{cleared,user}', result_json #>> '{revoked,user}',
        CASE WHEN body_json LIKE '{"mintCode":%' THEN body_json::jsonb #>> '{mintCode,1}' END)::uuid) STORED;
CREATE INDEX operation_results_by_person ON public.operation_results (about) WHERE about IS NOT NULL;
GRANT SELECT, UPDATE (body_json, result_json) ON public.operation_results TO presence_definer;
CREATE POLICY presence_definer ON public.operation_results TO presence_definer USING (true) WITH CHECK (true);

-- The last hold of an account, by its epoch. Names nobody.
CREATE TABLE public.account_epochs (
    account_id uuid PRIMARY KEY REFERENCES public.accounts (id) ON DELETE CASCADE,
    epoch bigint NOT NULL CHECK (epoch > 0),
    -- NULL: it lasts.
    ended_reason text CHECK (ended_reason IN
        ('clocked_out', 'moved', 'force_cleared', 'inactive', 'code_revoked', 'removed'))
) WITH (fillfactor = 80);

-- Row security binds the owner too, who copies here what is there.
ALTER TABLE public.account_presence NO FORCE ROW LEVEL SECURITY;
INSERT INTO public.account_epochs (account_id, epoch) SELECT account_id, epoch FROM public.account_presence;
ALTER TABLE public.account_presence FORCE ROW LEVEL SECURITY;

SELECT public.presence_close('public.account_epochs'::regclass);
GRANT SELECT ON public.account_epochs TO presence_hub;
CREATE POLICY presence_hub ON public.account_epochs FOR SELECT TO presence_hub USING (true);
GRANT SELECT, INSERT, UPDATE ON public.account_epochs TO presence_definer;
CREATE POLICY presence_definer ON public.account_epochs TO presence_definer USING (true) WITH CHECK (true);
GRANT DELETE ON public.account_presence TO presence_definer;
CREATE POLICY presence_definer_ends ON public.account_presence FOR DELETE TO presence_definer USING (true);
GRANT INSERT ON public.presence_audit TO presence_definer;

-- Who does what follows, as they say for their transaction: SET LOCAL presence.actor. Who says nothing is the directory.
CREATE FUNCTION public.presence_actor() RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(nullif(current_setting('presence.actor', true), ''), 'directory')
$$;

-- One change of a hold: its epoch, and its entry in the audit. NULL before: it begins; NULL after: it ends, and
-- presence.reason says why, presence.note in whose words.
CREATE FUNCTION public.presence_hold_changed(
    organization uuid, person uuid, was_account uuid, was_epoch bigint, has_account uuid, has_epoch bigint,
    is_stale boolean
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_another constant boolean := (was_account, was_epoch) IS DISTINCT FROM (has_account, has_epoch);
    event constant text := CASE
        WHEN has_epoch IS NULL THEN coalesce(nullif(current_setting('presence.reason', true), ''), 'removed')
        WHEN was_account <> has_account THEN 'moved'
        WHEN is_another THEN 'clocked_in'
        WHEN is_stale THEN 'stale'
        ELSE 'returned' END;
BEGIN
    IF was_account IS DISTINCT FROM has_account THEN
        UPDATE public.account_epochs SET ended_reason = event
        WHERE account_id = was_account AND epoch = was_epoch;
    END IF;
    IF is_another AND has_epoch IS NOT NULL THEN
        INSERT INTO public.account_epochs AS last (account_id, epoch) VALUES (has_account, has_epoch)
        ON CONFLICT (account_id) DO UPDATE SET epoch = greatest(last.epoch, excluded.epoch), ended_reason = NULL;
    END IF;
    INSERT INTO public.presence_audit (at, kind, actor, organization_id, before_json, after_json) VALUES (
        date_trunc('milliseconds', clock_timestamp()), 'occupancy', public.presence_actor(), organization,
        CASE WHEN was_epoch IS NOT NULL THEN
            jsonb_build_object('account', was_account, 'user', person, 'epoch', was_epoch) END,
        jsonb_strip_nulls(jsonb_build_object('event', event, 'account', coalesce(has_account, was_account),
            'user', person, 'epoch', coalesce(has_epoch, was_epoch),
            'reason', nullif(current_setting('presence.note', true), ''))));
END
$$;

-- A full join is hashed or sorted however few rows it was planned for: of a thousand signs of life it is to find that
-- nothing has changed.
CREATE FUNCTION public.presence_holds_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CASE TG_OP
    WHEN 'INSERT' THEN
        PERFORM public.presence_hold_changed(organization_id, user_id, NULL, NULL, account_id, epoch, false)
        FROM after;
    WHEN 'DELETE' THEN
        PERFORM public.presence_hold_changed(organization_id, user_id, account_id, epoch, NULL, NULL, false)
        FROM before;
    ELSE
        PERFORM public.presence_hold_changed(organization_id, user_id, was.account_id, was.epoch, has.account_id,
            has.epoch, has.stale_since IS NOT NULL)
        FROM before AS was FULL JOIN after AS has USING (organization_id, user_id)
        WHERE (was.account_id, was.epoch, was.stale_since IS NULL)
            IS DISTINCT FROM (has.account_id, has.epoch, has.stale_since IS NULL);
    END CASE;
    RETURN NULL;
END
$$;

-- Before a TRUNCATE: every hold ends as if it were deleted.
CREATE FUNCTION public.presence_holds_emptied() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.account_presence;
    RETURN NULL;
END
$$;

-- Who is no member any more holds nothing. A platform's table may have a membership twice. `IS TRUE` keeps it from being
-- a join, which might read all memberships.
CREATE FUNCTION public.presence_members_left() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.account_presence AS o USING before AS m
    WHERE o.organization_id = m.organization_id AND o.user_id = m.user_id
      AND (NOT EXISTS (SELECT FROM public.user_organizations AS other
          WHERE other.organization_id = o.organization_id AND other.user_id = o.user_id)) IS TRUE;
    RETURN NULL;
END
$$;

-- The holder is of the organization that the account leaves.
CREATE FUNCTION public.presence_accounts_left() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.account_presence AS o USING after AS a
    WHERE o.account_id = a.id AND a.organization_id IS DISTINCT FROM o.organization_id;
    RETURN NULL;
END
$$;

-- Before the row goes: the entry of the audit has to be there when presence_gone puts a pseudonym into it, and what
-- cascades is done after that.
CREATE FUNCTION public.presence_user_leaves() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.account_presence WHERE user_id = OLD.id) THEN
        DELETE FROM public.account_presence WHERE user_id = OLD.id;
    END IF;
    RETURN OLD;
END
$$;

CREATE OR REPLACE FUNCTION public.presence_forget(gone uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
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
        -- Their own go with them.
        UPDATE public.operation_results SET
            body_json = replace(body_json, person::text, pseudonym::text),
            result_json = replace(result_json::text, person::text, pseudonym::text)::jsonb
        WHERE about = person AND user_id <> person;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION public.presence_users_gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone uuid[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        gone := ARRAY(SELECT id FROM before);
    ELSE -- TRUNCATE, before it: they are still there to be read, and what they hold as well
        gone := ARRAY(SELECT id FROM public.users);
        DELETE FROM public.account_presence;
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

-- That a code was made or revoked, and nothing of which anybody could make one.
CREATE FUNCTION public.presence_code_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    code constant jsonb := jsonb_build_object('code', NEW.id, 'user', NEW.user_id);
    is_new constant boolean := TG_OP = 'INSERT';
BEGIN
    INSERT INTO public.presence_audit (at, kind, actor, organization_id, before_json, after_json) VALUES (
        date_trunc('milliseconds', clock_timestamp()), 'access_code', public.presence_actor(), NEW.organization_id,
        CASE WHEN NOT is_new THEN code END,
        code || CASE WHEN is_new
            THEN jsonb_strip_nulls(jsonb_build_object('event', 'minted',
                'expiresAt', to_char(NEW.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                'maxUses', NEW.max_uses))
            ELSE jsonb_build_object('event', 'revoked') END);
    RETURN NULL;
END
$$;

CREATE TRIGGER presence_hold_began AFTER INSERT ON public.account_presence
    REFERENCING NEW TABLE AS after EXECUTE FUNCTION public.presence_holds_changed();
CREATE TRIGGER presence_hold_changed AFTER UPDATE ON public.account_presence
    REFERENCING OLD TABLE AS before NEW TABLE AS after EXECUTE FUNCTION public.presence_holds_changed();
CREATE TRIGGER presence_hold_ended AFTER DELETE ON public.account_presence
    REFERENCING OLD TABLE AS before EXECUTE FUNCTION public.presence_holds_changed();
CREATE TRIGGER presence_emptied BEFORE TRUNCATE ON public.account_presence
    EXECUTE FUNCTION public.presence_holds_emptied();
CREATE TRIGGER presence_moved AFTER UPDATE ON public.user_organizations
    REFERENCING OLD TABLE AS before EXECUTE FUNCTION public.presence_members_left();
CREATE TRIGGER presence_left AFTER DELETE ON public.user_organizations
    REFERENCING OLD TABLE AS before EXECUTE FUNCTION public.presence_members_left();
CREATE TRIGGER presence_emptied BEFORE TRUNCATE ON public.user_organizations
    EXECUTE FUNCTION public.presence_holds_emptied();
CREATE TRIGGER presence_left AFTER UPDATE ON public.accounts
    REFERENCING NEW TABLE AS after EXECUTE FUNCTION public.presence_accounts_left();
CREATE TRIGGER presence_leaves BEFORE DELETE ON public.users
    FOR EACH ROW EXECUTE FUNCTION public.presence_user_leaves();
CREATE TRIGGER presence_minted AFTER INSERT ON public.access_codes
    FOR EACH ROW EXECUTE FUNCTION public.presence_code_changed();
CREATE TRIGGER presence_revoked AFTER UPDATE ON public.access_codes
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION public.presence_code_changed();

GRANT CREATE ON SCHEMA public TO presence_definer;
DO $owner$
DECLARE
    routine regprocedure;
BEGIN
    FOREACH routine IN ARRAY ARRAY[
        'public.presence_actor()',
        'public.presence_hold_changed(uuid, uuid, uuid, bigint, uuid, bigint, boolean)',
        'public.presence_holds_changed()', 'public.presence_holds_emptied()', 'public.presence_members_left()',
        'public.presence_accounts_left()', 'public.presence_user_leaves()', 'public.presence_users_gone()',
        'public.presence_code_changed()'
    ]::regprocedure[] LOOP
        PERFORM public.presence_close(routine);
        EXECUTE format('ALTER FUNCTION %s OWNER TO presence_definer', routine);
    END LOOP;
END
$owner$;
REVOKE CREATE ON SCHEMA public FROM presence_definer;
