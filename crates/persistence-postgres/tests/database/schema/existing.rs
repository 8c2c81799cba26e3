//! Migrating where the platform has its tables already, and by roles that are no superusers.

use std::{sync::Arc, thread};

use postgres_cluster::{Cluster, Database, Options};

use super::{hub_url, migrate, migrated, run, shared};

/// A role as Supabase's `postgres` is one, which owns the database: it may make roles, and nothing binds others to it.
/// On Postgres 16 and later it has to be given the roles that others made.
pub(super) fn owner_of(database: &Database) -> String {
    let _roles_are_there = migrated();
    let owner = shared().login_role("platform", &[]);
    run(
        database,
        &format!(
            "ALTER ROLE {owner} CREATEROLE; ALTER DATABASE {} OWNER TO {owner};
             GRANT authenticated, presence_definer TO {owner} WITH ADMIN OPTION",
            database.name()
        ),
    );
    owner
}

fn do_as(database: &Database, role: &str, sql: &str) -> String {
    let url = database.url(role);
    shared().psql_at(&url, &super::with_ids(sql)).unwrap_or_else(|said| panic!("{said}\n{sql}"))
}

/// As Supabase gives every new table of `public` to its API roles. `anon` and `service_role` are its other two.
const GIVEN_TO_ALL: &str = "
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO PUBLIC, authenticated;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO PUBLIC, authenticated;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO PUBLIC, authenticated;";

const PLATFORM: &str = "
    CREATE TYPE role_in_organization AS ENUM ('owner', 'admin', 'member');
    CREATE TABLE users (
        id uuid PRIMARY KEY, email text UNIQUE, display_name varchar(80), disabled boolean,
        avatar text, created_at timestamptz DEFAULT now());
    ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON users FOR SELECT USING (id = auth.uid());
    CREATE TABLE organizations (id uuid PRIMARY KEY, name text, plan text, billing text);
    CREATE TABLE user_organizations (
        id bigserial PRIMARY KEY, user_id uuid REFERENCES users ON DELETE CASCADE,
        organization_id uuid REFERENCES organizations, role role_in_organization);
    ALTER TABLE user_organizations ENABLE ROW LEVEL SECURITY;
    INSERT INTO users (id, email, display_name) VALUES (#1, 'a@example.com', 'A'), (#2, 'b@example.com', 'B');
    INSERT INTO organizations VALUES (#100, 'O', 'enterprise', 'x');
    INSERT INTO user_organizations (user_id, organization_id, role) VALUES (#1, #100, 'owner'), (#2, #100, 'member');";

/// An `auth` schema that belongs to somebody else, who lets others use it and no more.
fn with_foreign_auth() -> (Database, String) {
    let database = shared().create_database();
    let owner = owner_of(&database);
    run(
        &database,
        &format!(
            "CREATE SCHEMA auth;
             CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
                $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
             GRANT USAGE ON SCHEMA auth TO {owner}, authenticated"
        ),
    );
    do_as(&database, &owner, &format!("{GIVEN_TO_ALL}{PLATFORM}"));
    (database, owner)
}

const DEFINITIONS: &str = "
    SELECT c.relname, c.relowner::regrole, c.relrowsecurity, c.relforcerowsecurity, a.attname, a.atttypid::regtype,
        a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
    WHERE c.relname IN ('users', 'organizations', 'user_organizations') AND a.attnum > 0 ORDER BY c.relname, a.attnum";
const ROWS: &str = "TABLE users; TABLE organizations; TABLE user_organizations";

#[test]
fn tables_that_exist_are_kept_as_they_are() {
    let (database, owner) = with_foreign_auth();
    let before = [run(&database, DEFINITIONS), run(&database, ROWS)];
    migrate(&database.url(&owner)).unwrap();
    assert_eq!([run(&database, DEFINITIONS), run(&database, ROWS)], before);

    let hub = hub_url(&database);
    let read = "SELECT count(*) FROM users, user_organizations";
    assert_eq!(shared().psql_at(&hub, read).unwrap(), "4", "row security lets the hub see all");
    let hire = super::with_ids(
        "INSERT INTO users (id, display_name) VALUES (#3, 'C');
         INSERT INTO user_organizations (user_id, organization_id, role) VALUES (#3, #100, 'admin')",
    );
    shared().psql_at(&hub, &hire).unwrap();
    do_as(&database, &owner, "UPDATE users SET disabled = true, avatar = 'x' WHERE id = #2");
    let named = "SELECT string_agg(right(id::text, 1), ',' ORDER BY seq) FROM presence_changes";
    assert_eq!(shared().psql_at(&hub, named).unwrap(), "3,3,2");
}

/// Viewers of such a platform see what they may, and default privileges gave nobody anything of ours.
#[test]
fn an_existing_platform_gains_the_same_privacy() {
    let (database, owner) = with_foreign_auth();
    migrate(&database.url(&owner)).unwrap();
    let seen = "
        INSERT INTO presence_settings VALUES (#1, 'team', true, false, false, NULL, NULL, now());
        INSERT INTO user_last_seen (user_id, last_seen_at, seen_at, updated_at)
            SELECT id, date_trunc('minute', now(), 'UTC'), now(), now() FROM users;";
    run(&database, seen);
    let viewer = shared().login_role("speaker", &["authenticated"]);
    let read = |user: u128| {
        let claims = format!(r#"{{"sub":"{}"}}"#, super::id(user));
        let sql = format!(
            "SET ROLE authenticated; SET request.jwt.claims = '{claims}';
             SELECT string_agg(right(user_id::text, 1), ',' ORDER BY user_id) FROM last_seen
             WHERE last_seen_at IS NOT NULL"
        );
        do_as(&database, &viewer, &sql)
    };
    assert_eq!((read(1), read(2)), ("1".into(), "1,2".into()), "2 has no settings, and shares no wedding");
    let open = "
        SELECT string_agg(DISTINCT relname, ',') FROM pg_class, aclexplode(relacl) AS acl
        WHERE relnamespace = 'public'::regnamespace AND acl.grantee IN (0, 'authenticated'::regrole)
          AND relname NOT IN ('users', 'organizations', 'user_organizations', 'user_organizations_id_seq', 'account_badges',
            'last_seen', 'own_settings', 'own_activity')";
    assert_eq!(run(&database, open), "", "columns are granted, no table is");
}

#[test]
fn an_owner_who_is_no_superuser_migrates_an_empty_database() {
    let database = shared().create_database();
    let owner = owner_of(&database);
    migrate(&database.url(&owner)).unwrap();
    migrate(&database.url(&owner)).unwrap();
    let made = do_as(&database, &owner, "SELECT presence_make_partitions(6)");
    assert_eq!(made, "2");
    let configured = "UPDATE presence_installation SET visibility = 'team' RETURNING visibility";
    assert_eq!(do_as(&database, &owner, configured), "team");
}

/// What is wrong with a platform's tables is said of all of them at once, and nothing was made.
#[test]
fn tables_that_do_not_fit_are_refused_before_anything_is_made() {
    let cases = [
        (
            "CREATE TABLE users (id uuid PRIMARY KEY, disabled boolean, created_at timestamptz)",
            "the table public.users has no column display_name",
        ),
        (
            "CREATE TABLE weddings (id text PRIMARY KEY, name text)",
            "the column public.weddings.id is text, not uuid",
        ),
        (
            "CREATE TABLE weddings (id uuid, name text)",
            "the column public.weddings.id has no unique constraint",
        ),
        (
            "CREATE VIEW accounts AS SELECT gen_random_uuid() AS id, gen_random_uuid() AS organization_id, 'x' AS name",
            "public.accounts is not a table",
        ),
        (
            "CREATE TABLE organizations (id uuid PRIMARY KEY); CREATE TABLE accounts (id uuid PRIMARY KEY, name text)",
            "the table public.accounts has no column organization_id; the table public.organizations has no column name; \
             the table public.organizations has no column plan",
        ),
    ];
    for (existing, complaint) in cases {
        let database = shared().create_database();
        run(&database, existing);
        let said = migrate(&database.admin_url()).unwrap_err();
        assert!(said.contains(complaint), "{said}");
        let made = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace";
        assert_eq!(run(&database, made), "0", "{existing}");
    }
}

#[test]
fn tables_of_others_are_refused() {
    let database = shared().create_database();
    let owner = owner_of(&database);
    run(&database, "CREATE TABLE weddings (id uuid PRIMARY KEY, name text)");
    let said = migrate(&database.url(&owner)).unwrap_err();
    assert!(said.contains("the table public.weddings belongs to "), "{said}");
}

/// Roles belong to the server: whoever migrates another database of it makes the same ones. This server has none yet.
#[test]
fn two_databases_are_migrated_at_once() {
    let cluster = Arc::new(Cluster::start(Options::default()));
    let databases: Vec<Database> = (0..3).map(|_| cluster.create_database()).collect();
    thread::scope(|scope| {
        for database in &databases {
            // Two hubs on each.
            scope.spawn(|| migrate(&database.admin_url()).unwrap());
            scope.spawn(|| migrate(&database.admin_url()).unwrap());
        }
    });
    for database in &databases {
        assert_eq!(run(database, "SELECT presence_may_see(gen_random_uuid())"), "f");
    }
}
