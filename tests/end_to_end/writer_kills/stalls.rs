//! How long the machine lets nobody run. A hub that is to do something every five seconds cannot do it sooner than its
//! process is let; a thread of this process, which does nothing but look at the clock, is held up as the hub is.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const STEP: Duration = Duration::from_millis(10);
/// Less than this is no stall.
const NOTED: Duration = Duration::from_millis(50);
/// Of so long before its end, what held up a hub counts: two of its intervals, and a little.
const LOOKS_BACK: Duration = Duration::from_secs(12);

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    found: Mutex<Vec<(Instant, Duration)>>,
}

/// The thread. It ends when this is dropped.
pub(crate) struct Stalls(Arc<Shared>);

impl Stalls {
    pub(crate) fn watch() -> Self {
        let shared = Arc::new(Shared::default());
        let watched = shared.clone();
        thread::spawn(move || watch(&watched));
        Self(shared)
    }

    /// How long nobody ran, in all, in the last seconds.
    pub(crate) fn lately(&self) -> Duration {
        let found = self.0.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.iter().rev().take_while(|(at, _)| at.elapsed() < LOOKS_BACK).map(|(_, stall)| *stall).sum()
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

fn watch(shared: &Shared) {
    while !shared.over.load(Ordering::Relaxed) {
        let before = Instant::now();
        thread::sleep(STEP);
        let stall = before.elapsed().saturating_sub(STEP);
        if stall >= NOTED {
            let mut found = shared.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push((Instant::now(), stall));
        }
    }
}
