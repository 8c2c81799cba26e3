//! What a person reads with SQL of their own is what the policy allows them: rows and columns, by every way in that
//! somebody with ill will might try.

mod attacks;
mod badges;
mod columns;
mod effort;
mod sight;
mod viewer;
mod world;

use model::UserId;
use postgres_cluster::Database;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::schema::{connect, migrated};
use viewer::{Viewer, claims};
use world::World;

/// The role that PostgREST logs in as, or anybody with SQL who speaks for others.
fn speaker(database: &Database) -> String {
    database.url(&database.cluster().login_role("speaker", &["authenticated"]))
}

/// A database with a generated world in it.
async fn populated(seed: u64) -> (Database, World) {
    let database = migrated();
    let world = World::generated(seed);
    world.write(&mut connect(&database.admin_url()).await).await;
    (database, world)
}

/// Takes the identity of a user until the end of the transaction, as the hub and PostgREST do.
async fn become_viewer(connection: &mut PgConnection, claims: Option<&str>) {
    sqlx::query("SET LOCAL ROLE authenticated").execute(&mut *connection).await.unwrap();
    if let Some(claims) = claims {
        let set = sqlx::query("SELECT set_config('request.jwt.claims', $1, true)").bind(claims);
        set.execute(connection).await.unwrap();
    }
}

pub(crate) async fn execute(connection: &mut PgConnection, sql: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await?;
    Ok(done.rows_affected())
}

/// The SQLSTATE of a statement that was refused; the transaction goes on as if it had not been tried.
pub(crate) async fn refusal(connection: &mut PgConnection, sql: &str) -> Option<String> {
    execute(connection, "SAVEPOINT attempt").await.unwrap();
    let outcome = execute(connection, sql).await;
    execute(connection, "ROLLBACK TO attempt").await.unwrap();
    outcome.err().map(|error| sqlstate(&error))
}

fn sqlstate(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(|error| error.code());
    code.unwrap_or_else(|| panic!("not an answer of the server: {error}")).into_owned()
}

/// Insufficient privilege.
pub(crate) const FORBIDDEN: &str = "42501";

/// A user to speak for where it does not matter which.
fn anybody(world: &World) -> UserId {
    *world.users.iter().find(|(_, facts)| !facts.disabled).expect("somebody is not disabled").0
}
