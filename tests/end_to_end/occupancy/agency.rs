//! An agency with accounts: its owner mints codes, its assistants clock in with them.

use std::{collections::BTreeMap, sync::Arc};

use client::{Closed, Handshake, NotEntered, Socket, SocketError};
use model::{
    AccountId, ChannelId, CloseCode, DirectoryChange, Encoding, EntryId, Holder, OrganizationId, Plan,
    Record, RequestId, UserId,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::{ClientFrame, ClockInRequest, ClockedIn, ClockedOut, Hello, ServerFrame, Token};

use crate::fixture::{Hub, Launch, Postgres, Tab, World, id_of, in_time, token};

/// The agency of the world, with three accounts.
pub(crate) struct Agency {
    pub(crate) world: World,
    pub(crate) accounts: Vec<AccountId>,
    /// Where there is a Postgres, it lives as long as the hub.
    pub(crate) postgres: Option<Postgres>,
    pub(crate) launch: Launch,
}

impl Agency {
    pub(crate) async fn on(launch: Launch, postgres: Option<Postgres>) -> Self {
        let launch = launch.set("limits.clockings_per_second", 10_000);
        let world = World::on(Arc::new(launch.start())).await;
        let agency = Self { world, accounts: Vec::new(), postgres, launch };
        let mut accounts = Vec::new();
        for name in ["Shop", "Mail", "Books"] {
            accounts.push(agency.put_account(name).await);
        }
        agency.put_plan(Plan::Enterprise).await;
        Self { accounts, ..agency }
    }

    pub(crate) async fn embedded() -> Self {
        Self::on(Launch::new(), None).await
    }

    pub(crate) async fn with_postgres() -> Self {
        let postgres = Postgres::shared();
        Self::on(postgres.launch(), Some(postgres)).await
    }

    /// The same agency as another hub of its database sees it.
    pub(crate) fn beside(&self) -> Self {
        let launch = self.postgres.as_ref().expect("a Postgres").launch();
        let launch = launch.set("limits.clockings_per_second", 10_000);
        let world = self.world.beside(Arc::new(launch.start()));
        Self { world, accounts: self.accounts.clone(), postgres: self.postgres.clone(), launch }
    }

    /// The same agency on a hub that was started again.
    pub(crate) fn again(self) -> Self {
        let Self { world, accounts, postgres, launch } = self;
        let hub = Arc::new(launch.start());
        Self { world: world.moved_to(hub), accounts, postgres, launch }
    }

    pub(crate) fn organization(&self) -> OrganizationId {
        OrganizationId(id_of(self.world.agency))
    }

    pub(crate) async fn put_account(&self, name: &str) -> AccountId {
        let (id, organization) = (AccountId(Uuid::new_v4()), self.organization());
        self.world.change(&[DirectoryChange::PutAccount { id, organization, name: name.into() }]).await;
        id
    }

    async fn put_plan(&self, plan: Plan) {
        let id = self.organization();
        self.world.change(&[DirectoryChange::PutOrganization { id, name: "Agency".into(), plan }]).await;
    }

    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.world.http.request(method, self.world.hub.url(path))
    }

    pub(crate) fn call(&self, method: Method, path: &str, user: UserId) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(token(user).reveal())
    }

    /// Mints as the owner; `more` is added to the body.
    pub(crate) async fn minted(&self, user: UserId, more: Value) -> Value {
        let mut body = json!({ "organizationId": self.organization(), "userId": user });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let asked = self.call(Method::POST, "/api/access-codes", self.world.olga).json(&body);
        said(asked.send().await.expect("an answer"), StatusCode::CREATED).await
    }

    pub(crate) async fn code(&self, user: UserId) -> String {
        self.minted(user, json!({})).await["code"].as_str().expect("a code").to_owned()
    }

    pub(crate) async fn validate(&self, code: &str, account: AccountId) -> Response {
        let body = json!({ "code": code, "accountId": account });
        let asked = self.anonymous(Method::POST, "/api/access-codes/validate").json(&body);
        asked.send().await.expect("an answer")
    }

    pub(crate) async fn clocked_in(&self, code: &str, account: AccountId) -> Value {
        said(self.validate(code, account).await, StatusCode::OK).await
    }

    /// What the validation is refused with.
    pub(crate) async fn refused(&self, code: &str, account: AccountId) -> (u16, String) {
        refusal(self.validate(code, account).await).await
    }

    pub(crate) async fn log_out(&self, held: &Value) -> Response {
        let body = json!({ "accountId": held["accountId"], "epoch": held["epoch"] });
        let token = held["token"].as_str().expect("a token");
        let asked = self.anonymous(Method::POST, "/api/access-codes/logout").bearer_auth(token);
        asked.json(&body).send().await.expect("an answer")
    }

    pub(crate) async fn clear(&self, user: UserId, account: AccountId, query: &str) -> Response {
        let path = format!("/api/presence/accounts/{account}{query}");
        self.call(Method::DELETE, &path, user).send().await.expect("an answer")
    }

    /// The occupied accounts as REST shows them to somebody.
    pub(crate) async fn listed(&self, user: UserId) -> BTreeMap<AccountId, Value> {
        let path = format!("/api/presence/accounts?organizationId={}", self.organization());
        let answer = self.call(Method::GET, &path, user).send().await.expect("an answer");
        let body = said(answer, StatusCode::OK).await;
        let accounts = body["accounts"].as_array().expect("a list").clone();
        let id = |record: &Value| record["accountId"].as_str().expect("an id").parse().expect("an id");
        accounts.into_iter().map(|record| (id(&record), record)).collect()
    }

    /// An extension that says hello with a code.
    pub(crate) async fn extension(&self, code: &str, account: AccountId) -> Extension {
        self.enter(clocking_in(code, account)).await.expect("clocked in")
    }

    /// An extension that comes back with its token.
    pub(crate) async fn back(&self, token: &Token) -> Result<Extension, NotEntered> {
        self.enter(Hello { token: Some(token.clone()), ..Hello::default() }).await
    }

    pub(crate) async fn enter(&self, hello: Hello) -> Result<Extension, NotEntered> {
        Extension::enter(&self.world.hub, hello).await
    }

    /// Watches the agency's people and accounts.
    pub(crate) async fn board(&self, user: UserId) -> Tab {
        let mut tab = self.world.enter(user).await;
        tab.watch(self.world.agency).await;
        tab
    }
}

/// The hello that clocks in.
pub(crate) fn clocking_in(code: &str, account: AccountId) -> Hello {
    let request = ClockInRequest { code: Token::new(code), account_id: account, op_id: None };
    Hello { clock_in: Some(request), ..Hello::default() }
}

/// The body of an answer with this status.
pub(crate) async fn said(answer: Response, status: StatusCode) -> Value {
    let (found, body) = (answer.status(), answer.text().await.expect("a body"));
    assert_eq!(found, status, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

/// The status and the code of a problem.
pub(crate) async fn refusal(answer: Response) -> (u16, String) {
    let (status, problem) = (answer.status().as_u16(), answer.json::<Value>().await.expect("a problem"));
    (status, problem["code"].as_str().expect("a code").to_owned())
}

impl Tab {
    /// What is shown of an account in a channel.
    pub(crate) fn holder(&self, channel: ChannelId, account: AccountId) -> Option<&Holder> {
        match self.replica.list(channel)?.entries().get(&EntryId::Account(account))? {
            Record::Account(record) => Some(&record.holder),
            Record::Person(_) => None,
        }
    }

    /// Who is shown to be in an account.
    pub(crate) fn occupant(&self, channel: ChannelId, account: AccountId) -> Option<UserId> {
        match self.holder(channel, account)? {
            Holder::Named { user_id, .. } => Some(*user_id),
            Holder::Own { .. } | Holder::Occupied => None,
        }
    }
}

/// An extension's socket.
pub(crate) struct Extension {
    pub(crate) held: ClockedIn,
    socket: Socket,
    last_request: u32,
}

impl Extension {
    async fn enter(hub: &Hub, hello: Hello) -> Result<Self, NotEntered> {
        let entered = async {
            let mut socket = Handshake::new(hub.socket_url(), Encoding::Json).open().await?;
            let held = socket.enter(hello).await?;
            Ok(Self { held, socket, last_request: 0 })
        };
        in_time("a clock-in", entered).await
    }

    pub(crate) async fn send(&mut self, make: impl FnOnce(RequestId) -> ClientFrame) -> RequestId {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        self.socket.send(&make(id)).await.expect("a connection");
        id
    }

    /// The next frame that is no heartbeat; those are answered.
    pub(crate) async fn next(&mut self) -> Result<ServerFrame, SocketError> {
        in_time("a frame", async {
            loop {
                match self.socket.receive().await? {
                    ServerFrame::Heartbeat => self.socket.send(&ClientFrame::Heartbeat).await?,
                    ServerFrame::Closing(_) => {}
                    frame => return Ok(frame),
                }
            }
        })
        .await
    }

    /// The answer to a request.
    pub(crate) async fn ask(&mut self, make: impl FnOnce(RequestId) -> ClientFrame) -> ServerFrame {
        self.send(make).await;
        self.next().await.expect("an answer")
    }

    /// Waits until it is told that it is over: how, and how the connection was closed.
    pub(crate) async fn over(&mut self) -> (ClockedOut, CloseCode) {
        let over = match self.next().await.expect("the last word") {
            ServerFrame::ClockedOut(over) => over,
            other => panic!("{other:?}"),
        };
        (over, self.closed().await)
    }

    /// How the connection was closed.
    pub(crate) async fn closed(&mut self) -> CloseCode {
        match self.next().await {
            Err(SocketError::Closed(closed)) => closed.close_code().expect("a code"),
            other => panic!("{other:?}"),
        }
    }

    /// The connection is lost.
    pub(crate) fn lose(self) {
        drop(self.socket);
    }
}

/// With which error, and how closed, an extension was not let in.
pub(crate) fn not_entered(entered: Result<Extension, NotEntered>) -> (String, Option<CloseCode>) {
    match entered.err().expect("not let in") {
        NotEntered::Refused { error, closed } => (error.code.name().to_owned(), closed.close_code()),
        NotEntered::Socket(SocketError::Closed(closed)) => (String::new(), Closed::close_code(&closed)),
        NotEntered::Over(over) => {
            let reason = over.reason.map_or("unknown", model::ClockOutReason::name);
            (format!("over: {reason}"), Some(CloseCode::ClockedOut))
        }
        other => panic!("{other}"),
    }
}
