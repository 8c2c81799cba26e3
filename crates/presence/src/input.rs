//! What goes in. It is closed: nothing else moves the heart.

use model::{
    AccountFacts, AccountId, Activity, ActivityType, CleanText, CloseCode, ConnectionId, Device, Kept,
    Metadata, Mono, Occupancy, OrganizationId, RequestError, RequestId, ResumeRequest, SessionId, Settings,
    SubscribeRequest, SubscriptionId, Track, UserFacts, UserId, Wall,
};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// All that the directory says of a user, as it is now; `None`: there is no such user any more.
    Facts {
        /// The user.
        user: UserId,
        /// The facts.
        facts: Option<UserFacts>,
    },
    /// A user's settings are these from now on (and are stored, where they have to be).
    Settings {
        /// The user.
        user: UserId,
        /// The settings.
        settings: Settings,
    },
    /// What the directory says of an account.
    Account {
        /// The account.
        account: AccountId,
        /// The facts; `None`: there is no such account any more.
        facts: Option<AccountFacts>,
    },
    /// Who holds an account from now on.
    Occupancy {
        /// The account.
        account: AccountId,
        /// The holder; `None`: it is free.
        occupancy: Option<Occupancy>,
    },
    /// These in their order, as one: nobody is shown anything in between.
    Together(Vec<Input>),
    /// A client said hello on a new connection, and its token was verified.
    Connect(Connect),
    /// A client asks for something.
    Request {
        /// The connection.
        connection: ConnectionId,
        /// Its number for the request.
        re: RequestId,
        /// What it asks for.
        command: Command,
    },
    /// The client's code answered a heartbeat.
    Heartbeat {
        /// The connection.
        connection: ConnectionId,
    },
    /// The shell answers a request (or complains of one) through the connection's own queue.
    Reply(ReplyTo, Result<Kept, RequestError>),
    /// The kernel took all that was sent to the connection.
    Flushed {
        /// The connection.
        connection: ConnectionId,
    },
    /// The connection is gone.
    Disconnected {
        /// The connection.
        connection: ConnectionId,
        /// How it went.
        ending: Ending,
    },
    /// Whether the truth behind all views is out of reach.
    Stale {
        /// Whether it is.
        stale: bool,
    },
    /// The shell wants the connection closed.
    Close {
        /// The connection.
        connection: ConnectionId,
        /// Why.
        code: CloseCode,
    },
    /// A call of a session without a socket.
    RestTrack {
        /// The user.
        user: UserId,
        /// The session: new, or one of the user's.
        session: SessionId,
        /// The track.
        track: Track,
    },
    /// Something was done, told without a socket.
    RestActivity {
        /// The user.
        user: UserId,
        /// What. Its session: one of the user's, or none that is known.
        activity: Activity,
    },
    /// All sessions of a user end, as if each signed out; their connections are closed.
    SignOutUser {
        /// The user.
        user: UserId,
    },
    /// A session without a socket ends.
    RestEnd {
        /// The user.
        user: UserId,
        /// The session.
        session: SessionId,
    },
}

/// A client said hello.
#[derive(Clone, Debug)]
pub struct Connect {
    /// The new connection.
    pub connection: ConnectionId,
    /// Who the token says the client is.
    pub user: UserId,
    /// The id of the session to be made, unless one is resumed. Random.
    pub session: SessionId,
    /// The session to go on with.
    pub resume: Option<ResumeRequest>,
    /// What the session announces.
    pub track: Option<Track>,
    /// When the token ends; `None`: never.
    pub token_ends: Option<Mono>,
}

/// What a client asks for on its connection.
#[derive(Clone, Debug)]
pub enum Command {
    /// Follow channels.
    Subscribe(Vec<SubscribeRequest>),
    /// Follow one no more.
    Unsubscribe(SubscriptionId),
    /// Announce this.
    Track(Track),
    /// Announce nothing.
    Untrack,
    /// Something was done. In the session of the connection, whatever it names.
    Activity(Activity),
    /// End the session.
    SignOut,
    /// A new token of the same user, verified.
    Refresh {
        /// When it ends.
        token_ends: Option<Mono>,
    },
    /// Answer, and nothing else.
    Ping,
}

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    /// The connection that asked.
    pub connection: ConnectionId,
    /// Its number; `None` where it could not be read.
    pub re: Option<RequestId>,
}

/// How a connection went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Closed by the client with code 1000: as a sign-out.
    Clean,
    /// Everything else: the session waits for its client.
    Lost,
}

/// What is to be kept, by whoever writes: it may lag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A user was seen alive.
    LastSeen(LastSeenNote),
    /// Something was done that may be logged.
    Activity(ActivityNote),
    /// A session goes on that may be logged, or has ended.
    Stretch(StretchNote),
}

/// Something was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityNote {
    /// The user.
    pub user: UserId,
    /// In whose logs.
    pub organizations: Vec<OrganizationId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// When.
    pub at: Wall,
    /// What.
    pub kind: ActivityType,
    /// On which page.
    pub page: Option<CleanText>,
    /// On which device.
    pub device: Option<Device>,
    /// What else is said.
    pub metadata: Metadata,
}

/// A stretch of a session, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StretchNote {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// In whose logs.
    pub organizations: Vec<OrganizationId>,
    /// When it began. Names the stretch.
    pub started: Wall,
    /// The last sign of life in it.
    pub seen: Wall,
    /// Whether it is over.
    pub ended: bool,
    /// On which device.
    pub device: Option<Device>,
}

/// A user was seen alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSeenNote {
    /// The user.
    pub user: UserId,
    /// When.
    pub at: Wall,
    /// On which page.
    pub page: Option<CleanText>,
    /// On which device.
    pub device: Option<Device>,
    /// What was done last, of what may be logged.
    pub activity: Option<ActivityType>,
    /// Whole minutes of the session, as far as it may be logged.
    pub session_minutes: u32,
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Users known.
    pub users: usize,
    /// Accounts known.
    pub accounts: usize,
    /// Channels known.
    pub channels: usize,
    /// Open connections.
    pub connections: usize,
    /// Sessions, those that wait for their client included.
    pub sessions: usize,
    /// Views, those kept for resume included.
    pub views: usize,
}
