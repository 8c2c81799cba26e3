//! Without the store: what hides is in force at once and kept on disk, and is committed when the store is back.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    time::Duration,
};

use model::{Kept, SettingsPatch, UserId, Visibility};
use persistence::{OperationId, SettingsChange, Spool, SpoolError, StoreError};
use presence::Input;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{Changed, OperationError, Parts};
use crate::{Gone, veil::Gate};

/// Between two attempts to commit what waits.
const DRAIN_INTERVAL: Duration = Duration::from_millis(500);
/// How long the turn of one user is waited for.
const TURN_WITHIN: Duration = Duration::from_millis(50);
/// Makes of a name that is taken another one, always the same.
const ANOTHER_NAME: u128 = 0x6265_6c61_7465_645f_7365_7474_696e_6773;
/// How long one look at the store may take that nobody waits for.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// After a restart nobody knows any more what the change narrowed: until it is committed, its user is hidden.
pub(super) async fn hide_waiting(gate: &Gate, spool: &Spool) {
    let mut veils = gate.lock().await;
    for SettingsChange { user, operation, .. } in spool.waiting() {
        let nobody = SettingsPatch { visibility: Some(Visibility::Nobody), ..SettingsPatch::default() };
        if let Some(operation) = operation {
            veils.put(user, operation, nobody);
        }
    }
}

/// Commits what waits in the spool, whenever there is something and the store answers. Ends with the operations.
pub(super) async fn drain(parts: Weak<Parts>) {
    while let Some(parts) = parts.upgrade() {
        parts.commit_waiting().await;
        drop(parts);
        sleep(DRAIN_INTERVAL).await;
    }
}

impl Parts {
    /// One attempt at each, in the turn of its user, and without waiting for a user whose turn does not come.
    pub(super) async fn commit_waiting(self: &Arc<Self>) {
        let users: BTreeSet<UserId> = self.spool.waiting().iter().map(|change| change.user).collect();
        for user in users {
            let mut turn = self.turns.queue(user);
            if timeout(TURN_WITHIN, turn.come()).await.is_err() {
                continue;
            }
            for change in self.spool.waiting_of(user) {
                if let Err(error) = self.commit_spooled(change).await {
                    tracing::debug!(%error, "a spooled change waits on");
                    // Out of reach for one, it is out of reach for all: the next attempt comes soon.
                    if !self.following.is_healthy() {
                        return;
                    }
                    break;
                }
            }
        }
    }

    /// What to do with a change that the store did not take.
    pub(super) async fn without_store(
        self: &Arc<Self>,
        change: SettingsChange,
        operation: OperationId,
        error: StoreError,
    ) -> Result<Changed, OperationError> {
        if !self.tightens(&change).await? {
            return Err(error.into());
        }
        match self.spool.put(change.clone()).await {
            Ok(()) => tracing::warn!(%error, "a change that hides is in force and waits in the spool"),
            Err(SpoolError::Conflict) => return Err(StoreError::OperationConflict.into()),
            Err(full) => {
                metrics::counter!("presence_hub_spool_refusals_total").increment(1);
                tracing::error!(error = %full, "a change that hides could not be spooled; it is refused");
                return Err(error.into());
            }
        }
        self.veil(&change, operation).await?;
        // Committed in between, it has been unveiled before there was a veil.
        if !self.spool.holds(change.user, operation) {
            tokio::spawn(unveil(Arc::downgrade(self), change.user, operation));
        }
        let settings = self.hub.settings_of(change.user).await?.ok_or(StoreError::UnknownUser)?;
        Ok(Changed { settings, kept: Kept::Spooled })
    }

    /// Puts a change in force ahead of the store. When this returns, no frame encoded from now on shows what it hides.
    pub(super) async fn veil(&self, change: &SettingsChange, operation: OperationId) -> Result<(), Gone> {
        let mut veils = self.gate.lock().await;
        veils.put(change.user, operation, change.patch.clone());
        if let Some(shown) = self.hub.settings_of(change.user).await? {
            let settings = veils.over(change.user, shown);
            self.hub.send(Input::Settings { user: change.user, settings }).await?;
        }
        drop(veils);
        self.hub.barrier().await
    }

    /// Commits one change of the spool; then the spool and the veil are rid of it. What cannot be committed now goes on
    /// waiting, and hiding: only a user who is not there any more has nothing to hide.
    pub(super) async fn commit_spooled(self: &Arc<Self>, change: SettingsChange) -> Result<(), StoreError> {
        let (user, Some(operation)) = (change.user, change.operation) else { return Ok(()) };
        let change = SettingsChange { at: self.hub.clock().now().wall, ..change };
        let committed = match self.store.change_settings(change.clone()).await {
            // The name was used for something else, before the outage: nobody could know when this was acknowledged.
            Err(StoreError::OperationConflict) => {
                let operation = Some(OperationId(Uuid::from_u128(operation.0.as_u128() ^ ANOTHER_NAME)));
                self.store.change_settings(SettingsChange { operation, ..change }).await
            }
            committed => committed,
        };
        match committed {
            Ok(_) => tracing::info!("a spooled change was committed"),
            Err(StoreError::UnknownUser) => tracing::warn!("a spooled change is of a user who is gone"),
            Err(error) => return Err(error),
        }
        self.spool.remove(user, operation).await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        tokio::spawn(unveil(Arc::downgrade(self), user, operation));
        Ok(())
    }
}

/// Takes a veil away and shows what the store says, as soon as it can be read. Ends with the operations.
pub(super) async fn unveil(parts: Weak<Parts>, user: UserId, operation: OperationId) {
    // First read, so that the veil is not gone before what it stands for has arrived.
    loop {
        let Some(parts) = parts.upgrade() else { return };
        if parts.following.read_again(user, READ_WITHIN).await {
            if parts.gate.lock().await.lift(user, operation) {
                parts.following.read_again(user, READ_WITHIN).await;
            }
            return;
        }
        drop(parts);
        sleep(DRAIN_INTERVAL).await;
    }
}
