//! Who sees whom. The answer is one of three, so that there is no fourth to leak through.

use std::collections::{BTreeMap, BTreeSet};

use model::{Relation, Settings, UserFacts, UserId, Visibility};

/// What a viewer gets of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The viewer is the subject: everything.
    Own,
    /// What the subject shows to those who may see them.
    Public,
    /// Nothing, as if the subject did not exist.
    Hidden,
}

/// Decides by the table of visibilities, and asks for no relation that the answer does not depend on. Settings that
/// were never loaded hide.
#[must_use]
pub fn sight(relates: impl Fn(Relation) -> bool, settings: Option<&Settings>) -> Sight {
    if relates(Relation::SameUser) {
        return Sight::Own;
    }
    let permitted = settings.is_some_and(|settings| match settings.visibility {
        Visibility::Everyone => true,
        Visibility::Team => relates(Relation::OrganizationMember),
        Visibility::Contacts => relates(Relation::WeddingCollaborator),
        Visibility::Nobody => false,
    });
    if permitted { Sight::Public } else { Sight::Hidden }
}

/// Whether two users stand in a relation. Relations are a set: two users may be colleagues and collaborators at once.
#[must_use]
pub fn relates(relation: Relation, viewer: (UserId, &UserFacts), subject: (UserId, &UserFacts)) -> bool {
    let ((viewer, of_viewer), (subject, of_subject)) = (viewer, subject);
    match relation {
        Relation::SameUser => viewer == subject,
        Relation::OrganizationMember => {
            let (few, many) = fewer_first(&of_viewer.organizations, &of_subject.organizations, BTreeMap::len);
            few.keys().any(|id| many.contains_key(id))
        }
        Relation::WeddingCollaborator => {
            let (few, many) = fewer_first(&of_viewer.weddings, &of_subject.weddings, BTreeSet::len);
            few.iter().any(|id| many.contains(id))
        }
    }
}

fn fewer_first<'a, T>(a: &'a T, b: &'a T, len: fn(&T) -> usize) -> (&'a T, &'a T) {
    if len(a) <= len(b) { (a, b) } else { (b, a) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{OrganizationId, Role, WeddingId};
    use uuid::Uuid;

    /// Rows: visibility. Columns: nobody in common, organization, wedding, both.
    const TABLE: [(Visibility, [bool; 4]); 4] = [
        (Visibility::Everyone, [true, true, true, true]),
        (Visibility::Team, [false, true, false, true]),
        (Visibility::Contacts, [false, false, true, true]),
        (Visibility::Nobody, [false, false, false, false]),
    ];

    /// The relations of two different users.
    fn set(organization: bool, wedding: bool) -> Vec<Relation> {
        let held = [(organization, Relation::OrganizationMember), (wedding, Relation::WeddingCollaborator)];
        held.into_iter().filter(|(holds, _)| *holds).map(|(_, relation)| relation).collect()
    }

    fn seen(relations: &[Relation], settings: Option<&Settings>) -> Sight {
        sight(|relation| relations.contains(&relation), settings)
    }

    #[test]
    fn visibility_table() {
        for (visibility, row) in TABLE {
            let settings = Settings { visibility, ..Settings::default() };
            let columns = [set(false, false), set(true, false), set(false, true), set(true, true)];
            for (mut relations, visible) in columns.into_iter().zip(row) {
                let expected = if visible { Sight::Public } else { Sight::Hidden };
                assert_eq!(seen(&relations, Some(&settings)), expected, "{visibility:?} {relations:?}");
                relations.push(Relation::SameUser);
                assert_eq!(seen(&relations, Some(&settings)), Sight::Own, "own sight is never taken");
            }
        }
    }

    #[test]
    fn settings_never_loaded_hide_from_all_but_oneself() {
        assert_eq!(seen(&set(true, true), None), Sight::Hidden);
        assert_eq!(seen(&[Relation::SameUser], None), Sight::Own);
    }

    fn facts(organizations: &[u128], weddings: &[u128]) -> UserFacts {
        UserFacts {
            display_name: String::new(),
            disabled: false,
            organizations: organizations
                .iter()
                .map(|id| (OrganizationId(Uuid::from_u128(*id)), Role::Member))
                .collect::<BTreeMap<_, _>>(),
            enterprise: BTreeSet::new(),
            erased: false,
            weddings: weddings.iter().map(|id| WeddingId(Uuid::from_u128(*id))).collect::<BTreeSet<_>>(),
            settings: None,
            last_seen: None,
        }
    }

    #[test]
    fn relations_are_a_set() {
        let (a, b) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let cases = [
            (facts(&[1], &[1]), facts(&[2], &[2]), set(false, false)),
            (facts(&[1, 2], &[1]), facts(&[2], &[2]), set(true, false)),
            (facts(&[1], &[1, 2]), facts(&[2], &[2]), set(false, true)),
            (facts(&[1], &[1]), facts(&[1], &[1]), set(true, true)),
        ];
        let others = [Relation::OrganizationMember, Relation::WeddingCollaborator];
        for (viewer, subject, expected) in cases {
            for relation in others {
                let holds = expected.contains(&relation);
                assert_eq!(relates(relation, (a, &viewer), (b, &subject)), holds, "{relation:?}");
                assert_eq!(relates(relation, (b, &subject), (a, &viewer)), holds, "relations are symmetric");
            }
            assert!(!relates(Relation::SameUser, (a, &viewer), (b, &subject)));
        }
        let nobody = facts(&[], &[]);
        assert!(relates(Relation::SameUser, (a, &nobody), (a, &nobody)));
    }
}
