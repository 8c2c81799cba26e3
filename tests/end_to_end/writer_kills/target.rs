//! What is killed, started again, and where clients find it.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};

use super::{
    BUSY, CALM, Place,
    diary::{End, Life, Moment},
    stalls::Stalls,
};
use crate::fixture::{Hub, Launch, Postgres, eventually};

/// From now on a batch of activity takes a while.
const SLOWLY: &str = "\
    CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END $$; \
    CREATE TRIGGER slowly AFTER INSERT ON presence_activity_logs FOR EACH STATEMENT EXECUTE FUNCTION slowly()";

/// What is struck, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Victim {
    Hub,
    Database,
    Both,
    /// The database, and the hub once it has been without it for a while.
    HubInOutage,
    HubBySigterm,
    /// As [`Victim::HubInOutage`]; what waits is then on its disk, for the next one.
    HubBySigtermInOutage,
}

impl Victim {
    pub(super) fn is_outage(self) -> bool {
        matches!(self, Self::HubInOutage | Self::HubBySigtermInOutage)
    }
}

pub(super) struct Target {
    /// Where there is none, the hub's own database is meant.
    pub(super) postgres: Option<Postgres>,
    pub(super) launch: Launch,
    /// The hub of the moment.
    pub(super) hub: Arc<Hub>,
    /// Those that are no more.
    pub(super) lives: Vec<Life>,
    place: watch::Sender<Place>,
    stalls: Stalls,
}

impl Target {
    pub(super) fn start(launch: Launch, postgres: Option<Postgres>) -> Self {
        let hub = Arc::new(launch.start());
        let place = watch::Sender::new(Place::of(&hub, 0, BUSY));
        Self { postgres, launch, hub, lives: Vec::new(), place, stalls: Stalls::watch() }
    }

    pub(super) fn place(&self) -> watch::Receiver<Place> {
        self.place.subscribe()
    }

    /// Strikes, and starts again what is gone after a while; in an outage, the database is away for that while before the
    /// hub is struck: stopped dead, or frozen. The hubs that come next may die as they begin, each after so long.
    pub(super) async fn strike(
        &mut self,
        victim: Victim,
        gap: Duration,
        frozen: bool,
        relapses: &[Duration],
    ) {
        match victim {
            Victim::Hub => self.kill_hub(),
            Victim::Database => self.database_goes(false),
            Victim::Both => {
                self.kill_hub();
                self.database_goes(false);
            }
            Victim::HubBySigterm => self.terminate_hub().await,
            Victim::HubInOutage | Victim::HubBySigtermInOutage => self.database_goes(frozen),
        }
        sleep(gap).await;
        match victim {
            Victim::HubInOutage => self.kill_hub(),
            Victim::HubBySigtermInOutage => self.terminate_hub().await,
            _ => {}
        }
        if !matches!(victim, Victim::Hub | Victim::HubBySigterm) {
            self.database_comes_back(frozen);
        }
        self.relapse(relapses);
        if victim != Victim::Database {
            self.start_hub();
        }
    }

    /// Hubs die as they begin, with a database that takes its time, so that they die between two batches of many, too.
    fn relapse(&self, relapses: &[Duration]) {
        let Some(postgres) = self.postgres.as_ref().filter(|_| !relapses.is_empty()) else { return };
        postgres.sql(SLOWLY);
        relapses.iter().for_each(|after| self.launch.start_and_kill(*after));
        postgres.sql("DROP FUNCTION slowly() CASCADE");
    }

    fn database_goes(&self, frozen: bool) {
        let cluster = self.postgres.as_ref().expect("a database").cluster();
        if frozen { cluster.freeze() } else { cluster.kill9() }
    }

    fn database_comes_back(&self, frozen: bool) {
        let cluster = self.postgres.as_ref().expect("a database").cluster();
        if frozen { cluster.thaw() } else { cluster.start_again() }
    }

    fn kill_hub(&mut self) {
        let (at, stalled) = (Moment::now(), self.stalls.lately());
        self.hub.strike();
        self.lives.push(Life { end: End::Killed, at, gone: Moment::now(), stalled });
    }

    async fn terminate_hub(&mut self) {
        let (at, stalled) = (Moment::now(), self.stalls.lately());
        self.hub.terminate();
        let status = self.hub.ended().await;
        assert!(status.success(), "{status}: {}", self.hub.log());
        self.lives.push(Life { end: End::Terminated, at, gone: Moment::now(), stalled });
    }

    fn start_hub(&mut self) {
        self.hub = Arc::new(self.launch.start());
        let life = self.lives.len();
        self.place.send_replace(Place::of(&self.hub, life, [BUSY, CALM][life % 2]));
    }

    /// What hubs before left on their disk is written.
    pub(super) async fn nothing_waits(&self) {
        eventually("an empty backlog", async || (self.launch.home().backlog_rows() == 0).then_some(())).await;
    }
}
