//! The whole directory, as whoever has it reads and writes it. Blocks while the disk works.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    path::PathBuf,
};

use model::limits::BACKLOG_SEGMENT_BYTES;

use super::{
    BacklogError, Loss, Page,
    aside::Aside,
    files::Home,
    gaps::Gaps,
    latest::{Latest, Newest},
    line::{self, MarkedGap},
    segment::Segment,
    shelf::Shelf,
};
use crate::{ActivityRow, Gap, GapReason, LastSeen, Stretch};

pub(super) const LAST_SEEN: &str = "last-seen.ndjson";
pub(super) const STRETCHES: &str = "stretches.ndjson";
const GAPS: &str = "gaps.ndjson";
const REFUSED: &str = "refused.ndjson";
const DAMAGED: &str = "corrupt.txt";
const OWN: &[&str] = &[LAST_SEEN, STRETCHES, GAPS, REFUSED, DAMAGED];
/// Of all bytes, what one segment has at most: in a small backlog not everything is dropped at once.
const SEGMENT_PART: u64 = 8;

/// The files, and what is known of them.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(super) home: Home,
    pub(super) shelf: Shelf,
    pub(super) last_seen: Latest<LastSeen>,
    pub(super) stretches: Latest<Stretch>,
    pub(super) refused: Aside,
    pub(super) damaged: Aside,
    gaps: Gaps,
    marks: Latest<MarkedGap>,
    /// What the newest states were when the directory was opened, until the writer has them.
    pub(super) found: (Vec<LastSeen>, Vec<Stretch>),
    max_bytes: u64,
    damaged_lines: u64,
    torn_lines: u64,
    dropped_rows: u64,
}

/// How it stands with a backlog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Rows of activity that wait.
    pub(crate) activity_rows: u64,
    /// Bytes of all files.
    pub(crate) bytes: u64,
    /// Lines of last-seen, old ones included.
    pub(crate) last_seen_lines: u64,
    /// And their bytes.
    pub(crate) last_seen_bytes: u64,
    /// Lines of stretches, old ones included.
    pub(crate) stretch_lines: u64,
    /// And their bytes.
    pub(crate) stretch_bytes: u64,
    /// Marks that wait.
    pub(crate) gaps: u64,
    /// Lines that did not check.
    pub(crate) damaged_lines: u64,
    /// Last lines that broke off.
    pub(crate) torn_lines: u64,
    /// Rows of activity dropped because all was full.
    pub(crate) dropped_rows: u64,
    /// Calls that waited for the disk.
    pub(crate) syncs: u64,
}

/// What became of activity.
#[derive(Debug)]
pub(crate) struct Appended {
    /// What is not on the disk, because of the error.
    pub(crate) rest: VecDeque<ActivityRow>,
    pub(crate) result: Result<(), BacklogError>,
}

/// A row that the store will never take.
pub(crate) enum Refused {
    LastSeen(LastSeen),
    Activity(ActivityRow),
    Stretch(Stretch),
}

impl Disk {
    pub(super) fn open(directory: PathBuf, max_bytes: u64) -> Result<Self, BacklogError> {
        let path = directory.clone();
        let home = Home::open(directory)?;
        Self::read(home, max_bytes).map_err(|source| BacklogError::Io { path, source })
    }

    fn read(mut home: Home, max_bytes: u64) -> io::Result<Self> {
        let segment_bytes = BACKLOG_SEGMENT_BYTES.min(max_bytes / SEGMENT_PART);
        let numbers = numbers(&home)?;
        let (shelf, torn) = Shelf::open(&mut home, &numbers, segment_bytes)?;
        let (last_seen, seen) = Latest::<LastSeen>::open(&mut home, LAST_SEEN)?;
        let (stretches, stretched) = Latest::<Stretch>::open(&mut home, STRETCHES)?;
        let (marks, marked) = Latest::<MarkedGap>::open(&mut home, GAPS)?;
        let torn_lines = torn + [seen.torn, stretched.torn, marked.torn].map(u64::from).iter().sum::<u64>();
        let mut disk = Self {
            shelf,
            last_seen,
            stretches,
            refused: Aside::open(&home, REFUSED)?,
            damaged: Aside::open(&home, DAMAGED)?,
            home,
            gaps: Gaps::of(marked.rows),
            marks,
            found: (seen.rows, stretched.rows),
            max_bytes,
            damaged_lines: 0,
            torn_lines,
            dropped_rows: 0,
        };
        disk.set_aside(&[seen.damaged, marked.damaged].concat(), None)?;
        let lost = stretched.damaged.len() as u64;
        disk.set_aside(&stretched.damaged, Some(Loss::unknown(lost)))?;
        Ok(disk)
    }

    pub(crate) fn figures(&self) -> Figures {
        Figures {
            activity_rows: self.shelf.rows(),
            bytes: self.used(),
            last_seen_lines: self.last_seen.lines,
            last_seen_bytes: self.last_seen.bytes,
            stretch_lines: self.stretches.lines,
            stretch_bytes: self.stretches.bytes,
            gaps: self.gaps.len(),
            damaged_lines: self.damaged_lines,
            torn_lines: self.torn_lines,
            dropped_rows: self.dropped_rows,
            syncs: self.home.syncs,
        }
    }

    /// What the newest states were when the directory was opened. They wait on, in memory and on the disk.
    pub(crate) fn take_found(&mut self) -> (Vec<LastSeen>, Vec<Stretch>) {
        std::mem::take(&mut self.found)
    }

    /// Puts activity on the disk. Where there is no more room, the oldest on the disk is dropped, and marked.
    pub(crate) fn append_activity(&mut self, rows: VecDeque<ActivityRow>) -> Appended {
        let mut rest = rows;
        while !rest.is_empty() {
            if let Err(error) = self.append_some(&mut rest) {
                return Appended { rest, result: Err(self.home.failed(error)) };
            }
        }
        Appended { rest, result: Ok(()) }
    }

    fn append_some(&mut self, rows: &mut VecDeque<ActivityRow>) -> io::Result<()> {
        let (lines, count) = self.shelf.fill(rows)?;
        if self.make_room(lines.len() as u64)? {
            self.shelf.append(&mut self.home, &lines, count)?;
            rows.drain(..count);
            return Ok(());
        }
        self.dropped_rows += count as u64;
        match Loss::sum(rows.drain(..count).map(|row| Loss::of(row.at))) {
            Some(loss) => self.note_loss(GapReason::Full, loss),
            None => Ok(()),
        }
    }

    /// Puts the newest last-seen on the disk.
    pub(crate) fn save_last_seen(&mut self, newest: &Newest<LastSeen>) -> Result<(), BacklogError> {
        let lines = line::lines(&newest.rows).map_err(|error| self.home.failed(error))?;
        self.room_for(&lines, if newest.whole { self.last_seen.bytes } else { 0 })?;
        let saved = self.last_seen.save(&mut self.home, &lines, newest);
        saved.map_err(|error| self.home.failed(error))
    }

    /// Puts the newest state of stretches on the disk.
    pub(crate) fn save_stretches(&mut self, newest: &Newest<Stretch>) -> Result<(), BacklogError> {
        let lines = line::lines(&newest.rows).map_err(|error| self.home.failed(error))?;
        self.room_for(&lines, if newest.whole { self.stretches.bytes } else { 0 })?;
        let saved = self.stretches.save(&mut self.home, &lines, newest);
        saved.map_err(|error| self.home.failed(error))
    }

    /// Nothing of the newest states waits any more.
    pub(crate) fn clear_newest(&mut self) -> Result<(), BacklogError> {
        let cleared = self.last_seen.put(&mut self.home, &[], 0);
        let cleared = cleared.and_then(|()| self.stretches.put(&mut self.home, &[], 0));
        cleared.map_err(|error| self.home.failed(error))
    }

    fn room_for(&mut self, lines: &[u8], freed: u64) -> Result<(), BacklogError> {
        match self.make_room((lines.len() as u64).saturating_sub(freed)) {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(BacklogError::Full { path: self.home.path().to_owned(), max_bytes: self.max_bytes })
            }
            Err(error) => Err(self.home.failed(error)),
        }
    }

    /// At most so many rows of the oldest activity. To be given back with [`Disk::turn`].
    pub(crate) fn page(&mut self, limit: u64) -> Result<Option<Page>, BacklogError> {
        match self.shelf.page(&mut self.home, limit) {
            Err(error) if error.kind() == ErrorKind::NotFound => self.miss_oldest().map(|()| None),
            page => page,
        }
        .map_err(|error| self.home.failed(error))
    }

    /// The store has a page; or it did not take it, and it waits on.
    pub(crate) fn turn(&mut self, page: &Page, taken: bool) -> Result<(), BacklogError> {
        if taken && !page.damaged.is_empty() {
            let near = Loss::sum(page.rows.iter().map(|row| Loss::of(row.at)));
            let rows = page.damaged.len() as u64;
            let loss = Loss { rows, ..near.unwrap_or_else(|| Loss::unknown(rows)) };
            self.set_aside(&page.damaged, Some(loss)).map_err(|error| self.home.failed(error))?;
        }
        self.shelf.turn(&mut self.home, page, taken).map_err(|error| self.home.failed(error))
    }

    /// The oldest segment's file is gone, by no act of the hub's.
    fn miss_oldest(&mut self) -> io::Result<()> {
        let Some(first) = self.shelf.segments.front() else { return Ok(()) };
        let (number, rows) = (first.number, first.left());
        self.damaged_lines += rows;
        self.note_loss(GapReason::Corrupt, Loss::unknown(rows))?;
        self.shelf.remove(&mut self.home, number)
    }

    /// Keeps a row that the store will never take, and marks its absence.
    pub(crate) fn refuse(&mut self, row: &Refused) -> Result<(), BacklogError> {
        let (line, loss) = match row {
            Refused::LastSeen(row) => (line::lines([row]), None),
            Refused::Activity(row) => (line::lines([row]), Some(Loss::of(row.at))),
            Refused::Stretch(row) => {
                (line::lines([row]), Some(Loss::of(row.id.started).and(Loss::of(row.seen))))
            }
        };
        let room = self.max_bytes.saturating_sub(self.used());
        let kept = line.and_then(|line| self.refused.put(&mut self.home, &line, room));
        let marked = loss.map_or(Ok(()), |loss| self.note_loss(GapReason::Refused, Loss { rows: 1, ..loss }));
        kept.and(marked).map_err(|error| self.home.failed(error))
    }

    /// Marks that rows had to be dropped. Where the mark cannot be saved, it waits in memory alone.
    pub(crate) fn lost(&mut self, reason: GapReason, loss: Loss) -> Result<(), BacklogError> {
        self.note_loss(reason, loss).map_err(|error| self.home.failed(error))
    }

    /// The mark to give to the store next.
    pub(crate) fn next_gap(&mut self) -> Result<Option<Gap>, BacklogError> {
        let (gap, changed) = self.gaps.next();
        if changed {
            self.save_gaps().map_err(|error| self.home.failed(error))?;
        }
        Ok(gap)
    }

    /// The store has that mark, or never will.
    pub(crate) fn gap_settled(&mut self) -> Result<(), BacklogError> {
        self.gaps.settled();
        self.save_gaps().map_err(|error| self.home.failed(error))
    }

    fn note_loss(&mut self, reason: GapReason, loss: Loss) -> io::Result<()> {
        self.gaps.add(reason, loss);
        self.save_gaps()
    }

    fn save_gaps(&mut self) -> io::Result<()> {
        self.marks.replace(&mut self.home, &self.gaps.lines())
    }

    fn set_aside(&mut self, damaged: &[Vec<u8>], loss: Option<Loss>) -> io::Result<()> {
        if damaged.is_empty() {
            return Ok(());
        }
        self.damaged_lines += damaged.len() as u64;
        let room = self.max_bytes.saturating_sub(self.used());
        self.damaged.put(&mut self.home, &damaged.concat(), room)?;
        loss.map_or(Ok(()), |loss| self.note_loss(GapReason::Corrupt, loss))
    }

    /// Drops the oldest activity until so many bytes have room; whether they do.
    fn make_room(&mut self, bytes: u64) -> io::Result<bool> {
        while self.used() + bytes > self.max_bytes {
            let Some(oldest) = self.shelf.oldest() else { return Ok(false) };
            let (number, loss) = (oldest.number, oldest.loss(&self.home));
            // First the mark: a crash in between counts rows too many, never too few.
            let marked = loss.map_or(Ok(()), |loss| self.note_loss(GapReason::Full, loss));
            self.dropped_rows += loss.map_or(0, |loss| loss.rows);
            self.shelf.give_up(number);
            self.shelf.remove(&mut self.home, number)?;
            marked?;
        }
        Ok(true)
    }

    fn used(&self) -> u64 {
        let newest = self.last_seen.bytes + self.stretches.bytes + self.marks.bytes;
        self.shelf.bytes() + newest + self.refused.bytes + self.damaged.bytes
    }
}

/// The numbers of the segments, oldest first. Names that are nobody's are named in a warning.
fn numbers(home: &Home) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for name in home.names()? {
        match Segment::number_of(&name) {
            Some(number) => numbers.push(number),
            None if OWN.contains(&name.as_str()) => {}
            None => tracing::warn!(name, directory = %home.path().display(),
                "the backlog has a file that no hub wrote; it is left alone"),
        }
    }
    Ok(numbers)
}
