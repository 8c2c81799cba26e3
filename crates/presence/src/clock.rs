//! What happens by itself when time passes.

use model::{CloseCode, Now};

use crate::{Presence, timers::TimerKey};

impl Presence {
    /// Fires all timers that are due; tells whether there was one.
    pub(crate) fn fire_timers(&mut self, now: Now) -> bool {
        let mut fired = false;
        while let Some(key) = self.timers.pop_due(now.mono) {
            fired = true;
            self.fire(now, key);
        }
        fired
    }

    fn fire(&mut self, now: Now, key: TimerKey) {
        match key {
            TimerKey::Typing(session) => self.typing_ended(session),
            TimerKey::Grace(session) => self.grace_ended(now, session),
            TimerKey::Rest(session) => self.rest_lease_ended(now, session),
            TimerKey::Gone(session) => self.drop_session(now, session),
            TimerKey::Heartbeat(connection) => self.heartbeat_due(now, connection),
            TimerKey::Stall(connection) => self.close_at_once(now, connection, CloseCode::TooSlow),
            TimerKey::Token(connection) => self.token_due(now, connection),
            TimerKey::Window(view) => self.window_closed(view),
        }
    }
}
