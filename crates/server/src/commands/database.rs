//! `migrate` and `directory import`: the database without a hub, or through the one that owns it.

use std::{io::Write, path::Path, time::SystemTime};

use model::{DirectoryChange, Wall};
use persistence::{Actor, Store, StoreError, import};
use persistence_sqlite::{OpenError, OpenMode, SqliteStore, latest_schema};

use super::CommandError;
use crate::{
    cli::{ImportArgs, MigrateArgs},
    config::Config,
};

/// `migrate`: brings the database to the schema of this binary, or makes it.
///
/// # Errors
/// [`CommandError::Store`] where the file cannot be used.
pub fn migrate(args: &MigrateArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let config = Config::load(&args.config.sources())?;
    let path = &config.store.sqlite_path;
    let found = super::runtime()?.block_on(async {
        let store = SqliteStore::open(path, OpenMode::CreateIfMissing).await?;
        let found = store.schema_found();
        store.close().await;
        Ok::<_, OpenError>(found)
    })?;
    let (path, latest) = (path.display(), latest_schema());
    match found {
        None => writeln!(out, "{path}: made, with schema {latest}")?,
        Some(found) if found == latest => writeln!(out, "{path}: schema {latest}, nothing to do")?,
        Some(found) => writeln!(out, "{path}: schema {found} is now schema {latest}")?,
    }
    Ok(())
}

/// `directory import`: loads a JSON document, all or nothing. Through the running hub where there is one.
///
/// # Errors
/// [`CommandError`] names the place in the document where it is to blame.
pub fn import(args: &ImportArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let config = Config::load(&args.config.sources())?;
    let document = read(&args.file)?;
    let changes = import::parse(&document)?;
    let way = super::runtime()?.block_on(async {
        match SqliteStore::open(&config.store.sqlite_path, OpenMode::CreateIfMissing).await {
            Ok(store) => into_store(&store, &changes).await.map(|()| "into the database"),
            Err(OpenError::Locked { .. }) => {
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

pub(super) async fn into_store(store: &SqliteStore, changes: &[DirectoryChange]) -> Result<(), CommandError> {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let at = Wall(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
    let done = store.change_directory(changes.to_vec(), at, Actor::Import).await;
    store.close().await;
    done.map(drop).map_err(|error| match &error {
        StoreError::Invalid { index, reason } => CommandError::Import {
            place: import::place(changes, *index).unwrap_or_default(),
            reason: reason.to_string(),
        },
        _ => CommandError::Change(error),
    })
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
