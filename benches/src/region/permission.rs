//! The question behind everything: may this viewer see that subject? Of people whose facts are all known.

use std::hint::black_box;

use model::{OrganizationId, Role, Settings, UserFacts, UserId, Visibility, WeddingId};
use policy::{Sight, relates, sight};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use super::Work;
use crate::scene::user;

/// Questions, each about another pair.
pub(crate) const CHECKS: u64 = 1_000;
/// Everybody who is known.
const PEOPLE: u64 = 2 * CHECKS;
/// Of an organization, and of a wedding.
const GROUP: u64 = 20;
/// Some are asked about their neighbours, the others about somebody this far away, who is in no group of theirs.
const FAR: u64 = 997;

/// Every viewer asks about one subject. Nothing is made anew, so that it can be done again and again.
pub(crate) fn prepare() -> Work {
    let people: FxHashMap<_, _> = (0..PEOPLE).map(|n| (user(n), facts(n))).collect();
    let pairs: Vec<_> =
        (0..CHECKS).map(pair).map(|(viewer, subject)| (user(viewer), user(subject))).collect();
    Box::new(move || {
        for (viewer, subject) in &pairs {
            black_box(may_see(&people, *viewer, *subject));
        }
        pairs.len() as u64
    })
}

/// Both are looked up first: whom it is about is known by their ids.
fn may_see(people: &FxHashMap<UserId, UserFacts>, viewer: UserId, subject: UserId) -> bool {
    let (Some(of_viewer), Some(of_subject)) = (people.get(&viewer), people.get(&subject)) else {
        return false;
    };
    let related = |relation| relates(relation, (viewer, of_viewer), (subject, of_subject));
    sight(related, of_subject.settings.as_ref()) != Sight::Hidden
}

fn pair(n: u64) -> (u64, u64) {
    let viewer = 2 * n;
    let distance = if is_near(n) { 1 } else { FAR };
    (viewer, (viewer + distance) % PEOPLE)
}

fn is_near(n: u64) -> bool {
    mixed(n).is_multiple_of(2)
}

/// Without a pattern that a processor would foresee.
fn mixed(n: u64) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let once = (n + 1).wrapping_mul(ODD);
    (once ^ once >> 32).wrapping_mul(ODD) >> 32
}

/// Which of the four visibilities they chose.
fn choice(n: u64) -> usize {
    (mixed(n) / 2 % 4) as usize
}

/// Somebody of two organizations and three weddings, with one of the four visibilities.
fn facts(n: u64) -> UserFacts {
    const CHOICES: [Visibility; 4] =
        [Visibility::Everyone, Visibility::Team, Visibility::Contacts, Visibility::Nobody];
    let id = |line: u64, group: u64| Uuid::from_u64_pair(line, group);
    let organizations = [id(1, n / GROUP), id(2, n % 100)];
    let weddings = [id(3, n / GROUP), id(4, (n + GROUP / 3) / GROUP), id(5, n % 100)];
    UserFacts {
        display_name: format!("Guest {n}"),
        disabled: false,
        organizations: organizations.map(|id| (OrganizationId(id), Role::Member)).into(),
        enterprise: Default::default(),
        erased: false,
        weddings: weddings.map(WeddingId).into(),
        settings: Some(Settings { visibility: CHOICES[choice(n)], ..Settings::default() }),
        last_seen: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// By visibility, and by whether they are neighbours: how many of how many are seen.
    #[test]
    fn there_are_hits_and_misses_of_every_kind() {
        let people: FxHashMap<_, _> = (0..PEOPLE).map(|n| (user(n), facts(n))).collect();
        let mut found: BTreeMap<_, (u32, u32)> = BTreeMap::new();
        for n in 0..CHECKS {
            let (viewer, subject) = pair(n);
            let kind = (choice(subject), is_near(n));
            let (seen, of) = found.entry(kind).or_default();
            *seen += u32::from(may_see(&people, user(viewer), user(subject)));
            *of += 1;
        }
        assert_eq!(found.len(), 8);
        for ((visibility, near), (seen, of)) in found {
            let all = if visibility == 0 || near && (1..3).contains(&visibility) { of } else { 0 };
            assert!(of > 80 && seen == all, "{visibility} {near}: {seen} of {of}");
        }
    }
}
