use clap::{CommandFactory, FromArgMatches};

use super::*;
use crate::config::Config;

const USER: &str = "6f9b1f8e-0000-4000-8000-000000000001";

/// Parses the arguments of one command alone.
fn parse<T: Args + FromArgMatches>(words: &[&str]) -> Result<T, clap::Error> {
    let command = T::augment_args(clap::Command::new("presence-hub"));
    let words = std::iter::once(&"presence-hub").chain(words);
    T::from_arg_matches(&command.try_get_matches_from(words)?)
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
    for command in [
        ServeArgs::augment_args(clap::Command::new("serve")),
        DemoArgs::augment_args(clap::Command::new("demo")),
        WatchArgs::augment_args(clap::Command::new("watch")),
        DirectoryArgs::augment_args(clap::Command::new("directory")),
        MigrateArgs::augment_args(clap::Command::new("migrate")),
    ] {
        command.debug_assert();
    }
}

#[test]
fn flags_are_the_last_layer_of_the_configuration() {
    let args: ServeArgs = parse(&[
        "--port",
        "8123",
        "--address",
        "0.0.0.0",
        "--database",
        "/tmp/x.db",
        "--log-level",
        "debug",
        "--set",
        "presence.grace_ms=5000",
        "--set",
        "listen.port=8124",
    ])
    .unwrap();
    let config = Config::load(&args.config.sources()).unwrap();
    assert_eq!(config.listen.socket_address().to_string(), "0.0.0.0:8124");
    assert_eq!(config.store.sqlite_path, std::path::Path::new("/tmp/x.db"));
    assert_eq!((config.log.level.as_str(), config.presence.grace_ms), ("debug", 5000));
    assert!(parse::<ServeArgs>(&["--set", "presence.grace_ms"]).is_err());
}

#[test]
fn demo_watch_and_import_read_their_arguments() {
    let demo: DemoArgs = parse(&["--viewer", "Lea", "--seed", "7", "--seconds", "30"]).unwrap();
    assert_eq!((demo.port, demo.seed, demo.duration), (None, 7, Some(Duration::from_secs(30))));
    assert_eq!(demo.viewer.as_deref(), Some("Lea"));

    let channel = format!("wedding:{USER}");
    let watch: WatchArgs = parse(&["--token", "t", "--encoding", "msgpack", "--roster", &channel]).unwrap();
    assert_eq!(Encoding::from(watch.encoding), Encoding::MessagePack);
    assert_eq!(Encoding::from(EncodingArg::Json), Encoding::Json);
    assert_eq!((watch.channels[0].to_string(), watch.roster), (channel, true));
    assert!(parse::<WatchArgs>(&["--token", "t"]).is_err(), "a channel is wanted");
    assert!(parse::<WatchArgs>(&[&watch.channels[0].to_string()]).is_err(), "a token is wanted");
    assert!(parse::<WatchArgs>(&["--as", USER, "--secret", "s", &watch.channels[0].to_string()]).is_ok());
    assert!(
        parse::<WatchArgs>(&["--as", USER, &watch.channels[0].to_string()]).is_err(),
        "a secret is wanted"
    );
    assert!(parse::<WatchArgs>(&["--token", "t", "wedding:7"]).is_err());

    let directory: DirectoryArgs = parse(&["import", "world.json"]).unwrap();
    let DirectoryCommand::Import(import) = directory.command;
    assert_eq!(import.file, std::path::Path::new("world.json"));
    assert!(parse::<MigrateArgs>(&[]).unwrap().config.settings.is_empty());
}

#[test]
fn a_token_lives_an_hour_unless_told_otherwise() {
    let token: TokenArgs = parse(&["--user", USER]).unwrap();
    assert_eq!((token.ttl, token.issuer), (Duration::from_secs(3600), None));
    assert!(parse::<TokenArgs>(&["--user", "somebody"]).is_err());
    assert!(parse::<TokenArgs>(&["--user", USER, "--ttl", "soon"]).is_err());
}
