//! Which server, and how long to wait for it.

use std::{fmt, time::Duration};

use model::Settings;

/// Which database to open, and how.
///
/// The times fit into each other. A durable call is answered within 2 s, whatever the server does: its `deadline` is
/// 1.5 s for all its tries together, which leaves 0.5 s to a machine that is busy. A try waits 0.5 s for a connection
/// or for a lock, so that one that met a lock can be made again; and a statement ends by itself after 1 s on a server
/// that answers, so that none goes on for long after its caller was answered.
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database?sslmode=…`.
    pub url: String,
    /// The settings of users without a row.
    pub default_settings: Settings,
    /// Connections for everything, beside two reserved ones and the one that listens. A server allows 100 by default.
    pub connections: u32,
    /// How long to wait for one of them.
    pub acquire_timeout: Duration,
    /// How long the server works on one statement.
    pub statement_timeout: Duration,
    /// How long the server waits for a lock.
    pub lock_timeout: Duration,
    /// How long a unit of work may take, all its tries included. Changes of the directory get 2 ms each beside it.
    pub deadline: Duration,
    /// How long opening waits for the server.
    pub open_timeout: Duration,
}

impl PostgresOptions {
    /// With the default settings and times.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            default_settings: Settings::default(),
            connections: 8,
            acquire_timeout: Duration::from_millis(500),
            statement_timeout: Duration::from_secs(1),
            lock_timeout: Duration::from_millis(500),
            deadline: Duration::from_millis(1_500),
            open_timeout: Duration::from_secs(5),
        }
    }
}

/// Without the URL, which has the password in it.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("connections", &self.connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .field("deadline", &self.deadline)
            .field("open_timeout", &self.open_timeout)
            .finish_non_exhaustive()
    }
}
