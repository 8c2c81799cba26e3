//! Properties of the heart against the oracle, by seed.
//!
//! `PROPERTY_RUNS=10000` sets how many runs each property makes; `PROPERTY_SEED=7` replays one run alone. A
//! failure prints the line that replays it.

#![expect(clippy::print_stderr, reason = "the line that replays a failure, and what was counted")]

mod audience;
mod client;
mod equivalence;
mod growth;
#[cfg(feature = "seeded-leaks")]
mod leaks;
mod logged;
mod noninterference;
mod occupancy;
mod resume;
mod rig;
mod script;
mod timeline;

/// Runs `property` for seed after seed, or for the one seed that the environment names.
fn for_each_seed(name: &str, default_runs: u64, property: impl FnMut(u64)) {
    for_each_seed_of(1, name, default_runs, property);
}

/// The same, for a property of which one run costs as much as `weight` of the others.
fn for_each_seed_of(weight: u64, name: &str, default_runs: u64, mut property: impl FnMut(u64)) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    if let Some(seed) = number("PROPERTY_SEED") {
        return property(seed);
    }
    let runs = number("PROPERTY_RUNS").map_or(default_runs, |runs| runs.div_ceil(weight));
    for seed in 0..runs {
        let run = std::panic::AssertUnwindSafe(|| property(seed));
        if let Err(failure) = std::panic::catch_unwind(run) {
            eprintln!("replay: PROPERTY_SEED={seed} cargo test -p presence --test properties {name}");
            std::panic::resume_unwind(failure);
        }
    }
    eprintln!("{name}: {runs} runs");
}
