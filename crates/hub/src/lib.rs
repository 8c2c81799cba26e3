//! The tokio shell around the heart.
//!
//! One task owns all presence: it takes inputs from a bounded mailbox, reads the clock, and hands them to the heart.
//! What the heart decides it does at once: it encodes the frames and writes them to the sockets, from where they are
//! made. A socket that is full keeps the rest in its [`Outbox`], for its own task to write. The hub waits for nothing
//! but its mailbox and its next deadline, so nobody slow can hold up anybody else.

mod clock;
mod extensions;
mod farewell;
mod follower;
mod link;
mod notes;
mod operations;
mod outbox;
mod shard;
mod sink;
mod socket;
#[cfg(test)]
mod testing;
mod veil;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use model::{
    Activity, ChannelId, ConnectionId, Limits, OrganizationId, PersonRecord, ResumeRequest, SessionId,
    Settings, SharedRecord, Track, UserId, Wall, why::Why,
};
use persistence::WriterHandle;
use presence::{Asker, Census, Connect, Input, Presence, Subjects};
use tokio::sync::{mpsc, oneshot};

pub use clock::Clock;
pub use extensions::{ExtensionSeat, Extensions, OccupancyOptions, Parting};
pub use farewell::{Farewell, Reconnect};
pub use follower::FollowerOptions;
pub use link::Link;
pub use operations::{Changed, OperationError, OperationOptions, Operations};
pub use outbox::{Event, Outbox};
pub use sink::Counters;
pub use socket::Socket;

/// Inputs that may wait for the task. Past it, whoever brings one waits, which for a connection means that the hub
/// reads no further from its socket. 4,096 x (32 B + an input of about 250 B) = 1.2 MiB.
pub const MAILBOX: usize = 4_096;

/// The hub is gone: it was shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hub was shut down")]
pub struct Gone;

/// A client that said hello, and whose token was verified.
#[derive(Debug)]
pub struct Hello {
    /// Who the token says it is.
    pub user: UserId,
    /// The session to go on with.
    pub resume: Option<ResumeRequest>,
    /// What the session announces.
    pub track: Option<Track>,
    /// When the token ends; `None`: never.
    pub token_ends: Option<Wall>,
}

/// What became of an activity that was told without a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is taken; whether it is logged is the user's choice, and the organization's.
    Taken,
    /// There is no such user, or not admitted.
    UnknownUser,
    /// There is no such organization for this user.
    UnknownOrganization,
}

/// How a track went that was told without a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracked {
    /// It is in force.
    Taken,
    /// There is no such user, or not admitted.
    UnknownUser,
    /// The user has no session of that name.
    UnknownSession,
    /// The user has as many sessions as there may be, none of them lost.
    TooManySessions,
}

/// A track without a socket.
#[derive(Debug)]
pub(crate) struct RestCall {
    pub(crate) user: UserId,
    /// The session that is meant; `None`: the one that calls alone keep alive.
    pub(crate) named: Option<SessionId>,
    /// The id of the session to be made, where there is none.
    pub(crate) fresh: SessionId,
    pub(crate) track: Track,
}

type Question = Box<dyn FnOnce(&Presence) + Send>;

/// What the task finds in its mailbox. Boxed where it is large: every task that sends keeps room for one.
pub(crate) enum Mail {
    Input(Box<Input>),
    /// A connection: its outbox is known before the heart can have anything to say to it.
    Connect(Box<Connect>, Arc<Outbox>),
    /// Answered when everything before it was done.
    Barrier(oneshot::Sender<()>),
    /// A question, which changes nothing.
    Look(Question),
    Activity(UserId, Box<Activity>, oneshot::Sender<Told>),
    Track(Box<RestCall>, oneshot::Sender<Tracked>),
    /// Closes every connection, telling each when to come back.
    CloseAll(Reconnect),
}

/// A handle on the hub: one pointer, which every connection holds.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    mailbox: mpsc::Sender<Mail>,
    clock: Clock,
    connections: AtomicU64,
    counters: Arc<Counters>,
}

impl Hub {
    /// Starts the task. It ends when the last handle is gone.
    #[must_use]
    pub fn start(limits: Limits, writer: WriterHandle) -> (Self, tokio::task::JoinHandle<()>) {
        let (mailbox, mail) = mpsc::channel(MAILBOX);
        let clock = Clock::start();
        let counters = Arc::new(Counters::default());
        let shard = shard::Shard::new(limits, clock, writer, counters.clone());
        let task = tokio::spawn(shard.run(mail));
        (Self(Arc::new(Shared { mailbox, clock, connections: AtomicU64::default(), counters })), task)
    }

    /// A new connection, which is written to through `outbox`. Ids are made here: the heart draws no random numbers.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn connect(&self, hello: Hello, outbox: Arc<Outbox>) -> Result<Link, Gone> {
        let connection = ConnectionId(self.0.connections.fetch_add(1, Ordering::Relaxed));
        let now = self.0.clock.now();
        let connect = Connect {
            connection,
            user: hello.user,
            session: SessionId(uuid::Uuid::new_v4()),
            resume: hello.resume,
            track: hello.track,
            token_ends: hello.token_ends.map(|wall| now.mono_at(wall)),
        };
        self.mail(Mail::Connect(Box::new(connect), outbox.clone())).await?;
        Ok(Link::new(self.clone(), connection, outbox))
    }

    /// Hands an input to the heart, waiting while the mailbox is full.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub fn send(&self, input: Input) -> impl Future<Output = Result<(), Gone>> + Send + use<'_> {
        self.mail(Mail::Input(Box::new(input)))
    }

    /// Returns when all inputs sent before were handled, and what they caused was encoded.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn barrier(&self) -> Result<(), Gone> {
        let (done, wait) = oneshot::channel();
        self.mail(Mail::Barrier(done)).await?;
        wait.await.map_err(|_| Gone)
    }

    /// How much there is of everything.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn census(&self) -> Result<Census, Gone> {
        self.look(Presence::census).await
    }

    /// The settings of a user as they are in force; `None`: no such user, or not admitted.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn settings_of(&self, user: UserId) -> Result<Option<Settings>, Gone> {
        self.look(move |presence| presence.settings_of(user).cloned()).await
    }

    /// Tells what a user did. Answers when it is in memory, on its way to the writer.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn activity(&self, user: UserId, activity: Activity) -> Result<Told, Gone> {
        let (answer, wait) = oneshot::channel();
        self.mail(Mail::Activity(user, Box::new(activity), answer)).await?;
        wait.await.map_err(|_| Gone)
    }

    /// The occupied accounts of an organization as a viewer may see them, sorted by id; `None`: there is no such
    /// organization for them.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn accounts_of(
        &self,
        viewer: UserId,
        organization: OrganizationId,
    ) -> Result<Option<Vec<Arc<SharedRecord>>>, Gone> {
        self.look(move |presence| presence.accounts_of(viewer, organization)).await
    }

    /// The people whom a viewer may see, sorted by id; `None`: there is no such channel for them.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn people_for(
        &self,
        viewer: UserId,
        subjects: Subjects,
    ) -> Result<Option<Vec<PersonRecord>>, Gone> {
        self.look(move |presence| presence.people_for(viewer, &subjects)).await
    }

    /// Whether a viewer sees somebody at all.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn may_see(&self, viewer: UserId, subject: UserId) -> Result<bool, Gone> {
        self.look(move |presence| presence.may_see(viewer, subject)).await
    }

    /// Whom of a channel's people a viewer sees at all, here or not, sorted by id; `None`: there is no such channel for them.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn seen_in(&self, viewer: UserId, channel: ChannelId) -> Result<Option<Vec<UserId>>, Gone> {
        self.look(move |presence| presence.seen_in(viewer, channel)).await
    }

    /// Why a viewer sees a subject, or does not; `None`: it is not for the asker to know.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn why(&self, asker: Asker, subject: UserId, viewer: UserId) -> Result<Option<Why>, Gone> {
        self.look(move |presence| presence.why(asker, subject, viewer)).await
    }

    /// What a session of the user announces: the named one, or the one that calls alone keep alive. `None`: there is no
    /// such session.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn track_of(
        &self,
        user: UserId,
        named: Option<SessionId>,
    ) -> Result<Option<Option<Track>>, Gone> {
        self.look(move |presence| Some(presence.session_of(user, named)?.1.cloned())).await
    }

    /// A track of a session that is named, or of the one that calls alone keep alive: it begins, or goes on.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn track(&self, user: UserId, named: Option<SessionId>, track: Track) -> Result<Tracked, Gone> {
        let (answer, wait) = oneshot::channel();
        let fresh = SessionId(uuid::Uuid::new_v4());
        self.mail(Mail::Track(Box::new(RestCall { user, named, fresh, track }), answer)).await?;
        wait.await.map_err(|_| Gone)
    }

    /// Ends the session that calls alone keep alive, if there is one.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn end_rest_session(&self, user: UserId) -> Result<(), Gone> {
        let session = self.look(move |presence| presence.session_of(user, None).map(|(id, _)| id)).await?;
        match session {
            Some(session) => self.send(Input::RestEnd { user, session }).await,
            None => Ok(()),
        }
    }

    /// Asks the heart, between two inputs.
    async fn look<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Presence) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (answer, wait) = oneshot::channel();
        // Nobody waits any more where the receiver is gone.
        self.mail(Mail::Look(Box::new(|presence| drop(answer.send(question(presence)))))).await?;
        wait.await.map_err(|_| Gone)
    }

    /// Closes every connection, telling each when to come back.
    ///
    /// # Errors
    /// [`Gone`] after a shutdown.
    pub async fn close_all(&self, reconnect: Reconnect) -> Result<(), Gone> {
        self.mail(Mail::CloseAll(reconnect)).await
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// The hub's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.clock
    }

    async fn mail(&self, mail: Mail) -> Result<(), Gone> {
        self.0.mailbox.send(mail).await.map_err(|_| Gone)
    }
}
