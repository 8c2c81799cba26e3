//! What goes to the disk: all that waits in memory alone.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{
    batch::Batch,
    pending::Pending,
    queue::{Changing, Queue},
    task::Task,
};
use crate::{
    BacklogError, LastSeen, Stretch,
    backlog::{Appended, Newest},
};

/// Rows that are copied while the lock is held. 1,000 x about 100 ns: nobody who notes waits for longer.
const COPIED_ROWS: usize = 1_000;
/// So many times as many lines as things, and so many bytes: then a file of the newest states is written anew.
const STALE_LINES: u64 = 4;
const STALE_BYTES: u64 = 1024 * 1024;

/// Which of the queues.
type Pick<R> = fn(&mut Pending) -> &mut Queue<R>;

impl Task {
    /// Puts all that waits on the disk, and syncs it. Activity leaves memory; the newest states stay, because they go on
    /// changing. What the disk does not take stays in memory, within its bounds.
    pub(super) async fn spill(&mut self) {
        self.spill_at = Instant::now() + self.options.flush_interval;
        if let Some(round) = &mut self.round {
            round.spilled = true;
        }
        let saved = [self.spill_last_seen().await, self.spill_stretches().await, self.spill_activity().await];
        let saved: Result<Vec<()>, _> = saved.into_iter().collect();
        if self.note_disk(saved).is_some() {
            self.under_way_saved = true;
            self.shared.pending(Pending::saved_out);
        }
        self.mark_lost().await;
    }

    async fn spill_last_seen(&mut self) -> Result<(), BacklogError> {
        let figures = self.shared.figures();
        let under_way = match self.under_way.as_deref() {
            Some(Batch::LastSeen(rows)) => rows.clone(),
            _ => Vec::new(),
        };
        let queue: Pick<LastSeen> = |pending| &mut pending.last_seen;
        let stale = self.is_stale(queue, figures.last_seen_lines, figures.last_seen_bytes);
        for whole in [stale, true] {
            let newest = self.newest(queue, &under_way, whole);
            if newest.rows.is_empty() {
                return Ok(());
            }
            match self.disk(move |disk| disk.save_last_seen(&newest)).await {
                Ok(()) => return Ok(()),
                Err(error) => self.unsaved(queue, error, whole)?,
            }
        }
        Ok(())
    }

    async fn spill_stretches(&mut self) -> Result<(), BacklogError> {
        let figures = self.shared.figures();
        let under_way = match self.under_way.as_deref() {
            Some(Batch::Stretches(rows)) => rows.clone(),
            _ => Vec::new(),
        };
        let queue: Pick<Stretch> = |pending| &mut pending.stretches;
        let stale = self.is_stale(queue, figures.stretch_lines, figures.stretch_bytes);
        for whole in [stale, true] {
            let newest = self.newest(queue, &under_way, whole);
            if newest.rows.is_empty() {
                return Ok(());
            }
            match self.disk(move |disk| disk.save_stretches(&newest)).await {
                Ok(()) => return Ok(()),
                Err(error) => self.unsaved(queue, error, whole)?,
            }
        }
        Ok(())
    }

    fn is_stale<R: Changing>(&self, queue: Pick<R>, lines: u64, bytes: u64) -> bool {
        let things = self.shared.pending(|pending| queue(pending).len()) as u64;
        bytes > STALE_BYTES && lines > STALE_LINES * things
    }

    /// The states that the file does not have, or all. From now on they count as saved.
    fn newest<R: Changing>(&self, queue: Pick<R>, under_way: &[R], whole: bool) -> Newest<R> {
        // A file that is written anew holds what is under way as well, and first, so that what came later counts.
        let mut rows = if whole || !self.under_way_saved { under_way.to_vec() } else { Vec::new() };
        let mut from = 0;
        loop {
            let (picked, seen) = self.shared.pending(|pending| queue(pending).save(from, COPIED_ROWS, whole));
            rows.extend(picked);
            from += seen;
            if seen < COPIED_ROWS {
                return Newest { rows, whole };
            }
        }
    }

    /// A full disk may have room for a file without its old lines; any other error is one.
    fn unsaved<R: Changing>(
        &self,
        queue: Pick<R>,
        error: BacklogError,
        whole: bool,
    ) -> Result<(), BacklogError> {
        self.shared.pending(|pending| queue(pending).unsave());
        if whole || !matches!(error, BacklogError::Full { .. }) { Err(error) } else { Ok(()) }
    }

    async fn spill_activity(&mut self) -> Result<(), BacklogError> {
        let mut rows = match self.under_way.as_deref().filter(|_| !self.under_way_saved) {
            Some(Batch::Activity(rows)) => VecDeque::from(rows.clone()),
            _ => VecDeque::new(),
        };
        let mut waiting = self.shared.pending(|pending| pending.activity.take_all());
        let waited = waiting.len();
        rows.append(&mut waiting);
        if rows.is_empty() {
            return Ok(());
        }
        let appended = self.disk(move |disk| Ok(disk.append_activity(rows))).await;
        let Appended { mut rest, result } =
            appended.inspect_err(|_| self.shared.counters.dropped(waited as u64))?;
        // What is under way comes back by itself, if it does.
        rest.drain(..rest.len().saturating_sub(waited));
        let dropped = self.shared.pending(|pending| pending.activity.put_back(rest.into_iter()));
        self.shared.counters.dropped(dropped);
        result
    }

    /// What came of work with the files; `None`: the disk failed, which is said once, until it works again.
    pub(super) fn note_disk<T>(&mut self, done: Result<T, BacklogError>) -> Option<T> {
        match done {
            Ok(done) => {
                if !self.disk_works {
                    tracing::info!("the backlog can be used again");
                }
                self.disk_works = true;
                Some(done)
            }
            Err(error) => {
                self.shared.counters.disk_failed();
                if self.disk_works {
                    tracing::error!(%error, "what cannot be written now stays in memory, and is lost if the hub is killed");
                }
                self.disk_works = false;
                None
            }
        }
    }
}
