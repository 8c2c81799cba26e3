//! One client's life, as its hub and its network tell it.

use std::collections::BTreeMap;

use client::Replica;
use model::{
    ChannelId, ClockOutReason, CloseCode, Encoding, EndReason, ErrorCode, NotResumed, OrganizationId,
    RequestId, ResumeOutcome, ResumePoint, SessionId, SubscribedChannel, SubscriptionId,
};
use serde_json::{Value, json};
use wire::{
    Ack, Announced, ClockedIn, ClockedOut, Closing, Ended, Expiring, Failure, ServerFrame, SettingsNow,
    Stale, Subscribed, Token, Welcome,
};

use crate::{
    chance::Chance,
    entries::{channel, minute, session, settings, user},
    hub::{Spoil, View},
    tell,
};

/// The longest story, in steps.
const STEPS: usize = 70;

pub(crate) struct Story {
    chance: Chance,
    replica: Replica,
    connected: bool,
    sessions: usize,
    /// The hub's, of the session that there is.
    views: BTreeMap<u32, View>,
    subscriptions: u32,
    steps: Vec<String>,
    outcomes: Vec<String>,
}

#[derive(Clone, Copy)]
enum Turn {
    Welcome,
    Subscribe,
    Next,
    Lose,
    Spoil,
    NobodysView,
    Stale,
    End,
    Settings,
    Answer,
    UnknownKind,
    Forget,
    LeaveSession,
    Close,
    Cut,
}

const CONNECTED: &[(usize, Turn)] = &[
    (1, Turn::Welcome),
    (10, Turn::Subscribe),
    (60, Turn::Next),
    (2, Turn::Lose),
    (6, Turn::Spoil),
    (2, Turn::NobodysView),
    (3, Turn::Stale),
    (2, Turn::End),
    (2, Turn::Settings),
    (4, Turn::Answer),
    (2, Turn::UnknownKind),
    (2, Turn::Forget),
    (1, Turn::LeaveSession),
    (1, Turn::Close),
    (6, Turn::Cut),
];

/// Most clients come back; some frames are on their way still.
const CUT: &[(usize, Turn)] = &[
    (16, Turn::Welcome),
    (1, Turn::Next),
    (1, Turn::Stale),
    (1, Turn::Settings),
    (1, Turn::Forget),
    (1, Turn::LeaveSession),
];

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            replica: Replica::new(),
            connected: false,
            sessions: 0,
            views: BTreeMap::new(),
            subscriptions: 0,
            steps: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    /// The story as a line.
    pub(crate) fn tell(mut self, seed: u64) -> String {
        for _ in 0..5 + self.chance.below(STEPS) {
            let turn = self.chance.weighed(if self.connected { CONNECTED } else { CUT });
            self.turn(turn);
        }
        let outcomes = json!(self.outcomes);
        let end = tell::dump(&self.replica);
        let steps = self.steps.join(",");
        format!(r#"{{"seed":{seed},"steps":[{steps}],"outcomes":{outcomes},"end":{end}}}"#)
    }

    fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Welcome => self.welcome(),
            Turn::Subscribe => self.subscribe(),
            Turn::Next | Turn::Lose | Turn::Spoil => self.view(turn),
            Turn::NobodysView => {
                let nobodys = self.subscriptions + 1;
                let frame = View::new(channel(&mut self.chance)).next(nobodys, &mut self.chance);
                self.say(&ServerFrame::View(frame));
            }
            Turn::Stale => {
                let subscription = (!self.chance.one_in(3)).then(|| self.some_subscription());
                let stale = self.chance.one_in(2);
                self.say(&ServerFrame::Stale(Stale { subscription, stale }));
            }
            Turn::End => {
                let subscription = self.some_subscription();
                self.views.remove(&subscription.0);
                self.say(&ServerFrame::Ended(Ended { subscription, reason: EndReason::UnknownChannel }));
            }
            Turn::Settings => {
                let settings = settings(&mut self.chance);
                self.say(&ServerFrame::Settings(SettingsNow { settings }));
            }
            Turn::Answer => self.answer(),
            Turn::UnknownKind => self.hear(r#"{"t":"weather","sub":1,"seq":1,"join":[]}"#.to_owned()),
            Turn::Forget => self.forget(),
            Turn::LeaveSession => {
                self.replica.leave_session();
                self.done(&json!({ "do": "leaveSession" }));
            }
            Turn::Close => self.closing(),
            Turn::Cut => self.cut(),
        }
    }

    /// The hub's answer to a hello: to what the client asks to resume, or to one that asks for nothing.
    fn welcome(&mut self) {
        let asked = self.replica.resume().filter(|_| !self.chance.one_in(8));
        let resume = asked.map(|asked| {
            if self.chance.one_in(5) {
                ResumeOutcome::NotResumed(NotResumed::UnknownSession)
            } else {
                ResumeOutcome::Resumed(self.resume(&asked.subscriptions))
            }
        });
        if !matches!(resume, Some(ResumeOutcome::Resumed(_))) {
            self.sessions += 1;
            self.views.clear();
            self.subscriptions = 0;
        }
        self.connected = true;
        let welcome = Welcome {
            user: user(&mut self.chance),
            session: SessionId(session(self.sessions)),
            resume,
            heartbeat_ms: 20_000,
            heartbeat_timeout_ms: 10_000,
            resume_ms: 120_000,
            limits: Announced { message_bytes: 16_384, subscriptions: 64 },
            settings: settings(&mut self.chance),
        };
        self.say(&ServerFrame::Welcome(Box::new(welcome)));
    }

    fn resume(&mut self, points: &[ResumePoint]) -> Vec<(SubscriptionId, Result<(), NotResumed>)> {
        let mut outcomes = Vec::new();
        let mut kept = BTreeMap::new();
        for ResumePoint { subscription, sequence } in points {
            let Some(mut view) = self.views.remove(&subscription.0) else {
                outcomes.push((*subscription, Err(NotResumed::UnknownChannel)));
                continue;
            };
            let outcome = match self.chance.below(10) {
                0 => Err(NotResumed::UnknownChannel),
                1 => Err(NotResumed::UnknownSession),
                2 => continue,
                3 | 4 => Err(NotResumed::Sequence),
                _ if view.resume(*sequence) => Ok(()),
                _ => Err(NotResumed::Sequence),
            };
            if outcome == Err(NotResumed::Sequence) {
                view.restart();
            }
            if matches!(outcome, Ok(()) | Err(NotResumed::Sequence)) {
                kept.insert(subscription.0, view);
            }
            outcomes.push((*subscription, outcome));
        }
        if self.chance.one_in(12) {
            outcomes.push((SubscriptionId(self.subscriptions + 7), Ok(())));
        }
        self.views = kept;
        outcomes
    }

    fn subscribe(&mut self) {
        let mut channels: Vec<SubscribedChannel> = Vec::new();
        for _ in 0..=self.chance.below(3) {
            let channel = channel(&mut self.chance);
            if channels.iter().all(|asked| asked.channel != channel) {
                let outcome = self.grant(channel);
                channels.push(SubscribedChannel { channel, outcome });
            }
        }
        self.say(&ServerFrame::Subscribed(Subscribed { re: RequestId(1), channels }));
    }

    fn grant(&mut self, channel: ChannelId) -> Result<SubscriptionId, ErrorCode> {
        let code = match self.chance.below(12) {
            0 => Some(ErrorCode::UnknownChannel),
            1 => Some(*self.chance.of(&[ErrorCode::ChannelLimit, ErrorCode::Unavailable])),
            _ => None,
        };
        if code.is_none_or(|code| code == ErrorCode::UnknownChannel) {
            self.views.retain(|_, view| view.channel != channel);
        }
        if let Some(code) = code {
            return Err(code);
        }
        self.subscriptions += 1;
        self.views.insert(self.subscriptions, View::new(channel));
        Ok(SubscriptionId(self.subscriptions))
    }

    /// A frame of some view: the next one, the next one that is lost on its way, or a wrong one.
    fn view(&mut self, turn: Turn) {
        let numbers: Vec<u32> = self.views.keys().copied().collect();
        if numbers.is_empty() {
            return self.subscribe();
        }
        let number = *self.chance.of(&numbers);
        let Some(view) = self.views.get_mut(&number) else { return };
        let frame = match turn {
            Turn::Spoil => view.wrong(number, *self.chance.of(&Spoil::ALL), &mut self.chance),
            Turn::Lose => {
                view.next(number, &mut self.chance);
                None
            }
            _ => Some(view.next(number, &mut self.chance)),
        };
        if let Some(frame) = frame {
            self.say(&ServerFrame::View(frame));
        }
    }

    /// One that there is, or one that was or never was.
    fn some_subscription(&mut self) -> SubscriptionId {
        let end = usize::try_from(self.subscriptions).unwrap_or_default() + 2;
        SubscriptionId(u32::try_from(self.chance.below(end)).unwrap_or_default())
    }

    /// What is for others than the replica.
    fn answer(&mut self) {
        let re = RequestId(7);
        let account_id = model::AccountId(user(&mut self.chance).0);
        let frame = match self.chance.below(6) {
            0 => ServerFrame::Ack(Ack { re, durable: self.chance.one_in(2) }),
            1 => ServerFrame::Error(Failure {
                re: self.chance.one_in(2).then_some(re),
                code: *self.chance.of(ErrorCode::ALL),
                message: "not done".to_owned(),
                retry_after_ms: self.chance.one_in(2).then_some(740),
            }),
            2 => ServerFrame::Expiring(Expiring { in_ms: 60_000 }),
            3 => ServerFrame::ClockedOut(ClockedOut {
                account_id,
                epoch: 8,
                reason: Some(*self.chance.of(ClockOutReason::ALL)),
            }),
            4 => ServerFrame::ClockedIn(Box::new(ClockedIn {
                re: Some(re),
                user: user(&mut self.chance),
                organization: OrganizationId(account_id.0),
                account_id,
                epoch: 7,
                since: minute(&mut self.chance),
                token: Token::new("token"),
                token_ms: 43_200_000,
                heartbeat_ms: 20_000,
                heartbeat_timeout_ms: 10_000,
                admins_see: Vec::new(),
            })),
            _ => ServerFrame::Heartbeat,
        };
        self.say(&frame);
    }

    /// The hub may not have heard of it yet.
    fn forget(&mut self) {
        let channel = channel(&mut self.chance);
        if self.chance.one_in(2) {
            self.views.retain(|_, view| view.channel != channel);
        }
        self.replica.forget(channel);
        self.done(&json!({ "do": "forget", "channel": channel }));
    }

    fn closing(&mut self) {
        let closing = Closing {
            code: *self.chance.of(CloseCode::ALL),
            message: self.chance.one_in(2).then(|| "the hub is being restarted".to_owned()),
            reconnect_after_ms: self.chance.one_in(2).then_some(4_200),
        };
        self.say(&ServerFrame::Closing(closing));
        if !self.chance.one_in(4) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.connected = false;
        self.replica.disconnected();
        self.done(&json!({ "do": "disconnected" }));
    }

    fn say(&mut self, frame: &ServerFrame) {
        let bytes = wire::encode_server(Encoding::Json, frame);
        self.hear(String::from_utf8(bytes).expect("JSON is text"));
    }

    /// The client takes what came, as it came.
    fn hear(&mut self, frame: String) {
        let read =
            wire::decode_server(Encoding::Json, frame.as_bytes()).expect("what is written can be read");
        let applied = self.replica.apply(&read);
        self.steps.push(frame);
        self.outcomes.push(tell::outcome(&applied, &self.replica));
    }

    fn done(&mut self, what: &Value) {
        self.steps.push(what.to_string());
        self.outcomes.push(format!("done | {}", tell::standing(&self.replica)));
    }
}
