//! What the heart wants kept, as rows for the writer. Their ids are made here: the heart draws no random numbers.

use persistence::{ActivityRow, LastSeen, Note as Row, Stretch, StretchId};
use presence::{ActivityNote, LastSeenNote, Note, StretchNote};
use uuid::Uuid;

/// The rows of a note: one, or one for each organization.
pub(crate) fn of(note: Note, mut write: impl FnMut(Row)) {
    match note {
        Note::LastSeen(note) => write(Row::LastSeen(last_seen(note))),
        Note::Activity(note) => activity(note).for_each(|row| write(Row::Activity(row))),
        Note::Stretch(note) => stretches(&note).for_each(|row| write(Row::Stretch(row))),
    }
}

fn last_seen(note: LastSeenNote) -> LastSeen {
    let LastSeenNote { user, at, page, device, activity, session_minutes } = note;
    LastSeen { user, at, page, device, activity, session_minutes }
}

fn activity(note: ActivityNote) -> impl Iterator<Item = ActivityRow> {
    let ActivityNote { user, organizations, session, at, kind, page, device, metadata } = note;
    organizations.into_iter().map(move |organization| ActivityRow {
        id: Uuid::new_v4(),
        organization,
        user,
        kind,
        page: page.clone(),
        at,
        device,
        session,
        metadata: metadata.clone(),
    })
}

fn stretches(note: &StretchNote) -> impl Iterator<Item = Stretch> {
    let StretchNote { user, session, organizations, started, seen, ended, device } = note;
    organizations.iter().map(move |organization| Stretch {
        id: StretchId { organization: *organization, session: *session, started: *started },
        user: *user,
        seen: *seen,
        ended: *ended,
        device: *device,
    })
}
