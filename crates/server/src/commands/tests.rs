use clap::Parser;
use persistence::JobName;

use super::{CommandError, check_config, import, jobs, migrate, openapi, token};
use crate::{
    auth::Authenticator,
    cli::{Cli, Command, DirectoryCommand},
    config::{Config, DEFAULTS},
};

const USER: &str = "6f9b1f8e-0000-4000-8000-000000000001";
const ISSUERS: &str = "auth.issuers=[{ issuer = 'jwks', jwks_url = 'https://keys.example' }, \
                       { issuer = 'dev', hs256_secret = 'a-secret-of-more-than-thirty-two-bytes' }]";

fn run(words: &[&str]) -> Result<String, CommandError> {
    let mut out = Vec::new();
    match Cli::parse_from(std::iter::once(&"presence-hub").chain(words)).command {
        Command::CheckConfig(args) => check_config(&args, &mut out)?,
        Command::Token(args) => token(&args, &mut out)?,
        Command::Openapi => openapi(&mut out)?,
        Command::Migrate(args) => migrate(&args, &mut out)?,
        Command::Directory(args) => match args.command {
            DirectoryCommand::Import(args) => import(&args, &mut out)?,
        },
        Command::Jobs(args) => jobs(&args, &mut out)?,
        Command::Serve(_) | Command::Demo(_) | Command::Watch(_) => panic!("these run until they are ended"),
    }
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn check_config_prints_the_defaults_as_they_are_written() {
    assert_eq!(run(&["check-config", "--print-defaults"]).unwrap(), DEFAULTS);
}

#[test]
fn check_config_prints_what_is_in_effect() {
    let text = run(&["check-config", "--port", "8123", "--set", ISSUERS]).unwrap();
    assert!(text.contains("listen.port = 8123\n") && !text.contains("a-secret"), "{text}");
    let error = run(&["check-config"]).unwrap_err().to_string();
    assert!(error.contains("nobody can sign in"), "{error}");
    assert!(
        run(&["check-config", "--set", "listen.prot=1"]).unwrap_err().to_string().contains("listen.prot")
    );
}

#[tokio::test]
async fn a_minted_token_is_accepted_by_the_same_configuration() {
    let printed = run(&["token", "--user", USER, "--set", ISSUERS]).unwrap();
    let sources = crate::testing::sources(&[ISSUERS.split_once('=').unwrap()]);
    let config = Config::load(&sources).unwrap();
    let user = Authenticator::new(&config.auth).unwrap().user(printed.trim()).await.unwrap();
    assert_eq!(user.user.to_string(), USER);
}

#[test]
fn only_an_issuer_with_a_secret_can_be_imitated() {
    let named = |name| run(&["token", "--user", USER, "--set", ISSUERS, "--issuer", name]);
    assert!(named("dev").is_ok());
    assert!(matches!(named("jwks"), Err(CommandError::NoIssuer)));
    assert!(matches!(run(&["token", "--user", USER]), Err(CommandError::NoIssuer)));
}

const USERS: &str = r#"{"users": [{"id": "6f9b1f8e-0000-4000-8000-000000000001", "displayName": "Ada"}]}"#;

#[test]
fn a_directory_is_loaded_into_a_database_that_nobody_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (database, document) = (path("hub.db"), path("people.json"));
    std::fs::write(&document, USERS).unwrap();
    let done = run(&["directory", "import", "--database", &database, &document]).unwrap();
    assert_eq!(done, "1 facts loaded into the database\n");
    let done = run(&["migrate", "--database", &database]).unwrap();
    assert!(done.ends_with("nothing to do\n"), "{done}");
    let made = run(&["migrate", "--database", &path("new.db")]).unwrap();
    assert!(made.contains("made, with schema"), "{made}");
}

#[test]
fn a_document_that_cannot_be_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let database = path("hub.db");
    let table = [
        ("{", "not JSON"),
        (r#"{"users": [{"id": 7}]}"#, "users[0]"),
        (r#"{"weddings": [{"id": "6f9b1f8e-0000-4000-8000-000000000001", "name": ""}]}"#, "weddings[0]"),
    ];
    for (document, place) in table {
        let file = path("people.json");
        std::fs::write(&file, document).unwrap();
        let error = run(&["directory", "import", "--database", &database, &file]).unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
    let error = run(&["directory", "import", "--database", &database, &path("none.json")]).unwrap_err();
    assert!(error.to_string().starts_with("cannot read"), "{error}");
}

#[test]
fn jobs_are_done_by_hand_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("hub.db").to_str().unwrap().to_owned();
    let on = |words: &[&str]| run(&[&["jobs"], words, &["--database", &database]].concat());
    assert!(on(&["list"]).unwrap().contains("never done"));
    for job in JobName::ALL {
        let done = on(&["run", job.name()]).unwrap();
        assert!(done.starts_with(&format!("{}: ", job.name())) && done.ends_with('\n'), "{done}");
    }
    let list = on(&["list"]).unwrap();
    assert_eq!(list.lines().count(), 2 * JobName::ALL.len());
    assert!(list.contains("archive          24 h") && list.contains(": no week is old enough"), "{list}");
    assert!(list.contains("restore-archive  by hand") && !list.contains("never done"), "{list}");
    assert!(folder.path().join("hub.db.archive").is_dir(), "beside the database");
    let error = on(&["run", "sweep"]).unwrap_err().to_string();
    assert!(error.contains("stale-presence, dead-sessions"), "{error}");
    let error = on(&["run", "restore-archive", "2026-11-16"]).unwrap_err().to_string();
    assert!(error.contains("2026-11-16 is not archived"), "{error}");
}
