//! What an operator is told of a database: how long its connections are waited for, how many there are, how long the work
//! on them takes, and how often it is given up.

use std::time::Instant;

use crate::StoreError;

/// A wait for a connection of a pool. It is measured until this is dropped, so also where the waiting is given up.
#[derive(Debug)]
#[must_use]
pub struct PoolWait {
    pool: &'static str,
    began: Instant,
}

impl PoolWait {
    /// Begins to wait for a connection of the pool of that name.
    pub fn begin(pool: &'static str) -> Self {
        Self { pool, began: Instant::now() }
    }

    /// Ends it with the pool as it is now: so many connections are open, and so many of them idle.
    pub fn end(self, open: u32, idle: usize) {
        let busy = (open as usize).saturating_sub(idle);
        metrics::gauge!("presence_hub_database_connections", "pool" => self.pool).set(open);
        metrics::gauge!("presence_hub_database_connections_busy", "pool" => self.pool).set(busy as f64);
    }
}

impl Drop for PoolWait {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        metrics::histogram!("presence_hub_database_acquire_seconds", "pool" => self.pool).record(took);
    }
}

/// Notes that a unit of work, which began then, is done or given up.
pub fn note_unit<T>(began: Instant, done: &Result<T, StoreError>) {
    metrics::histogram!("presence_hub_database_seconds").record(began.elapsed());
    if done.as_ref().is_err_and(StoreError::is_retryable) {
        metrics::counter!("presence_hub_database_failures_total").increment(1);
    }
}
