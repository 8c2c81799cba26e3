//! The assistants of the sample world: an admin mints a code for each, and with it they clock in to the accounts of their
//! organization, move, get lost, come back and clock out.

use std::time::Duration;

use client::{Entry, Extension, ExtensionEvent, ExtensionEvents, ExtensionFailed, ExtensionOptions, Leaving};
use model::{AccountId, ActivityRequest, ActivityType, ChannelId, DirectoryChange, OrganizationId, UserId};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;
use wire::Token;

use super::{
    super::CommandError,
    dice::Dice,
    world::{Person, World},
};
use crate::{auth::jwt::mint, config::Issuer};

/// How long the admin's token lives: for the minute in which codes are minted.
const MINTING: Duration = Duration::from_secs(60);
/// Milliseconds until an assistant clocks in, and between two things that they do.
const BEFORE_MS: (u64, u64) = (1_000, 5_000);
const PAUSE_MS: (u64, u64) = (4_000, 15_000);
/// Milliseconds without a connection: now noticed by nobody, now long enough to be shown as lost.
const CUT_MS: (u64, u64) = (1_000, 40_000);
/// Milliseconds until an assistant tries another account, or works again.
const AGAIN_MS: (u64, u64) = (2_000, 12_000);

/// An organization whose assistants work in shared accounts, and the admin who lets them in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Desk {
    pub(super) organization: OrganizationId,
    pub(super) admin: UserId,
    pub(super) assistants: Vec<UserId>,
    pub(super) accounts: Vec<AccountId>,
}

/// A code as the hub answers it.
#[derive(Deserialize)]
struct Minted {
    code: String,
}

impl Desk {
    /// The first one of the world; `None`: nobody shares an account.
    pub(super) fn of(world: &World) -> Option<Self> {
        world.changes.iter().find_map(|change| match change {
            DirectoryChange::PutOrganization { id, .. } => Self::in_organization(world, *id),
            _ => None,
        })
    }

    /// Assistants are members who do nothing else.
    fn in_organization(world: &World, organization: OrganizationId) -> Option<Self> {
        let channel = ChannelId::Organization(organization);
        let of_part = |part: &'static str| {
            let is_one = move |person: &&Person| person.part == part && person.channels.contains(&channel);
            world.people.iter().filter(is_one).map(|person| person.id)
        };
        let admin = of_part("admin").next()?;
        let (assistants, accounts) =
            (of_part("member").collect(), world.names.accounts_of(channel).collect());
        let desk = Self { organization, admin, assistants, accounts };
        (!desk.assistants.is_empty() && !desk.accounts.is_empty()).then_some(desk)
    }

    /// Has the admin mint a code for every assistant, and lets each begin to work at `socket`.
    ///
    /// # Errors
    /// [`CommandError`] where the hub mints none.
    pub(super) async fn open(
        &self,
        issuer: &Issuer,
        socket: &str,
        seed: u64,
    ) -> Result<Vec<Work>, CommandError> {
        let admin = mint(issuer, self.admin, MINTING)?;
        let client = Client::builder().no_proxy().build()?;
        let mut works = Vec::new();
        for (assistant, number) in self.assistants.iter().zip(1_000..) {
            let code = self.mint(&client, socket, &admin, *assistant).await?;
            let dice = Dice::new(seed, number);
            works.push(Work { socket: socket.to_owned(), code, accounts: self.accounts.clone(), dice });
        }
        Ok(works)
    }

    async fn mint(
        &self,
        client: &Client,
        socket: &str,
        admin: &str,
        assistant: UserId,
    ) -> Result<Token, CommandError> {
        let wanted = json!({ "organizationId": self.organization, "userId": assistant });
        let request = client.post(format!("{}/api/access-codes", origin(socket))).bearer_auth(admin);
        let answer = request.json(&wanted).send().await?;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            return Err(CommandError::Refused { status, problem: answer.text().await.unwrap_or_default() });
        }
        Ok(Token::new(answer.json::<Minted>().await?.code))
    }
}

/// The REST calls are where the socket is.
fn origin(socket: &str) -> String {
    socket.trim_end_matches("/ws").replacen("ws", "http", 1)
}

/// What an assistant does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Do,
    Move,
    Lose,
    Leave,
}

const ACTS: &[Act] = &[Act::Do, Act::Do, Act::Move, Act::Move, Act::Move, Act::Lose, Act::Lose, Act::Leave];

/// The work of one assistant.
pub(super) struct Work {
    socket: String,
    code: Token,
    accounts: Vec<AccountId>,
    dice: Dice,
}

impl Work {
    /// Works until it is dropped.
    pub(super) async fn live(mut self) {
        self.wait(BEFORE_MS).await;
        loop {
            let entry = Entry::Code { code: self.code.clone(), account: *self.dice.pick(&self.accounts) };
            let (extension, mut events) = Extension::start(ExtensionOptions::new(&self.socket, entry));
            if is_in(&mut events).await {
                self.shift(&extension).await;
            }
            self.wait(AGAIN_MS).await;
        }
    }

    /// From clock-in to clock-out. What fails was not to be: an account may be taken, a hold cleared.
    async fn shift(&mut self, extension: &Extension) {
        loop {
            self.wait(PAUSE_MS).await;
            let done = match self.dice.pick(ACTS) {
                Act::Do => extension.activity(ActivityRequest::of(ActivityType::Interaction)).await,
                Act::Move => extension.change_account(*self.dice.pick(&self.accounts)).await.map(drop),
                Act::Lose => {
                    extension.cut(self.time(CUT_MS)).await;
                    Ok(())
                }
                Act::Leave => return drop(extension.clock_out().await),
            };
            if let Err(ExtensionFailed::Out(Leaving::ClockedOut(_))) = done {
                return;
            }
        }
    }

    fn time(&mut self, (from_ms, to_ms): (u64, u64)) -> Duration {
        Duration::from_millis(self.dice.between(from_ms, to_ms))
    }

    async fn wait(&mut self, range_ms: (u64, u64)) {
        sleep(self.time(range_ms)).await;
    }
}

/// Whether the clock-in was made: not, where somebody else is in the account.
async fn is_in(events: &mut ExtensionEvents) -> bool {
    while let Some(event) = events.next().await {
        match event {
            ExtensionEvent::ClockedIn(_) => return true,
            ExtensionEvent::Out(_) => return false,
            _ => {}
        }
    }
    false
}
