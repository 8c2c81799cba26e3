//! Tables that the platform made without keys, rules and indexes: read all the same, and in time.

use model::{AccountId, AccountState, OrganizationId, Role, UserFacts, UserId, WeddingId};
use persistence::{NamedPerson, Names, PAGE, Part, Pick, Place, Store, Truth};
use persistence_postgres::{PostgresOptions, PostgresStore, migrate};
use postgres_cluster::Cluster;

use crate::fixture::{self, Home};

/// 2,500 people in 40 organizations and 400 weddings, and rows that lead nowhere. Read once for each of the people, the
/// tables would take minutes.
const PLATFORM: &str = "
    CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql AS $$ SELECT lpad(to_hex(n), 32, '0')::uuid $$;
    CREATE TABLE users (id uuid UNIQUE, display_name text, disabled boolean, created_at timestamptz);
    CREATE TABLE organizations (id uuid UNIQUE, name text, plan text);
    CREATE TABLE user_organizations (user_id uuid, organization_id uuid, role text);
    CREATE TABLE weddings (id uuid UNIQUE, name text);
    CREATE TABLE wedding_collaborations (wedding_id uuid, supplier_id uuid, client_id uuid, supplier_type text);
    CREATE TABLE accounts (id uuid UNIQUE, organization_id uuid, name text);
    INSERT INTO users SELECT pg_temp.id(n), 'User ' || n FROM generate_series(1, 2500) AS n;
    INSERT INTO user_organizations
        SELECT pg_temp.id(n), pg_temp.id(10000 + n * k % 40), (ARRAY['owner', 'guest', NULL])[k]
        FROM generate_series(1, 2500) AS n, generate_series(1, 3) AS k;
    INSERT INTO wedding_collaborations
        SELECT pg_temp.id(20000 + n % 400), pg_temp.id(n), pg_temp.id(1 + n * k % 2500), 'florist'
        FROM generate_series(1, 2500) AS n, generate_series(1, 8) AS k;
    INSERT INTO accounts SELECT pg_temp.id(30000 + n), pg_temp.id(10000 + n % 40) FROM generate_series(1, 1100) AS n;
    INSERT INTO users VALUES (NULL, 'nobody');
    INSERT INTO user_organizations VALUES (pg_temp.id(1), NULL, 'owner'), (NULL, pg_temp.id(10000), 'owner');
    INSERT INTO wedding_collaborations VALUES (NULL, pg_temp.id(1), pg_temp.id(2), 'florist'),
        (pg_temp.id(20999), NULL, pg_temp.id(3), NULL), (pg_temp.id(20998), pg_temp.id(4), NULL, NULL);
    INSERT INTO accounts VALUES (pg_temp.id(30007) , NULL, 'of nobody') ON CONFLICT (id) DO UPDATE
        SET organization_id = NULL;";

const INDEXES: &str = "
    CREATE INDEX ON user_organizations (user_id); CREATE INDEX ON wedding_collaborations (supplier_id);
    CREATE INDEX ON wedding_collaborations (client_id); ANALYZE";

async fn platform() -> Home {
    let database = Cluster::shared().create_database();
    database.psql(PLATFORM).expect("the platform's tables");
    migrate(&database.admin_url()).await.expect("they can be shared");
    let role = Cluster::shared().login_role("hub", &["presence_hub"]);
    Home { database, role }
}

type Facts = (Vec<(UserId, UserFacts)>, Vec<(AccountId, AccountState)>);

async fn all(store: &PostgresStore) -> Facts {
    let (mut users, mut accounts) = (Vec::new(), Vec::new());
    loop {
        let after = users.last().map(|(id, _)| *id);
        let page = store.users(Pick::Next(after, PAGE)).await.expect("a page of users");
        if page.is_empty() {
            break;
        }
        users.extend(page);
    }
    loop {
        let after = accounts.last().map(|(id, _)| *id);
        let page = store.accounts(Pick::Next(after, PAGE)).await.expect("a page of accounts");
        if page.is_empty() {
            break;
        }
        accounts.extend(page);
    }
    (users, accounts)
}

async fn picked(store: &PostgresStore, ids: impl Iterator<Item = u128> + Clone) -> Facts {
    let users = ids.clone().map(fixture::user).collect();
    let accounts = ids.map(|n| AccountId(fixture::user(30_000 + n).0)).collect();
    let users = store.users(Pick::These(users)).await.expect("some users");
    (users, store.accounts(Pick::These(accounts)).await.expect("some accounts"))
}

fn organization(n: u128) -> OrganizationId {
    OrganizationId(fixture::user(n).0)
}

#[tokio::test]
async fn a_platform_without_indexes_is_read_in_time_and_as_with_them() {
    let home = platform().await;
    let without = home.store().await;
    let read = all(&without).await;
    let some = picked(&without, 5..=14).await;
    assert_eq!((read.0.len(), read.1.len(), some.0.len(), some.1.len()), (2_500, 1_099, 10, 9));
    assert_eq!(read.0[4..14], some.0);
    home.psql(INDEXES);
    let with = fixture::open(PostgresOptions { connections: 2, ..home.options() }).await;
    assert_eq!(all(&with).await, read);
    assert_eq!(picked(&with, 5..=14).await, some);
    without.close().await;
    with.close().await;
}

#[tokio::test]
async fn what_belongs_nowhere_relates_nobody() {
    let home = platform().await;
    let store = home.store().await;
    let (users, accounts) = picked(&store, 1..=8).await;
    let facts = |n: usize| &users[n - 1].1;
    let own: Vec<_> = [10_001, 10_002, 10_003].map(organization).to_vec();
    assert_eq!(facts(1).organizations.keys().copied().collect::<Vec<_>>(), own);
    for n in 1..=4 {
        let sql = "SELECT count(DISTINCT wedding_id) FROM wedding_collaborations WHERE";
        let id = fixture::user(n as u128);
        let weddings = home.count(&format!("{sql} supplier_id = '{id}' OR client_id = '{id}'"));
        assert_eq!(facts(n).weddings.len() as u64, weddings, "user {n}");
    }
    assert_eq!(accounts.len(), 7, "one has no organization");
    store.close().await;
}

/// Somebody with three rows in one office is one member, with the highest role; what has no name is called nothing.
#[tokio::test]
async fn names_are_read_from_what_there_is() {
    let home = platform().await;
    let store = home.store().await;
    let named = |n: u128, part| NamedPerson { id: fixture::user(n), display_name: format!("User {n}"), part };
    let office = Place::Organization(organization(10_000));
    let people = store.people_in(office, Some(fixture::user(19)), 2).await.expect("some names");
    assert_eq!(people, [named(20, Part::Member(Role::Member)), named(40, Part::Member(Role::Owner))]);
    for (wedding, person) in
        [(20_999, named(3, Part::Client)), (20_998, named(4, Part::Supplier(Vec::new())))]
    {
        let wedding = Place::Wedding(WeddingId(fixture::user(wedding).0));
        assert_eq!(store.people_in(wedding, None, 9).await.expect("some names"), [person]);
    }
    let accounts = store.accounts_in(organization(10_000), 1).await.expect("some names");
    assert_eq!(accounts, [(AccountId(fixture::user(30_040).0), String::new())]);
    // The platform has no row of its organizations and weddings.
    let places = store.places(fixture::user(1), 9).await.expect("some names").expect("a user");
    assert_eq!(
        (places.display_name.as_str(), places.organizations.len(), places.weddings.len()),
        ("User 1", 0, 0)
    );
    store.close().await;
}
