//! Opening: a database that is not ours, not at our schema, or that would not protect what it holds is refused with its
//! reason. Opening changes nothing.

mod indexes;
mod triggers;

use model::Settings;
use persistence::stored::write_word;
use sqlx::PgConnection;

use crate::{
    OpenError, PostgresOptions,
    address::Target,
    database::Database,
    facts::Statements,
    listener::Listener,
    migrate::{MIGRATIONS, latest_schema},
};

/// A database that is open, with a listener.
pub(crate) struct Opened {
    pub(crate) database: Database,
    pub(crate) listener: Listener,
    pub(crate) statements: Statements,
}

/// Connects, checks, and starts to listen.
pub(crate) async fn open(options: &PostgresOptions) -> Result<Opened, OpenError> {
    let target = Target::parse(&options.url)?;
    let connect = target.limited(options);
    let mut connection = target.connect(&connect, options.open_timeout).await?;
    check(&target, &mut connection, &options.default_settings).await?;
    let indexed = indexes::look(&target, &mut connection).await?;
    drop(connection);
    let name = connect.get_application_name().unwrap_or_default();
    let listening = connect.clone().application_name(&format!("{name} (listens)"));
    Ok(Opened {
        database: Database::new(options, connect),
        listener: Listener::start(listening),
        statements: Statements::new(indexed),
    })
}

async fn check(target: &Target, connection: &mut PgConnection, defaults: &Settings) -> Result<(), OpenError> {
    check_might(target, connection).await?;
    check_is_migrated(target, connection).await?;
    check_membership(target, connection).await?;
    check_schema(target, connection).await?;
    check_ownership(target, connection).await?;
    check_protection(target, connection).await?;
    check_publications(target, connection).await?;
    triggers::check(target, connection).await?;
    check_default(target, connection, defaults).await
}

/// Neither the role nor any that it can become stands above row security.
async fn check_might(target: &Target, connection: &mut PgConnection) -> Result<(), OpenError> {
    let mighty: Option<(String, bool)> = sqlx::query_as(
        "SELECT rolname::text, rolsuper FROM pg_roles \
         WHERE (rolsuper OR rolbypassrls) AND pg_has_role(current_user, oid, 'MEMBER') \
         ORDER BY rolname <> current_user LIMIT 1",
    )
    .fetch_optional(connection)
    .await
    .map_err(|error| target.failed(error))?;
    match mighty {
        None => Ok(()),
        Some((role, true)) => Err(too_mighty(target, role, "is a superuser")),
        Some((role, false)) => Err(too_mighty(target, role, "bypasses row security")),
    }
}

fn too_mighty(target: &Target, role: String, right: &str) -> OpenError {
    OpenError::TooMighty { address: target.address.clone(), role, right: right.to_owned() }
}

async fn check_is_migrated(target: &Target, connection: &mut PgConnection) -> Result<(), OpenError> {
    let migrated: bool = sqlx::query_scalar("SELECT to_regclass('public.presence_migrations') IS NOT NULL")
        .fetch_one(connection)
        .await
        .map_err(|error| target.failed(error))?;
    if migrated { Ok(()) } else { Err(OpenError::NotMigrated { address: target.address.clone() }) }
}

/// With `USAGE`: a member that does not inherit has no rights from it.
async fn check_membership(target: &Target, connection: &mut PgConnection) -> Result<(), OpenError> {
    let member: Option<bool> = sqlx::query_scalar(
        "SELECT pg_has_role(current_user, oid, 'USAGE') FROM pg_roles WHERE rolname = 'presence_hub'",
    )
    .fetch_optional(connection)
    .await
    .map_err(|error| target.failed(error))?;
    let (address, role) = (target.address.clone(), target.address.role.to_string());
    match member {
        Some(true) => Ok(()),
        Some(false) => Err(OpenError::NotAMember { address, role }),
        None => Err(OpenError::NotMigrated { address }),
    }
}

async fn check_schema(target: &Target, connection: &mut PgConnection) -> Result<(), OpenError> {
    let applied: Vec<(i64, bool, Vec<u8>)> =
        sqlx::query_as("SELECT version, success, checksum FROM presence_migrations ORDER BY version")
            .fetch_all(connection)
            .await
            .map_err(|error| target.failed(error))?;
    let (address, known) = (target.address.clone(), latest_schema());
    let found = applied.last().map_or(0, |(version, ..)| *version);
    for (version, success, checksum) in applied {
        let migration = MIGRATIONS.iter().find(|migration| migration.version == version);
        match migration {
            _ if !success => return Err(OpenError::HalfApplied { address, version }),
            None => return Err(OpenError::NewerSchema { address, found, known }),
            Some(migration) if *migration.checksum != *checksum => {
                return Err(OpenError::ChangedMigration { address, version });
            }
            Some(_) => {}
        }
    }
    if found < known { Err(OpenError::OlderSchema { address, found, known }) } else { Ok(()) }
}

/// The tables that row security protects, partitions included.
macro_rules! ours {
    ($rest:literal) => {
        concat!(
            "WITH ours AS (SELECT c.oid, c.relowner, c.relrowsecurity AND c.relforcerowsecurity AS forced, ",
            "c.oid::regclass::text AS name FROM pg_class AS c ",
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ",
            "AND (c.relname IN ('presence_settings', 'user_last_seen', 'presence_sessions', ",
            "'activity_rollups', 'activity_pages', 'activity_days', 'activity_weeks', 'activity_page_days', ",
            "'activity_page_weeks', 'activity_members', 'account_presence', 'access_codes', 'presence_audit', ",
            "'operation_results', 'presence_changes', 'presence_installation', 'presence_rollup_queue', ",
            "'presence_gaps', 'presence_jobs', 'presence_erasures', 'presence_weeks', 'account_epochs') ",
            "OR c.relname ~ '^presence_activity_logs(_[0-9]{8})?$' ",
            "OR c.oid IN (SELECT relid FROM pg_partition_tree(to_regclass('presence_activity_logs'))))) ",
            $rest
        )
    };
}

/// An owner can switch row security off.
async fn check_ownership(target: &Target, connection: &mut PgConnection) -> Result<(), OpenError> {
    let owner: Option<(String, String)> = sqlx::query_as(ours!(
        "SELECT pg_get_userbyid(relowner)::text, name FROM ours \
         WHERE pg_has_role(current_user, relowner, 'MEMBER') ORDER BY name LIMIT 1"
    ))
    .fetch_optional(connection)
    .await
    .map_err(|error| target.failed(error))?;
    let Some((role, table)) = owner else { return Ok(()) };
    Err(too_mighty(target, role, &format!("owns the table {table}")))
}

async fn check_protection(target: &Target, connection: &mut PgConnection) -> Result<(), OpenError> {
    let bare: Option<String> =
        sqlx::query_scalar(ours!("SELECT name FROM ours WHERE NOT forced ORDER BY name LIMIT 1"))
            .fetch_optional(connection)
            .await
            .map_err(|error| target.failed(error))?;
    match bare {
        Some(table) => Err(OpenError::Unprotected { address: target.address.clone(), table }),
        None => Ok(()),
    }
}

async fn check_publications(target: &Target, connection: &mut PgConnection) -> Result<(), OpenError> {
    let published: Option<(String, String)> = sqlx::query_as(
        "SELECT p.pubname::text, CASE \
             WHEN p.puballtables THEN format('DROP PUBLICATION %I', p.pubname) \
             WHEN EXISTS (SELECT 1 FROM pg_publication_namespace AS n WHERE n.pnpubid = p.oid \
                 AND n.pnnspid = 'public'::regnamespace) \
                 THEN format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA public', p.pubname) \
             ELSE format('ALTER PUBLICATION %I DROP TABLE account_presence', p.pubname) END \
         FROM pg_publication_tables AS t JOIN pg_publication AS p ON p.pubname = t.pubname \
         WHERE t.schemaname = 'public' AND t.tablename = 'account_presence' ORDER BY p.pubname LIMIT 1",
    )
    .fetch_optional(connection)
    .await
    .map_err(|error| target.failed(error))?;
    let Some((publication, remedy)) = published else { return Ok(()) };
    Err(OpenError::Published { address: target.address.clone(), publication, remedy })
}

/// The database decides for those who ask it themselves, and for users without settings by what it has there.
async fn check_default(
    target: &Target,
    connection: &mut PgConnection,
    defaults: &Settings,
) -> Result<(), OpenError> {
    let configured = write_word(&defaults.visibility)
        .map_err(|error| target.failed(sqlx::Error::Configuration(error.into())))?;
    let stored: Option<String> = sqlx::query_scalar("SELECT visibility FROM presence_installation")
        .fetch_optional(connection)
        .await
        .map_err(|error| target.failed(error))?;
    let remedy = match &stored {
        Some(stored) if *stored == configured => return Ok(()),
        Some(_) => format!("UPDATE presence_installation SET visibility = '{configured}'"),
        None => format!("INSERT INTO presence_installation (visibility) VALUES ('{configured}')"),
    };
    let stored = stored.unwrap_or_else(|| "nobody".to_owned());
    Err(OpenError::DefaultVisibility { address: target.address.clone(), configured, stored, remedy })
}
