//! What the heart costs, in instructions: the same on a busy machine as on a quiet one.
//!
//! `cargo run -p benches -- compare` builds this crate as it is released, runs every region under Valgrind's
//! callgrind, and holds what it counts against `recorded.json`. It counts instructions and not time: a cache that is
//! missed more often is not seen here, the load test sees it. Memory comes from the system's allocator.

mod compare;
mod count;
mod recorded;
mod region;
mod scene;
mod time;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use recorded::Recorded;

/// Micro-benchmarks that count instructions.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Counts, and compares with what is recorded; ends with 1 where something costs more than the tolerance
    Compare(Filter),
    /// Counts, and records it
    Record(Filter),
    /// Names the regions
    List,
    /// Tells how long a permission check takes; ends with 1 where it is a microsecond or more. For a release build
    Permission,
    /// Runs one region; what the counter calls
    #[command(hide = true)]
    Run {
        /// Its name
        region: String,
    },
}

#[derive(clap::Args)]
struct Filter {
    /// Only regions whose name contains this
    #[arg(default_value = "")]
    part: String,
    /// Per cent that a region may cost more than recorded
    #[arg(long, default_value_t = 2.0)]
    tolerance: f64,
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().what {
        What::Compare(filter) => compare(&filter),
        What::Record(filter) => record(&filter),
        What::List => Ok(list()),
        What::Permission => Ok(permission()),
        What::Run { region } => run(&region),
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the command is for")]
fn compare(filter: &Filter) -> anyhow::Result<ExitCode> {
    let recorded = Recorded::read()?;
    let counts = count::count_all(&filter.part)?;
    let rows = compare::rows(&recorded, &counts);
    print!("{}", compare::table(&rows, filter.tolerance));
    if recorded.rustc != count::rustc_version()? {
        println!("recorded with {}: another compiler counts differently", recorded.rustc);
    }
    let worse = rows.iter().any(|row| row.is_worse(filter.tolerance));
    Ok(if worse { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[expect(clippy::print_stdout, reason = "the table is what the command is for")]
fn record(filter: &Filter) -> anyhow::Result<ExitCode> {
    let before = Recorded::read().unwrap_or_default();
    let counts = count::count_all(&filter.part)?;
    print!("{}", compare::table(&compare::rows(&before, &counts), filter.tolerance));
    before.renewed(&counts, count::rustc_version()?).write()?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the list is what the command is for")]
fn list() -> ExitCode {
    for region in region::ALL {
        println!("{:<28} {}", region.name, region.means);
    }
    ExitCode::SUCCESS
}

/// What a permission check on a warm cache may take, in nanoseconds.
const PERMITTED_NS: f64 = 1_000.0;

#[expect(clippy::print_stdout, reason = "the figure is what the command is for")]
fn permission() -> ExitCode {
    let found = time::of_permission();
    println!("permission: {found}");
    if found.median_ns < PERMITTED_NS { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(name: &str) -> anyhow::Result<ExitCode> {
    let region = region::ALL.iter().find(|region| region.name == name);
    let Some(region) = region else { anyhow::bail!("there is no region {name}") };
    region.run()?;
    Ok(ExitCode::SUCCESS)
}
