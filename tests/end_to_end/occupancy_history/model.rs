//! What an agency may come to, one call after the other: the specification that histories are held against.

use std::fmt;

use model::ErrorCode;

/// An assistant, by number.
pub(crate) type Assistant = usize;
/// An account, by number.
pub(crate) type Account = usize;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// By code: clocks in, moves, or stays.
    ClockIn { who: Assistant, account: Account },
    /// Of the hold that is named.
    ClockOut { who: Assistant, account: Account, epoch: u64 },
    /// By the owner; of this holder, or of whoever it is.
    Clear { account: Account, holder: Option<Assistant> },
    /// Ends the code of an assistant, and their hold where that is asked for.
    Revoke { who: Assistant, clock_out: bool },
    /// Who is where, as a hub shows it to the owner.
    Look,
    /// The same by SQL, with epochs.
    Read,
}

impl Call {
    /// Whether it changes nothing, and is of what a hub has been told.
    pub(crate) fn is_look(&self) -> bool {
        matches!(self, Self::Look)
    }
}

/// Who is in an account, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) who: Assistant,
    /// `None`: not told.
    pub(crate) epoch: Option<u64>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.epoch {
            Some(epoch) => write!(f, "{}@{epoch}", self.who),
            None => write!(f, "{}", self.who),
        }
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Clocked in, as this hold.
    In { epoch: u64 },
    /// A hold was ended.
    Ended,
    /// A code was revoked; whether a hold ended with it.
    Revoked { ended: bool },
    /// Nothing was done, and why.
    Refused(ErrorCode),
    /// Who is in each account.
    Shown(Vec<Option<Held>>),
    /// Whether it was done is not known.
    Open,
}

/// Who holds what, and which codes are good.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    held: Vec<Option<Held>>,
    /// The last epoch of each account that was told.
    last: Vec<u64>,
    revoked: Vec<bool>,
}

impl State {
    /// Everything free, every code good.
    pub(crate) fn free(assistants: usize, accounts: usize) -> Self {
        Self { held: vec![None; accounts], last: vec![0; accounts], revoked: vec![false; assistants] }
    }

    /// What it is after a call that was answered so; `None`: here it cannot be answered so.
    pub(crate) fn after(&self, call: &Call, answer: &Answer) -> Option<Self> {
        match (call, answer) {
            (_, Answer::Open) => Some(self.after_unanswered(call)),
            (Call::ClockIn { who, account }, Answer::In { epoch }) => self.come(*who, *account, *epoch),
            (Call::ClockIn { who, account }, Answer::Refused(ErrorCode::InvalidCode)) => {
                (self.revoked[*who] && *account < self.held.len()).then(|| self.clone())
            }
            (Call::ClockIn { who, account }, Answer::Refused(ErrorCode::Occupied)) => {
                let is_right = !self.revoked[*who] && self.is_held_by_another(*who, *account);
                is_right.then(|| self.clone())
            }
            (Call::ClockOut { who, account, epoch }, Answer::Ended) => {
                self.held[*account].filter(|held| self.is_hold(*held, *account, *who, *epoch))?;
                Some(self.without(*account).told(*account, *epoch))
            }
            (Call::ClockOut { who, account, epoch }, Answer::Refused(ErrorCode::NotHeld)) => {
                let named = Held { who: *who, epoch: Some(*epoch) };
                (self.held[*account] != Some(named)).then(|| self.clone())
            }
            (Call::Clear { account, holder }, Answer::Ended) => {
                self.is_meant(*account, *holder).then(|| self.without(*account))
            }
            (Call::Clear { account, holder }, Answer::Refused(ErrorCode::NotHeld)) => {
                (!self.is_meant(*account, *holder)).then(|| self.clone())
            }
            (Call::Revoke { who, clock_out }, Answer::Revoked { ended }) => {
                let after = self.after_unanswered(call);
                (*ended == (*clock_out && self.account_of(*who).is_some())).then_some(after)
            }
            (Call::Look | Call::Read, Answer::Shown(shown)) => self.shown(shown),
            _ => None,
        }
    }

    /// What a call does here, whatever is answered: the epochs it makes are not known.
    fn after_unanswered(&self, call: &Call) -> Self {
        match call {
            Call::ClockIn { who, account } => {
                let is_done = !self.revoked[*who]
                    && self.account_of(*who) != Some(*account)
                    && !self.is_held_by_another(*who, *account);
                if is_done { self.moved(*who, *account, None) } else { self.clone() }
            }
            Call::ClockOut { who, account, epoch } => {
                let held = self.held[*account].filter(|held| self.is_hold(*held, *account, *who, *epoch));
                if held.is_some() { self.without(*account) } else { self.clone() }
            }
            Call::Clear { account, holder } if self.is_meant(*account, *holder) => self.without(*account),
            Call::Revoke { who, clock_out } => {
                let mut after = match self.account_of(*who) {
                    Some(account) if *clock_out => self.without(account),
                    _ => self.clone(),
                };
                after.revoked[*who] = true;
                after
            }
            Call::Clear { .. } | Call::Look | Call::Read => self.clone(),
        }
    }

    fn account_of(&self, who: Assistant) -> Option<Account> {
        self.held.iter().position(|held| held.is_some_and(|held| held.who == who))
    }

    fn is_held_by_another(&self, who: Assistant, account: Account) -> bool {
        self.held[account].is_some_and(|held| held.who != who)
    }

    fn is_meant(&self, account: Account, holder: Option<Assistant>) -> bool {
        self.held[account].is_some_and(|held| holder.is_none_or(|holder| holder == held.who))
    }

    /// Whether this may be the hold that is named. One that was never told is later than all that were.
    fn is_hold(&self, held: Held, account: Account, who: Assistant, epoch: u64) -> bool {
        held.who == who && held.epoch.map_or(epoch > self.last[account], |known| known == epoch)
    }

    fn come(&self, who: Assistant, account: Account, epoch: u64) -> Option<Self> {
        if self.revoked[who] || self.is_held_by_another(who, account) {
            return None;
        }
        match self.held[account] {
            // To stay is no new hold.
            Some(held) => {
                self.is_hold(held, account, who, epoch).then(|| self.moved(who, account, Some(epoch)))
            }
            None => (epoch > self.last[account]).then(|| self.moved(who, account, Some(epoch))),
        }
    }

    fn moved(&self, who: Assistant, account: Account, epoch: Option<u64>) -> Self {
        let mut after = self.account_of(who).map_or_else(|| self.clone(), |left| self.without(left));
        after.held[account] = Some(Held { who, epoch });
        epoch.map_or(after.clone(), |epoch| after.told(account, epoch))
    }

    fn without(&self, account: Account) -> Self {
        let mut after = self.clone();
        after.held[account] = None;
        after
    }

    fn told(mut self, account: Account, epoch: u64) -> Self {
        self.last[account] = self.last[account].max(epoch);
        self
    }

    /// With the epochs that are shown, where all else is as it is.
    fn shown(&self, shown: &[Option<Held>]) -> Option<Self> {
        if shown.len() != self.held.len() {
            return None;
        }
        let mut after = self.clone();
        for (account, (shown, held)) in shown.iter().zip(&self.held).enumerate() {
            match (shown, held) {
                (None, None) => {}
                (Some(shown), Some(held)) if shown.who == held.who => {
                    if let Some(epoch) = shown.epoch {
                        self.is_hold(*held, account, held.who, epoch).then_some(())?;
                        after.held[account] = Some(*shown);
                        after = after.told(account, epoch);
                    }
                }
                _ => return None,
            }
        }
        Some(after)
    }
}
