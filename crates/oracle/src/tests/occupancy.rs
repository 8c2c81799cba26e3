//! Who holds an account, by role (section 7).

use model::{Interest, Mono, Occupancy, PeopleInterest, Role, UserFacts, Wall};

use super::scene::*;
use crate::Watch;

fn held_by(who: u64, stale_after: Option<i64>) -> Occupancy {
    let at = |ms: i64| Wall(START.0 + ms);
    Occupancy { user: user(who), since: at(45_000), stale_since: stale_after.map(at), epoch: 1 }
}

fn administers(role: Role) -> UserFacts {
    UserFacts { organizations: [(org(1), role)].into(), ..facts(&[1], &[]) }
}

/// 1 administers organization 1; 2 and 4 are members of it; 3 is not. Accounts 1 and 2 are its own, 3 is not.
fn agency() -> Scene {
    let mut scene = Scene::new();
    scene.put(0, 1, administers(Role::Admin));
    scene.account(0, 1, Some(1)).account(0, 2, Some(1)).account(0, 3, Some(2));
    scene
}

#[test]
fn occupancy_by_role() {
    let rows = [
        (Role::Owner, 1, "account-1 4(Ada) since m1"),
        (Role::Admin, 1, "account-1 4(Ada) since m1"),
        (Role::Member, 1, "account-1 occupied"),
        (Role::Member, 2, "account-1 occupied"),
        (Role::Member, 4, "account-1 own since m1"),
        (Role::Member, 3, "unknown"),
        (Role::Member, 9, "unknown"),
    ];
    for (role, viewer, expected) in rows {
        let mut scene = agency();
        scene.put(0, 1, administers(role)).occupy(10, 1, Some(held_by(4, None)));
        assert_eq!(scene.roster(20, viewer, account(1)), expected, "{role:?} {viewer}");
    }
}

#[test]
fn an_administrator_who_holds_an_account_reads_it_as_one() {
    let mut scene = agency();
    scene.occupy(10, 1, Some(held_by(1, None)));
    assert_eq!(scene.roster(20, 1, account(1)), "account-1 1(Ada) since m1");
}

#[test]
fn stale_is_told_to_administrators_to_the_minute() {
    let mut scene = agency();
    scene.occupy(10, 1, Some(held_by(4, None))).occupy(20, 1, Some(held_by(4, Some(119_999))));
    assert_eq!(scene.roster(20, 1, account(1)), "account-1 4(Ada) since m1 stale m2");
    assert_eq!(scene.roster(20, 2, account(1)), "account-1 occupied");
    assert_eq!(scene.roster(20, 4, account(1)), "account-1 own since m1");
}

#[test]
fn admins_see_an_occupants_name_even_while_that_user_is_hidden_and_when_they_are_unknown() {
    let mut scene = agency();
    scene.settings(5, 4, appear_offline()).occupy(10, 1, Some(held_by(4, None))).occupy(
        10,
        2,
        Some(held_by(8, None)),
    );
    assert_eq!(scene.here(20, 1, organization(1)), "account-1 4(Ada) since m1, account-2 8() since m1");
}

#[test]
fn an_organization_lists_the_occupancy_of_all_its_accounts_and_no_other() {
    let mut scene = agency();
    scene.occupy(10, 1, Some(held_by(4, None))).occupy(20, 2, Some(held_by(2, None))).occupy(
        30,
        3,
        Some(held_by(5, None)),
    );
    assert_eq!(scene.here(40, 2, organization(1)), "account-1 occupied, account-2 own since m1");
    // An extension's connection is no presence, and a wedding lists no accounts.
    assert_eq!(scene.here(40, 2, wedding(1)), "");
}

#[test]
fn available_accounts_are_not_listed() {
    let mut scene = agency();
    scene.occupy(10, 1, Some(held_by(4, None))).occupy(20, 1, None);
    assert_eq!(scene.here(15, 2, organization(1)), "account-1 occupied");
    assert_eq!(scene.here(20, 2, organization(1)), "");
    assert_eq!(scene.here(20, 2, account(1)), "");
}

#[test]
fn a_deleted_account_is_clocked_out_and_an_unknown_one_waits_for_its_facts() {
    let mut scene = agency();
    scene.occupy(10, 1, Some(held_by(4, None))).account(20, 1, None).account(30, 1, Some(1));
    scene.occupy(40, 7, Some(held_by(4, None))).account(50, 7, Some(1));
    assert_eq!(scene.here(20, 2, account(1)), "unknown");
    assert_eq!(scene.here(30, 2, organization(1)), "");
    assert_eq!(scene.here(40, 2, account(7)), "unknown");
    assert_eq!(scene.here(50, 2, account(7)), "account-7 occupied");
}

#[test]
fn an_account_moves_with_its_organization() {
    let mut scene = agency();
    scene.occupy(10, 1, Some(held_by(4, None))).account(20, 1, Some(2)).put(30, 2, facts(&[], &[2]));
    assert_eq!(scene.here(20, 1, organization(1)), "");
    assert_eq!(scene.here(30, 2, organization(2)), "account-1 occupied");
}

#[test]
fn a_subscriber_chooses_people_accounts_or_both() {
    let mut scene = agency();
    scene.occupy(10, 1, Some(held_by(4, None))).come(10, 2, 1, online());
    let count = |people, accounts| {
        let watch =
            Watch { viewer: user(4), channel: organization(1), interest: Interest { people, accounts } };
        scene.oracle.truth(&scene.log, Mono(20), watch).unwrap().len()
    };
    let rows = [
        (PeopleInterest::None, false, 0),
        (PeopleInterest::None, true, 1),
        (PeopleInterest::Present, false, 1),
        (PeopleInterest::Present, true, 2),
        (PeopleInterest::Roster, true, 4),
    ];
    for (people, accounts, expected) in rows {
        assert_eq!(count(people, accounts), expected, "{people:?} {accounts}");
    }
}
