//! Settings, their history, and operations that are done once.

use model::{Settings, SettingsPatch, TextError, Visibility, limits};

use super::{
    Shared, change, change_status, follower::Follower, later, operation, put, put_user, settings_of, status,
    status_text, user,
};
use crate::{OPERATION_KEPT_MS, SettingsChange, SettingsEntry, StoreError};

/// A user without a row has the default, and no history.
pub async fn users_without_a_row_have_the_default(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    assert_eq!(settings_of(&store, 1).await, Settings::default());
    assert_eq!(store.settings_history(user(1)).await.unwrap(), []);
}

/// Each field alone, then a text taken away again.
pub async fn a_patch_changes_what_it_names(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let none = SettingsPatch::default();
    let patches = [
        SettingsPatch { visibility: Some(Visibility::Everyone), ..none.clone() },
        SettingsPatch { show_activity: Some(false), ..none.clone() },
        SettingsPatch { show_current_page: Some(true), ..none.clone() },
        SettingsPatch { appear_offline: Some(true), ..none.clone() },
        SettingsPatch { custom_status: Some(" On the\u{200B} way ".into()), ..none.clone() },
        SettingsPatch { custom_emoji: Some("👩‍🍳".into()), ..none.clone() },
        SettingsPatch { custom_status: Some(String::new()), ..none },
    ];
    let mut expected = Settings::default();
    for patch in patches {
        expected = patch.apply(&expected).unwrap();
        assert_eq!(store.change_settings(change(1, patch)).await.unwrap(), expected);
        assert_eq!(settings_of(&store, 1).await, expected);
    }
}

/// Time, before and after, oldest first; committed with the change.
pub async fn every_change_is_in_the_history(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let mut expected = Vec::new();
    let mut before = Settings::default();
    for (ms, text) in [(1, "one"), (2, "two")] {
        let change = SettingsChange { at: later(ms), ..change(1, status(text)) };
        let after = store.change_settings(change).await.unwrap();
        expected.push(SettingsEntry { at: later(ms), before, after: after.clone() });
        assert_eq!(store.settings_history(user(1)).await.unwrap(), expected);
        before = after;
    }
}

/// A history has the changes of its user alone.
pub async fn histories_are_apart(store: Shared) {
    put(&store, vec![put_user(1), put_user(2)]).await;
    change_status(&store, 1, "mine").await.unwrap();
    assert_eq!(store.settings_history(user(2)).await.unwrap(), []);
    assert_eq!(settings_of(&store, 2).await, Settings::default());
}

/// Neither settings nor history nor operation.
pub async fn a_refused_change_leaves_nothing(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let too_long = SettingsPatch { appear_offline: Some(true), ..status("x".repeat(101)) };
    let refused = SettingsChange { operation: operation(1), ..change(1, too_long) };
    let error = store.change_settings(refused).await.unwrap_err();
    let expected = TextError::TooLong { field: "customStatus", max_chars: limits::CUSTOM_STATUS_CHARS };
    assert!(matches!(&error, StoreError::Text(error) if *error == expected), "{error}");
    let stranger = change_status(&store, 9, "who").await.unwrap_err();
    assert!(matches!(stranger, StoreError::UnknownUser), "{stranger}");
    assert_eq!(settings_of(&store, 1).await, Settings::default());
    assert_eq!(store.settings_history(user(1)).await.unwrap(), []);
    let corrected = SettingsChange { operation: operation(1), ..change(1, status("short")) };
    assert_eq!(status_text(&store.change_settings(corrected).await.unwrap()), "short");
}

/// A patch that changes nothing is answered and not written down; the first choice is.
pub async fn changing_nothing_leaves_no_entry(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    for _ in 0..3 {
        change_status(&store, 1, "same").await.unwrap();
    }
    assert_eq!(store.settings_history(user(1)).await.unwrap().len(), 1);
}

/// The newest entries are kept in sight, the oldest of them first.
pub async fn histories_are_bounded(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    for n in 0..=limits::HISTORY_ENTRIES {
        change_status(&store, 1, &n.to_string()).await.unwrap();
    }
    let history = store.settings_history(user(1)).await.unwrap();
    assert_eq!(history.len(), limits::HISTORY_ENTRIES);
    assert_eq!(status_text(&history[0].after), "1");
    assert_eq!(status_text(&history[limits::HISTORY_ENTRIES - 1].after), limits::HISTORY_ENTRIES.to_string());
}

/// The second call results in what the first resulted in, whatever happened in between, and does nothing: in force is
/// what was chosen later.
pub async fn an_operation_is_done_once(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let once = SettingsChange { operation: operation(1), ..change(1, status("once")) };
    let first = store.change_settings(once.clone()).await.unwrap();
    change_status(&store, 1, "newer").await.unwrap();
    let again = store.change_settings(SettingsChange { at: later(1), ..once }).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(status_text(&settings_of(&store, 1).await), "newer");
    assert_eq!(store.settings_history(user(1)).await.unwrap().len(), 2);
}

/// One name, two bodies: the second is refused and changes nothing.
pub async fn another_body_is_a_conflict(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let first = SettingsChange { operation: operation(1), ..change(1, status("first")) };
    store.change_settings(first.clone()).await.unwrap();
    for patch in [status("second"), SettingsPatch::default(), status("first ")] {
        let error = store.change_settings(SettingsChange { patch, ..first.clone() }).await.unwrap_err();
        assert!(matches!(error, StoreError::OperationConflict), "{error}");
        assert!(!error.is_retryable());
    }
    assert_eq!(status_text(&settings_of(&store, 1).await), "first");
}

/// Two users may choose the same name.
pub async fn operations_of_users_are_apart(store: Shared) {
    put(&store, vec![put_user(1), put_user(2)]).await;
    for n in [1, 2] {
        let text = format!("of {n}");
        let change = SettingsChange { operation: operation(1), ..change(n, status(&text)) };
        assert_eq!(status_text(&store.change_settings(change).await.unwrap()), text);
    }
}

async fn expired(store: &Shared, ms: i64) -> u64 {
    store.expire(later(ms)).await.expect("the store can be written").operation_results
}

/// Within 24 h a name is taken, whether the sweep ran or not; after that it is free.
pub async fn operations_are_kept_a_day(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let at = |ms| SettingsChange { operation: operation(1), at: later(ms), ..change(1, status("old")) };
    store.change_settings(at(0)).await.unwrap();
    assert_eq!(expired(&store, OPERATION_KEPT_MS - 1).await, 0);
    let early = SettingsChange { patch: status("new"), ..at(OPERATION_KEPT_MS - 1) };
    assert!(matches!(store.change_settings(early).await, Err(StoreError::OperationConflict)));
    let in_time = SettingsChange { patch: status("new"), ..at(OPERATION_KEPT_MS) };
    assert_eq!(status_text(&store.change_settings(in_time).await.unwrap()), "new");
    assert_eq!(expired(&store, 2 * OPERATION_KEPT_MS).await, 1);
    assert_eq!(expired(&store, 2 * OPERATION_KEPT_MS).await, 0);
}

/// Made, kept, written down and told as any other; under its name it is done once, whatever the second call says of
/// it: the name stands for the patch.
pub async fn a_tightening_is_a_change_like_others(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let mut follower = Follower::new(&store).await;
    let hidden = SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() };
    let hide = SettingsChange { operation: operation(1), tightens: true, ..change(1, hidden) };
    let expected = Settings { appear_offline: true, ..Settings::default() };
    assert_eq!(store.change_settings(hide.clone()).await.unwrap(), expected);
    assert_eq!(store.change_settings(SettingsChange { tightens: false, ..hide }).await.unwrap(), expected);
    assert_eq!(settings_of(&store, 1).await, expected);
    assert_eq!(store.settings_history(user(1)).await.unwrap().len(), 1);
    assert_eq!(follower.found().await.users, [user(1)]);
}

/// What was in force for a while before it is stored hides, and shows nothing that was hidden meanwhile.
pub async fn what_comes_late_only_hides(store: Shared) {
    put(&store, vec![put_user(1)]).await;
    let see = |visibility| SettingsPatch { visibility: Some(visibility), ..SettingsPatch::default() };
    let late = |n, visibility| SettingsChange {
        operation: operation(n),
        tightens: true,
        belated: true,
        ..change(1, see(visibility))
    };
    store.change_settings(change(1, see(Visibility::Everyone))).await.unwrap();
    let team = store.change_settings(late(1, Visibility::Team)).await.unwrap();
    assert_eq!(team.visibility, Visibility::Team);
    store.change_settings(change(1, see(Visibility::Nobody))).await.unwrap();
    let still = store.change_settings(late(2, Visibility::Team)).await.unwrap();
    assert_eq!(
        (still.visibility, settings_of(&store, 1).await.visibility),
        (Visibility::Nobody, Visibility::Nobody)
    );
    assert_eq!(
        store.change_settings(late(1, Visibility::Team)).await.unwrap(),
        team,
        "done once, as any other"
    );
    assert_eq!(store.settings_history(user(1)).await.unwrap().len(), 3, "what hides nothing leaves no entry");
}
