//! The jobs by hand, as an operator runs them: the archive and back, and totals.

use std::process::Output;

use super::*;

const OLD_ROWS: usize = 2_500;

/// What a command said, where it did what it was asked.
fn said(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// All rows of the log, in one number.
fn log_of(postgres: &Postgres) -> String {
    postgres.sql(
        "SELECT count(*) || ' ' || coalesce(md5(string_agg(l::text, E'\\n' ORDER BY l.id)), '') \
         FROM presence_activity_logs AS l",
    )
}

/// Rows of a week that is long past: with unicode, without, with and without everything that may be missing.
fn put_old_week(office: &Office, postgres: &Postgres) -> String {
    let week =
        postgres.sql("SELECT (date_trunc('week', now() AT TIME ZONE 'UTC') - interval '15 weeks')::date");
    postgres.sql(&format!("SELECT presence_attach_week('{week}')"));
    postgres.sql(&format!(
        "INSERT INTO presence_activity_logs \
         SELECT gen_random_uuid(), '{org}', CASE WHEN n % 3 = 0 THEN '{finn}'::uuid ELSE '{vera}'::uuid END, \
             'page_view', CASE WHEN n % 5 > 0 THEN '/gäste/🌸/' || n END, \
             '{week}'::timestamp AT TIME ZONE 'UTC' + n * interval '241.000007 s', \
             CASE WHEN n % 2 = 0 THEN 'tablet' END, CASE WHEN n % 7 > 0 THEN gen_random_uuid() END, \
             CASE WHEN n % 4 = 0 THEN jsonb_build_object('count', n, 'action', 'a\"b\\c') END \
         FROM generate_series(0, {last}) AS n",
        org = id_of(office.world.agency),
        finn = office.world.finn,
        vera = office.world.vera,
        last = OLD_ROWS - 1,
    ));
    week
}

#[tokio::test]
async fn the_archive_and_back_loses_no_row_and_changes_none() {
    let office = Office::with_postgres().await;
    let postgres = office.postgres.clone().expect("a database");
    let home = office.launch.home().clone();
    // Directory entries are older than the rows of theirs.
    postgres.sql("UPDATE users SET created_at = now() - interval '1 year'");
    let week = put_old_week(&office, &postgres);
    let before = log_of(&postgres);
    assert!(before.starts_with(&OLD_ROWS.to_string()), "{before}");

    let archived = said(&home.run(&["jobs", "run", "archive"]));
    assert!(archived.contains(&OLD_ROWS.to_string()), "{archived}");
    assert!(log_of(&postgres).starts_with('0'), "the week has left the database");
    let gone = postgres.sql(&format!(
        "SELECT to_regclass('presence_activity_logs_' || to_char('{week}'::date, 'YYYYMMDD')) IS NULL"
    ));
    assert_eq!(gone, "t");

    let restored = said(&home.run(&["jobs", "run", "restore-archive", &week]));
    assert!(restored.contains(&OLD_ROWS.to_string()), "{restored}");
    assert_eq!(log_of(&postgres), before);

    // Erased people do not come back out of it, and the others stay.
    said(&home.run(&["jobs", "run", "archive"]));
    assert_eq!(log_of(&postgres), before, "restored for a while");
    postgres.sql("UPDATE presence_weeks SET restored_at = restored_at - interval '8 days'");
    said(&home.run(&["jobs", "run", "archive"]));
    office.erase(office.world.finn).await;
    // Whatever is left to be done of it.
    said(&home.run(&["jobs", "run", "erasures"]));
    said(&home.run(&["jobs", "run", "restore-archive", &week]));
    let of = |user: UserId| {
        postgres.sql(&format!("SELECT count(*) FROM presence_activity_logs WHERE user_id = '{user}'"))
    };
    assert_eq!(of(office.world.finn), "0");
    assert_eq!(of(office.world.vera), (OLD_ROWS - OLD_ROWS.div_ceil(3)).to_string());
}

#[tokio::test]
async fn an_operator_sees_what_the_jobs_did() {
    for office in [Office::embedded().await, Office::with_postgres().await] {
        let port = format!("listen.port={}", office.world.hub.port());
        let run = |words: &[&str]| office.launch.home().run(&[words, &["--set", &port]].concat());
        office.views(office.world.finn, "/a").await;
        office.logged(office.world.finn, "/a").await;
        let report = said(&run(&["jobs", "run", "rollups"]));
        assert!(!report.trim().is_empty());
        let export = office.export(office.world.finn).await;
        assert_eq!(export["pages"][0]["page"], "/a", "{export}");
        assert_eq!(export["pages"][0]["views"], 1);
        let list = said(&run(&["jobs", "list"]));
        for job in
            ["stale-presence", "dead-sessions", "partitions", "archive", "expire", "rollups", "erasures"]
        {
            assert!(list.contains(job), "{list}");
        }
        let unknown = run(&["jobs", "run", "dance"]);
        assert!(!unknown.status.success());
        assert!(String::from_utf8_lossy(&unknown.stderr).contains("rollups"), "it names those there are");
    }
}
