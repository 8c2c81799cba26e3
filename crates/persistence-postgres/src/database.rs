//! The pools and their units of work: each one in a task of its own, within a deadline, tried again where that is safe.
//!
//! A connection goes back to its pool only where the end of its transaction was answered. Any other is closed: the
//! next borrower would find itself in the middle of somebody else's transaction.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use model::UserId;
use persistence::{
    StoreError,
    pool::{PoolWait, note_unit},
};
use sqlx::{
    Connection, PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::Instrument;

use crate::{
    PostgresOptions,
    error::{Failure, unavailable},
};

/// Every lock that is waited for is followed by a statement of its own, which sees what was committed meanwhile.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// What is read as of one instant.
const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Tries of one unit of work.
const TRIES: u32 = 3;
/// How long a tightening waits for one of the usual connections.
const USUAL_PATIENCE: Duration = Duration::from_millis(100);
/// Connections for tightenings, held open: two, because one may be waiting for a lock.
const RESERVED: u32 = 2;
/// How long a connection that goes back may take to say that it is well.
const RETURN_PATIENCE: Duration = Duration::from_secs(1);

/// The name, for the operator, of the pool that all share.
const USUAL: &str = "usual";

/// A unit of work under way on a connection.
pub(crate) type Unit<'c, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'c>>;

/// An open database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Database {
    pools: Arc<Pools>,
    deadline: Duration,
}

struct Pools {
    usual: PgPool,
    reserved: PgPool,
}

/// A unit of work: what is done, with what, and on which terms.
struct Job<I, W> {
    around: Around,
    terms: Terms,
    input: I,
    work: W,
}

/// What a unit of work may expect.
#[derive(Clone, Copy, Default)]
pub(crate) struct Terms {
    /// Beside the time that every unit has.
    pub(crate) extra: Duration,
    /// Whether it may have a reserved connection.
    pub(crate) reserved: bool,
}

/// Around what the work is done.
enum Around {
    /// One statement, which is its own transaction.
    Statement,
    Transaction,
    /// Statements that see one snapshot, and write nothing.
    Snapshot,
    /// A transaction with the rights and the identity of a user, which end with it.
    User(UserId),
}

impl Database {
    pub(crate) fn new(options: &PostgresOptions, connect: PgConnectOptions) -> Self {
        let pool = PgPoolOptions::new().acquire_timeout(options.acquire_timeout);
        let reserved = pool.clone().min_connections(RESERVED).max_connections(RESERVED).idle_timeout(None);
        let pools = Pools {
            reserved: reserved.connect_lazy_with(connect.clone()),
            usual: pool.max_connections(options.connections.max(1)).connect_lazy_with(connect),
        };
        Self { pools: Arc::new(pools), deadline: options.deadline }
    }

    /// Runs `work`, which may write, in a transaction and commits it, whatever becomes of the caller. An error undoes
    /// all of it. The work has to be one that may be done twice: the answer to a commit may be lost.
    pub(crate) async fn write<I, T, W>(&self, terms: Terms, input: I, work: W) -> Result<T, StoreError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        W: for<'c> Fn(&'c mut PgConnection, &'c I) -> Unit<'c, T> + Send + Sync + 'static,
    {
        self.run(Job { around: Around::Transaction, terms, input, work }).await
    }

    /// Runs `work`, which is one statement.
    pub(crate) async fn read<I, T, W>(&self, input: I, work: W) -> Result<T, StoreError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        W: for<'c> Fn(&'c mut PgConnection, &'c I) -> Unit<'c, T> + Send + Sync + 'static,
    {
        self.run(Job { around: Around::Statement, terms: Terms::default(), input, work }).await
    }

    /// Runs `work`, whose statements all see what the first of them saw.
    pub(crate) async fn read_snapshot<I, T, W>(&self, input: I, work: W) -> Result<T, StoreError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        W: for<'c> Fn(&'c mut PgConnection, &'c I) -> Unit<'c, T> + Send + Sync + 'static,
    {
        self.run(Job { around: Around::Snapshot, terms: Terms::default(), input, work }).await
    }

    /// Runs `work` as `user`: with the rights of a viewer, and with nobody's rows but those that this user may read.
    pub(crate) async fn read_as<I, T, W>(&self, user: UserId, input: I, work: W) -> Result<T, StoreError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        W: for<'c> Fn(&'c mut PgConnection, &'c I) -> Unit<'c, T> + Send + Sync + 'static,
    {
        self.run(Job { around: Around::User(user), terms: Terms::default(), input, work }).await
    }

    async fn run<I, T, W>(&self, job: Job<I, W>) -> Result<T, StoreError>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        W: for<'c> Fn(&'c mut PgConnection, &'c I) -> Unit<'c, T> + Send + Sync + 'static,
    {
        let (pools, until) = (self.pools.clone(), Instant::now() + self.deadline + job.terms.extra);
        let began = std::time::Instant::now();
        let done = tokio::spawn(async move { pools.accomplish(&job, until).await }.in_current_span());
        let done = done.await.unwrap_or_else(|broken| Err(unavailable(broken)));
        note_unit(began, &done);
        done
    }

    /// Waits for the units under way, then closes all connections.
    pub(crate) async fn close(&self) {
        self.pools.usual.close().await;
        self.pools.reserved.close().await;
    }
}

impl Pools {
    /// Tries until it is done, or there is no use in it, or no time.
    async fn accomplish<I, T, W>(&self, job: &Job<I, W>, until: Instant) -> Result<T, StoreError>
    where
        W: for<'c> Fn(&'c mut PgConnection, &'c I) -> Unit<'c, T>,
    {
        let mut tries = 1;
        loop {
            match self.attempt(job, until).await {
                Ok(done) => return Ok(done),
                Err(failure) if failure.is_transient() && tries < TRIES && pause(tries, until).await => {
                    metrics::counter!("presence_hub_database_retries_total").increment(1);
                    tracing::debug!(?failure, tries, "a unit of work is tried again");
                    tries += 1;
                }
                Err(failure) => return Err(failure.into_store_error()),
            }
        }
    }

    async fn attempt<I, T, W>(&self, job: &Job<I, W>, until: Instant) -> Result<T, Failure>
    where
        W: for<'c> Fn(&'c mut PgConnection, &'c I) -> Unit<'c, T>,
    {
        let acquired = timeout_at(until, self.acquire(job.terms)).await.map_err(|_| Failure::Late)?;
        let mut connection = acquired?;
        let attempt = timeout_at(until, job.around.run(&mut connection, &job.input, &job.work)).await;
        let (done, sound) = attempt.unwrap_or((Err(Failure::Late), false));
        if sound {
            give_back(connection)
        } else {
            drop(connection.detach())
        }
        done
    }

    async fn acquire(&self, terms: Terms) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        if !terms.reserved {
            return take(&self.usual, USUAL).await;
        }
        match timeout(USUAL_PATIENCE, take(&self.usual, USUAL)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => take(&self.reserved, "reserved").await,
            Ok(Err(error)) => Err(error),
        }
    }
}

impl Around {
    /// The outcome, and whether the connection is out of the transaction for certain.
    async fn run<I, T, W>(
        &self,
        connection: &mut PgConnection,
        input: &I,
        work: &W,
    ) -> (Result<T, Failure>, bool)
    where
        W: for<'c> Fn(&'c mut PgConnection, &'c I) -> Unit<'c, T>,
    {
        if matches!(self, Self::Statement) {
            let done = work(connection, input).await;
            let sound = done.is_ok();
            return (done, sound);
        }
        let mut transaction = match connection.begin_with(self.begin()).await {
            Ok(transaction) => transaction,
            Err(error) => return (Err(error.into()), false),
        };
        let done = match self.identify(&mut transaction).await {
            Ok(()) => work(&mut transaction, input).await,
            Err(error) => Err(error.into()),
        };
        match done {
            Ok(done) => match transaction.commit().await {
                Ok(()) => (Ok(done), true),
                Err(error) => (Err(error.into()), false),
            },
            Err(failure) => (Err(failure), transaction.rollback().await.is_ok()),
        }
    }

    fn begin(&self) -> &'static str {
        if matches!(self, Self::Snapshot) { BEGIN_SNAPSHOT } else { BEGIN }
    }

    /// Claims first: a role that may only read could not be told apart from one that nobody named.
    async fn identify(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let Self::User(user) = self else { return Ok(()) };
        let claims = serde_json::json!({ "sub": user, "role": "authenticated" }).to_string();
        sqlx::query(
            "SELECT set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)",
        )
        .bind(claims)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Gives the statements of this transaction more time than is usual. The unit of work needs [`Terms::extra`] for it.
pub(crate) async fn take_time(connection: &mut PgConnection, time: Duration) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT set_config('statement_timeout', $1, true)")
        .bind(time.as_millis().to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Lets the statements of this transaction wait for locks for longer than is usual.
pub(crate) async fn take_patience(connection: &mut PgConnection, time: Duration) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT set_config('lock_timeout', $1, true)")
        .bind(time.as_millis().to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// A connection of a pool, by its name for the operator.
async fn take(pool: &PgPool, name: &'static str) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    let wait = PoolWait::begin(name);
    let taken = pool.acquire().await;
    wait.end(pool.size(), pool.num_idle());
    taken
}

/// Gives a connection back within a deadline. Dropped, it would be pinged without one, and a server that stands still
/// just then would keep its place in the pool until the network gives up, which takes a quarter of an hour.
fn give_back(mut connection: PoolConnection<Postgres>) {
    let returned = connection.return_to_pool();
    tokio::spawn(async move { _ = timeout(RETURN_PATIENCE, returned).await });
}

/// Waits a little, by chance, so that those who met do not meet again; `false` where no time is left for another try.
async fn pause(tries: u32, until: Instant) -> bool {
    let again = Instant::now() + Duration::from_millis(rand::random_range(5..=20 * u64::from(tries)));
    if again >= until {
        return false;
    }
    sleep(again - Instant::now()).await;
    true
}
