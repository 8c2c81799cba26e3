//! Deadlines in order. One deadline a key: setting it again moves it.

use std::collections::{BTreeMap, BTreeSet};

use model::{ConnectionId, Mono, SessionId};

use crate::view::ViewKey;

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimerKey {
    /// Typing ends by itself.
    Typing(SessionId),
    /// A lost session is present no longer.
    Grace(SessionId),
    /// A session without a socket ends.
    Rest(SessionId),
    /// A lost session cannot be resumed any longer.
    Gone(SessionId),
    /// A heartbeat is due, or its answer.
    Heartbeat(ConnectionId),
    /// The connection should have read what was sent to it.
    Stall(ConnectionId),
    /// The token's end is near, or here.
    Token(ConnectionId),
    /// The batching window of a view closes.
    Window(ViewKey),
}

/// Deadlines in order of time, then of key.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    by_time: BTreeSet<(Mono, K)>,
    by_key: BTreeMap<K, Mono>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self { by_time: BTreeSet::new(), by_key: BTreeMap::new() }
    }
}

impl<K: Copy + Ord> Timers<K> {
    pub(crate) fn set(&mut self, key: K, at: Mono) {
        if let Some(before) = self.by_key.insert(key, at) {
            self.by_time.remove(&(before, key));
        }
        self.by_time.insert((at, key));
    }

    pub(crate) fn cancel(&mut self, key: K) {
        if let Some(before) = self.by_key.remove(&key) {
            self.by_time.remove(&(before, key));
        }
    }

    pub(crate) fn next(&self) -> Option<Mono> {
        self.by_time.first().map(|(at, _)| *at)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(crate) fn pop_due(&mut self, now: Mono) -> Option<K> {
        let (at, key) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.remove(&(at, key));
        self.by_key.remove(&key);
        Some(key)
    }
}
