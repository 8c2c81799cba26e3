//! What a writer has done, for whoever looks after it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::pending::{Noted, Waiting};
use crate::{Written, backlog::Figures};

/// What a writer has done so far. In an outage `failed_batches` rises with every attempt, `written` stands still, and
/// `backlog_rows`, `backlog_bytes` and `syncs` rise every few seconds; `pending` stays small. When the store is back,
/// `backlog_rows` falls to 0. `disk_failures` and `dropped` say that rows are being lost, or soon may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Notes taken, those merged and dropped included.
    pub noted: u64,
    /// Notes merged with the waiting one of their user or stretch.
    pub coalesced: u64,
    /// Notes dropped: memory, or memory and disk, were full, or the writer was shut down. Of activity a mark is left.
    pub dropped: u64,
    /// Rows that the store has and did not have before.
    pub written: u64,
    /// Rows that the store passed over for good: of strangers, of the erased, of a time without a place in the log.
    pub passed_over: u64,
    /// Rows that the store will never take. They are kept in `refused.ndjson`, up to its limit.
    pub refused: u64,
    /// Batches that the store did not take. Each was kept, and is tried again.
    pub failed_batches: u64,
    /// Rows that wait in memory alone: neither written nor on the disk.
    pub pending: u64,
    /// Rows that wait on the disk.
    pub backlog_rows: u64,
    /// Bytes of all files of the backlog, rows that were set aside included.
    pub backlog_bytes: u64,
    /// Damaged lines that were set aside since the start. Of activity and stretches a mark is left.
    pub corrupt_lines: u64,
    /// Last lines that were not written whole before a crash, and were cut at the start.
    pub torn_lines: u64,
    /// Calls that waited until something was on the disk.
    pub syncs: u64,
    /// Times that the disk failed. What waits stays in memory then.
    pub disk_failures: u64,
    /// Marks of missing rows that the store was given.
    pub gaps: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    noted: AtomicU64,
    coalesced: AtomicU64,
    dropped: AtomicU64,
    written: AtomicU64,
    passed_over: AtomicU64,
    refused: AtomicU64,
    failed_batches: AtomicU64,
    disk_failures: AtomicU64,
    gaps: AtomicU64,
}

impl Counters {
    pub(super) fn note(&self, noted: Noted) {
        self.noted.fetch_add(1, Relaxed);
        self.coalesced.fetch_add(u64::from(noted.merged), Relaxed);
        self.dropped.fetch_add(noted.dropped, Relaxed);
    }

    pub(super) fn dropped(&self, rows: u64) {
        self.dropped.fetch_add(rows, Relaxed);
    }

    pub(super) fn written(&self, Written { written, passed_over }: Written) {
        self.written.fetch_add(written, Relaxed);
        self.passed_over.fetch_add(passed_over, Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn batch_failed(&self) {
        self.failed_batches.fetch_add(1, Relaxed);
    }

    pub(super) fn disk_failed(&self) {
        self.disk_failures.fetch_add(1, Relaxed);
    }

    pub(super) fn gap_given(&self) {
        self.gaps.fetch_add(1, Relaxed);
    }

    pub(super) fn stats(&self, waiting: Waiting, figures: Figures) -> WriterStats {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        WriterStats {
            noted: read(&self.noted),
            coalesced: read(&self.coalesced),
            dropped: read(&self.dropped) + figures.dropped_rows,
            written: read(&self.written),
            passed_over: read(&self.passed_over),
            refused: read(&self.refused),
            failed_batches: read(&self.failed_batches),
            pending: waiting.unsaved as u64,
            backlog_rows: waiting.saved as u64 + figures.activity_rows,
            backlog_bytes: figures.bytes,
            corrupt_lines: figures.damaged_lines,
            torn_lines: figures.torn_lines,
            syncs: figures.syncs,
            disk_failures: read(&self.disk_failures),
            gaps: read(&self.gaps),
        }
    }
}
