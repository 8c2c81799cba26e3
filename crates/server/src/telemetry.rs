//! What operators see: the log, the metrics, and whether the hub lives and is ready.
//!
//! No metric has a label for a user or a channel, and no log line a token, a code or a custom status.

pub mod catalogue;
mod figures;
mod readiness;

#[cfg(test)]
mod tests;

use std::{io, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    Layer, Registry,
    filter::{LevelFilter, ParseError, Targets},
    fmt::{self, MakeWriter},
    layer::{Context, SubscriberExt},
    util::{SubscriberInitExt, TryInitError},
};

use crate::config::{Log, LogFormat};
pub(crate) use catalogue::UnderWay;
pub(crate) use figures::Figure;
pub use figures::Instruments;
pub use readiness::{Readiness, Verdict};

/// Why there is no telemetry.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is none.
    #[error("log.level cannot be read")]
    Level(#[from] ParseError),
    /// The process logs already.
    #[error("the log was set up before")]
    Log(#[from] TryInitError),
    /// The process has metrics already.
    #[error("the metrics were set up before")]
    Metrics(#[from] BuildError),
}

/// Starts the log of the process, on standard error.
///
/// # Errors
/// [`TelemetryError`] for an unknown level, or a second start.
pub fn start_log(log: &Log) -> Result<(), TelemetryError> {
    subscriber(log, io::stderr)?.try_init()?;
    Ok(())
}

fn subscriber<W>(log: &Log, writer: W) -> Result<impl Subscriber + Send + Sync + use<W>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter: Targets = log.level.parse()?;
    let lines = fmt::layer().with_writer(writer);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    Ok(tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(CountLines.with_filter(LevelFilter::WARN)))
}

/// Counts the lines that somebody should read, whatever the filter of the log is.
struct CountLines;

impl<S: Subscriber> Layer<S> for CountLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = if *event.metadata().level() == Level::ERROR { "error" } else { "warn" };
        metrics::counter!("presence_hub_log_lines_total", "level" => level).increment(1);
    }
}

/// Seconds, from a frame on a quiet hub to a slow REST call.
const BUCKETS_S: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];
/// Rows, up to what a batch may have.
const BUCKETS_ROWS: [f64; 7] = [1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0];

/// Starts the metrics of the process, each described and those at nought that can be.
///
/// # Errors
/// [`TelemetryError::Metrics`] for a second start.
pub fn start_metrics() -> Result<PrometheusHandle, TelemetryError> {
    let handle = metrics_builder()?.install_recorder()?;
    catalogue::begin();
    Ok(handle)
}

fn metrics_builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS_S)?
        .set_buckets_for_metric(Matcher::Suffix("_rows".to_owned()), &BUCKETS_ROWS)
}

/// Empties the buffers of histograms now and then, until `stop`: nobody may ever ask for the metrics.
pub async fn keep_metrics(handle: PrometheusHandle, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(Duration::from_secs(5))).await.is_some() {
        handle.run_upkeep();
    }
}

/// The routes for operators: `/metrics`, `/livez` (the process answers), `/readyz` (send it clients).
pub fn operations(instruments: Instruments) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
        .with_state(instruments)
}

async fn ready(State(instruments): State<Instruments>) -> impl IntoResponse {
    let verdict = instruments.readiness.verdict();
    let status = if verdict.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(verdict))
}

async fn render(State(instruments): State<Instruments>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], instruments.metrics.render())
}
