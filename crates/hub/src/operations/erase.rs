//! Erasing a person: out of the database, out of the heart, out of what waits to be written.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use model::{DirectoryChange, SettingsPatch, UserId, Visibility};
use persistence::{OperationId, SettingsChange, StoreError};
use presence::Input;
use tokio::time::timeout;
use uuid::Uuid;

use super::{ANSWERED_WITHIN, OperationError, Operations, Parts, late, outage::unveil, uncancelled};

/// How long the turn of the user is waited for: a change of settings under way has its own deadline within it.
const TURN_WITHIN: Duration = Duration::from_secs(2);

impl Operations {
    /// Erases all that is kept about a user, ends their sessions and hides them until they choose otherwise. When this
    /// returns, nothing is left in the database, in memory, in a batch under way or on the hub's disk, and nothing noted
    /// before comes back; archives are cleaned by a job that the database remembers.
    ///
    /// # Errors
    /// Where it was not done, or not wholly: asked again, it is finished. What was committed of it holds.
    pub async fn erase(&self, user: UserId) -> Result<(), OperationError> {
        let this = self.0.clone();
        let mut turn = this.turns.queue(user);
        uncancelled(async move {
            timeout(TURN_WITHIN, turn.come()).await.map_err(|_| late())?;
            this.erase(user).await
        })
        .await
    }
}

impl Parts {
    /// From the first commit on, no hub writes anything of this person, so what is left to do here may take its time.
    async fn erase(self: &Arc<Self>, user: UserId) -> Result<(), OperationError> {
        self.store.erase(user, self.hub.clock().now().wall).await?;
        self.forget_spooled(user).await?;
        self.hide(user).await?;
        // Whoever was erased before, and has come back in the meantime, is not told of by the facts again.
        self.hub.send(Input::SignOutUser { user }).await?;
        self.hub.barrier().await?;
        Ok(self.forget_unwritten([user].into()).await?)
    }

    /// Nobody sees them from now on, whether the store can be read back or not.
    async fn hide(self: &Arc<Self>, user: UserId) -> Result<(), OperationError> {
        if self.following.read_again(user, ANSWERED_WITHIN).await {
            return Ok(());
        }
        let operation = OperationId(Uuid::new_v4());
        let nobody = SettingsPatch { visibility: Some(Visibility::Nobody), ..SettingsPatch::default() };
        let at = self.hub.clock().now().wall;
        let named = Some(operation);
        let change = SettingsChange {
            user,
            by_back_end: false,
            patch: nobody,
            operation: named,
            at,
            tightens: true,
            belated: false,
        };
        self.veil(&change, operation).await?;
        tokio::spawn(unveil(Arc::downgrade(self), user, operation));
        Ok(())
    }

    /// Changes that wait for the store were made before they were to be forgotten.
    async fn forget_spooled(self: &Arc<Self>, user: UserId) -> Result<(), StoreError> {
        for change in self.spool.waiting_of(user) {
            let Some(operation) = change.operation else { continue };
            let removed = self.spool.remove(user, operation).await;
            removed.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
            self.gate.lock().await.lift(user, operation);
        }
        Ok(())
    }

    async fn forget_unwritten(&self, users: BTreeSet<UserId>) -> Result<(), StoreError> {
        self.writer.forget(users).await.map_err(|error| StoreError::Unavailable(Box::new(error)))
    }

    /// The same for those whom the directory has dropped.
    pub(super) async fn forget_removed(&self, removed: BTreeSet<UserId>) {
        if let Err(error) = self.forget_unwritten(removed).await {
            tracing::error!(%error, "what waits of removed users is still on the hub's disk; the database will not take it");
        }
    }
}

/// Whom these changes remove.
pub(super) fn removed(changes: &[DirectoryChange]) -> BTreeSet<UserId> {
    let removed = changes.iter().filter_map(|change| match change {
        DirectoryChange::RemoveUser { id } => Some(*id),
        _ => None,
    });
    removed.collect()
}

#[cfg(test)]
mod tests;
