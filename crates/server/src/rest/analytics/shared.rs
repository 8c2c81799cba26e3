//! Answers that are made once for all who ask for them, and kept for a while.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use model::{ErrorCode, RequestError};
use tokio::{sync::watch, time::Instant};

type Outcome<V> = Option<Result<V, RequestError>>;

/// Answers, and those that are being made. Of each question one is made at a time, in a task of its own: that who asked
/// first goes away takes it from nobody.
pub(super) struct Shared<K, V> {
    entries: Mutex<HashMap<K, Entry<V>>>,
    lasts: Duration,
    most: usize,
}

struct Entry<V> {
    begun: Instant,
    outcome: watch::Receiver<Outcome<V>>,
}

impl<V> Entry<V> {
    /// Whether who asks now may have this one. A failure is nobody's but those who waited for it.
    fn serves(&self, lasts: Duration) -> bool {
        match &*self.outcome.borrow() {
            Some(made) => made.is_ok() && self.begun.elapsed() < lasts,
            // Whoever made it broke off.
            None => self.outcome.has_changed().is_ok(),
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone + Send + Sync + 'static> Shared<K, V> {
    /// Keeps at most so many answers, each for so long from when it was begun.
    pub(super) fn new(lasts: Duration, most: usize) -> Self {
        Self { entries: Mutex::default(), lasts, most }
    }

    /// The answer that there is, or that is being made; else begins to make it.
    ///
    /// # Errors
    /// Those of `begin`, and of what it begins.
    pub(super) async fn get<F>(
        &self,
        key: K,
        begin: impl FnOnce() -> Result<F, RequestError>,
    ) -> Result<V, RequestError>
    where
        F: Future<Output = Result<V, RequestError>> + Send + 'static,
    {
        let mut outcome = self.find_or_begin(key, begin)?;
        let made = outcome.wait_for(Option::is_some).await.map(|made| made.clone());
        made.ok()
            .flatten()
            .unwrap_or_else(|| Err(RequestError::new(ErrorCode::Internal, "the failure is logged")))
    }

    /// Forgets all answers. Those that are being made go to those who wait for them, and to nobody who asks from now on.
    pub(super) fn forget(&self) {
        self.entries().clear();
    }

    fn find_or_begin<F>(
        &self,
        key: K,
        begin: impl FnOnce() -> Result<F, RequestError>,
    ) -> Result<watch::Receiver<Outcome<V>>, RequestError>
    where
        F: Future<Output = Result<V, RequestError>> + Send + 'static,
    {
        let mut entries = self.entries();
        if let Some(entry) = entries.get(&key).filter(|entry| entry.serves(self.lasts)) {
            return Ok(entry.outcome.clone());
        }
        let work = begin()?;
        self.make_room(&mut entries);
        let (said, outcome) = watch::channel(None);
        entries.insert(key, Entry { begun: Instant::now(), outcome: outcome.clone() });
        tokio::spawn(async move { said.send_replace(Some(work.await)) });
        Ok(outcome)
    }

    fn make_room(&self, entries: &mut HashMap<K, Entry<V>>) {
        if entries.len() < self.most {
            return;
        }
        entries.retain(|_, entry| entry.serves(self.lasts));
        let oldest = entries.iter().min_by_key(|(_, entry)| entry.begun).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest.filter(|_| entries.len() >= self.most) {
            entries.remove(&oldest);
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<K, Entry<V>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
