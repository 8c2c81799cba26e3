//! The command line.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{ChannelId, Encoding, UserId};

use crate::config::Sources;

/// People see each other come and go, each only what they may.
#[derive(Debug, Parser)]
#[command(
    name = "presence-hub",
    version,
    about = "People see each other come and go, each only what they may"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show it: a hub with a sample world, people who live in it, and what one of them sees
    Demo(DemoArgs),
    /// Show channels as a viewer sees them: a table on a terminal, lines elsewhere
    Watch(WatchArgs),
    /// Run the hub
    Serve(ServeArgs),
    /// Load facts about people, weddings, organizations and accounts
    Directory(DirectoryArgs),
    /// Do what keeps the database in order, or see how it went
    Jobs(JobsArgs),
    /// Bring the database to the schema of this binary
    Migrate(MigrateArgs),
    /// Say whether a configuration holds, and print it without its secrets
    CheckConfig(CheckConfigArgs),
    /// Make a token for development, as an issuer with a shared secret would sign it
    Token(TokenArgs),
    /// Print the description of the REST API (OpenAPI 3.1), as a hub serves it at /api/openapi.json
    Openapi,
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "PRESENCE_HUB_CONFIG")]
    pub config: Option<PathBuf>,
    /// listen.address
    #[arg(long, value_name = "IP")]
    pub address: Option<IpAddr>,
    /// listen.port
    #[arg(long)]
    pub port: Option<u16>,
    /// store.sqlite_path
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,
    /// store.database_url; better in the environment (PRESENCE_HUB__STORE__DATABASE_URL), where no other user reads it
    #[arg(long, value_name = "URL", conflicts_with = "database")]
    pub database_url: Option<String>,
    /// log.level
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Any other setting; may be given several times
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE", value_parser = parse_setting)]
    pub settings: Vec<(String, String)>,
}

/// Arguments of `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// TCP port of the demonstration; 0 takes a free one. Left out: 8080, or a free one
    #[arg(long)]
    pub port: Option<u16>,
    /// The person through whose eyes it is shown, by name or id; left out: the weddings' coordinator
    #[arg(long, value_name = "NAME")]
    pub viewer: Option<String>,
    /// Seed of the simulated lives
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// End by itself after this many seconds; left out: on Ctrl-C
    #[arg(long = "seconds", value_name = "N", value_parser = parse_seconds)]
    pub duration: Option<Duration>,
    /// Without colours, on a terminal too
    #[arg(long)]
    pub plain: bool,
    /// Keep the database in this directory; left out: it is thrown away
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Arguments of `token`.
#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The `sub`
    #[arg(long, value_name = "UUID")]
    pub user: UserId,
    /// The issuer to imitate, by its `iss`; left out: the first one with a shared secret
    #[arg(long)]
    pub issuer: Option<String>,
    /// How long the token lives, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = parse_seconds)]
    pub ttl: Duration,
}

/// Arguments of `watch`.
#[derive(Clone, Debug, Args)]
pub struct WatchArgs {
    /// The hub's socket
    #[arg(long, default_value = "ws://127.0.0.1:8080/ws")]
    pub url: String,
    /// The viewer's token
    #[arg(long, env = "PRESENCE_HUB_TOKEN", hide_env_values = true, required_unless_present = "user")]
    pub token: Option<String>,
    /// Make tokens for this user instead, with the secret of --secret
    #[arg(long = "as", value_name = "UUID", requires = "secret", conflicts_with = "token")]
    pub user: Option<UserId>,
    /// The shared secret of an issuer without a name, for --as; better in the environment, where no other user reads it
    #[arg(long, env = "PRESENCE_HUB_SECRET", hide_env_values = true)]
    pub secret: Option<String>,
    /// A second viewer's token: the same channels as both see them, side by side
    #[arg(long, value_name = "TOKEN", env = "PRESENCE_HUB_TOKEN_BESIDE", hide_env_values = true)]
    pub side_by_side: Option<String>,
    /// Make tokens for a second viewer instead, with the secret of --secret
    #[arg(long, value_name = "UUID", requires = "secret", conflicts_with = "side_by_side")]
    pub side_by_side_as: Option<UserId>,
    /// The channels: wedding:UUID, organization:UUID or account:UUID
    #[arg(required = true, value_name = "CHANNEL")]
    pub channels: Vec<ChannelId>,
    /// Also who is not there, with their last-seen
    #[arg(long)]
    pub roster: bool,
    /// Names of people: a directory document, as `directory import` takes it
    #[arg(long, value_name = "FILE")]
    pub names: Option<PathBuf>,
    /// Lines instead of a table, on a terminal too
    #[arg(long)]
    pub plain: bool,
    /// The encoding
    #[arg(long, value_enum, default_value_t = EncodingArg::Json)]
    pub encoding: EncodingArg,
}

/// An encoding, as a flag names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EncodingArg {
    /// presence.v1.json
    Json,
    /// presence.v1.msgpack
    Msgpack,
}

impl From<EncodingArg> for Encoding {
    fn from(encoding: EncodingArg) -> Self {
        match encoding {
            EncodingArg::Json => Self::Json,
            EncodingArg::Msgpack => Self::MessagePack,
        }
    }
}

/// Arguments of `directory`.
#[derive(Clone, Debug, Args)]
pub struct DirectoryArgs {
    /// What to do with the directory.
    #[command(subcommand)]
    pub command: DirectoryCommand,
}

/// What can be done with the directory.
#[derive(Clone, Debug, Subcommand)]
pub enum DirectoryCommand {
    /// Load users, organizations, weddings and accounts from a JSON file
    Import(ImportArgs),
}

/// Arguments of `directory import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The JSON file
    pub file: PathBuf,
}

/// Arguments of `jobs`.
#[derive(Clone, Debug, Args)]
pub struct JobsArgs {
    /// What to do with the jobs.
    #[command(subcommand)]
    pub command: JobsCommand,
}

/// What can be done with the jobs.
#[derive(Clone, Debug, Subcommand)]
pub enum JobsCommand {
    /// Do a job now, through the hub where it owns the database
    Run(RunJobArgs),
    /// Say what jobs there are, when each was done last, and what it did
    List(ListJobsArgs),
}

/// Arguments of `jobs run`.
#[derive(Clone, Debug, Args)]
pub struct RunJobArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The job, as `jobs list` names it
    pub name: String,
    /// What exactly it is to do: weeks, days
    pub arguments: Vec<String>,
}

/// Arguments of `jobs list`.
#[derive(Clone, Debug, Args)]
pub struct ListJobsArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of `migrate`.
#[derive(Clone, Debug, Args)]
pub struct MigrateArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of `check-config`.
#[derive(Clone, Debug, Args)]
pub struct CheckConfigArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print the defaults with their documentation instead
    #[arg(long)]
    pub print_defaults: bool,
}

impl ConfigArgs {
    /// The file, the process's environment, and the flags.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let named = [
            ("--address", "listen.address", self.address.map(|address| address.to_string())),
            ("--port", "listen.port", self.port.map(|port| port.to_string())),
            (
                "--database",
                "store.sqlite_path",
                self.database.as_ref().map(|path| path.display().to_string()),
            ),
            ("--database-url", "store.database_url", self.database_url.clone()),
            ("--log-level", "log.level", self.log_level.clone()),
        ];
        let named = named
            .into_iter()
            .filter_map(|(flag, key, value)| Some((flag.to_owned(), key.to_owned(), value?)));
        let set = self.settings.iter().map(|(key, value)| ("--set".to_owned(), key.clone(), value.clone()));
        Sources { flags: named.chain(set).collect(), ..Sources::from_process(self.config.clone()) }
    }
}

fn parse_setting(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("expected SECTION.KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

fn parse_seconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
