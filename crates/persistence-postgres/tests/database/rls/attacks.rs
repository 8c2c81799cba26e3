//! Ways in: no identity, a broken one, names that shadow ours, errors that talk, and a hub that would do more than it
//! may.

use model::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{FORBIDDEN, Viewer, World, anybody, claims, execute, populated, refusal, sqlstate};
use crate::schema::{connect, hub_url};

/// Everything that rows are read from, as ids or anything else.
const ROWS: [&str; 9] = [
    "SELECT user_id FROM own_settings",
    "SELECT user_id FROM own_activity",
    "SELECT user_id FROM presence_own_settings()",
    "SELECT user_id FROM presence_own_activity()",
    "SELECT gen_random_uuid() FROM presence_settings_history(10)",
    "SELECT user_id FROM user_last_seen",
    "SELECT user_id FROM last_seen",
    "SELECT account_id FROM account_badges",
    "SELECT account_id FROM presence_accounts()",
];
/// Those among them that have the viewer's own.
const OWN: std::ops::Range<usize> = 0..4;
const HISTORY: &str = ROWS[4];

/// As if somebody had granted the tables: the policies are still there.
const GRANTED: [&str; 3] = [
    "SELECT user_id FROM presence_settings",
    "SELECT subject FROM presence_audit",
    "SELECT user_id FROM presence_activity_logs",
];

async fn give_everybody_everything(admin: &mut PgConnection, world: &World) {
    let organization = world.held.values().next().expect("an account is held").0;
    execute(
        admin,
        &format!(
            "INSERT INTO presence_settings SELECT id, 'contacts', true, false, false, NULL, NULL, now() FROM users \
             ON CONFLICT DO NOTHING; \
             INSERT INTO presence_audit (at, kind, actor, subject) SELECT now(), 'settings', 'user:' || id, id FROM users; \
             INSERT INTO presence_activity_logs (id, organization_id, user_id, activity_type, \"timestamp\") \
             SELECT gen_random_uuid(), '{organization}', id, 'page_view', now() FROM users"
        ),
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn own_rows_are_read_by_their_owner_alone() {
    let (database, world) = populated(4).await;
    let mut admin = connect(&database.admin_url()).await;
    give_everybody_everything(&mut admin, &world).await;
    let grant = "GRANT SELECT ON presence_settings, presence_audit, presence_activity_logs TO authenticated";
    execute(&mut admin, grant).await.unwrap();
    let mut viewer = Viewer::at(&database).await;
    for (user, facts) in world.users.iter().take(40) {
        for sql in ROWS[OWN].iter().chain(&GRANTED) {
            let rows: Vec<(Uuid,)> = viewer.reads(Some(&claims(*user)), sql).await.unwrap();
            let own = if facts.disabled { vec![] } else { vec![(user.0,)] };
            assert_eq!(rows, own, "{sql} as {user}");
        }
        let history: Vec<(Uuid,)> = viewer.reads(Some(&claims(*user)), HISTORY).await.unwrap();
        assert_eq!(history.len(), usize::from(!facts.disabled));
    }
}

#[tokio::test]
async fn without_an_identity_there_is_nothing() {
    let (database, world) = populated(5).await;
    give_everybody_everything(&mut connect(&database.admin_url()).await, &world).await;
    let mut viewer = Viewer::at(&database).await;
    let unknown = claims(UserId(Uuid::from_u128(1)));
    let empty = [None, Some(""), Some("{}"), Some("null"), Some("[]"), Some(r#""sub""#), Some(&unknown)];
    for identity in empty {
        for sql in ROWS {
            let rows: Vec<(Uuid,)> = viewer.reads(identity, sql).await.unwrap();
            assert_eq!(rows, [], "{sql} as {identity:?}");
        }
    }
}

/// Claims that cannot be read are an error of their own, whatever there is to be read.
#[tokio::test]
async fn a_broken_identity_is_refused() {
    let (database, world) = populated(5).await;
    give_everybody_everything(&mut connect(&database.admin_url()).await, &world).await;
    for broken in ["sub", "{", r#"{"sub":""}"#, r#"{"sub":"admin"}"#, r#"{"sub":"' OR true"}"#] {
        for sql in ROWS {
            let mut viewer = Viewer::at(&database).await;
            let error = viewer.reads::<(Uuid,)>(Some(broken), sql).await.unwrap_err();
            assert_eq!(sqlstate(&error), "22P02", "{sql} as {broken:?}");
        }
    }
}

/// Tables, functions and operators of one's own, before ours in every search.
const SHADOWS: &str = "
    CREATE TEMP TABLE users AS SELECT gen_random_uuid() AS id, false AS disabled;
    CREATE TEMP TABLE presence_settings (user_id uuid, visibility text);
    CREATE TEMP TABLE presence_installation AS SELECT 'everyone' AS visibility;
    CREATE TEMP TABLE user_organizations (user_id uuid, organization_id uuid, role text);
    CREATE TEMP TABLE wedding_collaborations (wedding_id uuid, supplier_id uuid, client_id uuid);
    CREATE FUNCTION pg_temp.presence_uid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';
    CREATE FUNCTION pg_temp.presence_may_see(uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
    CREATE FUNCTION pg_temp.current_setting(text, boolean) RETURNS text LANGUAGE sql AS 'SELECT NULL';
    CREATE FUNCTION pg_temp.same(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
    CREATE OPERATOR pg_temp.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = pg_temp.same);
    SET LOCAL search_path = pg_temp, public;";

#[tokio::test]
async fn names_of_ones_own_change_nothing() {
    let (database, world) = populated(6).await;
    let mut viewer = Viewer::at(&database).await;
    let sql = "SELECT user_id FROM public.last_seen ORDER BY user_id";
    for user in world.users.keys().take(20) {
        let rows: Vec<(Uuid,)> = viewer.after(Some(&claims(*user)), SHADOWS, sql).await.unwrap();
        let seen: Vec<(Uuid,)> = world.seen_by(*user).keys().map(|id| (id.0,)).collect();
        assert_eq!(rows, seen, "as {user}");
    }
}

/// Each fails on the row of one subject, were it looked at before it is hidden; the last one even asks to be cheap.
const TALKATIVE: [&str; 4] = [
    "1 / CASE WHEN user_id = '{}' THEN 0 ELSE 1 END = 1",
    "CASE WHEN user_id = '{}' THEN 'no number' ELSE '1' END::integer = 1",
    "CASE WHEN user_id = '{}' THEN last_seen_at::text ELSE '1' END::integer = 1",
    "pg_temp.tell(user_id, '{}')",
];
const TELL: &str = "CREATE FUNCTION pg_temp.tell(uuid, uuid) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS \
                    $$ BEGIN IF $1 = $2 THEN RAISE 'there'; END IF; RETURN true; END $$";

#[tokio::test]
async fn errors_tell_of_nobody_who_is_hidden() {
    let (database, world) = populated(8).await;
    let viewer = anybody(&world);
    let seen = world.seen_by(viewer);
    assert!(seen.len() > 1 && seen.len() < world.users.len());
    for (subject, _) in world.users.iter().filter(|(_, facts)| facts.last_seen.is_some()).take(40) {
        for condition in TALKATIVE {
            let condition = condition.replace("{}", &subject.to_string());
            let sql = format!("SELECT user_id FROM last_seen WHERE {condition}");
            let mut connection = Viewer::at(&database).await;
            let rows = connection.after::<(Uuid,)>(Some(&claims(viewer)), TELL, &sql).await;
            match rows {
                Ok(rows) => {
                    assert_eq!((seen.contains_key(subject), rows.len()), (false, seen.len()), "{sql}")
                }
                Err(_) => assert!(seen.contains_key(subject), "{sql}"),
            }
        }
    }
}

/// What the hub must not do, though all of its rights were somebody else's.
const TOO_MUCH: [&str; 22] = [
    "UPDATE presence_audit SET actor = 'nobody'",
    "DELETE FROM presence_audit",
    "TRUNCATE presence_audit",
    "TRUNCATE users CASCADE",
    "INSERT INTO presence_changes (kind) VALUES ('all')",
    "UPDATE presence_changes SET kind = 'all', id = NULL",
    "UPDATE presence_installation SET visibility = 'everyone'",
    "UPDATE presence_migrations SET success = false",
    "ALTER TABLE users DISABLE TRIGGER ALL",
    "ALTER TABLE presence_audit DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE presence_audit NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY presence_hub ON presence_audit",
    "DROP TRIGGER presence_gone ON users",
    "DROP TABLE presence_audit",
    "CREATE TABLE mine (id integer)",
    "CREATE OR REPLACE FUNCTION presence_may_see(subject uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "SELECT presence_note('user', ARRAY[gen_random_uuid()])",
    "SELECT presence_forget(ARRAY[gen_random_uuid()])",
    "SELECT presence_may_see(gen_random_uuid())",
    "SET LOCAL ROLE presence_definer",
    "SET LOCAL session_replication_role = replica",
    "CREATE PUBLICATION everything FOR TABLE account_presence",
];

#[tokio::test]
async fn the_hub_does_no_more_than_it_may() {
    let (database, _) = populated(9).await;
    let mut hub = connect(&hub_url(&database)).await;
    execute(&mut hub, "BEGIN").await.unwrap();
    for sql in TOO_MUCH {
        assert_eq!(refusal(&mut hub, sql).await.as_deref(), Some(FORBIDDEN), "{sql}");
    }
    let audited = "INSERT INTO presence_audit (at, kind, actor) VALUES (now(), 'directory', 'service')";
    assert_eq!(refusal(&mut hub, audited).await, None);
}
