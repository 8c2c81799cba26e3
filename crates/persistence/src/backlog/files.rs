//! Files of the backlog: private, whole, and synced together with their names.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::BacklogError;

/// Readable by the owner alone: it says who did what.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;
const LOCK: &str = "lock";
/// What is written before it is renamed. Left behind by a crash, it is nothing.
const NEW: &str = "new";

/// The directory of a backlog, and how often it and its files were synced.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    pub(super) syncs: u64,
    _lock: File,
}

impl Home {
    /// Makes the directory where it is not there, and takes its lock.
    pub(super) fn open(path: PathBuf) -> Result<Self, BacklogError> {
        let failed = |source| BacklogError::Io { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(&path).map_err(failed)?;
        // What is put into it is as safe as its own name.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new("."))).and_then(|parent| parent.sync_all()).map_err(failed)?;
        let lock = lock(&path)?;
        absent(fs::remove_file(path.join(NEW))).map_err(failed)?;
        Ok(Self { path, syncs: 0, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn failed(&self, source: io::Error) -> BacklogError {
        BacklogError::Io { path: self.path.clone(), source }
    }

    /// The names in it, sorted, but for the lock's.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for file in fs::read_dir(&self.path)? {
            names.push(file?.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| name != LOCK);
        names.sort();
        Ok(names)
    }

    /// All of a file; of one that is not there, nothing.
    pub(super) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        match fs::read(self.path.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        }
    }

    /// Appends to a file that has `length` bytes, and syncs it; a new one together with its name. Where that fails, the
    /// file is cut to what it was, at the latest by the next call.
    pub(super) fn append(&mut self, name: &str, length: u64, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.join(name);
        let is_new = !path.exists();
        let mut file = OpenOptions::new().append(true).create(true).mode(PRIVATE_FILE).open(path)?;
        if file.metadata()?.len() > length {
            file.set_len(length)?;
        }
        let written = file.write_all(bytes).and_then(|()| file.sync_data());
        if written.is_err() {
            let _ = file.set_len(length);
        }
        written?;
        self.syncs += 1;
        if is_new { self.sync() } else { Ok(()) }
    }

    /// Puts a file in the place of another, whole.
    pub(super) fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.join(NEW);
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(PRIVATE_FILE).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        self.syncs += 1;
        fs::rename(new, self.path.join(name))?;
        self.sync()
    }

    /// Cuts a file.
    pub(super) fn cut(&mut self, name: &str, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(self.path.join(name))?;
        file.set_len(length)?;
        file.sync_all()?;
        self.syncs += 1;
        Ok(())
    }

    /// Removes a file, or has removed it before.
    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        absent(fs::remove_file(self.path.join(name)))?;
        self.sync()
    }

    /// A name is on the disk when its directory is.
    fn sync(&mut self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        self.syncs += 1;
        Ok(())
    }
}

fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn lock(directory: &Path) -> Result<File, BacklogError> {
    let failed = |source| BacklogError::Io { path: directory.to_owned(), source };
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(PRIVATE_FILE);
    let file = options.open(directory.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BacklogError::Locked { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
