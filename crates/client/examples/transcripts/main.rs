//! Random transcripts, each with what the [`client::Replica`] makes of it: `transcripts --count 10000 --seed 1` writes
//! one a line. Another implementation reads the same frames and must come to the same.
//!
//! A line is `{"seed", "steps", "outcomes", "end"}`. A step is a frame of the hub as it is on the wire, or
//! `{"do": "disconnected" | "leaveSession" | "forget", "channel"?}`, which the client does. An outcome says, for the step
//! at its place, what it came to and where each channel stands then. The end is all that the replica has.
//!
//! Most of a transcript is what a hub says; mixed in is what none should say. A seed says all: its line is always the
//! same.

mod chance;
mod entries;
mod hub;
mod story;
mod tell;

use std::io::{self, BufWriter, Write};

use story::Story;

const USAGE: &str = "transcripts [--count N] [--seed N]";

fn main() -> io::Result<()> {
    let (mut count, mut seed) = (100, 1);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let into = match word.as_str() {
            "--count" => &mut count,
            "--seed" => &mut seed,
            _ => return Err(io::Error::other(USAGE)),
        };
        *into = words.next().and_then(|number| number.parse().ok()).ok_or(io::Error::other(USAGE))?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for seed in seed..seed + count {
        writeln!(out, "{}", Story::new(seed).tell(seed))?;
    }
    out.flush()
}
