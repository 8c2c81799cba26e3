//! Durable operations: committed, then shown, then acknowledged.
//!
//! Each runs in a task of its own that no disconnect can cancel. It only commits; the [follower](crate::follower)
//! shows what was committed, and the operation waits for it. While the store is out of reach, a change that only hides
//! is put on the hub's own disk and in force at once; every other one is refused in time.

mod erase;
mod occupancy;
mod outage;
mod rounds;
mod turns;

use std::{future::Future, sync::Arc, time::Duration};

use model::{DirectoryChange, Kept, Settings, SettingsPatch};
use persistence::{Actor, OperationId, Principal, SettingsChange, Spool, Store, StoreError, WriterHandle};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    Extensions, Gone, Hub, OccupancyOptions,
    follower::{Behind, Follower, FollowerOptions, Following, Ways},
    veil::Gate,
};
use outage::unveil;
use turns::{Turn, Turns};

/// Within which a change of settings is committed, or not waited for any longer: a caller is to have an answer within
/// two seconds, also where the store is frozen.
const COMMITTED_WITHIN: Duration = Duration::from_millis(1_700);
/// The same while the store cannot be followed: it is most likely not there, and the spool wants its time too.
const COMMITTED_WITHIN_AN_OUTAGE: Duration = Duration::from_millis(500);
/// Within which it is committed and shown, or answered without. What is committed is committed: what it hides is then
/// put in force by a veil, and what it shows is shown when the store can be read again.
const ANSWERED_WITHIN: Duration = Duration::from_millis(1_900);
/// The same for the directory: a large import is shown in many pages.
const DIRECTORY_SHOWN_WITHIN: Duration = Duration::from_secs(60);

/// Why a durable operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The store refused it, or cannot be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hub was shut down.
    #[error(transparent)]
    Gone(#[from] Gone),
    /// The operation's task broke off; whether it was done is not known.
    #[error("the operation broke off")]
    Broken,
}

impl From<Behind> for OperationError {
    fn from(behind: Behind) -> Self {
        match behind {
            Behind::Store(error) => Self::Store(error),
            Behind::Slow(elapsed) => Self::Store(StoreError::Unavailable(Box::new(elapsed))),
            Behind::Gone(gone) => Self::Gone(gone),
        }
    }
}

/// A change of settings that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What it came to.
    pub settings: Settings,
    /// How safely it is kept.
    pub kept: Kept,
}

/// The durable operations of a hub. With the last handle the follower ends.
#[derive(Clone)]
pub struct Operations(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    hub: Hub,
    store: Arc<dyn Store>,
    spool: Spool,
    writer: WriterHandle,
    gate: Gate,
    pub(crate) following: Following,
    extensions: Extensions,
    turns: Turns,
}

/// The rhythms of what runs beside the operations.
#[derive(Clone, Debug, Default)]
pub struct OperationOptions {
    /// Of the follower.
    pub following: FollowerOptions,
    /// Of the holds of accounts.
    pub occupancy: OccupancyOptions,
}

impl From<FollowerOptions> for OperationOptions {
    fn from(following: FollowerOptions) -> Self {
        Self { following, ..Self::default() }
    }
}

impl Operations {
    /// Loads the whole directory into the heart, and follows the store from then on. What was never loaded is hidden; and
    /// so is whoever has a change in the spool, until it is committed, which is tried from now on.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn start(
        hub: Hub,
        store: Arc<dyn Store>,
        spool: Spool,
        writer: WriterHandle,
        options: impl Into<OperationOptions>,
    ) -> Result<Self, OperationError> {
        let OperationOptions { following, occupancy } = options.into();
        let (gate, extensions) = (Gate::default(), Extensions::default());
        outage::hide_waiting(&gate, &spool).await;
        let ways = Ways { gate: gate.clone(), writer: writer.clone(), extensions: extensions.clone() };
        let following = Follower::start(hub.clone(), store.clone(), ways, following).await?;
        let turns = Turns::default();
        let parts = Arc::new(Parts { hub, store, spool, writer, gate, following, extensions, turns });
        tokio::spawn(outage::drain(Arc::downgrade(&parts)));
        tokio::spawn(rounds::keep(Arc::downgrade(&parts), occupancy));
        Ok(Self(parts))
    }

    /// Changes a user's settings; an operation that was done before only answers again. When this returns, no frame
    /// encoded from now on shows what was hidden.
    ///
    /// Changes of one user are made in the order of these calls, whenever what they return is awaited.
    ///
    /// # Errors
    /// Where nothing was changed. [`OperationError::Broken`], [`OperationError::Gone`] and
    /// [`StoreError::Unavailable`] leave it open: asked again under the same name, it is done once.
    pub fn change_settings<P: Into<Principal>>(
        &self,
        principal: P,
        patch: SettingsPatch,
        operation: Option<OperationId>,
    ) -> impl Future<Output = Result<Changed, OperationError>> + Send + use<P> {
        let this = self.0.clone();
        let Principal { user, by_back_end } = principal.into();
        let turn = this.turns.queue(user);
        uncancelled(async move {
            // With a name, a change whose outcome is not known can be made again.
            let operation = operation.unwrap_or_else(|| OperationId(Uuid::new_v4()));
            let at = this.hub.clock().now().wall;
            let named = Some(operation);
            let change = SettingsChange {
                user,
                by_back_end,
                patch,
                operation: named,
                at,
                tightens: false,
                belated: false,
            };
            this.change(change, operation, turn).await
        })
    }

    /// Changes the directory, all or nothing. When this returns, every live view shows it or is about to.
    ///
    /// # Errors
    /// As [`Operations::change_settings`].
    pub async fn change_directory(
        &self,
        changes: Vec<DirectoryChange>,
        actor: Actor,
    ) -> Result<(), OperationError> {
        let this = self.0.clone();
        uncancelled(async move {
            let at = this.hub.clock().now().wall;
            let removed = erase::removed(&changes);
            this.store.change_directory(changes, at, actor).await?;
            this.following.caught_up(DIRECTORY_SHOWN_WITHIN).await;
            this.forget_removed(removed).await;
            Ok(())
        })
        .await
    }

    /// Changes that wait for the store, on the hub's disk.
    #[must_use]
    pub fn spooled(&self) -> usize {
        self.0.spool.len()
    }

    /// Operations that wait to be heard by the follower, of at most 1,024.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.following.waiting()
    }

    /// Whether the store could be read when it was asked last.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.0.following.is_healthy()
    }
}

impl Parts {
    async fn change(
        self: &Arc<Self>,
        change: SettingsChange,
        operation: OperationId,
        mut turn: Turn,
    ) -> Result<Changed, OperationError> {
        let asked = Instant::now();
        let healthy = self.following.is_healthy();
        let until = asked + if healthy { COMMITTED_WITHIN } else { COMMITTED_WITHIN_AN_OUTAGE };
        if timeout_at(until, turn.come()).await.is_err() {
            // Not begun, and not to be: the turn is given up when this one is spooled or refused.
            return self.without_store(change, operation, late()).await;
        }
        let tightens = self.tightens(&change).await?;
        let change = SettingsChange { tightens, ..change };
        match timeout_at(until, self.begin_commit(change.clone(), turn)).await {
            Ok((Ok(settings), _turn)) => {
                self.show(&change, operation, ANSWERED_WITHIN.saturating_sub(asked.elapsed())).await?;
                Ok(Changed { settings, kept: Kept::Durably })
            }
            Ok((Err(error), _turn)) if error.is_retryable() => {
                self.without_store(change, operation, error).await
            }
            Ok((Err(error), _turn)) => Err(error.into()),
            Err(_) => self.without_store(change, operation, late()).await,
        }
    }

    /// Commits in a task of its own, which has the turn until the store is done, however long its caller waits: nobody
    /// comes in between, and what follows a commit is not left out.
    async fn begin_commit(
        self: &Arc<Self>,
        change: SettingsChange,
        turn: Turn,
    ) -> (Result<Settings, StoreError>, Option<Turn>) {
        let this = self.clone();
        let task = tokio::spawn(async move { (this.commit(&change).await, Some(turn)) }.in_current_span());
        task.await.unwrap_or_else(|broken| (Err(StoreError::Unavailable(Box::new(broken))), None))
    }

    /// Whether a change only hides, by what is in force now.
    async fn tightens(&self, change: &SettingsChange) -> Result<bool, Gone> {
        let before = self.hub.settings_of(change.user).await?;
        Ok(before.is_some_and(|before| change.patch.tightens(&before)))
    }

    /// Commits a change, after those of the same user that wait in the spool.
    async fn commit(self: &Arc<Self>, change: &SettingsChange) -> Result<Settings, StoreError> {
        for earlier in self.spool.waiting_of(change.user) {
            // Whatever is in the way of the earlier one is no answer to this one.
            let committed = self.commit_spooled(earlier).await;
            committed.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        }
        self.store.change_settings(change.clone()).await
    }

    /// What was committed is shown before it is acknowledged.
    async fn show(
        self: &Arc<Self>,
        change: &SettingsChange,
        operation: OperationId,
        patience: Duration,
    ) -> Result<(), Gone> {
        if !self.following.read_again(change.user, patience).await {
            self.veil(change, operation).await?;
            tokio::spawn(unveil(Arc::downgrade(self), change.user, operation));
        }
        Ok(())
    }
}

fn late() -> StoreError {
    StoreError::Unavailable("no answer in time".into())
}

/// Runs to its end, from now on, whatever becomes of the caller.
fn uncancelled<T: Send + 'static>(
    work: impl Future<Output = Result<T, OperationError>> + Send + 'static,
) -> impl Future<Output = Result<T, OperationError>> + Send {
    let task = tokio::spawn(work.in_current_span());
    async { task.await.unwrap_or(Err(OperationError::Broken)) }
}

#[cfg(test)]
mod tests;
