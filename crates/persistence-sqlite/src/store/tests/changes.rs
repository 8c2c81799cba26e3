//! What the triggers write down, and for how long.

use model::{AccountId, OrganizationId, WeddingId};
use persistence::{Changes, Cursor, Upkeep};

use super::*;

const HOUR_MS: i64 = 60 * 60 * 1000;
/// After everything that this test run writes has grown old.
const FAR_FUTURE: Wall = Wall(i64::MAX);

async fn found(store: &SqliteStore, cursor: &mut Cursor) -> (Vec<UserId>, Vec<AccountId>) {
    let changes = store.changes(cursor).await.unwrap();
    assert!(!changes.all);
    *cursor = changes.cursor;
    (changes.users, changes.accounts)
}

async fn execute(connection: &mut SqliteConnection, sql: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n))
}

/// Users 1 to 3 and organization 7, by the hub.
async fn put_some(store: &SqliteStore) {
    let organization = DirectoryChange::PutOrganization {
        id: OrganizationId(Uuid::from_u128(7)),
        name: "Agency".into(),
        plan: Default::default(),
    };
    let wedding = DirectoryChange::PutWedding { id: WeddingId(Uuid::from_u128(8)), name: "June".into() };
    put(store, vec![put_user(1, "Ada"), put_user(2, "Bo"), put_user(3, "Cy"), organization, wedding]).await;
}

/// Statement by statement, what another connection does is found: with cascades, and who was there before an update as
/// well as who is there after it.
#[tokio::test]
async fn plain_sql_is_seen() {
    let (folder, store) = open_new().await;
    put_some(&store).await;
    let mut outside = raw(&file(&folder)).await;
    let mut cursor = store.cursor().await.unwrap();
    let (one, two, three) = (user(1), user(2), user(3));
    let (organization, wedding) = (Uuid::from_u128(7), Uuid::from_u128(8));
    let settings = "'everyone', 1, 1, 0, NULL, NULL, 0, NULL";
    let none: &[u128] = &[];
    for (sql, users, accounts) in [
        (format!("INSERT INTO users VALUES ('{}', 'Di', 0, 0)", user(4)), &[4][..], none),
        ("UPDATE users SET created_at = 5".into(), none, none),
        ("UPDATE users SET disabled = 1, display_name = display_name".into(), &[1, 2, 3, 4], none),
        (format!("UPDATE users SET id = '{}' WHERE id = '{}'", user(5), user(4)), &[4, 5], none),
        (format!("DELETE FROM users WHERE id = '{}'", user(5)), &[5], none),
        (format!("INSERT INTO user_organizations VALUES ('{one}', '{organization}', 'member')"), &[1], none),
        ("UPDATE user_organizations SET role = 'admin'".into(), &[1], none),
        ("UPDATE user_organizations SET role = 'admin'".into(), none, none),
        (format!("UPDATE user_organizations SET user_id = '{two}'"), &[1, 2], none),
        (
            format!("INSERT INTO wedding_collaborations VALUES ('{wedding}', '{one}', '{two}', 'venue')"),
            &[1, 2],
            none,
        ),
        ("UPDATE wedding_collaborations SET supplier_type = 'florist'".into(), none, none),
        (format!("UPDATE wedding_collaborations SET supplier_id = '{three}'"), &[1, 2, 3], none),
        (format!("DELETE FROM weddings WHERE id = '{wedding}'"), &[2, 3], none),
        (format!("INSERT INTO accounts VALUES ('{}', '{organization}', 'Inbox')", user(11)), none, &[11]),
        ("UPDATE accounts SET name = 'Outbox'".into(), none, &[11]),
        ("UPDATE accounts SET name = 'Outbox'".into(), none, none),
        (format!("UPDATE accounts SET id = '{}'", user(12)), none, &[11, 12]),
        ("DELETE FROM organizations".into(), &[2], &[12]),
        (format!("INSERT INTO presence_settings VALUES ('{one}', {settings})"), &[1], none),
        (format!("REPLACE INTO presence_settings VALUES ('{one}', {settings})"), &[1], none),
        (format!("UPDATE presence_settings SET user_id = '{two}'"), &[1, 2], none),
        ("DELETE FROM presence_settings".into(), &[2], none),
        ("DELETE FROM users".into(), &[1, 2, 3], none),
        ("DELETE FROM users".into(), none, none),
    ] {
        execute(&mut outside, sql.clone()).await;
        let expected =
            (users.iter().copied().map(user).collect(), accounts.iter().copied().map(account).collect());
        assert_eq!(found(&store, &mut cursor).await, expected, "{sql}");
    }
}

/// What another connection has begun is found when it is committed, and never when it is undone.
#[tokio::test]
async fn what_is_not_committed_is_not_found() {
    let (folder, store) = open_new().await;
    put_some(&store).await;
    let mut outside = raw(&file(&folder)).await;
    let mut cursor = store.cursor().await.unwrap();
    execute(&mut outside, "BEGIN; DELETE FROM users".into()).await;
    assert_eq!(found(&store, &mut cursor).await, (vec![], vec![]));
    execute(&mut outside, "ROLLBACK; BEGIN; UPDATE users SET disabled = 1".into()).await;
    assert_eq!(found(&store, &mut cursor).await, (vec![], vec![]));
    execute(&mut outside, "COMMIT".into()).await;
    assert_eq!(found(&store, &mut cursor).await.0, [user(1), user(2), user(3)]);
}

/// Whoever is behind what is kept reads everything again; whoever is not misses nothing by it.
#[tokio::test]
async fn changes_are_forgotten_after_an_hour() {
    let (folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ada")]).await;
    let old = store.cursor().await.unwrap();
    put(&store, vec![put_user(2, "Bo")]).await;
    let mut newest = store.cursor().await.unwrap();
    store.expire(Wall(HOUR_MS)).await.unwrap();
    assert_eq!(found(&store, &mut old.clone()).await.0, [user(2)], "not old enough");
    store.expire(FAR_FUTURE).await.unwrap();
    assert_eq!(found(&store, &mut newest).await, (vec![], vec![]));
    assert_eq!(rows(&folder).await, 0, "the names of the removed are not kept");
    assert_eq!(store.changes(&old).await.unwrap(), everything(&newest));
    put(&store, vec![put_user(3, "Cy")]).await;
    assert!(store.changes(&old).await.unwrap().all);
    assert_eq!(found(&store, &mut newest).await.0, [user(3)]);
}

fn everything(cursor: &Cursor) -> Changes {
    Changes { cursor: cursor.clone(), users: vec![], accounts: vec![], account_states: vec![], all: true }
}

async fn rows(folder: &TempDir) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM presence_changes");
    count.fetch_one(&mut raw(&file(folder)).await).await.unwrap()
}

/// The oldest are forgotten, never some in the middle: that gap would be seen by nobody.
#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_gap() {
    let (folder, store) = open_new().await;
    put_some(&store).await;
    let old = Cursor("1".into());
    let times = "UPDATE presence_changes SET at = CASE seq WHEN 1 THEN 50 WHEN 2 THEN 20 ELSE 60 END";
    execute(&mut raw(&file(&folder)).await, times.into()).await;
    store.expire(Wall(HOUR_MS + 30)).await.unwrap();
    assert_eq!(rows(&folder).await, 1);
    assert!(store.changes(&old).await.unwrap().all);
    assert_eq!(found(&store, &mut Cursor("2".into())).await.0, [user(3)]);
}

#[tokio::test]
async fn changes_are_bounded() {
    const BOUND: i64 = 100_000;
    let (folder, store) = open_new().await;
    put(&store, vec![put_user(1, "Ada")]).await;
    let (first, mut second) = (Cursor("0".into()), store.cursor().await.unwrap());
    let crowd = format!(
        "WITH RECURSIVE crowd (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM crowd WHERE n < {BOUND}) \
         INSERT INTO users SELECT printf('00000000-0000-0000-0001-%012x', n), 'Crowd', 0, 0 FROM crowd"
    );
    execute(&mut raw(&file(&folder)).await, crowd).await;
    assert_eq!(rows(&folder).await, BOUND);
    assert!(store.changes(&first).await.unwrap().all);
    assert_eq!(found(&store, &mut second).await.0.len(), BOUND as usize);
}

/// A file that was set back under the hub, a table that was emptied, a cursor of somebody else.
#[tokio::test]
async fn what_cannot_be_known_is_everything() {
    let (folder, store) = open_new().await;
    put_some(&store).await;
    let cursor = store.cursor().await.unwrap();
    assert!(store.changes(&Cursor("4".into())).await.unwrap().all, "from the future");
    execute(&mut raw(&file(&folder)).await, "DELETE FROM presence_changes".into()).await;
    assert!(!store.changes(&cursor).await.unwrap().all);
    assert_eq!(store.changes(&Cursor("2".into())).await.unwrap(), everything(&cursor));
    let foreign = store.changes(&Cursor("3:7:".into())).await.unwrap_err();
    assert!(matches!(foreign, StoreError::Corrupt(_)), "{foreign}");
}
