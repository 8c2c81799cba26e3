//! Sessions: the merge, scopes, and every way to end (section 5).

use model::{Device, Settings, Status, Track};

use super::scene::*;

fn status(status: Status) -> Track {
    Track::of(status)
}

#[test]
fn watching_does_not_make_one_present() {
    let mut scene = Scene::new();
    scene.connect(10, 1, 1);
    assert_eq!(scene.here(20, 2, wedding(1)), "");
    assert_eq!(scene.sees(20, 2, 1, wedding(1)), "offline never");
}

#[test]
fn any_busy_wins_else_the_most_active() {
    use Status::{Away, Busy, Idle, Online};
    let rows: [(&[Status], &str); 7] = [
        (&[Away], "away"),
        (&[Away, Idle], "idle"),
        (&[Idle, Online], "online"),
        (&[Online, Away, Idle], "online"),
        (&[Busy, Online], "busy"),
        (&[Online, Busy, Away], "busy"),
        (&[Away, Away], "away"),
    ];
    for (statuses, expected) in rows {
        let mut scene = Scene::new();
        for (tab, each) in (1..).zip(statuses) {
            scene.come(10, 1, tab, status(*each));
        }
        assert_eq!(scene.sees(20, 2, 1, wedding(1)), expected, "{statuses:?}");
    }
}

#[test]
fn a_user_is_one_member_however_many_tabs_and_leaves_with_the_last() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).come(20, 1, 2, status(Status::Away));
    scene.sign_out(30, 1).sign_out(40, 2);
    assert_eq!(scene.here(25, 2, wedding(1)), "1 online");
    assert_eq!(scene.here(35, 2, wedding(1)), "1 away");
    assert_eq!(scene.here(40, 2, wedding(1)), "");
}

#[test]
fn details_come_from_the_session_active_last() {
    let phone = Track { device: Some(Device::Mobile), is_typing: true, ..status(Status::Away) };
    let desk = Track { device: Some(Device::Desktop), custom_status: text("desk"), ..online() };
    let mut scene = Scene::new();
    scene.come(10, 1, 2, phone.clone()).come(20, 1, 1, desk);
    // A sign of life is not activity; an equal track is.
    scene.alive(30, 2).track(40, 2, phone);
    scene.check(&[(25, "online desk desktop"), (35, "online desk desktop"), (40, "online typing mobile")]);
}

#[test]
fn ties_go_to_the_greater_session() {
    let with = |words| Track { custom_status: text(words), ..online() };
    let mut scene = Scene::new();
    scene.come(10, 1, 8, with("greater")).come(10, 1, 7, with("lesser"));
    scene.check(&[(10, "online greater")]);
}

#[test]
fn a_track_replaces_the_one_before_whole() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, Track { device: Some(Device::Tablet), custom_emoji: text("🌷"), ..typing() });
    scene.track(20, 1, status(Status::Idle));
    scene.check(&[(10, "online 🌷 typing tablet"), (20, "idle")]);
}

#[test]
fn a_sessions_custom_status_overrides_the_settings_while_it_lives() {
    let settings = Settings { custom_status: text("on holiday"), custom_emoji: text("🌴"), ..everyone() };
    let mut scene = Scene::new();
    scene.settings(0, 1, settings).come(10, 1, 1, online());
    scene.come(20, 1, 2, Track { custom_status: text("at the venue"), ..online() }).sign_out(30, 2);
    scene.check(&[
        (10, "online on holiday 🌴"),
        (20, "online at the venue 🌴"),
        (30, "online on holiday 🌴"),
    ]);
}

#[test]
fn a_page_of_wedding_b_is_not_shown_to_the_couple_of_wedding_a() {
    let pages = Settings { show_current_page: true, ..everyone() };
    let mut scene = Scene::new();
    scene.put(0, 1, model::UserFacts { settings: Some(pages), ..facts(&[1, 2], &[1]) });
    scene.put(0, 5, facts(&[2], &[]));
    scene.come(10, 1, 1, within(&[wedding(1)], Track { status: Status::Away, ..on_page("/a") }));
    scene.come(20, 1, 2, within(&[wedding(2)], Track { is_typing: true, ..on_page("/b") }));
    assert_eq!(scene.sees(30, 2, 1, wedding(1)), "away /a");
    assert_eq!(scene.sees(30, 5, 1, wedding(2)), "online /b typing");
    // Neither exists in the organization; the same holds for what one sees of oneself.
    assert_eq!(scene.sees(30, 4, 1, organization(1)), "offline never");
    assert_eq!(scene.sees(30, 1, 1, organization(1)), "offline never");
    assert_eq!(scene.sees(30, 1, 1, wedding(2)), "online /b typing");
}

#[test]
fn a_scope_grants_no_channel_in_which_one_takes_no_part() {
    let mut scene = Scene::new();
    scene.put(0, 5, facts(&[2], &[]));
    scene.come(10, 1, 1, within(&[wedding(1), wedding(2), account(1)], online()));
    assert_eq!(scene.here(20, 5, wedding(2)), "");
    assert_eq!(scene.here(20, 2, wedding(1)), "1 online");
}

#[test]
fn typing_ends_by_itself_after_ten_seconds() {
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, typing());
    scene.check(&[(10_999, "online typing"), (11_000, "online")]);
    // Said again on a live connection, it starts anew.
    scene.track(12_000, 1, typing()).track(15_000, 1, typing()).alive(16_000, 1);
    scene.check(&[(12_000, "online typing"), (24_999, "online typing"), (25_000, "online")]);
    // And ends when a track does not say it.
    scene.track(30_000, 1, typing()).track(31_000, 1, online());
    scene.check(&[(30_000, "online typing"), (31_000, "online")]);
}

#[test]
fn typing_keeps_its_own_end_in_grace() {
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, typing()).lose(4_000, 1);
    scene.check(&[(10_999, "online typing"), (11_000, "online"), (13_999, "online"), (14_000, "offline m0")]);
}

#[test]
fn a_lost_session_stays_as_it_was_for_the_grace() {
    let mut scene = Scene::new();
    scene.come(10_000, 1, 1, status(Status::Busy)).alive(50_000, 1).lose(70_000, 1);
    scene.check(&[(79_999, "busy"), (80_000, "offline m1")]);
    // The last sign of life, not the end of the grace.
    assert_eq!(scene.last_seen(80_000, 1), Some(50_000));
}

#[test]
fn coming_back_is_a_sign_of_life() {
    let mut scene = Scene::new();
    scene.come(10_000, 1, 1, online()).lose(20_000, 1).resume(29_000, 1, None).lose(60_000, 1);
    assert_eq!(scene.last_seen(70_000, 1), Some(29_000));
}

#[test]
fn back_within_the_grace_no_viewer_gets_any_diff() {
    for back in [None, Some(typing())] {
        let mut scene = Scene::new();
        scene.come(1_000, 1, 1, typing()).lose(5_000, 1).resume(9_000, 1, back);
        // Typing did not start anew either.
        scene.check(&[(10_999, "online typing"), (11_000, "online"), (60_000, "online")]);
    }
}

#[test]
fn back_with_the_same_track_is_not_activity() {
    let with = |words| Track { custom_status: text(words), ..online() };
    let mut scene = Scene::new();
    scene.come(10, 1, 1, with("first")).come(20, 1, 2, with("second"));
    scene.lose(30, 1).resume(40, 1, Some(with("first")));
    scene.check(&[(40, "online second")]);
    scene.lose(50, 1).resume(60, 1, Some(with("third")));
    scene.check(&[(60, "online third")]);
}

#[test]
fn typing_resumed_after_its_end_is_said_anew() {
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, typing()).lose(9_000, 1).resume(12_000, 1, Some(typing()));
    scene.check(&[
        (11_500, "online"),
        (12_000, "online typing"),
        (21_999, "online typing"),
        (22_000, "online"),
    ]);
}

#[test]
fn back_after_the_grace_one_is_here_again_only_by_a_track() {
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, online()).lose(2_000, 1).resume(12_000, 1, None).lose(13_000, 1);
    scene.check(&[(11_999, "online"), (12_000, "offline m0"), (13_500, "offline m0")]);
    scene.resume(20_000, 1, Some(online()));
    scene.check(&[(20_000, "online"), (500_000, "online")]);
}

#[test]
fn a_session_is_gone_when_the_time_to_resume_is_over() {
    for (back, expected) in [(120_999, "online"), (121_000, "offline m0")] {
        let mut scene = Scene::new();
        scene.come(500, 1, 1, online()).lose(1_000, 1).resume(back, 1, Some(online())).track(
            130_000,
            1,
            online(),
        );
        scene.check(&[(140_000, expected)]);
    }
}

#[test]
fn a_session_that_never_tracked_can_be_lost_and_resumed() {
    let mut scene = Scene::new();
    scene.connect(10, 1, 1).lose(20, 1).resume(100_000, 1, Some(online()));
    scene.check(&[(99_999, "offline never"), (100_000, "online")]);
}

#[test]
fn a_resume_may_come_before_the_loss_is_noticed() {
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, typing()).resume(5_000, 1, Some(typing()));
    scene.check(&[(10_999, "online typing"), (11_000, "online")]);
    scene.resume(12_000, 1, Some(status(Status::Away)));
    scene.check(&[(12_000, "away"), (900_000, "away")]);
}

#[test]
fn an_untrack_ends_presence_at_once_and_keeps_the_connection() {
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, online()).untrack(50_000, 1).track(60_000, 1, online());
    scene.check(&[(49_999, "online"), (50_000, "offline m1"), (60_000, "online")]);
}

#[test]
fn a_sign_out_ends_the_session_at_once() {
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, online()).sign_out(45_000, 1).track(50_000, 1, online()).resume(
        51_000,
        1,
        Some(online()),
    );
    scene.check(&[(45_000, "offline m1"), (60_000, "offline m1")]);
}

#[test]
fn a_rest_session_lives_ninety_seconds_after_its_last_call() {
    let mut scene = Scene::new();
    scene.rest(1_000, 1, 9, typing()).rest(41_000, 1, 9, online());
    scene.check(&[
        (1_000, "online typing"),
        (11_000, "online"),
        (130_999, "online"),
        (131_000, "offline m1"),
    ]);
    assert_eq!(scene.last_seen(131_000, 1), Some(41_000));
    scene.rest(200_000, 1, 9, online()).rest_end(220_000, 9);
    scene.check(&[(200_000, "online"), (220_000, "offline m4")]);
}

#[test]
fn acts_over_a_connection_that_is_not_there_do_nothing() {
    let away = || status(Status::Away);
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, online()).lose(2_000, 1);
    // None of these renews the grace, the track or the last sign of life.
    scene.track(3_000, 1, away()).alive(4_000, 1).lose(5_000, 1).untrack(6_000, 1).sign_out(7_000, 1);
    scene.rest(8_000, 2, 1, away()).rest_end(9_000, 1);
    scene.check(&[(11_999, "online"), (12_000, "offline m0")]);
    assert_eq!(scene.last_seen(12_000, 1), Some(1_000));
}

#[test]
fn acts_on_somebody_elses_or_another_kind_of_session_do_nothing() {
    let away = || status(Status::Away);
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).connect(20, 2, 1).rest_end(40, 1);
    scene
        .rest(50, 3, 9, online())
        .rest(60, 1, 9, away())
        .resume(70, 9, Some(away()))
        .sign_out(80, 9)
        .lose(85, 9);
    scene.track(90, 7, away()).rest_end(91, 7).resume(92, 7, None).sign_out(93, 7);
    assert_eq!(scene.here(100, 2, wedding(1)), "1 online, 3 online");
}

#[test]
fn timers_due_fire_before_the_events_of_that_instant() {
    let mut scene = Scene::new();
    scene.come(1_000, 1, 1, online()).lose(2_000, 1).resume(12_000, 1, None);
    scene.check(&[(12_000, "offline m0")]);
    let mut scene = Scene::new();
    scene.rest(1_000, 1, 9, online()).settings(91_000, 1, appear_offline());
    // The lease ended while the user was still seen, at the time of its last call.
    assert_eq!(scene.last_seen(91_000, 1), Some(1_000));
}

#[test]
fn a_call_may_name_a_socket_session_and_gives_a_lost_one_a_new_grace() {
    let mut scene = Scene::new();
    scene.connect(0, 1, 1).rest(10, 1, 1, online()).rest(10, 2, 1, typing()).lose(100_000, 1);
    scene.rest(105_000, 1, 1, typing());
    scene.check(&[
        (99_999, "online"),
        (105_000, "online typing"),
        (114_999, "online typing"),
        (115_000, "offline m2"),
    ]);
    scene.rest(120_000, 1, 1, online());
    scene.check(&[(120_000, "online"), (129_999, "online"), (130_000, "offline m2")]);
    assert_eq!(scene.last_seen(130_000, 1), Some(120_000));
}
