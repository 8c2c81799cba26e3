//! The cells of the routes, each asked of a running hub.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::Value;

use super::{
    AT_ONCE, Caller, Whose, Word,
    routes::{ROWS, Row},
    town::Town,
    words,
};
use crate::fixture::{Hub, Launch};

/// An answer, as far as two may be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    word: Word,
    headers: BTreeMap<String, String>,
    /// Without the id that was asked about.
    body: String,
}

#[derive(Clone, Copy)]
struct Cell {
    row: &'static Row,
    caller: Caller,
    whose: Whose,
}

impl Cell {
    fn expected(&self) -> Word {
        let answered_as = if self.caller == Caller::ServiceAsUser { Caller::User } else { self.caller };
        words(self.row.answers[answered_as as usize])[self.whose as usize].clone()
    }

    async fn ask(&self, hub: Arc<Hub>, http: reqwest::Client) -> Answer {
        let town = Town::found(hub, http).await;
        let ask = (self.row.ask)(&town, self.whose);
        let path = match self.caller {
            Caller::ServiceAsUser => {
                let mark = if ask.path.contains('?') { '&' } else { '?' };
                format!("{}{mark}actingUser={}", ask.path, town.user)
            }
            _ => ask.path,
        };
        let method = Method::from_bytes(self.row.method.as_bytes()).expect("a method");
        let mut request = town.request(method, &path);
        if let Some(token) = town.token(self.caller) {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        Answer::read(request.send().await.expect("an answer")).await
    }
}

impl Answer {
    async fn read(answer: reqwest::Response) -> Self {
        let status = answer.status();
        let told = |name: &str| !matches!(name, "date" | "x-request-id" | "retry-after");
        let headers = answer.headers().iter().filter(|(name, _)| told(name.as_str()));
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
            .collect();
        let body = answer.text().await.expect("a body");
        let code = || serde_json::from_str::<Value>(&body).ok()?["code"].as_str().map(ToOwned::to_owned);
        let word = if status.is_success() { status.as_str().to_owned() } else { code().unwrap_or_default() };
        Self { word: Word(word), headers, body }
    }
}

/// Nobody's answer is that they ask too often.
pub(super) fn launch() -> Launch {
    Launch::new().for_agencies().set("limits.activities_per_second", 100_000)
}

/// Every cell answers what the table says; and of what is others' and what there is not the refusals are the same, to the
/// byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cell_answers_as_the_table_says() {
    let hub = Arc::new(launch().start());
    server::auth::install_crypto();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let cells = ROWS
        .iter()
        .flat_map(|row| Caller::ALL.map(|caller| (row, caller)))
        .filter(|(row, caller)| *caller != Caller::ServiceAsUser || takes_users(row));
    let cells = cells.flat_map(|(row, caller)| Whose::ALL.map(|whose| Cell { row, caller, whose }));
    let asked = cells.map(|cell| {
        let (hub, http) = (hub.clone(), http.clone());
        async move { (cell, cell.ask(hub, http).await) }
    });
    let answers: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    let mut wrong = Vec::new();
    for (cell, answer) in &answers {
        if answer.word != cell.expected() {
            let (row, body) = (cell.row, &answer.body);
            let asked = format!("{} {} by {:?} of {:?}", row.method, row.route, cell.caller, cell.whose);
            wrong.push(format!("{asked}: {:?} and not {:?}: {body}", answer.word, cell.expected()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cells:\n{}", wrong.len(), answers.len(), wrong.join("\n"));
    for of_caller in answers.chunks(Whose::ALL.len()) {
        let [_, _, (cell, foreign), (_, unknown)] = of_caller else { unreachable!("four of each") };
        let is_refused = foreign.word.0.parse::<u16>().is_err();
        if foreign.word == unknown.word && is_refused {
            assert_eq!(foreign, unknown, "{} {} by {:?}", cell.row.method, cell.row.route, cell.caller);
        }
    }
}

/// Of routes that somebody may use as a user.
fn takes_users(row: &Row) -> bool {
    let [nobody, user, ..] = row.answers;
    user != nobody
}

/// A route without a row is not tested, a row without a route tests nothing.
#[tokio::test]
async fn the_table_has_every_route() {
    let hub = Hub::shared();
    server::auth::install_crypto();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let text = http.get(hub.url("/api/openapi.json")).send().await.expect("an answer").text().await;
    let document: Value = serde_json::from_str(&text.expect("a body")).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let described: BTreeSet<(String, &str)> = paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods").keys();
            methods.map(|method| (method.to_uppercase(), path.as_str()))
        })
        .collect();
    let listed: BTreeSet<_> = ROWS.iter().map(|row| (row.method.to_owned(), row.route)).collect();
    assert_eq!(listed, described);
}
