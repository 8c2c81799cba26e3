//! Where the demonstration takes place: a hub with a secret of its own, and a database that is thrown away unless it
//! was given a place.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use metrics_exporter_prometheus::PrometheusHandle;
use model::Settings;
use persistence::Store as _;
use uuid::Uuid;

use super::{
    super::{
        CommandError,
        database::{into_store, now},
        watch::issuer,
    },
    past::{self, Past},
    personas,
    world::World,
};
use crate::{
    config::{Config, Issuer, Sources},
    run::{Running, StartError},
    store,
};

/// Of what is past; what people do now has the seed of the command line.
const SEED: u64 = 1;
/// Taken unless another is asked for; if it is not free, any that is.
const PORT: u16 = 8080;

/// Where the demonstration takes place.
pub(super) struct Scene {
    pub(super) config: Config,
    issuer: Issuer,
    any_port: bool,
    /// Removed at the end.
    temporary: Option<PathBuf>,
}

impl Scene {
    /// A hub on `port`, with its database in `data` or in a directory of its own.
    pub(super) fn new(port: Option<u16>, data: Option<&Path>) -> Result<Self, CommandError> {
        let mut config = Config::load(&Sources::default())?;
        let issuer = issuer(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()));
        let temporary =
            data.is_none().then(|| std::env::temp_dir().join(format!("presence-hub-{}", Uuid::new_v4())));
        let place = data.or(temporary.as_deref()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(place)?;
        config.store.sqlite_path = place.join("demo.db");
        config.listen.port = port.unwrap_or(PORT);
        config.operations.port = 0;
        config.auth.issuers = vec![issuer.clone()];
        config.log.level = "error".to_owned();
        // Somebody who is lost is shown as lost while somebody looks.
        config.presence.heartbeat_ms = 5_000;
        config.presence.heartbeat_timeout_ms = 3_000;
        config.occupancy.stale_after_s = 10;
        config.shutdown.drain_s = 2;
        config.shutdown.reconnect_spread_s = 1;
        Ok(Self { config, issuer, any_port: port.is_none(), temporary })
    }

    /// Who signs the tokens.
    pub(super) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Loads the world and starts the hub.
    pub(super) async fn start(
        &self,
        world: &World,
        metrics: PrometheusHandle,
    ) -> Result<Running, CommandError> {
        self.fill(world).await?;
        let pages = personas::routes(world, &self.issuer)?;
        let mut config = self.config.clone();
        config.console.operators = vec![world.person(Some(personas::OPERATOR))?.id];
        match Running::start_with(&config, metrics.clone(), pages.clone()).await {
            Err(StartError::Listen { source, .. })
                if self.any_port && source.kind() == ErrorKind::AddrInUse =>
            {
                config.listen.port = 0;
                Ok(Running::start_with(&config, metrics, pages).await?)
            }
            started => Ok(started?),
        }
    }
}

impl Scene {
    /// Puts the world into the database; a new one gets its past as well.
    async fn fill(&self, world: &World) -> Result<(), CommandError> {
        let open = || store::open_sqlite(&self.config.store, Settings::default());
        let store = open().await?;
        let is_new = store.was_created();
        into_store(&store, &world.changes).await?;
        if is_new {
            let store = open().await?;
            let written = past::write(&store, &Past::of(world, SEED, now())).await;
            store.close().await;
            written.map_err(CommandError::Change)?;
        }
        Ok(())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // What cannot be removed is left to the system's own cleaning.
            let _ = std::fs::remove_dir_all(temporary);
        }
    }
}
