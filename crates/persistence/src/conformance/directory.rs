//! The directory: what is put is read, what is touched is named, what is removed is gone.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AccountFacts, AccountId, AccountState, DirectoryChange, Plan, Role, Settings, TextError, UserFacts,
    UserId, limits,
};

use super::{
    START, Shared, account, change_status, facts,
    follower::{Follower, Learned},
    later, noted, operation, organization, put, put_account, put_collaboration, put_member, put_organization,
    put_user, put_wedding, put_world, remove_user, settings_of, status, status_text, user, wedding, world,
};
use crate::{Actor, InvalidReason, SettingsChange, StoreError};

fn bare(n: u128) -> UserFacts {
    UserFacts {
        display_name: format!("User {n}"),
        disabled: false,
        organizations: BTreeMap::new(),
        enterprise: BTreeSet::new(),
        erased: false,
        weddings: BTreeSet::new(),
        settings: Some(Settings::default()),
        last_seen: None,
    }
}

fn with(
    n: u128,
    organizations: impl IntoIterator<Item = (u128, Role)>,
    weddings: impl IntoIterator<Item = u128>,
) -> UserFacts {
    let organizations: BTreeMap<_, _> =
        organizations.into_iter().map(|(n, role)| (organization(n), role)).collect();
    UserFacts {
        enterprise: organizations.keys().copied().collect(),
        erased: false,
        organizations,
        weddings: weddings.into_iter().map(wedding).collect(),
        ..bare(n)
    }
}

/// An account that nobody has ever held.
fn free(of: u128, name: impl Into<String>) -> AccountState {
    let facts = AccountFacts { organization: organization(of), name: name.into() };
    AccountState { facts, occupancy: None, ended: None }
}

/// What a follower learns of `changes`.
async fn learn(store: &Shared, changes: Vec<DirectoryChange>) -> Learned {
    let mut follower = Follower::new(store).await;
    put(store, changes).await;
    follower.learn().await
}

/// Users and accounts with all that connects them, sorted by id.
pub async fn what_was_put_is_read(store: Shared) {
    put_world(&store).await;
    let (users, accounts) = world(&store).await;
    assert_eq!(
        users,
        [
            (user(1), with(1, [(1, Role::Owner)], [1])),
            (user(2), with(2, [(1, Role::Member)], [1, 2])),
            (user(3), with(3, [(2, Role::Admin)], [1])),
            (user(4), with(4, [], [2])),
        ]
    );
    let expected = [(1, 1), (2, 1), (3, 2)].map(|(n, of)| (account(n), free(of, format!("Account {n}"))));
    assert_eq!(accounts, expected);
}

/// A user's name and state, a role, an account's organization; and the settings stay.
pub async fn putting_again_replaces(store: Shared) {
    put_world(&store).await;
    change_status(&store, 1, "stays").await.unwrap();
    let renamed = DirectoryChange::PutUser { id: user(1), display_name: "Ada".into(), disabled: true };
    let moved =
        DirectoryChange::PutAccount { id: account(1), organization: organization(2), name: "X".into() };
    let regraded = put_member(1, 1, Role::Admin);
    let again =
        vec![renamed, moved, regraded, put_organization(1), put_wedding(1), put_collaboration(1, 1, 3)];
    let learned = learn(&store, again).await;
    let now = facts(&store, 1).await.unwrap();
    assert_eq!((now.display_name.as_str(), now.disabled), ("Ada", true));
    assert_eq!(now.organizations, BTreeMap::from([(organization(1), Role::Admin)]));
    assert_eq!(status_text(&settings_of(&store, 1).await), "stays");
    assert_eq!(learned.users[0], (user(1), Some(now)));
    assert_eq!(learned.accounts, [(account(1), Some(free(2, "X")))]);
}

/// Change by change: whom and what it names, no more and no fewer.
pub async fn changes_name_all_who_are_touched(store: Shared) {
    put_world(&store).await;
    let mut follower = Follower::new(&store).await;
    let renamed = DirectoryChange::PutUser { id: user(5), display_name: "Eve".into(), disabled: false };
    let disabled = DirectoryChange::PutUser { id: user(5), display_name: "Eve".into(), disabled: true };
    let left = DirectoryChange::RemoveMember { organization: organization(2), user: user(5) };
    let over =
        DirectoryChange::RemoveCollaboration { wedding: wedding(2), supplier: user(5), client: user(4) };
    let table: Vec<(DirectoryChange, Vec<UserId>, Vec<AccountId>)> = vec![
        (put_user(5), vec![user(5)], vec![]),
        (renamed, vec![user(5)], vec![]),
        (disabled, vec![user(5)], vec![]),
        (put_member(2, 5, Role::Member), vec![user(5)], vec![]),
        (put_member(2, 5, Role::Admin), vec![user(5)], vec![]),
        (left, vec![user(5)], vec![]),
        (put_collaboration(2, 5, 4), vec![user(4), user(5)], vec![]),
        (over, vec![user(4), user(5)], vec![]),
        (put_account(4, 1), vec![], vec![account(4)]),
        (put_account(4, 2), vec![], vec![account(4)]),
        (DirectoryChange::RemoveAccount { id: account(4) }, vec![], vec![account(4)]),
        (put_wedding(3), vec![], vec![]),
        (put_organization(3), vec![], vec![]),
        (remove_user(5), vec![user(5)], vec![]),
    ];
    for (change, users, accounts) in table {
        put(&store, vec![change.clone()]).await;
        let found = follower.found().await;
        assert_eq!((found.users, found.accounts), (users, accounts), "{change:?}");
    }
}

/// Its members learn whether a log is kept of them, and nobody else; the same plan again names nobody.
pub async fn a_plan_names_its_members(store: Shared) {
    put_world(&store).await;
    let on = |plan| DirectoryChange::PutOrganization { id: organization(1), name: "Agency".into(), plan };
    let learned = learn(&store, vec![on(Plan::Standard)]).await;
    let unlogged = |facts: UserFacts| Some(UserFacts { enterprise: BTreeSet::new(), ..facts });
    let expected = [
        (user(1), unlogged(with(1, [(1, Role::Owner)], [1]))),
        (user(2), unlogged(with(2, [(1, Role::Member)], [1, 2]))),
    ];
    assert_eq!((learned.users.as_slice(), learned.accounts.as_slice()), (&expected[..], &[][..]));
    assert_eq!(learn(&store, vec![on(Plan::Standard)]).await, Learned::default());
    let learned = learn(&store, vec![on(Plan::Enterprise)]).await;
    assert_eq!(learned.users[1], (user(2), Some(with(2, [(1, Role::Member)], [1, 2]))));
}

/// The second change is impossible: the first one was not made either.
pub async fn all_or_nothing(store: Shared) {
    put_world(&store).await;
    let before = world(&store).await;
    let changes = vec![remove_user(1), put_user(9), put_member(7, 2, Role::Owner), put_user(10)];
    let error = store.change_directory(changes, START, Actor::Import).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { index: 2, .. }), "{error}");
    assert_eq!(world(&store).await, before);
}

/// Which change, and why.
pub async fn impossible_changes_are_named(store: Shared) {
    put_world(&store).await;
    let long = "x".repeat(limits::NAME_CHARS + 1);
    let too_long = |field| InvalidReason::Text(TextError::TooLong { field, max_chars: limits::NAME_CHARS });
    let named =
        |name: &str| DirectoryChange::PutUser { id: user(9), display_name: name.into(), disabled: false };
    let table = [
        (put_member(7, 1, Role::Owner), InvalidReason::UnknownOrganization(organization(7))),
        (put_member(1, 7, Role::Owner), InvalidReason::UnknownUser(user(7))),
        (put_account(1, 7), InvalidReason::UnknownOrganization(organization(7))),
        (put_collaboration(7, 1, 2), InvalidReason::UnknownWedding(wedding(7))),
        (put_collaboration(1, 7, 2), InvalidReason::UnknownUser(user(7))),
        (put_collaboration(1, 1, 7), InvalidReason::UnknownUser(user(7))),
        (named(&long), too_long("displayName")),
        (named(" \u{200B}\t"), InvalidReason::Empty { field: "displayName" }),
        (DirectoryChange::PutWedding { id: wedding(9), name: long.clone() }, too_long("name")),
        (
            DirectoryChange::PutOrganization {
                id: organization(9),
                name: String::new(),
                plan: Plan::Standard,
            },
            InvalidReason::Empty { field: "name" },
        ),
        (
            DirectoryChange::PutAccount { id: account(9), organization: organization(1), name: long.clone() },
            too_long("name"),
        ),
        (
            DirectoryChange::PutCollaboration {
                wedding: wedding(1),
                supplier: user(1),
                client: user(2),
                supplier_type: long,
            },
            too_long("supplierType"),
        ),
    ];
    for (change, expected) in table {
        let changes = vec![put_user(8), change.clone()];
        match store.change_directory(changes, START, Actor::Service).await {
            Err(StoreError::Invalid { index: 1, reason }) => assert_eq!(reason, expected, "{change:?}"),
            other => panic!("{change:?}: {other:?}"),
        }
    }
    assert_eq!(facts(&store, 8).await, None);
}

/// As every text that people write.
pub async fn names_are_cleaned(store: Shared) {
    let raw = " Zoe\u{0308}\u{202E} \u{0007}".to_owned();
    put(&store, vec![DirectoryChange::PutUser { id: user(1), display_name: raw, disabled: false }]).await;
    assert_eq!(facts(&store, 1).await.unwrap().display_name, "Zoë");
}

/// Removing is idempotent.
pub async fn removing_what_is_not_there_does_nothing(store: Shared) {
    put_world(&store).await;
    let before = world(&store).await;
    let changes = vec![
        remove_user(9),
        DirectoryChange::RemoveOrganization { id: organization(9) },
        DirectoryChange::RemoveMember { organization: organization(2), user: user(1) },
        DirectoryChange::RemoveWedding { id: wedding(9) },
        DirectoryChange::RemoveCollaboration { wedding: wedding(1), supplier: user(4), client: user(1) },
        DirectoryChange::RemoveAccount { id: account(9) },
    ];
    assert_eq!(learn(&store, changes).await, Learned::default());
    assert_eq!(world(&store).await, before);
}

/// Its members lose it, its accounts go.
pub async fn a_removed_organization_takes_its_own_along(store: Shared) {
    put_world(&store).await;
    let learned = learn(&store, vec![DirectoryChange::RemoveOrganization { id: organization(1) }]).await;
    assert_eq!(learned.users, [(user(1), Some(with(1, [], [1]))), (user(2), Some(with(2, [], [1, 2])))]);
    assert_eq!(learned.accounts, [(account(1), None), (account(2), None)]);
    assert_eq!(world(&store).await.1, [(account(3), free(2, "Account 3"))]);
    let learned = learn(&store, vec![DirectoryChange::RemoveAccount { id: account(3) }]).await;
    assert_eq!(learned.accounts, [(account(3), None)]);
}

/// Suppliers and clients alike.
pub async fn a_removed_wedding_touches_its_participants(store: Shared) {
    put_world(&store).await;
    let learned = learn(&store, vec![DirectoryChange::RemoveWedding { id: wedding(1) }]).await;
    let expected = [
        (user(1), Some(with(1, [(1, Role::Owner)], []))),
        (user(2), Some(with(2, [(1, Role::Member)], [2]))),
        (user(3), Some(with(3, [(2, Role::Admin)], []))),
    ];
    assert_eq!(learned.users, expected);
}

/// Client 3 still takes part through the other supplier.
pub async fn a_removed_collaboration_ends_only_its_own_part(store: Shared) {
    put_world(&store).await;
    let over =
        DirectoryChange::RemoveCollaboration { wedding: wedding(1), supplier: user(1), client: user(3) };
    let learned = learn(&store, vec![over]).await;
    let expected =
        [(user(1), Some(with(1, [(1, Role::Owner)], []))), (user(3), Some(with(3, [(2, Role::Admin)], [1])))];
    assert_eq!(learned.users, expected);
}

/// Memberships, collaborations, settings, history; and those at the other end of a collaboration are named.
pub async fn a_removed_user_takes_everything_along(store: Shared) {
    put_world(&store).await;
    change_status(&store, 2, "soon gone").await.unwrap();
    let learned = learn(&store, vec![remove_user(2)]).await;
    let expected = [
        (user(2), None),
        (user(3), Some(with(3, [(2, Role::Admin)], [1]))),
        (user(4), Some(with(4, [], []))),
    ];
    assert_eq!(learned.users, expected);
    assert_eq!(facts(&store, 2).await, None);
    assert_eq!(store.settings_history(user(2)).await.unwrap(), []);
    let late = change_status(&store, 2, "late").await.unwrap_err();
    assert!(matches!(late, StoreError::UnknownUser), "{late}");
}

/// Whether there was a moment in between or not: no settings, no last-seen, no history, no operation is left.
pub async fn who_is_created_again_is_new(store: Shared) {
    for changes in [vec![vec![remove_user(1), put_user(1)]], vec![vec![remove_user(1)], vec![put_user(1)]]] {
        put_world(&store).await;
        let once = |text: &str| SettingsChange {
            user: user(1),
            by_back_end: false,
            patch: status(text),
            operation: operation(1),
            at: START,
            tightens: false,
            belated: false,
        };
        store.change_settings(once("old")).await.unwrap();
        let seen = noted(1, later(1));
        store.write_last_seen(&[seen]).await.unwrap();
        for transaction in changes {
            put(&store, transaction).await;
        }
        assert_eq!(facts(&store, 1).await, Some(bare(1)));
        assert_eq!(store.settings_history(user(1)).await.unwrap(), []);
        assert_eq!(status_text(&store.change_settings(once("new")).await.unwrap()), "new");
        put(&store, vec![remove_user(1)]).await;
    }
}

/// The limit of one transaction.
pub async fn too_many_changes_are_refused(store: Shared) {
    let changes = vec![put_user(1); limits::DIRECTORY_CHANGES + 1];
    let error = store.change_directory(changes, START, Actor::Import).await.unwrap_err();
    assert!(matches!(error, StoreError::TooManyChanges { count } if count == limits::DIRECTORY_CHANGES + 1));
    assert_eq!(world(&store).await.0, []);
}

/// Nothing to do is fine.
pub async fn no_changes_are_nothing(store: Shared) {
    assert_eq!(learn(&store, vec![]).await, Learned::default());
}
