//! Activity that waits: one file of lines, written at its end and read from its beginning.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
};

use super::{files::Home, line::Row, loss::Loss};
use crate::ActivityRow;

const PREFIX: &str = "activity-";
const ENDING: &str = ".ndjson";
const DIGITS: usize = 20;

/// One of the files, which sort by their numbers.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// Of the file.
    pub(super) bytes: u64,
    /// Lines of the file.
    pub(super) rows: u64,
    /// Of these, what the store has.
    pub(super) done: Mark,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) bytes: u64,
    pub(super) rows: u64,
}

/// Lines that were read.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) rows: Vec<ActivityRow>,
    /// Those that do not check, with their ends.
    pub(super) damaged: Vec<Vec<u8>>,
    pub(super) end: Mark,
}

impl Segment {
    pub(super) fn new(number: u64) -> Self {
        Self { number, bytes: 0, rows: 0, done: Mark::default() }
    }

    /// The number in a file's name.
    pub(super) fn number_of(name: &str) -> Option<u64> {
        let digits = name.strip_prefix(PREFIX)?.strip_suffix(ENDING)?;
        (digits.len() == DIGITS).then(|| digits.parse().ok()).flatten()
    }

    /// Counts the lines of a file, and cuts a last one that broke off; whether there was such a one.
    pub(super) fn open(home: &mut Home, number: u64) -> io::Result<(Self, bool)> {
        let mut segment = Self::new(number);
        let bytes = home.read(&segment.name())?;
        let (whole, rows) = whole_lines(&bytes);
        let torn = whole < bytes.len();
        if torn {
            home.cut(&segment.name(), whole as u64)?;
        }
        (segment.bytes, segment.rows) = (whole as u64, rows);
        Ok((segment, torn))
    }

    pub(super) fn name(&self) -> String {
        format!("{PREFIX}{:020}{ENDING}", self.number)
    }

    /// Rows that the store does not have.
    pub(super) fn left(&self) -> u64 {
        self.rows.saturating_sub(self.done.rows)
    }

    /// At most so many lines after what is done.
    pub(super) fn read(&self, home: &Home, limit: u64) -> io::Result<Lines> {
        let mut file = File::open(home.path().join(self.name()))?;
        file.seek(SeekFrom::Start(self.done.bytes))?;
        // Never past what was synced: what a failed write left behind is nothing.
        let mut file = BufReader::new(file.take(self.bytes.saturating_sub(self.done.bytes)));
        let mut lines = Lines { end: self.done, ..Lines::default() };
        for _ in 0..limit.min(self.left()) {
            let mut line = Vec::new();
            if file.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            lines.push(line);
        }
        Ok(lines)
    }

    /// What is lost with it; `None`: nothing.
    pub(super) fn loss(&self, home: &Home) -> Option<Loss> {
        let rows = self.left();
        let read = self.read(home, rows).map(|lines| lines.rows).unwrap_or_default();
        let known = Loss::sum(read.iter().map(|row| Loss::of(row.at)));
        (rows > 0).then(|| Loss { rows, ..known.unwrap_or_else(|| Loss::unknown(rows)) })
    }
}

impl Lines {
    fn push(&mut self, line: Vec<u8>) {
        self.end.bytes += line.len() as u64;
        self.end.rows += 1;
        match ActivityRow::parse(line.trim_ascii_end()) {
            Some(row) => self.rows.push(row),
            None => self.damaged.push(line),
        }
    }
}

/// The bytes up to the last line's end, and how many lines they are.
pub(super) fn whole_lines(bytes: &[u8]) -> (usize, u64) {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let lines = bytes[..whole].iter().filter(|byte| **byte == b'\n').count();
    (whole, lines as u64)
}
