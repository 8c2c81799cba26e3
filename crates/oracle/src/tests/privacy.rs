//! Who sees whom, and what of them (section 6).

use model::{Device, PeopleInterest, Settings, Status, Track, UserFacts, Visibility};

use super::scene::*;

/// 1 is in wedding 1 and organization 1. Against them: 2 both, 3 a collaborator, 4 a colleague.
#[test]
fn the_visibility_table() {
    use Visibility::{Contacts, Everyone, Nobody, Team};
    let rows = [
        (Everyone, wedding(1), [(1, true), (2, true), (3, true)]),
        (Team, wedding(1), [(1, true), (2, true), (3, false)]),
        (Contacts, wedding(1), [(1, true), (2, true), (3, true)]),
        (Nobody, wedding(1), [(1, true), (2, false), (3, false)]),
        (Everyone, organization(1), [(1, true), (2, true), (4, true)]),
        (Team, organization(1), [(1, true), (2, true), (4, true)]),
        (Contacts, organization(1), [(1, true), (2, true), (4, false)]),
        (Nobody, organization(1), [(1, true), (2, false), (4, false)]),
    ];
    for (visibility, channel, viewers) in rows {
        let mut scene = Scene::new();
        scene.settings(0, 1, visible_to(visibility)).come(10, 1, 1, online()).sign_out(20, 1);
        for (viewer, seen) in viewers {
            let here = scene.sees(10, viewer, 1, channel);
            let gone = scene.sees(20, viewer, 1, channel);
            let context = format!("{visibility:?} for {viewer} in {channel}");
            assert_eq!(here, if seen { "online" } else { "absent" }, "{context}");
            // Whoever is not permitted is absent, not offline.
            assert_eq!(gone == "absent", !seen, "{context}");
        }
    }
}

#[test]
fn the_relation_that_grants_sight_need_not_be_the_channels() {
    let mut scene = Scene::new();
    // 3 and 1 share wedding 1, and now also organization 2: colleagues, seen as such in the wedding.
    scene.settings(0, 1, visible_to(Visibility::Team)).come(10, 1, 1, online());
    scene.put(20, 1, facts(&[1], &[1, 2])).settings(20, 1, visible_to(Visibility::Team));
    scene.put(20, 3, facts(&[1], &[2]));
    assert_eq!(scene.sees(10, 3, 1, wedding(1)), "absent");
    assert_eq!(scene.sees(20, 3, 1, wedding(1)), "online");
}

#[test]
fn a_couple_and_a_supplier_of_another_wedding_are_not_collaborators() {
    let mut scene = Scene::new();
    scene.put(0, 3, facts(&[2], &[1])).settings(0, 1, visible_to(Visibility::Contacts)).come(
        10,
        1,
        1,
        online(),
    );
    assert_eq!(scene.sees(10, 3, 1, organization(1)), "absent");
    assert_eq!(scene.sees(10, 2, 1, organization(1)), "online");
}

#[test]
fn what_was_never_loaded_is_hidden_from_others_only() {
    let mut scene = Scene::new();
    scene
        .put(0, 6, UserFacts { settings: None, ..facts(&[1], &[]) })
        .come(10, 6, 1, on_page("/p"))
        .sign_out(70_000, 1);
    assert_eq!(scene.sees(20, 2, 6, wedding(1)), "absent");
    assert_eq!(scene.sees(20, 6, 6, wedding(1)), "online /p");
    // Nor does last-seen advance.
    assert_eq!(scene.sees(70_000, 6, 6, wedding(1)), "offline never");
}

#[test]
fn settings_once_loaded_stay_when_facts_come_without() {
    let mut scene = Scene::new();
    scene.settings(0, 1, visible_to(Visibility::Nobody)).come(10, 1, 1, online());
    scene.put(20, 1, UserFacts { settings: None, ..facts(&[1], &[1]) });
    scene.check(&[(20, "absent")]);
    scene.settings(30, 1, everyone()).put(40, 1, UserFacts { settings: None, ..facts(&[1], &[1]) });
    scene.check(&[(40, "online")]);
}

#[test]
fn fields_are_shown_by_choice() {
    let all =
        Track { device: Some(Device::Mobile), custom_status: text("hi"), is_typing: true, ..on_page("/p") };
    let rows = [
        (true, true, Status::Idle, "idle /p hi typing mobile"),
        (true, false, Status::Idle, "idle hi typing mobile"),
        (false, true, Status::Idle, "online /p hi"),
        (false, false, Status::Away, "away hi"),
        (false, false, Status::Busy, "busy hi"),
    ];
    for (show_activity, show_current_page, status, expected) in rows {
        let mut scene = Scene::new();
        scene.settings(0, 1, Settings { show_activity, show_current_page, ..everyone() });
        scene.come(10, 1, 1, Track { status, ..all.clone() });
        scene.check(&[(20, expected)]);
        let whole = format!("{} /p hi typing mobile", format!("{status:?}").to_lowercase());
        assert_eq!(scene.sees(20, 1, 1, wedding(1)), whole, "one sees all of oneself");
    }
}

#[test]
fn a_detected_idle_is_masked_after_the_merge() {
    let mut scene = Scene::new();
    scene.settings(0, 1, Settings { show_activity: false, ..everyone() });
    scene.come(10, 1, 1, Track::of(Status::Idle)).come(20, 1, 2, Track::of(Status::Away)).sign_out(30, 1);
    scene.check(&[(10, "online"), (20, "online"), (30, "away")]);
}

#[test]
fn appear_offline_is_signed_out_for_everybody_else() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).settings(100_000, 1, appear_offline());
    scene.track(110_000, 1, Track::of(Status::Busy)).connect(200_000, 1, 2).track(210_000, 2, typing());
    scene.check(&[(100_000, "offline m2"), (300_000, "offline m2")]);
    assert_eq!(scene.here(300_000, 2, wedding(1)), "");
    assert_eq!(scene.sees(210_000, 1, 1, wedding(1)), "busy typing");
    scene.sign_out(400_000, 2);
    scene.check(&[(400_000, "offline m2")]);
    // Off again: the sessions with a live connection are shown.
    scene.settings(500_000, 1, everyone());
    scene.check(&[(500_000, "busy")]);
}

#[test]
fn switching_appear_offline_off_shows_only_live_connections() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).rest(20, 1, 9, Track::of(Status::Away)).settings(
        60_000,
        1,
        appear_offline(),
    );
    scene.lose(61_000, 1).settings(62_000, 1, everyone());
    // With none: offline with the frozen last-seen, while the user sees both sessions.
    scene.check(&[(62_000, "offline m1")]);
    assert_eq!(scene.sees(62_000, 1, 1, wedding(1)), "online");
    scene.rest(63_000, 1, 9, Track::of(Status::Away));
    scene.check(&[(63_000, "away")]);
    scene.resume(64_000, 1, Some(online()));
    scene.check(&[(64_000, "online")]);
}

#[test]
fn a_session_signed_out_for_others_never_advances_last_seen() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).rest(10_000, 1, 9, online()).settings(20_000, 1, appear_offline());
    scene.alive(150_000, 1).rest(150_000, 1, 9, online()).lose(160_000, 1).settings(161_000, 1, everyone());
    // Grace and lease both end after the switching off.
    assert_eq!(scene.last_seen(170_000, 1), Some(20_000));
    assert_eq!(scene.last_seen(300_000, 1), Some(20_000));
}

#[test]
fn hiding_again_says_nothing_of_a_session_already_signed_out_for_others() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).settings(1_000, 1, appear_offline()).lose(2_000, 1).settings(
        3_000,
        1,
        everyone(),
    );
    scene.settings(4_000, 1, visible_to(Visibility::Nobody));
    assert_eq!(scene.last_seen(4_000, 1), Some(1_000));
}

#[test]
fn a_session_begun_while_hidden_and_lost_is_not_shown_by_switching_off() {
    let mut scene = Scene::new();
    scene.settings(0, 1, appear_offline()).come(10, 1, 1, online()).lose(1_000, 1).settings(
        2_000,
        1,
        everyone(),
    );
    scene.check(&[(2_000, "offline never"), (20_000, "offline never")]);
}

#[test]
fn a_flag_outlives_the_switching_on_again_and_a_resume_meanwhile() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).settings(20, 1, appear_offline()).lose(30, 1).resume(40, 1, None);
    scene.check(&[(40, "offline m0")]);
    scene.settings(50, 1, everyone());
    scene.check(&[(50, "online")]);
}

#[test]
fn the_last_seen_of_going_hidden_is_that_instant_and_then_frozen() {
    let hidings = [appear_offline(), visible_to(Visibility::Nobody)];
    for hiding in hidings {
        let mut scene = Scene::new();
        scene.come(10, 1, 1, online()).settings(30_000, 1, hiding.clone()).sign_out(90_000, 1);
        assert_eq!(scene.last_seen(30_000, 1), Some(30_000));
        assert_eq!(scene.last_seen(90_000, 1), Some(30_000));
        // Nobody was there to be seen: hiding then says nothing.
        scene.settings(100_000, 1, everyone()).connect(110_000, 1, 2).settings(120_000, 1, hiding);
        assert_eq!(scene.last_seen(120_000, 1), Some(30_000));
    }
}

#[test]
fn from_one_way_of_hiding_to_another_last_seen_stands_still() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).settings(1_000, 1, visible_to(Visibility::Nobody));
    scene.settings(2_000, 1, appear_offline()).settings(3_000, 1, visible_to(Visibility::Nobody));
    scene.settings(4_000, 1, everyone());
    assert_eq!(scene.last_seen(4_000, 1), Some(1_000));
    scene.check(&[(1_500, "absent"), (2_500, "offline m0"), (3_500, "absent"), (4_000, "online")]);
}

#[test]
fn facts_can_hide_as_settings_do() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online());
    scene.put(50_000, 1, UserFacts { settings: Some(appear_offline()), ..facts(&[1], &[1]) });
    scene.lose(60_000, 1).put(61_000, 1, facts(&[1], &[1]));
    scene.check(&[(49_999, "online"), (50_000, "offline m1"), (61_000, "offline m1")]);
}

#[test]
fn going_offline_is_a_record_in_a_roster_and_nothing_without() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).sign_out(20, 1);
    assert_eq!(scene.roster(20, 2, wedding(1)), "1 offline m0, 2 offline never, 3 offline never");
    assert_eq!(scene.here(20, 2, wedding(1)), "");
    assert_eq!(scene.truth(15, 2, wedding(1), PeopleInterest::None), Some(Default::default()));
}

#[test]
fn times_are_cut_to_the_minute() {
    // The world begins 20 s past a minute.
    for (signed_out, expected) in [(39_999, "offline m0"), (40_000, "offline m1"), (99_999, "offline m1")] {
        let mut scene = Scene::new();
        scene.come(10, 1, 1, online()).sign_out(signed_out, 1);
        scene.check(&[(signed_out, expected)]);
    }
}

#[test]
fn last_seen_does_not_go_back() {
    let mut scene = Scene::new();
    scene.come(10, 1, 1, online()).come(10, 1, 2, online()).lose(50_000, 1).sign_out(55_000, 2);
    // The grace of the first ends later, with an older sign of life.
    assert_eq!(scene.last_seen(60_000, 1), Some(55_000));
}

/// What happened while hidden is not told by the end of a grace that outlives the hiding.
#[test]
fn a_sign_of_life_while_hidden_does_not_count_for_last_seen() {
    for hiding in [visible_to(Visibility::Nobody), appear_offline()] {
        let mut scene = Scene::new();
        scene.come(10, 1, 1, online()).settings(1_000, 1, hiding);
        scene.alive(100_000, 1).track(101_000, 1, online()).lose(102_000, 1).settings(103_000, 1, everyone());
        assert_eq!(scene.last_seen(112_000, 1), Some(1_000), "the grace is over");
    }
}

#[test]
fn a_session_that_lived_only_while_hidden_leaves_last_seen_alone() {
    let mut scene = Scene::new();
    scene.settings(0, 1, visible_to(Visibility::Nobody)).come(10_000, 1, 1, online()).rest(
        11_000,
        1,
        9,
        online(),
    );
    scene.lose(20_000, 1).settings(21_000, 1, everyone());
    scene.check(&[(29_999, "online"), (30_000, "online"), (101_000, "offline never")]);
    assert_eq!(scene.last_seen(101_000, 1), None, "neither by its grace nor by its lease");
}

#[test]
fn whoever_stops_hiding_is_seen_at_that_instant_on_live_connections() {
    for hiding in [visible_to(Visibility::Nobody), appear_offline()] {
        let mut scene = Scene::new();
        scene
            .settings(0, 1, hiding)
            .come(10_000, 1, 1, online())
            .settings(20_000, 1, everyone())
            .lose(30_000, 1);
        assert_eq!(scene.last_seen(39_999, 1), None);
        assert_eq!(scene.last_seen(40_000, 1), Some(20_000));
    }
}

#[test]
fn settings_loaded_at_last_are_the_end_of_hiding() {
    let mut scene = Scene::new();
    scene.put(0, 6, UserFacts { settings: None, ..facts(&[1], &[]) }).come(10, 6, 1, online());
    scene.alive(5_000, 1).put(8_000, 6, facts(&[1], &[])).lose(9_000, 1);
    assert_eq!(scene.last_seen(19_000, 6), Some(8_000));
}
