//! Operations by name: what was asked for under it, and what it came to, kept in the transaction of what it did.

use model::{AccountId, Hold, UserId};
use persistence::{
    Ended, OPERATION_KEPT_MS, OperationId, StoreError,
    stored::{
        corrupt,
        occupancies::{StoredOutcome, change_account_request, clock_out_request},
    },
};
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::QueryScalar};
use uuid::Uuid;

use crate::error::Failure;

// As the statements say it.
const _: () = assert!(OPERATION_KEPT_MS == 24 * 60 * 60 * 1_000);

/// Keeps the result of an operation, `$1` to `$5`, over one that nobody may ask for any more. One that may be asked for
/// was kept meanwhile by a call in another organization, which takes other turns. What nobody named is needed for as long
/// as its call is tried again, and is kept as if it were 23 of its 24 hours old.
macro_rules! kept {
    () => {
        "kept AS (\
             INSERT INTO operation_results AS known (user_id, operation_id, body_json, result_json, is_named, at) \
             VALUES ($1, $2, $3, $4::jsonb, $5, \
                 clock_timestamp() - CASE WHEN $5 THEN interval '0' ELSE interval '23 hours' END) \
             ON CONFLICT (user_id, operation_id) DO UPDATE SET body_json = excluded.body_json, \
                 result_json = excluded.result_json, is_named = excluded.is_named, at = excluded.at \
             WHERE known.at <= clock_timestamp() - interval '24 hours' RETURNING 1)"
    };
}
pub(super) use kept;

/// Joins what was kept under a name, as `o`.
macro_rules! recalled {
    ($person:literal, $operation:literal) => {
        concat!(
            "LEFT JOIN operation_results AS o ON o.user_id = ",
            $person,
            " AND o.operation_id = ",
            $operation,
            " AND o.at > clock_timestamp() - interval '24 hours'"
        )
    };
}
pub(super) use recalled;

pub(super) type Write<'q> = QueryScalar<'q, Postgres, bool, PgArguments>;

/// What a call is done under, so that it is done once.
pub(super) struct Operation {
    pub(super) id: Uuid,
    request: String,
    /// Whether the caller gave the name. What came without one gets one here, so that it may be tried again.
    pub(super) is_given: bool,
}

/// What was asked for under a name, and answered.
#[derive(Default, sqlx::FromRow)]
pub(super) struct Known {
    asked: Option<String>,
    answered: Option<String>,
}

/// What becomes of a call.
pub(super) enum Call {
    /// It is to be done.
    New,
    /// It was done: this was its outcome.
    Done(StoredOutcome),
    /// Something else was done under its name.
    Conflicting,
}

impl Operation {
    pub(super) fn new(name: Option<OperationId>, request: String) -> Self {
        let id = name.map_or_else(Uuid::new_v4, |name| name.0);
        Self { id, request, is_given: name.is_some() }
    }

    pub(super) fn of_move(name: Option<OperationId>, hold: Hold, to: AccountId) -> Result<Self, StoreError> {
        Ok(Self::new(name, change_account_request(hold, to)?))
    }

    pub(super) fn of_clock_out(name: Option<OperationId>, hold: Hold) -> Result<Self, StoreError> {
        Ok(Self::new(name, clock_out_request(hold)?))
    }

    /// A hold that was ended under this name. One that nobody gave is known to this call alone, which is made again.
    pub(super) fn ended_before(&self, hold: Hold) -> Ended {
        Ended { hold, new: !self.is_given }
    }

    pub(super) fn judge(&self, known: Known) -> Result<Call, StoreError> {
        match (known.asked, known.answered) {
            (Some(asked), Some(answered)) if asked == self.request => {
                Ok(Call::Done(StoredOutcome::read(&answered)?))
            }
            (Some(_), _) => Ok(Call::Conflicting),
            (None, _) => Ok(Call::New),
        }
    }

    /// Looks for what was kept for `user`.
    pub(super) async fn recall(&self, connection: &mut PgConnection, user: UserId) -> Result<Call, Failure> {
        let known: Known = sqlx::query_as(concat!(
            "SELECT o.body_json AS asked, o.result_json::text AS answered FROM (VALUES (1)) AS one ",
            recalled!("$1", "$2")
        ))
        .bind(user.0)
        .bind(self.id)
        .fetch_one(connection)
        .await?;
        Ok(self.judge(known)?)
    }

    /// A statement that begins with [`kept!`], and says whether it wrote all that it was to.
    pub(super) fn write<'q>(
        &'q self,
        sql: &'static str,
        user: UserId,
        outcome: &StoredOutcome,
    ) -> Result<Write<'q>, StoreError> {
        let outcome = outcome.write()?;
        let write = sqlx::query_scalar(sql).bind(user.0).bind(self.id).bind(&self.request);
        Ok(write.bind(outcome).bind(self.is_given))
    }

    /// Keeps the outcome of a call that changed nothing.
    pub(super) async fn keep(
        &self,
        connection: &mut PgConnection,
        user: UserId,
        outcome: &StoredOutcome,
    ) -> Result<(), Failure> {
        if !self.is_given {
            return Ok(());
        }
        let keep = concat!("WITH ", kept!(), " SELECT EXISTS (SELECT FROM kept)");
        complete(self.write(keep, user, outcome)?, connection).await
    }
}

impl Call {
    /// The outcome, where the call was done before. A conflict is told last, after all else that is wrong.
    pub(super) fn done(&self) -> Option<StoredOutcome> {
        match self {
            Self::Done(outcome) => Some(outcome.clone()),
            Self::New | Self::Conflicting => None,
        }
    }

    /// # Errors
    /// [`StoreError::OperationConflict`].
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if matches!(self, Self::Conflicting) { Err(StoreError::OperationConflict) } else { Ok(()) }
    }
}

/// Makes a write, whole or not at all. What it found a moment ago may be other by now: then it is tried again.
pub(super) async fn complete(write: Write<'_>, connection: &mut PgConnection) -> Result<(), Failure> {
    let is_whole = write.fetch_one(connection).await.map_err(Failure::of_a_race)?;
    if is_whole { Ok(()) } else { Err(Failure::Overtaken) }
}

/// Another outcome than calls of this kind have.
pub(super) fn unexpected(outcome: &StoredOutcome) -> StoreError {
    corrupt(format!("{outcome:?} is no outcome of this"))
}
