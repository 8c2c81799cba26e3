//! One random world: people act over real sockets, every act is told to the oracle, and at rest both say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant, SystemTime},
};

use client::Replica;
use model::{
    ChannelId, Encoding, EntryId, Limits, Mono, PeopleInterest, PersonRecord, PersonState, Record, SessionId,
    Settings, SettingsPatch, SubscribeRequest, Track, TrackRequest, UserId, Wall,
};
use oracle::{Act, Event, Oracle, Truth, Watch};
use wire::Hello;

use super::{
    LONG,
    directory::Directory,
    script::{self, Cast, Dice},
};
use crate::fixture::{Tab, World, token};

const ACTS: usize = 60;
/// Two tracks of one user in the same millisecond have no order: the hub's clock has no finer one.
const APART: Duration = Duration::from_millis(2);

/// One session, connected or not.
struct Client {
    user: UserId,
    session: SessionId,
    tab: Option<Tab>,
    /// What it knew when its connection was lost.
    lost: Option<Replica>,
    asked: BTreeMap<ChannelId, SubscribeRequest>,
    /// Whether the hub still has the session.
    known: bool,
}

pub(super) struct Run<'a> {
    world: &'a World,
    dice: Dice,
    cast: Cast,
    directory: Directory,
    clients: Vec<Client>,
    log: Vec<Event>,
    began: Instant,
    oracle: Oracle,
    compared: usize,
}

impl<'a> Run<'a> {
    pub(super) fn new(world: &'a World, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let cast = Cast::new(&mut dice);
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
        let start = Wall(i64::try_from(since_epoch.as_millis()).expect("a time"));
        let limits = Limits { grace_ms: LONG, typing_ms: LONG, resume_ms: LONG, ..Limits::default() };
        Self {
            world,
            dice,
            cast,
            directory: Directory::default(),
            clients: Vec::new(),
            log: Vec::new(),
            began: Instant::now(),
            oracle: Oracle::new(start, limits),
            compared: 0,
        }
    }

    /// Lives the world; answers how many lists were compared.
    pub(super) async fn play(mut self) -> usize {
        let changes = Directory::beginning(&mut self.dice, &self.cast);
        self.world.change(&changes).await;
        for change in &changes {
            let acts = self.directory.apply(&self.cast, change);
            self.happened(acts);
        }
        for _ in 0..ACTS {
            self.act().await;
        }
        self.compare_views().await;
        self.compare_snapshots().await;
        self.compared
    }

    fn now(&self) -> Mono {
        Mono(u64::try_from(self.began.elapsed().as_millis()).expect("a time"))
    }

    fn happened(&mut self, acts: impl IntoIterator<Item = Act>) {
        let at = self.now();
        self.log.extend(acts.into_iter().map(|act| Event { at, act }));
    }

    async fn act(&mut self) {
        tokio::time::sleep(APART).await;
        match self.dice.below(20) {
            0..=2 => self.connect().await,
            3 | 4 => self.change_directory().await,
            5 | 6 => self.change_settings().await,
            choice if !self.clients.is_empty() => {
                let of = self.dice.below(self.clients.len() as u64) as usize;
                match (self.clients[of].tab.is_some(), choice) {
                    (true, 7..=9) => self.subscribe(of).await,
                    (true, 10) => self.leave(of, 1000).await,
                    (true, 11 | 12) => self.leave(of, 1001).await,
                    (true, 13) => self.untrack(of).await,
                    (true, 14) | (false, 7..=16) => self.resume(of).await,
                    (true, _) => self.track(of).await,
                    (false, _) => {}
                }
            }
            _ => self.connect().await,
        }
    }

    fn encoding(&mut self) -> Encoding {
        self.dice.pick(&Encoding::ALL)
    }

    async fn connect(&mut self) {
        let user = self.dice.pick(&self.cast.users);
        if !self.directory.admits(user) {
            return;
        }
        let track = self.dice.one_in(2).then(|| script::track(&mut self.dice, &self.cast));
        let announced = track.as_ref().map(request);
        let hello = Hello { token: Some(token(user)), track: announced, ..Hello::default() };
        let tab = Tab::open(&self.world.hub, self.encoding(), hello).await.expect("a welcome");
        self.joined(tab, track);
    }

    /// A session has begun.
    fn joined(&mut self, tab: Tab, track: Option<Track>) {
        let (user, session) = (tab.user, tab.replica.session().expect("a session"));
        self.happened([Act::Connect { session, user }]);
        self.happened(track.map(|track| Act::Track { session, track }));
        let asked = BTreeMap::new();
        self.clients.push(Client { user, session, tab: Some(tab), lost: None, asked, known: true });
    }

    async fn subscribe(&mut self, of: usize) {
        let mut requests: BTreeMap<ChannelId, SubscribeRequest> = BTreeMap::new();
        for _ in 0..3 {
            let channel = self.dice.pick(&self.cast.channels());
            let people = self.dice.pick(&[None, Some(PeopleInterest::Roster), Some(PeopleInterest::None)]);
            let accounts = self.dice.pick(&[None, Some(false)]);
            requests.insert(channel, SubscribeRequest { channel, people, accounts });
        }
        let client = &mut self.clients[of];
        let tab = client.tab.as_mut().expect("a connection");
        tab.try_watch_all(requests.values().cloned().collect()).await;
        client.asked.extend(requests);
        let session = client.session;
        self.happened([Act::Alive { session }]);
    }

    async fn track(&mut self, of: usize) {
        let track = script::track(&mut self.dice, &self.cast);
        let client = &mut self.clients[of];
        client.tab.as_mut().expect("a connection").track(request(&track)).await;
        let session = client.session;
        self.happened([Act::Track { session, track }]);
    }

    async fn untrack(&mut self, of: usize) {
        let client = &mut self.clients[of];
        client.tab.as_mut().expect("a connection").untrack().await;
        let session = client.session;
        self.happened([Act::Untrack { session }]);
    }

    /// The hub answers a close when it has taken note of it.
    async fn leave(&mut self, of: usize, code: u16) {
        let client = &mut self.clients[of];
        let replica = client.tab.take().expect("a connection").close(code).await;
        let session = client.session;
        if code == 1000 {
            self.clients.remove(of);
            self.happened([Act::SignOut { session }]);
        } else {
            client.lost = Some(replica);
            self.happened([Act::Lost { session }]);
        }
    }

    /// Comes back, perhaps while the old connection is there still.
    async fn resume(&mut self, of: usize) {
        if !self.directory.admits(self.clients[of].user) {
            return;
        }
        let track = self.dice.one_in(2).then(|| script::track(&mut self.dice, &self.cast));
        let encoding = self.encoding();
        let client = &mut self.clients[of];
        let before = match (client.tab.take(), client.lost.take()) {
            (Some(tab), _) => tab.lose(),
            (None, lost) => lost.expect("a connection that was lost"),
        };
        let hello = Hello {
            token: Some(token(client.user)),
            resume: before.resume(),
            track: track.as_ref().map(request),
            ..Hello::default()
        };
        let tab = Tab::back(&self.world.hub, encoding, before, hello).await.expect("a welcome");
        assert_eq!(tab.resumed(), client.known, "a session goes on if it has not ended");
        let session = client.session;
        if client.known {
            client.tab = Some(tab);
            self.happened([Act::Resume { session, track }]);
        } else {
            self.clients.remove(of);
            self.joined(tab, track);
        }
    }

    async fn change_settings(&mut self) {
        let settings = script::settings(&mut self.dice);
        let user = self.dice.pick(&self.cast.users);
        if !self.directory.knows(user) {
            return;
        }
        let mut tabs = self.clients.iter_mut().filter(|client| client.user == user);
        match tabs.find_map(|client| client.tab.as_mut()).filter(|_| self.dice.one_in(2)) {
            Some(tab) => tab.set(patch(&settings)).await,
            None => self.world.set(user, patch(&settings)).await,
        }
        self.happened([Act::Settings { user, settings }]);
    }

    async fn change_directory(&mut self) {
        let Some(change) = self.directory.next(&mut self.dice, &self.cast) else { return };
        self.world.change(std::slice::from_ref(&change)).await;
        let acts = self.directory.apply(&self.cast, &change);
        self.happened(acts);
        for client in self.clients.iter_mut().filter(|client| !self.directory.admits(client.user)) {
            client.known = false;
            if let Some(mut tab) = client.tab.take() {
                assert_eq!(tab.end().await.code, Some(4301), "not admitted any more");
                client.lost = Some(tab.lose());
            }
        }
    }

    /// Every list that a live tab has, and none that it must not have.
    async fn compare_views(&mut self) {
        let truths = self.oracle.world(&self.log, self.now());
        for client in &mut self.clients {
            let Some(tab) = &mut client.tab else { continue };
            tab.ping().await;
            for (channel, request) in &client.asked {
                let watch = Watch { viewer: client.user, channel: *channel, interest: request.interest() };
                let truth = truths.view(watch);
                // A channel that was lost and is there again is not subscribed to by itself.
                if truth.is_some() && tab.replica.list(*channel).is_none() {
                    continue;
                }
                let what = format!("{watch:?} as {truth:?} after {:#?}", self.log);
                tab.until(&what, |tab| same(tab.replica.list(*channel), &truth)).await;
                self.compared += 1;
            }
            tab.ping().await;
            for (channel, request) in &client.asked {
                let watch = Watch { viewer: client.user, channel: *channel, interest: request.interest() };
                let list = tab.replica.list(*channel);
                assert!(list.is_none() || same(list, &truths.view(watch)), "{watch:?} did not stay so");
            }
        }
    }

    /// What somebody is shown who comes now: all channels, those too that are not there for them.
    async fn compare_snapshots(&mut self) {
        let users = self.cast.users.iter().copied().filter(|user| self.directory.admits(*user));
        for user in users.collect::<Vec<_>>() {
            let encoding = self.encoding();
            let mut tab = self.world.enter_as(user, encoding).await;
            let session = tab.replica.session().expect("a session");
            self.happened([Act::Connect { session, user }]);
            let requests: Vec<_> = self.cast.channels().into_iter().map(SubscribeRequest::roster).collect();
            let truths = self.oracle.world(&self.log, self.now());
            for outcome in tab.try_watch_all(requests).await {
                let interest = SubscribeRequest::roster(outcome.channel).interest();
                let watch = Watch { viewer: user, channel: outcome.channel, interest };
                let truth = truths.view(watch);
                let list = tab.replica.list(outcome.channel);
                assert!(
                    same(list, &truth),
                    "{watch:?}: {list:#?}, but the truth is {truth:#?} after {:#?}",
                    self.log
                );
                self.compared += 1;
            }
            tab.sign_out().await;
            self.happened([Act::SignOut { session }]);
        }
    }
}

/// Whether a list is the truth. A last-seen may be told a minute apart: the oracle has a clock of its own.
fn same(list: Option<&client::List>, truth: &Truth) -> bool {
    let (Some(list), Some(truth)) = (list, truth) else { return list.is_none() && truth.is_none() };
    let ids = |entries: &BTreeMap<EntryId, Record>| entries.keys().copied().collect::<BTreeSet<_>>();
    ids(list.entries()) == ids(truth)
        && list.entries().values().zip(truth.values()).all(|(shown, truth)| alike(shown, truth))
}

fn alike(shown: &Record, truth: &Record) -> bool {
    let offline = |record: &Record| match record {
        Record::Person(PersonRecord { state: PersonState::Offline { last_seen }, .. }) => Some(*last_seen),
        _ => None,
    };
    match (offline(shown), offline(truth)) {
        (Some(Some(shown)), Some(Some(truth))) => shown.0.abs_diff(truth.0) <= 1,
        _ => shown == truth,
    }
}

fn request(track: &Track) -> TrackRequest {
    let text = |text: &Option<model::CleanText>| text.as_ref().map(|text| text.as_str().to_owned());
    TrackRequest {
        status: track.status,
        current_page: text(&track.page),
        is_typing: Some(track.is_typing),
        device: track.device,
        custom_status: text(&track.custom_status),
        custom_emoji: text(&track.custom_emoji),
        scope: track.scope.as_ref().map(|scope| scope.iter().copied().collect()),
    }
}

fn patch(settings: &Settings) -> SettingsPatch {
    let text =
        |text: &Option<model::CleanText>| Some(text.as_ref().map_or("", |text| text.as_str()).to_owned());
    SettingsPatch {
        visibility: Some(settings.visibility),
        show_activity: Some(settings.show_activity),
        show_current_page: Some(settings.show_current_page),
        appear_offline: Some(settings.appear_offline),
        custom_status: text(&settings.custom_status),
        custom_emoji: text(&settings.custom_emoji),
    }
}
