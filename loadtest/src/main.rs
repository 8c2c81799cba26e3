//! Load scenarios that assert: a scenario whose invariant breaks ends with a non-zero exit.
//!
//! The hub runs as a process of its own on a core of its own, as it would anywhere; the generator is this process,
//! on another core. So what is measured of the hub is the hub's alone. Each scenario measures the floor first: what
//! the same traffic costs a bare writer that decides nothing.

mod engine;
mod floor;
mod hub;
mod outcome;
mod postgres;
mod process;
mod progress;
mod report;
mod scenario;
mod world;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use clap::{Parser, Subcommand, ValueEnum};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use engine::schedule::Spacing;
use outcome::{Check, Outcome};
use progress::Progress;
use report::Report;
use scenario::{Scenario, Setup};

/// Load scenarios that assert.
///
/// Each scenario starts a hub of its own, pinned to one core, and drives it from another with an open loop: changes
/// are made when they are due, and latency is counted from then. What arrives is judged, viewer by viewer, by what
/// each may see. It ends with 1 if something that must hold does not, and says what.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    hidden: Option<Hidden>,
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
enum Hidden {
    /// The bare writer that the floor is measured with
    #[command(name = floor::SUBCOMMAND, hide = true)]
    FloorWriter(floor::Sizes),
}

#[derive(clap::Args)]
struct Run {
    /// What to run; several with commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all")]
    scenario: Vec<Scenario>,
    /// What arrivals and choices are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds that a measured phase lasts; left out: as the scenario has it
    #[arg(long)]
    duration: Option<f64>,
    /// The binary to test
    #[arg(long, default_value = "target/release/presence-hub")]
    hub: PathBuf,
    /// Clients, instead of the scenario's own number; small numbers make a smoke test
    #[arg(long)]
    connections: Option<u32>,
    /// Changes a second, instead of the scenario's own number
    #[arg(long)]
    rate: Option<f64>,
    /// Rows of activity that are there, instead of the scenario's own number
    #[arg(long)]
    rows: Option<u64>,
    /// How the times of changes are drawn
    #[arg(long, value_enum, default_value = "poisson")]
    spacing: Spacing,
    /// What the clients speak
    #[arg(long, value_enum, default_value = "json")]
    encoding: Encoding,
    /// How often each scenario is run, with seeds that count up; the report tells the spread
    #[arg(long, default_value_t = 1)]
    runs: u64,
    /// Seconds for which the floor is measured
    #[arg(long, default_value_t = 4.0)]
    floor_duration: f64,
    /// The core of the hub
    #[arg(long, default_value_t = 0)]
    hub_core: usize,
    /// The core of the generator; the same as the hub's: nothing is pinned
    #[arg(long, default_value_t = 1)]
    generator_core: usize,
    /// Writes everything that was found as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes a page with charts
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Encoding {
    Json,
    Messagepack,
}

#[expect(clippy::print_stderr, reason = "a command says why it fails")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.hidden {
        Some(Hidden::FloorWriter(sizes)) => write_floor(sizes).map(|()| true),
        None => cli.run.all(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("loadtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the first line tells the parent where the writer listens")]
fn write_floor(sizes: floor::Sizes) -> anyhow::Result<()> {
    allow_many_descriptors();
    let mut writer = floor::Writer::new(sizes)?;
    println!("{}", writer.address()?);
    writer.run()
}

impl Run {
    /// Runs and reports all that was asked for; whether all holds that must.
    #[expect(clippy::print_stdout, reason = "the table is what the command is for")]
    fn all(self) -> anyhow::Result<bool> {
        allow_many_descriptors();
        let began = SystemTime::now();
        let core = self.pin()?;
        let mut outcomes = Vec::new();
        for scenario in self.scenario.iter().flat_map(|scenario| scenario.each()) {
            for run in 0..self.runs {
                let setup = self.setup(scenario, core, run);
                let found = scenario.run(&setup);
                outcomes.extend(found.unwrap_or_else(|error| vec![cut_short(scenario, setup.seed, &error)]));
            }
        }
        let report = Report::new(began, outcomes);
        print!("{}", report.table());
        if let Some(path) = &self.json {
            report.write_json(path)?;
        }
        if let Some(path) = &self.report {
            report.write_html(path)?;
        }
        Ok(report.passed())
    }

    /// Keeps the generator on its core; the hub's core.
    fn pin(&self) -> anyhow::Result<Option<usize>> {
        if self.hub_core == self.generator_core {
            return Ok(None);
        }
        process::pin_this_thread(self.generator_core)?;
        Ok(Some(self.hub_core))
    }

    fn setup(&self, scenario: Scenario, core: Option<usize>, run: u64) -> Setup {
        Setup {
            hub: self.hub.clone(),
            core,
            seed: self.seed + run,
            encoding: match self.encoding {
                Encoding::Json => model::Encoding::Json,
                Encoding::Messagepack => model::Encoding::MessagePack,
            },
            duration: self.duration.map(Duration::from_secs_f64),
            floor_duration: Duration::from_secs_f64(self.floor_duration),
            connections: self.connections,
            rate: self.rate,
            rows: self.rows,
            spacing: self.spacing,
            progress: Progress::new(scenario.name()),
        }
    }
}

/// What is told of a scenario that could not be run to its end.
fn cut_short(scenario: Scenario, seed: u64, error: &anyhow::Error) -> Outcome {
    let mut outcome = Outcome::new(scenario.name(), seed);
    outcome.notes.push(format!("{error:#}"));
    outcome.checks.push(Check::exactly(&format!("ran to its end ({error:#})"), 0.0, 1.0));
    outcome
}

/// Each connection needs a descriptor here and one in the hub, which inherits the limit.
fn allow_many_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // What is allowed already stays allowed if this fails; a scenario that needs more says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
