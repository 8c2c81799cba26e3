//! Clients that change their settings one after the other, and write down what they were told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use model::{SettingsPatch, UserId};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use super::ledger::{Entry, Ledger};
use crate::fixture::token;

/// A client gives up on an answer then, and does not know.
const CLIENT_WAITS: Duration = Duration::from_secs(5);
/// Between two attempts while nobody listens.
pub(super) const PAUSE: Duration = Duration::from_millis(10);
/// How often a client asks again, by turns: some leave open what became of a change.
pub(super) const ATTEMPTS: [usize; 3] = [1, 4, 40];

/// One who calls a hub.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub(super) fn new(base: &str) -> Self {
        server::auth::install_crypto();
        let http = reqwest::Client::builder().no_proxy().timeout(CLIENT_WAITS).build().expect("a client");
        Self { http, base: base.to_owned() }
    }

    /// Changes settings under a name: what was answered, unless the connection was lost.
    pub(super) async fn put(
        &self,
        user: UserId,
        operation: Uuid,
        patch: &SettingsPatch,
    ) -> Option<(StatusCode, Value)> {
        let request = self.settings(Method::PUT, user).json(patch);
        let answer = request.header("Idempotency-Key", operation.to_string()).send().await.ok()?;
        Some((answer.status(), answer.json().await.ok()?))
    }

    /// The settings in force, unless the connection was lost.
    pub(super) async fn settings_of(&self, user: UserId) -> Option<Value> {
        let answer = self.settings(Method::GET, user).send().await.ok()?;
        assert_eq!(answer.status(), StatusCode::OK);
        Some(answer.json::<Value>().await.ok()?["settings"].take())
    }

    fn settings(&self, method: Method, user: UserId) -> RequestBuilder {
        self.http
            .request(method, format!("{}/api/presence/settings", self.base))
            .bearer_auth(token(user).reveal())
    }

    /// Changes the custom status to the entry's text: the result where it was acknowledged.
    pub(super) async fn change(&self, entry: &Entry) -> Option<Value> {
        let patch = SettingsPatch { custom_status: Some(entry.text.clone()), ..SettingsPatch::default() };
        match self.put(entry.user, entry.operation, &patch).await? {
            (StatusCode::OK, result) => Some(result),
            (StatusCode::SERVICE_UNAVAILABLE, _) => None,
            other => panic!("{other:?}"),
        }
    }
}

/// A client of whoever is at the address of the moment.
pub(super) struct Caller {
    address: watch::Receiver<String>,
    client: Client,
}

impl Caller {
    pub(super) fn new(address: &watch::Receiver<String>) -> Self {
        let client = Client::new(&address.borrow());
        Self { address: address.clone(), client }
    }

    pub(super) fn client(&mut self) -> &Client {
        if self.address.has_changed().expect("somebody who says where the hub is") {
            self.client = Client::new(&self.address.borrow_and_update().clone());
        }
        &self.client
    }
}

/// All clients, one for each user.
pub(super) struct Fleet {
    over: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<Entry>>>,
}

impl Fleet {
    /// Starts them. They call whoever is at the address of the moment.
    pub(super) fn start(people: &[UserId], address: &watch::Receiver<String>) -> Self {
        let (over, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let run = |user: &UserId| {
            let one = Writer {
                user: *user,
                hub: Caller::new(address),
                over: over.clone(),
                acknowledged: acknowledged.clone(),
            };
            tokio::spawn(one.run())
        };
        let clients = people.iter().map(run).collect();
        Self { over, acknowledged, clients }
    }

    /// How many changes were acknowledged so far.
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Lets them finish what they are at, and collects what they wrote down.
    pub(super) async fn end(self) -> Ledger {
        self.over.store(true, Ordering::Relaxed);
        let mut entries = Vec::new();
        for client in self.clients {
            entries.extend(client.await.expect("a client that did not fail"));
        }
        Ledger::new(entries)
    }
}

struct Writer {
    user: UserId,
    hub: Caller,
    over: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
}

impl Writer {
    async fn run(mut self) -> Vec<Entry> {
        let mut entries = Vec::new();
        while !self.over.load(Ordering::Relaxed) {
            let mut entry = Entry::invoke(self.user, Uuid::new_v4(), entries.len());
            for _ in 0..ATTEMPTS[entries.len() % ATTEMPTS.len()] {
                entry.result = self.hub.client().change(&entry).await;
                if entry.result.is_some() {
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
            entries.push(entry);
        }
        entries
    }
}
