//! Load scenarios that assert: a scenario whose invariant breaks ends with a non-zero exit.
//!
//! The hub runs as a process of its own, as it would anywhere; the generator is this process. So what is measured
//! of the hub is the hub's alone.

mod hub;
mod idle;
mod world;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Load scenarios that assert.
#[derive(Parser)]
struct Cli {
    /// The binary to test
    #[arg(long, default_value = "target/release/presence-hub")]
    hub: PathBuf,
    /// What to do
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Authenticated subscribers in channels of 20 that do nothing: what does one cost in memory?
    Idle(idle::Args),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Fails only where a provider is installed already, and then it is the same one.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let cli = Cli::parse();
    match cli.scenario {
        Scenario::Idle(args) => idle::run(&cli.hub, &args).await,
    }
}
