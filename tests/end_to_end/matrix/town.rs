//! The people of one cell.

use std::sync::Arc;

use model::{AccountId, DirectoryChange, OrganizationId, Plan, Role, UserId, WeddingId};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Caller, Whose};
use crate::fixture::{Hub, SERVICE_TOKEN, put_user, token};

/// An agency, an organization that its user is in as well, and one of others; three weddings.
pub(super) struct Town {
    hub: Arc<Hub>,
    http: reqwest::Client,
    pub(super) user: UserId,
    pub(super) mate: UserId,
    pub(super) admin: UserId,
    pub(super) assistant: UserId,
    pub(super) stranger: UserId,
    client: UserId,
    organizations: [OrganizationId; 3],
    accounts: [AccountId; 3],
    weddings: [WeddingId; 3],
    /// What was answered to the assistant's clock-in.
    pub(super) held: Value,
    /// Codes with their ids: the assistant's, another of the agency, one of others.
    codes: Vec<Value>,
}

impl Town {
    pub(super) async fn found(hub: Arc<Hub>, http: reqwest::Client) -> Self {
        let user = || UserId(Uuid::new_v4());
        let mut town = Self {
            hub,
            http,
            user: user(),
            mate: user(),
            admin: user(),
            assistant: user(),
            stranger: user(),
            client: user(),
            organizations: [(); 3].map(|()| OrganizationId(Uuid::new_v4())),
            accounts: [(); 3].map(|()| AccountId(Uuid::new_v4())),
            weddings: [(); 3].map(|()| WeddingId(Uuid::new_v4())),
            held: Value::Null,
            codes: Vec::new(),
        };
        let changes = json!(town.beginning());
        town.done(town.call(Method::POST, "/api/directory/changes", SERVICE_TOKEN).json(&changes)).await;
        let [agency, _, theirs] = town.organizations;
        for (by, organization, of) in [
            (town.admin, agency, town.assistant),
            (town.admin, agency, town.mate),
            (town.stranger, theirs, town.stranger),
        ] {
            let body = json!({ "organizationId": organization, "userId": of });
            let minted = town.call(Method::POST, "/api/access-codes", token(by).reveal()).json(&body);
            town.codes.push(town.done(minted).await);
        }
        let clock_in = town.clock_in(Whose::Own);
        let asked = town.request(Method::POST, "/api/access-codes/validate").json(&clock_in);
        town.held = town.done(asked).await;
        town
    }

    fn beginning(&self) -> Vec<DirectoryChange> {
        let Self { user, mate, admin, assistant, stranger, client, .. } = self;
        let people = [user, mate, admin, assistant, stranger, client].map(|id| put_user(*id, false));
        let [agency, second, theirs] = self.organizations;
        let organizations = self.organizations.map(|id| DirectoryChange::PutOrganization {
            id,
            name: "Organization".into(),
            plan: Plan::Enterprise,
        });
        let members = [
            (agency, admin, Role::Admin),
            (agency, user, Role::Member),
            (agency, mate, Role::Member),
            (agency, assistant, Role::Member),
            (second, mate, Role::Owner),
            (second, user, Role::Member),
            (theirs, stranger, Role::Owner),
        ];
        let members = members.map(|(organization, user, role)| DirectoryChange::PutMember {
            organization,
            user: *user,
            role,
        });
        let accounts = self.accounts.iter().zip([agency, agency, theirs]).map(|(id, organization)| {
            DirectoryChange::PutAccount { id: *id, organization, name: "Account".into() }
        });
        let weddings = self.weddings.map(|id| DirectoryChange::PutWedding { id, name: "Wedding".into() });
        let [own, shared, foreign] = self.weddings;
        let suppliers = [(own, user), (shared, user), (shared, mate), (foreign, stranger)];
        let collaborations = suppliers.map(|(wedding, supplier)| DirectoryChange::PutCollaboration {
            wedding,
            supplier: *supplier,
            client: *client,
            supplier_type: "florist".into(),
        });
        let all = people.into_iter().chain(organizations).chain(members).chain(accounts);
        all.chain(weddings).chain(collaborations).collect()
    }

    /// Somebody: themselves, a colleague, one of others, nobody.
    pub(super) fn person(&self, whose: Whose) -> Uuid {
        pick([self.user.0, self.mate.0, self.stranger.0], whose)
    }

    pub(super) fn organization(&self, whose: Whose) -> Uuid {
        pick(self.organizations.map(|id| id.0), whose)
    }

    /// An account: the one that the assistant is in, a free one of the agency.
    pub(super) fn account(&self, whose: Whose) -> Uuid {
        pick(self.accounts.map(|id| id.0), whose)
    }

    pub(super) fn wedding(&self, whose: Whose) -> Uuid {
        pick(self.weddings.map(|id| id.0), whose)
    }

    pub(super) fn code(&self, whose: Whose) -> Uuid {
        let id = |n: usize| self.codes[n]["id"].as_str().expect("an id").parse().expect("an id");
        pick([id(0), id(1), id(2)], whose)
    }

    pub(super) fn client(&self) -> Uuid {
        self.client.0
    }

    /// The body of a clock-in with the code of somebody, to the account that it would be good for; the code of others to
    /// an account of the agency.
    pub(super) fn clock_in(&self, whose: Whose) -> Value {
        let text = |n: usize| self.codes[n]["code"].as_str().expect("a code").to_owned();
        let (code, account) = match whose {
            Whose::Own => (text(0), Whose::Own),
            Whose::Shared => (text(1), Whose::Shared),
            Whose::Foreign => (text(2), Whose::Shared),
            Whose::Unknown => ("no-such-code".to_owned(), Whose::Shared),
        };
        json!({ "code": code, "accountId": self.account(account) })
    }

    pub(super) fn token(&self, caller: Caller) -> Option<String> {
        let of = |user| Some(token(user).reveal().to_owned());
        match caller {
            Caller::Nobody => None,
            Caller::User => of(self.user),
            Caller::Stranger => of(self.stranger),
            Caller::Assistant => Some(self.held["token"].as_str().expect("a token").to_owned()),
            Caller::Admin => of(self.admin),
            Caller::Service | Caller::ServiceAsUser => Some(SERVICE_TOKEN.to_owned()),
        }
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.hub.url(path))
    }

    fn call(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(token)
    }

    async fn done(&self, request: RequestBuilder) -> Value {
        let answer = request.send().await.expect("an answer");
        let (status, body) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{status}: {body}");
        if status == StatusCode::NO_CONTENT {
            Value::Null
        } else {
            serde_json::from_str(&body).expect("JSON")
        }
    }
}

fn pick(known: [Uuid; 3], whose: Whose) -> Uuid {
    match whose {
        Whose::Own => known[0],
        Whose::Shared => known[1],
        Whose::Foreign => known[2],
        Whose::Unknown => Uuid::new_v4(),
    }
}
