//! A user who is deleted by plain SQL is erased as through the hub: what is theirs goes, and the audit keeps a random
//! pseudonym.

use std::collections::BTreeSet;

use postgres_cluster::Database;

use super::{id, migrated, run};

/// Users 1, 2 and 3 with a row in everything; the audit of settings of each, and of what the directory was told.
fn platform() -> Database {
    let database = migrated();
    run(
        &database,
        r#"INSERT INTO users (id, display_name) SELECT id, 'X' FROM unnest(ARRAY[#1, #2, #3]::uuid[]) AS id;
        INSERT INTO organizations (id, name) VALUES (#100, 'O');
        INSERT INTO accounts VALUES (#300, #100, 'M');
        INSERT INTO account_presence VALUES (#300, #100, #1, now(), now(), now(), NULL, 1);
        INSERT INTO presence_settings SELECT id, 'team', true, false, false, NULL, NULL, now() FROM users;
        INSERT INTO user_last_seen (user_id, last_seen_at, seen_at, updated_at)
            SELECT id, date_trunc('minute', now(), 'UTC'), now(), now() FROM users;
        INSERT INTO operation_results SELECT id, gen_random_uuid(), '{}', '{}', now() FROM users;
        INSERT INTO operation_results
            SELECT #2, gen_random_uuid(), body, result::jsonb, now() FROM (VALUES
                (format('{"mintCode":["%s","%s"]}', #100, #1), '{"minted":"x"}'),
                (format('{"forceClear":["%s","%s"]}', #300, #1), format('{"cleared":{"user":"%s"}}', #1)),
                ('{"revokeCode":["x",true]}', format('{"revoked":{"user":"%s"}}', #1))) AS of_others (body, result);
        INSERT INTO activity_rollups SELECT #100, '2026-01-01', id, 1, 0, 0, 0, 0, 0 FROM users;
        INSERT INTO activity_pages SELECT #100, '2026-01-01', '/', id, 1 FROM users;
        INSERT INTO presence_sessions (organization_id, session_id, started_at, user_id, seen_at)
            SELECT #100, gen_random_uuid(), now(), id, now() FROM users;
        INSERT INTO access_codes
            SELECT gen_random_uuid(), #100, id, decode(md5(id::text), 'hex'), #1, now(), now() FROM users;
        INSERT INTO presence_activity_logs (id, organization_id, user_id, activity_type, "timestamp")
            SELECT gen_random_uuid(), #100, id, 'focus', now() FROM users;
        INSERT INTO presence_audit (at, kind, actor, subject, before_json, after_json)
            SELECT now(), 'settings', 'user:' || id, id, '{"visibility":"team"}', '{"visibility":"nobody"}' FROM users;
        INSERT INTO presence_audit (at, kind, actor, after_json)
            SELECT now(), 'directory', 'user:' || #1,
                format('[{"change":"putUser","id":"%s"},{"change":"removeMember","user":"%s"}]', #1, #2)::jsonb;
        INSERT INTO presence_audit (at, kind, actor, organization_id, subject, before_json)
            SELECT now(), 'occupancy', 'user:' || #2, #100, #1, format('{"holder":"%s"}', #1)::jsonb"#,
    );
    database
}

/// Every row of every table of the schema as text, so that nothing is looked past.
fn all_rows(database: &Database) -> String {
    let tables = run(
        database,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
         AND NOT relispartition AND relname NOT IN ('presence_changes', 'presence_migrations', 'presence_erasures')",
    );
    let dump = |table: &str| format!("SELECT '{table}', t FROM {table} AS t;");
    run(database, &tables.lines().map(dump).collect::<String>())
}

#[test]
fn a_deleted_user_is_nowhere() {
    let database = platform();
    let before = all_rows(&database);
    run(&database, "DELETE FROM users WHERE id = #1");
    let after = all_rows(&database);
    assert!(before.contains(&id(1)) && !after.contains(&id(1)), "{after}");
    let of_others = |rows: &str| rows.lines().filter(|row| !row.starts_with("presence_audit")).count();
    assert_eq!(of_others(&before) - of_others(&after), 13, "one row of each table that has rows of users");
    for other in [2, 3] {
        assert!(after.contains(&id(other)));
    }
}

#[test]
fn the_audit_of_the_deleted_has_one_pseudonym() {
    let database = platform();
    run(&database, "DELETE FROM users WHERE id = #1");
    // Without the entries that triggers made of holds and codes.
    let read = "SELECT kind, actor, subject, before_json::text, after_json::text FROM presence_audit \
                WHERE after_json -> 'event' IS NULL ORDER BY id";
    let audit = run(&database, read);
    let rows: Vec<Vec<&str>> = audit.lines().map(|row| row.split('|').collect()).collect();
    let pseudonym = rows[0][2];
    assert_ne!(pseudonym, id(1));
    assert_eq!(rows[0], ["settings", &format!("user:{pseudonym}"), pseudonym, "", ""]);
    assert_eq!(rows[1][2], id(2), "of others nothing changes");
    assert!(rows[1][4].contains("nobody"));
    assert_eq!(rows[3][1], format!("user:{pseudonym}"));
    assert!(rows[3][4].contains(pseudonym) && rows[3][4].contains(&id(2)) && !rows[3][4].contains(&id(1)));
    assert_eq!(
        rows[4][1..4],
        [&format!("user:{}", id(2)), pseudonym, &format!(r#"{{"holder": "{pseudonym}"}}"#)]
    );
}

#[test]
fn each_who_goes_has_their_own_pseudonym() {
    for sql in ["DELETE FROM users", "TRUNCATE users CASCADE"] {
        let database = platform();
        run(&database, sql);
        let rows = all_rows(&database);
        for user in 1..=3 {
            assert!(!rows.contains(&id(user)), "{sql}: {rows}");
        }
        let subjects = run(&database, "SELECT subject FROM presence_audit WHERE kind = 'settings'");
        assert_eq!(subjects.lines().collect::<BTreeSet<_>>().len(), 3, "{sql}");
    }
}
