//! People of one organization, and what they do.

use model::{ActivityType, Metadata, OrganizationId};
use persistence::{ActivityRow, Stretch, StretchId};

use super::*;

pub(super) const OFFICE: OrganizationId = OrganizationId(Uuid::from_u128(7));
pub(super) const HOUR_MS: i64 = 60 * 60 * 1_000;

/// So many users in one organization that keeps a log.
pub(super) async fn put_office(store: &SqliteStore, users: u128) {
    let plan = model::Plan::Enterprise;
    let mut changes = vec![DirectoryChange::PutOrganization { id: OFFICE, name: "Agency".into(), plan }];
    for n in 1..=users {
        changes.push(put_user(n, "Somebody"));
        changes.push(DirectoryChange::PutMember { organization: OFFICE, user: user(n), role: Role::Member });
    }
    put(store, changes).await;
}

/// A page is viewed.
pub(super) fn view(n: u128, at: i64) -> ActivityRow {
    ActivityRow {
        id: Uuid::new_v4(),
        organization: OFFICE,
        user: user(n),
        kind: ActivityType::PageView,
        page: CleanText::parse_page("/timeline", "page", 512).unwrap(),
        at: Wall(at),
        device: None,
        session: None,
        metadata: Metadata::new(),
    }
}

/// A session of an hour.
pub(super) fn stretch(n: u128, started: i64) -> Stretch {
    let session = model::SessionId(Uuid::new_v4());
    let id = StretchId { organization: OFFICE, session, started: Wall(started) };
    Stretch { id, user: user(n), seen: Wall(started + HOUR_MS), ended: false, device: None }
}
