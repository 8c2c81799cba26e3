//! Seeded leaks: deliberate faults that the non-interference test has to catch. In a build without the feature
//! `seeded-leaks` there is no leak to seed, and every question is answered `false` by the compiler.

/// A way to get it wrong. Each is one that a real system has shipped, or nearly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "seeded-leaks"),
    expect(unreachable_pub, reason = "exported where leaks can be seeded")
)]
pub enum Leak {
    /// Sequence numbers count every change of the channel, seen or not.
    GlobalSequence,
    /// A frame that says "something changed, nothing to see".
    EmptyDiff,
    /// A hidden act opens the batching window.
    HiddenActOpensWindow,
    /// Last-seen moves on while hidden.
    LastSeenWhileHidden,
    /// Entries in the order of their last act.
    OrderByActivity,
    /// A page is cut before what may not be seen is taken out.
    LimitBeforeFilter,
    /// `more` counts entries that the viewer will never get.
    HiddenInCount,
    /// Hidden events fill what is kept for resume.
    ResumeFilledByHidden,
    /// A channel that is there but foreign is "forbidden".
    ForbiddenForForeign,
    /// A change of a redacted field is an update.
    RedactedFieldUpdates,
    /// One who appears offline is listed as offline where the truly offline are absent.
    HiddenListedOffline,
    /// Typing passes while appearing offline.
    TypingWhileHidden,
    /// A member's "occupied" is sent anew when somebody else takes over.
    SwapUpdatesOccupied,
    /// Whoever ends is announced to all, seen or not.
    LeaveOfUnseen,
    /// Detected idleness passes although activity is not shown.
    IdleWithoutActivity,
    /// Hidden acts put off the heartbeat.
    HiddenActMovesHeartbeat,
    /// The batching window is as long as the room is full, not as what was shown of it.
    HiddenInWindow,
}

/// The leak that is seeded, if any.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Leaks {
    #[cfg(feature = "seeded-leaks")]
    seeded: Option<Leak>,
}

impl Leaks {
    #[cfg(feature = "seeded-leaks")]
    pub(crate) fn has(self, leak: Leak) -> bool {
        self.seeded == Some(leak)
    }

    #[cfg(not(feature = "seeded-leaks"))]
    pub(crate) fn has(self, _: Leak) -> bool {
        false
    }
}

#[cfg(feature = "seeded-leaks")]
impl Leak {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::GlobalSequence,
        Self::EmptyDiff,
        Self::HiddenActOpensWindow,
        Self::LastSeenWhileHidden,
        Self::OrderByActivity,
        Self::LimitBeforeFilter,
        Self::HiddenInCount,
        Self::ResumeFilledByHidden,
        Self::ForbiddenForForeign,
        Self::RedactedFieldUpdates,
        Self::HiddenListedOffline,
        Self::TypingWhileHidden,
        Self::SwapUpdatesOccupied,
        Self::LeaveOfUnseen,
        Self::IdleWithoutActivity,
        Self::HiddenActMovesHeartbeat,
        Self::HiddenInWindow,
    ];
}

#[cfg(feature = "seeded-leaks")]
impl crate::Presence {
    /// Gets one thing wrong from now on.
    pub fn seed_leak(&mut self, leak: Leak) {
        self.leaks = Leaks { seeded: Some(leak) };
    }
}
