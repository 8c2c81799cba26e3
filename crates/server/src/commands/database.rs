//! `migrate` and `directory import`: the database without a hub, or through the one that owns it.

use std::{io::Write, path::Path, time::SystemTime};

use model::{DirectoryChange, Wall};
use persistence::{Actor, Store, StoreError, import};
use persistence_sqlite::{OpenMode, SqliteStore};

use super::CommandError;
use crate::{
    cli::{ImportArgs, MigrateArgs},
    config::Config,
    store::{self, OpenError},
};

/// What an operator does after the first migration of a Postgres.
const NEXT: &str = "next, as the same user: CREATE ROLE hub LOGIN PASSWORD '...' IN ROLE presence_hub;\n\
                    then: presence-hub serve --database-url postgres://hub:...@host/database";

/// `migrate`: brings the database to the schema of this binary, or makes it.
///
/// # Errors
/// [`CommandError::Store`] where it cannot be used.
pub fn migrate(args: &MigrateArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let config = Config::load(&args.config.sources())?;
    let runtime = super::runtime()?;
    let (name, found, now) = match config.store.database_url() {
        Some(url) => {
            let done = runtime.block_on(persistence_postgres::migrate(url.expose()));
            let done = done.map_err(OpenError::from)?;
            ("the database".to_owned(), done.found, done.now)
        }
        None => {
            let path = &config.store.sqlite_path;
            let found = runtime.block_on(migrate_file(path)).map_err(OpenError::from)?;
            (path.display().to_string(), found, persistence_sqlite::latest_schema())
        }
    };
    match found {
        None => {
            writeln!(out, "{name}: made, with schema {now}")?;
            if config.store.database_url().is_some() {
                writeln!(out, "{NEXT}")?;
            }
        }
        Some(found) if found == now => writeln!(out, "{name}: schema {now}, nothing to do")?,
        Some(found) => writeln!(out, "{name}: schema {found} is now schema {now}")?,
    }
    Ok(())
}

async fn migrate_file(path: &Path) -> Result<Option<i64>, persistence_sqlite::OpenError> {
    let store = SqliteStore::open(path, OpenMode::CreateIfMissing).await?;
    let found = store.schema_found();
    store.close().await;
    Ok(found)
}

/// `directory import`: loads a JSON document, all or nothing. Through the running hub where it owns the database.
///
/// # Errors
/// [`CommandError`] names the place in the document where it is to blame.
pub fn import(args: &ImportArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let config = Config::load(&args.config.sources())?;
    let document = read(&args.file)?;
    let changes = import::parse(&document)?;
    let way = super::runtime()?.block_on(async {
        match store::open(&config).await {
            Ok(store) => into_store(&*store, &changes).await.map(|()| "into the database"),
            Err(error) if error.is_owned() => {
                through_hub(&config, document).await.map(|()| "through the running hub")
            }
            Err(error) => Err(error.into()),
        }
    })?;
    writeln!(out, "{} facts loaded {way}", changes.len())?;
    Ok(())
}

fn read(file: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(file)
        .map_err(|source| CommandError::Read { path: file.display().to_string(), source })
}

pub(super) async fn into_store(store: &dyn Store, changes: &[DirectoryChange]) -> Result<(), CommandError> {
    let done = store.change_directory(changes.to_vec(), now(), Actor::Import).await;
    store.close().await;
    done.map(drop).map_err(|error| match &error {
        StoreError::Invalid { index, reason } => CommandError::Import {
            place: import::place(changes, *index).unwrap_or_default(),
            reason: reason.to_string(),
        },
        _ => CommandError::Change(error),
    })
}

pub(super) fn now() -> Wall {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// The hub owns the file while it runs; it has a route for this.
async fn through_hub(config: &Config, document: String) -> Result<(), CommandError> {
    let token = config.auth.service_token().ok_or(CommandError::NoServiceToken)?;
    let url = format!("http://{}/api/directory/import", config.listen.socket_address());
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer = client.post(url).bearer_auth(token.expose()).body(document).send().await?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(CommandError::Refused { status: answer.status().as_u16(), problem: answer.text().await? })
}
