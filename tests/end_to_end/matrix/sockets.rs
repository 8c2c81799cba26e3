//! The operations of a socket, each asked of a running hub.

use std::{collections::BTreeSet, sync::Arc};

use client::{Closed, Handshake, Socket, SocketError};
use futures_util::{StreamExt, stream};
use model::{
    AccountId, ActivityRequest, ActivityType, ChannelId, Encoding, OrganizationId, RequestId, SettingsPatch,
    Status, SubscribeRequest, SubscriptionId, TrackRequest, UserId, Visibility, WeddingId,
};
use wire::{
    ActivityFrame, ChangeAccount, ClientFrame, ClockOut, Hello, Refresh, Request, ServerFrame, SetSettings,
    Subscribe, Token, TrackFrame, Unsubscribe,
};

use super::{Caller, Whose, Word, town::Town, words};
use crate::fixture::{Hub, in_time};

const ID: RequestId = RequestId(1);

/// An operation, what is said about somebody's, and what each caller is answered: the kind of the frame where it is done,
/// the code where it is not, the number of the close where the connection ends.
struct Row {
    kind: &'static str,
    say: fn(&Town, Whose) -> ClientFrame,
    /// Nobody, user, stranger, assistant, admin, service.
    answers: [&'static str; 6],
}

/// The close of a hello without a token.
const NO_TOKEN: &str = "4300";
/// The close of one whose token is no user's: the back-end has no place on a socket.
const NO_USER: &str = "4201";
/// The close of a refresh by the token of another.
const ANOTHER: &str = "4202";
/// An extension's answer to what people say, and theirs to what extensions say.
const NOT_THEIRS: &str = "unauthorized";

fn subscribe(channel: ChannelId) -> ClientFrame {
    ClientFrame::Subscribe(Subscribe { id: ID, channels: vec![SubscribeRequest::of(channel)] })
}

fn hold(town: &Town, account: Whose) -> (AccountId, u64) {
    (AccountId(town.account(account)), town.held["epoch"].as_u64().expect("an epoch"))
}

const ROWS: &[Row] = &[
    Row {
        kind: "subscribe",
        say: |town, whose| subscribe(ChannelId::Wedding(WeddingId(town.wedding(whose)))),
        answers: [
            NO_TOKEN,
            "subscribed subscribed unknown_channel unknown_channel",
            "unknown_channel unknown_channel subscribed unknown_channel",
            NOT_THEIRS,
            "unknown_channel",
            NO_USER,
        ],
    },
    Row {
        kind: "subscribe",
        say: |town, whose| subscribe(ChannelId::Organization(OrganizationId(town.organization(whose)))),
        answers: [
            NO_TOKEN,
            "subscribed subscribed unknown_channel unknown_channel",
            "unknown_channel unknown_channel subscribed unknown_channel",
            NOT_THEIRS,
            "subscribed unknown_channel unknown_channel unknown_channel",
            NO_USER,
        ],
    },
    Row {
        kind: "subscribe",
        say: |town, whose| subscribe(ChannelId::Account(AccountId(town.account(whose)))),
        answers: [
            NO_TOKEN,
            "subscribed subscribed unknown_channel unknown_channel",
            "unknown_channel unknown_channel subscribed unknown_channel",
            NOT_THEIRS,
            "subscribed subscribed unknown_channel unknown_channel",
            NO_USER,
        ],
    },
    Row {
        kind: "unsubscribe",
        say: |_, _| ClientFrame::Unsubscribe(Unsubscribe { id: ID, subscription: SubscriptionId(7) }),
        answers: [
            NO_TOKEN,
            "unknown_subscription",
            "unknown_subscription",
            NOT_THEIRS,
            "unknown_subscription",
            NO_USER,
        ],
    },
    Row {
        kind: "track",
        say: |town, whose| {
            let scope = Some(vec![ChannelId::Wedding(WeddingId(town.wedding(whose)))]);
            let track = TrackRequest { scope, ..TrackRequest::of(Status::Online) };
            ClientFrame::Track(TrackFrame { id: ID, track })
        },
        answers: [NO_TOKEN, "ack", "ack", NOT_THEIRS, "ack", NO_USER],
    },
    Row {
        kind: "untrack",
        say: |_, _| ClientFrame::Untrack(Request { id: ID }),
        answers: [NO_TOKEN, "ack", "ack", NOT_THEIRS, "ack", NO_USER],
    },
    Row {
        kind: "activity",
        say: |town, whose| {
            let activity = ActivityRequest {
                activity_type: ActivityType::Focus,
                page: None,
                device: None,
                session_id: None,
                organization_id: Some(OrganizationId(town.organization(whose))),
                metadata: None,
            };
            ClientFrame::Activity(ActivityFrame { id: ID, activity })
        },
        answers: [
            NO_TOKEN,
            "ack ack unknown_channel unknown_channel",
            "unknown_channel unknown_channel ack unknown_channel",
            "ack unknown_channel unknown_channel unknown_channel",
            "ack unknown_channel unknown_channel unknown_channel",
            NO_USER,
        ],
    },
    Row {
        kind: "signOut",
        say: |_, _| ClientFrame::SignOut(Request { id: ID }),
        answers: [NO_TOKEN, "ack", "ack", NOT_THEIRS, "ack", NO_USER],
    },
    Row {
        kind: "setSettings",
        say: |_, _| {
            let settings = SettingsPatch { visibility: Some(Visibility::Nobody), ..SettingsPatch::default() };
            ClientFrame::SetSettings(SetSettings { id: ID, settings, op_id: None })
        },
        answers: [NO_TOKEN, "settings", "settings", NOT_THEIRS, "settings", NO_USER],
    },
    Row {
        kind: "refresh",
        say: |town, whose| {
            let user = UserId(town.person(whose));
            ClientFrame::Refresh(Refresh { id: ID, token: crate::fixture::token(user) })
        },
        answers: [NO_TOKEN, "ack 4202 4202 4202", "4202 4202 ack 4202", NOT_THEIRS, ANOTHER, NO_USER],
    },
    Row {
        kind: "clockOut",
        say: |town, whose| {
            let (account_id, epoch) = hold(town, whose);
            ClientFrame::ClockOut(ClockOut { id: ID, account_id, epoch, op_id: None })
        },
        answers: [NO_TOKEN, NOT_THEIRS, NOT_THEIRS, "ack not_held not_held not_held", NOT_THEIRS, NO_USER],
    },
    Row {
        kind: "changeAccount",
        say: |town, whose| {
            let ((account_id, epoch), to) = (hold(town, Whose::Own), AccountId(town.account(whose)));
            ClientFrame::ChangeAccount(ChangeAccount { id: ID, account_id, epoch, to, op_id: None })
        },
        answers: [
            NO_TOKEN,
            NOT_THEIRS,
            NOT_THEIRS,
            "clockedIn clockedIn unknown_channel unknown_channel",
            NOT_THEIRS,
            NO_USER,
        ],
    },
    Row {
        kind: "renew",
        say: |_, _| ClientFrame::Renew(Request { id: ID }),
        answers: [NO_TOKEN, NOT_THEIRS, NOT_THEIRS, "clockedIn", NOT_THEIRS, NO_USER],
    },
    Row {
        kind: "ping",
        say: |_, _| ClientFrame::Ping(Request { id: ID }),
        answers: [NO_TOKEN, "ack", "ack", "ack", "ack", NO_USER],
    },
];

/// What is said with every other operation: the hello lets in or not, a heartbeat has no answer.
const SAID_WITH_ALL: [&str; 2] = ["hello", "heartbeat"];

#[derive(Clone, Copy)]
struct Cell {
    row: &'static Row,
    caller: Caller,
    whose: Whose,
}

impl Cell {
    async fn ask(&self, hub: Arc<Hub>, http: reqwest::Client) -> Word {
        let town = Town::found(hub, http).await;
        let socket = Handshake::new(town.hub().socket_url(), Encoding::Json).open();
        let mut socket = in_time("a socket", socket).await.expect("a socket");
        let token = town.token(self.caller).map(Token::new);
        let said = [ClientFrame::Hello(Hello { token, ..Hello::default() }), ClientFrame::Heartbeat];
        for frame in said.into_iter().chain([(self.row.say)(&town, self.whose)]) {
            // A hub that has closed by now said why.
            let _ = socket.send(&frame).await;
        }
        in_time("an answer", answer(&mut socket)).await
    }
}

/// What comes for the request, or the end.
async fn answer(socket: &mut Socket) -> Word {
    let word = loop {
        match socket.receive().await {
            Ok(ServerFrame::Subscribed(subscribed)) => match subscribed.channels[0].outcome {
                Ok(_) => break "subscribed".to_owned(),
                Err(code) => break code.name().to_owned(),
            },
            Ok(ServerFrame::Ack(_)) => break "ack".to_owned(),
            Ok(ServerFrame::Error(failure)) if failure.re == Some(ID) => {
                break failure.code.name().to_owned();
            }
            Ok(ServerFrame::ClockedIn(clocked_in)) if clocked_in.re == Some(ID) => {
                break "clockedIn".to_owned();
            }
            Ok(ServerFrame::Settings(_)) => break "settings".to_owned(),
            Ok(_) => {}
            Err(SocketError::Closed(Closed { code: Some(code), .. })) => break code.to_string(),
            Err(error) => break error.to_string(),
        }
    };
    Word(word)
}

/// Every cell answers what the table says, and nobody is told that there is what they may not know of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_answers_as_the_table_says() {
    let hub = Arc::new(super::cells::launch().start());
    server::auth::install_crypto();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let callers = Caller::ALL.into_iter().filter(|caller| *caller != Caller::ServiceAsUser);
    let cells = callers.flat_map(|caller| ROWS.iter().map(move |row| (row, caller)));
    let cells = cells.flat_map(|(row, caller)| Whose::ALL.map(|whose| Cell { row, caller, whose }));
    let asked = cells.map(|cell| {
        let (hub, http) = (hub.clone(), http.clone());
        async move { (cell, cell.ask(hub, http).await) }
    });
    let answers: Vec<_> = stream::iter(asked).buffered(super::AT_ONCE).collect().await;
    let wrong: Vec<_> = answers
        .iter()
        .filter_map(|(cell, answer)| {
            let expected = &words(cell.row.answers[cell.caller as usize])[cell.whose as usize];
            let asked = || format!("{} by {:?} of {:?}", cell.row.kind, cell.caller, cell.whose);
            (answer != expected).then(|| format!("{}: {answer:?} and not {expected:?}", asked()))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} cells:\n{}", wrong.len(), answers.len(), wrong.join("\n"));
}

#[test]
fn the_table_has_every_operation() {
    let listed: BTreeSet<_> = ROWS.iter().map(|row| row.kind).chain(SAID_WITH_ALL).collect();
    assert_eq!(listed, ClientFrame::KINDS.iter().copied().collect());
}
