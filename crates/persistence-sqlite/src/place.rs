//! The file and what lies beside it: the checks before SQLite sees it, and the lock that keeps a second process out.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::OpenError;

/// Readable and writable by the owner alone: the file holds who was where, and when.
const PRIVATE: u32 = 0o600;

/// A database file by its one true path.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: PathBuf,
}

impl Place {
    /// Follows links, so that two names of one file are one place. The file need not exist, its directory must.
    pub(crate) fn resolve(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Directory { path: path.to_owned(), source };
        if let Ok(path) = path.canonicalize() {
            return Ok(Self { path });
        }
        let name = path.file_name().ok_or_else(|| OpenError::NotAFile { path: path.to_owned() })?;
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let directory = directory.canonicalize().map_err(failed)?;
        if !directory.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self { path: directory.join(name) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path with `suffix` behind the name.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name: OsString = self.path.clone().into();
        name.push(suffix);
        name.into()
    }

    /// Whether the file is there. What is there but unusable is an error.
    ///
    /// The mode bits count for root too: who took the write permission away meant it.
    pub(crate) fn is_there(&self) -> Result<bool, OpenError> {
        let path = || self.path.clone();
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(OpenError::Io { path: path(), source }),
        };
        if !metadata.is_file() {
            return Err(OpenError::NotAFile { path: path() });
        }
        if metadata.permissions().readonly() {
            return Err(OpenError::ReadOnly { path: path() });
        }
        if metadata.len() == 0 {
            return Err(OpenError::Empty { path: path() });
        }
        Ok(true)
    }

    /// Whether the operating system lets this process write the file. Only under the lock: closing a file takes
    /// away the locks that SQLite holds on it in the same process.
    pub(crate) fn check_writable(&self) -> Result<(), OpenError> {
        match OpenOptions::new().read(true).write(true).open(&self.path) {
            Ok(_) => Ok(()),
            Err(error) if forbids_writing(&error) => Err(OpenError::ReadOnly { path: self.path.clone() }),
            Err(source) => Err(OpenError::Io { path: self.path.clone(), source }),
        }
    }

    fn check_directory(&self) -> Result<(), OpenError> {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        match fs::metadata(directory) {
            Ok(metadata) if metadata.permissions().readonly() => {
                Err(OpenError::ReadOnlyDirectory { path: self.path.clone() })
            }
            Ok(_) => Ok(()),
            Err(source) => Err(OpenError::Directory { path: self.path.clone(), source }),
        }
    }

    fn beside_error(&self, error: io::Error) -> OpenError {
        let path = self.path.clone();
        if forbids_writing(&error) {
            OpenError::ReadOnlyDirectory { path }
        } else {
            OpenError::Directory { path, source: error }
        }
    }

    /// An empty file for a database under construction, private from its first byte. A leftover of a construction
    /// that was interrupted goes: it was never in use.
    pub(crate) fn start_new(&self) -> Result<Self, OpenError> {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            match fs::remove_file(self.beside(&format!(".new{suffix}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.beside_error(error)),
                _ => {}
            }
        }
        let new = Self { path: self.beside(".new") };
        let file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&new.path);
        file.map(|_| new).map_err(|error| self.beside_error(error))
    }

    /// Puts a finished database in its place, all at once and durably.
    pub(crate) fn finish_new(&self, new: &Self) -> io::Result<()> {
        File::open(&new.path)?.sync_all()?;
        fs::rename(&new.path, &self.path)?;
        File::open(self.path.parent().unwrap_or(Path::new("/")))?.sync_all()
    }

    /// Which file lies here now.
    pub(crate) fn identity(&self) -> io::Result<Identity> {
        let metadata = fs::metadata(&self.path)?;
        Ok(Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            read_only: metadata.permissions().readonly(),
        })
    }
}

fn forbids_writing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Which file a path names: an open database that was removed or replaced would go on taking writes that nobody
/// ever finds again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    pub(crate) read_only: bool,
}

impl Identity {
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// The lock on a place. The operating system releases it with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(place: &Place) -> Result<Self, OpenError> {
        place.check_directory()?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE)
            .open(place.beside(".lock"))
            .map_err(|error| place.beside_error(error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Locked { path: place.path.clone(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => {
                return Err(OpenError::Io { path: place.path.clone(), source });
            }
        }
        sign(&mut file).map_err(|error| place.beside_error(error))?;
        Ok(Self { _file: file })
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "process {}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(64).read_to_string(&mut text) {
        Ok(length) if length > 0 => text,
        _ => "process unknown".to_owned(),
    }
}
