//! Clients of the hub, all of them on the thread that calls.

mod opening;
mod outside;
mod reading;
mod telling;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use anyhow::Context;
use model::{Device, Encoding, SessionId};
use rand::{SeedableRng, rngs::SmallRng};
use wire::Token;

use super::{
    calls::{Answered, Call, Calls},
    clock::{Nanos, RunClock},
    judge::{Judge, Leaves, Tally},
    net::{LinkId, Net},
    speech::{Said, Speech},
};
use crate::world::{Channel, Person, World};

use opening::Told;
pub(crate) use opening::{Comeback, Retry};

/// The one buffer that everything is read into.
const BUFFER: usize = 256 * 1024;
/// In the place of a client: this person has none.
const NOBODY: u32 = u32::MAX;

/// What a client is to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) person: Person,
    /// What it watches.
    pub(crate) channel: Option<Channel>,
    /// Bounds what the kernel takes for it when it does not read, in bytes.
    pub(crate) receive_buffer: Option<usize>,
    /// Whether it tells what was done where others change what they announce.
    pub(crate) tells: bool,
}

impl Plan {
    /// A client that watches a channel.
    pub(crate) fn of(person: Person, channel: Option<Channel>) -> Self {
        Self { person, channel, receive_buffer: None, tells: false }
    }

    /// A client that watches nothing, and tells what was done.
    pub(crate) fn telling(person: Person) -> Self {
        Self { tells: true, ..Self::of(person, None) }
    }
}

/// How the clients talk.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) encoding: Encoding,
    /// Characters of everybody's page; 0: only who announces details has one.
    pub(crate) padding: usize,
    /// Which people announce a page and a device.
    pub(crate) details: fn(Person) -> bool,
    /// Where everybody is at a device, going from page to page: at which.
    pub(crate) at: Option<Device>,
    pub(crate) leaves: Leaves,
    /// Handshakes under way at once.
    pub(crate) opening: usize,
    pub(crate) seed: u64,
}

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Without a connection.
    Away,
    Connecting,
    /// Waits for the answer to its HTTP request.
    Upgrading,
    /// Waits for the welcome.
    Greeting,
    /// Waits for its view.
    Subscribing,
    Live,
    /// Connected, and does not read.
    Deaf,
}

impl Stage {
    fn is_opening(self) -> bool {
        matches!(self, Self::Connecting | Self::Upgrading | Self::Greeting | Self::Subscribing)
    }
}

#[derive(Debug)]
struct Client {
    plan: Plan,
    stage: Stage,
    token: Token,
    session: Option<SessionId>,
    subscription: u32,
    sequence: u32,
    requests: u32,
    /// Activities it has told.
    activities: u32,
    /// The beginning of a frame whose end has not arrived.
    partial: Vec<u8>,
    /// Failed attempts to come back in a row.
    attempts: u32,
    /// When it was told to come back.
    told: Option<Told>,
}

/// The clients.
pub(crate) struct Swarm {
    pub(crate) judge: Judge,
    clock: RunClock,
    net: Net,
    /// Who asks by HTTP beside them.
    calls: Calls,
    clients: Vec<Client>,
    /// By person, their client.
    client_of: Vec<u32>,
    speech: Speech,
    manner: Manner,
    peer: SocketAddr,
    buffer: Vec<u8>,
    dice: SmallRng,
    /// Who is to connect as soon as fewer are on their way.
    waiting: VecDeque<LinkId>,
    on_their_way: usize,
    live: usize,
    retries: BinaryHeap<Reverse<(Nanos, LinkId)>>,
    comeback: Comeback,
    /// When something arrived last.
    last_heard: Nanos,
    /// Connections that the hub ended, while that was to be expected.
    let_go: usize,
    /// Whether who tells goes on as soon as the hub has taken what they told.
    relentless: bool,
}

impl Swarm {
    /// Clients that are not connected yet. `token` makes each one's token.
    ///
    /// # Errors
    /// No token, or no descriptor.
    pub(crate) fn new(
        world: &World,
        plans: &[Plan],
        manner: Manner,
        peer: SocketAddr,
        token: impl Fn(Person) -> anyhow::Result<Token>,
    ) -> anyhow::Result<Self> {
        let mut client_of = vec![NOBODY; world.people() as usize];
        for (link, plan) in (0..).zip(plans) {
            client_of[plan.person as usize] = link;
        }
        let client = |plan: &Plan| Ok(Client::new(plan.clone(), token(plan.person)?));
        let clients: Vec<Client> = plans.iter().map(client).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            judge: Judge::new(world, &views(world, plans), manner.leaves),
            clock: RunClock::start(),
            net: Net::new(peer, plans.len()).context("no epoll")?,
            calls: Calls::new(clients.len()..clients.len()),
            waiting: (0..clients.len()).collect(),
            clients,
            client_of,
            speech: Speech::new(manner.encoding, manner.padding),
            dice: SmallRng::seed_from_u64(manner.seed),
            manner,
            peer,
            buffer: vec![0; BUFFER],
            on_their_way: 0,
            live: 0,
            retries: BinaryHeap::new(),
            comeback: Comeback::default(),
            last_heard: 0,
            let_go: 0,
            relentless: false,
        })
    }

    pub(crate) fn clock(&self) -> RunClock {
        self.clock
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }

    /// How many are connected and have their view.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// Lets so many callers join, once, who ask by HTTP.
    pub(crate) fn admit_callers(&mut self, count: usize) {
        self.calls = Calls::new(self.net.more(count));
    }

    /// Lets a caller ask, as soon as what they asked before is answered.
    pub(crate) fn ask(&mut self, call: Call) {
        let now = self.clock.now();
        self.calls.ask(&mut self.net, call, now);
    }

    /// The next call that was answered.
    pub(crate) fn answered(&mut self) -> Option<Answered> {
        self.calls.next()
    }

    /// Calls that have no answer yet.
    pub(crate) fn asking(&self) -> usize {
        self.calls.outstanding()
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.judge.tally
    }

    /// Whether waiting is done awake, as it is while anything is measured.
    pub(crate) fn stay_awake(&mut self, awake: bool) {
        self.net.stay_awake(awake);
    }

    /// How long it has waited awake and in vain.
    pub(crate) fn idle(&self) -> Duration {
        self.net.idle()
    }

    /// When something arrived last.
    pub(crate) fn last_heard(&self) -> Nanos {
        self.last_heard
    }

    /// How many connections of deaf clients the hub has ended.
    pub(crate) fn let_go(&self) -> usize {
        self.let_go
    }

    /// Lets a person make a change that was due at a time: a track with the next number, or where departures are
    /// counted, an end of presence and a track in turn. Who tells, tells.
    ///
    /// # Errors
    /// They have no client.
    pub(crate) fn change(&mut self, person: Person, due: Nanos) -> anyhow::Result<()> {
        let link = self.client_of[person as usize] as usize;
        let client = self.clients.get_mut(link).with_context(|| format!("person {person} has no client"))?;
        if client.plan.tells {
            self.tell(link);
            return Ok(());
        }
        client.requests = client.requests.wrapping_add(1);
        let id = client.requests;
        let version = self.judge.changes(person, due);
        let leaves = self.manner.leaves == Leaves::Counted && !version.is_multiple_of(2);
        let message = if leaves { self.speech.untrack(id) } else { self.speech.track(id, self.said(person)) };
        self.say(link, &message);
        Ok(())
    }

    /// What a person has announced last.
    fn said(&self, person: Person) -> Said {
        let plain = Said::plain(self.judge.version(person), (self.manner.details)(person));
        Said { at: self.manner.at, ..plain }
    }

    /// Lets every client give up its view and ask for it again.
    pub(crate) fn subscribe_again(&mut self) {
        for link in 0..self.clients.len() {
            let client = &mut self.clients[link];
            let Some(channel) = client.plan.channel.filter(|_| client.stage == Stage::Live) else { continue };
            client.requests = client.requests.wrapping_add(2);
            let (id, subscription) = (client.requests, client.subscription);
            client.stage = Stage::Subscribing;
            self.live -= 1;
            self.on_their_way += 1;
            let mut message = self.speech.unsubscribe(id.wrapping_sub(1), subscription);
            message.extend(self.speech.subscribe(id, channel));
            self.say(link, &message);
        }
    }

    /// A client stops to read; nothing more is expected to reach it.
    ///
    /// # Errors
    /// It is not connected.
    pub(crate) fn deafen(&mut self, link: LinkId) -> anyhow::Result<()> {
        self.net.listen(link, false).context("it has no connection")?;
        if self.clients[link].stage == Stage::Live {
            self.live -= 1;
        }
        self.clients[link].stage = Stage::Deaf;
        self.judge.dismiss(link);
        Ok(())
    }

    /// A deaf client reads again, what is left to be read.
    ///
    /// # Errors
    /// It is not connected.
    pub(crate) fn hear_again(&mut self, link: LinkId) -> anyhow::Result<()> {
        if self.net.is_open(link) {
            self.net.listen(link, true).context("it has no connection")
        } else {
            Ok(())
        }
    }

    fn say(&mut self, link: LinkId, message: &[u8]) {
        if let Err(error) = self.net.send(link, message) {
            self.lost(link, || format!("a message cannot be sent: {error}"));
        }
    }
}

impl Client {
    fn new(plan: Plan, token: Token) -> Self {
        Self {
            plan,
            token,
            stage: Stage::Away,
            session: None,
            subscription: 0,
            sequence: 0,
            requests: 0,
            activities: 0,
            partial: Vec::new(),
            attempts: 0,
            told: None,
        }
    }
}

pub(crate) fn views(world: &World, plans: &[Plan]) -> Vec<Option<(Person, std::ops::Range<Person>)>> {
    let view = |plan: &Plan| plan.channel.map(|channel| (plan.person, world.entries(channel)));
    plans.iter().map(view).collect()
}
