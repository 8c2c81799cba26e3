//! Clock-ins, moves, clock-outs, clearings and looks, by eight clients on two hubs of one Postgres: what they were told
//! has an explanation, one call after the other.
//!
//! `HISTORIES=2000 cargo test -p server --test end_to_end occupancy_history -- --nocapture` is the long run, and holds
//! what one hub shows of the other to the second that is promised; `HISTORIES_SEED=7` plays others.

pub(crate) mod audit;
pub(crate) mod checker;
pub(crate) mod clients;
pub(crate) mod crew;
pub(crate) mod model;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use postgres_cluster::Session;
use tokio::time::{Instant, sleep};

use crate::fixture::{Desk, Postgres, in_time};
use audit::Story;
use checker::{Op, Told, explain};
use clients::{Desks, Manner, play};
use crew::Crew;
use model::{Answer, Call, State};

/// Histories where nobody asked for more.
const FEW: u64 = 40;
/// How many are played at the same time.
const AT_ONCE: u64 = 4;
const ASSISTANTS: usize = 4;
const ACCOUNTS: usize = 4;
/// Eight clients make 64 calls.
const MANNER: Manner =
    Manner { calls: 8, attempts: &[1], pause: Duration::ZERO, think: Duration::from_millis(3) };
/// Within which a hub shows what another one committed.
const PROMISED: Duration = Duration::from_secs(1);
/// The same on a machine that does other things beside it.
const BUSY: Duration = Duration::from_secs(10);

pub(crate) fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// What all histories came to.
#[derive(Default)]
struct Totals {
    answers: BTreeMap<String, usize>,
    histories: usize,
}

impl Totals {
    fn add(&mut self, ops: &[Op]) {
        self.histories += 1;
        for op in ops {
            *self.answers.entry(in_words(op)).or_default() += 1;
        }
    }
}

/// The call and its answer, without who and where.
pub(crate) fn in_words(op: &Op) -> String {
    let call = match op.call {
        Call::ClockIn { .. } => "clock-in",
        Call::ClockOut { .. } => "clock-out",
        Call::Clear { .. } => "clear",
        Call::Revoke { .. } => "revoke",
        Call::Look => "look",
        Call::Read => "read",
    };
    let answer = match &op.answer {
        Answer::In { .. } | Answer::Ended | Answer::Revoked { .. } | Answer::Shown(_) => "done",
        Answer::Refused(code) => code.name(),
        Answer::Open => "open",
    };
    format!("{call} {answer}")
}

/// Reads the end of a history, and holds all of it against the specification and the audit.
pub(crate) fn judge(
    crew: &Crew,
    session: &mut Session,
    mut ops: Vec<Op>,
    began: Instant,
    name: &str,
) -> Vec<Op> {
    let asked = began.elapsed();
    let answer = crew.read(session);
    ops.push(Op { call: Call::Read, answer, hub: 0, asked, answered: began.elapsed() });
    let begin = State::free(crew.agency.assistants.len(), crew.agency.accounts.len());
    let lag = if number("HISTORIES").is_some() { PROMISED } else { BUSY };
    if let Err(unexplained) = explain(&ops, &begin, lag) {
        panic!("{name} cannot be explained:\n{}", Told(&ops, &unexplained));
    }
    audited(&ops, &Story::read(session, &crew.agency), name);
    ops
}

/// What was acknowledged is in the audit, once; and what is there was asked for.
fn audited(ops: &[Op], story: &Story, name: &str) {
    let count = |is: &dyn Fn(&Op) -> bool| ops.iter().filter(|op| is(op)).count();
    let told = |event: &str, call: fn(&Call) -> bool| {
        let acknowledged = count(&|op| call(&op.call) && op.answer == Answer::Ended);
        let open = count(&|op| call(&op.call) && op.answer == Answer::Open);
        let audited = story.count(event);
        let is_right = (acknowledged..=acknowledged + open).contains(&audited);
        assert!(is_right, "{name}: {audited} times {event}, acknowledged {acknowledged}, open {open}");
    };
    told("clocked_out", |call| matches!(call, Call::ClockOut { .. }));
    told("force_cleared", |call| matches!(call, Call::Clear { .. }));
    let epochs: BTreeSet<_> = ops
        .iter()
        .filter_map(|op| match (&op.call, &op.answer) {
            (Call::ClockIn { account, .. }, Answer::In { epoch }) => Some((*account, *epoch)),
            _ => None,
        })
        .collect();
    let open = count(&|op| matches!(op.call, Call::ClockIn { .. }) && op.answer == Answer::Open);
    let begun = story.begun.len();
    let is_right = (epochs.len()..=epochs.len() + open).contains(&begun);
    assert!(is_right, "{name}: {begun} holds began, {} were told, {open} are open", epochs.len());
}

/// One history, on an agency of its own.
async fn history(desks: &Desks, session: &mut Session, seed: u64) -> Vec<Op> {
    let crew = Arc::new(Crew::hired(&desks.at(0), ASSISTANTS, ACCOUNTS).await);
    // The other hub knows them as well before it is asked.
    let known = async {
        while crew.try_look(&desks.at(1)).await.is_none() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    in_time("agency on the other hub", known).await;
    let began = Instant::now();
    let ops = play(&crew, desks, MANNER, seed, began).await;
    judge(&crew, session, ops, began, &format!("the history of seed {seed}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_on_two_hubs_can_be_explained() {
    let (histories, first) =
        (number("HISTORIES").unwrap_or(FEW), number("HISTORIES_SEED").unwrap_or(1) * 1_000_000);
    let postgres = Postgres::shared();
    let hubs = [(); 2].map(|()| postgres.launch().for_agencies().start());
    let desks = Desks::new([Desk::at(&hubs[0]), Desk::at(&hubs[1])]);
    let began = Instant::now();
    let lanes = (0..AT_ONCE).map(|lane| {
        let (desks, mut session) = (desks.clone(), postgres.session());
        tokio::spawn(async move {
            let mut totals = Totals::default();
            for seed in (lane..histories).step_by(AT_ONCE as usize) {
                totals.add(&history(&desks, &mut session, first + seed).await);
            }
            totals
        })
    });
    let mut totals = Totals::default();
    for lane in lanes.collect::<Vec<_>>() {
        let lane = lane.await.expect("histories that can be explained");
        totals.histories += lane.histories;
        lane.answers
            .into_iter()
            .for_each(|(words, count)| *totals.answers.entry(words).or_default() += count);
    }
    report(&totals, began.elapsed());
}

#[expect(clippy::print_stdout, reason = "the totals are what the long run is made for")]
fn report(totals: &Totals, took: Duration) {
    let Totals { answers, histories } = totals;
    println!("histories  {histories} in {took:.1?}, all explained: {answers:?}");
}
