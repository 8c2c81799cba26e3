//! Where the heart's decisions go. It is closed: nothing else leaves the heart.

use model::{CloseCode, ConnectionId, Outgoing};

use crate::input::Note;

/// Where the heart's decisions go, as they are made.
pub trait Sink {
    /// Encode and write these frames together, now: at most `TURN_BYTES`. Leaves `frames` empty: its memory is used
    /// again.
    fn send(&mut self, connection: ConnectionId, frames: &mut Vec<Outgoing>) -> Taken;

    /// Close the connection after what was sent to it. It is forgotten already.
    fn close(&mut self, connection: ConnectionId, code: CloseCode);

    /// For the writer.
    fn note(&mut self, note: Note);
}

/// What became of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The kernel has all of it: the connection may have its next turn.
    Whole,
    /// A part waits. [`Input::Flushed`](crate::Input::Flushed) will be said when the kernel has it.
    Partly,
}

/// A decision, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// [`Sink::send`].
    Send {
        /// The connection.
        connection: ConnectionId,
        /// In order.
        frames: Vec<Outgoing>,
    },
    /// [`Sink::close`].
    Close {
        /// The connection.
        connection: ConnectionId,
        /// Why.
        code: CloseCode,
    },
    /// [`Sink::note`].
    Note(Note),
}

/// Keeps all decisions, and takes no turn whole: each waits for its [`Input::Flushed`](crate::Input::Flushed).
impl Sink for Vec<Effect> {
    fn send(&mut self, connection: ConnectionId, frames: &mut Vec<Outgoing>) -> Taken {
        self.push(Effect::Send { connection, frames: std::mem::take(frames) });
        Taken::Partly
    }

    fn close(&mut self, connection: ConnectionId, code: CloseCode) {
        self.push(Effect::Close { connection, code });
    }

    fn note(&mut self, note: Note) {
        self.push(Effect::Note(note));
    }
}
