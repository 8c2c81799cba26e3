//! A whole hub: store, heart, listeners, and how they begin and end together.

mod gauges;
mod health;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hub::{FollowerOptions, Hub, OperationOptions, Operations, Reconnect};
use metrics_exporter_prometheus::PrometheusHandle;
use persistence::{Runner, Store, Writer, WriterOptions};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    auth::{Authenticator, SetupError},
    config::{self, Config, ConfigError},
    listener::{self, Options},
    rest, store, telemetry,
    telemetry::{Instruments, Readiness},
};

/// Why a hub did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration does not hold.
    #[error("the configuration does not hold\n{0}")]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] crate::store::OpenError),
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
    writer: Writer,
    readiness: Readiness,
    accept: CancellationToken,
    background: CancellationToken,
    clients: Option<JoinHandle<()>>,
    operators: Option<JoinHandle<()>>,
    drain: Duration,
    reconnect: Reconnect,
}

impl Running {
    /// Opens the store, loads the directory, and listens.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start(config: &Config, metrics: PrometheusHandle) -> Result<Self, StartError> {
        Self::start_with(config, metrics, Router::new()).await
    }

    /// As [`Running::start`], with more routes on the public port.
    pub(crate) async fn start_with(
        config: &Config,
        metrics: PrometheusHandle,
        routes: Router,
    ) -> Result<Self, StartError> {
        config.ready_to_serve()?;
        let authenticator = Authenticator::new(&config.auth)?;
        let readiness = Readiness::waiting_for(&[DIRECTORY, ACCEPTING]);
        let clients = bind(config.listen.socket_address())?;
        let operators = bind(config.operations.socket_address())?;
        // The database first: a second hub on it is told of that, and not of the spool beside it.
        let store = store::open(config).await?;
        let spool = store::open_spool(&config.store)?;
        health::begin(&readiness);
        if let Err(error) = store.make_room().await {
            tracing::warn!(%error, "room for the activity of the next weeks is made later");
        }
        let backlog = store::open_backlog(&config.store)?;
        let writer = Writer::start(store.clone(), backlog, WriterOptions::default());
        let (hub, _task) = Hub::start(config.model_limits(), writer.handle());
        let token_key = store.token_key().await.map_err(hub::OperationError::from)?;
        let options =
            OperationOptions { following: following(&config.store), occupancy: config.occupancy.options() };
        let operations =
            Operations::start(hub.clone(), store.clone(), spool, writer.handle(), options).await?;
        readiness.set(DIRECTORY, true);
        let jobs = Arc::new(Runner::new(store.clone(), config.job_options()));
        let instruments = Instruments { metrics: metrics.clone(), readiness: readiness.clone() };
        let app = Arc::new(App::new(
            config,
            (authenticator, token_key),
            (hub, operations),
            (store.clone(), jobs),
            instruments,
        ));
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
            clients: None,
            operators: None,
            drain: Duration::from_secs(config.shutdown.drain_s),
            reconnect: Reconnect { after_ms: 0, spread_ms: config.shutdown.reconnect_spread_s * 1_000 },
        };
        running.listen(config, (clients.0, routes), operators.0);
        running.keep_house(metrics);
        running.readiness.set(ACCEPTING, true);
        Ok(running)
    }

    fn listen(&mut self, config: &Config, (clients, others): (TcpListener, Router), operators: TcpListener) {
        let timeout = Duration::from_millis(config.listen.request_timeout_ms);
        let options = Options::new(&config.listen, &config.shutdown);
        let routes = rest::routes(self.app.clone(), others, timeout);
        let public = listener::serve(clients, routes, options, self.accept.clone());
        let routes = telemetry::operations(self.app.instruments.clone());
        let internal = listener::serve(operators, routes, Options::operations(), self.background.clone());
        (self.clients, self.operators) = (Some(tokio::spawn(public)), Some(tokio::spawn(internal)));
    }

    fn keep_house(&self, metrics: PrometheusHandle) {
        let stop = &self.background;
        tokio::spawn(telemetry::keep_metrics(metrics, stop.clone()));
        let (writer, readiness) = (self.writer.handle(), self.readiness.clone());
        tokio::spawn(gauges::keep(self.app.clone(), writer.clone(), readiness.clone(), stop.clone()));
        let (app, until) = (self.app.clone(), stop.clone());
        tokio::spawn(async move { app.authenticator.keep_keys_fresh(until).await });
        tokio::spawn(self.app.jobs.clone().schedule());
        let watch = health::watch(self.store.clone(), self.app.operations.clone(), writer, readiness);
        let until = stop.clone();
        tokio::spawn(async move { until.run_until_cancelled(watch).await });
    }

    /// The address of the console.
    #[must_use]
    pub fn console_url(&self) -> String {
        format!("http://{}/", self.address)
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
        let jobs = self.app.jobs.clone();
        let jobs = tokio::spawn(async move { jobs.stop().await });
        self.app.sockets.close();
        // Gone cannot be: the hub lives as long as this holds it.
        self.app.operations.extensions().close_all(self.reconnect);
        let _ = self.app.hub.close_all(self.reconnect).await;
        if timeout(self.drain, self.app.sockets.wait()).await.is_err() {
            tracing::warn!(left = self.app.sockets.len(), "some connections did not end in time");
        }
        // Calls that are under way are answered first, and what they told is noted.
        if let Some(clients) = self.clients.take() {
            let _ = timeout(self.drain, clients).await;
        }
        let _ = self.app.hub.barrier().await;
        let written = self.writer.shutdown().await;
        if written.pending > 0 {
            tracing::error!(
                rows = written.pending,
                "some rows are lost: neither the database nor the disk took them"
            );
        }
        self.background.cancel();
        if let Some(operators) = self.operators.take() {
            let _ = timeout(self.drain, operators).await;
        }
        if timeout(self.drain, jobs).await.is_err() {
            tracing::warn!("a job did not end in time; it is begun again");
        }
        self.store.close().await;
    }
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = listener::bind(address).map_err(|source| StartError::Listen { address, source })?;
    let local = listener.local_addr().map_err(|source| StartError::Listen { address, source })?;
    Ok((listener, local))
}

fn following(config: &config::Store) -> FollowerOptions {
    FollowerOptions {
        poll_interval: Duration::from_millis(config.poll_interval_ms),
        sweep_interval: Duration::from_secs(config.sweep_interval_s),
        stale_after: Duration::from_secs(config.stale_after_s),
        ..FollowerOptions::default()
    }
}
