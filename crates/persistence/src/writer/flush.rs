//! What goes to the store: rounds of what waits in memory, pages of what waits on the disk, and marks.

use std::{ops::Range, pin::pin, sync::Arc};

use tokio::time::{Instant, sleep_until};

use super::{
    batch::{Batch, Sieve},
    pending::Pending,
    task::Task,
};
use crate::{GapReason, StoreError, Written, backlog::Page};

/// What is known of the oldest rows on the disk: whether the store refused them all, and whether it is the rows' fault.
#[derive(Clone, Debug, Default)]
pub(super) enum Oldest {
    /// Nothing bad.
    #[default]
    Fine,
    /// They were refused, and nothing else was tried since.
    Refused,
    /// They were refused, and others of activity were taken since, of which this is one.
    RefusedAlone(Taken),
}

/// A row that the store took. It takes it again to no effect.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    batch: Arc<Batch>,
    index: usize,
}

impl Task {
    /// One batch of the round, or its end.
    pub(super) async fn step(&mut self) {
        let rows = self.options.batch_rows.max(1);
        let Some(round) = &mut self.round else { return };
        let Some(batch) = self.shared.pending(|pending| pending.take(&mut round.left, rows)) else {
            return self.complete_round().await;
        };
        let batch = Arc::new(batch);
        (self.under_way, self.under_way_saved) = (Some(batch.clone()), false);
        let written = self.write(&batch).await;
        self.under_way = None;
        match written {
            Ok(()) => {
                self.shared.pending(Pending::settle);
                self.store_works();
            }
            Err(error) => {
                let name = batch.name();
                self.put_back(batch);
                if error.is_retryable() {
                    return self.store_failed("a batch", &error).await;
                }
                self.leave_out(name, &error);
            }
        }
    }

    /// A table that refuses everything waits for the next tick; the others are written.
    fn leave_out(&mut self, name: &'static str, error: &StoreError) {
        tracing::error!(%error, "the store refuses all {name}; it is kept and tried again");
        self.shared.counters.batch_failed();
        if let Some(round) = &mut self.round {
            round.left.leave_out(name);
            round.refused = true;
        }
    }

    /// What is on the disk already need not come back; the newest states do, because they go on changing.
    fn put_back(&mut self, batch: Arc<Batch>) {
        let on_disk = self.under_way_saved && matches!(*batch, Batch::Activity(_));
        if on_disk {
            return self.shared.pending(Pending::settle);
        }
        let batch = Arc::unwrap_or_clone(batch);
        let dropped = self.shared.pending(|pending| pending.put_back(batch));
        self.shared.counters.dropped(dropped);
    }

    async fn complete_round(&mut self) {
        // With nothing to write, the marks or the files are the next thing that the store is asked to take.
        self.healthy = true;
        let Some(round) = self.end_round() else { return };
        self.refused = round.refused;
        if round.refused {
            self.spill().await;
        }
        if !round.spilled && !round.refused {
            self.clear_newest().await;
        }
        self.mark_lost().await;
        self.write_gaps().await;
    }

    /// Of the newest states that the files hold, each or a newer one is written by now.
    async fn clear_newest(&mut self) {
        let figures = self.shared.figures();
        if figures.last_seen_lines + figures.stretch_lines > 0 {
            let cleared = self.disk(|disk| disk.clear_newest()).await;
            self.note_disk(cleared);
        }
    }

    /// The marks of what is missing, one by one.
    async fn write_gaps(&mut self) {
        while self.healthy && self.shared.figures().gaps > 0 {
            let next = self.disk(|disk| disk.next_gap()).await;
            let Some(gap) = self.note_disk(next).flatten() else { return };
            let (store, mark) = (self.store.clone(), gap.clone());
            match self.wait_for(async move { store.write_gap(&mark).await }).await {
                Ok(()) => self.shared.counters.gap_given(),
                Err(error) if error.is_retryable() => return self.store_failed("a mark", &error).await,
                Err(error) => {
                    self.shared.counters.batch_failed();
                    return tracing::warn!(%error, ?gap, "the store refuses the mark of missing rows; it is tried again");
                }
            }
            let settled = self.disk(|disk| disk.gap_settled()).await;
            if self.note_disk(settled).is_none() {
                return;
            }
        }
    }

    /// One page of what waits on the disk.
    pub(super) async fn replay(&mut self) {
        let rows = self.options.batch_rows.max(1) as u64;
        let page = self.disk(move |disk| disk.page(rows)).await;
        let Some(mut page) = self.note_disk(page).flatten() else { return };
        let batch = Arc::new(Batch::Activity(std::mem::take(&mut page.rows)));
        let written = self.write(&batch).await;
        self.turn(page, written.is_ok()).await;
        match written {
            Ok(()) => self.store_works(),
            Err(error) if error.is_retryable() => self.store_failed("a page of the backlog", &error).await,
            Err(error) => {
                // What waits in memory goes on being written: it shows whether these rows are at fault, or the store.
                tracing::warn!(%error, "the store refuses a page of the backlog; it waits for the next tick");
                self.shared.counters.batch_failed();
                self.replays = false;
            }
        }
    }

    async fn turn(&mut self, page: Page, taken: bool) {
        let turned = self.disk(move |disk| disk.turn(&page, taken)).await;
        self.note_disk(turned);
    }

    /// Writes a batch, all but the rows that the store will never take. On an error it is to be tried again whole.
    async fn write(&mut self, batch: &Arc<Batch>) -> Result<(), StoreError> {
        let mut sieve = Sieve::of(batch.len());
        let mut refusal = None;
        while let Some(part) = sieve.next() {
            match self.call(batch, part.clone()).await {
                Ok(written) => {
                    self.shared.counters.written(written);
                    sieve.taken = Some(part.start);
                }
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => {
                    sieve.refused(part);
                    refusal = Some(error);
                }
            }
        }
        self.judge(batch, &sieve, refusal).await
    }

    /// Whether the rows are at fault that were refused, or the store: a privilege that was taken away refuses every row,
    /// and none of them is to be lost for it. Rows of which none was taken are tried again, together with newer ones; and
    /// on the disk, until others were taken in between, which then stand for those that the store takes.
    async fn judge(
        &mut self,
        batch: &Arc<Batch>,
        sieve: &Sieve,
        refusal: Option<StoreError>,
    ) -> Result<(), StoreError> {
        let taken = sieve.taken.map(|index| Taken { batch: batch.clone(), index });
        let taken = taken.or_else(|| self.taken_since());
        let verdict = match (&taken, refusal) {
            (_, None) => Ok(Vec::new()),
            (Some(taken), Some(_)) => self.ask_again(batch, taken, &sieve.bad).await,
            (None, Some(error)) => Err(error),
        };
        if matches!(&verdict, Err(error) if error.is_retryable()) {
            return verdict.map(drop);
        }
        if matches!(**batch, Batch::Activity(_)) {
            self.note_activity(verdict.is_ok(), taken);
        }
        for index in verdict? {
            self.refuse(batch, index).await;
        }
        Ok(())
    }

    /// Those of the rows that are refused again, each between two calls by which the store takes a row that it took
    /// before (to no effect): it refuses these, and not everything for a while in the midst of the sieve.
    async fn ask_again(
        &mut self,
        batch: &Arc<Batch>,
        taken: &Taken,
        refused: &[usize],
    ) -> Result<Vec<usize>, StoreError> {
        let mut bad = Vec::new();
        self.call(&taken.batch, taken.index..taken.index + 1).await?;
        for index in refused {
            match self.call(batch, *index..*index + 1).await {
                Ok(written) => self.shared.counters.written(written),
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => {
                    tracing::error!(%error, of = batch.name(), "the store will never take this row");
                    bad.push(*index);
                }
            }
            self.call(&taken.batch, taken.index..taken.index + 1).await?;
        }
        Ok(bad)
    }

    /// While the oldest are tried again: a row that was taken since they were refused.
    fn taken_since(&self) -> Option<Taken> {
        match &self.oldest {
            Oldest::RefusedAlone(taken) if self.is_replay() => Some(taken.clone()),
            _ => None,
        }
    }

    /// The batch is one from the disk.
    fn is_replay(&self) -> bool {
        self.under_way.is_none()
    }

    /// A batch of activity was written, and with it `taken`, or was refused.
    fn note_activity(&mut self, written: bool, taken: Option<Taken>) {
        self.oldest = match (written, taken, &self.oldest) {
            (true, ..) if self.is_replay() => Oldest::Fine,
            (_, _, Oldest::Fine) if !self.is_replay() => Oldest::Fine,
            (true, Some(taken), _) => Oldest::RefusedAlone(taken),
            _ => Oldest::Refused,
        };
        self.replays |= matches!(self.oldest, Oldest::RefusedAlone(_));
    }

    async fn refuse(&mut self, batch: &Arc<Batch>, index: usize) {
        self.shared.counters.refused();
        let row = batch.refused(index);
        let kept = self.disk(move |disk| disk.refuse(&row)).await;
        self.note_disk(kept);
    }

    async fn call(&mut self, batch: &Arc<Batch>, part: Range<usize>) -> Result<Written, StoreError> {
        let (store, rows, began) = (self.store.clone(), batch.clone(), Instant::now());
        let (name, count) = (batch.name(), part.len());
        let done = self.wait_for(async move { rows.write(&*store, part).await }).await;
        metrics::histogram!("presence_hub_writer_batch_rows", "rows" => name).record(count as f64);
        metrics::histogram!("presence_hub_writer_batch_seconds", "rows" => name).record(began.elapsed());
        done
    }

    /// Waits for the store. While it takes its time, what waits is put on the disk when that is due.
    async fn wait_for<T>(
        &mut self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut call = pin!(call);
        loop {
            let give_up_at = self.give_up_at.unwrap_or(self.spill_at);
            tokio::select! {
                biased;
                done = &mut call => return done,
                () = sleep_until(give_up_at), if self.give_up_at.is_some() => {
                    return Err(StoreError::Unavailable("no answer before the shutdown".into()));
                }
                () = sleep_until(self.spill_at) => self.spill().await,
            }
        }
    }

    fn store_works(&mut self) {
        if self.away {
            tracing::info!("the store takes what was written behind again");
        }
        (self.healthy, self.away) = (true, false);
    }

    async fn store_failed(&mut self, what: &str, error: &StoreError) {
        self.shared.counters.batch_failed();
        if !self.away {
            tracing::warn!(%error, "{what} could not be written; what waits is kept on the disk and tried again");
        }
        (self.healthy, self.away) = (false, true);
        self.round = None;
        self.spill().await;
    }

    /// What memory had to drop is marked.
    pub(super) async fn mark_lost(&mut self) {
        if let Some(loss) = self.shared.pending(|pending| pending.activity.take_lost()) {
            let marked = self.disk(move |disk| disk.lost(GapReason::Full, loss)).await;
            self.note_disk(marked);
        }
    }
}
