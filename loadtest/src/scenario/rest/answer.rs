//! Answers about people, held against what may be seen.

use serde_json::Value;

use crate::world::{Person, World, person_named};

/// What was asked, and of whom it is certain how they are.
#[derive(Clone, Debug)]
pub(in crate::scenario) struct People {
    pub(in crate::scenario) viewer: Person,
    /// In the order of their numbers; of all others the answer may say anything that is not too much.
    pub(in crate::scenario) asked: Vec<Person>,
    /// Those of them who have to be in the answer; the others of them may not.
    pub(in crate::scenario) expected: Vec<Person>,
}

/// What is wrong with an answer.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::scenario) struct Wrong {
    pub(in crate::scenario) forbidden: u64,
    pub(in crate::scenario) what: String,
}

/// Whether the answer has others than it has to, or more of them than may be seen.
pub(in crate::scenario) fn of_people(world: &World, of: &People, body: &[u8]) -> Option<Wrong> {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let users = said["users"].as_array().map(Vec::as_slice).unwrap_or_default();
    let certain = |person: &Person| of.asked.binary_search(person).is_ok();
    let shown: Vec<(Person, &Value)> = users
        .iter()
        .map(|user| (user["userId"].as_str().and_then(person_named).unwrap_or(Person::MAX), user))
        .filter(|(person, _)| certain(person) || *person == Person::MAX)
        .collect();
    let more = shown.iter().filter(|(person, _)| !of.expected.contains(person)).count();
    let fields =
        shown.iter().filter(|(person, user)| shows_too_much(world, of.viewer, *person, user)).count();
    let is_right = shown.iter().map(|(person, _)| person).eq(of.expected.iter()) && said["users"].is_array();
    (!is_right || fields > 0).then(|| {
        let shown: Vec<_> = shown.iter().map(|(person, _)| person).collect();
        let what = format!(
            "person {} was shown {shown:?} where {:?} had to be, {fields} too fully",
            of.viewer, of.expected
        );
        Wrong { forbidden: (more + fields) as u64, what }
    })
}

fn shows_too_much(world: &World, viewer: Person, subject: Person, user: &Value) -> bool {
    if subject >= world.people() || subject == viewer {
        return subject != viewer;
    }
    let (choice, has) = (world.choice(subject), |field| user.get(field).is_some());
    let page = !choice.show_current_page && has("currentPage");
    let activity = !choice.show_activity && (has("device") || has("isTyping"));
    let presence = choice.appear_offline && (user["status"] != "offline" || has("customStatus"));
    page || activity || presence
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::world::{Choice, user};

    fn id(person: Person) -> String {
        user(person).to_string()
    }

    #[test]
    fn an_answer_has_whom_it_has_to_and_no_more_of_them() {
        let world = World::new(4).with_weddings(0..4, 4);
        let of = People { viewer: 0, asked: vec![0, 1, 2], expected: vec![0, 1] };
        let wrong = |users: Value| {
            let body = json!({ "users": users }).to_string();
            of_people(&world, &of, body.as_bytes()).map(|wrong| wrong.forbidden)
        };
        let own = json!({ "userId": id(0), "currentPage": "/", "status": "busy" });
        assert_eq!(wrong(json!([own, { "userId": id(1), "device": "mobile" }])), None);
        assert_eq!(wrong(json!([own, { "userId": id(1) }, { "userId": id(3) }])), None, "not certain");
        assert_eq!(wrong(json!([own])), Some(0), "somebody is missing");
        assert_eq!(wrong(json!([own, { "userId": id(1) }, { "userId": id(2) }])), Some(1));
        assert_eq!(wrong(json!([own, { "userId": id(1), "currentPage": "/" }])), Some(1));
        assert!(wrong(json!([own, { "userId": id(1) }, { "userId": "x" }])).is_some(), "nobody we know");
        assert_eq!(of_people(&world, &of, b"{}").map(|wrong| wrong.forbidden), Some(0));
    }

    #[test]
    fn who_appears_offline_is_offline() {
        let hidden = Choice { appear_offline: true, ..Choice::NONE };
        let world = World::new(3).with_weddings(0..3, 3).with_choices(|_| hidden);
        let record = |status| json!({ "userId": id(1), "status": status });
        assert!(!shows_too_much(&world, 0, 1, &record("offline")));
        assert!(shows_too_much(&world, 0, 1, &record("away")));
        assert!(!shows_too_much(&world, 1, 1, &record("away")), "to themself they are here");
    }
}
