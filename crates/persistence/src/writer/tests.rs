//! The writer over a store that can be switched off, frozen and made to refuse rows, and over real files.

mod fake;
mod forgets;
mod model_based;
mod outages;
mod refusals;
mod rhythm;

use std::{fs, path::Path, time::Duration};

use model::{ActivityType, CleanText, Metadata, OrganizationId, SessionId, Wall};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::StretchId;
use fake::{Fake, Mood};

const MAX_BYTES: u64 = 64 * 1024 * 1024;

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn seen(n: u128, at: i64) -> LastSeen {
    LastSeen { user: user(n), at: Wall(at), page: None, device: None, activity: None, session_minutes: 0 }
}

fn activity(n: u128, id: u128, at: i64) -> ActivityRow {
    ActivityRow {
        id: Uuid::from_u128(id),
        organization: OrganizationId(Uuid::from_u128(7)),
        user: user(n),
        kind: ActivityType::PageView,
        page: CleanText::parse_page("/weddings/7", "page", 512).unwrap(),
        at: Wall(at),
        device: None,
        session: None,
        metadata: Metadata::new(),
    }
}

fn stretch(n: u128, seen: i64, ended: bool) -> Stretch {
    let (organization, session) = (OrganizationId(Uuid::from_u128(7)), SessionId(Uuid::from_u128(n)));
    let id = StretchId { organization, session, started: Wall(1) };
    Stretch { id, user: user(n), seen: Wall(seen), ended, device: None }
}

/// A writer over a fake store and a real directory.
struct Bench {
    home: TempDir,
    store: Arc<Fake>,
    writer: Option<Writer>,
    options: WriterOptions,
    max_bytes: u64,
}

impl Bench {
    fn start() -> Self {
        Self::with(WriterOptions::default(), MAX_BYTES)
    }

    fn with(options: WriterOptions, max_bytes: u64) -> Self {
        let (home, store) = (tempfile::tempdir().unwrap(), Arc::new(Fake::default()));
        let mut bench = Self { home, store, writer: None, options, max_bytes };
        bench.boot();
        bench
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    /// Starts a hub on the directory.
    fn boot(&mut self) {
        let backlog = Backlog::open(self.path(), self.max_bytes).unwrap();
        self.writer = Some(Writer::start(self.store.clone(), backlog, self.options.clone()));
    }

    fn handle(&self) -> WriterHandle {
        self.writer.as_ref().unwrap().handle()
    }

    fn note(&self, note: Note) {
        self.handle().note(note);
    }

    fn stats(&self) -> WriterStats {
        self.handle().stats()
    }

    /// As `kill -9`: nothing is flushed. What the disk is doing at that instant is finished first.
    async fn kill(&mut self) {
        let writer = self.writer.take().unwrap();
        let task = writer.task.lock().await.take().unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        while matches!(Backlog::open(self.path(), self.max_bytes), Err(BacklogError::Locked { .. })) {
            tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
        }
    }

    async fn shutdown(&mut self) -> WriterStats {
        self.writer.take().unwrap().shutdown().await
    }

    /// The names of the files, without the lock's.
    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.path()).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.retain(|name| name != "lock");
        names.sort();
        names
    }

    /// Whether the bytes of a text are in any file.
    fn holds(&self, text: &str) -> bool {
        let file = |name: &String| fs::read(self.path().join(name)).unwrap();
        let found = |bytes: Vec<u8>| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        self.files().iter().map(file).any(found)
    }
}

/// Lets the task run until virtual time has passed by `ms`.
async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
