//! Names: of what one is in, and of who and what is in it.

use model::{DirectoryChange, OrganizationId, Plan, Role};
use uuid::Uuid;

use super::{
    Shared, account, organization, put, put_account, put_collaboration, put_member, put_organization,
    put_user, put_world, user, wedding,
};
use crate::{NamedOrganization, NamedPerson, NamedWedding, Part, Place, Places};

fn named(n: u128, part: Part) -> NamedPerson {
    NamedPerson { id: user(n), display_name: format!("User {n}"), part }
}

fn photographer(n: u128) -> NamedPerson {
    named(n, Part::Supplier(vec!["photographer".into()]))
}

fn works_at(n: u128, role: Role) -> NamedOrganization {
    NamedOrganization { id: organization(n), name: format!("Agency {n}"), role, plan: Plan::Enterprise }
}

fn takes_part_in(n: u128, supplies: bool) -> NamedWedding {
    NamedWedding { id: wedding(n), name: format!("Wedding {n}"), supplies }
}

async fn places(store: &Shared, n: u128, most: usize) -> Option<Places> {
    store.places(user(n), most).await.expect("the store can be read")
}

async fn people(store: &Shared, place: Place, after: Option<u128>, most: usize) -> Vec<NamedPerson> {
    store.people_in(place, after.map(user), most).await.expect("the store can be read")
}

/// Nothing that one is not in; who is on both sides of a wedding supplies something.
pub async fn a_person_knows_what_they_are_in(store: Shared) {
    put_world(&store).await;
    put(&store, vec![put_member(2, 2, Role::Admin), put_collaboration(2, 4, 2)]).await;
    let two = Places {
        display_name: "User 2".to_owned(),
        organizations: vec![works_at(1, Role::Member), works_at(2, Role::Admin)],
        weddings: vec![takes_part_in(1, true), takes_part_in(2, true)],
    };
    assert_eq!(places(&store, 2, 2).await, Some(two.clone()));
    let first = Places {
        organizations: two.organizations[..1].to_vec(),
        weddings: two.weddings[..1].to_vec(),
        ..two
    };
    assert_eq!(places(&store, 2, 1).await, Some(first));
    let three = places(&store, 3, 9).await.expect("there is one");
    assert_eq!(
        (three.organizations, three.weddings),
        (vec![works_at(2, Role::Admin)], vec![takes_part_in(1, false)])
    );
    put(&store, vec![put_user(9)]).await;
    let nine = Places { display_name: "User 9".to_owned(), organizations: vec![], weddings: vec![] };
    assert_eq!(places(&store, 9, 9).await, Some(nine));
    assert_eq!(places(&store, 10, 9).await, None);
}

/// With roles; at a wedding with what each supplies, each once.
pub async fn the_people_of_a_place_are_named(store: Shared) {
    put_world(&store).await;
    let more = |n: u128, client: u128, supplies: &str| DirectoryChange::PutCollaboration {
        wedding: wedding(1),
        supplier: user(n),
        client: user(client),
        supplier_type: supplies.to_owned(),
    };
    put(&store, vec![more(1, 4, "florist"), more(1, 2, "photographer")]).await;
    let office = Place::Organization(organization(1));
    let members = vec![named(1, Part::Member(Role::Owner)), named(2, Part::Member(Role::Member))];
    assert_eq!(people(&store, office, None, 9).await, members);
    let both = named(1, Part::Supplier(vec!["florist".into(), "photographer".into()]));
    let team = vec![both, photographer(2), named(3, Part::Client), named(4, Part::Client)];
    assert_eq!(people(&store, Place::Wedding(wedding(1)), None, 9).await, team);
    for place in [Place::Organization(OrganizationId(Uuid::from_u128(7))), Place::Wedding(wedding(7))] {
        assert_eq!(people(&store, place, None, 9).await, []);
    }
}

/// Pages go on after the last one, and no further than asked for.
pub async fn the_people_of_a_place_come_in_pages(store: Shared) {
    put_world(&store).await;
    put(
        &store,
        (5..9)
            .flat_map(|n| [put_user(n), put_member(1, n, Role::Member), put_collaboration(1, n, 3)])
            .collect(),
    )
    .await;
    for place in [Place::Organization(organization(1)), Place::Wedding(wedding(1))] {
        let all = people(&store, place, None, 100).await;
        assert!(all.len() >= 6 && all.is_sorted_by_key(|person| person.id), "{all:?}");
        assert_eq!(people(&store, place, None, all.len()).await, all);
        assert_eq!(people(&store, place, None, all.len() - 1).await, all[..all.len() - 1]);
        assert_eq!(
            people(&store, place, Some(5), 2).await,
            [6, 7]
                .map(|n| { all.iter().find(|person| person.id == user(n)).expect("they are in it").clone() })
        );
        assert_eq!(people(&store, place, Some(8), 2).await, []);
        assert_eq!(store.people_in(place, Some(model::UserId(Uuid::max())), 2).await.unwrap(), []);
    }
}

/// Of one organization, as many as asked for.
pub async fn the_accounts_of_an_organization_are_named(store: Shared) {
    put_world(&store).await;
    put(&store, vec![put_organization(3), put_account(4, 1)]).await;
    let expected = [1, 2, 4].map(|n| (account(n), format!("Account {n}")));
    for most in [3, 9] {
        assert_eq!(store.accounts_in(organization(1), most).await.unwrap(), expected);
    }
    assert_eq!(store.accounts_in(organization(1), 2).await.unwrap(), expected[..2]);
    assert_eq!(store.accounts_in(organization(3), 9).await.unwrap(), []);
}
