use std::cell::Cell;

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::limits;

fn user() -> UserId {
    UserId(Uuid::from_u128(7))
}

fn text(raw: &str) -> Option<CleanText> {
    CleanText::parse(raw, "text", 600).unwrap()
}

fn person(state: PersonState) -> Record {
    Record::Person(PersonRecord { user_id: user(), state })
}

fn account(holder: Holder) -> Record {
    Record::Account(AccountRecord { account_id: AccountId(Uuid::from_u128(9)), holder })
}

fn bare(status: Status) -> PersonState {
    PersonState::Present {
        status,
        page: None,
        is_typing: false,
        device: None,
        custom_status: None,
        custom_emoji: None,
    }
}

fn full() -> PersonState {
    PersonState::Present {
        status: Status::Busy,
        page: text("/a"),
        is_typing: true,
        device: Some(Device::Mobile),
        custom_status: text("hi"),
        custom_emoji: text("🎂"),
    }
}

fn named(stale_since: Option<Minute>) -> Record {
    account(Holder::Named { user_id: user(), display_name: "Ada".into(), since: Minute(0), stale_since })
}

const USER: &str = "00000000-0000-0000-0000-000000000007";
const ACCOUNT: &str = "00000000-0000-0000-0000-000000000009";

/// Every record as its viewer reads it: a field that is not shown is not there.
#[test]
fn records_are_written_and_read_as_the_contract_says() {
    let epoch = "1970-01-01T00:00:00Z";
    let rows: [(Record, Value); 9] = [
        (person(bare(Status::Online)), json!({"userId": USER, "status": "online"})),
        (person(bare(Status::Idle)), json!({"userId": USER, "status": "idle"})),
        (person(bare(Status::Away)), json!({"userId": USER, "status": "away"})),
        (
            person(full()),
            json!({"userId": USER, "status": "busy", "currentPage": "/a", "isTyping": true, "device": "mobile",
                "customStatus": "hi", "customEmoji": "🎂"}),
        ),
        (
            person(PersonState::Offline { last_seen: None }),
            json!({"userId": USER, "status": "offline", "lastSeen": null}),
        ),
        (
            person(PersonState::Offline { last_seen: Some(Minute(1)) }),
            json!({"userId": USER, "status": "offline", "lastSeen": "1970-01-01T00:01:00Z"}),
        ),
        (account(Holder::Occupied), json!({"accountId": ACCOUNT, "holder": "occupied"})),
        (
            account(Holder::Own { since: Minute(0) }),
            json!({"accountId": ACCOUNT, "holder": "own", "since": epoch}),
        ),
        (
            named(None),
            json!({"accountId": ACCOUNT, "holder": "named", "userId": USER, "displayName": "Ada", "since": epoch}),
        ),
    ];
    for (record, value) in rows {
        assert_eq!(serde_json::to_value(&record).unwrap(), value);
        assert_eq!(serde_json::from_value::<Record>(value).unwrap(), record);
    }
    let stale = serde_json::to_value(named(Some(Minute(0)))).unwrap();
    assert_eq!(stale["staleSince"], epoch);
    assert_eq!(serde_json::from_value::<Record>(stale).unwrap(), named(Some(Minute(0))));
}

#[test]
fn fields_of_a_later_version_are_passed_over_and_half_records_refused() {
    let more = json!({"userId": USER, "status": "online", "mood": "fine"});
    assert_eq!(serde_json::from_value::<Record>(more).unwrap(), person(bare(Status::Online)));
    for half in [
        json!({}),
        json!({"userId": USER}),
        json!({"status": "online"}),
        json!({"userId": USER, "status": "invisible"}),
        json!({"accountId": ACCOUNT}),
        json!({"accountId": ACCOUNT, "holder": "somebody"}),
        json!({"accountId": ACCOUNT, "holder": "own"}),
        json!({"accountId": ACCOUNT, "holder": "named", "userId": USER, "since": "1970-01-01T00:00:00Z"}),
        json!({"accountId": ACCOUNT, "holder": "named", "displayName": "Ada", "since": "1970-01-01T00:00:00Z"}),
        json!({"accountId": ACCOUNT, "holder": "named", "userId": USER, "displayName": "Ada"}),
    ] {
        assert!(serde_json::from_value::<Record>(half.clone()).is_err(), "{half}");
    }
}

#[test]
fn a_record_knows_its_entry() {
    assert_eq!(person(full()).id(), EntryId::Person(user()));
    assert_eq!(named(None).id(), EntryId::Account(AccountId(Uuid::from_u128(9))));
}

/// A frame's budget counts with the weight: it has to hold for the worst texts.
#[test]
fn no_record_is_longer_than_its_weight_and_the_heaviest_fits_a_turn() {
    let budget = limits::TURN_BYTES - limits::TURN_OVERHEAD_BYTES - 128;
    for worst in ["\"", "\\", "é", "한", "🎂", "a"] {
        let of = |n: usize| text(&worst.repeat(n));
        let person = person(PersonState::Present {
            status: Status::Online,
            page: of(limits::PAGE_CHARS),
            is_typing: true,
            device: Some(Device::Desktop),
            custom_status: of(limits::CUSTOM_STATUS_CHARS),
            custom_emoji: of(limits::CUSTOM_EMOJI_CHARS),
        });
        let named = account(Holder::Named {
            user_id: user(),
            display_name: worst.repeat(limits::NAME_CHARS),
            since: Minute(0),
            stale_since: Some(Minute(0)),
        });
        for record in [person, named] {
            assert!(serde_json::to_vec(&record).unwrap().len() < record.weight(), "{worst}");
            assert!(record.weight() <= budget, "{worst}: {}", record.weight());
        }
    }
    for light in [person(full()), person(PersonState::Offline { last_seen: None }), account(Holder::Occupied)]
    {
        assert!(serde_json::to_vec(&light).unwrap().len() <= light.weight());
    }
}

/// A turn is filled by weight: what is counted too much is room that nobody uses.
#[test]
fn the_weight_of_an_ordinary_record_is_close_to_its_length() {
    let ordinary = [
        person(bare(Status::Online)),
        person(full()),
        person(PersonState::Offline { last_seen: None }),
        person(PersonState::Offline { last_seen: Some(Minute(29_000_000)) }),
        account(Holder::Occupied),
        account(Holder::Own { since: Minute(29_000_000) }),
        named(None),
        named(Some(Minute(29_000_000))),
    ];
    for record in ordinary {
        let (bytes, weight) = (serde_json::to_vec(&record).unwrap().len(), record.weight());
        assert!(bytes < weight && 2 * weight <= 3 * bytes, "{bytes} bytes, weight {weight}: {record:?}");
        assert_eq!(SharedRecord::new(record).weight(), weight);
    }
}

#[test]
fn a_shared_record_is_encoded_once_for_each_encoding() {
    let shared = SharedRecord::new(person(full()));
    let times = Cell::new(0);
    let encode = |bytes: &mut Vec<u8>, _: &Record| {
        times.set(times.get() + 1);
        bytes.push(times.get());
    };
    for _ in 0..3 {
        assert_eq!(shared.encoded(Encoding::Json, encode), [1]);
        assert_eq!(shared.encoded(Encoding::MessagePack, encode), [2]);
    }
    assert_eq!(times.get(), 2);
    assert_eq!(shared.record(), &person(full()));
}

#[test]
fn a_record_of_the_same_value_is_kept() {
    let first = SharedRecord::renew(None, named(None));
    let again = SharedRecord::renew(Some(first.clone()), named(None));
    assert!(Arc::ptr_eq(&first, &again));
    let other = SharedRecord::renew(Some(first.clone()), named(Some(Minute(0))));
    assert!(!Arc::ptr_eq(&first, &other) && first != other);
    assert_eq!(*first, SharedRecord::new(named(None)), "equal by value");
}
