//! Why a connection is closed, and when its client should come back.

use model::CloseCode;

/// Why a connection is closed, and when its client should come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Farewell {
    /// Why.
    pub code: CloseCode,
    /// Milliseconds to wait before coming back; `None`: not by itself, or as the code's range says.
    pub reconnect_after_ms: Option<u64>,
}

/// Over how long the clients of a closing hub are asked to spread their return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// No client comes back earlier.
    pub after_ms: u64,
    /// Clients come back evenly over this time.
    pub spread_ms: u64,
}

/// One second to five: long enough for whatever was too much to be less.
const BACK_OFF: Reconnect = Reconnect { after_ms: 1_000, spread_ms: 4_000 };

impl Farewell {
    /// A farewell for this reason, with a delay where the code asks for one.
    #[must_use]
    pub fn new(code: CloseCode, restart: Option<Reconnect>) -> Self {
        let reconnect = match code.number() {
            4_000..=4_099 => Some(Reconnect { after_ms: 0, spread_ms: 1_000 }),
            4_100..=4_199 => Some(restart.unwrap_or(BACK_OFF)),
            _ => None,
        };
        Self { code, reconnect_after_ms: reconnect.map(Reconnect::draw) }
    }
}

impl Reconnect {
    fn draw(self) -> u64 {
        let random = uuid::Uuid::new_v4().as_u128() as u64;
        self.after_ms + random % self.spread_ms.max(1)
    }
}
