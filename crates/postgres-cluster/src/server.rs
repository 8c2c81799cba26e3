//! A private server: its directory, its port, and its ways to end.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use tempfile::TempDir;

use crate::{
    keeper::Keeper,
    postmaster::{Postmaster, wait_until},
    programs::{Programs, SystemUser},
};

/// The superuser of every private server.
pub(crate) const SUPERUSER: &str = "postgres";
/// Who is a member of this role has to know their password; nobody else is asked.
pub(crate) const ASKED_FOR_PASSWORD: &str = "asked_for_password";
/// Below the ports that the kernel gives to outgoing connections: while a server is down, nobody takes its port.
const PORTS: std::ops::Range<u16> = 15_000..30_000;

/// How a private server is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether what is committed reaches the disk. Without it everything is faster, and a killed server still loses
    /// nothing: only a machine that loses power does.
    pub fsync: bool,
    /// Further settings, as `postgres -c name=value`; they come last, and win.
    pub settings: Vec<(String, String)>,
    /// The directory in which the server's own is made; `None`: where temporary files are. The user `postgres` has to
    /// be able to reach it.
    pub data_dir: Option<PathBuf>,
}

/// A private server. Dropped, it is gone, with its directory.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    home: PathBuf,
    user: Option<SystemUser>,
    programs: Programs,
    settings: Vec<(String, String)>,
    running: Mutex<Option<Postmaster>>,
    // Dropped after `running` was ended by hand in `drop`.
    _keeper: Keeper,
}

impl Server {
    pub(crate) fn start(options: Options) -> Self {
        let (programs, user) = (Programs::of_server(), SystemUser::of_server());
        let home = home(options.data_dir.as_deref(), user);
        let keeper = Keeper::of_server(home.to_str().expect("a directory with a name in UTF-8"));
        let fsync = if options.fsync { "on" } else { "off" };
        let mut settings = own_settings(&home);
        settings.extend(["fsync", "full_page_writes"].map(|name| (name.to_owned(), fsync.to_owned())));
        settings.extend(options.settings);
        let mut server =
            Self { port: 0, home, user, programs, settings, running: Mutex::default(), _keeper: keeper };
        server.initialize();
        server.find_port();
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What it wrote to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.with_running(Postmaster::id)
    }

    pub(crate) fn stop(&self) {
        self.end(Postmaster::stop);
    }

    pub(crate) fn kill(&self) {
        self.end(Postmaster::kill);
    }

    pub(crate) fn freeze(&self) {
        self.with_running(|running| running.freeze());
    }

    pub(crate) fn thaw(&self) {
        self.with_running(|running| running.thaw());
    }

    pub(crate) fn start_again(&self) {
        let mut running = self.running();
        assert!(running.is_none(), "the server is running already");
        let started = self.launch(self.port);
        *running = Some(started.unwrap_or_else(|said| panic!("the server did not start again: {said}")));
    }

    fn running(&self) -> MutexGuard<'_, Option<Postmaster>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, how: impl FnOnce(&mut Postmaster)) {
        if let Some(mut running) = self.running().take() {
            how(&mut running);
        }
    }

    fn with_running<T>(&self, act: impl FnOnce(&Postmaster) -> T) -> T {
        act(self.running().as_ref().expect("the server is not running"))
    }

    /// A program of Postgres, as the user that may run it.
    fn command(&self, name: &str) -> Command {
        let mut command = self.programs.command(name);
        command.current_dir(&self.home);
        if let Some(user) = self.user {
            user.run(&mut command);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn initialize(&self) {
        let mut command = self.command("initdb");
        command.args(["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=trust", "--username", SUPERUSER]);
        let output = command.arg("--pgdata").arg(self.data()).output().expect("initdb runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "no directory for a server could be made: {said}");
        let rules = format!(
            "host all +{ASKED_FOR_PASSWORD} all scram-sha-256\nhost all all all trust\nlocal all all trust\n"
        );
        fs::write(self.data().join("pg_hba.conf"), rules).expect("rules of access");
    }

    /// Starts it on the first port that nobody has.
    fn find_port(&mut self) {
        for port in free_ports().take(100) {
            match self.launch(port) {
                Ok(started) => {
                    self.port = port;
                    *self.running() = Some(started);
                    return;
                }
                Err(said) => {
                    assert!(said.contains("Address already in use"), "the server did not start: {said}")
                }
            }
        }
        panic!("no port is free");
    }

    /// Starts it, and returns when it answers; or with the end of its log.
    fn launch(&self, port: u16) -> Result<Postmaster, String> {
        let before = self.log().len();
        let log =
            fs::OpenOptions::new().create(true).append(true).open(self.home.join("log")).expect("a log");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-c", &format!("port={port}")]);
        for (name, value) in &self.settings {
            command.args(["-c", &format!("{name}={value}")]);
        }
        let errors = log.try_clone().expect("a log");
        let child = command.stdout(Stdio::from(log)).stderr(Stdio::from(errors)).spawn();
        let mut postmaster = Postmaster::new(child.expect("postgres runs"));
        let mut ended = None;
        let ready = wait_until(|| {
            ended = postmaster.ended();
            ended.is_some() || self.is_ready(postmaster.id())
        });
        if ready && ended.is_none() {
            return Ok(postmaster);
        }
        postmaster.abort();
        Err(self.log().split_off(before))
    }

    /// As `pg_ctl` knows it: from the file that the server keeps about itself.
    fn is_ready(&self, id: u32) -> bool {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines.first().is_some_and(|line| line.trim() == id.to_string())
            && lines.get(7).is_some_and(|line| line.trim() == "ready")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Postmaster::abort);
    }
}

/// A new directory that the server's user owns. The keeper removes it.
fn home(parent: Option<&Path>, user: Option<SystemUser>) -> PathBuf {
    let folder = match parent {
        Some(parent) => TempDir::with_prefix_in("postgres-", parent),
        None => TempDir::with_prefix("postgres-"),
    };
    let home = folder.expect("a temporary directory").keep();
    if let Some(user) = user {
        user.own(&home);
    }
    // A server says of itself where it works without any links in it.
    fs::canonicalize(home).expect("a directory")
}

fn own_settings(home: &Path) -> Vec<(String, String)> {
    let settings = [
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", home.to_str().expect("a directory with a name in UTF-8")),
        ("max_connections", "300"),
        ("shared_buffers", "64MB"),
        ("timezone", "UTC"),
        // What a killed server leaves in here goes with its directory.
        ("dynamic_shared_memory_type", "mmap"),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// Ports that are free now, each process beginning somewhere else.
fn free_ports() -> impl Iterator<Item = u16> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").subsec_nanos();
    let begin = usize::try_from(now ^ std::process::id().rotate_left(16)).expect("a number of 32 bits");
    let from_there = PORTS.cycle().skip(begin % PORTS.len());
    from_there.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
}
