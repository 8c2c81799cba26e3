//! What the directory says, changed under people who are looking.

use model::{Role, SubscribeRequest, UserFacts, Wall};

use super::stage::*;
use crate::Command;

/// The answer and the view for a channel that is not there.
fn answer(stage: &mut Stage, connection: u64, channel: model::ChannelId) -> String {
    stage.heard(connection);
    stage.subscribe(connection, SubscribeRequest::of(channel));
    stage.heard(connection).join("; ").split_once(' ').unwrap().1.to_owned()
}

#[test]
fn a_channel_that_is_not_there_and_one_that_is_not_theirs_are_the_same() {
    let mut stage = Stage::new();
    stage.put(3, facts(&[2], &[2])).account(1, Some(2)).account(2, Some(1)).connect(10, 1);
    let asked =
        [wedding(2), wedding(77), organization(2), organization(77), account(1), account(77), account(2)];
    for channel in asked {
        assert_eq!(answer(&mut stage, 10, channel), "subscribed unknown_channel", "{channel}");
    }
    assert!(answer(&mut stage, 10, wedding(1)).starts_with("subscribed 1"));
}

#[test]
fn a_lost_membership_ends_the_subscription_in_the_words_of_an_unknown_channel() {
    let mut stage = Stage::watched();
    stage.come(1, 1, online()).connect(21, 2).at(1_000);
    stage.subscribe(21, SubscribeRequest::roster(wedding(1))).at(1_100);
    let both = [20, 21];
    both.iter().for_each(|connection| drop(stage.heard(*connection)));
    stage.put(2, facts(&[], &[]));
    assert_eq!(stage.heard(20), ["1100 ended 1 UnknownChannel"]);
    assert_eq!(stage.heard(21), ["1100 ended 1 UnknownChannel"]);
    assert_eq!(answer(&mut stage, 20, wedding(1)), "subscribed unknown_channel");
    stage.track(1, typing()).at(2_000);
    assert!(stage.heard(20).is_empty());
    assert_eq!(stage.presence.census().views, 0);
    stage.ask(20, Command::Unsubscribe(model::SubscriptionId(1)));
    assert_eq!(stage.heard(20), ["2000 error unknown_subscription"]);
}

#[test]
fn a_membership_lost_while_away_answers_a_resume_as_unknown() {
    let mut stage = Stage::watched();
    stage.lose(20).put(2, facts(&[], &[])).put(2, facts(&[1], &[])).resume(21, 2, 20, &[(1, 1)]);
    assert_eq!(stage.heard(21)[0], "100 welcome back 1:UnknownChannel", "also when it is theirs again");
}

#[test]
fn one_who_takes_part_no_more_leaves_and_one_who_does_joins() {
    let mut stage = Stage::rostered();
    stage.come(1, 1, online()).at(1_000).heard(20);
    stage.put(1, facts(&[2], &[])).at(2_000).put(1, facts(&[1], &[])).put(3, facts(&[1], &[]));
    stage.at(3_000);
    assert_eq!(stage.heard(20), ["1000 view 1#3 -1", "2000 view 1#4 +1:online", "2050 view 1#5 +3:offline"]);
}

#[test]
fn a_relation_gained_or_lost_elsewhere_shows_here() {
    let mut stage = Stage::new();
    let member = |weddings: &[u64]| UserFacts {
        settings: Some(visible_to(model::Visibility::Contacts)),
        ..facts(weddings, &[1])
    };
    stage.put(1, member(&[])).put(2, member(&[3])).come(1, 1, online()).connect(20, 2);
    stage.subscribe(20, SubscribeRequest::roster(organization(1))).at(1_000).heard(20);
    stage.put(1, member(&[3])).at(2_000).put(2, member(&[])).at(3_000);
    let expected = ["1000 view 1#2 +1:online", "2000 view 1#3 -1"];
    assert_eq!(stage.heard(20), expected, "by the subject's change, then by the viewer's");
}

#[test]
fn an_account_is_shown_by_role_and_a_new_role_at_once() {
    let mut stage = Stage::new();
    let with = |role| UserFacts { organizations: [(org(1), role)].into(), ..facts(&[], &[]) };
    stage.put(1, with(Role::Member)).put(2, with(Role::Member)).put(3, with(Role::Admin));
    stage.account(5, Some(1)).occupy(5, Some(1));
    for who in [1, 2, 3] {
        stage.connect(who, who).subscribe(who, SubscribeRequest::of(account(5))).at(who * 100);
        let seen = ["own", "occupied", "1=Ada"][who as usize - 1];
        assert_eq!(
            stage.heard(who).last().unwrap().split_once("last ").unwrap().1,
            format!("+account-5:{seen}")
        );
    }
    stage.at(1_000).put(2, with(Role::Owner));
    assert_eq!(stage.heard(2), ["1000 view 1#2 ~account-5:1=Ada"]);
    stage.put(1, UserFacts { display_name: "Eve".into(), ..with(Role::Member) }).at(2_000);
    assert_eq!(stage.heard(2), ["1050 view 1#3 ~account-5:1=Eve"], "a name changed while holding");
    assert_eq!(stage.heard(3), ["1000 view 1#2 ~account-5:1=Eve"]);
    assert!(stage.heard(1).is_empty());
    stage.remove(1).at(3_000);
    assert_eq!(stage.heard(3), ["2000 view 1#3 ~account-5:1="], "held until it is clocked out");
}

#[test]
fn a_swap_is_nothing_to_a_member_and_clocking_out_a_leave() {
    let mut stage = Stage::new();
    let admin = UserFacts { organizations: [(org(1), Role::Admin)].into(), ..facts(&[], &[]) };
    stage.put(1, facts(&[], &[1])).put(3, facts(&[], &[1])).put(2, facts(&[], &[1])).put(4, admin);
    stage.account(5, Some(1)).account(6, Some(1)).occupy(5, Some(1));
    for who in [2, 4] {
        stage
            .connect(who, who)
            .subscribe(who, SubscribeRequest::of(organization(1)))
            .at(who * 100)
            .heard(who);
    }
    stage.at(1_000).occupy(5, Some(3)).at(2_000).occupy(5, None).at(3_000).occupy(6, Some(1));
    assert_eq!(stage.heard(2), ["2000 view 1#2 -account-5", "3000 view 1#3 +account-6:occupied"]);
    let expected =
        ["1000 view 1#2 ~account-5:3=Ada", "2000 view 1#3 -account-5", "3000 view 1#4 +account-6:1=Ada"];
    assert_eq!(stage.heard(4), expected);
}

#[test]
fn an_account_moved_to_another_organization_is_there_and_not_here() {
    let mut stage = Stage::new();
    stage.put(1, facts(&[], &[1])).put(2, facts(&[], &[2])).put(3, facts(&[], &[1, 2]));
    stage.account(5, Some(1)).occupy(5, Some(3)).connect(10, 1).connect(20, 2).connect(30, 3);
    stage
        .subscribe(10, SubscribeRequest::of(organization(1)))
        .subscribe(10, SubscribeRequest::of(account(5)));
    stage
        .subscribe(20, SubscribeRequest::of(organization(2)))
        .subscribe(30, SubscribeRequest::of(account(5)));
    stage.at(1_000);
    [10, 20, 30].iter().for_each(|connection| drop(stage.heard(*connection)));
    stage.account(5, Some(2));
    assert_eq!(stage.heard(10), ["1000 ended 2 UnknownChannel", "1000 view 1#2 -account-5"]);
    assert_eq!(stage.heard(20), ["1000 view 1#2 +account-5:occupied"]);
    assert!(stage.heard(30).is_empty(), "a member of both sees no difference");
    assert_eq!(answer(&mut stage, 10, account(5)), "subscribed unknown_channel");
    stage.at(2_000).account(5, None);
    assert_eq!(stage.heard(20), ["2000 view 1#3 -account-5"]);
    assert_eq!(stage.heard(30), ["2000 ended 1 UnknownChannel"]);
    stage.at(3_000).account(5, Some(2));
    assert!(stage.heard(20).is_empty(), "clocked out with the account");
}

#[test]
fn occupancy_may_be_told_before_what_it_is_about() {
    let mut stage = Stage::new();
    stage.occupy(5, Some(9)).put(1, facts(&[], &[1])).connect(10, 1);
    stage.subscribe(10, SubscribeRequest::of(organization(1))).at(1_000).heard(10);
    stage.account(5, Some(1));
    assert_eq!(stage.heard(10), ["1000 view 1#2 +account-5:occupied"]);
    stage.occupy(5, None).account(5, None).at(2_000);
    assert_eq!(stage.heard(10), ["1050 view 1#3 -account-5"]);
    let census = stage.presence.census();
    assert_eq!((census.users, census.accounts), (2, 0), "the holder nobody knows is forgotten too");
    stage.occupy(6, Some(9)).occupy(6, None);
    let census = stage.presence.census();
    assert_eq!((census.users, census.accounts), (2, 0), "and the account");
}

#[test]
fn what_is_put_again_unchanged_says_nothing() {
    let mut stage = Stage::rostered();
    stage.come(1, 1, online()).account(5, Some(1)).occupy(5, Some(1)).at(1_000).heard(20);
    stage.put(1, facts(&[1], &[])).put(2, facts(&[1], &[])).occupy(5, Some(1)).account(5, Some(1));
    stage.settings(1, everyone()).at(2_000);
    assert!(stage.heard(20).is_empty());
    let older = UserFacts { last_seen: Some(Wall(START - 1)), ..facts(&[1], &[]) };
    stage.put(1, older).at(3_000);
    assert!(stage.heard(20).is_empty(), "who is here has no last-seen");
}
