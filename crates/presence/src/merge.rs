//! A user's sessions in one channel, as one.

use model::{SessionId, Status};
use policy::Merged;

use crate::session::Tracked;

/// Any `busy` wins, else the most active; everything else comes from the session active last, ties by id.
pub(crate) fn merge<'a>(sessions: impl Iterator<Item = (SessionId, &'a Tracked)> + Clone) -> Option<Merged> {
    let status = sessions.clone().map(|(_, tracked)| tracked.track.status).min_by_key(|s| precedence(*s))?;
    let (_, last) = sessions.max_by_key(|(id, tracked)| (tracked.active_at, *id))?;
    let track = &last.track;
    Some(Merged {
        status,
        page: track.page.clone(),
        is_typing: track.is_typing,
        device: track.device,
        custom_status: track.custom_status.clone(),
        custom_emoji: track.custom_emoji.clone(),
    })
}

fn precedence(status: Status) -> u8 {
    match status {
        Status::Busy => 0,
        Status::Online => 1,
        Status::Idle => 2,
        Status::Away => 3,
    }
}
