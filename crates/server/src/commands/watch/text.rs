//! Text on a terminal: cleaned, and coloured where somebody looks.

use std::{
    io::{IsTerminal, stdout},
    time::SystemTime,
};

use model::{CleanText, Minute, Status};

/// Text of other people without what a terminal would obey: control characters, escapes, bidi and invisible ones.
pub(in crate::commands) fn safe(text: &str) -> String {
    // Line ends stand for a space, so that words do not run together.
    let line = text.replace(['\n', '\r', '\t'], " ");
    let clean = CleanText::parse(&line, "text", usize::MAX);
    clean.ok().flatten().map(|text| text.as_str().to_owned()).unwrap_or_default()
}

/// Hours, minutes and seconds in UTC.
pub(in crate::commands) fn clock(at: SystemTime) -> String {
    let since_epoch = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (hours, minutes, seconds) = (since_epoch / 3600 % 24, since_epoch / 60 % 60, since_epoch % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}")
}

/// A minute in UTC: `2026-11-21 14:02`.
pub(super) fn minute(minute: Minute) -> String {
    minute.to_string().replace('T', " ").trim_end_matches(":00Z").to_owned()
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Palette {
    /// Colours.
    Colours,
    /// None.
    Plain,
}

impl Palette {
    /// Colours on a terminal, unless the environment says `NO_COLOR`.
    pub(in crate::commands) fn of_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if stdout().is_terminal() && !unwanted { Self::Colours } else { Self::Plain }
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Colours => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }

    pub(in crate::commands) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(in crate::commands) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(in crate::commands) fn warning(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(super) fn came(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(super) fn went(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(super) fn status(self, status: Option<Status>, text: &str) -> String {
        let code = match status {
            Some(Status::Online) => "32",
            Some(Status::Idle | Status::Away) => "33",
            Some(Status::Busy) => "31",
            None => "2",
        };
        self.paint(code, text)
    }
}

/// The name of a status.
pub(super) fn status_name(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Online) => "online",
        Some(Status::Idle) => "idle",
        Some(Status::Away) => "away",
        Some(Status::Busy) => "busy",
        None => "offline",
    }
}
