//! A simulated person: comes, works, types, changes their mind, loses the connection, goes, and comes again.

use std::time::Duration;

use client::{Client, Options};
use model::{ChannelId, Device, Status, TrackRequest};
use tokio::time::sleep;

use super::{dice::Dice, world::Person};

/// Milliseconds between two things that a person does.
const PAUSE_MS: (u64, u64) = (6_000, 30_000);
/// Milliseconds until the first people come, and the last of those who come early.
const EARLY_MS: (u64, u64) = (300, 6_000);
/// Milliseconds until the others come.
const LATE_MS: (u64, u64) = (8_000, 40_000);
/// Milliseconds without a connection: now within the grace, now past it.
const CUT_MS: (u64, u64) = (1_000, 16_000);
/// Milliseconds away after signing out.
const GONE_MS: (u64, u64) = (10_000, 45_000);

const MOODS: &[(&str, &str)] = &[
    ("📷", "setting up"),
    ("🎂", "cake on its way"),
    ("☕", "quick coffee"),
    ("🚚", "unloading"),
    ("💐", "arch at 3 pm"),
    ("🎧", "sound check"),
    ("📞", "on the phone"),
    ("🌧", "plan B for the rain?"),
];
const PAGES: &[&str] =
    &["/inbox", "/calendar", "/timeline", "/guests", "/seating", "/invoices", "/documents"];
const STATUSES: &[Status] = &[Status::Online, Status::Online, Status::Busy, Status::Away, Status::Idle];
const DEVICES: &[Device] = &[Device::Desktop, Device::Desktop, Device::Mobile, Device::Tablet];

/// What a person does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Turn,
    Status,
    Type,
    Mood,
    Hide,
    Lose,
    Leave,
}

const ACTS: &[Act] = &[
    Act::Turn,
    Act::Turn,
    Act::Turn,
    Act::Status,
    Act::Status,
    Act::Type,
    Act::Type,
    Act::Mood,
    Act::Mood,
    Act::Hide,
    Act::Lose,
    Act::Leave,
];

/// The life of one person.
pub(super) struct Life {
    person: Person,
    options: Options,
    dice: Dice,
    track: TrackRequest,
    is_hidden: bool,
}

impl Life {
    pub(super) fn new(person: Person, options: Options, seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, number);
        let track = TrackRequest { device: Some(*dice.pick(DEVICES)), ..TrackRequest::of(Status::Online) };
        Self { person, options, dice, track, is_hidden: false }
    }

    /// Lives until it is dropped.
    pub(super) async fn live(mut self) {
        let (from, to) = if self.dice.between(0, 10) < 7 { EARLY_MS } else { LATE_MS };
        self.wait((from, to)).await;
        loop {
            let (client, _) = Client::start(self.options.clone());
            self.visit(&client).await;
            self.wait(GONE_MS).await;
        }
    }

    /// From coming to going. What fails was not to be: the next thing is done all the same.
    async fn visit(&mut self, client: &Client) {
        // Who hides does so before anybody could see them.
        let _ = client.set_settings(self.person.choice.patch()).await;
        let _ = client.track(self.track.clone()).await;
        loop {
            self.wait(PAUSE_MS).await;
            match self.dice.pick(ACTS) {
                Act::Leave => {
                    let _ = client.sign_out().await;
                    return;
                }
                Act::Lose => client.cut(self.time(CUT_MS)).await,
                Act::Hide => self.change_settings(client).await,
                Act::Type => self.type_something(client).await,
                act => {
                    self.change(*act);
                    let _ = client.track(self.track.clone()).await;
                }
            }
        }
    }

    fn change(&mut self, act: Act) {
        match act {
            Act::Turn => self.track.current_page = Some(self.page()),
            Act::Mood => {
                let (emoji, text) = *self.dice.pick(MOODS);
                self.track.custom_emoji = Some(emoji.to_owned());
                self.track.custom_status = Some(text.to_owned());
            }
            _ => self.track.status = *self.dice.pick(STATUSES),
        }
    }

    /// A page of one wedding only for who works at no other: it is shown in all of them.
    fn page(&mut self) -> String {
        let page = *self.dice.pick(PAGES);
        let mut weddings = self.person.channels.iter().filter(|id| matches!(id, ChannelId::Wedding(_)));
        match (weddings.next(), weddings.next()) {
            (Some(ChannelId::Wedding(only)), None) => {
                let short: String = only.to_string().chars().take(4).collect();
                format!("/weddings/{short}{page}")
            }
            _ => page.to_owned(),
        }
    }

    async fn type_something(&mut self, client: &Client) {
        self.track.is_typing = Some(true);
        let _ = client.track(self.track.clone()).await;
        self.wait((1_500, 5_000)).await;
        self.track.is_typing = None;
        let _ = client.track(self.track.clone()).await;
    }

    /// Hides, or shows themselves again as they had chosen.
    async fn change_settings(&mut self, client: &Client) {
        self.is_hidden = !self.is_hidden;
        let mut settings = self.person.choice.patch();
        if self.is_hidden {
            settings.appear_offline = Some(true);
        }
        let _ = client.set_settings(settings).await;
    }

    fn time(&mut self, (from_ms, to_ms): (u64, u64)) -> Duration {
        Duration::from_millis(self.dice.between(from_ms, to_ms))
    }

    async fn wait(&mut self, range_ms: (u64, u64)) {
        sleep(self.time(range_ms)).await;
    }
}
