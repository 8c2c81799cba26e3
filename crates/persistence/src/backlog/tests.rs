use std::{collections::VecDeque, fs, os::unix::fs::PermissionsExt, path::Path};

use model::{ActivityType, Metadata, OrganizationId, UserId, Wall};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{ActivityRow, GapReason, LastSeen};

const MAX_BYTES: u64 = 16 * 1024 * 1024;

fn row(n: u128) -> ActivityRow {
    ActivityRow {
        id: Uuid::from_u128(n),
        organization: OrganizationId(Uuid::from_u128(7)),
        user: UserId(Uuid::from_u128(n)),
        kind: ActivityType::Focus,
        page: None,
        at: Wall(1_000 + n as i64),
        device: None,
        session: None,
        metadata: Metadata::new(),
    }
}

fn rows(range: std::ops::Range<u128>) -> VecDeque<ActivityRow> {
    range.map(row).collect()
}

fn seen(n: u128, at: i64) -> LastSeen {
    let user = UserId(Uuid::from_u128(n));
    LastSeen { user, at: Wall(at), page: None, device: None, activity: None, session_minutes: 0 }
}

fn open(home: &TempDir, max_bytes: u64) -> Disk {
    Disk::open(home.path().to_owned(), max_bytes).unwrap()
}

fn append(disk: &mut Disk, range: std::ops::Range<u128>) {
    let appended = disk.append_activity(rows(range));
    appended.result.unwrap();
    assert!(appended.rest.is_empty());
}

/// Reads all that waits, as if the store took it, page by page.
fn drain(disk: &mut Disk, limit: u64) -> Vec<u128> {
    let mut ids = Vec::new();
    while let Some(page) = disk.page(limit).unwrap() {
        ids.extend(page.rows.iter().map(|row| row.id.as_u128()));
        disk.turn(&page, true).unwrap();
    }
    ids
}

fn segments(home: &TempDir) -> Vec<String> {
    let names = fs::read_dir(home.path()).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("activity-"));
    names.sort();
    names
}

fn damage(path: &Path, act: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    act(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_was_appended_comes_back_in_order_and_its_files_go() {
    let home = tempfile::tempdir().unwrap();
    let mut disk = open(&home, MAX_BYTES);
    append(&mut disk, 0..9_000);
    assert!(segments(&home).len() >= 2, "segments are bounded");
    append(&mut disk, 9_000..9_001);
    drop(disk);
    let mut disk = open(&home, MAX_BYTES);
    assert_eq!(disk.figures().activity_rows, 9_001);
    append(&mut disk, 9_001..9_002);
    assert_eq!(drain(&mut disk, 1_000), (0..9_002).collect::<Vec<_>>());
    assert_eq!((segments(&home).len(), disk.figures().bytes), (0, 0));
}

#[test]
fn a_page_that_was_not_taken_is_read_again_and_one_taken_is_not() {
    let home = tempfile::tempdir().unwrap();
    let mut disk = open(&home, MAX_BYTES);
    append(&mut disk, 0..10);
    let page = disk.page(4).unwrap().unwrap();
    disk.turn(&page, true).unwrap();
    let page = disk.page(4).unwrap().unwrap();
    disk.turn(&page, false).unwrap();
    append(&mut disk, 10..12);
    assert_eq!(disk.figures().activity_rows, 8);
    assert_eq!(drain(&mut disk, 4), (4..12).collect::<Vec<_>>());
}

#[test]
fn a_backlog_has_one_owner_who_alone_may_read_it() {
    let home = tempfile::tempdir().unwrap();
    let backlog = Backlog::open(home.path().join("deep/backlog"), MAX_BYTES).unwrap();
    append(&mut backlog.lock(), 0..1);
    let second = Backlog::open(home.path().join("deep/backlog"), MAX_BYTES).err().unwrap();
    assert!(second.to_string().contains("give each hub a directory of its own"), "{second}");
    for file in fs::read_dir(home.path().join("deep/backlog")).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
    drop(backlog);
    Backlog::open(home.path().join("deep/backlog"), MAX_BYTES).unwrap();
}

#[test]
fn foreign_files_are_left_alone_and_a_rewriting_that_broke_off_is_nothing() {
    let home = tempfile::tempdir().unwrap();
    for name in ["notes.txt", "activity-1.ndjson", "activity-0000000000000000000x.ndjson", "new"] {
        fs::write(home.path().join(name), "mine\n").unwrap();
    }
    let mut disk = open(&home, MAX_BYTES);
    append(&mut disk, 0..3);
    disk.forget(&[UserId(Uuid::from_u128(1))].into()).unwrap();
    assert_eq!(drain(&mut disk, 10), [0, 2]);
    assert_eq!(fs::read(home.path().join("activity-1.ndjson")).unwrap(), b"mine\n");
    assert!(!home.path().join("new").exists());
}

#[test]
fn a_torn_tail_is_cut_and_writing_goes_on_behind_what_is_whole() {
    let home = tempfile::tempdir().unwrap();
    let mut disk = open(&home, MAX_BYTES);
    append(&mut disk, 0..3);
    disk.save_last_seen(&Newest { rows: vec![seen(1, 1)], whole: false }).unwrap();
    drop(disk);
    for name in [segments(&home)[0].as_str(), "last-seen.ndjson"] {
        damage(&home.path().join(name), |bytes| bytes.extend_from_slice(b"12345678 {\"kind\""));
    }
    let mut disk = open(&home, MAX_BYTES);
    assert_eq!((disk.figures().torn_lines, disk.figures().damaged_lines), (2, 0));
    assert_eq!(disk.take_found().0, [seen(1, 1)]);
    append(&mut disk, 3..4);
    disk.save_last_seen(&Newest { rows: vec![seen(1, 2)], whole: false }).unwrap();
    assert_eq!(drain(&mut disk, 10), [0, 1, 2, 3]);
    drop(disk);
    assert_eq!(open(&home, MAX_BYTES).take_found().0, [seen(1, 1), seen(1, 2)]);
}

#[test]
fn a_damaged_line_is_set_aside_and_marked_and_the_others_are_used() {
    let home = tempfile::tempdir().unwrap();
    let mut disk = open(&home, MAX_BYTES);
    append(&mut disk, 0..5);
    drop(disk);
    damage(&home.path().join(&segments(&home)[0]), |bytes| {
        let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 30;
        bytes[second] ^= 4;
    });
    let mut disk = open(&home, MAX_BYTES);
    assert_eq!(drain(&mut disk, 10), [0, 2, 3, 4]);
    let gap = disk.next_gap().unwrap().unwrap();
    assert_eq!((gap.rows, gap.reason), (1, GapReason::Corrupt));
    assert!(gap.from >= row(0).at && gap.until <= row(4).at, "near those beside it");
    assert_eq!(disk.figures().damaged_lines, 1);
    assert_eq!(fs::read_to_string(home.path().join("corrupt.txt")).unwrap().lines().count(), 1);
}

#[test]
fn a_damaged_newest_state_is_set_aside_once() {
    let home = tempfile::tempdir().unwrap();
    let mut disk = open(&home, MAX_BYTES);
    disk.save_last_seen(&Newest { rows: vec![seen(1, 1), seen(2, 2)], whole: false }).unwrap();
    drop(disk);
    damage(&home.path().join("last-seen.ndjson"), |bytes| bytes[0] ^= 1);
    for damaged in [1, 0] {
        let mut disk = open(&home, MAX_BYTES);
        assert_eq!((disk.figures().damaged_lines, disk.take_found().0), (damaged, vec![seen(2, 2)]));
    }
}

#[test]
fn a_file_that_vanished_is_marked() {
    let home = tempfile::tempdir().unwrap();
    let mut disk = open(&home, MAX_BYTES);
    append(&mut disk, 0..5);
    fs::remove_file(home.path().join(&segments(&home)[0])).unwrap();
    assert!(disk.page(10).unwrap().is_none());
    let gap = disk.next_gap().unwrap().unwrap();
    assert_eq!((gap.rows, gap.reason, disk.figures().activity_rows), (5, GapReason::Corrupt, 0));
}

#[test]
fn the_limit_holds_to_the_byte() {
    let home = tempfile::tempdir().unwrap();
    let mut probe = open(&home, MAX_BYTES);
    append(&mut probe, 0..1);
    let line = probe.figures().bytes;
    drop(probe);
    for (max_bytes, dropped) in [(line * 16, 0), (line * 16 - 1, 2)] {
        let home = tempfile::tempdir().unwrap();
        let mut disk = open(&home, max_bytes);
        append(&mut disk, 0..16);
        let figures = disk.figures();
        assert!(figures.bytes <= max_bytes);
        assert_eq!(figures.dropped_rows > 0, dropped > 0, "{figures:?}");
        assert_eq!(drain(&mut disk, 10).len() as u64, 16 - figures.dropped_rows);
        let marked = disk.next_gap().unwrap().map_or(0, |gap| gap.rows);
        assert_eq!(marked, figures.dropped_rows);
    }
}

#[test]
fn newest_states_make_activity_give_way_but_not_each_other() {
    let home = tempfile::tempdir().unwrap();
    let mut disk = open(&home, 8 * 1024);
    append(&mut disk, 0..30);
    let many =
        |range: std::ops::Range<u128>| Newest { rows: range.map(|n| seen(n, 1)).collect(), whole: false };
    disk.save_last_seen(&many(0..40)).unwrap();
    assert!(disk.figures().dropped_rows > 0);
    let full = disk.save_last_seen(&many(40..100)).unwrap_err();
    assert!(matches!(full, BacklogError::Full { .. }), "{full}");
    drop(disk);
    assert_eq!(open(&home, 8 * 1024).take_found().0.len(), 40);
}

#[test]
fn a_mark_that_the_store_may_have_does_not_grow() {
    let home = tempfile::tempdir().unwrap();
    let mut disk = open(&home, MAX_BYTES);
    let loss = |at, rows| Loss { from: Wall(at), until: Wall(at), rows };
    disk.lost(GapReason::Full, loss(5, 1)).unwrap();
    disk.lost(GapReason::Full, loss(3, 2)).unwrap();
    let first = disk.next_gap().unwrap().unwrap();
    assert_eq!((first.from, first.until, first.rows), (Wall(3), Wall(5), 3));
    drop(disk);
    let mut disk = open(&home, MAX_BYTES);
    disk.lost(GapReason::Full, loss(9, 4)).unwrap();
    assert_eq!(disk.next_gap().unwrap(), Some(first));
    disk.gap_settled().unwrap();
    assert_eq!(disk.next_gap().unwrap().unwrap().rows, 4);
    disk.gap_settled().unwrap();
    assert_eq!((disk.next_gap().unwrap(), disk.figures().bytes), (None, 0));
}

#[test]
fn what_is_set_aside_is_bounded() {
    let home = tempfile::tempdir().unwrap();
    let mut disk = open(&home, 8 * 1024);
    for n in 0..100 {
        disk.refuse(&Refused::Activity(row(n))).unwrap();
    }
    assert!(disk.figures().bytes <= 8 * 1024 + 512, "{:?}", disk.figures());
    assert_eq!(disk.next_gap().unwrap().unwrap().rows, 100, "all are marked");
}

#[test]
fn a_person_goes_also_from_what_is_half_read() {
    let home = tempfile::tempdir().unwrap();
    let mut disk = open(&home, MAX_BYTES);
    append(&mut disk, 0..10);
    let page = disk.page(4).unwrap().unwrap();
    disk.turn(&page, true).unwrap();
    for n in [1, 6] {
        disk.forget(&[UserId(Uuid::from_u128(n))].into()).unwrap();
    }
    append(&mut disk, 10..11);
    assert_eq!(drain(&mut disk, 3), [4, 5, 7, 8, 9, 10]);
}
