//! Changes of settings that were acknowledged while the database was out of reach, on the hub's own disk.
//!
//! One file a change, written whole, synced and renamed into place, so that a crash leaves it or does not. The names
//! sort in the order in which the changes were made. Only changes that hide are ever put here.

mod entry;

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use model::{UserId, limits};

use crate::{OperationId, SettingsChange};

/// Readable by the owner alone: it says who hides.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;
const ENDING: &str = ".json";
const LOCK: &str = "lock";

/// Why there is no spool, or why it did not take a change.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process has it.
    #[error("the spool {} is in use by another presence-hub; give each hub a store.spool_path of its own", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A file in it was not written by a hub, or is damaged.
    #[error("the spool has a file that no hub wrote: {}; look at it, and move it away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The name waits with another body.
    #[error("this operation id waits with another body")]
    Conflict,
    /// It holds [`limits::SPOOLED_CHANGES`], or [`limits::SPOOLED_CHANGES_OF_A_USER`] of this one.
    #[error("the spool is full: as many changes wait for the database as may")]
    Full,
    /// The file system refused.
    #[error("the spool {} cannot be used: {source}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The changes that wait, on disk and in memory. Clones share them.
#[derive(Clone, Debug)]
pub struct Spool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    directory: PathBuf,
    waiting: Mutex<BTreeMap<u64, SettingsChange>>,
    /// Held while a file is written or removed, so that those who only look never wait for the disk.
    disk: Mutex<()>,
    _lock: File,
}

impl Spool {
    /// Opens the directory, making it where it is not there, and reads what waits in it.
    ///
    /// # Errors
    /// [`SpoolError`]: without a spool no hub should start.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, SpoolError> {
        let directory = directory.into();
        let failed = |source| SpoolError::Io { path: directory.clone(), source };
        DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(&directory).map_err(failed)?;
        // What is put into it is as safe as its own name.
        let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new("."))).and_then(|parent| parent.sync_all()).map_err(failed)?;
        let lock = lock(&directory)?;
        let waiting = Mutex::new(read_all(&directory)?);
        Ok(Self { shared: Arc::new(Shared { directory, waiting, disk: Mutex::default(), _lock: lock }) })
    }

    /// What waits, in the order in which it was put.
    #[must_use]
    pub fn waiting(&self) -> Vec<SettingsChange> {
        self.shared.waiting(|waiting| waiting.values().cloned().collect())
    }

    /// What waits of one user, in order.
    #[must_use]
    pub fn waiting_of(&self, user: UserId) -> Vec<SettingsChange> {
        self.shared
            .waiting(|waiting| waiting.values().filter(|change| change.user == user).cloned().collect())
    }

    /// Whether a change of this name waits.
    #[must_use]
    pub fn holds(&self, user: UserId, operation: OperationId) -> bool {
        self.shared.find(user, Some(operation)).is_some()
    }

    /// How many changes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.waiting(|waiting| waiting.len())
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a change that has a name; returns when it is on the disk. The same change again changes nothing.
    ///
    /// # Errors
    /// [`SpoolError::Conflict`], [`SpoolError::Full`] and [`SpoolError::Io`]; nothing was put then.
    pub async fn put(&self, change: SettingsChange) -> Result<(), SpoolError> {
        let shared = self.shared.clone();
        shared.on_disk(move |shared| shared.put(change)).await
    }

    /// Takes a change out, once it is committed or can never be.
    ///
    /// # Errors
    /// [`SpoolError::Io`]; the change then waits on, and is committed again to no effect.
    pub async fn remove(&self, user: UserId, operation: OperationId) -> Result<(), SpoolError> {
        let shared = self.shared.clone();
        shared.on_disk(move |shared| shared.remove(user, operation)).await
    }
}

impl Shared {
    /// The lock is held for one operation on the map.
    fn waiting<T>(&self, act: impl FnOnce(&mut BTreeMap<u64, SettingsChange>) -> T) -> T {
        act(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Disks may take their time: not on a thread of the runtime.
    async fn on_disk<T: Send + 'static>(
        self: Arc<Self>,
        act: impl FnOnce(&Self) -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let directory = self.directory.clone();
        match tokio::task::spawn_blocking(move || act(&self)).await {
            Ok(done) => done,
            Err(broken) => Err(SpoolError::Io { path: directory, source: io::Error::other(broken) }),
        }
    }

    fn put(&self, change: SettingsChange) -> Result<(), SpoolError> {
        let _disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = self.find(change.user, change.operation) {
            let same = self.waiting(|all| all.get(&waiting).is_some_and(|it| it.patch == change.patch));
            return if same { Ok(()) } else { Err(SpoolError::Conflict) };
        }
        let last = self.waiting(|waiting| waiting.last_key_value().map(|(last, _)| *last));
        if self.is_full_for(change.user) {
            return Err(SpoolError::Full);
        }
        let number = last.map_or(0, |last| last + 1);
        let text = entry::write(&change).ok_or_else(|| self.failed(io::ErrorKind::InvalidInput.into()))?;
        self.write(number, &text).map_err(|source| self.failed(source))?;
        self.waiting(|waiting| waiting.insert(number, SettingsChange { belated: true, ..change }));
        Ok(())
    }

    fn remove(&self, user: UserId, operation: OperationId) -> Result<(), SpoolError> {
        let _disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(number) = self.find(user, Some(operation)) else { return Ok(()) };
        match fs::remove_file(self.path(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.failed(error)),
            // Removed before, by an attempt that could not be synced.
            _ => self.sync().map_err(|error| self.failed(error))?,
        }
        self.waiting(|waiting| waiting.remove(&number));
        Ok(())
    }

    /// Nobody can take the places of all others.
    fn is_full_for(&self, user: UserId) -> bool {
        self.waiting(|waiting| {
            waiting.len() >= limits::SPOOLED_CHANGES
                || waiting.values().filter(|it| it.user == user).count() >= limits::SPOOLED_CHANGES_OF_A_USER
        })
    }

    fn find(&self, user: UserId, operation: Option<OperationId>) -> Option<u64> {
        self.waiting(|waiting| {
            let found = waiting.iter().find(|(_, it)| it.user == user && it.operation == operation);
            found.map(|(number, _)| *number)
        })
    }

    fn write(&self, number: u64, text: &str) -> io::Result<()> {
        let new = self.directory.join("new");
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(PRIVATE_FILE).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(new, self.path(number))?;
        self.sync().inspect_err(|_| {
            // Refused is refused, after a restart too.
            let _ = fs::remove_file(self.path(number));
        })
    }

    /// A name is on the disk when its directory is.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:020}{ENDING}"))
    }

    fn failed(&self, source: io::Error) -> SpoolError {
        SpoolError::Io { path: self.directory.clone(), source }
    }
}

fn lock(directory: &Path) -> Result<File, SpoolError> {
    let failed = |source| SpoolError::Io { path: directory.to_owned(), source };
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(PRIVATE_FILE);
    let file = options.open(directory.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SpoolError::Locked { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn read_all(directory: &Path) -> Result<BTreeMap<u64, SettingsChange>, SpoolError> {
    let failed = |source| SpoolError::Io { path: directory.to_owned(), source };
    let mut waiting = BTreeMap::new();
    for file in fs::read_dir(directory).map_err(failed)? {
        let path = file.map_err(failed)?.path();
        let Some(number) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(ENDING)) else {
            continue;
        };
        let text = fs::read_to_string(&path).map_err(failed)?;
        match (number.parse(), entry::read(&text)) {
            (Ok(number), Some(change)) => drop(waiting.insert(number, change)),
            _ => return Err(SpoolError::Foreign { path }),
        }
    }
    Ok(waiting)
}

#[cfg(test)]
mod tests;
