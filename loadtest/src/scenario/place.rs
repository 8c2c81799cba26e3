//! Where the hub under test keeps what it keeps, so that a second hub finds it there.

use anyhow::Context;
use tempfile::TempDir;

use super::{Setup, load::Load};
use crate::postgres::Postgres;

/// A database that outlives its hub. Dropped, it is gone.
pub(super) enum Place {
    Postgres(Box<Postgres>),
    Embedded(TempDir),
}

impl Place {
    /// A server on the hub's core, of which it has what the hub leaves.
    ///
    /// # Errors
    /// No server can be started.
    pub(super) fn postgres(setup: &Setup) -> anyhow::Result<Self> {
        Postgres::start_behind(&setup.hub, setup.core).map(|it| Self::Postgres(Box::new(it)))
    }

    /// A file.
    ///
    /// # Errors
    /// There is no place for it.
    pub(super) fn embedded() -> anyhow::Result<Self> {
        tempfile::tempdir().map(Self::Embedded).context("a folder for the hub's database")
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Embedded(_) => "sqlite",
        }
    }

    /// The load on a hub that keeps what it keeps here.
    pub(super) fn under(&self, load: Load) -> Load {
        match self {
            Self::Postgres(postgres) => load.set_all(postgres.settings()),
            Self::Embedded(folder) => {
                let path = |name: &str| folder.path().join(name).display().to_string();
                load.set_all([("store.sqlite_path", path("hub.db")), ("store.spool_path", path("spool"))])
            }
        }
    }
}
