//! Who sees whom. The answer is one of three, so that there is no fourth to leak through.

use model::{Relation, Relations, Settings, UserFacts, UserId, Visibility};

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

/// Decides by the table of visibilities. Settings that were never loaded hide.
#[must_use]
pub fn sight(relations: Relations, settings: Option<&Settings>) -> Sight {
    if relations.has(Relation::SameUser) {
        return Sight::Own;
    }
    let permitted = settings.is_some_and(|settings| match settings.visibility {
        Visibility::Everyone => true,
        Visibility::Team => relations.has(Relation::OrganizationMember),
        Visibility::Contacts => relations.has(Relation::WeddingCollaborator),
        Visibility::Nobody => false,
    });
    if permitted { Sight::Public } else { Sight::Hidden }
}

/// All relations between two users: a set, because two users may be colleagues and collaborators at once.
#[must_use]
pub fn relations(viewer: (UserId, &UserFacts), subject: (UserId, &UserFacts)) -> Relations {
    let organization = viewer.1.organizations.keys().any(|id| subject.1.organizations.contains_key(id));
    let wedding = viewer.1.weddings.iter().any(|id| subject.1.weddings.contains(id));
    Relations::default()
        .with(Relation::SameUser, viewer.0 == subject.0)
        .with(Relation::OrganizationMember, organization)
        .with(Relation::WeddingCollaborator, wedding)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

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

    fn set(organization: bool, wedding: bool) -> Relations {
        Relations::default()
            .with(Relation::OrganizationMember, organization)
            .with(Relation::WeddingCollaborator, wedding)
    }

    #[test]
    fn visibility_table() {
        for (visibility, row) in TABLE {
            let settings = Settings { visibility, ..Settings::default() };
            let columns = [set(false, false), set(true, false), set(false, true), set(true, true)];
            for (relations, seen) in columns.into_iter().zip(row) {
                let expected = if seen { Sight::Public } else { Sight::Hidden };
                assert_eq!(sight(relations, Some(&settings)), expected, "{visibility:?} {relations:?}");
                let own = relations.with(Relation::SameUser, true);
                assert_eq!(sight(own, Some(&settings)), Sight::Own, "own sight is never taken");
            }
        }
    }

    #[test]
    fn settings_never_loaded_hide_from_all_but_oneself() {
        assert_eq!(sight(set(true, true), None), Sight::Hidden);
        assert_eq!(sight(Relations::default().with(Relation::SameUser, true), None), Sight::Own);
    }

    fn facts(organizations: &[u128], weddings: &[u128]) -> UserFacts {
        UserFacts {
            display_name: String::new(),
            disabled: false,
            organizations: organizations
                .iter()
                .map(|id| (OrganizationId(Uuid::from_u128(*id)), Role::Member))
                .collect::<BTreeMap<_, _>>(),
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
        for (viewer, subject, expected) in cases {
            assert_eq!(relations((a, &viewer), (b, &subject)), expected);
            assert_eq!(relations((b, &subject), (a, &viewer)), expected, "relations are symmetric");
        }
        assert!(relations((a, &facts(&[], &[])), (a, &facts(&[], &[]))).has(Relation::SameUser));
    }
}
