//! The segments of activity, oldest first: filled at one end, emptied at the other.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
};

use super::{
    files::Home,
    line::Row,
    segment::{Mark, Segment},
};
use crate::ActivityRow;

/// All segments.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) segments: VecDeque<Segment>,
    /// Whether the last one takes more.
    open: bool,
    /// The one whose rows the store is being given: it is not dropped meanwhile.
    reading: Option<u64>,
    segment_bytes: u64,
    next_number: u64,
}

/// Rows of the oldest segment, to be given to the store.
#[derive(Debug)]
pub(crate) struct Page {
    number: u64,
    pub(crate) rows: Vec<ActivityRow>,
    /// Lines that do not check.
    pub(super) damaged: Vec<Vec<u8>>,
    end: Mark,
}

impl Shelf {
    /// The segments of these numbers, and how many had a last line that broke off.
    pub(super) fn open(home: &mut Home, numbers: &[u64], segment_bytes: u64) -> io::Result<(Self, u64)> {
        let mut segments = VecDeque::new();
        let mut torn = 0;
        for number in numbers {
            let (segment, was_torn) = Segment::open(home, *number)?;
            torn += u64::from(was_torn);
            segments.push_back(segment);
        }
        let next_number = numbers.iter().max().map_or(0, |last| last + 1);
        Ok((Self { segments, open: false, reading: None, segment_bytes, next_number }, torn))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    pub(super) fn rows(&self) -> u64 {
        self.segments.iter().map(Segment::left).sum()
    }

    /// Lines of the first rows, as many as the last segment has room for, and how many they are. At least one.
    pub(super) fn fill(&mut self, rows: &VecDeque<ActivityRow>) -> io::Result<(Vec<u8>, usize)> {
        let last = self.segments.back().filter(|_| self.open);
        let mut room = last.map_or(self.segment_bytes, |last| self.segment_bytes.saturating_sub(last.bytes));
        let mut lines = Vec::new();
        for (count, row) in rows.iter().enumerate() {
            let before = lines.len();
            row.push(&mut lines)?;
            if count == 0 && lines.len() as u64 > room {
                // A segment of its own, even where one line is longer than a segment should be.
                (self.open, room) = (false, self.segment_bytes);
            } else if lines.len() as u64 > room {
                lines.truncate(before);
                return Ok((lines, count));
            }
        }
        Ok((lines, rows.len()))
    }

    /// Appends lines that [`Shelf::fill`] made.
    pub(super) fn append(&mut self, home: &mut Home, lines: &[u8], rows: usize) -> io::Result<()> {
        if !self.open || self.segments.is_empty() {
            self.segments.push_back(Segment::new(self.next_number));
            self.next_number += 1;
        }
        // After a failed write nobody knows what the file's end is like: the next one gets a new file.
        self.open = false;
        let Some(last) = self.segments.back_mut() else { return Ok(()) };
        let (name, length) = (last.name(), last.bytes);
        home.append(&name, length, lines)?;
        last.bytes += lines.len() as u64;
        last.rows += rows as u64;
        self.open = true;
        Ok(())
    }

    /// The oldest that may be dropped.
    pub(super) fn oldest(&self) -> Option<&Segment> {
        self.segments.iter().find(|segment| Some(segment.number) != self.reading)
    }

    /// Nothing of a segment is to be read any more, whether its file can be removed or not.
    pub(super) fn give_up(&mut self, number: u64) {
        if let Some(segment) = self.segments.iter_mut().find(|segment| segment.number == number) {
            segment.done = Mark { bytes: segment.bytes, rows: segment.rows };
        }
    }

    /// Removes a segment with all that is in it.
    pub(super) fn remove(&mut self, home: &mut Home, number: u64) -> io::Result<()> {
        let Some(index) = self.segments.iter().position(|segment| segment.number == number) else {
            return Ok(());
        };
        home.remove(&self.segments[index].name())?;
        self.open &= index + 1 < self.segments.len();
        self.segments.remove(index);
        Ok(())
    }

    /// At most so many rows of the oldest segment, which takes no more from then on; `None`: nothing waits. Where its file
    /// is gone, the error says so ([`ErrorKind::NotFound`]).
    pub(super) fn page(&mut self, home: &mut Home, limit: u64) -> io::Result<Option<Page>> {
        self.reading = None;
        while let Some(first) = self.segments.front() {
            let number = first.number;
            if first.left() == 0 {
                self.remove(home, number)?;
                continue;
            }
            let lines = first.read(home, limit)?;
            if lines.end.rows == first.done.rows {
                return Err(ErrorKind::NotFound.into());
            }
            self.open &= self.segments.len() > 1;
            self.reading = Some(number);
            return Ok(Some(Page { number, rows: lines.rows, damaged: lines.damaged, end: lines.end }));
        }
        Ok(None)
    }

    /// The store has a page; or it did not take it, and it waits on.
    pub(super) fn turn(&mut self, home: &mut Home, page: &Page, taken: bool) -> io::Result<()> {
        self.reading = None;
        let Some(first) = self.segments.front_mut().filter(|first| taken && first.number == page.number)
        else {
            return Ok(());
        };
        first.done = page.end;
        if first.left() > 0 { Ok(()) } else { self.remove(home, page.number) }
    }

    /// A segment was written anew, without what is done, in so many lines.
    pub(super) fn rewritten(&mut self, number: u64, bytes: u64, rows: u64) {
        if let Some(segment) = self.segments.iter_mut().find(|segment| segment.number == number) {
            (segment.bytes, segment.rows, segment.done) = (bytes, rows, Mark::default());
        }
    }
}
