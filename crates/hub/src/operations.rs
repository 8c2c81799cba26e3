//! Durable operations: committed first, then shown, then acknowledged, in one order for all.
//!
//! Each runs in a task of its own that no disconnect can cancel. One lock orders commit and showing, so that the
//! heart ends with what the store ends with.

use std::{future::Future, sync::Arc};

use model::{DirectoryChange, Settings, SettingsPatch, UserId};
use persistence::{Actor, DirectoryEffect, OperationId, SettingsChange, SettingsOutcome, Store, StoreError};
use presence::Input;
use tokio::sync::Mutex;

use crate::{Gone, Hub};

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

/// The durable operations of a hub.
#[derive(Clone)]
pub struct Operations {
    hub: Hub,
    store: Arc<dyn Store>,
    order: Arc<Mutex<()>>,
}

impl Operations {
    /// Operations on `store`, shown through `hub`.
    #[must_use]
    pub fn new(hub: Hub, store: Arc<dyn Store>) -> Self {
        Self { hub, store, order: Arc::default() }
    }

    /// Loads the whole directory into the heart. What was never loaded is hidden.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn load(&self) -> Result<(), OperationError> {
        let _ordered = self.order.lock().await;
        let snapshot = self.store.load().await?;
        for (user, facts) in snapshot.users {
            self.hub.send(Input::Facts { user, facts: Some(facts) }).await?;
        }
        for (account, facts) in snapshot.accounts {
            self.hub.send(Input::Account { account, facts: Some(facts) }).await?;
        }
        Ok(self.hub.barrier().await?)
    }

    /// Changes a user's settings; an operation that was done before only answers again. When this returns, no frame
    /// encoded from now on shows what was hidden.
    ///
    /// # Errors
    /// Where nothing was changed; [`OperationError::Broken`] and [`OperationError::Gone`] leave it open.
    pub async fn change_settings(
        &self,
        user: UserId,
        patch: SettingsPatch,
        operation: Option<OperationId>,
    ) -> Result<Settings, OperationError> {
        let this = self.clone();
        uncancelled(async move {
            let _ordered = this.order.lock().await;
            let at = this.hub.clock().now().wall;
            let change = SettingsChange { user, patch, operation, at };
            let SettingsOutcome { result, in_force } = this.store.change_settings(change).await?;
            // Not the result: of an operation that was done before it may be one that later changes hid.
            this.hub.send(Input::Settings { user, settings: in_force }).await?;
            this.hub.barrier().await?;
            Ok(result)
        })
        .await
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
        let this = self.clone();
        uncancelled(async move {
            let _ordered = this.order.lock().await;
            let at = this.hub.clock().now().wall;
            let effect = this.store.change_directory(changes, at, actor).await?;
            this.show(effect).await?;
            Ok(this.hub.barrier().await?)
        })
        .await
    }

    async fn show(&self, effect: DirectoryEffect) -> Result<(), Gone> {
        for (user, facts) in effect.users {
            self.hub.send(Input::Facts { user, facts }).await?;
        }
        for (account, facts) in effect.accounts {
            self.hub.send(Input::Account { account, facts }).await?;
        }
        Ok(())
    }
}

/// Runs to its end, whatever becomes of the caller.
async fn uncancelled<T: Send + 'static>(
    work: impl Future<Output = Result<T, OperationError>> + Send + 'static,
) -> Result<T, OperationError> {
    tokio::spawn(work).await.unwrap_or(Err(OperationError::Broken))
}
