//! Channels as tables on a terminal, drawn anew in place. Lines that are too long are cut by the terminal itself.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::SystemTime,
};

use client::{Client, Connection, Event, Phase, Replica, Standing};
use model::{ChannelId, EntryId, Record};

use super::{
    badge::AVAILABLE,
    lines::{facts, of_connection, of_standing, status},
    names::Names,
    text::{Palette, clock, status_name},
};

/// A screen of its own, no cursor, and no wrapping of lines.
const OPEN: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const CLOSE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const HOME: &str = "\x1b[H";
/// To the end of the line, so that nothing of the last drawing stays.
const LINE_END: &str = "\x1b[K\r\n";
const CLEAR_BELOW: &str = "\x1b[J";

/// Takes the terminal for a drawing that is made anew in place.
pub(super) fn open(out: &mut impl Write) -> io::Result<()> {
    out.write_all(OPEN.as_bytes())?;
    out.flush()
}

/// Gives the terminal back.
pub(super) fn close(out: &mut impl Write) -> io::Result<()> {
    out.write_all(CLOSE.as_bytes())?;
    out.flush()
}

/// Draws over what was drawn before.
pub(super) fn draw_lines(lines: &[String], out: &mut impl Write) -> io::Result<()> {
    let drawing = lines.join(LINE_END);
    write!(out, "{HOME}{drawing}{LINE_END}{CLEAR_BELOW}")?;
    out.flush()
}

/// Tables of all channels that are followed.
pub(in crate::commands) struct Table {
    names: Names,
    palette: Palette,
    /// Why channels that were asked for are not there.
    gone: BTreeMap<ChannelId, &'static str>,
}

impl Table {
    pub(super) fn new(names: Names, palette: Palette) -> Self {
        Self { names, palette, gone: BTreeMap::new() }
    }

    /// Remembers which channels are not there.
    pub(super) fn note(&mut self, event: &Event) {
        if let Event::Channel(event) = event {
            match event.standing {
                Standing::Gone(_) => {
                    self.gone.extend(of_standing(event.standing).map(|why| (event.channel, why)))
                }
                Standing::Followed(_) | Standing::Left => {
                    self.gone.remove(&event.channel);
                }
            }
        }
    }

    pub(super) fn draw(&self, client: &Client, at: SystemTime, out: &mut impl Write) -> io::Result<()> {
        let connection = client.connection();
        let lines = client.read(|replica| self.lines(replica, &connection, at));
        draw_lines(&lines, out)
    }

    /// The whole drawing.
    pub(super) fn lines(&self, replica: &Replica, connection: &Connection, at: SystemTime) -> Vec<String> {
        let viewer = replica.user().map(|user| format!("  as {}", self.names.user(user)));
        let viewer = self.palette.strong(&viewer.unwrap_or_default());
        let state = match connection {
            Connection::Connected { .. } => self.palette.faint("live"),
            Connection::Connecting => self.palette.warning("connecting"),
            other => of_connection(other, self.palette).unwrap_or_default(),
        };
        let mut lines = vec![format!("{} UTC{viewer}  {state}  (Ctrl-C ends)", clock(at))];
        for (channel, _) in replica.lists() {
            lines.push(String::new());
            lines.extend(self.channel(replica, channel, at));
        }
        for (channel, why) in &self.gone {
            lines.push(String::new());
            lines.push(format!("{channel}  {}", self.palette.warning(why)));
        }
        lines
    }

    fn channel(&self, replica: &Replica, channel: ChannelId, at: SystemTime) -> Vec<String> {
        let Some(list) = replica.list(channel) else { return Vec::new() };
        let here = list.entries().values().filter(|record| status(record).is_some()).count();
        let note = match replica.phase(channel) {
            Some(Phase::Live) => self.palette.faint(&format!("{here} here")),
            Some(Phase::CatchingUp) | None => self.palette.faint("loading"),
            Some(Phase::Stale) => self.palette.warning("this view may be old"),
        };
        let title = format!("{}  {note}", self.palette.strong(&self.names.channel(channel)));
        let mut entries: Vec<_> = list.entries().iter().collect();
        // Who is here first; among equals as the hub sorts them.
        entries.sort_by_key(|(_, record)| status(record).is_none());
        let rows = entries.into_iter().map(|(id, record)| self.row(channel, *id, record, at));
        let whole = replica.phase(channel) == Some(Phase::Live);
        let free = self.names.accounts_of(channel).map(EntryId::Account);
        let free = free.filter(|id| whole && !list.entries().contains_key(id));
        let free =
            free.map(|id| format!("  {:<20} {:<14} {:<8} {AVAILABLE}", self.names.entry(id), "account", ""));
        std::iter::once(title).chain(rows).chain(free).collect()
    }

    fn row(&self, channel: ChannelId, id: EntryId, record: &Record, at: SystemTime) -> String {
        let (name, part) = (self.names.entry(id), self.names.part(channel, id));
        let now = status(record);
        let word = match record {
            Record::Person(_) => status_name(now),
            Record::Account(_) => "",
        };
        let word = self.palette.status(now, &format!("{word:<8}"));
        format!("  {name:<20} {part:<14} {word} {}", facts(record, at).join("  "))
    }
}
