//! Where the follower is in its round over everything: which page comes next, and whether it is in a hurry.

use std::time::Duration;

use model::{AccountId, UserId};
use persistence::PAGE;
use tokio::time::Instant;

/// The page to be read next: those after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Users(Option<UserId>),
    Accounts(Option<AccountId>),
}

#[derive(Debug)]
pub(super) struct Sweep {
    interval: Duration,
    /// `None`: this round is over.
    next: Option<Part>,
    began: Instant,
    urgent: bool,
    /// Somebody was in a hurry while a round was under way: what it has read already is read again.
    once_more: bool,
}

impl Sweep {
    /// A first round, in a hurry.
    pub(super) fn begin(interval: Duration) -> Self {
        let next = Some(Part::Users(None));
        Self { interval, next, began: Instant::now(), urgent: true, once_more: false }
    }

    /// Something may have been missed: everything is read again without a pause.
    pub(super) fn hurry(&mut self) {
        if self.urgent {
            self.once_more = true;
        } else {
            self.start(true);
        }
    }

    pub(super) fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// What to read now, if anything.
    pub(super) fn due(&mut self) -> Option<Part> {
        if self.next.is_none() && self.began.elapsed() >= self.interval {
            self.start(false);
        }
        self.next
    }

    pub(super) fn users_read(&mut self, page: &[UserId]) {
        let more = page.last().filter(|_| page.len() >= PAGE);
        self.next = Some(more.map_or(Part::Accounts(None), |last| Part::Users(Some(*last))));
    }

    pub(super) fn accounts_read(&mut self, page: &[AccountId]) {
        match page.last().filter(|_| page.len() >= PAGE) {
            Some(last) => self.next = Some(Part::Accounts(Some(*last))),
            None if std::mem::take(&mut self.once_more) => self.start(true),
            None => (self.next, self.urgent) = (None, false),
        }
    }

    fn start(&mut self, urgent: bool) {
        (self.next, self.began, self.urgent) = (Some(Part::Users(None)), Instant::now(), urgent);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn users(from: u128, count: usize) -> Vec<UserId> {
        (from..from + count as u128).map(|n| UserId(Uuid::from_u128(n))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn users_then_accounts_then_rest_until_the_next_round() {
        let mut sweep = Sweep::begin(MINUTE);
        assert_eq!(sweep.due(), Some(Part::Users(None)));
        let page = users(0, PAGE);
        sweep.users_read(&page);
        assert_eq!(sweep.due(), Some(Part::Users(page.last().copied())));
        sweep.users_read(&users(5_000, PAGE - 1));
        assert_eq!(sweep.due(), Some(Part::Accounts(None)));
        assert!(sweep.is_urgent());
        sweep.accounts_read(&[]);
        assert!(sweep.due().is_none() && !sweep.is_urgent());
        tokio::time::advance(MINUTE).await;
        assert_eq!(sweep.due(), Some(Part::Users(None)));
        assert!(!sweep.is_urgent(), "the slow round");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hurry_within_a_hurry_is_one_more_round() {
        let mut sweep = Sweep::begin(MINUTE);
        sweep.users_read(&[]);
        sweep.hurry();
        sweep.hurry();
        sweep.accounts_read(&[]);
        assert_eq!((sweep.due(), sweep.is_urgent()), (Some(Part::Users(None)), true));
        sweep.users_read(&[]);
        sweep.accounts_read(&[]);
        assert_eq!((sweep.due(), sweep.is_urgent()), (None, false));
        sweep.hurry();
        assert_eq!((sweep.due(), sweep.is_urgent()), (Some(Part::Users(None)), true));
    }
}
