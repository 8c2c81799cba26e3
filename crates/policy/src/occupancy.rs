//! What is shown of who holds an account: a name to admins, their own clock-in to the holder, one fact to members.

use model::{AccountId, AccountRecord, Holder, Occupancy, Record, Role, UserId, Wall};

/// The three records of one occupancy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountForms<R> {
    /// For owners and admins.
    pub named: R,
    /// For the holder.
    pub own: R,
    /// For every other member. The same for every holder, so that a swap changes no byte of it.
    pub occupied: R,
}

/// Makes the three records.
#[must_use]
pub fn account_forms(
    account_id: AccountId,
    occupancy: &Occupancy,
    display_name: &str,
) -> AccountForms<Record> {
    let record = |holder| Record::Account(AccountRecord { account_id, holder });
    let since = occupancy.since.minute();
    AccountForms {
        named: record(Holder::Named {
            user_id: occupancy.user,
            display_name: display_name.to_owned(),
            since,
            stale_since: occupancy.stale_since.map(Wall::minute),
        }),
        own: record(Holder::Own { since }),
        occupied: record(Holder::Occupied),
    }
}

/// Which of the three a viewer gets: by role first, then by holding; nothing without a role in the organization.
#[must_use]
pub fn account_form<R>(
    forms: &AccountForms<R>,
    viewer: UserId,
    role: Option<Role>,
    holder: UserId,
) -> Option<&R> {
    let role = role?;
    Some(if role.administers() {
        &forms.named
    } else if viewer == holder {
        &forms.own
    } else {
        &forms.occupied
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Minute;
    use uuid::Uuid;

    #[test]
    fn by_role_then_by_holding() {
        let (holder, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let occupancy =
            Occupancy { user: holder, since: Wall(61_000), stale_since: Some(Wall(125_000)), epoch: 3 };
        let forms = account_forms(AccountId(Uuid::from_u128(9)), &occupancy, "Ada");
        let cases = [
            (holder, None, None),
            (other, None, None),
            (holder, Some(Role::Member), Some(&forms.own)),
            (other, Some(Role::Member), Some(&forms.occupied)),
            (holder, Some(Role::Admin), Some(&forms.named)),
            (other, Some(Role::Admin), Some(&forms.named)),
            (other, Some(Role::Owner), Some(&forms.named)),
        ];
        for (viewer, role, expected) in cases {
            assert_eq!(account_form(&forms, viewer, role, holder), expected, "{viewer:?} {role:?}");
        }
        let Record::Account(named) = &forms.named else { panic!("an account") };
        assert_eq!(
            named.holder,
            Holder::Named {
                user_id: holder,
                display_name: "Ada".into(),
                since: Minute(1),
                stale_since: Some(Minute(2))
            }
        );
    }

    #[test]
    fn a_swap_changes_no_byte_for_members() {
        let id = AccountId(Uuid::from_u128(9));
        let held = |user: u128, since| {
            let occupancy = Occupancy {
                user: UserId(Uuid::from_u128(user)),
                since: Wall(since),
                stale_since: None,
                epoch: user as u64,
            };
            account_forms(id, &occupancy, "").occupied
        };
        assert_eq!(held(1, 0), held(2, 999_999));
    }
}
