//! What happens to the server, and what the hub says and does meanwhile: asked from a thread of its own, so that the
//! load goes on.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wire::Token;

use super::{Stretch, WANTS_TO_BE_SEEN};
use crate::{
    hub::{Answer, Hub, Rest},
    postgres::Postgres,
    process,
    world::{Person, Visibility, user},
};

/// Between two looks at the readiness.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two calls that have to be refused.
const CALL_EVERY: Duration = Duration::from_secs(3);
/// A call is not begun so shortly before the end of a stretch: it may take that long.
const CALL_TAKES: Duration = Duration::from_millis(2_500);

/// What happens to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Nothing,
    /// As an operator stops it.
    Stop,
    StartAgain,
    /// Its connections stay, and nothing is answered.
    Freeze,
    Thaw,
}

/// What the hub said of its readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Since that which happened to the server had happened.
    pub(super) after: Duration,
    pub(super) status: u16,
    /// It does without its store, and without nothing else.
    pub(super) is_degraded: bool,
}

/// An answer, and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) took: Duration,
    pub(super) status: u16,
    /// Whether it named a time after which it is worth asking again.
    pub(super) names_time: bool,
}

/// What was seen in a stretch.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) looks: Vec<Look>,
    /// Calls that cannot be granted without the database.
    pub(super) loosenings: Vec<Answered>,
    /// Calls that hide.
    pub(super) tightenings: Vec<Answered>,
    /// Durable calls once the hub said that the database was back.
    pub(super) durable: Vec<Answered>,
}

impl Seen {
    pub(super) fn add(&mut self, later: Self) {
        self.looks.extend(later.looks);
        self.loosenings.extend(later.loosenings);
        self.tightenings.extend(later.tightenings);
        self.durable.extend(later.durable);
    }

    /// Whether somebody has hidden: the hub has said so.
    pub(super) fn has_hidden(&self) -> bool {
        self.tightenings.iter().any(|answered| matches!(answered.status, 200 | 202))
    }
}

/// Lets things happen to the server, and asks the hub.
pub(super) struct Watch<'a> {
    postgres: &'a Postgres,
    core: Option<usize>,
    clients: SocketAddr,
    operators: SocketAddr,
    /// Of the people who change their settings: those of the lowest numbers.
    tokens: Vec<Token>,
}

impl<'a> Watch<'a> {
    /// # Errors
    /// None that is known.
    pub(super) fn of(hub: &Hub, postgres: &'a Postgres, core: Option<usize>) -> anyhow::Result<Self> {
        let tokens = (0..=WANTS_TO_BE_SEEN).map(|person| hub.token(user(person)));
        let tokens = tokens.collect::<anyhow::Result<_>>()?;
        Ok(Self { postgres, core, clients: hub.address(), operators: hub.operations(), tokens })
    }

    /// Lets happen what is to happen at the beginning of a stretch, and looks until it is over.
    ///
    /// # Errors
    /// The hub does not answer.
    ///
    /// # Panics
    /// What is to happen to the server cannot be done.
    pub(super) fn during(&self, stretch: &Stretch, duration: Duration) -> anyhow::Result<Seen> {
        let deadline = Instant::now() + duration;
        self.core.map_or(Ok(()), process::pin_this_thread)?;
        self.act(stretch.act);
        let acted = Instant::now();
        let hides_at = acted + deadline.saturating_duration_since(acted) / 3;
        let mut calls_at = acted;
        let mut seen = Seen::default();
        while Instant::now() < deadline {
            seen.looks.push(self.look(acted)?);
            if Instant::now() + CALL_TAKES < deadline {
                let hides =
                    stretch.hides.filter(|_| Instant::now() >= hides_at && seen.tightenings.is_empty());
                if let Some(person) = hides {
                    seen.tightenings.push(self.see(person, Visibility::Nobody)?);
                } else if stretch.is_down() && Instant::now() >= calls_at {
                    seen.loosenings.push(self.see(WANTS_TO_BE_SEEN, Visibility::Everyone)?);
                    calls_at = Instant::now() + CALL_EVERY;
                } else if !stretch.is_down() && seen.durable.is_empty() && seen.is_whole() {
                    seen.durable.push(self.see(WANTS_TO_BE_SEEN, Visibility::Nobody)?);
                }
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(seen)
    }

    fn act(&self, act: Act) {
        let server = self.postgres.server();
        match act {
            Act::Nothing => {}
            Act::Stop => server.stop(),
            Act::StartAgain => server.start_again(),
            Act::Freeze => server.freeze(),
            Act::Thaw => server.thaw(),
        }
    }

    fn look(&self, acted: Instant) -> anyhow::Result<Look> {
        let Answer { status, body, .. } =
            Rest::connect(self.operators)?.ask("GET", "/readyz", "", &Value::Null)?;
        let said: Value = serde_json::from_str(&body)?;
        let is_degraded = said["degraded"].as_array().is_some_and(|named| named.contains(&json!("store")));
        Ok(Look { after: acted.elapsed(), status, is_degraded })
    }

    /// A person says who may see them.
    fn see(&self, person: Person, visibility: Visibility) -> anyhow::Result<Answered> {
        let (asked, token) = (Instant::now(), self.tokens[person as usize].reveal());
        let body = json!({ "visibility": visibility.name() });
        let answer = Rest::connect(self.clients)?.ask("PUT", "/api/presence/settings", token, &body)?;
        let names_time = answer.retry_after_s.is_some();
        Ok(Answered { took: asked.elapsed(), status: answer.status, names_time })
    }
}

impl Seen {
    /// Whether the hub said last that nothing is missing.
    pub(super) fn is_whole(&self) -> bool {
        self.looks.last().is_some_and(|look| look.status == 200 && !look.is_degraded)
    }
}
