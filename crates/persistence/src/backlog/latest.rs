//! The newest state of each of many things, as a file of lines of which the last one of a thing counts.

use std::{io, marker::PhantomData};

use super::{
    files::Home,
    line::{self, Row},
    segment::whole_lines,
};

/// Such a file. What it says is in memory as well.
#[derive(Debug)]
pub(super) struct Latest<R> {
    pub(super) name: &'static str,
    pub(super) bytes: u64,
    pub(super) lines: u64,
    rows: PhantomData<fn() -> R>,
}

/// What a file said when it was opened.
#[derive(Debug)]
pub(super) struct Found<R> {
    pub(super) rows: Vec<R>,
    /// Lines that do not check, with their ends.
    pub(super) damaged: Vec<Vec<u8>>,
    /// Whether the last line broke off.
    pub(super) torn: bool,
}

/// Rows to be put on the disk.
pub(crate) struct Newest<R> {
    pub(crate) rows: Vec<R>,
    /// Whether they are all there is, so that nothing else has to stay in the file.
    pub(crate) whole: bool,
}

impl<R: Row> Latest<R> {
    /// Reads the file. Damaged lines are taken out of it, and what broke off is cut.
    pub(super) fn open(home: &mut Home, name: &'static str) -> io::Result<(Self, Found<R>)> {
        let bytes = home.read(name)?;
        let (whole, lines) = whole_lines(&bytes);
        let mut found = Found { rows: Vec::new(), damaged: Vec::new(), torn: whole < bytes.len() };
        for line in bytes[..whole].split_inclusive(|byte| *byte == b'\n') {
            match R::parse(line.trim_ascii_end()) {
                Some(row) => found.rows.push(row),
                None => found.damaged.push(line.to_vec()),
            }
        }
        let mut latest = Self { name, bytes: whole as u64, lines, rows: PhantomData };
        if !found.damaged.is_empty() {
            latest.replace(home, &found.rows)?;
        } else if found.torn {
            home.cut(name, whole as u64)?;
        }
        Ok((latest, found))
    }

    /// Puts lines that [`line::lines`] made of these into the file.
    pub(super) fn save(&mut self, home: &mut Home, lines: &[u8], newest: &Newest<R>) -> io::Result<()> {
        let rows = newest.rows.len() as u64;
        if newest.whole {
            return self.put(home, lines, rows);
        }
        home.append(self.name, self.bytes, lines)?;
        self.bytes += lines.len() as u64;
        self.lines += rows;
        Ok(())
    }

    /// Puts these in the place of all that it says; of none, there is no file.
    pub(super) fn replace(&mut self, home: &mut Home, rows: &[R]) -> io::Result<()> {
        let lines = line::lines(rows)?;
        self.put(home, &lines, rows.len() as u64)
    }

    /// As [`Latest::replace`], with the lines as they are.
    pub(super) fn put(&mut self, home: &mut Home, lines: &[u8], rows: u64) -> io::Result<()> {
        match rows {
            0 if self.lines == 0 => {}
            0 => home.remove(self.name)?,
            _ => home.replace(self.name, lines)?,
        }
        (self.bytes, self.lines) = (lines.len() as u64, rows);
        Ok(())
    }
}
