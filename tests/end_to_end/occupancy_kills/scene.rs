//! One assistant, two accounts, two hubs: one of the hubs is killed at a step of a clock-in or of a swap.

use client::{Entry, Extension, ExtensionEvent, ExtensionOptions, Handshake, Socket};
use model::{AccountId, ChannelId, Encoding, EntryId, RequestId, UserId};
use postgres_cluster::Session;
use serde_json::Value;
use tokio::task::{JoinHandle, block_in_place};
use uuid::Uuid;
use wire::{ChangeAccount, ClientFrame, ClockInRequest, Hello, Token};

use super::steps::{Holdup, Step, Whose};
use crate::{
    fixture::{AccessCode, Agency, Desk, Hub, Launch, No, Pass, Postgres, Tab, eventually, in_time, token},
    occupancy_history::audit::Story,
};

/// What is under way when the hub is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    ClockIn,
    Swap,
}

/// Two hubs, of which the first is killed and started again.
pub(super) struct Stage {
    pub(super) postgres: Postgres,
    pub(super) launch: Launch,
    pub(super) victim: Hub,
    pub(super) other: Hub,
    pub(super) session: Session,
}

/// Who is on stage.
struct Scene {
    agency: Agency,
    code: AccessCode,
    operation: Uuid,
    deed: Deed,
    step: Step,
    /// What the assistant was in before, where that is a swap, and the extension there.
    before: Option<(Pass, Extension)>,
}

/// How the hub was asked.
enum Asked {
    Rest(JoinHandle<Result<Pass, No>>),
    /// On a socket that nobody reads.
    Socket(#[expect(dead_code, reason = "held open")] Box<Socket>),
}

impl Stage {
    /// Plays it; `false`: the hub was faster than the signal, and its answer was there, or slower than its own deadlines.
    pub(super) async fn play(mut self, deed: Deed, step: Step) -> (Self, bool) {
        let scene = Scene::set(&self, deed, step).await;
        let whose = Whose {
            organization: scene.agency.organization,
            user: scene.agency.assistants[0],
            code: scene.code.id,
            goal: scene.goal(),
        };
        let mut holdup = Holdup::begin(&self.postgres, step, &whose);
        let asked = scene.ask(&self).await;
        let has_come = holdup.is_met(&whose).await;
        let Self { postgres, launch, victim, other, session } = self;
        victim.kill();
        let is_met = has_come && !asked.was_answered().await;
        holdup.end().await;
        let victim = launch.start();
        self = Self { postgres, launch, victim, other, session };
        if is_met {
            scene.judge(&mut self).await;
        }
        (self, is_met)
    }
}

impl Asked {
    async fn was_answered(self) -> bool {
        match self {
            Self::Rest(asking) => in_time("the end of a connection", asking).await.expect("a call").is_ok(),
            Self::Socket(_) => false,
        }
    }
}

impl Scene {
    async fn set(stage: &Stage, deed: Deed, step: Step) -> Self {
        let desk = Desk::at(&stage.victim);
        let agency = Agency::found(&desk, 1, 2).await;
        let code = desk.mint(&agency, agency.assistants[0]).await;
        let before = match deed {
            Deed::ClockIn => None,
            Deed::Swap => Some(enter(&stage.victim, &code, agency.accounts[0]).await),
        };
        Self { agency, code, operation: Uuid::new_v4(), deed, step, before }
    }

    /// Where it is to end.
    fn goal(&self) -> AccountId {
        self.agency.accounts[1]
    }

    fn user(&self) -> UserId {
        self.agency.assistants[0]
    }

    /// The socket's own way where a viewer has to see it before the answer is read; else REST.
    async fn ask(&self, stage: &Stage) -> Asked {
        if self.step == Step::Shown {
            return Asked::Socket(Box::new(self.ask_and_be_seen(&stage.victim).await));
        }
        let (desk, code) = (Desk::at(&stage.victim), self.code.clone());
        let (goal, operation) = (self.goal(), self.operation);
        Asked::Rest(tokio::spawn(async move { desk.clock_in(&code, goal, Some(operation)).await }))
    }

    async fn ask_and_be_seen(&self, hub: &Hub) -> Socket {
        let hello = Hello { token: Some(token(self.agency.owner)), ..Hello::default() };
        let mut owner = Tab::open(hub, Encoding::Json, hello).await.expect("a welcome");
        let channel = ChannelId::Organization(self.agency.organization);
        owner.watch(channel).await;
        let mut socket = Handshake::new(hub.socket_url(), Encoding::Json).open().await.expect("a socket");
        let (goal, op_id) = (self.goal(), Some(self.operation));
        let frame = match &self.before {
            None => {
                let clock_in = ClockInRequest { code: self.code.text.clone(), account_id: goal, op_id };
                ClientFrame::Hello(Hello { clock_in: Some(clock_in), ..Hello::default() })
            }
            Some((pass, _)) => {
                let hello = Hello { token: Some(pass.token.clone()), ..Hello::default() };
                socket.enter(hello).await.expect("the hold lasts");
                let Pass { account, epoch, .. } = *pass;
                let id = RequestId(1);
                ClientFrame::ChangeAccount(ChangeAccount { id, account_id: account, epoch, to: goal, op_id })
            }
        };
        socket.send(&frame).await.expect("a connection");
        let is_there = |tab: &Tab| {
            let list = tab.replica.list(channel);
            list.is_some_and(|list| list.entries().contains_key(&EntryId::Account(goal)))
        };
        owner.until("the badge", is_there).await;
        socket
    }

    /// After the kill and the start: all say the same, and asking again does it once.
    async fn judge(self, stage: &mut Stage) {
        let desks = [Desk::at(&stage.other), Desk::at(&stage.victim)];
        let found = self.found(stage);
        let is_right = self.step.is_done().is_none_or(|done| done == found.is_some());
        assert!(is_right, "{:?} at {:?}: {found:?}", self.deed, self.step);
        self.is_shown_alike(&desks, self.holds(found)).await;
        if self.holds(found).is_some() {
            self.turns_stale(&desks).await;
        }
        let passes = [self.ask_again(&desks[0]).await, self.ask_again(&desks[1]).await];
        assert_eq!(passes[0].epoch, passes[1].epoch, "asked twice more");
        assert!(
            found.is_none_or(|epoch| epoch == passes[0].epoch),
            "the first result: {found:?}, {passes:?}"
        );
        assert_eq!(self.found(stage), Some(passes[0].epoch));
        assert_eq!(desks[0].uses(&self.agency, &self.code).await, self.expected_uses(), "uses of the code");
        self.is_shown_alike(&desks, Some(self.goal())).await;
        self.comes_back(stage, &desks, &passes[1].token).await;
    }

    /// Where the assistant is.
    fn holds(&self, found: Option<u64>) -> Option<AccountId> {
        found.map(|_| self.goal()).or(self.before.as_ref().map(|(pass, _)| pass.account))
    }

    /// The epoch of what was asked for, with all that belongs to it; `None`: nothing of it is there.
    fn found(&self, stage: &mut Stage) -> Option<u64> {
        let (user, goal, operation) = (self.user(), self.goal(), self.operation);
        let (story, row) = block_in_place(|| {
            let story = Story::read(&mut stage.session, &self.agency);
            let row = stage.session.run(&format!(
                "SELECT (SELECT count(*) FROM operation_results \
                     WHERE user_id = '{user}' AND operation_id = '{operation}'), \
                 (SELECT max(epoch) FROM account_epochs WHERE account_id = '{goal}' AND ended_reason IS NULL), \
                 (SELECT epoch FROM account_presence WHERE account_id = '{goal}' AND user_id = '{user}')"
            ));
            (story, row.expect("a row"))
        });
        let columns: Vec<_> = row.split('|').collect();
        let (begun, expected) = match self.deed {
            Deed::ClockIn => (story.count("clocked_in"), 0),
            Deed::Swap => (story.count("moved"), 1),
        };
        let others = story.events.iter().filter(|(event, _)| *event != "stale" && *event != "returned");
        let changes: usize = others.map(|(_, count)| count).sum();
        assert_eq!(changes, begun + expected, "{:?}", story.events);
        match columns[..] {
            ["0", "", ""] if begun == 0 => None,
            ["1", last, held] if begun == 1 && last == held => Some(held.parse().expect("an epoch")),
            _ => panic!("{:?} at {:?} is half done: {columns:?}, {:?}", self.deed, self.step, story.events),
        }
    }

    /// Both hubs show the owner who it is, the member that somebody is there, and the same to both in all else.
    async fn is_shown_alike(&self, desks: &[Desk; 2], account: Option<AccountId>) {
        let who = account.map(|account| (account, self.user()));
        for desk in desks {
            let shown = async || {
                let holders = desk.holders(&self.agency).await.ok()?;
                holders.into_iter().eq(who).then_some(())
            };
            eventually("who is where", shown).await;
        }
        for viewer in [self.agency.owner, self.agency.member] {
            let [one, two] = self.records(desks, viewer).await;
            assert_eq!(
                one.iter().map(without_age).collect::<Vec<_>>(),
                two.iter().map(without_age).collect::<Vec<_>>()
            );
            assert!(viewer == self.agency.owner || one.iter().all(|record| record["holder"] == "occupied"));
        }
    }

    async fn records(&self, desks: &[Desk; 2], viewer: UserId) -> [Vec<Value>; 2] {
        let records = async |desk: &Desk| {
            let records = desk.accounts(&self.agency, viewer).await.expect("a list");
            records.into_values().collect()
        };
        [records(&desks[0]).await, records(&desks[1]).await]
    }

    /// The extension was on the hub that is gone.
    async fn turns_stale(&self, desks: &[Desk; 2]) {
        let stale = async || {
            let [one, two] = self.records(desks, self.agency.owner).await;
            (one.iter().all(is_stale) && one == two).then_some(())
        };
        eventually("that the extension is lost, on both hubs", stale).await;
    }

    /// By REST, where the swap was asked for on a socket without its name: that one is to be found by the code.
    async fn ask_again(&self, desk: &Desk) -> Pass {
        let by_socket = self.step == Step::Shown && self.deed == Deed::Swap;
        let operation = (!by_socket).then_some(self.operation);
        desk.clock_in(&self.code, self.goal(), operation).await.expect("a pass")
    }

    /// A move on the socket of a hold uses no code.
    fn expected_uses(&self) -> u64 {
        match self.deed {
            Deed::ClockIn => 1,
            Deed::Swap if self.step == Step::Shown => 1,
            Deed::Swap => 2,
        }
    }

    /// The extension is there as before, on whichever hub.
    async fn comes_back(&self, stage: &Stage, desks: &[Desk; 2], token: &Token) {
        let mut socket =
            Handshake::new(stage.other.socket_url(), Encoding::Json).open().await.expect("a socket");
        let hello = Hello { token: Some(token.clone()), ..Hello::default() };
        socket.enter(hello).await.expect("the hold lasts");
        let fresh = async || {
            let records = self.records(desks, self.agency.owner).await.concat();
            records.iter().all(|record| !is_stale(record)).then_some(())
        };
        eventually("that the extension is back, on both hubs", fresh).await;
    }
}

fn is_stale(record: &Value) -> bool {
    !record["staleSince"].is_null()
}

/// Whether it is stale is told a moment earlier on one hub than on the other.
fn without_age(record: &Value) -> Value {
    let mut record = record.clone();
    record.as_object_mut().expect("a record").remove("staleSince");
    record
}

/// Clocks in with an extension that stays.
async fn enter(hub: &Hub, code: &AccessCode, account: AccountId) -> (Pass, Extension) {
    let entry = Entry::Code { code: code.text.clone(), account };
    let (extension, mut events) = Extension::start(ExtensionOptions::new(hub.socket_url(), entry));
    let event = in_time("a clock-in", events.next()).await;
    let Some(ExtensionEvent::ClockedIn(held)) = event else { panic!("{event:?}") };
    let pass = Pass { account, epoch: held.hold.epoch, token: held.token };
    (pass, extension)
}
