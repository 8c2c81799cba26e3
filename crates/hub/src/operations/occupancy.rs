//! Codes and clock-ins: committed, then shown, then acknowledged.

use std::{future::Future, sync::Arc};

use model::{
    AccountId, Activity, ActivityType, ClockOutReason, Hold, MetadataKey, MetadataValue, OrganizationId,
    UserId,
};
use persistence::{
    AccessCode, ClockIn, ClockedIn, Ended, ForceClear, Minted, NewCode, OperationId, Revocation, Store,
    StoreError,
};
use presence::Input;
use tokio::time::{Instant, timeout_at};

use super::{ANSWERED_WITHIN, COMMITTED_WITHIN, OperationError, Operations, Parts, late, uncancelled};
use crate::Extensions;

impl Operations {
    /// The extensions that are connected.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// Makes an access code. See [`persistence::Occupancies::mint_code`], also for the errors; so of all that follow.
    ///
    /// # Errors
    /// Those of the store; [`StoreError::Unavailable`] leaves it open whether it was done: asked again under the same
    /// name, it is done once.
    pub async fn mint_code(&self, code: NewCode) -> Result<Minted, OperationError> {
        self.durably(async move |store| store.mint_code(code).await).await
    }

    /// The codes of an organization.
    ///
    /// # Errors
    /// As [`Operations::mint_code`].
    pub async fn access_codes(
        &self,
        by: UserId,
        organization: OrganizationId,
    ) -> Result<Vec<AccessCode>, OperationError> {
        self.durably(async move |store| store.access_codes(by, organization).await).await
    }

    /// Ends an access code, and the hold of its assistant where that is asked for.
    ///
    /// # Errors
    /// As [`Operations::mint_code`].
    pub async fn revoke_code(&self, revocation: Revocation) -> Result<Option<Ended>, OperationError> {
        self.change_holds(
            async move |store| store.revoke_code(revocation).await,
            |ended| {
                ended.iter().flat_map(|ended| happened_once(*ended, ClockOutReason::CodeRevoked)).collect()
            },
        )
        .await
    }

    /// Clocks in or moves, by code. When this returns, every live view of this hub shows it or is about to.
    ///
    /// # Errors
    /// As [`Operations::mint_code`].
    pub async fn clock_in(&self, clock_in: ClockIn) -> Result<ClockedIn, OperationError> {
        self.change_holds(async move |store| store.clock_in(clock_in).await, arrived).await
    }

    /// Moves from a hold to another account.
    ///
    /// # Errors
    /// As [`Operations::mint_code`].
    pub async fn change_account(
        &self,
        hold: Hold,
        to: AccountId,
        operation: Option<OperationId>,
    ) -> Result<ClockedIn, OperationError> {
        self.change_holds(async move |store| store.change_account(hold, to, operation).await, arrived).await
    }

    /// Clocks out.
    ///
    /// # Errors
    /// As [`Operations::mint_code`].
    pub async fn clock_out(
        &self,
        hold: Hold,
        operation: Option<OperationId>,
    ) -> Result<Ended, OperationError> {
        self.change_holds(
            async move |store| store.clock_out(hold, operation).await,
            |ended| happened_once(*ended, ClockOutReason::ClockedOut),
        )
        .await
    }

    /// Ends the hold of an account.
    ///
    /// # Errors
    /// As [`Operations::mint_code`].
    pub async fn force_clear(&self, clear: ForceClear) -> Result<Ended, OperationError> {
        self.change_holds(
            async move |store| store.force_clear(clear).await,
            |ended| happened_once(*ended, ClockOutReason::ForceCleared),
        )
        .await
    }

    /// Whether a hold lasts: an extension comes back. Where it is not there for its user, the hub knows by then whether it
    /// is over or they may not sign in.
    ///
    /// # Errors
    /// As [`Operations::mint_code`].
    pub async fn find_hold(&self, hold: Hold) -> Result<ClockedIn, OperationError> {
        let found = self.durably(async move |store| store.find_hold(hold).await).await;
        if matches!(found, Err(OperationError::Store(StoreError::NotHeld))) {
            self.0.following.read_again(hold.user, ANSWERED_WITHIN).await;
        }
        found
    }

    /// Commits a change of holds, waits until it is shown, and logs what `happened`.
    async fn change_holds<T, W, F>(
        &self,
        work: W,
        happened: impl FnOnce(&T) -> Vec<Happened> + Send + 'static,
    ) -> Result<T, OperationError>
    where
        T: Send + Sync + 'static,
        W: FnOnce(Arc<dyn Store>) -> F + Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (this, asked) = (self.0.clone(), Instant::now());
        let committing = self.durably(work);
        uncancelled(async move {
            let done = committing.await?;
            // What cannot be shown yet is committed all the same, and shown when the store can be read.
            this.following.caught_up(ANSWERED_WITHIN.saturating_sub(asked.elapsed())).await;
            for happened in happened(&done) {
                this.log_happened(happened).await;
            }
            Ok(done)
        })
        .await
    }

    /// Runs to its end whatever becomes of the caller, who waits no longer than [`COMMITTED_WITHIN`].
    fn durably<T, W, F>(
        &self,
        work: W,
    ) -> impl Future<Output = Result<T, OperationError>> + Send + use<T, W, F>
    where
        T: Send + 'static,
        W: FnOnce(Arc<dyn Store>) -> F + Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let until = Instant::now() + COMMITTED_WITHIN;
        let store = self.0.store.clone();
        let done = uncancelled(async move { Ok(work(store).await?) });
        async move { timeout_at(until, done).await.unwrap_or_else(|_| Err(late().into())) }
    }
}

/// What the log of an organization is told that keeps one.
struct Happened {
    hold: Hold,
    kind: ActivityType,
    reason: Option<ClockOutReason>,
}

impl Happened {
    fn ended(hold: Hold, reason: ClockOutReason) -> Self {
        Self { hold, kind: ActivityType::ClockOut, reason: Some(reason) }
    }
}

/// What ended by this call. What an earlier one did under the same name is not told again.
fn happened_once(ended: Ended, reason: ClockOutReason) -> Vec<Happened> {
    ended.new.then(|| Happened::ended(ended.hold, reason)).into_iter().collect()
}

/// What a clock-in was. One that was made before is not told again.
fn arrived(clocked_in: &ClockedIn) -> Vec<Happened> {
    if !clocked_in.new {
        return Vec::new();
    }
    let hold = clocked_in.hold;
    let left = clocked_in.left.map(|_| Happened::ended(hold, ClockOutReason::Moved));
    left.into_iter().chain([Happened { hold, kind: ActivityType::ClockIn, reason: None }]).collect()
}

impl Parts {
    pub(super) async fn log_clock_out(&self, hold: Hold, reason: ClockOutReason) {
        self.log_happened(Happened::ended(hold, reason)).await;
    }

    /// Whether it may be logged, the heart decides.
    async fn log_happened(&self, happened: Happened) {
        let Happened { hold, kind, reason } = happened;
        let mut activity = Activity::of(kind);
        activity.organization = Some(hold.organization);
        let reason = reason.map(|reason| (MetadataKey::Reason, MetadataValue::Text(reason.name().into())));
        activity.metadata = reason.into_iter().collect();
        // Gone: nothing is logged any more.
        let _ = self.hub.send(Input::RestActivity { user: hold.user, activity }).await;
    }
}
