//! The writer reads no reports.

use async_trait::async_trait;
use model::OrganizationId;

use super::{Fake, not_asked};
use crate::{Analytics, AnalyticsQuery, StoreError, analytics::Report};

#[async_trait]
impl Analytics for Fake {
    async fn analytics(&self, _: &AnalyticsQuery) -> Result<Report, StoreError> {
        not_asked()
    }
    async fn active_now(&self, _: OrganizationId) -> Result<u64, StoreError> {
        not_asked()
    }
}
