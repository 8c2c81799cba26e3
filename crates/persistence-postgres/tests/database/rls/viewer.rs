//! Somebody with SQL of their own: a login that may take the role of viewers, and says for whom it speaks.

use model::UserId;
use postgres_cluster::Database;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, postgres::PgRow};

use super::{become_viewer, speaker};
use crate::schema::connect;

pub(super) struct Viewer(PgConnection);

impl Viewer {
    pub(super) async fn at(database: &Database) -> Self {
        Self(connect(&speaker(database)).await)
    }

    /// All that a query answers to whom the claims name; `None`: nobody says who asks.
    pub(super) async fn reads<Row>(
        &mut self,
        claims: Option<&str>,
        sql: &str,
    ) -> Result<Vec<Row>, sqlx::Error>
    where
        Row: for<'row> FromRow<'row, PgRow> + Send + Unpin,
    {
        self.after(claims, "", sql).await
    }

    /// As [`Viewer::reads`]; `before` is done first, as the same viewer.
    pub(super) async fn after<Row>(
        &mut self,
        claims: Option<&str>,
        before: &str,
        sql: &str,
    ) -> Result<Vec<Row>, sqlx::Error>
    where
        Row: for<'row> FromRow<'row, PgRow> + Send + Unpin,
    {
        super::execute(&mut self.0, "BEGIN").await?;
        become_viewer(&mut self.0, claims).await;
        super::execute(&mut self.0, before).await?;
        let rows = sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.0).await;
        super::execute(&mut self.0, "ROLLBACK").await?;
        rows
    }
}

/// What a token of the platform says, as far as the database is concerned.
pub(super) fn claims(user: UserId) -> String {
    format!(r#"{{"sub":"{user}","role":"authenticated"}}"#)
}
