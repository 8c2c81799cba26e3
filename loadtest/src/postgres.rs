//! A Postgres of its own for a hub under test, which a scenario may stop, freeze and start again.

use std::{path::Path, process::Command};

use anyhow::{Context, anyhow, ensure};
use postgres_cluster::{Cluster, Options, Session};
use tempfile::TempDir;

use crate::process;

/// The database on the server.
const DATABASE: &str = "presence";

/// A private server with a database that the hub's binary has migrated. Dropped, it is gone with all that is in it.
#[derive(Debug)]
pub(crate) struct Postgres {
    cluster: Cluster,
    /// The hub's own, with a role that may do what a hub needs and no more.
    url: String,
    spool: TempDir,
}

impl Postgres {
    /// Starts it, with what is committed on disk, on the hub's core: as where both share a small machine. So it takes
    /// no time from the generator.
    ///
    /// # Errors
    /// No server can be started, or the binary does not migrate it.
    pub(crate) fn start(hub: &Path, core: Option<usize>) -> anyhow::Result<Self> {
        process::on_core(core, || Self::start_here(hub)).context("a Postgres for the hub")
    }

    /// The same at the lowest priority: it has what the hub leaves of the core, and no more. So what a hub is slower by
    /// is its own work, and not that of a database which elsewhere has cores of its own.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub(crate) fn start_behind(hub: &Path, core: Option<usize>) -> anyhow::Result<Self> {
        let start = || process::yield_always().and_then(|()| Self::start_here(hub));
        process::on_core(core, start).context("a Postgres behind the hub")
    }

    fn start_here(hub: &Path) -> anyhow::Result<Self> {
        let cluster = Cluster::start(Options { fsync: true, ..Options::default() });
        ask(&cluster, "postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        migrate(hub, &cluster.admin_url(DATABASE))?;
        let role = cluster.login_role("hub", &["presence_hub"]);
        let url = cluster.url(&role, DATABASE);
        Ok(Self { cluster, url, spool: tempfile::tempdir()? })
    }

    /// Settings of a hub that uses it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 2] {
        let spool = self.spool.path().join("spool");
        [("store.database_url", self.url.clone()), ("store.spool_path", spool.display().to_string())]
    }

    /// User and system seconds of all its processes.
    ///
    /// # Errors
    /// It does not run.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        process::family_cpu_seconds(self.cluster.pid())
    }

    /// The server itself: to stop it, freeze it, and so on.
    pub(crate) fn server(&self) -> &Cluster {
        &self.cluster
    }

    /// A connection to the hub's database that stays, as its superuser.
    pub(crate) fn session(&self) -> Session {
        self.cluster.session(&self.cluster.admin_url(DATABASE))
    }

    /// Runs statements in the hub's database, as its superuser: a line for each row, columns separated by `|`.
    ///
    /// # Errors
    /// What the server complains of. A server that is frozen is waited for.
    pub(crate) fn ask(&self, sql: &str) -> anyhow::Result<String> {
        ask(&self.cluster, DATABASE, sql)
    }
}

fn ask(cluster: &Cluster, database: &str, sql: &str) -> anyhow::Result<String> {
    cluster.psql(database, sql).map_err(|said| anyhow!("{said}\n{sql}"))
}

fn migrate(hub: &Path, url: &str) -> anyhow::Result<()> {
    let output = Command::new(hub).args(["migrate", "--database-url", url]).output();
    let output =
        output.with_context(|| format!("{}: `cargo build --release -p server` makes it", hub.display()))?;
    ensure!(output.status.success(), "migrate: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
