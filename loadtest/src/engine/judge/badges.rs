//! What members were shown of the accounts of an agency: which of them are occupied, and nothing else.

use std::ops::Range;

use crate::world::agency::Account;

/// What each view shows.
#[derive(Clone, Debug)]
pub(super) struct Badges {
    /// Which accounts there are to be shown changes of; of the others members are told once.
    free: Range<Account>,
    /// By view and account, whether it is shown as occupied; empty: that view may show no account.
    shown: Vec<Vec<bool>>,
}

/// What must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Shown to somebody who may not see it, or with more than may be seen.
    Forbidden,
    /// A change that was none for this viewer.
    Nothing,
}

impl Badges {
    /// Nothing is shown yet. `watches`: by view, whether it may show `accounts`, of which those that are `free` change.
    pub(super) fn new(accounts: u32, free: Range<Account>, watches: impl Iterator<Item = bool>) -> Self {
        let accounts = accounts as usize;
        let shown = watches.map(|watches| if watches { vec![false; accounts] } else { Vec::new() });
        Self { free, shown: shown.collect() }
    }

    /// An account is shown as occupied; `bare`: with nothing beside it.
    pub(super) fn occupied(&mut self, view: usize, account: Account, bare: bool) -> Result<(), Wrong> {
        let slot = self.slot(view, account)?;
        if !bare {
            return Err(Wrong::Forbidden);
        }
        // To a member all occupied accounts are alike: to be told again means that something else has changed.
        if std::mem::replace(slot, true) { Err(Wrong::Nothing) } else { Ok(()) }
    }

    /// An account is shown no more.
    pub(super) fn freed(&mut self, view: usize, account: Account) -> Result<(), Wrong> {
        let may_be = self.free.contains(&account);
        let slot = self.slot(view, account)?;
        let was = std::mem::replace(slot, false);
        if was && may_be { Ok(()) } else { Err(Wrong::Nothing) }
    }

    fn slot(&mut self, view: usize, account: Account) -> Result<&mut bool, Wrong> {
        self.shown[view].get_mut(account as usize).ok_or(Wrong::Forbidden)
    }

    /// How many accounts are shown as they are, and how many there are to be shown, over all views.
    pub(super) fn right(&self, is_held: impl Fn(Account) -> bool) -> (u64, u64) {
        let all = self.shown.iter().flat_map(|shown| (0..).zip(shown));
        all.fold((0, 0), |(right, all), (account, shown)| {
            (right + u64::from(*shown == is_held(account)), all + 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first view is a member's; of three accounts the first is held by somebody who stays.
    fn badges() -> Badges {
        Badges::new(3, 1..3, [true, false].into_iter())
    }

    #[test]
    fn each_change_is_told_once() {
        let mut badges = badges();
        assert_eq!(badges.occupied(0, 1, true), Ok(()));
        assert_eq!(badges.occupied(0, 1, true), Err(Wrong::Nothing));
        assert_eq!(badges.freed(0, 1), Ok(()));
        assert_eq!(badges.freed(0, 1), Err(Wrong::Nothing));
    }

    #[test]
    fn who_stays_never_leaves() {
        let mut badges = badges();
        badges.occupied(0, 0, true).unwrap();
        assert_eq!(badges.freed(0, 0), Err(Wrong::Nothing));
    }

    #[test]
    fn more_than_the_one_fact_and_accounts_of_others_are_forbidden() {
        let mut badges = badges();
        assert_eq!(badges.occupied(0, 1, false), Err(Wrong::Forbidden));
        assert_eq!(badges.occupied(1, 1, true), Err(Wrong::Forbidden));
        assert_eq!(badges.occupied(0, 3, true), Err(Wrong::Forbidden));
    }

    #[test]
    fn what_is_shown_is_held_against_what_is() {
        let mut badges = badges();
        badges.occupied(0, 1, true).unwrap();
        assert_eq!(badges.right(|account| account < 2), (2, 3));
    }
}
