//! Where a database is: from the URL to what the driver wants, and to words without the password.

use std::{fmt, time::Duration};

use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use tokio::time::timeout;

use crate::{OpenError, PostgresOptions};

/// The oldest Postgres that has views with the rights of whoever asks.
const OLDEST_SERVER: u32 = 150_000;

/// A database, as an operator calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    words: Box<str>,
    /// Whose rights the connection has.
    pub(crate) role: Box<str>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl From<&PgConnectOptions> for Address {
    fn from(options: &PgConnectOptions) -> Self {
        let (role, port) = (options.get_username(), options.get_port());
        let database = options.get_database().unwrap_or(role);
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => options.get_host().to_owned(),
        };
        let words = format!("database \"{database}\" on {host}:{port} (as \"{role}\")");
        Self { words: words.into(), role: role.into() }
    }
}

/// A database, and how to connect to it.
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) options: PgConnectOptions,
}

impl Target {
    /// From a URL. Tables are found in `public` alone, whatever the role's own search path is.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(OpenError::Url { reason: "it does not begin with postgres://".into() });
        }
        let parsed: Result<PgConnectOptions, _> = url.parse();
        let options =
            parsed.map_err(|error: sqlx::Error| OpenError::Url { reason: without_source(&error) })?;
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("presence-hub"),
        };
        let address = Address::from(&options);
        Ok(Self { address, options: options.options([("search_path", "public")]) })
    }

    /// The connections of a running hub.
    ///
    /// A server gives up on a hub whose machine is gone after 10 s, and on one that stands still in a transaction
    /// after 5 s: their locks are then free again.
    pub(crate) fn limited(&self, options: &PostgresOptions) -> PgConnectOptions {
        let ms = |duration: Duration| duration.as_millis().max(1);
        self.options
            .clone()
            .options([
                ("statement_timeout", ms(options.statement_timeout)),
                ("lock_timeout", ms(options.lock_timeout)),
                ("idle_in_transaction_session_timeout", 5_000),
                ("tcp_user_timeout", 10_000),
            ])
            // Whatever the database's defaults: what is acknowledged is on its disk, and no time goes into compiling
            // statements that take less.
            .options([("synchronous_commit", "on"), ("jit", "off")])
    }

    /// One connection, within `patience`.
    pub(crate) async fn connect(
        &self,
        options: &PgConnectOptions,
        patience: Duration,
    ) -> Result<PgConnection, OpenError> {
        let connection = match timeout(patience, options.connect()).await {
            Ok(connected) => connected.map_err(|error| self.refused(error))?,
            Err(_) => {
                let reason = format!("no answer within {} s", patience.as_secs_f32());
                return Err(OpenError::Unreachable { address: self.address.clone(), reason });
            }
        };
        match connection.server_version_num() {
            Some(version) if version < OLDEST_SERVER => {
                Err(OpenError::ServerTooOld { address: self.address.clone(), version: version / 10_000 })
            }
            _ => Ok(connection),
        }
    }

    /// Why a connection was refused, in an operator's words.
    pub(crate) fn refused(&self, error: sqlx::Error) -> OpenError {
        let address = self.address.clone();
        let code = error.as_database_error().and_then(|error| error.code());
        let reason = error.as_database_error().map_or_else(|| error.to_string(), |e| e.message().to_owned());
        match code.as_deref() {
            Some("28P01") => OpenError::Password { address },
            Some("3D000") => OpenError::NoDatabase { address },
            Some("28000" | "42501") => OpenError::MayNotConnect { address, reason },
            Some("57P03" | "53300") => OpenError::Unreachable { address, reason },
            Some(_) => OpenError::Database { address, source: error },
            None if matches!(error, sqlx::Error::Configuration(_)) => OpenError::Url { reason },
            None => OpenError::Unreachable { address, reason },
        }
    }

    /// Anything that went wrong once connected.
    pub(crate) fn failed(&self, source: sqlx::Error) -> OpenError {
        OpenError::Database { address: self.address.clone(), source }
    }
}

/// A configuration error's own words; its parts never hold the URL.
fn without_source(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(reason) => reason.to_string(),
        other => other.to_string(),
    }
}
