//! Who is where before a race, and who wants what at the same moment.

use rand::{Rng, rngs::StdRng};

use crate::occupancy_history::model::{Account, Assistant, Call};

/// Of each agency: three in a circle, and a place that is free.
pub(super) const ASSISTANTS: usize = 3;
pub(super) const ACCOUNTS: usize = 4;

/// What meets what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Two for one account.
    OneAccount,
    /// One, by one code, for two accounts.
    TwoAccounts,
    /// One moves to where another clocks in.
    SwapAgainstClockIn,
    /// Two who want each other's place. Neither place is free at any moment: both are refused.
    SwapCycle,
    /// Three who do, and are all refused.
    ThreeCycle,
    /// One moves to a free place, a second to theirs, a third to the second's.
    Chain,
    /// An account is cleared while somebody else wants it.
    ClearAgainstClockIn,
    /// An account is cleared while its holder leaves.
    ClearAgainstClockOut,
    /// An account is cleared while its holder moves on.
    ClearAgainstSwap,
    /// A code is revoked, and its assistant clocked out, while they move with it.
    RevokeAgainstMove,
}

impl Kind {
    pub(super) const ALL: [Self; 10] = [
        Self::OneAccount,
        Self::TwoAccounts,
        Self::SwapAgainstClockIn,
        Self::SwapCycle,
        Self::ThreeCycle,
        Self::Chain,
        Self::ClearAgainstClockIn,
        Self::ClearAgainstClockOut,
        Self::ClearAgainstSwap,
        Self::RevokeAgainstMove,
    ];

    /// Who is where before it.
    pub(super) fn before(self) -> &'static [(Assistant, Account)] {
        match self {
            Self::OneAccount | Self::TwoAccounts => &[],
            Self::SwapAgainstClockIn => &[(0, 1)],
            Self::SwapCycle => &[(0, 0), (1, 1)],
            Self::ThreeCycle | Self::Chain => &[(0, 0), (1, 1), (2, 2)],
            Self::ClearAgainstClockIn
            | Self::ClearAgainstClockOut
            | Self::ClearAgainstSwap
            | Self::RevokeAgainstMove => &[(0, 0)],
        }
    }

    /// What is asked for at once. `epoch`: of the hold in account 0.
    pub(super) fn calls(self, epoch: u64, dice: &mut StdRng) -> Vec<Call> {
        let come = |who, account| Call::ClockIn { who, account };
        let clear = Call::Clear { account: 0, holder: dice.random_bool(0.5).then_some(0) };
        match self {
            Self::OneAccount | Self::SwapAgainstClockIn => vec![come(0, 0), come(1, 0)],
            Self::TwoAccounts => vec![come(0, 0), come(0, 1)],
            Self::SwapCycle => vec![come(0, 1), come(1, 0)],
            Self::ThreeCycle => vec![come(0, 1), come(1, 2), come(2, 0)],
            Self::Chain => vec![come(0, 3), come(1, 0), come(2, 1)],
            Self::ClearAgainstClockIn => vec![clear, come(1, 0)],
            Self::ClearAgainstClockOut => vec![clear, Call::ClockOut { who: 0, account: 0, epoch }],
            Self::ClearAgainstSwap => vec![clear, come(0, 1)],
            Self::RevokeAgainstMove => vec![Call::Revoke { who: 0, clock_out: true }, come(0, 1)],
        }
    }
}
