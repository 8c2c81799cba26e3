//! The oracle against the whole server: random worlds, lived in over real sockets, and at rest compared with what the
//! oracle makes of the same acts.
//!
//! The times of grace, typing and resume are longer than the test: what is compared does not depend on how busy the
//! machine is. Each act is answered before the next begins, so that the order in the log is the order in the hub.

mod directory;
mod run;
#[path = "../../crates/presence/tests/properties/script.rs"]
#[expect(dead_code, reason = "the properties of the heart use more of it")]
mod script;

use std::sync::Arc;

use crate::fixture::{Launch, World};
use run::Run;

/// Longer than the test, in milliseconds.
const LONG: u64 = 3_600_000;
const FEW: u64 = 12;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Says how to run the same world again, if its test panics.
struct Replay(u64);

impl Drop for Replay {
    #[expect(clippy::print_stderr, reason = "a failure has to say how to come back to it")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "replay with: END_TO_END_SEED={} cargo test -p server --test end_to_end the_whole_server_at_rest",
                self.0
            );
        }
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "how many worlds were compared is part of the result")]
async fn the_whole_server_at_rest() {
    // As long as nobody is asked whether they are there, nobody is lost.
    let mut launch = Launch::new().set("occupancy.stale_after_s", LONG);
    for time in ["grace_ms", "typing_ms", "resume_ms", "heartbeat_ms", "stall_ms"] {
        launch = launch.set(&format!("presence.{time}"), LONG);
    }
    let world = World::on(Arc::new(launch.start())).await;
    let seeds = match number("END_TO_END_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("END_TO_END_RUNS").unwrap_or(FEW),
    };
    let (mut runs, mut compared) = (0, 0);
    for seed in seeds {
        let _replay = Replay(seed);
        compared += Run::new(&world, seed).play().await;
        runs += 1;
    }
    println!("the_whole_server_at_rest: {runs} runs, {compared} lists compared");
    assert!(compared > 0);
}
