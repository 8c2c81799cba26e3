use super::*;
use crate::world::Visibility;

/// A wedding of four, all watching; person 1 is seen by nobody, person 2 by everyone with all that they do.
fn judge(leaves: Leaves) -> Judge {
    let world = World::new(4).with_weddings(0..4, 4).with_choices(|person| match person {
        1 => Choice::of(Visibility::Nobody),
        2 => Choice { show_current_page: true, ..Choice::of(Visibility::Everyone) },
        _ => Choice { show_activity: false, ..Choice::NONE },
    });
    let views: Vec<_> = (0..4).map(|viewer| Some((viewer, 0..4))).collect();
    Judge::new(&world, &views, leaves)
}

fn version(version: u32) -> Shown {
    Shown { version, ..Shown::default() }
}

#[test]
fn a_change_is_expected_by_those_who_may_see_it() {
    let mut judge = judge(Leaves::Wrong);
    assert_eq!((0..4).map(|person| judge.audience(person)).collect::<Vec<_>>(), [4, 1, 4, 4]);
    judge.changes(0, 0);
    judge.changes(1, 0);
    assert_eq!((judge.tally.expected, judge.tally.outstanding()), (5, 5));
}

#[test]
fn a_newer_change_delivers_those_it_superseded_each_with_its_own_latency() {
    let mut judge = judge(Leaves::Wrong);
    judge.changes(0, 1_000_000);
    judge.changes(0, 4_000_000);
    judge.frame(3, 5_000_000).shown(0, version(2));
    assert_eq!(judge.tally.delivered, 2);
    let latency = judge.tally.latency.latency();
    assert!((0.99..1.01).contains(&latency.p50_ms) && (3.99..4.01).contains(&latency.max_ms), "{latency:?}");
    judge.frame(3, 9_000_000).shown(0, version(2));
    assert_eq!((judge.tally.delivered, judge.tally.errors), (2, 0), "the same state again is nothing");
}

#[test]
fn nothing_goes_back_and_nothing_comes_from_nowhere() {
    let mut judge = judge(Leaves::Wrong);
    judge.changes(0, 0);
    judge.changes(0, 0);
    judge.frame(3, 1).shown(0, version(2));
    judge.frame(3, 2).shown(0, version(1));
    judge.frame(2, 3).shown(0, version(3));
    assert_eq!((judge.tally.delivered, judge.tally.errors), (2, 2));
}

#[test]
fn who_hides_may_be_shown_to_themself_alone() {
    let mut judge = judge(Leaves::Wrong);
    judge.changes(1, 0);
    judge.frame(1, 1).shown(1, version(1));
    assert_eq!((judge.tally.delivered, judge.tally.forbidden), (1, 0));
    judge.frame(0, 1).shown(1, version(1));
    judge.frame(0, 1).left(1);
    judge.frame(0, 1).shown(77, version(0));
    assert_eq!((judge.tally.delivered, judge.tally.forbidden), (1, 3));
}

#[test]
fn a_field_that_is_not_shown_is_forbidden() {
    let all = Shown { version: 0, page: true, activity: true };
    let mut judge = judge(Leaves::Wrong);
    judge.frame(0, 1).shown(0, all);
    judge.frame(0, 1).shown(2, all);
    assert_eq!(judge.tally.forbidden, 0, "one's own record, and one that shows everything");
    judge.frame(0, 1).shown(3, Shown { page: false, ..all });
    judge.frame(1, 1).shown(3, Shown { activity: false, ..all });
    assert_eq!(judge.tally.forbidden, 2);
}

#[test]
fn leaves_and_joins_are_changes_of_odd_and_even_numbers() {
    let mut judge = judge(Leaves::Counted);
    judge.changes(0, 0);
    judge.frame(3, 1).left(0);
    judge.changes(0, 0);
    judge.frame(3, 2).shown(0, version(2));
    assert_eq!((judge.tally.delivered, judge.tally.errors), (2, 0));
    judge.frame(3, 3).left(0);
    assert_eq!(judge.tally.errors, 1, "nobody left");
}

#[test]
fn a_view_that_is_dismissed_is_not_waited_for() {
    let mut judge = judge(Leaves::Passed);
    judge.changes(0, 0);
    judge.dismiss(3);
    assert_eq!((judge.tally.outstanding(), judge.audience(0), judge.audience(1)), (3, 3, 1));
    judge.frame(3, 1).shown(0, version(1));
    assert_eq!(judge.tally.delivered, 0);
}

#[test]
fn measuring_begins_at_nothing() {
    let mut judge = judge(Leaves::Wrong);
    judge.changes(0, 0);
    (0..4).for_each(|view| judge.frame(view, 1).shown(0, version(1)));
    judge.begin();
    judge.changes(0, 2);
    assert_eq!((judge.tally.expected, judge.tally.delivered, judge.version(0)), (4, 0, 2));
}

#[test]
fn who_has_hidden_is_expected_by_themself_alone_and_forbidden_to_the_others() {
    let mut judge = judge(Leaves::Passed);
    judge.changes(0, 0);
    judge.frame(3, 1).shown(0, version(1));
    judge.hide(0);
    assert_eq!((judge.audience(0), judge.tally.outstanding()), (1, 1), "their own view has still to show it");
    judge.frame(0, 2).shown(0, version(1));
    assert_eq!((judge.tally.outstanding(), judge.tally.forbidden), (0, 0));
    judge.frame(3, 3).shown(0, version(1));
    assert_eq!((judge.tally.forbidden, judge.tally.delivered), (1, 2));
}

#[test]
fn members_are_shown_that_an_account_is_occupied_and_nobody_else_is() {
    let world = World::new(6).with_organizations(0..6, 3);
    let views = [Some((0, 0..3)), Some((3, 3..6)), None];
    let mut judge = Judge::new(&world, &views, Leaves::Wrong);
    judge.watch_accounts(&Agency { accounts: 2, assistants: 1, free: 0..2, members: 0..3 });
    judge.frame(0, 1).occupied(1, true);
    assert_eq!((judge.tally.forbidden, judge.tally.errors), (0, 0));
    assert_eq!(judge.badges_right(|account| account == 1), (2, 2));
    judge.frame(0, 2).occupied(1, true);
    assert_eq!((judge.tally.forbidden, judge.tally.errors), (0, 1), "told again for nothing");
    judge.frame(0, 2).occupied(0, false);
    judge.frame(1, 3).occupied(1, true);
    assert_eq!(judge.tally.forbidden, 2);
}

#[test]
fn an_assistant_is_found_in_whatever_a_client_is_sent() {
    let mut judge = judge(Leaves::Wrong);
    let payload = agency::name(3);
    judge.search(payload.as_bytes());
    assert_eq!(judge.tally.forbidden, 0, "where no agency is watched it is anybody's word");
    judge.watch_accounts(&Agency { accounts: 1, assistants: 4, free: 0..1, members: 0..4 });
    judge.search(payload.as_bytes());
    assert_eq!(judge.tally.forbidden, 1);
}
