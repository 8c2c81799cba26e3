//! What clients told and were told, and when; and when each hub ended.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::UserId;

/// What is acknowledged for longer than this outlives `kill -9`.
pub(crate) const PROMISE: Duration = Duration::from_secs(6);

/// An instant, by the clock that never jumps and by the one that the database knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    /// Milliseconds since the Unix epoch.
    pub(crate) wall: i64,
}

impl Moment {
    pub(crate) fn now() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_millis();
        Self { at: Instant::now(), wall: i64::try_from(wall).expect("a time before the year 292,000,000") }
    }
}

/// Something that a hub was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Which hub, counted from the first.
    pub(crate) life: usize,
    pub(crate) told: Moment,
    /// When its acknowledgement was here; `None`: what became of it is not known.
    pub(crate) answered: Option<Moment>,
}

/// All that one client told, in order.
#[derive(Clone, Debug)]
pub(crate) struct Diary {
    pub(crate) user: UserId,
    /// The n-th is the view of page n. Each was told once, whatever became of it.
    pub(crate) pages: Vec<Entry>,
    /// Signs of life of a session that is tracked, all of them acknowledged.
    pub(crate) signs: Vec<Entry>,
    /// Ends of what is tracked, all of them acknowledged.
    pub(crate) ends: Vec<Entry>,
}

impl Diary {
    pub(crate) fn of(user: UserId) -> Self {
        Self { user, pages: Vec::new(), signs: Vec::new(), ends: Vec::new() }
    }

    /// The name of a page that only this client views, and only once.
    pub(crate) fn page(&self, n: usize) -> String {
        format!("/{}/{n}", self.user)
    }
}

/// How a hub ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// `kill -9`.
    Killed,
    /// SIGTERM.
    Terminated,
}

/// One hub that is no more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) end: End,
    /// Just before the signal.
    pub(crate) at: Moment,
    /// Just after its process was gone.
    pub(crate) gone: Moment,
    /// For how long the machine let nobody run in the last seconds of it: by so much its rhythm may be late.
    pub(crate) stalled: Duration,
}

impl Life {
    /// Whether what is answered then has to be in the database.
    pub(crate) fn keeps(&self, answered: Moment) -> bool {
        self.end == End::Terminated || self.age(answered) > PROMISE + self.stalled
    }

    /// How long before the end that was.
    pub(crate) fn age(&self, answered: Moment) -> Duration {
        self.at.at.saturating_duration_since(answered.at)
    }
}
