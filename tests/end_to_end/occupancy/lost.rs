//! Extensions that are lost, come back, or have nothing to do.

use std::{sync::Arc, time::Duration};

use model::{ActivityRequest, ActivityType, ClockOutReason, CloseCode, Holder, Record};
use postgres_cluster::{Cluster, Options};
use reqwest::StatusCode;
use wire::{ActivityFrame, ClientFrame, Request, ServerFrame};

use super::agency::{Agency, refusal, said};
use crate::fixture::{Launch, Postgres, Tab, eventually, in_time};

/// With times that a test can wait for.
fn quick(launch: Launch) -> Launch {
    launch
        .set("presence.heartbeat_ms", 400)
        .set("presence.heartbeat_timeout_ms", 400)
        .set("occupancy.stale_after_s", 2)
}

fn is_stale(tab: &Tab, agency: &Agency) -> Option<bool> {
    match tab.holder(agency.world.agency, agency.accounts[0])? {
        Holder::Named { stale_since, .. } => Some(stale_since.is_some()),
        Holder::Own { .. } | Holder::Occupied => None,
    }
}

/// Does `work` while somebody else goes on reading, and answers heartbeats.
async fn while_reads<T>(tab: &mut Tab, work: impl Future<Output = T>) -> T {
    let reading = async {
        loop {
            tab.step().await.expect("a connection");
        }
    };
    tokio::select! {
        done = work => done,
        () = reading => unreachable!("it goes on"),
    }
}

async fn a_lost_extension_turns_stale_and_comes_back(agency: Agency) {
    let (world, account) = (&agency.world, agency.accounts[0]);
    let code = agency.code(world.finn).await;
    let extension = agency.extension(&code, account).await;
    let held = extension.held.clone();
    let mut olga = agency.board(world.olga).await;
    assert_eq!(is_stale(&olga, &agency), Some(false));
    let mut vera = agency.board(world.vera).await;
    vera.until("a badge", |tab| tab.holder(world.agency, account) == Some(&Holder::Occupied)).await;
    vera.forget();
    extension.lose();
    while_reads(&mut vera, olga.until("stale", |tab| is_stale(tab, &agency) == Some(true))).await;
    let mut back = agency.back(&held.token).await.expect("it lasts");
    assert_eq!((back.held.epoch, back.held.since), (held.epoch, held.since), "as if nothing had been");
    // Reading, the extension answers heartbeats, which are signs of life.
    let returned = olga.until("back", |tab| is_stale(tab, &agency) == Some(false));
    let alive = async {
        tokio::select! {
            () = returned => {}
            frame = back.next() => panic!("{frame:?}"),
        }
    };
    while_reads(&mut vera, alive).await;
    vera.ping().await;
    assert_eq!(vera.views().count(), 0, "to a member nothing has happened");
}

#[tokio::test]
async fn a_lost_extension_turns_stale_and_comes_back_with_sqlite() {
    a_lost_extension_turns_stale_and_comes_back(Agency::on(quick(Launch::new()), None).await).await;
}

#[tokio::test]
async fn a_lost_extension_turns_stale_and_comes_back_with_postgres() {
    let postgres = Postgres::shared();
    let agency = Agency::on(quick(postgres.launch()), Some(postgres)).await;
    a_lost_extension_turns_stale_and_comes_back(agency).await;
}

/// While the database is away nobody can say that they are there; when it is back, that is nobody's fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_makes_nobody_stale_who_is_there() {
    let cluster = Arc::new(Cluster::start(Options::default()));
    let postgres = Postgres::on(&cluster);
    let agency = Agency::on(quick(postgres.launch()), Some(postgres)).await;
    let (world, account) = (&agency.world, agency.accounts[0]);
    let mut extension = agency.extension(&agency.code(world.finn).await, account).await;
    let code = agency.code(world.vera).await;
    let mut olga = agency.board(world.olga).await;
    let staying = async {
        let frame = extension.next().await;
        panic!("{frame:?}");
    };
    let outage = async {
        cluster.kill9();
        // Longer than a hold may be silent.
        tokio::time::sleep(Duration::from_secs(4)).await;
        cluster.start_again();
        eventually("a clock-in", async || {
            agency.validate(&code, agency.accounts[1]).await.status().is_success().then_some(())
        })
        .await;
        // Without an extension, it is lost sooner or later: those who are lost are marked again.
        eventually("a stale hold", async || {
            agency.listed(world.olga).await[&agency.accounts[1]].get("staleSince").map(drop)
        })
        .await;
    };
    tokio::select! {
        () = while_reads(&mut olga, outage) => {}
        () = staying => {}
    }
    olga.ping().await;
    let told = olga.views().flat_map(|view| view.join.iter().chain(&view.update));
    let stale = told.filter(|record| match record.record() {
        Record::Account(record) => {
            record.account_id == account
                && matches!(record.holder, Holder::Named { stale_since: Some(_), .. })
        }
        Record::Person(_) => false,
    });
    assert_eq!(stale.count(), 0, "an extension that was there all the time");
}

#[tokio::test]
async fn who_does_not_answer_is_let_go_and_stays_clocked_in() {
    let agency = Agency::on(quick(Launch::new()), None).await;
    let (world, account) = (&agency.world, agency.accounts[0]);
    let mut olga = agency.board(world.olga).await;
    // Its socket is open, and nobody reads it.
    let mut silent = agency.extension(&agency.code(world.finn).await, account).await;
    olga.until("stale", |tab| is_stale(tab, &agency) == Some(true)).await;
    assert_eq!(agency.listed(world.olga).await.len(), 1);
    let ended = in_time("the end", async {
        loop {
            match silent.next().await {
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    })
    .await;
    assert!(ended.to_string().contains("closed") || ended.to_string().contains("connection"), "{ended}");
}

#[tokio::test]
async fn who_does_nothing_is_clocked_out_and_heartbeats_are_nothing() {
    let agency = Agency::on(quick(Launch::new()).set("occupancy.inactive_after_s", 4), None).await;
    let world = &agency.world;
    let mut busy = agency.extension(&agency.code(world.vera).await, agency.accounts[1]).await;
    let mut idle = agency.extension(&agency.code(world.finn).await, agency.accounts[0]).await;
    let over = async { idle.over().await };
    let working = async {
        loop {
            let activity = ActivityRequest::of(ActivityType::Interaction);
            busy.ask(|id| ClientFrame::Activity(ActivityFrame { id, activity })).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::pin!(working);
    let (over, code) = tokio::select! {
        over = over => over,
        () = &mut working => unreachable!("it goes on"),
    };
    assert_eq!((over.reason, code), (Some(ClockOutReason::Inactive), CloseCode::ClockedOut));
    let listed = agency.listed(world.olga).await;
    assert_eq!(listed.keys().collect::<Vec<_>>(), [&agency.accounts[1]], "who works stays");
}

#[tokio::test]
async fn a_restart_clocks_nobody_out() {
    let agency = Agency::embedded().await;
    let account = agency.accounts[0];
    let mut extension = agency.extension(&agency.code(agency.world.finn).await, account).await;
    let held = extension.held.clone();
    agency.world.hub.terminate();
    assert_eq!(extension.closed().await, CloseCode::Restarting);
    agency.world.hub.ended().await;
    let agency = agency.again();
    let world = &agency.world;
    assert_eq!(agency.listed(world.olga).await[&account]["userId"], serde_json::json!(world.finn));
    let mut back = agency.back(&held.token).await.expect("it lasts, and so does the key of tokens");
    assert_eq!((back.held.epoch, back.held.since), (held.epoch, held.since));
    let answer = back.ask(|id| ClientFrame::Ping(Request { id })).await;
    assert!(matches!(answer, ServerFrame::Ack(_)), "{answer:?}");
    said(agency.clear(world.olga, account, "").await, StatusCode::OK).await;
    // After the clearing, a heartbeat is nothing.
    assert_eq!(back.over().await.0.reason, Some(ClockOutReason::ForceCleared));
    assert_eq!(refusal(agency.clear(world.olga, account, "").await).await.0, 409);
}
