//! What is true and what has changed: a follower finds every change, and each of them once.

use model::{DirectoryChange, Role, SettingsPatch};

use super::{
    START, Shared, account, accounts_by, change, change_status, facts, follower::Follower, later, noted,
    operation, put, put_account, put_member, put_organization, put_user, put_world, remove_user, status,
    user, users_by, world,
};
use crate::{Actor, Changes, PAGE, Pick, SettingsChange};

/// Nobody and nothing is named.
async fn assert_nothing(follower: &mut Follower) {
    let Changes { users, accounts, .. } = follower.found().await;
    assert_eq!((users, accounts), (vec![], vec![]));
}

/// From the first cursor on, whatever it was before; and the cursor of an empty answer is as good as any.
pub async fn an_empty_answer_moves_on(store: Shared) {
    let mut follower = Follower::new(&store).await;
    for n in 1..=3 {
        assert_nothing(&mut follower).await;
        assert_nothing(&mut follower).await;
        put(&store, vec![put_user(n)]).await;
        assert_eq!(follower.found().await.users, [user(n)]);
    }
    assert_nothing(&mut Follower::new(&store).await).await;
}

/// Several changes before one answer are in it, each name once; the next answer has none of them.
pub async fn a_change_is_found_once(store: Shared) {
    let mut follower = Follower::new(&store).await;
    put(&store, vec![put_user(2), put_user(1), put_organization(1)]).await;
    put(&store, vec![put_member(1, 2, Role::Owner), put_account(2, 1), put_account(1, 1)]).await;
    change_status(&store, 2, "here").await.unwrap();
    let found = follower.found().await;
    assert_eq!((found.users, found.accounts), (vec![user(1), user(2)], vec![account(1), account(2)]));
    assert_nothing(&mut follower).await;
    put(&store, vec![remove_user(1)]).await;
    assert_eq!(follower.found().await.users, [user(1)]);
    assert_nothing(&mut follower).await;
}

/// Two who follow, one of them rarely: both find everything.
pub async fn followers_are_apart(store: Shared) {
    let (mut eager, mut lazy) = (Follower::new(&store).await, Follower::new(&store).await);
    for n in 1..=3 {
        put(&store, vec![put_user(n)]).await;
        assert_eq!(eager.found().await.users, [user(n)]);
    }
    assert_eq!(lazy.found().await.users, [user(1), user(2), user(3)]);
    put(&store, vec![remove_user(2)]).await;
    assert_eq!(lazy.found().await.users, [user(2)]);
    assert_eq!(eager.found().await.users, [user(2)]);
}

/// The first choice, and every later one.
pub async fn settings_name_their_user(store: Shared) {
    put(&store, vec![put_user(1), put_user(2)]).await;
    let mut follower = Follower::new(&store).await;
    for text in ["first", "second", ""] {
        change_status(&store, 1, text).await.unwrap();
        let learned = follower.learn().await;
        assert_eq!(learned.users, [(user(1), facts(&store, 1).await)]);
        assert_eq!(learned.accounts, []);
    }
}

/// Refused, undone half-way, done before, or without any effect.
pub async fn what_was_not_done_names_nobody(store: Shared) {
    put(&store, vec![put_user(1), put_user(2)]).await;
    let once = SettingsChange { operation: operation(1), ..change(1, status("once")) };
    store.change_settings(once.clone()).await.unwrap();
    let mut follower = Follower::new(&store).await;
    let halfway = vec![remove_user(1), put_user(3), put_organization(1), put_member(9, 2, Role::Owner)];
    store.change_directory(halfway, START, Actor::Service).await.unwrap_err();
    change_status(&store, 2, &"x".repeat(101)).await.unwrap_err();
    change_status(&store, 9, "who").await.unwrap_err();
    assert_nothing(&mut follower).await;
    store.change_settings(once.clone()).await.unwrap();
    store.change_settings(SettingsChange { patch: SettingsPatch::default(), ..once }).await.unwrap_err();
    change_status(&store, 1, "once").await.unwrap();
    assert_nothing(&mut follower).await;
}

/// The hub knows when it saw somebody.
pub async fn last_seen_is_no_change(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let mut follower = Follower::new(&store).await;
    for ms in [1, 2] {
        store.write_last_seen(&[noted(1, later(ms))]).await.unwrap();
        assert_nothing(&mut follower).await;
    }
    assert_eq!(facts(&store, 1).await.unwrap().last_seen, Some(later(2)));
}

/// Two pages of accounts are read with the list; where more changed, everything is to be read page by page.
pub async fn many_accounts_are_everything(store: Shared) {
    put(&store, vec![put_organization(1)]).await;
    let (cursor, most) = (store.cursor().await.unwrap(), 2 * PAGE as u128);
    put(&store, (0..most).map(|n| put_account(n, 1)).collect()).await;
    let changes = store.changes(&cursor).await.unwrap();
    let counts = (changes.accounts.len(), changes.account_states.len(), changes.all);
    assert_eq!(counts, (2 * PAGE, 2 * PAGE, false));
    put(&store, vec![put_account(most, 1)]).await;
    let everything = store.changes(&cursor).await.unwrap();
    assert_eq!((everything.all, everything.accounts, everything.account_states), (true, vec![], vec![]));
    let next = store.changes(&changes.cursor).await.unwrap();
    assert_eq!((next.all, next.accounts), (false, vec![account(most)]));
}

/// In the order of their ids, whatever the size of a page; with all facts of each.
pub async fn pages_cover_everybody_once(store: Shared) {
    assert_eq!(world(&store).await, (vec![], vec![]));
    put_world(&store).await;
    let whole = (vec![user(1), user(2), user(3), user(4)], vec![account(1), account(2), account(3)]);
    let these = store.users(Pick::These(whole.0.clone())).await.unwrap();
    for limit in [1, 2, 3, 4, PAGE] {
        let (users, accounts) = (users_by(&store, limit).await, accounts_by(&store, limit).await);
        assert_eq!(users, these, "in pages of {limit}");
        let ids = (users.iter().map(|(id, _)| *id).collect(), accounts.iter().map(|(id, _)| *id).collect());
        assert_eq!(ids, whole, "in pages of {limit}");
    }
}

/// A page begins after a place, not after a row.
pub async fn pages_go_on_after_who_is_gone(store: Shared) {
    put_world(&store).await;
    put(&store, vec![remove_user(2), DirectoryChange::RemoveAccount { id: account(1) }]).await;
    let users = store.users(Pick::Next(Some(user(2)), 1)).await.unwrap();
    assert_eq!(users.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [user(3)]);
    let accounts = store.accounts(Pick::Next(Some(account(1)), PAGE)).await.unwrap();
    assert_eq!(accounts.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [account(2), account(3)]);
    assert_eq!(store.users(Pick::Next(Some(user(4)), PAGE)).await.unwrap(), []);
    assert_eq!(store.users(Pick::Next(None, 0)).await.unwrap(), []);
}

/// Sorted, however they were named, and each once.
pub async fn only_who_is_there_is_picked(store: Shared) {
    put_world(&store).await;
    let users = store.users(Pick::These(vec![user(3), user(9), user(1), user(3)])).await.unwrap();
    assert_eq!(users.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [user(1), user(3)]);
    let accounts = store.accounts(Pick::These(vec![account(9), account(2)])).await.unwrap();
    assert_eq!(accounts.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [account(2)]);
    assert_eq!(store.users(Pick::These(vec![])).await.unwrap(), []);
    assert_eq!(store.accounts(Pick::These(vec![account(9)])).await.unwrap(), []);
}
