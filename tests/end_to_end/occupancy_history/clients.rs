//! Clients of an agency on two hubs, who write down what they asked, when, and what they were told.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    checker::Op,
    crew::Crew,
    model::{Account, Answer, Assistant, Call},
};
use crate::fixture::Desk;

/// Where the hubs of the moment are.
#[derive(Clone)]
pub(crate) struct Desks(Arc<Mutex<[Desk; 2]>>);

impl Desks {
    pub(crate) fn new(desks: [Desk; 2]) -> Self {
        Self(Arc::new(Mutex::new(desks)))
    }

    pub(crate) fn at(&self, hub: usize) -> Desk {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[hub].clone()
    }

    /// A hub was started in the place of another.
    pub(crate) fn replace(&self, hub: usize, desk: Desk) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[hub] = desk;
    }
}

/// How clients go about it.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    /// How many calls each of them makes.
    pub(crate) calls: usize,
    /// How often a call is made again, under its name and at either hub, where the answer is lost: by turns.
    pub(crate) attempts: &'static [usize],
    /// Between two attempts.
    pub(crate) pause: Duration,
    /// Between two calls, at most.
    pub(crate) think: Duration,
}

/// So many to each assistant, so that one of them does not know what the other did.
const CLIENTS_EACH: usize = 2;

/// Lets all clients of a crew do what they do; what they wrote down.
pub(crate) async fn play(
    crew: &Arc<Crew>,
    desks: &Desks,
    manner: Manner,
    seed: u64,
    began: Instant,
) -> Vec<Op> {
    let clients = (0..crew.agency.assistants.len() * CLIENTS_EACH).map(|number| {
        let client = Client {
            who: number / CLIENTS_EACH,
            crew: crew.clone(),
            desks: desks.clone(),
            dice: StdRng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(number as u64)),
            holds: Vec::new(),
            manner,
            began,
        };
        tokio::spawn(client.run())
    });
    let mut ops = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        ops.extend(client.await.expect("a client that did not fail"));
    }
    ops
}

struct Client {
    who: Assistant,
    crew: Arc<Crew>,
    desks: Desks,
    dice: StdRng,
    /// What this one was told of, the newest last.
    holds: Vec<(Account, u64)>,
    manner: Manner,
    began: Instant,
}

impl Client {
    async fn run(mut self) -> Vec<Op> {
        let mut ops = Vec::new();
        for number in 0..self.manner.calls {
            sleep(self.manner.think.mul_f64(self.dice.random())).await;
            let call = self.choose();
            let attempts = self.manner.attempts[number % self.manner.attempts.len()];
            let op = self.ask(call, attempts).await;
            // Nothing follows from what was not seen.
            let is_nothing = op.call.is_look() && op.answer == Answer::Open;
            ops.extend((!is_nothing).then_some(op));
        }
        ops
    }

    fn choose(&mut self) -> Call {
        let (who, account) = (self.who, self.dice.random_range(0..self.crew.agency.accounts.len()));
        let old = self.holds.len().checked_sub(2).map(|last| self.holds[self.dice.random_range(0..=last)]);
        match (self.dice.random_range(0..20), self.holds.last(), old) {
            (0..5, Some(&(account, epoch)), _) | (5..7, _, Some((account, epoch))) => {
                Call::ClockOut { who, account, epoch }
            }
            (7..9, ..) => Call::Clear { account, holder: None },
            (9, ..) => {
                let holder = self.dice.random_range(0..self.crew.agency.assistants.len());
                Call::Clear { account, holder: Some(holder) }
            }
            (10..13, ..) => Call::Look,
            _ => Call::ClockIn { who, account },
        }
    }

    async fn ask(&mut self, call: Call, attempts: usize) -> Op {
        let (operation, asked) = (Uuid::new_v4(), self.began.elapsed());
        let (mut answer, mut hub) = (Answer::Open, 0);
        for attempt in 0..attempts {
            if attempt > 0 {
                sleep(self.manner.pause).await;
            }
            hub = self.dice.random_range(0..2);
            answer = self.crew.make(&self.desks.at(hub), &call, Some(operation)).await;
            if answer != Answer::Open {
                break;
            }
        }
        if let (Call::ClockIn { account, .. }, Answer::In { epoch }) = (&call, &answer) {
            self.holds.push((*account, *epoch));
        }
        Op { call, answer, hub, asked, answered: self.began.elapsed() }
    }
}
