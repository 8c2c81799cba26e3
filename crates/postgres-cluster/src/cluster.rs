//! A server with its databases and roles.

use std::{
    collections::HashMap,
    io::Write,
    process::Stdio,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    Database, Options, Session,
    keeper::Keeper,
    programs::Programs,
    server::{ASKED_FOR_PASSWORD, SUPERUSER, Server},
};

/// Names the server that tests share, as the URL of a superuser; without it each test process makes its own.
pub const SERVER_VARIABLE: &str = "PRESENCE_HUB_TEST_DATABASE_URL";
/// The password of every role that [`Cluster::login_role`] and [`Cluster::guarded_role`] make.
pub const PASSWORD: &str = "never-to-be-seen-in-a-log";

static SHARED: OnceLock<Arc<Cluster>> = OnceLock::new();

/// A Postgres server. Dropped, it is gone with everything in it where it is private; of one that was named, our
/// databases and roles go.
#[derive(Debug)]
pub struct Cluster {
    /// Before all names on this server, so that tests which run at the same time on a named one do not meet.
    run: String,
    place: Place,
    client: Programs,
    made: AtomicU32,
    templates: Mutex<HashMap<String, Arc<OnceLock<String>>>>,
    /// Two who change the same role at once fail.
    roles: Mutex<()>,
}

#[derive(Debug)]
enum Place {
    Private(Server),
    Named { url: Url, _keeper: Keeper },
}

impl Cluster {
    /// The server that the tests of this process share. Nobody stops it.
    ///
    /// # Panics
    /// Where there is no server to be had.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        let start = || match std::env::var(SERVER_VARIABLE) {
            Ok(url) if !url.is_empty() => Self::named(&url),
            _ => Self::start(Options::default()),
        };
        SHARED.get_or_init(|| Arc::new(start())).clone()
    }

    /// A private server.
    ///
    /// # Panics
    /// Where it does not start; its log is in the message.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let cluster = Self::at(run_name(), Place::Private(Server::start(options)), Programs::of_client());
        cluster.must("postgres", &format!("CREATE ROLE {ASKED_FOR_PASSWORD}"));
        cluster
    }

    /// # Panics
    /// Where this is no URL.
    fn named(url: &str) -> Self {
        let (run, client) = (run_name(), Programs::of_client());
        let url = Url::parse(url).unwrap_or_else(|| panic!("{SERVER_VARIABLE} is not the URL of a server"));
        let sql = format!(
            "SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', datname) FROM pg_database\n\
             WHERE datname LIKE '{run}\\_%' \\gexec\n\
             SELECT format('DROP ROLE IF EXISTS %I', rolname) FROM pg_roles WHERE rolname LIKE '{run}\\_%' \\gexec"
        );
        let psql = client.path("psql");
        let keeper = Keeper::saying(&psql.to_string_lossy(), &url.with(&url.user, "postgres"), &sql);
        Self::at(run, Place::Named { url, _keeper: keeper }, client)
    }

    fn at(run: String, place: Place, client: Programs) -> Self {
        let (made, templates, roles) = Default::default();
        Self { run, place, client, made, templates, roles }
    }

    /// Whether the server is ours alone, so that it can be stopped, killed and frozen.
    #[must_use]
    pub fn is_private(&self) -> bool {
        matches!(self.place, Place::Private(_))
    }

    /// The port it listens on, on 127.0.0.1 where it is private.
    ///
    /// # Panics
    /// Where it is not private.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server().port()
    }

    /// What a private server wrote to its log.
    ///
    /// # Panics
    /// Where it is not private.
    #[must_use]
    pub fn log(&self) -> String {
        self.server().log()
    }

    /// A database's URL for the superuser.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> String {
        match &self.place {
            Place::Private(_) => self.located(SUPERUSER, database),
            Place::Named { url, .. } => url.with(&url.user, database),
        }
    }

    /// A database's URL for a role that was made here.
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        self.located(&format!("{role}:{PASSWORD}"), database)
    }

    fn located(&self, user: &str, database: &str) -> String {
        match &self.place {
            Place::Private(server) => format!("postgres://{user}@127.0.0.1:{}/{database}", server.port()),
            Place::Named { url, .. } => url.with(user, database),
        }
    }

    /// Runs statements as the superuser, each in a transaction of its own unless they say otherwise; what `psql` prints
    /// is returned: a line for each row, columns separated by `|`.
    ///
    /// # Errors
    /// What `psql` complained of. Statements before the one that failed were done.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String, String> {
        self.psql_at(&self.admin_url(database), sql)
    }

    /// As [`Cluster::psql`], as whoever the URL says.
    ///
    /// # Errors
    /// As there, and where there is no connection.
    ///
    /// # Panics
    /// Where `psql` cannot be run.
    pub fn psql_at(&self, url: &str, sql: &str) -> Result<String, String> {
        let mut command = self.client.command("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-", "-d", url]);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("psql runs");
        let mut input = child.stdin.take().expect("its input");
        let output = thread::scope(|scope| {
            // It may end before it has read all: then it says why.
            scope.spawn(move || input.write_all(sql.as_bytes()));
            child.wait_with_output().expect("psql runs")
        });
        let text = |bytes| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// A connection that stays, for a transaction that others look at while it lasts.
    ///
    /// # Panics
    /// Where `psql` cannot be run.
    #[must_use]
    pub fn session(&self, url: &str) -> Session {
        Session::open(self.client.command("psql"), url)
    }

    /// # Panics
    /// Where it cannot be done.
    pub(crate) fn must(&self, database: &str, sql: &str) -> String {
        self.psql(database, sql).unwrap_or_else(|said| panic!("{said}\n{sql}"))
    }

    /// An empty database.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn create_database(self: &Arc<Self>) -> Database {
        Database::new(self.clone(), self.make_database("database", "template0"))
    }

    /// A copy of a database that `prepare`, given its URL for the superuser, has filled before; that is done once in
    /// this process for each name. `prepare` runs in a thread of its own, outside of any runtime.
    ///
    /// # Panics
    /// Where it cannot be made, or `prepare` panics; whoever comes next prepares it anew then.
    #[must_use]
    pub fn database_from(self: &Arc<Self>, template: &str, prepare: impl FnOnce(&str) + Send) -> Database {
        let cell = self.template(template);
        let original = cell.get_or_init(|| self.prepared(template, prepare));
        Database::new(self.clone(), self.make_database(template, original))
    }

    fn template(&self, name: &str) -> Arc<OnceLock<String>> {
        let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        templates.entry(name.to_owned()).or_default().clone()
    }

    fn prepared(&self, template: &str, prepare: impl FnOnce(&str) + Send) -> String {
        let name = self.make_database(&format!("{template}_template"), "template0");
        let url = self.admin_url(&name);
        let outcome = thread::scope(|scope| scope.spawn(|| prepare(&url)).join());
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
        // Nothing can be copied while somebody is connected to it.
        let close = format!(
            "ALTER DATABASE {name} ALLOW_CONNECTIONS false; \
             SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        self.must("postgres", &close);
        name
    }

    fn make_database(&self, word: &str, from: &str) -> String {
        let name = format!("{}_{word}_{}", self.run, self.made.fetch_add(1, Ordering::Relaxed));
        self.must("postgres", &format!("CREATE DATABASE {name} TEMPLATE {from}"));
        name
    }

    /// Makes a role that may log in with [`PASSWORD`] and is a member of others, unless it is there, and returns its
    /// full name. A private server does not ask it for the password.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn login_role(&self, name: &str, in_roles: &[&str]) -> String {
        self.make_role(name, in_roles)
    }

    /// As [`Cluster::login_role`]; also a private server wants to know the password.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn guarded_role(&self, name: &str, in_roles: &[&str]) -> String {
        let guard = self.is_private().then_some(ASKED_FOR_PASSWORD);
        self.make_role(name, &[in_roles, guard.as_slice()].concat())
    }

    fn make_role(&self, name: &str, in_roles: &[&str]) -> String {
        let _alone = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        let role = format!("{}_{name}", self.run);
        let found = self.must("postgres", &format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}'"));
        if found == "0" {
            self.must("postgres", &format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"));
        }
        for group in in_roles {
            self.must("postgres", &format!("GRANT {group} TO {role}"));
        }
        role
    }

    /// The process of which all others of the server are children.
    ///
    /// # Panics
    /// Where it is not private, or not running.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server().pid()
    }

    /// Stops the server as an operator does; what was committed is kept.
    ///
    /// # Panics
    /// Where it is not private.
    pub fn stop(&self) {
        self.server().stop();
    }

    /// Starts a server that was stopped or killed, on the port it had; returns when it answers.
    ///
    /// # Panics
    /// Where it is not private, is running, or does not start.
    pub fn start_again(&self) {
        self.server().start_again();
    }

    /// `kill -9` of the server and all its processes; returns when none is left.
    ///
    /// # Panics
    /// Where it is not private.
    pub fn kill9(&self) {
        self.server().kill();
    }

    /// Stops all processes of the server where they are: connections stay open, and nothing is answered.
    ///
    /// # Panics
    /// Where it is not private, or not running.
    pub fn freeze(&self) {
        self.server().freeze();
    }

    /// Lets a frozen server go on.
    ///
    /// # Panics
    /// Where it is not private, or not running.
    pub fn thaw(&self) {
        self.server().thaw();
    }

    fn server(&self) -> &Server {
        match &self.place {
            Place::Private(server) => server,
            Place::Named { .. } => {
                panic!("this needs a private server; {SERVER_VARIABLE} names one of others")
            }
        }
    }
}

/// A name that no other process has chosen.
fn run_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    format!("t{}x{:x}", std::process::id(), now.as_millis() & 0xff_ffff)
}

/// The parts of a server's URL.
#[derive(Clone, Debug)]
struct Url {
    user: String,
    host: String,
    query: String,
}

impl Url {
    fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))?;
        let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
        let place = rest.split('/').next()?;
        let (user, host) = place.rsplit_once('@')?;
        Some(Self { user: user.to_owned(), host: host.to_owned(), query: query.to_owned() })
    }

    fn with(&self, user: &str, database: &str) -> String {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        format!("postgres://{user}@{}/{database}{query}", self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_named_server_is_taken_apart() {
        let url = Url::parse("postgresql://admin:p%40ss@db.example:6432/any?sslmode=require").expect("a URL");
        let whole = url.with(&url.user, "other");
        assert_eq!(whole, "postgres://admin:p%40ss@db.example:6432/other?sslmode=require");
        assert!(Url::parse("mysql://admin@db.example/any").is_none());
        assert!(Url::parse("postgres://db.example/any").is_none(), "a superuser has a name");
    }
}
