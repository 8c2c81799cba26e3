//! All that is stored about one person: read out part by part, and erased.

mod erase;
mod export;

use async_trait::async_trait;
use model::{UserId, Wall};
use persistence::{ExportPage, ExportPart, OpenErasure, Person, StoreError};
use sqlx::PgConnection;

use crate::{PostgresStore, database::Terms, error::Failure};

#[async_trait]
impl Person for PostgresStore {
    async fn export_page(
        &self,
        user: UserId,
        part: ExportPart,
        after: Option<String>,
    ) -> Result<ExportPage, StoreError> {
        let wanted = export::Wanted::new(user, part, after)?;
        let work = self
            .database
            .write(Terms::default(), wanted, |connection, wanted| Box::pin(export::page(connection, wanted)));
        work.await
    }

    async fn erase(&self, user: UserId, at: Wall) -> Result<(), StoreError> {
        let erasure = OpenErasure { user, at };
        erase::begin(&self.database, erasure).await?;
        erase::carry_out(&self.database, erasure).await
    }

    async fn open_erasures(&self) -> Result<Vec<OpenErasure>, StoreError> {
        self.database.read((), |connection, ()| Box::pin(erase::open(connection))).await
    }

    async fn close_erasure(&self, erasure: OpenErasure) -> Result<(), StoreError> {
        erase::carry_out(&self.database, erasure).await?;
        erase::forget(&self.database, erasure).await
    }
}

/// The log, and the weeks that were taken out of it. None of them is taken out, back or dropped until the end of this
/// transaction.
async fn tables_of_the_log(connection: &mut PgConnection) -> Result<Vec<String>, Failure> {
    sqlx::query("SELECT pg_advisory_xact_lock_shared(presence_lock_key('presence_make_partitions'))")
        .execute(&mut *connection)
        .await?;
    let aside = sqlx::query_scalar("SELECT name FROM presence_log_weeks() WHERE NOT attached ORDER BY week");
    let mut tables = vec!["presence_activity_logs".to_owned()];
    tables.extend(aside.fetch_all(connection).await?);
    Ok(tables)
}
