//! The writer's task: one thing after the other, the most urgent first.
//!
//! A *round* writes all that waited when it began. Whatever has waited for longer than the interval and the patience is
//! put on the disk, also while a call of the store is under way: so what `kill -9` loses does not depend on how long a
//! store takes to say that it is away.

use std::{collections::BTreeSet, future::ready, sync::Arc, time::Duration};

use model::UserId;

use tokio::{
    sync::mpsc,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

use super::{FORGETS, Forget, Shared, WriterOptions, batch::Batch, flush::Oldest, pending::Left};
use crate::{Backlog, BacklogError, Store, backlog::Disk};

/// How long a shutdown waits for a store that does not answer.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(5);
/// Attempts of a shutdown to save what neither the store nor the disk took.
const SHUTDOWN_ATTEMPTS: u32 = 3;
/// Between two of those attempts.
const SHUTDOWN_PAUSE: Duration = Duration::from_secs(1);

/// What is written in one go.
pub(super) struct Round {
    begun: Instant,
    pub(super) left: Left,
    /// Whether something was put on the disk since it began.
    pub(super) spilled: bool,
    /// Whether a kind was refused whole, and waits.
    pub(super) refused: bool,
}

pub(super) struct Task {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Arc<dyn Store>,
    pub(super) backlog: Backlog,
    pub(super) options: WriterOptions,
    pub(super) round: Option<Round>,
    /// A store that has just failed is asked again at the next tick, not at the next note.
    pub(super) healthy: bool,
    /// Whether a kind was refused whole in the last round: it is asked again at the next tick, too.
    pub(super) refused: bool,
    /// Whether it was said that the store is away.
    pub(super) away: bool,
    /// Whether the disk did what it was last asked. One that did not is asked again at the next tick.
    pub(super) disk_works: bool,
    /// When what waits has to be on the disk.
    pub(super) spill_at: Instant,
    /// The batch that the store is given, out of memory; and whether it is on the disk as well.
    pub(super) under_way: Option<Arc<Batch>>,
    pub(super) under_way_saved: bool,
    pub(super) oldest: Oldest,
    /// Whether what is on the disk may be tried before the next tick.
    pub(super) replays: bool,
    /// When a shutdown gives up waiting for the store.
    pub(super) give_up_at: Option<Instant>,
}

impl Task {
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Arc<dyn Store>,
        backlog: Backlog,
        options: WriterOptions,
    ) -> Self {
        let spill_at = Instant::now() + options.flush_interval + options.flush_patience;
        Self {
            shared,
            store,
            backlog,
            options,
            round: None,
            healthy: true,
            refused: false,
            away: false,
            disk_works: true,
            spill_at,
            under_way: None,
            under_way_saved: false,
            oldest: Oldest::Fine,
            replays: true,
            give_up_at: None,
        }
    }

    pub(super) async fn run(mut self, mut forgets: mpsc::Receiver<Forget>) {
        let mut tick = every(self.options.flush_interval);
        let shared = self.shared.clone();
        let mut asked = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = shared.closing.notified() => break,
                _ = tick.tick() => self.tick().await,
                () = tokio::time::sleep_until(self.spill_at) => self.spill().await,
                () = shared.crowded.notified(), if self.disk_works => self.spill().await,
                _ = forgets.recv_many(&mut asked, FORGETS) => self.forget(&mut asked).await,
                () = shared.full.notified(), if self.may_begin() => self.begin_round(),
                () = ready(()), if self.round.is_some() => self.step().await,
                () = ready(()), if self.can_replay() => self.replay().await,
            }
        }
        self.finish().await;
        forgets.close();
        while forgets.recv_many(&mut asked, FORGETS).await > 0 {
            self.forget(&mut asked).await;
        }
    }

    /// Whether a round may begin before the next tick.
    fn may_begin(&self) -> bool {
        self.healthy && !self.refused && self.round.is_none()
    }

    async fn tick(&mut self) {
        // While the store is away, what waits is saved before it is asked again, which may take long.
        if !self.healthy || self.refused || !self.disk_works {
            self.spill().await;
        }
        self.replays = true;
        self.begin_round();
    }

    fn can_replay(&self) -> bool {
        self.healthy && self.replays && self.disk_works && self.shared.figures().activity_rows > 0
    }

    /// One that is under way takes on what waits now.
    fn begin_round(&mut self) {
        let left = self.shared.pending(|pending| pending.left());
        match &mut self.round {
            Some(round) => round.left = left,
            None => self.round = Some(Round { begun: Instant::now(), left, spilled: false, refused: false }),
        }
    }

    /// All that waited when the round began is written.
    pub(super) fn end_round(&mut self) -> Option<Round> {
        let round = self.round.take()?;
        if !round.refused {
            let saved = self.options.flush_interval + self.options.flush_patience;
            self.spill_at = self.spill_at.max(round.begun + saved);
        }
        Some(round)
    }

    /// Nothing of those users is under way: the task does one thing after the other. All who ask at once are served at
    /// once: each time, every file is read.
    async fn forget(&mut self, asked: &mut Vec<Forget>) {
        let users: BTreeSet<UserId> = asked.iter().flat_map(|forget| &forget.users).copied().collect();
        if users.is_empty() {
            return;
        }
        self.shared.pending(|pending| pending.forget(&users));
        let forgotten = self.disk(move |disk| disk.forget(&users)).await;
        for forget in asked.drain(..) {
            // Whoever asked may have gone away.
            let _ = forget.done.send(forgotten.as_ref().copied().map_err(BacklogError::again));
        }
    }

    /// Works with the files, and takes down how it stands with them.
    pub(super) async fn disk<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Disk) -> Result<T, BacklogError> + Send + 'static,
    ) -> Result<T, BacklogError> {
        let (done, figures) = self.backlog.with(|disk| (act(disk), disk.figures())).await?;
        self.shared.note_figures(figures);
        done
    }

    async fn finish(&mut self) {
        self.shared.pending(|pending| pending.close());
        self.give_up_at = Some(Instant::now() + SHUTDOWN_PATIENCE);
        for attempt in 1..=SHUTDOWN_ATTEMPTS {
            self.begin_round();
            while self.round.is_some() {
                self.step().await;
            }
            self.spill().await;
            if self.shared.stats().pending == 0 {
                return;
            }
            if attempt < SHUTDOWN_ATTEMPTS {
                tokio::time::sleep(SHUTDOWN_PAUSE).await;
            }
        }
        let rows = self.shared.stats().pending;
        tracing::error!(
            rows,
            "rows are lost: neither the store nor the backlog took them before the shutdown"
        );
    }
}

/// Ticks one interval from now, and late rather than twice after a slow write.
fn every(period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
