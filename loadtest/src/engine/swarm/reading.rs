//! What arrives at the clients.

use std::time::Duration;

use anyhow::Context;
use model::{EntryId, Holder, PersonState, Record, ResumeOutcome, ViewFrame};
use wire::{ServerFrame, Welcome};

use super::{Stage, Swarm, Told};
use crate::{
    engine::{
        clock::{MILLISECOND, Nanos},
        frame::{self, Frame, Next},
        net::{LinkId, Ready, Received},
        scan::{self, Entries, Envelope, Shown},
        speech::Speech,
    },
    world::{self, agency},
};

/// The longest wait for an event.
const PATIENCE: Duration = Duration::from_millis(50);
/// Connections that are read however late the next change is: a generator that lags must not go deaf.
const AT_LEAST: usize = 8;

impl Swarm {
    /// Waits for what arrives and takes it, until a moment has come.
    ///
    /// # Errors
    /// The kernel's, of waiting. What goes wrong with one connection is counted instead.
    pub(crate) fn run_until(&mut self, until: Nanos) -> anyhow::Result<()> {
        loop {
            let now = self.clock.now();
            self.open_some(now);
            let wake = self.next_retry().map_or(until, |retry| retry.min(until));
            let wait = Duration::from_nanos(wake.saturating_sub(now)).min(PATIENCE);
            let events = self.net.wait(wait).context("waiting for events")?;
            self.take_events(events, until);
            if self.clock.now() >= until {
                return Ok(());
            }
        }
    }

    /// Takes what the kernel has named. A change that is due at `until` is made before the rest is read; the kernel names
    /// the rest again.
    pub(super) fn take_events(&mut self, events: usize, until: Nanos) {
        for index in 0..events {
            if let Some(ready) = self.net.event(index) {
                self.take(ready);
            }
            if index >= AT_LEAST && self.clock.now() >= until {
                return;
            }
        }
    }

    fn take(&mut self, ready: Ready) {
        let link = ready.link;
        if self.calls.has(link) {
            return self.calls.take(&mut self.net, ready, &mut self.buffer, self.clock.now());
        }
        if ready.writable && self.clients[link].stage == Stage::Connecting {
            return self.connected(link);
        }
        if ready.writable
            && let Err(error) = self.net.flush(link)
        {
            return self.lost(link, || format!("a message cannot be sent: {error}"));
        }
        if ready.readable {
            self.read(link);
        }
    }

    fn read(&mut self, link: LinkId) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let kept = self.clients[link].partial.len();
        buffer[..kept].copy_from_slice(&self.clients[link].partial);
        match self.net.receive(link, &mut buffer[kept..]) {
            Ok(Received::Bytes(more)) => {
                self.clients[link].partial.clear();
                self.last_heard = self.clock.now();
                self.bytes(link, &buffer[..kept + more]);
            }
            Ok(Received::Nothing) => {}
            Ok(Received::End) => self.lost(link, || "the hub ended a connection".to_owned()),
            Err(error) => self.lost(link, || format!("a connection broke: {error}")),
        }
        self.buffer = buffer;
    }

    /// Takes whole frames, and keeps the beginning of the next.
    fn bytes(&mut self, link: LinkId, mut bytes: &[u8]) {
        if self.clients[link].stage == Stage::Upgrading {
            match self.upgraded(link, bytes) {
                Some(end) => bytes = &bytes[end..],
                None => return self.keep(link, bytes),
            }
        }
        loop {
            match frame::next(bytes) {
                Next::Whole(frame) => {
                    bytes = &bytes[frame.length..];
                    self.frame(link, frame);
                }
                Next::Partial => return self.keep(link, bytes),
                Next::Broken => return self.lost(link, || "bytes that are no frame".to_owned()),
            }
        }
    }

    fn keep(&mut self, link: LinkId, bytes: &[u8]) {
        if !bytes.is_empty() && self.net.is_open(link) {
            self.clients[link].partial.extend_from_slice(bytes);
        }
    }

    fn frame(&mut self, link: LinkId, frame: Frame<'_>) {
        self.judge.search(frame.payload);
        match frame.opcode {
            frame::TEXT => self.text(link, frame),
            frame::BINARY => self.decode(link, frame),
            frame::CLOSE => {
                let code = frame.payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                self.lost(link, || format!("the hub closed a connection with {code}"));
            }
            9 => self.say(link, &Speech::pong()),
            _ => {}
        }
    }

    /// What comes by the million is read by hand; the rest is decoded.
    fn text(&mut self, link: LinkId, frame: Frame<'_>) {
        if let Some((envelope, rest)) = scan::envelope(frame.payload) {
            if !self.follows(link, envelope, frame.length) {
                return;
            }
            let mut entries = self.judge.frame(link, self.last_heard);
            match scan::entries(rest, &mut entries) {
                Some(more) => self.viewed(link, envelope.snapshot && !more),
                None => self.unreadable(frame.payload),
            }
        } else if frame.payload.starts_with(b"{\"t\":\"ack\"") {
            self.acknowledged(link);
        } else {
            self.decode(link, frame);
        }
    }

    fn unreadable(&mut self, payload: &[u8]) {
        self.judge.tally.complain(|| {
            let start = &payload[..payload.len().min(160)];
            format!("a frame cannot be read: {}", String::from_utf8_lossy(start))
        });
    }

    /// Whether a view frame is the next one of the client's view.
    fn follows(&mut self, link: LinkId, envelope: Envelope, length: usize) -> bool {
        let client = &mut self.clients[link];
        if envelope.subscription != client.subscription {
            // It was under way when the view was given up.
            return false;
        }
        self.judge.tally.frames += 1;
        self.judge.tally.bytes += length as u64;
        let expected = client.sequence + 1;
        client.sequence = envelope.sequence;
        if envelope.sequence != expected {
            self.judge.tally.complain(|| format!("frame {} came where {expected} had to", envelope.sequence));
        }
        true
    }

    fn viewed(&mut self, link: LinkId, complete: bool) {
        if complete && self.clients[link].stage == Stage::Subscribing {
            self.arrived(link);
        }
    }

    fn decode(&mut self, link: LinkId, frame: Frame<'_>) {
        match wire::decode_server(self.speech.encoding(), frame.payload) {
            Ok(ServerFrame::View(view)) => self.view(link, &view, frame.length),
            Ok(ServerFrame::Welcome(welcome)) => self.welcomed(link, &welcome),
            Ok(ServerFrame::Subscribed(answer)) => {
                match answer.channels.first().map(|channel| channel.outcome) {
                    Some(Ok(subscription)) => {
                        self.clients[link].subscription = subscription.0;
                        self.clients[link].sequence = 0;
                    }
                    outcome => {
                        self.judge.tally.complain(|| format!("a subscription was refused: {outcome:?}"))
                    }
                }
            }
            Ok(ServerFrame::Heartbeat) => {
                let heartbeat = self.speech.heartbeat();
                self.say(link, &heartbeat);
            }
            Ok(ServerFrame::Closing(closing)) => {
                let wait = closing.reconnect_after_ms.map(|ms| ms.saturating_mul(MILLISECOND));
                self.clients[link].told = wait.map(Told::Exactly);
            }
            Ok(ServerFrame::Error(error)) => {
                self.judge.tally.complain(|| format!("the hub said {:?}: {}", error.code, error.message));
            }
            Ok(ServerFrame::Ack(_)) => self.acknowledged(link),
            Ok(ServerFrame::Ended(ended)) => {
                self.judge.tally.complain(|| format!("a view ended: {:?}", ended.reason));
            }
            Ok(_) => {}
            Err(_) => self.unreadable(frame.payload),
        }
    }

    fn welcomed(&mut self, link: LinkId, welcome: &Welcome) {
        let resumed = match &welcome.resume {
            Some(ResumeOutcome::Resumed(views)) => {
                Some(views.first().is_none_or(|(_, outcome)| outcome.is_ok()))
            }
            _ => None,
        };
        self.comeback.resumed += usize::from(resumed == Some(true));
        self.comeback.renewed += usize::from(resumed != Some(true));
        let client = &mut self.clients[link];
        client.session = Some(welcome.session);
        client.stage = Stage::Subscribing;
        match (resumed, client.plan.channel) {
            (Some(true), _) | (_, None) => self.arrived(link),
            // The same number goes on, from a new snapshot.
            (Some(false), Some(_)) => {
                client.sequence = 0;
                self.judge.renew(link);
            }
            (None, Some(channel)) => {
                client.requests = client.requests.wrapping_add(1);
                client.subscription = 0;
                let message = self.speech.subscribe(client.requests, channel);
                self.say(link, &message);
            }
        }
    }

    /// A view frame that was decoded: as the scanner would have read it.
    fn view(&mut self, link: LinkId, view: &ViewFrame, length: usize) {
        let (snapshot, more) = match view.phase {
            model::Phase::Snapshot { more } => (true, more),
            model::Phase::Live => (false, false),
        };
        let envelope = Envelope { snapshot, subscription: view.subscription.0, sequence: view.sequence };
        if !self.follows(link, envelope, length) {
            return;
        }
        let mut entries = self.judge.frame(link, self.last_heard);
        let records = view.join.iter().chain(&view.update);
        let read = records.map(|record| shown(record.record(), &mut entries)).all(|read| read.is_some());
        for left in &view.leave {
            match left {
                EntryId::Person(user) => world::person(*user).into_iter().for_each(|n| entries.left(n)),
                EntryId::Account(account) => {
                    agency::account_number(*account).into_iter().for_each(|n| entries.freed(n));
                }
            }
        }
        if !read {
            self.judge.tally.complain(|| "a record of nobody we know".to_owned());
        }
        self.viewed(link, snapshot && !more);
    }
}

fn shown(record: &Record, to: &mut impl Entries) -> Option<()> {
    let record = match record {
        Record::Person(record) => record,
        Record::Account(record) => {
            let bare = record.holder == Holder::Occupied;
            to.occupied(agency::account_number(record.account_id)?, bare);
            return Some(());
        }
    };
    let mut shown = Shown::default();
    if let PersonState::Present { page, is_typing, device, custom_status, .. } = &record.state {
        let version = custom_status.as_ref().map(|text| scan::version(text.as_str().as_bytes()));
        shown = Shown {
            version: version.unwrap_or(Some(0))?,
            page: page.is_some(),
            activity: *is_typing || device.is_some(),
        };
    }
    to.shown(world::person(record.user_id)?, shown);
    Some(())
}
