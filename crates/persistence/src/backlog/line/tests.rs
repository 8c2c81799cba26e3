use std::collections::BTreeMap;

use model::{MetadataKey, MetadataValue};

use super::*;

fn page() -> Option<CleanText> {
    CleanText::parse_page("/hochzeit/Größe \"1\"\\2/👩‍👩‍👧", "page", PAGE_CHARS).unwrap()
}

fn row() -> ActivityRow {
    let metadata = BTreeMap::from([
        (MetadataKey::DurationMs, MetadataValue::Number(u64::MAX)),
        (MetadataKey::Section, MetadataValue::Text("guest-list".into())),
    ]);
    ActivityRow {
        id: Uuid::from_u128(1),
        organization: OrganizationId(Uuid::from_u128(2)),
        user: UserId(Uuid::from_u128(3)),
        kind: ActivityType::PageView,
        page: page(),
        at: Wall(1_700_000_000_123),
        device: Some(Device::Tablet),
        session: Some(SessionId(Uuid::from_u128(4))),
        metadata,
    }
}

fn written(row: &impl Row) -> Vec<u8> {
    let mut line = Vec::new();
    row.push(&mut line).unwrap();
    assert_eq!(line.pop(), Some(b'\n'));
    assert!(!line.contains(&b'\n'));
    line
}

fn assert_comes_back<R: Row + PartialEq + std::fmt::Debug>(row: &R) {
    assert_eq!(R::parse(&written(row)).as_ref(), Some(row));
}

#[test]
fn every_row_comes_back_as_it_was() {
    let user = UserId(Uuid::from_u128(3));
    let bare = ActivityRow { page: None, device: None, session: None, metadata: Metadata::new(), ..row() };
    assert_comes_back(&row());
    assert_comes_back(&bare);
    for kind in ActivityType::ALL {
        assert_comes_back(&ActivityRow { kind: *kind, ..row() });
        let seen = LastSeen {
            user,
            at: Wall(-1),
            page: page(),
            device: Some(Device::Mobile),
            activity: Some(*kind),
            session_minutes: u32::MAX,
        };
        assert_comes_back(&seen);
        assert_comes_back(&LastSeen { page: None, device: None, activity: None, ..seen });
    }
    let (organization, session) = (row().organization, SessionId(Uuid::from_u128(4)));
    let id = StretchId { organization, session, started: Wall(5) };
    assert_comes_back(&Stretch { id, user, seen: Wall(6), ended: true, device: None });
    let gap = Gap { id: row().id, from: Wall(1), until: Wall(2), rows: 3, reason: GapReason::Full };
    assert_comes_back(&MarkedGap { gap, tried: true });
}

#[test]
fn one_wrong_bit_anywhere_is_noticed() {
    let line = written(&row());
    for index in 0..line.len() {
        let mut damaged = line.clone();
        damaged[index] ^= 1;
        assert_eq!(ActivityRow::parse(&damaged), None, "at {index}");
        assert_eq!(ActivityRow::parse(&line[..index]), None, "cut at {index}");
    }
}

#[test]
fn a_line_of_another_kind_is_none_and_of_a_row_the_user_is_known() {
    let line = written(&row());
    assert_eq!(LastSeen::parse(&line), None);
    assert_eq!(user_of(&line), Some(row().user));
    let gap = Gap { id: row().id, from: Wall(1), until: Wall(2), rows: 3, reason: GapReason::Full };
    assert_eq!(user_of(&written(&MarkedGap { gap, tried: false })), None);
}
