//! The folder of the archive: one file a week, written under another name and renamed when it is whole.
//!
//! Whoever opens it has it alone, so that what one job writes no other reads half done. It has a name of its own, which the
//! store remembers: a hub with another folder must not believe that nothing was archived.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::{
    ArchiveError, Week,
    file::{FileReader, FileWriter, PRIVATE_FILE, Sum},
};

const PRIVATE_FOLDER: u32 = 0o700;
const BEGINNING: &str = "activity-";
const ENDING: &str = ".ndjson.gz";
/// What is not whole yet. Left by whoever was killed, it is removed.
const UNFINISHED: &str = ".new";
const LOCK: &str = "lock";
const NAME: &str = "archive-id";

/// The folder of the archive, held alone.
#[derive(Debug)]
pub struct ArchiveFolder {
    path: PathBuf,
    id: Uuid,
    _lock: File,
}

impl ArchiveFolder {
    /// The name of the folder at `path`; `None`: there is none yet. Takes no lock, and makes nothing.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], and [`ArchiveError::Damaged`] where its name is none.
    pub fn id_of(path: &Path) -> Result<Option<Uuid>, ArchiveError> {
        let file = path.join(NAME);
        match fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map(Some).map_err(|_| ArchiveError::Damaged {
                path: file,
                reason: "it does not hold the id of an archive".to_owned(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ArchiveError::io(&file, source)),
        }
    }

    /// Opens the folder, making it where it is not there, and removes what a killed hub left unfinished.
    ///
    /// # Errors
    /// [`ArchiveError::Locked`] and those of [`ArchiveFolder::id_of`].
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::io(path, source);
        DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(path).map_err(failed)?;
        let lock = lock(path)?;
        let id = match Self::id_of(path)? {
            Some(id) => id,
            None => name(path).map_err(failed)?,
        };
        let folder = Self { path: path.to_owned(), id, _lock: lock };
        folder.remove_unfinished().map_err(failed)?;
        Ok(folder)
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The weeks of which it has files, oldest first.
    ///
    /// # Errors
    /// [`ArchiveError::Io`].
    pub fn weeks(&self) -> Result<Vec<Week>, ArchiveError> {
        let names = self.names().map_err(|source| ArchiveError::io(&self.path, source))?;
        let week = |name: &String| Week::named(name.strip_prefix(BEGINNING)?.strip_suffix(ENDING)?);
        let mut weeks: Vec<_> = names.iter().filter_map(week).collect();
        weeks.sort_unstable();
        Ok(weeks)
    }

    /// The file of a week; `None`: there is none.
    ///
    /// # Errors
    /// As [`FileReader::open`].
    pub fn read(&self, week: Week) -> Result<Option<FileReader>, ArchiveError> {
        let path = self.file(week);
        match path.try_exists() {
            Ok(true) => FileReader::open(&path, week).map(Some),
            Ok(false) => Ok(None),
            Err(source) => Err(ArchiveError::io(&path, source)),
        }
    }

    /// Begins the file of a week. Nobody sees it before [`ArchiveFolder::publish`].
    ///
    /// # Errors
    /// [`ArchiveError::Io`].
    pub fn begin(&self, week: Week) -> Result<FileWriter, ArchiveError> {
        FileWriter::create(&self.unfinished(week), week)
    }

    /// Ends a file that was begun, reads it back whole, and puts it in the place of the one before. What it holds.
    ///
    /// # Errors
    /// [`ArchiveError::Differs`] where what is read is not what was written; the file before is untouched then.
    pub fn publish(&self, week: Week, writer: FileWriter) -> Result<Sum, ArchiveError> {
        let written = writer.finish()?;
        let unfinished = self.unfinished(week);
        let read = FileReader::open(&unfinished, week)?.sum()?;
        if read != written {
            return Err(ArchiveError::Differs { path: unfinished, written: written.rows, read: read.rows });
        }
        let file = self.file(week);
        fs::rename(unfinished, &file).map_err(|source| ArchiveError::io(&file, source))?;
        sync(&self.path).map_err(|source| ArchiveError::io(&self.path, source))?;
        Ok(read)
    }

    /// Forgets a file that was begun.
    ///
    /// # Errors
    /// [`ArchiveError::Io`].
    pub fn discard(&self, week: Week) -> Result<(), ArchiveError> {
        let unfinished = self.unfinished(week);
        fs::remove_file(&unfinished).map_err(|source| ArchiveError::io(&unfinished, source))
    }

    fn file(&self, week: Week) -> PathBuf {
        self.path.join(format!("{BEGINNING}{week}{ENDING}"))
    }

    fn unfinished(&self, week: Week) -> PathBuf {
        self.path.join(format!("{BEGINNING}{week}{ENDING}{UNFINISHED}"))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        Ok(entries.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn remove_unfinished(&self) -> io::Result<()> {
        for name in self.names()?.iter().filter(|name| name.ends_with(UNFINISHED)) {
            fs::remove_file(self.path.join(name))?;
        }
        Ok(())
    }
}

fn lock(folder: &Path) -> Result<File, ArchiveError> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(PRIVATE_FILE);
    let file = options.open(&path).map_err(|source| ArchiveError::io(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ArchiveError::Locked { path: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(ArchiveError::io(&path, source)),
    }
}

/// Gives the folder a name. It and its parent are on the disk before anything is put into it.
fn name(folder: &Path) -> io::Result<Uuid> {
    let id = Uuid::new_v4();
    let unfinished = folder.join(format!("{NAME}{UNFINISHED}"));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(PRIVATE_FILE).open(&unfinished)?;
    writeln!(file, "{id}")?;
    file.sync_all()?;
    fs::rename(unfinished, folder.join(NAME))?;
    sync(folder)?;
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync(parent.unwrap_or(Path::new(".")))?;
    Ok(id)
}

/// A name is on the disk when its folder is.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
