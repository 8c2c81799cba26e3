//! News as lines: `Mia & Tom's wedding   + Lea Brandt (photographer)  online  📷 "setting up"`.

use std::time::SystemTime;

use client::{Change, ChannelEvent, Connection, Event, Phase, Standing};
use model::{ChannelId, ErrorCode, PersonState, Record, Status};

use super::{
    badge::badge,
    names::Names,
    text::{Palette, minute, safe, status_name},
};

/// The lines that an event is worth. Settings are the viewer's own business.
pub(in crate::commands) fn of(event: &Event, names: &Names, palette: Palette, at: SystemTime) -> Vec<String> {
    match event {
        Event::Connection(connection) => of_connection(connection, palette).into_iter().collect(),
        Event::Settings(_) => Vec::new(),
        Event::Channel(event) => of_channel(event, names, palette, at),
    }
}

/// What is to be said of the connection; `None`: nothing.
pub(super) fn of_connection(connection: &Connection, palette: Palette) -> Option<String> {
    Some(match connection {
        Connection::Connecting => return None,
        Connection::Connected { resumed: true } => palette.faint("connected again; nothing was missed"),
        Connection::Connected { resumed: false } => palette.faint("connected"),
        Connection::Waiting { wait, cause } => palette.warning(&format!(
            "your view is stale: {}; trying again in {:.1} s",
            safe(cause),
            wait.as_secs_f32()
        )),
        Connection::Ended(ending) => palette.warning(&safe(&ending.to_string())),
    })
}

fn of_channel(event: &ChannelEvent, names: &Names, palette: Palette, at: SystemTime) -> Vec<String> {
    let place = palette.strong(&format!("{:<26}", names.channel(event.channel)));
    let mut lines: Vec<_> = event
        .changes
        .iter()
        .map(|change| format!("{place}  {}", of_change(event.channel, change, names, palette, at)))
        .collect();
    if let Some(standing) = of_standing(event.standing) {
        lines.push(format!("{place}  {}", palette.warning(standing)));
    }
    lines
}

/// What is to be said of a channel's standing; `None`: nothing.
pub(super) fn of_standing(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::Followed(Phase::Stale) => Some("this view may be old"),
        Standing::Followed(Phase::Live | Phase::CatchingUp) | Standing::Left => None,
        Standing::Gone(ErrorCode::ChannelLimit) => Some("too many channels are followed"),
        Standing::Gone(_) => Some("there is no such channel for this viewer"),
    }
}

fn of_change(channel: ChannelId, change: &Change, names: &Names, palette: Palette, at: SystemTime) -> String {
    let (name, part) = (names.entry(change.id), names.part(channel, change.id));
    let who = if part.is_empty() { name } else { format!("{name} ({part})") };
    match (&change.before, &change.now) {
        (None, Some(now)) => format!("{} {who}  {}", palette.came("+"), details(now, None, palette, at)),
        (before, Some(now)) => format!("~ {who}  {}", details(now, before.as_ref(), palette, at)),
        (_, None) => format!("{} {who}", palette.went("-")),
    }
}

/// The status of a record; `None`: offline, or no person.
pub(super) fn status(record: &Record) -> Option<Status> {
    match record {
        Record::Person(person) => match &person.state {
            PersonState::Present { status, .. } => Some(*status),
            PersonState::Offline { .. } => None,
        },
        Record::Account(_) => None,
    }
}

fn details(record: &Record, before: Option<&Record>, palette: Palette, at: SystemTime) -> String {
    let mut parts = Vec::new();
    if let Record::Person(_) = record {
        let now = status(record);
        let named = palette.status(now, status_name(now));
        parts.push(match before.map(status).filter(|before| *before != now) {
            Some(before) => format!("{} → {named}", status_name(before)),
            None => named,
        });
    }
    parts.extend(facts(record, at));
    parts.join("  ")
}

/// What a record tells besides the status.
pub(super) fn facts(record: &Record, at: SystemTime) -> Vec<String> {
    match record {
        Record::Person(person) => of_person(&person.state),
        Record::Account(account) => vec![badge(&account.holder, at)],
    }
}

fn of_person(state: &PersonState) -> Vec<String> {
    match state {
        PersonState::Offline { last_seen: Some(at) } => vec![format!("last seen {}", minute(*at))],
        PersonState::Offline { last_seen: None } => vec!["never seen".to_owned()],
        PersonState::Present { page, is_typing, device, custom_status, custom_emoji, .. } => {
            let custom = match (custom_emoji, custom_status) {
                (Some(emoji), Some(text)) => {
                    Some(format!("{} \"{}\"", safe(emoji.as_str()), safe(text.as_str())))
                }
                (Some(emoji), None) => Some(safe(emoji.as_str())),
                (None, text) => text.as_ref().map(|text| format!("\"{}\"", safe(text.as_str()))),
            };
            let device = device.map(|device| format!("{device:?}").to_lowercase());
            let page = page.as_ref().map(|page| format!("on {}", safe(page.as_str())));
            let typing = is_typing.then(|| "typing…".to_owned());
            [typing, page, device, custom].into_iter().flatten().collect()
        }
    }
}
