//! Holding a hub up in the middle of a clock-in, from outside: by locks that anybody with SQL may take.

use std::thread;

use model::{AccountId, OrganizationId, UserId};
use postgres_cluster::Session;
use tokio::task::block_in_place;
use uuid::Uuid;

use crate::fixture::{Postgres, eventually};

/// How far a hub has come when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It waits for the turn of the organization.
    Turn,
    /// It looks whether the assistant may.
    Finding,
    /// It has begun to write.
    Writing,
    /// It has written everything, and asked for the commit.
    Committing,
    /// It is committed, and nobody was shown or told.
    Committed,
    /// Viewers were shown; whoever asked has not read the answer.
    Shown,
}

impl Step {
    pub(super) const ALL: [Self; 6] =
        [Self::Turn, Self::Finding, Self::Writing, Self::Committing, Self::Committed, Self::Shown];

    /// Whether it is done when the hub is killed here. A commit that was asked for may still fail.
    pub(super) fn is_done(self) -> Option<bool> {
        match self {
            Self::Turn | Self::Finding | Self::Writing => Some(false),
            Self::Committing => None,
            Self::Committed | Self::Shown => Some(true),
        }
    }

    /// What to lock so that a hub comes this far.
    fn lock(self, whose: &Whose) -> String {
        let Whose { organization, user, code, .. } = whose;
        match self {
            Self::Turn => format!(
                "SELECT pg_advisory_xact_lock(presence_lock_key('presence_occupancy:' || '{organization}'::uuid))"
            ),
            Self::Finding => format!(
                "SELECT FROM user_organizations \
                 WHERE user_id = '{user}' AND organization_id = '{organization}' FOR UPDATE"
            ),
            Self::Writing => format!("SELECT FROM access_codes WHERE id = '{code}' FOR UPDATE"),
            Self::Committing | Self::Committed => format!("SELECT pg_advisory_xact_lock({GATE})"),
            Self::Shown => "SELECT".to_owned(),
        }
    }
}

/// Whose clock-in is held up.
pub(super) struct Whose {
    pub(super) organization: OrganizationId,
    pub(super) user: UserId,
    /// With which code.
    pub(super) code: Uuid,
    /// Where to.
    pub(super) goal: AccountId,
}

/// The lock that every transaction which makes a hold passes last of all, while it commits.
const GATE: u32 = 4_711;

/// Builds the gate: a constraint that is looked at when everything is written. It waits however long, because a hub lets
/// nothing wait for a lock for more than half a second.
pub(super) fn build_gate(postgres: &Postgres) {
    postgres.sql(&format!(
        "CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$ \
         BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER gate AFTER INSERT OR UPDATE OF epoch ON account_presence \
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gate()"
    ));
}

/// A lock that a hub runs into. Dropped, it is given back.
pub(super) struct Holdup {
    step: Step,
    locked: Session,
    looking: Session,
    /// Before what followers read.
    curtain: Option<Session>,
    /// The connection of the hub that ran into it.
    met: Option<String>,
}

impl Holdup {
    pub(super) fn begin(postgres: &Postgres, step: Step, whose: &Whose) -> Self {
        let mut locked = postgres.session();
        locked.run("BEGIN").expect("a transaction");
        locked.run(&step.lock(whose)).expect("a lock");
        let (looking, curtain) = (postgres.session(), Some(postgres.session()));
        Self { step, locked, looking, curtain, met: None }
    }

    /// Waits until a hub has run into it; and lets it go on to its commit and no further, where it is to come so far.
    /// `false`: it was held up for too long, and gave up.
    pub(super) async fn is_met(&mut self, whose: &Whose) -> bool {
        if self.step == Step::Shown {
            return true;
        }
        let us = pid(&mut self.locked);
        let who =
            format!("SELECT pid FROM pg_stat_activity WHERE {us} = ANY (pg_blocking_pids(pid)) LIMIT 1");
        self.met = Some(some_row(&mut self.looking, &who).await);
        if self.step != Step::Committed {
            return true;
        }
        self.draw_curtain().await;
        let is_there = format!("SELECT 1 FROM account_presence WHERE account_id = '{}'", whose.goal);
        block_in_place(|| self.looking.run(&is_there)).expect("rows") == "1"
    }

    /// What has changed can be read by nobody from the moment of the commit on.
    async fn draw_curtain(&mut self) {
        let mut curtain = self.curtain.take().expect("a session");
        let us = pid(&mut curtain);
        let drawing = thread::spawn(move || {
            curtain.run("BEGIN; LOCK TABLE presence_changes IN ACCESS EXCLUSIVE MODE").expect("a lock");
            curtain
        });
        let queued = format!("SELECT pid FROM pg_locks WHERE pid = {us} AND NOT granted");
        some_row(&mut self.looking, &queued).await;
        let drawn = block_in_place(|| {
            self.locked.run("ROLLBACK").expect("an end");
            drawing.join()
        });
        self.curtain = Some(drawn.expect("a curtain"));
    }

    /// Gives the lock back, and waits until the server has done with the connection of the hub that was killed.
    pub(super) async fn end(mut self) {
        for session in [Some(&mut self.locked), self.curtain.as_mut()].into_iter().flatten() {
            block_in_place(|| session.run("ROLLBACK")).expect("an end");
        }
        let Some(met) = &self.met else { return };
        let gone = format!("SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {met})");
        some_row(&mut self.looking, &gone).await;
    }
}

fn pid(session: &mut Session) -> String {
    session.run("SELECT pg_backend_pid()").expect("a number")
}

/// The first row that there is.
async fn some_row(session: &mut Session, sql: &str) -> String {
    eventually(sql, async || {
        let rows = block_in_place(|| session.run(sql)).expect("rows");
        (!rows.is_empty()).then_some(rows)
    })
    .await
}
