//! What may lag goes over the line too.

use async_trait::async_trait;
use model::{UserId, Wall};
use persistence::{
    ActivityRow, Behind, ExportPage, ExportPart, Gap, LastSeen, OpenErasure, Person, StoreError, Stretch,
    Written,
};

use super::Line;

#[async_trait]
impl Behind for Line {
    async fn write_last_seen(&self, batch: &[LastSeen]) -> Result<Written, StoreError> {
        Self::may(&self.writes)?;
        self.store.write_last_seen(batch).await
    }

    async fn write_activity(&self, batch: &[ActivityRow]) -> Result<Written, StoreError> {
        Self::may(&self.writes)?;
        self.store.write_activity(batch).await
    }

    async fn write_stretches(&self, batch: &[Stretch]) -> Result<Written, StoreError> {
        Self::may(&self.writes)?;
        self.store.write_stretches(batch).await
    }

    async fn write_gap(&self, gap: &Gap) -> Result<(), StoreError> {
        Self::may(&self.writes)?;
        self.store.write_gap(gap).await
    }
}

#[async_trait]
impl Person for Line {
    async fn export_page(
        &self,
        user: UserId,
        part: ExportPart,
        after: Option<String>,
    ) -> Result<ExportPage, StoreError> {
        self.store.export_page(user, part, after).await
    }

    async fn erase(&self, user: UserId, at: Wall) -> Result<(), StoreError> {
        Self::may(&self.writes)?;
        self.store.erase(user, at).await
    }

    async fn open_erasures(&self) -> Result<Vec<OpenErasure>, StoreError> {
        self.store.open_erasures().await
    }

    async fn close_erasure(&self, erasure: OpenErasure) -> Result<(), StoreError> {
        self.store.close_erasure(erasure).await
    }
}
