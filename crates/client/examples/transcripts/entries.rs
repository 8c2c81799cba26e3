//! Channels, and entries that are in them.

use model::{
    AccountId, AccountRecord, ChannelId, CleanText, Device, EntryId, Holder, Minute, OrganizationId,
    PersonRecord, PersonState, Record, Settings, Status, UserId, Visibility, WeddingId,
};
use uuid::Uuid;

use crate::chance::Chance;

/// So few that they meet; and a person and an account may have the same id, which means nothing.
const ENTRIES: usize = 7;
const CHANNELS: usize = 5;

/// Far apart in every byte that tells them apart, so that their order says something.
fn id(number: usize) -> Uuid {
    let number = u128::try_from(number).unwrap_or_default();
    Uuid::from_u128(number.wrapping_mul(0x5DEE_CE66_D1CE_4E5B_9E37_79B9_7F4A_7C15))
}

pub(crate) fn channel(chance: &mut Chance) -> ChannelId {
    channels()[chance.below(CHANNELS)]
}

pub(crate) fn channels() -> [ChannelId; CHANNELS] {
    [
        ChannelId::Wedding(WeddingId(id(21))),
        ChannelId::Wedding(WeddingId(id(22))),
        ChannelId::Organization(OrganizationId(id(23))),
        ChannelId::Account(AccountId(id(24))),
        ChannelId::Organization(OrganizationId(id(25))),
    ]
}

pub(crate) fn session(number: usize) -> Uuid {
    id(100 + number)
}

pub(crate) fn user(chance: &mut Chance) -> UserId {
    UserId(id(1 + chance.below(ENTRIES)))
}

pub(crate) fn entry(chance: &mut Chance) -> EntryId {
    let id = user(chance);
    if chance.one_in(3) { EntryId::Account(AccountId(id.0)) } else { EntryId::Person(id) }
}

/// What may be seen of an entry at some time.
pub(crate) fn record(of: EntryId, chance: &mut Chance) -> Record {
    match of {
        EntryId::Person(user_id) => Record::Person(PersonRecord { user_id, state: state(chance) }),
        EntryId::Account(account_id) => Record::Account(AccountRecord { account_id, holder: holder(chance) }),
    }
}

fn state(chance: &mut Chance) -> PersonState {
    if chance.one_in(5) {
        let last_seen = (!chance.one_in(3)).then(|| minute(chance));
        return PersonState::Offline { last_seen };
    }
    PersonState::Present {
        status: *chance.of(&[Status::Online, Status::Idle, Status::Away, Status::Busy]),
        page: text(chance, &["/weddings/7/timeline", "/", "/gäste \"neu\"\\"]),
        is_typing: chance.one_in(4),
        device: chance.one_in(2).then(|| *chance.of(&[Device::Desktop, Device::Mobile, Device::Tablet])),
        custom_status: text(chance, &["On site until 18:00", "<b>x</b>", "мир"]),
        custom_emoji: text(chance, &["📸", "👩‍🍳"]),
    }
}

fn holder(chance: &mut Chance) -> Holder {
    let since = minute(chance);
    match chance.below(3) {
        0 => Holder::Occupied,
        1 => Holder::Own { since },
        _ => Holder::Named {
            user_id: user(chance),
            display_name: (*chance.of(&["Ben Özdemir", "\"V\""])).to_owned(),
            since,
            stale_since: chance.one_in(2).then(|| minute(chance)),
        },
    }
}

pub(crate) fn settings(chance: &mut Chance) -> Settings {
    let all = [Visibility::Everyone, Visibility::Team, Visibility::Contacts, Visibility::Nobody];
    Settings {
        visibility: *chance.of(&all),
        show_activity: chance.one_in(2),
        show_current_page: chance.one_in(2),
        appear_offline: chance.one_in(2),
        custom_status: text(chance, &["On leave"]),
        custom_emoji: text(chance, &["🌴"]),
    }
}

pub(crate) fn minute(chance: &mut Chance) -> Minute {
    // Some day of 2026.
    Minute(29_450_000 + i64::try_from(chance.below(500_000)).unwrap_or_default())
}

/// One of these texts, or none.
fn text(chance: &mut Chance, texts: &[&str]) -> Option<CleanText> {
    if chance.one_in(2) {
        return None;
    }
    CleanText::parse(chance.of::<&str>(texts), "text", usize::MAX).ok().flatten()
}
