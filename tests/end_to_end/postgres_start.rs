//! Databases that a hub cannot work with: it says why in one sentence, and does not start.

use postgres_cluster::{Cluster, PASSWORD};

use crate::fixture::{Launch, Postgres};

/// What is said at the attempt to start there.
fn refusal(name: &str, url: &str) -> String {
    let output = Launch::new().set("store.database_url", url).fail();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{name}: {said}");
    assert!(!said.contains(PASSWORD) && !said.contains("panicked"), "{name}: {said}");
    assert_eq!(said.lines().count(), 1, "{name}: {said}");
    said
}

fn refused(name: &str, url: &str, words: &[&str]) {
    let said = refusal(name, url);
    assert!(words.iter().all(|word| said.contains(word)), "{name}: {words:?} in: {said}");
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at = |place: &str| format!("postgres://hub:{PASSWORD}@{place}/presence");
    refused("nobody listens", &at(&nobody.to_string()), &[&nobody.port().to_string(), "127.0.0.1"]);
    refused("no such host", &at("database.invalid"), &["database.invalid"]);
    refused("another database", &format!("mysql://hub:{PASSWORD}@127.0.0.1/presence"), &["postgres://"]);
    refused("no URL", &format!("hub:{PASSWORD}@127.0.0.1"), &["postgres://"]);
}

#[test]
fn a_login_that_the_server_refuses_is_named() {
    let postgres = Postgres::shared();
    let cluster = Cluster::shared();
    let role = cluster.guarded_role("guarded_hub", &["presence_hub"]);
    let url = postgres.url_of(&role);
    if cluster.is_private() {
        refused("wrong password", &url.replace(PASSWORD, "wrong-and-secret"), &["password", &role]);
        let said = refusal("wrong password", &url.replace(PASSWORD, "wrong-and-secret"));
        assert!(!said.contains("wrong-and-secret"), "{said}");
        let stranger = url.replace(&role, "nobody_knows_them");
        refused("no such role", &stranger, &["nobody_knows_them"]);
    }
    refused("no such database", &cluster.url(&role, "no_such_database"), &["no_such_database"]);
    drop(postgres.launch().set("store.database_url", &url).start());
}

#[test]
fn a_database_or_a_role_that_is_not_prepared_says_what_to_do() {
    let postgres = Postgres::shared();
    let cluster = Cluster::shared();
    let member = cluster.login_role("hub", &["presence_hub"]);
    let empty = cluster.create_database();
    refused("not migrated", &empty.url(&member), &["presence-hub migrate"]);
    let stranger = cluster.login_role("no_member", &[]);
    refused("no member", &postgres.url_of(&stranger), &["GRANT presence_hub TO"]);
    refused("superuser", &postgres.admin_url(), &["superuser"]);
    let above = cluster.login_role("bypasses", &["presence_hub"]);
    postgres.sql(&format!("ALTER ROLE {above} BYPASSRLS"));
    refused("bypasses row level security", &postgres.url_of(&above), &[&above]);
}

/// A schema that this binary was not made for, or that somebody has weakened.
#[test]
fn a_schema_that_is_not_ours_is_refused() {
    let member = Cluster::shared().login_role("hub", &["presence_hub"]);
    for (name, damage, words) in [
        (
            "newer",
            "INSERT INTO presence_migrations (version, description, installed_on, success, checksum, execution_time) \
             SELECT version + 1, 'later', now(), true, checksum, 0 FROM presence_migrations ORDER BY version DESC LIMIT 1",
            "newer",
        ),
        ("half-applied", "UPDATE presence_migrations SET success = false", "half"),
        (
            "without forced rules",
            "ALTER TABLE presence_settings NO FORCE ROW LEVEL SECURITY",
            "presence_settings",
        ),
        ("published", "CREATE PUBLICATION leak FOR TABLE account_presence", "ALTER PUBLICATION"),
        ("all published", "CREATE PUBLICATION leak FOR ALL TABLES", "PUBLICATION"),
    ] {
        let postgres = Postgres::shared();
        postgres.sql(damage);
        refused(name, &postgres.url_of(&member), &[words]);
    }
}

/// Two hubs that are installed at the same moment migrate the same database.
#[test]
fn two_migrations_at_once_are_one() {
    let database = Cluster::shared().create_database();
    let url = database.admin_url();
    let migrate = || crate::fixture::Home::new().run(&["migrate", "--database-url", &url]);
    let outputs = std::thread::scope(|scope| {
        let both = [scope.spawn(migrate), scope.spawn(migrate)];
        both.map(|one| one.join().unwrap())
    });
    for output in outputs {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(migrate().status.success(), "and once more changes nothing");
    let member = Cluster::shared().login_role("hub", &["presence_hub"]);
    drop(Launch::new().set("store.database_url", database.url(&member)).start());
}
