//! Occupancy by role: `account_badges` has the three forms of the policy, and no account for anybody else.

use std::collections::BTreeMap;

use model::{AccountId, Holder, Record, UserId};
use policy::{account_form, account_forms};
use uuid::Uuid;

use super::{Viewer, World, claims, populated};

/// Account, own, user, name, minutes of since and of stale since, and whether the last sign is told.
type Badge = (Uuid, bool, Option<Uuid>, Option<String>, Option<i64>, Option<i64>, bool);

const READ: &str = "SELECT account_id, own, user_id, display_name, (extract(epoch FROM clocked_in_at) / 60)::bigint, \
                    (extract(epoch FROM stale_since) / 60)::bigint, last_sign_at IS NOT NULL FROM account_badges";

fn badge(account: AccountId, record: &Record) -> Badge {
    let Record::Account(record) = record else { panic!("an account") };
    match record.holder.clone() {
        Holder::Occupied => (account.0, false, None, None, None, None, false),
        Holder::Own { since } => (account.0, true, None, None, Some(since.0), None, false),
        Holder::Named { user_id, display_name, since, stale_since } => {
            let stale = stale_since.map(|minute| minute.0);
            (account.0, false, Some(user_id.0), Some(display_name), Some(since.0), stale, true)
        }
    }
}

fn expected(world: &World, viewer: UserId) -> BTreeMap<Uuid, Badge> {
    let facts = &world.users[&viewer];
    let forms = world.held.iter().filter_map(|(account, (organization, occupancy))| {
        let name = &world.users[&occupancy.user].display_name;
        let forms = account_forms(*account, occupancy, name);
        let role = facts.organizations.get(organization).copied().filter(|_| !facts.disabled);
        let form = account_form(&forms, viewer, role, occupancy.user)?;
        Some((account.0, badge(*account, form)))
    });
    forms.collect()
}

#[tokio::test]
async fn badges_are_the_forms_of_the_policy() {
    let (database, world) = populated(7).await;
    let mut connection = Viewer::at(&database).await;
    let mut forms = [0; 3];
    for viewer in world.users.keys() {
        let rows: Vec<Badge> = connection.reads(Some(&claims(*viewer)), READ).await.unwrap();
        let count = rows.len();
        let read: BTreeMap<Uuid, Badge> = rows.into_iter().map(|badge| (badge.0, badge)).collect();
        assert_eq!(read.len(), count, "no account twice");
        assert_eq!(read, expected(&world, *viewer), "seed 7, viewer {viewer}");
        for (_, own, user, ..) in read.values() {
            forms[if *own { 0 } else { 1 + usize::from(user.is_some()) }] += 1;
        }
    }
    assert!(forms.iter().all(|count| *count > 10), "each form was met: {forms:?}");
}
