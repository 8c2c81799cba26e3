//! Clocking in and out by REST, over one connection, as an assistant's program does; and what has to be answered.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::{
    hub::{Answer, Hub, Rest},
    world::{
        Channel,
        agency::{Account, Assistant, OWNER, account, assistant},
        uuid_of,
    },
};

/// The agency as a channel.
pub(in crate::scenario) const CHANNEL: Channel = Channel::Organization(0);
/// All that a validation answers.
const VALID: [&str; 8] =
    ["accountId", "adminsSee", "epoch", "organizationId", "since", "token", "tokenMs", "userId"];

/// A hold, as its assistant was told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scenario) struct Held {
    pub(in crate::scenario) account: Account,
    pub(in crate::scenario) epoch: u64,
    token: String,
}

/// What was answered instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scenario) struct Refused {
    pub(in crate::scenario) status: u16,
    pub(in crate::scenario) code: String,
}

/// A connection for calls.
pub(in crate::scenario) struct Desk(Rest);

impl Desk {
    /// # Errors
    /// Nobody listens there.
    pub(in crate::scenario) fn at(address: SocketAddr) -> anyhow::Result<Self> {
        Rest::connect(address).map(Self)
    }

    /// Lets the owner mint a code for somebody.
    ///
    /// # Errors
    /// There is no answer, or no code in it.
    pub(in crate::scenario) fn mint(&mut self, hub: &Hub, who: Assistant) -> anyhow::Result<String> {
        let token = hub.token(assistant(OWNER))?;
        let body = json!({ "organizationId": organization(), "userId": assistant(who) });
        let Answer { status, body, .. } = self.0.ask("POST", "/api/access-codes", token.reveal(), &body)?;
        let minted: Value = serde_json::from_str(&body)?;
        let code = minted["code"].as_str().filter(|_| status == 201);
        code.map(str::to_owned).with_context(|| format!("a code for {who}: {status} {body}"))
    }

    /// Clocks in or moves.
    ///
    /// # Errors
    /// There is no answer, or one that is not documented.
    pub(in crate::scenario) fn clock_in(
        &mut self,
        code: &str,
        who: Assistant,
        to: Account,
    ) -> anyhow::Result<Result<Held, Refused>> {
        let body = json!({ "code": code, "accountId": account(to) });
        let Answer { status, body, .. } = self.0.ask("POST", "/api/access-codes/validate", "", &body)?;
        if status == 200 { held(&body, who, to).map(Ok) } else { refused(status, &body).map(Err) }
    }

    /// Clocks out.
    ///
    /// # Errors
    /// As [`Desk::clock_in`].
    pub(in crate::scenario) fn clock_out(&mut self, held: &Held) -> anyhow::Result<Result<(), Refused>> {
        let meant = json!({ "accountId": account(held.account), "epoch": held.epoch });
        let Answer { status, body, .. } =
            self.0.ask("POST", "/api/access-codes/logout", &held.token, &meant)?;
        if status != 200 {
            return refused(status, &body).map(Err);
        }
        ensure!(body == r#"{"success":true}"#, "a clock-out was answered with {body}");
        Ok(Ok(()))
    }

    /// The body of the agency's list of accounts, as somebody is shown it.
    ///
    /// # Errors
    /// There is no answer, or no list.
    pub(in crate::scenario) fn list(&mut self, token: &str) -> anyhow::Result<String> {
        let path = format!("/api/presence/accounts?organizationId={}", organization());
        let Answer { status, body, .. } = self.0.ask("GET", &path, token, &Value::Null)?;
        ensure!(status == 200, "the list of accounts: {status} {body}");
        Ok(body)
    }
}

fn organization() -> String {
    uuid_of(CHANNEL).to_string()
}

/// A hold, if the answer says just what it has to.
fn held(body: &str, who: Assistant, to: Account) -> anyhow::Result<Held> {
    let said: Value = serde_json::from_str(body)?;
    let mut fields: Vec<&str> =
        said.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    fields.sort_unstable();
    let is_theirs = said["userId"] == json!(assistant(who)) && said["accountId"] == json!(account(to));
    ensure!(fields == VALID && is_theirs, "a clock-in of {who} to {to} was answered with {body}");
    let (epoch, token) = (said["epoch"].as_u64(), said["token"].as_str());
    let (epoch, token) = epoch.zip(token).context("a clock-in without epoch or token")?;
    Ok(Held { account: to, epoch, token: token.to_owned() })
}

fn refused(status: u16, body: &str) -> anyhow::Result<Refused> {
    let problem: Value = serde_json::from_str(body).with_context(|| format!("{status} {body}"))?;
    let code = problem["code"].as_str().with_context(|| format!("{status} without a code: {body}"))?;
    Ok(Refused { status, code: code.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(who: Assistant) -> Value {
        json!({
            "userId": assistant(who), "organizationId": organization(), "accountId": account(7), "epoch": 5,
            "since": "2026-11-21T08:00:00Z", "token": "t", "tokenMs": 1, "adminsSee": ["name"],
        })
    }

    #[test]
    fn an_answer_says_whose_hold_it_is_and_nothing_more() {
        let expected = Held { account: 7, epoch: 5, token: "t".to_owned() };
        assert_eq!(held(&answer(3).to_string(), 3, 7).unwrap(), expected);
        assert!(held(&answer(4).to_string(), 3, 7).is_err(), "somebody else's");
        assert!(held(&answer(3).to_string(), 3, 8).is_err(), "another account");
        let mut more = answer(3);
        more["before"] = json!(assistant(4));
        assert!(held(&more.to_string(), 3, 7).is_err(), "a field that is not documented");
    }

    #[test]
    fn a_refusal_has_a_code() {
        let expected = Refused { status: 409, code: "occupied".to_owned() };
        assert_eq!(refused(409, r#"{"code":"occupied","title":"x"}"#).unwrap(), expected);
        assert!(refused(502, "<html>").is_err());
    }
}
