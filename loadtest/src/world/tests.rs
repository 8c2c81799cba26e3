use super::*;

/// Two weddings of four and organizations of two that lie across them: 0 | 1 2 | 3 4 | 5 6 | 7.
fn world(choice: Choice) -> World {
    World::new(8).with_weddings(0..8, 4).with_organizations(1..8, 2).with_choices(|_| choice)
}

fn who_sees(world: &World, subject: Person) -> Vec<Person> {
    (0..world.people()).filter(|viewer| world.sees(*viewer, subject)).collect()
}

#[test]
fn visibility_follows_the_relations() {
    assert_eq!(who_sees(&world(Choice::of(Visibility::Everyone)), 3).len(), 8);
    assert_eq!(who_sees(&world(Choice::of(Visibility::Team)), 3), [3, 4]);
    assert_eq!(who_sees(&world(Choice::of(Visibility::Contacts)), 3), [0, 1, 2, 3]);
    assert_eq!(who_sees(&world(Choice::of(Visibility::Nobody)), 3), [3]);
    let offline = Choice { appear_offline: true, ..Choice::of(Visibility::Everyone) };
    assert_eq!(who_sees(&world(offline), 3), [3]);
}

#[test]
fn who_belongs_nowhere_shares_nothing() {
    let world = World::new(3).with_choices(|_| Choice::of(Visibility::Team));
    assert_eq!(who_sees(&world, 0), [0]);
    assert_eq!((world.wedding_of(0), world.organization_of(0)), (None, None));
}

#[test]
fn channels_are_runs_of_people() {
    let world = world(Choice::NONE);
    assert_eq!(world.wedding_of(5), Some(Channel::Wedding(1)));
    assert_eq!(world.entries(Channel::Wedding(1)), 4..8);
    assert_eq!(world.organization_of(7), Some(Channel::Organization(3)));
    assert_eq!(world.entries(Channel::Organization(3)), 7..8);
}

#[test]
fn the_organizations_of_people_keep_logs() {
    let document = world(Choice::NONE).with_logs(1..4).document();
    let plans = document["organizations"].as_array().unwrap().iter().map(|it| it["plan"].as_str().unwrap());
    assert_eq!(plans.collect::<Vec<_>>(), ["enterprise", "enterprise", "standard", "standard"]);
}

#[test]
fn ids_lead_back_to_people() {
    let id = user(0x00C0_FFEE);
    assert_eq!(id.to_string(), "00000010-0000-0000-0000-000000c0ffee");
    assert_eq!(person(id), Some(0x00C0_FFEE));
    assert_eq!(person(UserId(Uuid::from_u128(7))), None);
}

#[test]
fn the_document_names_everybody_once() {
    let document = world(Choice::NONE).document();
    assert_eq!(document["users"].as_array().map(Vec::len), Some(8));
    assert_eq!(document["weddings"][1]["collaborations"].as_array().map(Vec::len), Some(3));
    assert_eq!(document["organizations"][3]["members"].as_array().map(Vec::len), Some(1));
}

#[test]
fn only_choices_are_settings() {
    let mut world = world(Choice::NONE);
    assert!(world.settings().is_empty());
    world.choices[2].visibility = Visibility::Nobody;
    let settings = world.settings();
    assert_eq!(settings.len(), 1);
    assert_eq!((settings[0].0, settings[0].1["visibility"].as_str()), (user(2), Some("nobody")));
}
