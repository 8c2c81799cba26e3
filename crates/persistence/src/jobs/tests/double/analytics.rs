//! No job reads reports.

use async_trait::async_trait;
use model::OrganizationId;

use super::Double;
use crate::{Analytics, AnalyticsQuery, StoreError, analytics::Report};

#[async_trait]
impl Analytics for Double {
    async fn analytics(&self, _: &AnalyticsQuery) -> Result<Report, StoreError> {
        unreachable!("no job reads reports")
    }
    async fn active_now(&self, _: OrganizationId) -> Result<u64, StoreError> {
        unreachable!("no job reads reports")
    }
}
