//! The extensions that are connected: whose signs of life are written, and who is told how a hold ended.
//!
//! They are no part of presence, so the heart knows nothing of them. Who holds an account comes from the follower alone,
//! as all that is shown; an extension whose hold it says is over is told so, whoever ended it and on which hub.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use model::{AccountId, AccountState, ClockOutReason, Hold, UserId};
use persistence::Sign;
use tokio::{sync::watch, time::Instant};

use crate::Reconnect;

/// When a hold counts as lost, and when it is given up.
#[derive(Clone, Debug)]
pub struct OccupancyOptions {
    /// Without a sign of life for so long, a hold is shown as stale.
    pub stale_after: Duration,
    /// With nothing done for so long, while an extension is connected, it is ended.
    pub inactive_after: Duration,
}

impl Default for OccupancyOptions {
    fn default() -> Self {
        Self { stale_after: Duration::from_mins(1), inactive_after: Duration::from_hours(1) }
    }
}

/// What an extension is told besides answers. The last thing that it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The hold is over; `None`: the account was held again before it was seen why.
    Ended(Option<ClockOutReason>),
    /// The assistant may not sign in any more.
    Disabled,
    /// The hub is being restarted.
    Restarting(Reconnect),
}

/// The extensions that are connected. An entry is about 200 B, one a hold.
#[derive(Clone, Debug, Default)]
pub struct Extensions(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By account and epoch: an account has one that lasts, and for a moment some that are over.
    holds: BTreeMap<(AccountId, u64), Entry>,
    /// The last hold that was seen of each account. About 40 B an account that anybody ever held.
    seen: HashMap<AccountId, Seen>,
    /// Set once the hub is on its way down.
    restart: Option<Reconnect>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    epoch: u64,
    /// Whether it is over, and why.
    over: Option<ClockOutReason>,
}

#[derive(Debug)]
struct Entry {
    hold: Hold,
    connections: usize,
    heard: Instant,
    /// When something was done last.
    active: Option<Instant>,
    parting: watch::Sender<Option<Parting>>,
}

/// The place of one extension's connection. Dropped, the connection counts as lost.
#[derive(Debug)]
pub struct ExtensionSeat {
    extensions: Extensions,
    hold: Hold,
    parting: watch::Receiver<Option<Parting>>,
}

impl Extensions {
    /// A place for a connection of this hold, which was just heard of. Where the hold is over already, that is what it
    /// is told.
    #[must_use]
    pub fn join(&self, hold: Hold) -> ExtensionSeat {
        let mut state = self.lock();
        let first = state.first_parting(hold);
        let entry = state.holds.entry(key(hold)).or_insert_with(|| Entry::new(hold));
        if entry.connections == 0 {
            // Nobody is left of those who were told before.
            entry.parting = watch::Sender::new(None);
        }
        entry.connections += 1;
        entry.heard = Instant::now();
        if first.is_some() {
            entry.parting.send_replace(first);
        }
        let parting = entry.parting.subscribe();
        ExtensionSeat { extensions: self.clone(), hold, parting }
    }

    /// Connections, for the operator.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lock().holds.values().map(|entry| entry.connections).sum()
    }

    /// Tells every extension to come back later, and those that come from now on.
    pub fn close_all(&self, reconnect: Reconnect) {
        let mut state = self.lock();
        state.restart = Some(reconnect);
        state.holds.values().for_each(|entry| entry.part(Parting::Restarting(reconnect)));
    }

    /// What the follower read of an account; `None`: it is gone.
    pub(crate) fn show_account(&self, account: AccountId, read: Option<&AccountState>) {
        let mut state = self.lock();
        let Some(now) = read.map(Seen::of) else {
            state.seen.remove(&account);
            return state.end(account, |_| Some(Some(ClockOutReason::Removed)));
        };
        let Some(now) = now else { return };
        state.seen.insert(account, now);
        state.end(account, |epoch| now.ending_of(epoch));
    }

    /// Nobody lets this user in any more.
    pub(crate) fn show_disabled(&self, user: UserId) {
        let state = self.lock();
        let theirs = state.holds.values().filter(|entry| entry.hold.user == user);
        theirs.for_each(|entry| entry.part(Parting::Disabled));
    }

    /// The signs of life of all who are connected, and of those who were until a moment ago.
    pub(crate) fn signs(&self) -> Vec<Sign> {
        let now = Instant::now();
        let sign = |entry: &Entry| Sign {
            hold: entry.hold,
            heard: now - entry.heard,
            active: entry.active.map(|active| now - active),
        };
        self.lock().holds.values().map(sign).collect()
    }

    /// Forgets those who were not heard of for so long: there is nothing new to be written of them. Until then their
    /// signs are written again and again, whether or not the store could take one of them; times there never go back.
    pub(crate) fn forget_lost(&self, lost_for: Duration) {
        let now = Instant::now();
        self.lock().holds.retain(|_, entry| entry.connections > 0 || now - entry.heard < lost_for);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two steps that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is known of a hold already that somebody comes with.
    fn first_parting(&self, hold: Hold) -> Option<Parting> {
        let ended = self.seen.get(&hold.account).and_then(|seen| seen.ending_of(hold.epoch));
        ended.map(Parting::Ended).or(self.restart.map(Parting::Restarting))
    }

    /// Tells the extensions of an account those whose hold is over.
    fn end(&self, account: AccountId, ending: impl Fn(u64) -> Option<Option<ClockOutReason>>) {
        for ((_, epoch), entry) in self.holds.range((account, 0)..=(account, u64::MAX)) {
            if let Some(reason) = ending(*epoch) {
                entry.part(Parting::Ended(reason));
            }
        }
    }
}

impl Seen {
    /// `None`: nobody ever held it.
    fn of(state: &AccountState) -> Option<Self> {
        let held = state.occupancy.as_ref().map(|held| Self { epoch: held.epoch, over: None });
        held.or(state.ended.map(|ended| Self { epoch: ended.epoch, over: Some(ended.reason) }))
    }

    /// How the hold of that epoch ended; `None`: it did not, as far as is known. A later one is not seen yet.
    fn ending_of(self, epoch: u64) -> Option<Option<ClockOutReason>> {
        match epoch.cmp(&self.epoch) {
            std::cmp::Ordering::Less => Some(None),
            std::cmp::Ordering::Equal => self.over.map(Some),
            std::cmp::Ordering::Greater => None,
        }
    }
}

impl Entry {
    fn new(hold: Hold) -> Self {
        let parting = watch::Sender::new(None);
        Self { hold, connections: 0, heard: Instant::now(), active: None, parting }
    }

    /// What was told first holds.
    fn part(&self, parting: Parting) {
        self.parting.send_if_modified(|told| {
            let is_new = told.is_none();
            told.get_or_insert(parting);
            is_new
        });
    }
}

impl ExtensionSeat {
    /// The hold.
    #[must_use]
    pub fn hold(&self) -> Hold {
        self.hold
    }

    /// The extension was heard of.
    pub fn heard(&self) {
        self.touch(|entry, now| entry.heard = now);
    }

    /// The assistant did something.
    pub fn active(&self) {
        self.touch(|entry, now| (entry.heard, entry.active) = (now, Some(now)));
    }

    /// How the hold ended, as far as the follower has told it.
    #[must_use]
    pub fn ended(&self) -> Option<ClockOutReason> {
        match *self.parting.borrow() {
            Some(Parting::Ended(reason)) => reason,
            _ => None,
        }
    }

    /// Returns with what the extension is told last. Dropped and called again, it misses nothing.
    pub async fn parting(&mut self) -> Parting {
        let told = self.parting.wait_for(Option::is_some).await.ok().and_then(|told| *told);
        match told {
            Some(parting) => parting,
            // The sender lives as long as the entry, and the entry as long as this.
            None => std::future::pending().await,
        }
    }

    fn touch(&self, change: impl FnOnce(&mut Entry, Instant)) {
        if let Some(entry) = self.extensions.lock().holds.get_mut(&key(self.hold)) {
            change(entry, Instant::now());
        }
    }
}

impl Drop for ExtensionSeat {
    fn drop(&mut self) {
        let mut state = self.extensions.lock();
        if let Some(entry) = state.holds.get_mut(&key(self.hold)) {
            entry.connections -= 1;
        }
    }
}

fn key(hold: Hold) -> (AccountId, u64) {
    (hold.account, hold.epoch)
}

#[cfg(test)]
mod tests;
