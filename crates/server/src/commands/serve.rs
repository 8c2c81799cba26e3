//! `serve`: the hub, until it is told to end.

use std::io::Write;

use tokio::signal::unix::{SignalKind, signal};

use super::CommandError;
use crate::{
    cli::ServeArgs,
    config::Config,
    run::Running,
    telemetry::{start_log, start_metrics},
};

/// Runs the hub until SIGTERM or SIGINT, then lets it end in order.
///
/// # Errors
/// [`CommandError`] where the hub cannot start; it then holds nothing.
pub fn serve(args: &ServeArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let config = Config::load(&args.config.sources())?;
    start_log(&config.log)?;
    let metrics = start_metrics()?;
    super::runtime()?.block_on(async {
        let running = Running::start(&config, metrics).await?;
        let (clients, operators) = (running.socket_url(), running.operations_address);
        let greeting = format!(
            "presence-hub listens on {clients}\noperations on http://{operators}/metrics, /livez, /readyz\n"
        );
        // Nobody has to read it for the hub to run.
        let _ = out.write_all(greeting.as_bytes()).and_then(|()| out.flush());
        told_to_end().await?;
        tracing::info!("told to end: clients are asked to come back, and what waits is written");
        running.shutdown().await;
        tracing::info!("ended");
        Ok(())
    })
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn told_to_end() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
