//! Clients that tell what they do, each page once, and write down when that was acknowledged.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use model::{ActivityRequest, ActivityType, MetadataValue, RequestId, Status, UserId};
use reqwest::StatusCode;
use tokio::{sync::watch, task::JoinHandle};
use wire::{ActivityFrame, ClientFrame, Request, TrackFrame};

use super::{
    Place,
    diary::{Diary, Entry, Moment},
    line::{CLIENT_WAITS, Line},
};
use crate::fixture::{online, token, track};

/// Between two attempts to find a hub.
const PAUSE: Duration = Duration::from_millis(15);
/// Between two signs of life of who tells nothing.
const QUIET_PACE: Duration = Duration::from_millis(60);
/// After so many pages comes another status.
const PAGES_OF_A_STATUS: usize = 40;
/// After so many signs of life, who tells nothing ends what is tracked, and begins anew.
const SIGNS_OF_A_STRETCH: usize = 20;

/// How a client goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Tells by REST, without a session.
    Rest,
    /// As [`Kind::Rest`], with as many words as may be: about 1.3 kB each.
    Wordy,
    /// Tells by socket, tracked; comes back whenever the connection is lost.
    Socket,
    /// As [`Kind::Socket`], on one hub only: what is stored of it at the end is what that hub stored.
    Mortal,
    /// Tells nothing. Is there, by turns tracked and not.
    Quiet,
}

/// All clients.
pub(crate) struct Fleet {
    place: watch::Receiver<Place>,
    over: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Diary>>,
}

impl Fleet {
    /// None, before somebody joins.
    pub(crate) fn new(place: watch::Receiver<Place>) -> Self {
        Self { place, over: Arc::default(), acknowledged: Arc::default(), clients: Vec::new() }
    }

    pub(crate) fn join(&mut self, kind: Kind, user: UserId) {
        let teller = Teller {
            diary: Diary::of(user),
            place: self.place.clone(),
            over: self.over.clone(),
            acknowledged: self.acknowledged.clone(),
        };
        self.clients.push(tokio::spawn(teller.run(kind)));
    }

    /// How many pages were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Lets them finish what they are at and sign out, and collects what they wrote down.
    pub(crate) async fn end(self) -> Vec<Diary> {
        self.over.store(true, Ordering::Relaxed);
        let mut diaries = Vec::new();
        for client in self.clients {
            diaries.push(client.await.expect("a client that did not fail"));
        }
        diaries
    }
}

struct Teller {
    diary: Diary,
    place: watch::Receiver<Place>,
    over: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
}

fn view(page: String) -> ActivityRequest {
    ActivityRequest { page: Some(page), ..ActivityRequest::of(ActivityType::PageView) }
}

fn wordy(view: ActivityRequest) -> ActivityRequest {
    let keys = ["action", "section", "element", "referrer", "status", "previousStatus", "reason"];
    let text = MetadataValue::Text("ü".repeat(model::limits::METADATA_CHARS));
    let said: BTreeMap<_, _> = keys.into_iter().map(|key| (key.to_owned(), text.clone())).collect();
    ActivityRequest { metadata: Some(said), ..view }
}

impl Teller {
    async fn run(mut self, kind: Kind) -> Diary {
        match kind {
            Kind::Rest => self.by_rest(|view| view).await,
            Kind::Wordy => self.by_rest(wordy).await,
            Kind::Socket | Kind::Mortal | Kind::Quiet => self.by_socket(kind).await,
        }
        self.diary
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn place(&self) -> Place {
        self.place.borrow().clone()
    }

    /// The page that is viewed next; it is written down as told before anybody answers.
    fn turn_page(&mut self, life: usize) -> ActivityRequest {
        let page = self.diary.page(self.diary.pages.len());
        self.diary.pages.push(Entry { life, told: Moment::now(), answered: None });
        view(page)
    }

    /// What became of it.
    fn note_answer(&mut self, answered: Option<Moment>) {
        self.diary.pages.last_mut().expect("a page").answered = answered;
        self.acknowledged.fetch_add(usize::from(answered.is_some()), Ordering::Relaxed);
    }

    async fn by_rest(&mut self, said: fn(ActivityRequest) -> ActivityRequest) {
        let http = reqwest::Client::builder().no_proxy().timeout(CLIENT_WAITS).build().expect("a client");
        let token = token(self.diary.user);
        while !self.is_over() {
            let place = self.place();
            let activity = said(self.turn_page(place.life));
            let call = http.post(format!("http://{}/api/presence/activity", place.address));
            let answer = call.bearer_auth(token.reveal()).json(&activity).send().await;
            let status = answer.map(|answer| answer.status()).ok();
            assert!(
                matches!(status, None | Some(StatusCode::ACCEPTED | StatusCode::SERVICE_UNAVAILABLE)),
                "{status:?}"
            );
            self.note_answer((status == Some(StatusCode::ACCEPTED)).then(Moment::now));
            tokio::time::sleep(place.pace).await;
        }
    }

    async fn by_socket(&mut self, kind: Kind) {
        while !self.is_over() {
            let place = self.place();
            if let Some(mut line) = Line::open(&place, self.diary.user).await {
                let lost = match kind {
                    Kind::Quiet => self.be_there(&mut line, place.life).await,
                    _ => self.tell(&mut line, &place).await,
                };
                if lost.is_some() {
                    self.end(&mut line, place.life, |id| ClientFrame::SignOut(Request { id })).await;
                }
            }
            if kind == Kind::Mortal {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Views pages until all is over; `None`: the connection was lost before.
    async fn tell(&mut self, line: &mut Line, place: &Place) -> Option<()> {
        let life = place.life;
        while !self.is_over() {
            let activity = self.turn_page(life);
            let told = Moment::now();
            let answered = line.ask(|id| ClientFrame::Activity(ActivityFrame { id, activity })).await;
            self.note_answer(answered);
            self.diary.signs.push(Entry { life, told, answered: Some(answered?) });
            if self.diary.pages.len().is_multiple_of(PAGES_OF_A_STATUS) {
                let statuses = [Status::Busy, Status::Online];
                let status = statuses[self.diary.pages.len() / PAGES_OF_A_STATUS % statuses.len()];
                self.sign(line, life, |id| ClientFrame::Track(TrackFrame { id, track: track(status) }))
                    .await?;
            }
            tokio::time::sleep(place.pace).await;
        }
        Some(())
    }

    /// Is there and not, until all is over; `None`: the connection was lost before.
    async fn be_there(&mut self, line: &mut Line, life: usize) -> Option<()> {
        loop {
            for _ in 0..SIGNS_OF_A_STRETCH {
                self.sign(line, life, |id| ClientFrame::Ping(Request { id })).await?;
                tokio::time::sleep(QUIET_PACE).await;
                if self.is_over() {
                    return Some(());
                }
            }
            self.end(line, life, |id| ClientFrame::Untrack(Request { id })).await?;
            tokio::time::sleep(QUIET_PACE).await;
            // Of a session that was not tracked, this is no sign of life yet.
            line.ask(|id| ClientFrame::Track(TrackFrame { id, track: online() })).await?;
        }
    }

    async fn sign(
        &mut self,
        line: &mut Line,
        life: usize,
        make: impl FnOnce(RequestId) -> ClientFrame,
    ) -> Option<()> {
        let told = Moment::now();
        let answered = Some(line.ask(make).await?);
        self.diary.signs.push(Entry { life, told, answered });
        Some(())
    }

    async fn end(
        &mut self,
        line: &mut Line,
        life: usize,
        make: impl FnOnce(RequestId) -> ClientFrame,
    ) -> Option<()> {
        self.sign(line, life, make).await?;
        self.diary.ends.extend(self.diary.signs.last());
        Some(())
    }
}
