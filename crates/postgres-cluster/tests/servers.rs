//! Servers start, live through what tests do to them, and leave nothing behind.

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use postgres_cluster::{Cluster, Options, PASSWORD};

fn own() -> Arc<Cluster> {
    Arc::new(Cluster::start(Options::default()))
}

#[test]
fn statements_run_and_complain() {
    let database = Cluster::shared().create_database();
    let said =
        database.psql("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (2, NULL); TABLE t");
    assert_eq!(said.as_deref(), Ok("1|x\n2|"));
    let refused = database.psql("SELECT 1; SELECT 1/0; SELECT 2").unwrap_err();
    assert!(refused.contains("division by zero"), "{refused}");
    let long = format!("SELECT '{}'; SELECT repeat('x', 200000);", "y".repeat(200_000)).repeat(3);
    assert_eq!(database.psql(&long).unwrap().len(), 3 * 400_000 + 5);
}

#[test]
fn databases_come_from_a_template_and_go_when_dropped() {
    let cluster = Cluster::shared();
    let times = std::sync::atomic::AtomicU32::new(0);
    let prepare = |url: &str| {
        times.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Cluster::shared().psql_at(url, "CREATE TABLE made (by_template int)").unwrap();
    };
    let make = || cluster.database_from("templates", prepare);
    let (one, other) = thread::scope(|scope| {
        let (one, other) = (scope.spawn(make), scope.spawn(make));
        (one.join().unwrap(), other.join().unwrap())
    });
    assert_eq!(times.into_inner(), 1);
    one.psql("INSERT INTO made VALUES (1)").unwrap();
    assert_eq!(other.psql("SELECT count(*) FROM made").unwrap(), "0");
    let mut session = one.session();
    assert_eq!(session.run("SELECT 1").unwrap(), "1");
    let name = one.name().to_owned();
    drop(one);
    let left =
        cluster.psql("postgres", &format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'"));
    assert_eq!(left.unwrap(), "0");
    assert!(session.run("SELECT 1").is_err());
}

#[test]
fn sessions_hold_transactions_and_say_what_failed() {
    let database = Cluster::shared().create_database();
    let mut session = database.session();
    session.run("CREATE TABLE t (a int)").unwrap();
    session.run("BEGIN").unwrap();
    session.run("INSERT INTO t VALUES (1);").unwrap();
    assert_eq!(database.psql("SELECT count(*) FROM t").unwrap(), "0");
    session.run("COMMIT").unwrap();
    assert_eq!(database.psql("SELECT count(*) FROM t").unwrap(), "1");
    assert_eq!(session.run("SELECT 1/0").unwrap_err(), "division by zero");
    assert_eq!(session.run("VALUES (1, 'a'), (2, 'b')").unwrap(), "1|a\n2|b");
}

#[test]
fn a_guarded_role_needs_its_password() {
    let cluster = own();
    let role = cluster.guarded_role("guarded", &[]);
    let url = cluster.url(&role, "postgres");
    assert_eq!(cluster.psql_at(&url, "SELECT current_user").unwrap(), role);
    let refused = cluster.psql_at(&url.replace(PASSWORD, "wrong"), "SELECT 1").unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
    let open = cluster.login_role("open", &["pg_monitor"]);
    assert_eq!(open, cluster.login_role("open", &["pg_monitor"]), "made once");
    let url = cluster.url(&open, "postgres").replace(PASSWORD, "wrong");
    assert_eq!(cluster.psql_at(&url, "SELECT pg_has_role('pg_monitor', 'member')").unwrap(), "t");
}

#[test]
fn what_was_committed_outlives_every_end() {
    let cluster = own();
    let database = cluster.create_database();
    database.psql("CREATE TABLE t (a int)").unwrap();
    for (round, end) in [Cluster::stop, Cluster::kill9].into_iter().enumerate() {
        database.psql("INSERT INTO t VALUES (1)").unwrap();
        let mut session = database.session();
        session.run("SELECT pg_sleep(0)").unwrap();
        end(&cluster);
        assert!(TcpStream::connect(("127.0.0.1", cluster.port())).is_err());
        assert!(session.run("SELECT 1").is_err());
        cluster.start_again();
        assert_eq!(database.psql("SELECT count(*) FROM t").unwrap(), (round + 1).to_string());
    }
}

#[test]
fn a_frozen_server_answers_when_it_is_thawed() {
    let cluster = own();
    let database = cluster.create_database();
    let mut session = database.session();
    session.run("SELECT 1").unwrap();
    cluster.freeze();
    let frozen = Instant::now();
    let answer = thread::spawn(move || (session.run("SELECT 2"), Instant::now()));
    thread::sleep(Duration::from_millis(200));
    assert!(!answer.is_finished());
    cluster.thaw();
    let (answer, at) = answer.join().unwrap();
    assert_eq!(answer.unwrap(), "2");
    assert!(at - frozen >= Duration::from_millis(200));
}

#[test]
fn several_at_once_do_not_meet_and_are_gone_when_dropped() {
    let clusters = thread::scope(|scope| {
        let starting: Vec<_> = (0..3).map(|_| scope.spawn(own)).collect();
        starting.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    let place = |cluster: &Cluster| cluster.psql("postgres", "SHOW data_directory").unwrap();
    let places: std::collections::BTreeSet<_> = clusters.iter().map(|cluster| place(cluster)).collect();
    assert_eq!(places.len(), clusters.len());
    clusters[0].freeze();
    let ports: Vec<_> = clusters.iter().map(|cluster| cluster.port()).collect();
    drop(clusters);
    assert!(ports.into_iter().all(|port| TcpStream::connect(("127.0.0.1", port)).is_err()));
    assert!(places.iter().all(|place| !Path::new(place).exists()));
}

#[test]
fn settings_are_passed_on() {
    let settings = vec![("max_connections".to_owned(), "12".to_owned())];
    let cluster = Cluster::start(Options { fsync: true, settings, data_dir: None });
    assert_eq!(cluster.psql("postgres", "SHOW max_connections; SHOW fsync").unwrap(), "12\non");
}

/// Set in a process that owns a server and is about to be killed.
const OWNER: &str = "POSTGRES_CLUSTER_OWNER";

/// Nothing in a run of all tests; in a process of its own the owner of a server, until it is killed.
#[test]
#[expect(clippy::print_stderr, reason = "tells the other process what to look for")]
fn an_owner() {
    if std::env::var_os(OWNER).is_some() {
        let cluster = own();
        let place = cluster.psql("postgres", "SHOW data_directory").unwrap();
        cluster.freeze();
        eprintln!("place {place}");
        thread::park();
    }
}

#[test]
fn nothing_is_left_behind_when_the_process_is_killed() {
    let mut owner = Command::new(std::env::current_exe().unwrap());
    owner.args(["--exact", "an_owner", "--nocapture"]).env(OWNER, "1").stderr(Stdio::piped());
    let mut owner = owner.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(owner.stderr.take().unwrap()).lines().map_while(Result::ok);
    let place = lines.find_map(|line| line.strip_prefix("place ").map(str::to_owned)).expect("a server");
    owner.kill().unwrap();
    owner.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while Path::new(&place).exists() {
        assert!(Instant::now() < deadline, "{place} is still there");
        thread::sleep(Duration::from_millis(20));
    }
}
