//! The conformance suite, and what only a file can show.

use std::sync::Arc;

use model::{CleanText, Device, SettingsPatch, Visibility};
use persistence::conformance::Fixture;
use uuid::Uuid;

use super::*;

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("hub.db"), OpenMode::CreateIfMissing).await.unwrap();
    Fixture { store: Arc::new(store), keep: Box::new(folder) }
}

mod conformance {
    use super::*;
    persistence::conformance_tests!(fixture);
}
