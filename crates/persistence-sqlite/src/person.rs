//! All that is stored about one person: read out, and erased.

mod erasure;
mod export;

use async_trait::async_trait;
use model::{UserId, Wall};
use persistence::{ExportPage, ExportPart, OpenErasure, Person, StoreError};

use crate::SqliteStore;
pub(crate) use erasure::Remains;
#[cfg(test)]
pub(crate) use erasure::begin as begin_erasure;

impl SqliteStore {
    /// In as many transactions as it takes.
    async fn remove(&self, remains: Remains) -> Result<(), StoreError> {
        while self.write(move |connection| Box::pin(remains.remove_some(connection))).await? {}
        self.write(move |connection| Box::pin(remains.remove_rest(connection))).await
    }
}

#[async_trait]
impl Person for SqliteStore {
    async fn export_page(
        &self,
        user: UserId,
        part: ExportPart,
        after: Option<String>,
    ) -> Result<ExportPage, StoreError> {
        self.read(move |connection| Box::pin(export::page(connection, user, part, after))).await
    }

    async fn erase(&self, user: UserId, at: Wall) -> Result<(), StoreError> {
        // Whatever the clock said when it was written.
        let remains = Remains::of(user, Wall(i64::MAX));
        self.write(move |connection| Box::pin(erasure::begin(connection, (remains, at)))).await?;
        self.remove(remains).await
    }

    async fn open_erasures(&self) -> Result<Vec<OpenErasure>, StoreError> {
        self.read(|connection| Box::pin(erasure::open(connection))).await
    }

    async fn close_erasure(&self, erasure: OpenErasure) -> Result<(), StoreError> {
        if let Some(left) = self.read(move |connection| Box::pin(erasure::left(connection, erasure))).await? {
            self.write(move |connection| Box::pin(erasure::queue_totals(connection, left))).await?;
            self.remove(left).await?;
        }
        self.write(move |connection| Box::pin(erasure::close(connection, erasure))).await?;
        self.database.empty_wal().await
    }
}
