//! Waiting for the follower: until what was committed is shown.

use std::time::Duration;

use model::UserId;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

/// Somebody waits for a round that begins after they asked.
pub(super) struct Ask {
    /// To be read again, whether or not the store says that they changed.
    pub(super) again: Option<UserId>,
    done: oneshot::Sender<()>,
}

impl Ask {
    pub(super) fn answer(self) {
        // Nobody waits any more where the receiver is gone.
        let _ = self.done.send(());
    }
}

/// A handle on a follower. The follower ends with the last of them.
#[derive(Clone)]
pub(crate) struct Following {
    pub(super) asking: mpsc::Sender<Ask>,
    pub(super) health: watch::Receiver<bool>,
}

impl Following {
    /// Whether everything that was committed before is in the heart now. `false`: the store could not be read, or not
    /// within `patience`; it will be shown when it can.
    pub(crate) async fn caught_up(&self, patience: Duration) -> bool {
        self.ask(None, patience).await
    }

    /// As [`Following::caught_up`], and the user was read again in any case.
    pub(crate) async fn read_again(&self, user: UserId, patience: Duration) -> bool {
        self.ask(Some(user), patience).await
    }

    async fn ask(&self, again: Option<UserId>, patience: Duration) -> bool {
        let asked = async {
            let (done, answered) = oneshot::channel();
            self.asking.send(Ask { again, done }).await.ok()?;
            answered.await.ok()
        };
        matches!(timeout(patience, asked).await, Ok(Some(())))
    }

    /// How many wait to be heard.
    pub(crate) fn waiting(&self) -> usize {
        self.asking.max_capacity() - self.asking.capacity()
    }

    /// Whether the last round was finished.
    pub(crate) fn is_healthy(&self) -> bool {
        *self.health.borrow()
    }
}
