//! The agency's board from its beginning: a snapshot of thousands of accounts in pages, again and again, for one
//! subscriber; and what the diffs of all the others take meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::{Beside, socket::Socket};
use crate::{
    engine::scan,
    outcome::{Check, Outcome, Recorder},
};

/// For one board.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two boards: somebody who opens one page after the other.
const PAUSE: Duration = Duration::from_millis(50);
/// By how much boards may shift the latency of others.
const SHIFT: f64 = 1.5;
/// What each page may have at most, in bytes.
const PAGE_BYTES: usize = 8 * 1024;

/// Boards that were opened.
#[derive(Debug)]
pub(super) struct Boards {
    took: Recorder,
    pages: usize,
    bytes: usize,
    accounts: usize,
    /// Boards that had not as many accounts as are held, or a page that is too long.
    wrong: u64,
}

impl Boards {
    pub(super) fn new() -> Self {
        Self { took: Recorder::new(), pages: 0, bytes: 0, accounts: 0, wrong: 0 }
    }

    /// Opens boards for a while.
    ///
    /// # Errors
    /// One does not come.
    pub(super) fn open(&mut self, mut socket: Socket, held: usize, duration: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            let subscription = self.one(&mut socket, held)?;
            socket.unsubscribe(subscription)?;
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// One board, whole; the number of its subscription.
    fn one(&mut self, socket: &mut Socket, held: usize) -> anyhow::Result<u32> {
        let asked = Instant::now();
        socket.subscribe()?;
        (self.pages, self.bytes, self.accounts) = (0, 0, 0);
        loop {
            ensure!(asked.elapsed() < PATIENCE, "a board does not come");
            let Some(arrived) = socket.next()? else { continue };
            let Some((envelope, _)) = scan::envelope(arrived.text.as_bytes()) else { continue };
            if !envelope.snapshot {
                continue;
            }
            self.pages += 1;
            self.bytes += arrived.text.len();
            self.accounts += arrived.text.matches(r#""accountId""#).count();
            self.wrong += u64::from(arrived.text.len() > PAGE_BYTES);
            if arrived.text.ends_with(r#""more":false}"#) {
                let took = arrived.at.saturating_duration_since(asked);
                self.took.record_us(u64::try_from(took.as_micros()).context("a very long time")?);
                self.wrong += u64::from(self.accounts != held);
                return Ok(envelope.subscription);
            }
        }
    }

    pub(super) fn tell(&self, outcome: &mut Outcome, whose: &str) {
        let took = self.took.latency();
        outcome.figure(&format!("boards opened, {whose}"), took.count as f64, "");
        outcome.figure(&format!("accounts of a board, {whose}"), self.accounts as f64, "");
        outcome.figure(&format!("pages of a board, {whose}"), self.pages as f64, "");
        outcome.figure(&format!("size of a board, {whose}"), self.bytes as f64 / 1024.0, "KiB");
        outcome.figure(&format!("p50 board, {whose}"), took.p50_ms, "ms");
        outcome.figure(&format!("p99 board, {whose}"), took.p99_ms, "ms");
        let check = format!("boards with a wrong count or a page too long, {whose}");
        outcome.checks.extend([
            Check::exactly(&check, self.wrong as f64, 0.0),
            Check::at_least(&format!("boards opened, {whose}"), took.count as f64, 1.0),
        ]);
    }
}

/// What the diffs of others took while boards were opened, against without.
pub(super) fn compare(outcome: &mut Outcome, without: &Beside, with: &Beside) {
    without.tell(outcome, "without boards");
    with.tell(outcome, "beside boards");
    let (without, with) = (without.latency(), with.latency());
    if without.count == 0 || with.count == 0 {
        return;
    }
    let shift = with.p99_ms / without.p99_ms;
    outcome.figure("p99 of others' diffs beside boards, by that without", shift, "x");
    outcome.checks.push(Check::at_most("p99 beside boards, times without", shift, SHIFT).into_aim());
}
