//! The directory: who takes part, who is gone, and what is remembered of them (sections 3 and 4).

use model::{UserFacts, Visibility, Wall};

use super::scene::*;

#[test]
fn a_channel_that_is_not_there_and_one_not_seen_are_the_same() {
    let scene = Scene::new();
    let rows = [
        (3, wedding(1), "1 offline never, 2 offline never, 3 offline never"),
        (4, wedding(1), "unknown"),
        (3, wedding(9), "unknown"),
        (4, organization(1), "1 offline never, 2 offline never, 4 offline never"),
        (3, organization(1), "unknown"),
        (5, organization(9), "unknown"),
        (5, account(1), "unknown"),
        (9, wedding(1), "unknown"),
    ];
    for (viewer, channel, expected) in rows {
        assert_eq!(scene.roster(10, viewer, channel), expected, "{viewer} in {channel}");
    }
}

#[test]
fn who_loses_membership_counts_there_no_more_and_was_not_last_seen_by_it() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).put(50_000, 1, facts(&[], &[1])).put(60_000, 1, facts(&[1], &[1]));
    scene.check(&[(49_999, "online"), (50_000, "absent"), (60_000, "online")]);
    assert_eq!(scene.sees(50_000, 4, 1, organization(1)), "online");
    assert_eq!(scene.roster(50_000, 1, wedding(1)), "unknown");
    assert_eq!(scene.last_seen(60_000, 1), None);
}

#[test]
fn a_disabled_user_is_signed_out_at_once_and_refused() {
    let disabled = || UserFacts { disabled: true, ..facts(&[1], &[1]) };
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).rest(20, 1, 9, online()).put(50_000, 1, disabled());
    scene.track(60_000, 1, online()).come(70_000, 1, 2, online()).rest(80_000, 1, 9, online());
    scene.resume(81_000, 1, Some(online()));
    scene.check(&[(49_999, "online"), (50_000, "offline m1"), (90_000, "offline m1")]);
    assert_eq!(scene.roster(90_000, 1, wedding(1)), "unknown");
    // Enabled again, the sessions of before stay ended.
    scene.put(100_000, 1, facts(&[1], &[1])).track(110_000, 1, online()).come(120_000, 1, 3, online());
    scene.check(&[(110_000, "offline m1"), (120_000, "online")]);
}

#[test]
fn settings_of_a_disabled_user_hold() {
    let mut scene = Scene::new();
    scene.put(10, 1, UserFacts { disabled: true, ..facts(&[1], &[1]) });
    scene.settings(20, 1, visible_to(Visibility::Nobody));
    scene.check(&[(10, "offline never"), (20, "absent")]);
}

#[test]
fn disabling_a_hidden_user_tells_nothing_even_when_it_unhides_them() {
    let mut scene = Scene::new();
    scene.settings(0, 1, appear_offline()).come(10, 1, 1, online());
    scene.put(50_000, 1, UserFacts { disabled: true, ..facts(&[1], &[1]) });
    scene.check(&[(50_000, "offline never")]);
}

#[test]
fn a_removed_user_appears_nowhere_and_is_forgotten() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).remove(50_000, 1).settings(55_000, 1, everyone()).track(
        56_000,
        1,
        online(),
    );
    assert_eq!(scene.roster(60_000, 2, wedding(1)), "2 offline never, 3 offline never");
    assert_eq!(scene.roster(60_000, 1, wedding(1)), "unknown");
    scene.put(70_000, 1, facts(&[1], &[1])).track(80_000, 1, online());
    scene.check(&[(80_000, "offline never")]);
    scene.remove(90_000, 1).put(91_000, 1, UserFacts { settings: None, ..facts(&[1], &[1]) });
    scene.check(&[(91_000, "absent")]);
}

#[test]
fn acts_of_users_never_loaded_do_nothing() {
    let mut scene = Scene::new();
    scene.settings(5, 6, everyone()).come(10, 6, 1, online()).rest(20, 6, 9, online()).put(
        30,
        6,
        facts(&[1], &[]),
    );
    scene.track(40, 1, online());
    assert_eq!(scene.sees(50, 2, 6, wedding(1)), "offline never");
}

#[test]
fn of_two_last_seens_the_later_stays() {
    let seen = |ms: i64| UserFacts { last_seen: Some(Wall(START.0 + ms)), ..facts(&[1], &[1]) };
    let mut scene = Scene::new();
    scene.put(10, 1, seen(30_000)).put(20, 1, seen(10_000)).put(30, 1, facts(&[1], &[1]));
    assert_eq!(scene.last_seen(40, 1), Some(30_000));
    // Also while hidden: the directory knows, the hub does not tell.
    scene.settings(50, 1, appear_offline()).put(60, 1, UserFacts { settings: None, ..seen(70_000) });
    assert_eq!(scene.last_seen(60, 1), Some(70_000));
    assert_eq!(scene.last_seen(60, 9), None);
}
