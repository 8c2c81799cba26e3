//! The projection alone: may one see the other, and what.

use model::{ChannelId, Settings, UserFacts, UserId, Visibility, WeddingId};
use policy::{Merged, PersonForm, Sight, present, relates, sight};
use uuid::Uuid;

use super::Work;
use crate::scene::{facts, track, user, visible};

/// Pairs of a viewer and a subject.
pub(super) const PAIRS: u64 = 1_000;

/// Subjects whom only contacts may see, and one viewer who is a contact of each.
pub(super) fn prepare() -> Work {
    let (viewer, facts) = ((user(PAIRS), somebody()), somebody());
    let subjects: Vec<_> = (0..PAIRS).map(|n| (user(n), merged())).collect();
    let settings = Settings { visibility: Visibility::Contacts, ..visible() };
    let (mut subjects, mut seen) = (subjects.into_iter(), Vec::with_capacity(PAIRS as usize));
    Box::new(move || {
        let records =
            subjects.by_ref().filter_map(|(id, merged)| project(&viewer, (id, &facts, merged), &settings));
        seen.extend(records);
        seen.len() as u64
    })
}

fn project(
    viewer: &(UserId, UserFacts),
    (id, facts, merged): (UserId, &UserFacts, Merged),
    settings: &Settings,
) -> Option<model::Record> {
    let related = |relation| relates(relation, (viewer.0, &viewer.1), (id, facts));
    match sight(related, Some(settings)) {
        Sight::Own => Some(present(PersonForm::Own, id, merged, settings)),
        Sight::Public => Some(present(PersonForm::Public, id, merged, settings)),
        Sight::Hidden => None,
    }
}

/// Somebody of four weddings.
fn somebody() -> UserFacts {
    let wedding = |n| WeddingId(Uuid::from_u128(n));
    let mut facts = facts(ChannelId::Wedding(wedding(4)));
    facts.weddings.extend((1..4).map(wedding));
    facts
}

fn merged() -> Merged {
    let track = track(1);
    Merged {
        status: track.status,
        page: track.page,
        is_typing: track.is_typing,
        device: track.device,
        custom_status: track.custom_status,
        custom_emoji: track.custom_emoji,
    }
}
