//! The follower: the one way from the store into the heart.
//!
//! It asks the store what has changed, reads the facts of those who are named, and shows them. Whoever writes, this
//! hub, another one or a program with SQL, only commits; what is shown comes from here, in one order. Beside that it
//! reads everything again, page by page: at the start, whenever it may have missed something, and in a slow round.

mod ask;
mod kind;
mod sweep;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use model::{AccountId, AccountState, UserId};
use persistence::{BacklogError, Cursor, PAGE, Pick, Store, StoreError, Wake, WriterHandle};
use presence::Input;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{Extensions, Gone, Hub, veil::Gate};
use ask::Ask;
pub(crate) use ask::Following;
use kind::{Accounts, Kind, Users};
use sweep::{Part, Sweep};

/// The rhythm of a follower.
#[derive(Clone, Debug)]
pub struct FollowerOptions {
    /// Between two questions for changes, where nothing wakes it.
    pub poll_interval: Duration,
    /// Between the beginnings of two slow rounds over everything. One round asks for at most one page a poll, so that
    /// 100,000 users take 50 s of polls at 500 ms.
    pub sweep_interval: Duration,
    /// After how long without an answer of the store viewers are told that their view may be old.
    pub stale_after: Duration,
    /// How long one question may take.
    pub patience: Duration,
}

impl Default for FollowerOptions {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_millis(500),
            sweep_interval: Duration::from_secs(60),
            stale_after: Duration::from_secs(30),
            patience: Duration::from_secs(2),
        }
    }
}

/// Asks of those who wait for the follower. Past it they wait to be heard at all.
const ASKS: usize = 1_024;

/// Between two attempts to forget those who are gone.
const FORGET_AGAIN: Duration = Duration::from_secs(5);

/// How long the store is left alone at most between two questions that changes cause: as long as the last round took, so
/// that following is half of what a flood of changes leaves room for.
const REST_AT_MOST: Duration = Duration::from_millis(10);

/// Why a round was not finished.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Behind {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store did not answer in time")]
    Slow(#[from] tokio::time::error::Elapsed),
    #[error(transparent)]
    Gone(#[from] Gone),
}

/// Who else is told of what was read, besides the heart.
pub(crate) struct Ways {
    pub(crate) gate: Gate,
    pub(crate) writer: WriterHandle,
    pub(crate) extensions: Extensions,
}

/// The task's state.
pub(crate) struct Follower {
    hub: Hub,
    store: Arc<dyn Store>,
    ways: Ways,
    options: FollowerOptions,
    cursor: Cursor,
    sweep: Sweep,
    /// Whom the heart was told of: who is among them and not in the store is gone.
    users: BTreeSet<UserId>,
    accounts: BTreeSet<AccountId>,
    asks: mpsc::Receiver<Ask>,
    /// Users who were erased, and have not chosen to be seen since.
    erased: BTreeSet<UserId>,
    /// Users of whom nothing is to be written that waits.
    gone: BTreeSet<UserId>,
    /// Asks to be answered when everything has been read again.
    held: Vec<Ask>,
    /// Until when changes alone are no reason to ask again.
    rests_until: Instant,
    /// When the store answered last.
    fresh: Instant,
    healthy: watch::Sender<bool>,
}

impl Follower {
    /// Reads everything, shows it, and starts to follow.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub(crate) async fn start(
        hub: Hub,
        store: Arc<dyn Store>,
        ways: Ways,
        options: FollowerOptions,
    ) -> Result<Following, Behind> {
        // Before the first page: what changes while the pages are read is found after it.
        let cursor = timeout(options.patience, store.cursor()).await??;
        let (asking, asks) = mpsc::channel(ASKS);
        let (healthy, health) = watch::channel(true);
        let mut follower = Self {
            hub,
            store,
            ways,
            sweep: Sweep::begin(options.sweep_interval),
            options,
            cursor,
            users: BTreeSet::new(),
            accounts: BTreeSet::new(),
            asks,
            erased: BTreeSet::new(),
            gone: BTreeSet::new(),
            held: Vec::new(),
            rests_until: Instant::now(),
            fresh: Instant::now(),
            healthy,
        };
        while follower.sweep.is_urgent() {
            follower.round(&[]).await?;
        }
        tokio::spawn(follower.run());
        Ok(Following { asking, health })
    }

    async fn run(mut self) {
        loop {
            let pause = self.pause();
            let asked = tokio::select! {
                ask = self.asks.recv() => match ask {
                    Some(ask) => Some(ask),
                    None => return,
                },
                wake = self.store.woken() => {
                    if wake == Wake::Deaf {
                        self.sweep.hurry();
                    }
                    // Whoever waits to be answered does not wait for that.
                    tokio::select! {
                        ask = self.asks.recv() => match ask {
                            Some(ask) => Some(ask),
                            None => return,
                        },
                        () = sleep_until(self.rests_until) => None,
                    }
                }
                () = sleep(pause) => None,
            };
            let mut asks: Vec<Ask> = asked.into_iter().collect();
            while let Ok(ask) = self.asks.try_recv() {
                asks.push(ask);
            }
            match self.timed_round(&asks).await {
                Ok(()) => self.answer(asks),
                Err(Behind::Gone(_)) => return,
                // Those who asked are dropped, which tells them.
                Err(behind) => {
                    self.held.clear();
                    self.missed(&behind);
                }
            }
            if self.tell_age().await.is_err() {
                return;
            }
        }
    }

    /// Who named a user has been shown that user. Who asked for all there is waits where it is not known what changed,
    /// until everything has been read again.
    fn answer(&mut self, asks: Vec<Ask>) {
        let (read, unsure): (Vec<_>, Vec<_>) = asks.into_iter().partition(|ask| ask.again.is_some());
        read.into_iter().for_each(Ask::answer);
        self.held.extend(unsure);
        if !self.sweep.is_urgent() {
            self.held.drain(..).for_each(Ask::answer);
        }
    }

    /// In a hurry the next page is read at once, as long as the store answers.
    fn pause(&self) -> Duration {
        let hurry = self.sweep.is_urgent() && *self.healthy.borrow();
        if hurry { Duration::ZERO } else { self.options.poll_interval }
    }

    async fn timed_round(&mut self, asks: &[Ask]) -> Result<(), Behind> {
        let began = Instant::now();
        let done = self.round(asks).await;
        let took = began.elapsed();
        self.rests_until = Instant::now() + took.min(REST_AT_MOST);
        metrics::histogram!("presence_hub_follower_round_seconds").record(took);
        done
    }

    /// One question, and what follows from it. Everything before it is in the heart when it returns.
    async fn round(&mut self, asks: &[Ask]) -> Result<(), Behind> {
        let due = self.sweep.due();
        // Before the changes: what of the page is not among them is as it was read.
        let page = match due {
            Some(Part::Accounts(after)) => Some(self.read_page::<Accounts>(after).await?),
            _ => None,
        };
        let changes = timeout(self.options.patience, self.store.changes(&self.cursor)).await??;
        self.fresh = Instant::now();
        let again = asks.iter().filter_map(|ask| ask.again);
        // Accounts first: whoever is removed has left theirs by the same transaction, and is nobody in it at any moment.
        self.show_accounts(page, changes.accounts, changes.account_states).await?;
        self.read_these(changes.users.into_iter().chain(again).collect()).await?;
        if changes.all {
            self.sweep.hurry();
        }
        // Only now: a round that breaks off is asked for again from where it began.
        self.cursor = changes.cursor;
        if let Some(Part::Users(after)) = due {
            let page = self.read_page::<Users>(after).await?;
            let ids = page.ids;
            self.show::<Users>(page.read).await?;
            self.sweep.users_read(&ids);
        }
        self.hub.barrier().await?;
        self.forget_gone();
        if !self.healthy.send_replace(true) {
            tracing::info!("the store can be followed again");
        }
        Ok(())
    }

    /// Accounts of a page and those that changed, all as of the instant up to which changes are known.
    async fn show_accounts(
        &mut self,
        page: Option<PageRead<Accounts>>,
        changed: Vec<AccountId>,
        states: Vec<(AccountId, AccountState)>,
    ) -> Result<(), Gone> {
        let (ids, read) = page.map(|page| (page.ids, page.read)).unzip();
        let mut shown: BTreeMap<_, _> = read.into_iter().flatten().collect();
        shown.extend(changed.into_iter().map(|account| (account, None)));
        shown.extend(states.into_iter().map(|(account, state)| (account, Some(state))));
        self.show::<Accounts>(shown.into_iter().collect()).await?;
        if let Some(ids) = ids {
            self.sweep.accounts_read(&ids);
        }
        Ok(())
    }

    /// The heart knows that they are gone, and notes nothing more of them: what it noted before is forgotten, in a task of
    /// its own, for it waits for the disk.
    fn forget_gone(&mut self) {
        let gone = std::mem::take(&mut self.gone);
        if gone.is_empty() {
            return;
        }
        let writer = self.ways.writer.clone();
        tokio::spawn(async move {
            while let Err(error) = writer.forget(gone.clone()).await {
                tracing::error!(%error, "what waits of users who are gone is still on the hub's disk");
                if matches!(error, BacklogError::Closed) {
                    return;
                }
                sleep(FORGET_AGAIN).await;
            }
        });
    }

    fn missed(&self, behind: &Behind) {
        metrics::counter!("presence_hub_follower_errors_total").increment(1);
        if self.healthy.send_replace(false) {
            tracing::error!(%behind, "the store cannot be followed; presence goes on with what is known");
        }
    }

    async fn tell_age(&self) -> Result<(), Gone> {
        let age = self.fresh.elapsed();
        metrics::gauge!("presence_hub_follower_age_seconds").set(age);
        let stale = age >= self.options.stale_after;
        self.hub.send(Input::Stale { stale }).await
    }

    /// Those who were named. Each once: who is asked for twice must not be taken for gone.
    async fn read_these(&mut self, users: BTreeSet<UserId>) -> Result<(), Behind> {
        let users: Vec<_> = users.into_iter().collect();
        for users in users.chunks(PAGE) {
            let question = self.store.users(Pick::These(users.to_vec()));
            let mut found: BTreeMap<_, _> =
                timeout(self.options.patience, question).await??.into_iter().collect();
            let read = users.iter().map(|user| (*user, found.remove(user))).collect();
            self.show::<Users>(read).await?;
        }
        Ok(())
    }

    /// Who is on the page of the round over everything, and that others are gone.
    async fn read_page<K: Kind>(&mut self, after: Option<K::Id>) -> Result<PageRead<K>, Behind> {
        let question = K::read(&*self.store, Pick::Next(after, PAGE));
        let page = timeout(self.options.patience, question).await??;
        let ids: Vec<_> = page.iter().map(|(id, _)| *id).collect();
        let gone = missing(K::told(self), after, &ids).into_iter().map(|id| (id, None));
        let read = page.into_iter().map(|(id, facts)| (id, Some(facts))).chain(gone).collect();
        Ok(PageRead { ids, read })
    }

    /// Shows what was read at one instant.
    async fn show<K: Kind>(&mut self, read: Vec<(K::Id, Option<K::Facts>)>) -> Result<(), Gone> {
        for (id, facts) in &read {
            K::note(*id, facts.as_ref(), self);
            match facts {
                Some(_) => K::told(self).insert(*id),
                None => K::told(self).remove(id),
            };
        }
        K::show(read, self).await
    }
}

/// A page that was read.
struct PageRead<K: Kind> {
    /// Who is on it.
    ids: Vec<K::Id>,
    /// What there is to show: those, and who is gone.
    read: Vec<(K::Id, Option<K::Facts>)>,
}

/// Who is known in the stretch that a page covers, and not on it. A page that is not full covers all the rest.
fn missing<Id: Ord + Copy>(known: &BTreeSet<Id>, after: Option<Id>, page: &[Id]) -> Vec<Id> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let to = match page.last() {
        Some(last) if page.len() >= PAGE => Bound::Included(*last),
        _ => Bound::Unbounded,
    };
    let known = known.range((from, to)).copied();
    known.filter(|id| page.binary_search(id).is_err()).collect()
}

#[cfg(test)]
mod tests;
