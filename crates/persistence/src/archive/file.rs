//! A week of the activity log as a file: gzip, one JSON object a line, in the order of the rows' ids.
//!
//! The first line says what it is; any `zcat` reads it. A file that ends early, or in which a bit is another one, is
//! noticed when it is read, by gzip's own sum. It is never taken for a file with fewer rows.

use std::{
    fs::{File, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chrono::DateTime;
use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use model::{UserId, Wall};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ArchiveError, Week};

/// Readable by the owner alone: it says who did what.
pub(super) const PRIVATE_FILE: u32 = 0o600;
/// Bytes of one line. A row that a hub wrote has less than 4 KiB; what a damaged file makes of it may be endless.
const LINE_BYTES: u64 = 16 * 1024 * 1024;
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    presence_hub: String,
    version: u32,
    week: String,
}

/// What a file holds, so that two readings can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Rows, without the header.
    pub rows: u64,
    digest: u64,
}

#[derive(Default)]
struct Summing {
    rows: u64,
    digest: DefaultHasher,
}

impl Summing {
    fn add(&mut self, row: &str) {
        self.rows += 1;
        row.hash(&mut self.digest);
    }

    fn sum(&self) -> Sum {
        Sum { rows: self.rows, digest: self.digest.finish() }
    }
}

/// A row, and what of it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name: rows of a file have different ones.
    pub id: Uuid,
    /// Who did it.
    pub user: UserId,
    /// When.
    pub at: Wall,
    /// All of it, as the store wrote it.
    pub text: String,
}

#[derive(Deserialize)]
struct Fields {
    id: Uuid,
    user_id: UserId,
    timestamp: Timestamp,
}

/// As the stores write it: milliseconds, or RFC 3339.
#[derive(Deserialize)]
#[serde(untagged)]
enum Timestamp {
    Millis(i64),
    Text(String),
}

impl Timestamp {
    fn wall(&self) -> Result<Wall, chrono::ParseError> {
        match self {
            Self::Millis(at) => Ok(Wall(*at)),
            Self::Text(text) => DateTime::parse_from_rfc3339(text).map(|at| Wall(at.timestamp_millis())),
        }
    }
}

impl Row {
    /// A row as a store wrote it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: String) -> Result<Self, String> {
        if text.contains('\n') {
            return Err("a row of several lines".to_owned());
        }
        let fields: Fields = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let at = fields.timestamp.wall().map_err(|error| format!("timestamp: {error}"))?;
        Ok(Self { id: fields.id, user: fields.user_id, at, text })
    }
}

/// A file that is being written.
pub struct FileWriter {
    path: PathBuf,
    out: GzEncoder<BufWriter<File>>,
    last: Option<Uuid>,
    summing: Summing,
}

impl FileWriter {
    /// Begins a file, in the place of whatever has its name.
    pub(super) fn create(path: &Path, week: Week) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::io(path, source);
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(PRIVATE_FILE);
        let file = BufWriter::new(options.open(path).map_err(failed)?);
        let mut out = GzEncoder::new(file, Compression::default());
        let header = Header { presence_hub: "activity".into(), version: VERSION, week: week.to_string() };
        serde_json::to_writer(&mut out, &header).map_err(|error| failed(error.into()))?;
        out.write_all(b"\n").map_err(failed)?;
        Ok(Self { path: path.to_owned(), out, last: None, summing: Summing::default() })
    }

    /// Writes the next row.
    ///
    /// # Errors
    /// [`ArchiveError::Unfit`] where its id does not come after the one before, and [`ArchiveError::Io`].
    pub fn push(&mut self, row: &Row) -> Result<(), ArchiveError> {
        if self.last.is_some_and(|last| last >= row.id) {
            return Err(self.unfit(format!("{} is out of order", row.id)));
        }
        self.last = Some(row.id);
        self.summing.add(&row.text);
        let written = self.out.write_all(row.text.as_bytes()).and_then(|()| self.out.write_all(b"\n"));
        written.map_err(|source| ArchiveError::io(&self.path, source))
    }

    fn unfit(&self, reason: String) -> ArchiveError {
        ArchiveError::Unfit { path: self.path.clone(), reason }
    }

    /// Ends it; what it holds is on the disk then.
    pub(super) fn finish(self) -> Result<Sum, ArchiveError> {
        let failed = |source| ArchiveError::io(&self.path, source);
        let buffer = self.out.finish().map_err(failed)?;
        let file = buffer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        Ok(self.summing.sum())
    }
}

/// A file that is being read.
pub struct FileReader {
    path: PathBuf,
    lines: BufReader<GzDecoder<BufReader<File>>>,
    last: Option<Uuid>,
    summing: Summing,
}

impl FileReader {
    /// Opens a file of that week.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] where it is of something else, and [`ArchiveError::Io`].
    pub fn open(path: &Path, week: Week) -> Result<Self, ArchiveError> {
        let file = File::open(path).map_err(|source| ArchiveError::io(path, source))?;
        let lines = BufReader::new(GzDecoder::new(BufReader::new(file)));
        let (path, summing) = (path.to_owned(), Summing::default());
        let mut reader = Self { path, lines, last: None, summing };
        let header = reader.line()?.ok_or_else(|| reader.damaged("it is empty"))?;
        match serde_json::from_str(&header) {
            Ok(Header { version: VERSION, week: name, .. }) if name == week.to_string() => Ok(reader),
            _ => Err(reader.damaged(format!("its first line is not that of the week {week}"))),
        }
    }

    /// The next row; `None`: it was read to its end, and nothing is missing.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] and [`ArchiveError::Io`].
    pub fn next_row(&mut self) -> Result<Option<Row>, ArchiveError> {
        let Some(line) = self.line()? else {
            return self.ended().map(|()| None);
        };
        let row = Row::parse(line).map_err(|reason| self.damaged(reason))?;
        if self.last.is_some_and(|last| last >= row.id) {
            return Err(self.damaged(format!("row {} is out of order", row.id)));
        }
        self.last = Some(row.id);
        self.summing.add(&row.text);
        Ok(Some(row))
    }

    /// Reads what is left; what the whole file holds.
    ///
    /// # Errors
    /// As [`FileReader::next_row`].
    pub fn sum(mut self) -> Result<Sum, ArchiveError> {
        while self.next_row()?.is_some() {}
        Ok(self.summing.sum())
    }

    fn line(&mut self) -> Result<Option<String>, ArchiveError> {
        let mut line = Vec::new();
        let read = self.lines.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line);
        if read.map_err(|source| self.failed(source))? == 0 {
            return Ok(None);
        }
        if line.pop() != Some(b'\n') {
            return Err(self.damaged("a line has no end"));
        }
        String::from_utf8(line).map(Some).map_err(|_| self.damaged("a line is not UTF-8"))
    }

    /// Behind the end of what gzip reads there has to be nothing.
    fn ended(&mut self) -> Result<(), ArchiveError> {
        let behind = self.lines.get_mut().get_mut().fill_buf().map(|rest| !rest.is_empty());
        match behind.map_err(|source| ArchiveError::io(&self.path, source))? {
            true => Err(self.damaged("something follows its end")),
            false => Ok(()),
        }
    }

    fn failed(&self, source: io::Error) -> ArchiveError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match source.kind() {
            UnexpectedEof => self.damaged("it ends early"),
            InvalidData | InvalidInput => self.damaged(source.to_string()),
            _ => ArchiveError::io(&self.path, source),
        }
    }

    fn damaged(&self, reason: impl Into<String>) -> ArchiveError {
        ArchiveError::Damaged { path: self.path.clone(), reason: reason.into() }
    }
}

/// Writes rows together with those of an older file of the same week, each once.
pub struct Merge {
    writer: FileWriter,
    older: Option<(FileReader, Option<Row>)>,
}

impl Merge {
    /// Begins to write.
    ///
    /// # Errors
    /// As [`FileReader::next_row`].
    pub fn new(writer: FileWriter, older: Option<FileReader>) -> Result<Self, ArchiveError> {
        let older = older.map(|mut reader| reader.next_row().map(|next| (reader, next)));
        Ok(Self { writer, older: older.transpose()? })
    }

    /// Writes a row, and those of the older file that come before it. Where both have it, this one is written.
    ///
    /// # Errors
    /// As [`FileWriter::push`] and [`FileReader::next_row`].
    pub fn push(&mut self, row: &Row) -> Result<(), ArchiveError> {
        if let Some((reader, next)) = &mut self.older {
            while let Some(older) = next.take_if(|older| older.id <= row.id) {
                if older.id < row.id {
                    self.writer.push(&older)?;
                }
                *next = reader.next_row()?;
            }
        }
        self.writer.push(row)
    }

    /// That a row of the store cannot be written.
    pub(crate) fn unfit(&self, reason: String) -> ArchiveError {
        self.writer.unfit(reason)
    }

    /// Writes what is left of the older file.
    ///
    /// # Errors
    /// As [`Merge::push`].
    pub fn finish(mut self) -> Result<FileWriter, ArchiveError> {
        if let Some((mut reader, mut next)) = self.older {
            while let Some(older) = next {
                self.writer.push(&older)?;
                next = reader.next_row()?;
            }
        }
        Ok(self.writer)
    }
}

#[cfg(test)]
mod tests;
