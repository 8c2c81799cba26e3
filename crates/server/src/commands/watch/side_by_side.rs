//! The same channels as two viewers see them, side by side: one row an entry, one column a viewer.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    time::SystemTime,
};

use client::{Client, Connection, Phase, Replica};
use model::{ChannelId, EntryId, Record};

use super::{
    badge::AVAILABLE,
    lines::{facts, of_connection, status},
    names::Names,
    table,
    text::{Palette, clock, status_name},
};

/// Characters of the first column, and of each viewer's.
const NAME_CHARS: usize = 24;
const VIEW_CHARS: usize = 58;

/// A table with a column for each viewer.
pub(in crate::commands) struct SideBySide {
    names: Names,
    palette: Palette,
}

impl SideBySide {
    pub(super) fn new(names: Names, palette: Palette) -> Self {
        Self { names, palette }
    }

    pub(super) fn draw(&self, clients: &[Client], at: SystemTime, out: &mut impl Write) -> io::Result<()> {
        let views: Vec<_> = clients
            .iter()
            .map(|client| {
                let connection = client.connection();
                client.read(|replica| self.view(replica, &connection, at))
            })
            .collect();
        table::draw_lines(&self.lines(&views, at), out)
    }

    /// What one viewer is shown.
    pub(super) fn view(&self, replica: &Replica, connection: &Connection, at: SystemTime) -> View {
        let who = replica.user().map_or_else(String::new, |user| format!("as {}", self.names.user(user)));
        let state = match connection {
            Connection::Connected { .. } => "live".to_owned(),
            Connection::Connecting => "connecting".to_owned(),
            other => of_connection(other, Palette::Plain).unwrap_or_default(),
        };
        let lists = replica.lists().map(|(channel, list)| {
            let cells = list.entries().iter().map(|(id, record)| (*id, cell(record, at))).collect();
            let (is_whole, note) = match replica.phase(channel) {
                Some(Phase::Live) => (true, ""),
                Some(Phase::Stale) => (true, "this view may be old"),
                Some(Phase::CatchingUp) | None => (false, "loading"),
            };
            (channel, Seen { cells, is_whole, note })
        });
        View { title: format!("{who}  {state}"), lists: lists.collect() }
    }

    /// The whole drawing.
    pub(super) fn lines(&self, views: &[View], at: SystemTime) -> Vec<String> {
        let titles = views.iter().map(|view| self.palette.strong(&fit(&view.title, VIEW_CHARS)));
        let mut lines = vec![format!("{} UTC  (Ctrl-C ends)", clock(at)), row(&fit("", NAME_CHARS), titles)];
        let channels: BTreeSet<_> = views.iter().flat_map(|view| view.lists.keys().copied()).collect();
        for channel in channels {
            lines.push(String::new());
            lines.push(self.channel(views, channel));
            lines.extend(self.entries(views, channel).into_iter().map(|id| self.entry(views, channel, id)));
        }
        lines
    }

    fn channel(&self, views: &[View], channel: ChannelId) -> String {
        let name = self.palette.strong(&fit(&self.names.channel(channel), NAME_CHARS));
        let notes = views.iter().map(|view| {
            let note = view.lists.get(&channel).map_or("nothing is shown", |seen| seen.note);
            self.palette.faint(&fit(note, VIEW_CHARS))
        });
        row(&name, notes)
    }

    /// Whoever is seen by anybody, and the accounts that are known by name; accounts first.
    fn entries(&self, views: &[View], channel: ChannelId) -> Vec<EntryId> {
        let seen = views.iter().filter_map(|view| view.lists.get(&channel));
        let seen = seen.flat_map(|seen| seen.cells.keys().copied());
        let known = self.names.accounts_of(channel).map(EntryId::Account);
        let entries: BTreeSet<_> = seen.chain(known).collect();
        let (accounts, people): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|id| matches!(id, EntryId::Account(_)));
        [accounts, people].concat()
    }

    fn entry(&self, views: &[View], channel: ChannelId, id: EntryId) -> String {
        let cells = views.iter().map(|view| {
            let shown = view.lists.get(&channel).map_or_else(String::new, |seen| seen.cell(id));
            fit(&shown, VIEW_CHARS)
        });
        row(&fit(&format!("  {}", self.names.entry(id)), NAME_CHARS), cells)
    }
}

/// What one viewer is shown, as text.
pub(super) struct View {
    title: String,
    lists: BTreeMap<ChannelId, Seen>,
}

struct Seen {
    cells: BTreeMap<EntryId, String>,
    /// Whether what is not listed is not there.
    is_whole: bool,
    note: &'static str,
}

impl Seen {
    /// A free account has no record; somebody who is not seen has none either, and that looks like nothing.
    fn cell(&self, id: EntryId) -> String {
        match (self.cells.get(&id), id) {
            (Some(cell), _) => cell.clone(),
            (None, EntryId::Account(_)) if self.is_whole => AVAILABLE.to_owned(),
            (None, _) => String::new(),
        }
    }
}

fn cell(record: &Record, at: SystemTime) -> String {
    let word = match record {
        Record::Person(_) => Some(status_name(status(record)).to_owned()),
        Record::Account(_) => None,
    };
    word.into_iter().chain(facts(record, at)).collect::<Vec<_>>().join("  ")
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.collect();
    format!("{name} {}", cells.join(" │ "))
}

/// Exactly so many characters.
fn fit(text: &str, chars: usize) -> String {
    let cut: String = text.chars().take(chars).collect();
    format!("{cut:<chars$}")
}
