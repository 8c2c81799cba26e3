-- Facts about people: who they are, where they work, which weddings they share. And the roles that may read them.
--
-- Ordinary tables that the platform's own back-end may have made before, and writes at any time. What exists keeps
-- its definition, its owner, its rows and its row security; it only gains rights for our roles, and triggers (0003).
-- Everything that could fail for the sake of an existing schema is looked at first, before anything is made.

DO $check$
DECLARE
    wrong text;
    me constant text := current_user;
BEGIN
    IF current_setting('server_version_num')::integer < 150000 THEN
        RAISE EXCEPTION 'presence-hub needs Postgres 15 or newer; this is %', current_setting('server_version');
    END IF;

    SELECT 'the schema public belongs to ' || nspowner::regrole INTO wrong FROM pg_catalog.pg_namespace
    WHERE nspname = 'public' AND NOT pg_has_role(nspowner, 'USAGE');
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong USING HINT = format('Migrate as the owner of the database, not as %s.', me);
    END IF;

    WITH needed (relation, attribute, type) AS (VALUES
        ('users', 'id', 'uuid'), ('users', 'display_name', NULL), ('users', 'disabled', 'boolean'),
        ('users', 'created_at', 'timestamp with time zone'),
        ('organizations', 'id', 'uuid'), ('organizations', 'name', NULL), ('organizations', 'plan', NULL),
        ('user_organizations', 'user_id', 'uuid'), ('user_organizations', 'organization_id', 'uuid'),
        ('user_organizations', 'role', NULL),
        ('weddings', 'id', 'uuid'), ('weddings', 'name', NULL),
        ('wedding_collaborations', 'wedding_id', 'uuid'), ('wedding_collaborations', 'supplier_id', 'uuid'),
        ('wedding_collaborations', 'client_id', 'uuid'), ('wedding_collaborations', 'supplier_type', NULL),
        ('accounts', 'id', 'uuid'), ('accounts', 'organization_id', 'uuid'), ('accounts', 'name', NULL),
        ('wedding_participants', 'wedding_id', 'uuid'), ('wedding_participants', 'user_id', 'uuid'),
        ('wedding_participants', 'part', NULL)
    ), existing AS (
        SELECT needed.*, c.oid, c.relkind, c.relowner, a.attnum, format_type(a.atttypid, NULL) AS has_type
        FROM needed
        JOIN pg_catalog.pg_class AS c ON c.relname = relation AND c.relnamespace = 'public'::regnamespace
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = attribute AND NOT a.attisdropped
    ), complaints (relation, complaint) AS (
        SELECT relation, format('public.%s is not a table', relation) FROM existing
        WHERE relkind NOT IN ('r', 'p') AND relation <> 'wedding_participants'
        UNION
        SELECT relation, format('the table public.%s has no column %s', relation, attribute)
        FROM existing WHERE attnum IS NULL
        UNION
        SELECT relation, format('the column public.%s.%s is %s, not %s', relation, attribute, has_type, type)
        FROM existing WHERE has_type <> type
        UNION
        SELECT relation, format('the column public.%s.id has no unique constraint', relation)
        FROM existing
        WHERE attribute = 'id' AND attnum IS NOT NULL AND relkind IN ('r', 'p') AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_index AS i
            WHERE i.indrelid = existing.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
              AND i.indpred IS NULL AND i.indnatts = 1 AND i.indkey[0] = existing.attnum)
        UNION
        SELECT relation, format('the table public.%s belongs to %s', relation, relowner::regrole)
        FROM existing WHERE NOT pg_has_role(relowner, 'USAGE')
    )
    SELECT string_agg(complaint, '; ' ORDER BY relation, complaint) INTO wrong FROM complaints;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '%', wrong
            USING HINT = 'Nothing was changed. docs/postgres.md says what presence-hub needs of tables that exist.';
    END IF;
END
$check$;

-- Roles belong to the whole server, and another database of it may be migrated at this moment.
DO $roles$
DECLARE
    wanted record;
    wrong text;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            -- People, as PostgREST and the hub speak for them.
            ('authenticated', 'NOLOGIN'),
            -- The hub. What it may do as a viewer it does only when it takes that role, so nothing is inherited.
            ('presence_hub', 'NOLOGIN NOINHERIT'),
            -- Owns the functions that know more than their callers.
            ('presence_definer', 'NOLOGIN NOINHERIT')
        ) AS roles (name, attributes)
    LOOP
        IF to_regrole(wanted.name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made by the other one, meanwhile
            END;
        END IF;
    END LOOP;

    SELECT string_agg(rolname, ', ') INTO wrong FROM pg_catalog.pg_roles
    WHERE rolname IN ('authenticated', 'presence_hub', 'presence_definer') AND (rolsuper OR rolbypassrls);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'row security does not bind the role %: it is a superuser or has BYPASSRLS', wrong;
    END IF;

    FOR wanted IN
        SELECT * FROM (VALUES ('authenticated', 'presence_hub'), ('presence_definer', current_user::text))
            AS memberships (role, member)
        WHERE NOT pg_has_role(member, role, 'MEMBER')
    LOOP
        BEGIN
            EXECUTE format('GRANT %I TO %I', wanted.role, wanted.member);
        EXCEPTION WHEN unique_violation THEN
            NULL;
        END;
    END LOOP;
END
$roles$;

-- Who asks. Supabase has it; elsewhere it reads the claims in the same place.
DO $auth$
BEGIN
    IF to_regnamespace('auth') IS NULL THEN
        CREATE SCHEMA auth;
    END IF;
    IF to_regprocedure('auth.uid()') IS NULL THEN
        CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
            $$SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid$$;
        GRANT EXECUTE ON FUNCTION auth.uid() TO authenticated, presence_hub, presence_definer;
    END IF;
    IF (SELECT pg_has_role(nspowner, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = 'auth') THEN
        GRANT USAGE ON SCHEMA auth TO authenticated, presence_hub, presence_definer;
    END IF;
END
$auth$;

GRANT USAGE ON SCHEMA public TO authenticated, presence_hub, presence_definer;

-- The name is resolved here and now: our functions need no right on a schema `auth` that others own.
CREATE FUNCTION public.presence_uid() RETURNS uuid LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT auth.uid();
END;

-- Takes a new table, view or function away from everybody but its owner and those whom row security does not bind
-- anyway: default privileges may have given it to all the world, as they do on Supabase. Tables get row security.
CREATE FUNCTION public.presence_close(relation regclass) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held record;
BEGIN
    IF (SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = relation) THEN
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', relation);
    END IF;
    FOR held IN
        SELECT DISTINCT c.oid::regclass AS name, c.relkind, coalesce(quote_ident(r.rolname), 'PUBLIC') AS grantee
        FROM pg_class AS c
        CROSS JOIN aclexplode(c.relacl) AS acl
        LEFT JOIN pg_roles AS r ON r.oid = acl.grantee
        WHERE (c.oid = relation OR c.oid IN (
                SELECT objid FROM pg_depend
                WHERE classid = 'pg_class'::regclass AND refobjid = relation AND deptype = 'i'))
          AND c.relkind IN ('r', 'p', 'v', 'S')
          AND acl.grantee <> c.relowner
          AND NOT coalesce(r.rolsuper OR r.rolbypassrls, false)
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s',
            CASE held.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, held.name, held.grantee);
    END LOOP;
END
$$;

CREATE FUNCTION public.presence_close(routine regprocedure) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    holder text;
BEGIN
    FOR holder IN
        SELECT DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC')
        FROM pg_proc AS p
        CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
        LEFT JOIN pg_roles AS r ON r.oid = acl.grantee
        WHERE p.oid = routine AND acl.grantee <> p.proowner AND NOT coalesce(r.rolsuper OR r.rolbypassrls, false)
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s', routine, holder);
    END LOOP;
END
$$;

SELECT public.presence_close(routine::regprocedure) FROM (VALUES
    ('public.presence_close(regclass)'), ('public.presence_close(regprocedure)'), ('public.presence_uid()')
) AS routines (routine);
GRANT EXECUTE ON FUNCTION public.presence_uid() TO authenticated, presence_definer;

-- What is ours here is closed; what was there is left as it is.
CREATE TEMPORARY TABLE presence_found ON COMMIT DROP AS
    SELECT name, to_regclass('public.' || name) IS NOT NULL AS existed
    FROM (VALUES ('users'), ('organizations'), ('user_organizations'), ('weddings'), ('wedding_collaborations'),
        ('accounts'), ('wedding_participants')) AS names (name);

CREATE TABLE IF NOT EXISTS public.users (
    id uuid PRIMARY KEY,
    display_name text NOT NULL,
    disabled boolean NOT NULL DEFAULT false,
    -- Last-seen noted before this is of somebody who was erased and had the same id.
    created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now())
);

CREATE TABLE IF NOT EXISTS public.organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    plan text NOT NULL DEFAULT 'standard' CHECK (plan IN ('standard', 'enterprise'))
);

CREATE TABLE IF NOT EXISTS public.weddings (
    id uuid PRIMARY KEY,
    name text NOT NULL
);

DO $tables$
BEGIN
    IF to_regclass('public.user_organizations') IS NULL THEN
        CREATE TABLE public.user_organizations (
            user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
            organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
            role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
            PRIMARY KEY (user_id, organization_id)
        );
        CREATE INDEX user_organizations_by_organization ON public.user_organizations (organization_id);
    END IF;

    IF to_regclass('public.wedding_collaborations') IS NULL THEN
        CREATE TABLE public.wedding_collaborations (
            wedding_id uuid NOT NULL REFERENCES public.weddings (id) ON DELETE CASCADE,
            supplier_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
            client_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
            supplier_type text NOT NULL,
            PRIMARY KEY (wedding_id, supplier_id, client_id)
        );
        CREATE INDEX wedding_collaborations_by_supplier ON public.wedding_collaborations (supplier_id);
        CREATE INDEX wedding_collaborations_by_client ON public.wedding_collaborations (client_id);
    END IF;

    IF to_regclass('public.accounts') IS NULL THEN
        CREATE TABLE public.accounts (
            id uuid PRIMARY KEY,
            organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
            name text NOT NULL
        );
        CREATE INDEX accounts_by_organization ON public.accounts (organization_id);
    END IF;

    -- Taking part in a wedding follows from the collaborations; it is not a fact of its own.
    IF to_regclass('public.wedding_participants') IS NULL THEN
        CREATE VIEW public.wedding_participants (wedding_id, user_id, part) WITH (security_invoker = true) AS
            SELECT wedding_id, supplier_id, 'supplier' FROM public.wedding_collaborations
            UNION
            SELECT wedding_id, client_id, 'client' FROM public.wedding_collaborations;
    END IF;
END
$tables$;

-- The hub writes the directory too (REST with the service token, import), and so draws from what numbers its rows.
-- Policies wait where row security is off: switched on later, it does not make everybody vanish.
DO $rights$
DECLARE
    relation record;
    numbers regclass;
BEGIN
    FOR relation IN SELECT name, existed, ('public.' || name)::regclass AS id FROM pg_temp.presence_found LOOP
        IF NOT relation.existed THEN
            PERFORM public.presence_close(relation.id);
        END IF;
        IF relation.name = 'wedding_participants' THEN
            EXECUTE format('GRANT SELECT ON %s TO presence_hub', relation.id);
        ELSE
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO presence_hub', relation.id);
            EXECUTE format('GRANT SELECT ON %s TO presence_definer', relation.id);
            EXECUTE format('CREATE POLICY presence_hub ON %s TO presence_hub USING (true) WITH CHECK (true)', relation.id);
            EXECUTE format('CREATE POLICY presence_definer ON %s FOR SELECT TO presence_definer USING (true)', relation.id);
            FOR numbers IN
                SELECT objid FROM pg_catalog.pg_depend
                WHERE classid = 'pg_class'::regclass AND refobjid = relation.id AND deptype = 'a'
                  AND objid IN (SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'S')
            LOOP
                EXECUTE format('GRANT USAGE ON SEQUENCE %s TO presence_hub', numbers);
            END LOOP;
        END IF;
    END LOOP;
END
$rights$;

-- The hub reads which migrations were made. Not forced: the owner writes the next one.
DO $migrations$
BEGIN
    IF to_regclass('public.presence_migrations') IS NOT NULL THEN
        PERFORM public.presence_close('public.presence_migrations'::regclass);
        ALTER TABLE public.presence_migrations NO FORCE ROW LEVEL SECURITY;
        GRANT SELECT ON public.presence_migrations TO presence_hub;
        CREATE POLICY presence_hub ON public.presence_migrations FOR SELECT TO presence_hub USING (true);
    END IF;
END
$migrations$;
