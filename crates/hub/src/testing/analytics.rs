//! Nobody asks for reports over the line; they are there because every store makes them.

use async_trait::async_trait;
use model::OrganizationId;
use persistence::{Analytics, AnalyticsQuery, StoreError, analytics::Report};

use super::Line;

#[async_trait]
impl Analytics for Line {
    async fn analytics(&self, query: &AnalyticsQuery) -> Result<Report, StoreError> {
        Self::may(&self.reads)?;
        self.store.analytics(query).await
    }

    async fn active_now(&self, organization: OrganizationId) -> Result<u64, StoreError> {
        Self::may(&self.reads)?;
        self.store.active_now(organization).await
    }
}
