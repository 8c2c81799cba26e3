//! What the binary does. `check-config`, `token` and `openapi` need at most a configuration and live here.

mod database;
mod demo;
mod jobs;
mod serve;
mod watch;

use std::io::{self, Write};

use crate::{
    auth::jwt::{MintError, mint},
    cli::{CheckConfigArgs, TokenArgs},
    config::{Config, ConfigError, DEFAULTS},
    run::StartError,
    telemetry::TelemetryError,
};

pub use database::{import, migrate};
pub use demo::demo;
pub use jobs::jobs;
pub use serve::serve;
pub use watch::watch;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration does not hold.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No such issuer, or none with a shared secret.
    #[error("no issuer of that name is configured, or none has a shared secret (auth.issuers)")]
    NoIssuer,
    /// The token cannot be made.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// Nobody reads what is printed, or the system gives no thread or signal.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The hub cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The log or the metrics cannot start.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] crate::store::OpenError),
    /// The database did not take a change.
    #[error(transparent)]
    Change(#[from] persistence::StoreError),
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A document to import is not one.
    #[error(transparent)]
    Document(#[from] persistence::import::ImportError),
    /// A fact in the document is not possible; none was loaded.
    #[error("{place}: {reason}; nothing was loaded")]
    Import {
        /// Where in the document.
        place: String,
        /// Why.
        reason: String,
    },
    /// The hub that owns the database was not given the means to be asked.
    #[error("a hub runs on this database; to reach it, configure auth.service_token")]
    NoServiceToken,
    /// The running hub cannot be reached.
    #[error("a hub runs on this database, and does not answer")]
    Unreachable(#[from] reqwest::Error),
    /// The running hub refused.
    #[error("the running hub answered {status}: {problem}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        problem: String,
    },
    /// There is no such job.
    #[error(transparent)]
    NoJob(#[from] persistence::ArgumentError),
    /// A job was not done, or not to its end.
    #[error(transparent)]
    Job(#[from] persistence::JobError),
    /// A job has done what it could.
    #[error("not all could be done; what is left is said above")]
    Incomplete,
    /// The hub does not let the client in, or has ended it.
    #[error("nothing more can be shown")]
    Ended(#[from] client::Ending),
    /// Nobody in the sample world is called that.
    #[error("nobody in the sample world is called that; there are {people}")]
    NoSuchPerson {
        /// Who there is.
        people: String,
    },
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// `check-config`: prints the configuration in effect, or the defaults with their documentation.
///
/// # Errors
/// [`CommandError::Config`] with everything that is wrong.
pub fn check_config(args: &CheckConfigArgs, out: &mut impl Write) -> Result<(), CommandError> {
    if args.print_defaults {
        return Ok(out.write_all(DEFAULTS.as_bytes())?);
    }
    let config = Config::load(&args.config.sources())?;
    config.ready_to_serve()?;
    Ok(out.write_all(config.to_text().as_bytes())?)
}

/// `token`: prints a token for development.
///
/// # Errors
/// [`CommandError::NoIssuer`] where nobody can be imitated.
pub fn token(args: &TokenArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let config = Config::load(&args.config.sources())?;
    let wanted = |name: &Option<String>| args.issuer.is_none() || *name == args.issuer;
    let mut issuers = config.auth.issuers.iter();
    let issuer = issuers.find(|issuer| wanted(&issuer.issuer) && !issuer.hs256_secret.is_empty());
    let token = mint(issuer.ok_or(CommandError::NoIssuer)?, args.user, args.ttl)?;
    Ok(writeln!(out, "{token}")?)
}

/// `openapi`: prints the description of the REST API.
///
/// # Errors
/// [`CommandError::System`] where nobody reads it.
pub fn openapi(out: &mut impl Write) -> Result<(), CommandError> {
    Ok(writeln!(out, "{:#}", crate::openapi::document())?)
}

#[cfg(test)]
mod tests;
