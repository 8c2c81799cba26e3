//! Makes the calls of the specification at a hub, and reads its answers in the words of the specification.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use model::{AccountId, ErrorCode, UserId};
use postgres_cluster::Session;
use uuid::Uuid;
use wire::Token;

use super::model::{Account, Answer, Assistant, Call, Held};
use crate::fixture::{AccessCode, Agency, Answered, Desk, No};

/// An agency whose assistants have their codes.
pub(crate) struct Crew {
    pub(crate) agency: Agency,
    codes: Mutex<Vec<AccessCode>>,
    /// The token of each hold that ever was: it opens that one alone.
    tokens: Mutex<HashMap<(Assistant, Account, u64), Token>>,
}

impl Crew {
    pub(crate) async fn hired(desk: &Desk, assistants: usize, accounts: usize) -> Self {
        let agency = Agency::found(desk, assistants, accounts).await;
        let mut codes = Vec::new();
        for user in &agency.assistants {
            codes.push(desk.mint(&agency, *user).await);
        }
        Self { agency, codes: Mutex::new(codes), tokens: Mutex::default() }
    }

    fn code(&self, who: Assistant) -> AccessCode {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)[who].clone()
    }

    fn token(&self, hold: (Assistant, Account, u64)) -> Option<Token> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&hold).cloned()
    }

    /// Gives an assistant a new code in the place of one that was revoked.
    pub(crate) async fn renew_code(&self, desk: &Desk, who: Assistant) {
        let code = desk.mint(&self.agency, self.agency.assistants[who]).await;
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)[who] = code;
    }

    /// Makes a call, all but [`Call::Read`].
    pub(crate) async fn make(&self, desk: &Desk, call: &Call, operation: Option<Uuid>) -> Answer {
        let agency = &self.agency;
        match call {
            Call::ClockIn { who, account } => self.clock_in(desk, *who, *account, operation).await,
            Call::ClockOut { who, account, epoch } => {
                let token = self.token((*who, *account, *epoch)).expect("who clocks out was clocked in");
                let account = agency.accounts[*account];
                of(desk.clock_out(&token, account, *epoch, operation).await, |_| Answer::Ended)
            }
            Call::Clear { account, holder } => {
                let holder = holder.map(|holder| agency.assistants[holder]);
                let cleared = desk.clear(agency, agency.accounts[*account], holder, operation).await;
                of(cleared, |_| Answer::Ended)
            }
            Call::Revoke { who, clock_out } => {
                let revoked = desk.revoke(agency, &self.code(*who), *clock_out, operation).await;
                of(revoked, |done| Answer::Revoked { ended: done["clockedOut"] == true })
            }
            Call::Look | Call::Read => self.try_look(desk).await.unwrap_or(Answer::Open),
        }
    }

    /// What a hub shows to the owner; `None`: it does not know them yet.
    pub(crate) async fn try_look(&self, desk: &Desk) -> Option<Answer> {
        let shown = desk.holders(&self.agency).await.ok()?;
        Some(self.shown(shown.into_iter().map(|(account, user)| (account, user, None))))
    }

    async fn clock_in(
        &self,
        desk: &Desk,
        who: Assistant,
        account: Account,
        operation: Option<Uuid>,
    ) -> Answer {
        match desk.clock_in(&self.code(who), self.agency.accounts[account], operation).await {
            Ok(pass) => {
                let hold = (who, account, pass.epoch);
                self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(hold, pass.token);
                Answer::In { epoch: pass.epoch }
            }
            Err(no) => of_no(no),
        }
    }

    /// Who holds what by the database, at one instant.
    pub(crate) fn read(&self, session: &mut Session) -> Answer {
        let organization = self.agency.organization;
        let rows = session.run(&format!(
            "SELECT account_id, user_id, epoch FROM account_presence WHERE organization_id = '{organization}'"
        ));
        let rows = rows.expect("rows");
        self.shown(rows.lines().map(|row| {
            let columns: Vec<_> = row.split('|').collect();
            let id = |n: usize| columns[n].parse().expect("an id");
            (AccountId(id(0)), UserId(id(1)), Some(columns[2].parse().expect("an epoch")))
        }))
    }

    fn shown(&self, holds: impl Iterator<Item = (AccountId, UserId, Option<u64>)>) -> Answer {
        let mut shown = vec![None; self.agency.accounts.len()];
        for (account, user, epoch) in holds {
            let account =
                self.agency.accounts.iter().position(|id| *id == account).expect("an account of theirs");
            let who = self.agency.number_of(user).expect("an assistant of theirs");
            shown[account] = Some(Held { who, epoch });
        }
        Answer::Shown(shown)
    }
}

fn of(answered: Answered, done: impl FnOnce(serde_json::Value) -> Answer) -> Answer {
    match answered {
        Ok(body) => done(body),
        Err(no) => of_no(no),
    }
}

/// No call of these is wrong in itself: the hub that fails, or finds a fault with one, is wrong.
fn of_no(no: No) -> Answer {
    match no {
        No::Open(_) => Answer::Open,
        No::Refused(code @ (ErrorCode::Occupied | ErrorCode::NotHeld | ErrorCode::InvalidCode)) => {
            Answer::Refused(code)
        }
        No::Refused(code) => panic!("a call was refused as {}", code.name()),
    }
}
