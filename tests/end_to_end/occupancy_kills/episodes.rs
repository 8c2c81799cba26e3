//! `kill -9` of one of two hubs at a random moment, under clients who make their calls again until they are answered, or
//! leave them open.

use std::{sync::Arc, time::Duration};

use rand::{Rng, rngs::StdRng};
use tokio::time::{Instant, sleep};

use super::scene::Stage;
use crate::{
    fixture::{Desk, eventually},
    occupancy_history::{
        checker::Op,
        clients::{Desks, Manner, play},
        crew::Crew,
        judge,
        model::{Answer, Held},
    },
};

const ASSISTANTS: usize = 4;
const ACCOUNTS: usize = 4;
/// Eight clients make 96 calls. Each call has a name of its own, under which it is made again.
const MANNER: Manner = Manner {
    calls: 12,
    attempts: &[1, 3, 100],
    pause: Duration::from_millis(20),
    think: Duration::from_millis(60),
};
/// Within this after the first call, the kill comes;
const PEACE: Duration = Duration::from_millis(450);
/// within this after the kill, the hub is started again.
const GAP: Duration = Duration::from_millis(300);

/// One kill, in the middle of a history. What was answered.
pub(super) async fn episode(mut stage: Stage, dice: &mut StdRng, name: &str) -> (Stage, Vec<Op>) {
    let desks = Desks::new([Desk::at(&stage.victim), Desk::at(&stage.other)]);
    let crew = Arc::new(Crew::hired(&desks.at(0), ASSISTANTS, ACCOUNTS).await);
    eventually("the agency on the other hub", async || crew.try_look(&desks.at(1)).await.map(drop)).await;
    let (seed, began) = (dice.random(), Instant::now());
    let playing = {
        let (crew, desks) = (crew.clone(), desks.clone());
        tokio::spawn(async move { play(&crew, &desks, MANNER, seed, began).await })
    };
    sleep(PEACE.mul_f64(dice.random())).await;
    stage.victim.strike();
    sleep(GAP.mul_f64(dice.random())).await;
    stage.victim = stage.launch.start();
    desks.replace(0, Desk::at(&stage.victim));
    let ops = playing.await.expect("clients that did not fail");
    let ops = tokio::task::block_in_place(|| judge(&crew, &mut stage.session, ops, began, name));
    agree(&crew, &desks, &mut stage).await;
    (stage, ops)
}

/// Both hubs come to show what the database has.
async fn agree(crew: &Crew, desks: &Desks, stage: &mut Stage) {
    let alike = async || {
        let read = tokio::task::block_in_place(|| crew.read(&mut stage.session));
        let Answer::Shown(held) = read else { panic!("{read:?}") };
        let names = held.into_iter().map(|held| held.map(|held| Held { epoch: None, ..held }));
        let names = Some(Answer::Shown(names.collect()));
        let shown = [crew.try_look(&desks.at(0)).await, crew.try_look(&desks.at(1)).await];
        shown.iter().all(|shown| *shown == names).then_some(())
    };
    eventually("the same on both hubs and in the database", alike).await;
}
