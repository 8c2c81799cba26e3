//! What the migrations make, and that the database keeps to it, whoever writes.

mod catalogue;
mod changes;
mod days;
mod erasure;
mod existing;
mod partitions;

use std::sync::Arc;

use postgres_cluster::{Cluster, Database};
use sqlx::{Connection, PgConnection};

/// A database as `presence-hub migrate` leaves an empty one.
pub(crate) fn migrated() -> Database {
    Cluster::shared().database_from("migrated", |url| migrate(url).expect("an empty database is migrated"))
}

/// The URL of a hub: a login that is a member of `presence_hub`.
pub(crate) fn hub_url(database: &Database) -> String {
    database.url(&database.cluster().login_role("hub", &["presence_hub"]))
}

pub(crate) async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the server lets the role in")
}

/// For threads without a runtime.
fn migrate(url: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(persistence_postgres::migrate(url)).map(drop).map_err(|error| chain(&error))
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An id by number, so that cases are read easily: users 1.., organizations 100.., weddings 200.., accounts 300...
pub(crate) fn id(n: u128) -> String {
    uuid::Uuid::from_u128(n).to_string()
}

/// SQL in which `#7` is the id number 7.
pub(crate) fn with_ids(sql: &str) -> String {
    let mut parts = sql.split('#');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        whole += &format!("'{}'{rest}", id(number.parse().expect("a number after #")));
    }
    whole
}

/// Runs statements of the platform's back-end.
fn run(database: &Database, sql: &str) -> String {
    let sql = with_ids(sql);
    database.psql(&sql).unwrap_or_else(|said| panic!("{said}\n{sql}"))
}

fn shared() -> Arc<Cluster> {
    Cluster::shared()
}
