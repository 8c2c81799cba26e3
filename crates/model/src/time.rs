//! Time as an argument. Nothing in the pure crates reads a clock: the shell reads it once per turn.

use std::ops::{Add, Sub};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Milliseconds of the monotonic clock since the process started. Timeouts use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

/// Milliseconds since the Unix epoch. Last-seen uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub i64);

/// Both clocks, read together once per turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For timeouts and order.
    pub mono: Mono,
    /// For what people read.
    pub wall: Wall,
}

impl Add<u64> for Mono {
    type Output = Self;
    fn add(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Sub for Mono {
    type Output = u64;
    fn sub(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Now {
    /// What the wall clock showed at `mono`, an instant of the past (or this one).
    #[must_use]
    pub fn wall_at(&self, mono: Mono) -> Wall {
        Wall(self.wall.0 - (self.mono - mono) as i64)
    }

    /// The monotonic instant of what [`Now::wall_at`] told of the past; this instant where it is not past.
    #[must_use]
    pub fn mono_of(&self, wall: Wall) -> Mono {
        Mono(self.mono.0.saturating_sub(u64::try_from(self.wall.0 - wall.0).unwrap_or(0)))
    }

    /// The monotonic instant of a wall time to come; this instant where it has passed.
    #[must_use]
    pub fn mono_at(&self, wall: Wall) -> Mono {
        self.mono + u64::try_from(wall.0 - self.wall.0).unwrap_or(0)
    }
}

impl Wall {
    /// Cut to the minute: the only form in which others see a time.
    #[must_use]
    pub fn minute(self) -> Minute {
        Minute(self.0.div_euclid(60_000))
    }
}

/// A time cut to the minute, in minutes since the Unix epoch. On the wire RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(pub i64);

impl Minute {
    fn date_time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.0.checked_mul(60)?, 0)
    }
}

impl std::fmt::Display for Minute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.date_time() {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Secs, true)),
            None => f.write_str("out of range"),
        }
    }
}

impl Serialize for Minute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Minute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text).map_err(de::Error::custom)?;
        Ok(Self(time.timestamp().div_euclid(60)))
    }
}

#[cfg(test)]
mod tests;
