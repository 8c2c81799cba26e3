//! What goes in. It is closed: nothing else moves the heart.

use model::{
    AccountFacts, AccountId, CleanText, CloseCode, ConnectionId, Device, Kept, Mono, Occupancy, RequestError,
    RequestId, ResumeRequest, SessionId, Settings, SubscribeRequest, SubscriptionId, Track, UserFacts,
    UserId, Wall,
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
