//! What clients can do without for a while: presence goes on, from what is known. `/readyz` says what of it is missing.

use std::{sync::Arc, time::Duration};

use hub::Operations;
use persistence::{Store, WriterHandle};
use tokio::time::Instant;

use crate::telemetry::Readiness;

/// The database can be read and written.
const STORE: &str = "store";
/// What others change in the database is shown: the last question for changes was answered.
const FOLLOWER: &str = "follower";
/// What is written behind is written: nothing of it waits on the hub's disk.
const BACKLOG: &str = "backlog";
/// What hides is committed: nothing of it waits on the hub's disk.
const SPOOL: &str = "spool";

/// How often it is noted how it stands.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// How often the store is asked whether it can be written.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);

/// Nothing is known to be missing.
pub(super) fn begin(readiness: &Readiness) {
    for condition in [STORE, FOLLOWER, BACKLOG, SPOOL] {
        readiness.set_missed(condition, true);
    }
}

/// Notes how it stands, for ever. What the store was asked last holds until it is asked again.
pub(super) async fn watch(
    store: Arc<dyn Store>,
    operations: Operations,
    writer: WriterHandle,
    readiness: Readiness,
) {
    let (mut probed_at, mut writable) = (Instant::now(), true);
    loop {
        tokio::time::sleep(WATCH_INTERVAL).await;
        if !writable || probed_at.elapsed() >= PROBE_INTERVAL {
            (writable, probed_at) = (probe(&*store, writable).await, Instant::now());
        }
        readiness.set_missed(STORE, writable && operations.follows());
        readiness.set_missed(FOLLOWER, operations.follows());
        readiness.set_missed(BACKLOG, writer.stats().backlog_rows == 0);
        readiness.set_missed(SPOOL, operations.spooled() == 0);
    }
}

/// Whether the store can be written; that it cannot any more is said once.
async fn probe(store: &dyn Store, was_writable: bool) -> bool {
    let probed = store.probe().await;
    if let Err(error) = &probed
        && was_writable
    {
        tracing::error!(%error, "the store is out of reach; presence goes on from memory");
    }
    probed.is_ok()
}
