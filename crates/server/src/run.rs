//! A whole hub: store, heart, listeners, and how they begin and end together.

mod gauges;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hub::{Hub, Operations, Reconnect};
use metrics_exporter_prometheus::PrometheusHandle;
use persistence::{LastSeenWriter, Store, WriterOptions};
use presence::Input;
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    auth::{Authenticator, SetupError},
    config::{Config, ConfigError},
    listener::{self, Options},
    rest, telemetry,
    telemetry::Readiness,
};

/// Why a hub did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration does not hold.
    #[error("the configuration does not hold\n{0}")]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] persistence_sqlite::OpenError),
    /// The directory cannot be read.
    #[error("the directory cannot be loaded")]
    Load(#[from] hub::OperationError),
    /// Nobody could sign in.
    #[error(transparent)]
    Auth(#[from] SetupError),
    /// A port cannot be taken.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Conditions of readiness, in the order in which they come to hold.
const STORE: &str = "store";
const DIRECTORY: &str = "directory";
const ACCEPTING: &str = "accepting";

/// A running hub.
pub struct Running {
    /// Where clients connect.
    pub address: SocketAddr,
    /// Where operators connect.
    pub operations_address: SocketAddr,
    app: Arc<App>,
    store: Arc<dyn Store>,
    writer: LastSeenWriter,
    readiness: Readiness,
    accept: CancellationToken,
    background: CancellationToken,
    listeners: Vec<JoinHandle<()>>,
    drain: Duration,
    reconnect: Reconnect,
}

impl Running {
    /// Opens the store, loads the directory, and listens.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start(config: &Config, metrics: PrometheusHandle) -> Result<Self, StartError> {
        config.ready_to_serve()?;
        let authenticator = Authenticator::new(&config.auth)?;
        let readiness = Readiness::waiting_for(&[STORE, DIRECTORY, ACCEPTING]);
        let clients = bind(config.listen.socket_address())?;
        let operators = bind(config.operations.socket_address())?;
        let store = open_store(config).await?;
        readiness.set(STORE, true);
        let writer = LastSeenWriter::start(store.clone(), WriterOptions::default());
        let (hub, _task) = Hub::start(config.model_limits(), writer.handle());
        let operations = Operations::new(hub.clone(), store.clone());
        operations.load().await?;
        readiness.set(DIRECTORY, true);
        let app = Arc::new(App::new(config, authenticator, hub, operations));
        let (accept, background) = (CancellationToken::new(), CancellationToken::new());
        let mut running = Self {
            address: clients.1,
            operations_address: operators.1,
            app,
            store,
            writer,
            readiness,
            accept,
            background,
            listeners: Vec::new(),
            drain: Duration::from_secs(config.shutdown.drain_s),
            reconnect: Reconnect { after_ms: 0, spread_ms: config.shutdown.reconnect_spread_s * 1_000 },
        };
        running.listen(config, clients.0, operators.0, &metrics);
        running.keep_house(metrics);
        running.readiness.set(ACCEPTING, true);
        Ok(running)
    }

    fn listen(
        &mut self,
        config: &Config,
        clients: TcpListener,
        operators: TcpListener,
        metrics: &PrometheusHandle,
    ) {
        let timeout = Duration::from_millis(config.listen.request_timeout_ms);
        let options = Options::new(&config.listen, &config.shutdown);
        let routes = rest::routes(self.app.clone(), timeout);
        let public = listener::serve(clients, routes, options, self.accept.clone());
        let routes = telemetry::operations(metrics.clone(), self.readiness.clone());
        let internal = listener::serve(operators, routes, Options::operations(), self.background.clone());
        self.listeners = vec![tokio::spawn(public), tokio::spawn(internal)];
    }

    fn keep_house(&self, metrics: PrometheusHandle) {
        let stop = &self.background;
        tokio::spawn(telemetry::keep_metrics(metrics, stop.clone()));
        tokio::spawn(gauges::keep(self.app.clone(), self.writer.handle(), stop.clone()));
        let (app, until) = (self.app.clone(), stop.clone());
        tokio::spawn(async move { app.authenticator.keep_keys_fresh(until).await });
        let watch = watch_store(self.store.clone(), self.app.hub.clone(), self.readiness.clone());
        let until = stop.clone();
        tokio::spawn(async move { until.run_until_cancelled(watch).await });
    }

    /// The URL of the socket.
    #[must_use]
    pub fn socket_url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// Ends it: no new connections, every client told when to come back, everything written that waits.
    pub async fn shutdown(mut self) {
        self.readiness.set(ACCEPTING, false);
        self.accept.cancel();
        self.app.sockets.close();
        // Gone cannot be: the hub lives as long as this holds it.
        let _ = self.app.hub.close_all(self.reconnect).await;
        if timeout(self.drain, self.app.sockets.wait()).await.is_err() {
            tracing::warn!(left = self.app.sockets.len(), "some connections did not end in time");
        }
        let written = self.writer.shutdown().await;
        if written.pending > 0 {
            tracing::error!(users = written.pending, "last-seen of some users could not be written");
        }
        self.background.cancel();
        for listener in self.listeners.drain(..) {
            let _ = timeout(self.drain, listener).await;
        }
        self.store.close().await;
    }
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = listener::bind(address).map_err(|source| StartError::Listen { address, source })?;
    let local = listener.local_addr().map_err(|source| StartError::Listen { address, source })?;
    Ok((listener, local))
}

async fn open_store(config: &Config) -> Result<Arc<dyn Store>, StartError> {
    let path = &config.store.sqlite_path;
    let store =
        persistence_sqlite::SqliteStore::open(path, persistence_sqlite::OpenMode::CreateIfMissing).await?;
    if store.was_created() {
        tracing::warn!(path = %path.display(), "there was no database at this path; a new one was created");
    }
    Ok(Arc::new(store))
}

/// How often the store is asked whether it is there.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// After how long without the store viewers are told that their view may be old.
const STALE_AFTER: Duration = Duration::from_secs(30);

async fn watch_store(store: Arc<dyn Store>, hub: Hub, readiness: Readiness) {
    let mut reached = Instant::now();
    loop {
        tokio::time::sleep(PROBE_INTERVAL).await;
        let probed = store.probe().await;
        match &probed {
            Ok(()) => reached = Instant::now(),
            Err(error) => tracing::error!(%error, "the store is out of reach; presence goes on from memory"),
        }
        readiness.set(STORE, probed.is_ok());
        if hub.send(Input::Stale { stale: reached.elapsed() >= STALE_AFTER }).await.is_err() {
            return;
        }
    }
}
