//! The catalogue: row security on every table of ours, functions that cannot be led astray, and nothing that is left
//! open to all.

use sqlx::PgConnection;

use super::{connect, migrated};

/// The names that a query finds. Each asks for what must not be there.
async fn found(connection: &mut PgConnection, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(connection).await.unwrap()
}

const WITHOUT_FORCED_ROW_SECURITY: &str = "
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'presence_migrations'
      AND NOT (relrowsecurity AND relforcerowsecurity)";
const WITHOUT_POLICY: &str = "
    SELECT relname::text FROM pg_class AS c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)";
const VIEWS_THAT_READ_AS_THEIR_OWNER: &str = "
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
      AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)";
const POLICIES_FOR_ALL_THE_WORLD: &str = "
    SELECT polname::text FROM pg_policy WHERE polroles @> ARRAY[0::oid]";
const DEFINERS_WITHOUT_A_SEARCH_PATH: &str = "
    SELECT proname::text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prosecdef
      AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)";
const FUNCTIONS_FOR_ALL_THE_WORLD: &str = "
    SELECT proname::text FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) AS acl
    WHERE pronamespace = 'public'::regnamespace AND acl.grantee = 0";
const TABLES_FOR_ALL_THE_WORLD: &str = "
    SELECT relname::text FROM pg_class, aclexplode(relacl) AS acl
    WHERE relnamespace = 'public'::regnamespace AND acl.grantee = 0";
const PUBLISHED: &str = "SELECT tablename::text FROM pg_publication_tables";
const DEFINERS_OF_SOMEBODY_ELSE: &str = "
    SELECT proname::text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prosecdef AND proowner <> 'presence_definer'::regrole
      AND proname NOT IN ('presence_make_partitions', 'presence_attach_week', 'presence_detach_week',
          'presence_index_week', 'presence_drop_week')";
const ROLES_THAT_NOTHING_BINDS: &str = "
    SELECT rolname::text FROM pg_roles
    WHERE rolname IN ('authenticated', 'presence_hub', 'presence_definer')
      AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication)";
const WHERE_OUR_ROLES_MAKE_THINGS: &str = "
    SELECT rolname::text FROM pg_roles
    WHERE rolname IN ('authenticated', 'presence_hub', 'presence_definer')
      AND has_schema_privilege(oid, 'public', 'CREATE')";
const FOREIGN_KEYS_WITHOUT_AN_INDEX: &str = "
    SELECT conname::text FROM pg_constraint AS k
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0 AND NOT EXISTS (
        SELECT FROM pg_index AS i WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1])";

#[tokio::test]
async fn nothing_is_left_open() {
    let database = migrated();
    let mut admin = connect(&database.admin_url()).await;
    for sql in [
        WITHOUT_FORCED_ROW_SECURITY,
        WITHOUT_POLICY,
        VIEWS_THAT_READ_AS_THEIR_OWNER,
        POLICIES_FOR_ALL_THE_WORLD,
        DEFINERS_WITHOUT_A_SEARCH_PATH,
        DEFINERS_OF_SOMEBODY_ELSE,
        FUNCTIONS_FOR_ALL_THE_WORLD,
        TABLES_FOR_ALL_THE_WORLD,
        PUBLISHED,
        ROLES_THAT_NOTHING_BINDS,
        WHERE_OUR_ROLES_MAKE_THINGS,
        FOREIGN_KEYS_WITHOUT_AN_INDEX,
    ] {
        assert_eq!(found(&mut admin, sql).await, Vec::<String>::new(), "{sql}");
    }
}
