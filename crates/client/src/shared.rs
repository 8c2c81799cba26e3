//! What the connection's task knows and whoever holds the client may read; and what a listener was not told yet.
//!
//! The news are conflated, like the hub's own: of each entry only what the listener knows last is kept, and compared
//! with what is there when the listener asks. So a listener that lags costs at most the entries that changed, and gets
//! the last state of each.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use model::{ChannelId, EntryId, ErrorCode, Record, Settings};
use tokio::sync::watch;
use wire::ServerFrame;

use crate::{
    client::Ending,
    replica::{Applied, Fault, Phase, Replica},
};

/// Whether the client is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Not yet, or not any more: it tries.
    Connecting,
    /// Yes.
    Connected {
        /// Whether the session of before went on.
        resumed: bool,
    },
    /// It will try again.
    Waiting {
        /// After this.
        wait: Duration,
        /// Why the last connection ended, or the last attempt failed.
        cause: String,
    },
    /// It will not try again.
    Ended(Ending),
}

/// Something new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The connection is this now.
    Connection(Connection),
    /// The user's settings are these now.
    Settings(Settings),
    /// A list changed, or how far it can be relied on.
    Channel(ChannelEvent),
}

/// A list changed, or how far it can be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelEvent {
    /// The channel.
    pub channel: ChannelId,
    /// How it stands now.
    pub standing: Standing,
    /// What changed since the last event of the channel, sorted by id.
    pub changes: Vec<Change>,
}

/// How a channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is followed.
    Followed(Phase),
    /// It is not there for this viewer, or there is no room for it.
    Gone(ErrorCode),
    /// It is followed no more, as was asked.
    Left,
}

/// An entry that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The entry.
    pub id: EntryId,
    /// As the listener was told last; `None`: it was not there.
    pub before: Option<Record>,
    /// As it is now; `None`: it is not there.
    pub now: Option<Record>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    replica: Replica,
    connection: Connection,
    /// `None`: nobody listens.
    news: Option<News>,
}

#[derive(Debug, Default)]
struct News {
    connection: bool,
    settings: bool,
    /// Bounded by the subscriptions of a session, and in each by the entries that it has or had when it was read.
    channels: BTreeMap<ChannelId, ChannelNews>,
}

#[derive(Debug, Default)]
struct ChannelNews {
    before: BTreeMap<EntryId, Option<Record>>,
    gone: Option<ErrorCode>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        let news = News { connection: true, ..News::default() };
        let state = State { replica: Replica::new(), connection: Connection::Connecting, news: Some(news) };
        Self { state: Mutex::new(state), changed: watch::Sender::new(()) }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(crate) fn read<R>(&self, look: impl FnOnce(&Replica) -> R) -> R {
        look(&self.lock().replica)
    }

    pub(crate) fn connection(&self) -> Connection {
        self.lock().connection.clone()
    }

    pub(crate) fn set_connection(&self, connection: Connection) {
        self.write(|state| {
            if !matches!(connection, Connection::Connected { .. }) {
                state.replica.disconnected();
                state.touch_all();
            }
            state.connection = connection;
            state.news(|news| news.connection = true);
        });
    }

    /// Applies a frame, and keeps what a listener has to be told of it.
    pub(crate) fn apply(&self, frame: &ServerFrame) -> Result<Applied, Fault> {
        self.write(|state| {
            state.remember_losses(frame);
            let applied = state.replica.apply(frame);
            match &applied {
                Ok(applied) => state.note(applied),
                Err(Fault { channel: Some(channel), .. }) => state.touch(*channel),
                Err(_) => {}
            }
            applied
        })
    }

    /// The channel is followed no more, as was asked.
    pub(crate) fn forget(&self, channel: ChannelId) {
        self.write(|state| {
            state.remember_list(channel);
            state.replica.forget(channel);
        });
    }

    /// The next hello begins a session of its own.
    pub(crate) fn leave_session(&self) {
        self.write(|state| state.replica.leave_session());
    }

    pub(crate) fn stop_listening(&self) {
        self.lock().news = None;
    }

    /// The next piece of news.
    pub(crate) fn next_event(&self) -> Option<Event> {
        let mut state = self.lock();
        let State { replica, connection, news } = &mut *state;
        let news = news.as_mut()?;
        if std::mem::take(&mut news.connection) {
            return Some(Event::Connection(connection.clone()));
        }
        if std::mem::take(&mut news.settings)
            && let Some(settings) = replica.settings()
        {
            return Some(Event::Settings(settings.clone()));
        }
        let (channel, channel_news) = news.channels.pop_first()?;
        Some(Event::Channel(channel_news.event(channel, replica)))
    }

    fn write<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        let done = act(&mut self.lock());
        self.changed.send_replace(());
        done
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever reads may panic while looking; what is read is whole all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn news(&mut self, note: impl FnOnce(&mut News)) {
        if let Some(news) = &mut self.news {
            note(news);
        }
    }

    fn touch(&mut self, channel: ChannelId) {
        self.news(|news| {
            news.channels.entry(channel).or_default();
        });
    }

    fn touch_all(&mut self) {
        let channels: Vec<_> = self.replica.lists().map(|(channel, _)| channel).collect();
        channels.into_iter().for_each(|channel| self.touch(channel));
    }

    /// Lists that a frame may take away whole.
    fn remember_losses(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Ended(ended) => {
                if let Some(channel) = self.replica.channel(ended.subscription) {
                    self.remember_list(channel);
                }
            }
            ServerFrame::Subscribed(subscribed) => {
                let refused = subscribed.channels.iter().filter(|one| one.outcome.is_err());
                refused.for_each(|one| self.remember_list(one.channel));
            }
            _ => {}
        }
    }

    fn remember_list(&mut self, channel: ChannelId) {
        let (Some(news), Some(list)) = (&mut self.news, self.replica.list(channel)) else { return };
        let before = &mut news.channels.entry(channel).or_default().before;
        for (id, record) in list.entries() {
            before.entry(*id).or_insert_with(|| Some(record.clone()));
        }
    }

    fn note(&mut self, applied: &Applied) {
        match applied {
            Applied::Changed(changed) => self.news(|news| {
                let known = &mut news.channels.entry(changed.channel).or_default().before;
                for (id, before) in &changed.before {
                    known.entry(*id).or_insert_with(|| before.clone());
                }
            }),
            Applied::Welcomed { .. } => {
                self.touch_all();
                self.news(|news| news.settings = true);
            }
            Applied::Settings => self.news(|news| news.settings = true),
            Applied::Subscribed(channels) => {
                for one in channels {
                    self.news(|news| {
                        news.channels.entry(one.channel).or_default().gone = one.outcome.err();
                    });
                }
            }
            Applied::Ended(channel) => self.news(|news| {
                news.channels.entry(*channel).or_default().gone = Some(ErrorCode::UnknownChannel);
            }),
            Applied::Staleness(Some(channel)) => self.touch(*channel),
            Applied::Staleness(None) => self.touch_all(),
            Applied::Closing | Applied::Nothing => {}
        }
    }
}

impl ChannelNews {
    fn event(self, channel: ChannelId, replica: &Replica) -> ChannelEvent {
        let list = replica.list(channel);
        let now = |id: &EntryId| list.and_then(|list| list.entries().get(id)).cloned();
        let changes = self.before.into_iter().map(|(id, before)| Change { id, before, now: now(&id) });
        let changes = changes.filter(|change| change.before != change.now).collect();
        let standing = match (replica.phase(channel), self.gone) {
            (Some(phase), _) => Standing::Followed(phase),
            (None, Some(code)) => Standing::Gone(code),
            (None, None) => Standing::Left,
        };
        ChannelEvent { channel, standing, changes }
    }
}
