//! What can happen, as the judge hears of it.

use model::{AccountFacts, AccountId, Mono, Occupancy, SessionId, Settings, Track, UserFacts, UserId};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since the world began.
    pub at: Mono,
    /// What.
    pub act: Act,
}

impl Event {
    /// `act`, `at_ms` milliseconds after the world began.
    #[must_use]
    pub fn new(at_ms: u64, act: Act) -> Self {
        Self { at: Mono(at_ms), act }
    }
}

/// What happened. An act that nobody could have done (of a user unknown or disabled, on a session unknown or
/// ended, over a connection that is not there) does nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The directory says this of a user, whole; `None`: the user is removed, and forgotten.
    Facts {
        /// The user.
        user: UserId,
        /// Absent settings keep those known; of two last-seens the later stays.
        facts: Option<UserFacts>,
    },
    /// A user's settings are these now. They are set for a disabled user too.
    Settings {
        /// The user.
        user: UserId,
        /// All of them.
        settings: Settings,
    },
    /// The directory says this of an account; `None`: it is removed, with its occupancy.
    Account {
        /// The account.
        account: AccountId,
        /// Whole.
        facts: Option<AccountFacts>,
    },
    /// An account is held, or not.
    Occupancy {
        /// The account.
        account: AccountId,
        /// By whom.
        occupancy: Option<Occupancy>,
    },
    /// A socket session begins, with a live connection.
    Connect {
        /// Not in use.
        session: SessionId,
        /// Its owner.
        user: UserId,
    },
    /// Announces, on a live connection. Activity, also when nothing differs.
    Track {
        /// The session.
        session: SessionId,
        /// Replaces the one before it whole.
        track: Track,
    },
    /// On a live connection: presence ends at once, the connection stays.
    Untrack {
        /// The session.
        session: SessionId,
    },
    /// A sign of life on a live connection; not activity.
    Alive {
        /// The session.
        session: SessionId,
    },
    /// An activity, on a live connection or by a call that names the session: a sign of life, and the session is the
    /// one that was active last, if it announces something.
    Active {
        /// The session.
        session: SessionId,
    },
    /// Sign-out or close 1000 on a live connection: the session ends at once.
    SignOut {
        /// The session.
        session: SessionId,
    },
    /// The live connection is lost: grace starts.
    Lost {
        /// The session.
        session: SessionId,
    },
    /// Comes back on the same session, perhaps before the old connection is known to be lost.
    Resume {
        /// The session.
        session: SessionId,
        /// Equal to the session's track: nothing changes. `None`: the same.
        track: Option<Track>,
    },
    /// A session without a socket begins or goes on; one with a socket announces this, also while it is lost.
    RestTrack {
        /// New, or known.
        session: SessionId,
        /// Its owner.
        user: UserId,
        /// Replaces the one before it whole.
        track: Track,
    },
    /// A session without a socket ends at once.
    RestEnd {
        /// The session.
        session: SessionId,
    },
}
