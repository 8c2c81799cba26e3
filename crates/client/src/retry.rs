//! Whether and when to come back, after a connection has ended. Pure: chance comes in as an argument.

use std::time::Duration;

use crate::{Closed, Refusal, SocketError};

/// The longest wait that a hub can ask for; a longer one is a mistake.
const MOST_TOLD: Duration = Duration::from_secs(3600);
/// Within which a client comes back that was told to wait, but not how long.
const UNTOLD: Duration = Duration::from_secs(60);

/// Whether and when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comeback {
    /// At once the first time, then after the backoff.
    AtOnce,
    /// After the backoff.
    Backoff,
    /// After this, which the hub has drawn for this client.
    After(Duration),
    /// At some time within this.
    Within(Duration),
    /// With another token; at once the first time, then after the backoff.
    NewToken,
    /// Not without a person's act.
    Never,
}

impl Comeback {
    /// What the code of a close frame asks for, and what the hub told before it.
    #[must_use]
    pub fn after_close(code: Option<u16>, told: Option<Duration>) -> Self {
        let told = told.filter(|told| !told.is_zero()).map(|told| told.min(MOST_TOLD));
        match code {
            Some(1000 | 4300..=4399) => Self::Never,
            Some(4200..=4299) => Self::NewToken,
            Some(4100..=4199) => told.map_or(Self::Within(UNTOLD), Self::After),
            Some(4000..=4099) | None => told.map_or(Self::AtOnce, Self::After),
            Some(_) => told.map_or(Self::Backoff, Self::After),
        }
    }

    /// What the end of a connection asks for.
    #[must_use]
    pub fn after(error: &SocketError) -> Self {
        match error {
            SocketError::Closed(Closed { code, closing, .. }) => {
                let said = closing.as_ref().map(|closing| closing.code.number());
                let told_ms = closing.as_ref().and_then(|closing| closing.reconnect_after_ms);
                Self::after_close(code.or(said), told_ms.map(Duration::from_millis))
            }
            SocketError::Refused(refusal) => Self::after_refusal(refusal),
            SocketError::Url(_) | SocketError::Subprotocol => Self::Never,
            SocketError::Transport(_) | SocketError::Decode(_) | SocketError::Unexpected { .. } => {
                Self::Backoff
            }
        }
    }

    /// The statuses mean what they mean on REST; what is wrong with the handshake itself stays wrong.
    fn after_refusal(refusal: &Refusal) -> Self {
        let told = refusal.retry_after_s.map(|s| Duration::from_secs(s).min(MOST_TOLD));
        match refusal.status {
            401 => Self::NewToken,
            408 | 425 | 429 | 500.. => told.map_or(Self::Backoff, Self::After),
            _ => Self::Never,
        }
    }
}

/// Full jitter: each wait is drawn evenly from nothing to a ceiling that doubles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first ceiling.
    pub first: Duration,
    /// The last ceiling.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The wait before an attempt, 0 being the first since a connection held. `random` is any number.
    #[must_use]
    pub fn wait(&self, attempt: u32, random: u64) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
        drawn(doubled.min(self.most), random)
    }

    /// The wait that a comeback asks for; `None`: never.
    #[must_use]
    pub fn wait_for(&self, comeback: Comeback, attempt: u32, random: u64) -> Option<Duration> {
        match comeback {
            Comeback::AtOnce | Comeback::NewToken => {
                Some(attempt.checked_sub(1).map_or(Duration::ZERO, |before| self.wait(before, random)))
            }
            Comeback::Backoff => Some(self.wait(attempt, random)),
            Comeback::After(told) => Some(told),
            Comeback::Within(most) => Some(drawn(most, random)),
            Comeback::Never => None,
        }
    }
}

fn drawn(most: Duration, random: u64) -> Duration {
    let most_ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX - 1);
    Duration::from_millis(random % (most_ms + 1))
}

#[cfg(test)]
mod tests;
