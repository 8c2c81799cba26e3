use std::{fs, os::unix::fs::PermissionsExt};

use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::*;
use crate::ArchiveFolder;

fn week() -> Week {
    Week::named("2026-11-16").unwrap()
}

fn folder() -> (tempfile::TempDir, ArchiveFolder) {
    let home = tempfile::tempdir().unwrap();
    let folder = ArchiveFolder::open(&home.path().join("archive")).unwrap();
    (home, folder)
}

/// Rows as unlike each other as stores may write them, in order.
fn rows(count: usize, seed: u64) -> Vec<Row> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut rows: Vec<_> = (0..count).map(|_| row(&mut random)).collect();
    rows.sort_by_key(|row| row.id);
    rows
}

fn row(random: &mut SmallRng) -> Row {
    let id = Uuid::from_u128(random.random());
    let user = Uuid::from_u128(random.random());
    let at = week().start().0 + random.random_range(0..crate::WEEK_MS);
    let timestamp = match random.random() {
        true => serde_json::json!(at),
        false => {
            serde_json::json!(DateTime::from_timestamp_millis(at).unwrap().to_rfc3339())
        }
    };
    let page: String = (0..random.random_range(0..80)).map(|_| random.random::<char>()).collect();
    let fields = serde_json::json!({ "id": id, "user_id": user, "timestamp": timestamp, "page": page });
    Row::parse(fields.to_string()).unwrap()
}

fn write(folder: &ArchiveFolder, rows: &[Row]) -> Sum {
    let mut writer = folder.begin(week()).unwrap();
    rows.iter().for_each(|row| writer.push(row).unwrap());
    folder.publish(week(), writer).unwrap()
}

fn read(folder: &ArchiveFolder) -> Result<Vec<Row>, ArchiveError> {
    let mut reader = folder.read(week())?.expect("a file");
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        rows.push(row);
    }
    Ok(rows)
}

fn path(folder: &ArchiveFolder) -> PathBuf {
    folder.path().join("activity-2026-11-16.ndjson.gz")
}

#[test]
fn rows_come_back_as_they_were_and_all_of_them() {
    let (_home, folder) = folder();
    let written = rows(10_000, 1);
    assert_eq!(write(&folder, &written).rows, 10_000);
    assert_eq!(read(&folder).unwrap(), written);
    assert_eq!(folder.weeks().unwrap(), [week()]);
    assert!(folder.read(Week::named("2026-11-09").unwrap()).unwrap().is_none());
}

#[test]
fn any_gzip_reads_it_and_only_the_owner_may() {
    let (_home, folder) = folder();
    let rows = rows(2, 2);
    write(&folder, &rows);
    let mut text = String::new();
    flate2::read::GzDecoder::new(File::open(path(&folder)).unwrap()).read_to_string(&mut text).unwrap();
    let header = r#"{"presenceHub":"activity","version":1,"week":"2026-11-16"}"#;
    assert_eq!(text, format!("{header}\n{}\n{}\n", rows[0].text, rows[1].text));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path(&folder)), mode(folder.path())), (0o600, 0o700));
}

#[test]
fn a_file_that_ends_early_is_noticed_wherever_it_ends() {
    let (_home, folder) = folder();
    write(&folder, &rows(20, 3));
    let whole = fs::read(path(&folder)).unwrap();
    for length in 0..whole.len() {
        fs::write(path(&folder), &whole[..length]).unwrap();
        let error = read(&folder).expect_err("a part is not the whole");
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{length}: {error}");
    }
    fs::write(path(&folder), [&whole[..], b"more"].concat()).unwrap();
    assert!(matches!(read(&folder), Err(ArchiveError::Damaged { .. })));
}

#[test]
fn no_other_bit_makes_other_rows() {
    let (_home, folder) = folder();
    let written = rows(4, 4);
    write(&folder, &written);
    let whole = fs::read(path(&folder)).unwrap();
    let mut noticed = 0;
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(path(&folder), flipped).unwrap();
        match read(&folder) {
            // Nobody reads the time and the system in gzip's own header, nor the last bits before a whole byte.
            Ok(rows) => assert_eq!(rows, written, "bit {bit}"),
            Err(ArchiveError::Damaged { .. }) => noticed += 1,
            Err(other) => panic!("bit {bit}: {other}"),
        }
    }
    assert!(noticed > whole.len() * 8 - 88);
}

#[test]
fn a_file_of_something_else_is_refused() {
    let (_home, folder) = folder();
    let pack = |text: &str| {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    };
    let header = r#"{"presenceHub":"activity","version":1,"week":"2026-11-16"}"#;
    let row = r#"{"id":"6f9b1f8e-0000-4000-8000-000000000001","user_id":"6f9b1f8e-0000-4000-8000-000000000002","timestamp":"#;
    let table = [
        ("", "empty"),
        ("{}\n", "first line"),
        (&header.replace("11-16", "11-09"), "no end"),
        (&(header.replace("11-16", "11-09") + "\n"), "first line"),
        (&(header.replace(":1,", ":2,") + "\n"), "first line"),
        (&format!("{header}\nnonsense\n"), "expected"),
        (&format!("{header}\n{row}\"yesterday\"}}\n"), "timestamp"),
        (&format!("{header}\n{row}1}}\n{row}1}}\n"), "out of order"),
    ];
    for (text, reason) in table {
        fs::write(path(&folder), pack(text)).unwrap();
        let error = read(&folder).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn what_a_store_may_not_give_is_refused() {
    let (_home, folder) = folder();
    let rows = rows(2, 5);
    let mut writer = folder.begin(week()).unwrap();
    writer.push(&rows[1]).unwrap();
    for row in &rows {
        assert!(matches!(writer.push(row), Err(ArchiveError::Unfit { .. })));
    }
    assert!(Row::parse("{\n}".into()).is_err() && Row::parse("{}".into()).is_err());
}

#[test]
fn two_files_make_one_with_each_row_once() {
    let (_home, folder) = folder();
    let all = rows(1_000, 6);
    for (older, newer) in [(0..600, 400..1_000), (0..10, 990..1_000), (500..501, 0..1_000), (0..1_000, 5..5)]
    {
        write(&folder, &all[older.clone()]);
        let mut merge = Merge::new(folder.begin(week()).unwrap(), folder.read(week()).unwrap()).unwrap();
        all[newer.clone()].iter().for_each(|row| merge.push(row).unwrap());
        let sum = folder.publish(week(), merge.finish().unwrap()).unwrap();
        let expected: Vec<_> =
            (0..1_000).filter(|n| older.contains(n) || newer.contains(n)).map(|n| all[n].clone()).collect();
        assert_eq!((read(&folder).unwrap(), sum.rows), (expected.clone(), expected.len() as u64));
    }
}

#[test]
fn a_folder_has_one_owner_at_a_time_and_keeps_its_id() {
    let (home, folder) = folder();
    let path = home.path().join("archive");
    assert!(matches!(ArchiveFolder::open(&path), Err(ArchiveError::Locked { .. })));
    assert_eq!(ArchiveFolder::id_of(&path).unwrap(), Some(folder.id()));
    assert_eq!(ArchiveFolder::id_of(home.path()).unwrap(), None);
    let id = folder.id();
    drop(folder);
    assert_eq!(ArchiveFolder::open(&path).unwrap().id(), id);
    fs::write(path.join("archive-id"), "mine").unwrap();
    assert!(matches!(ArchiveFolder::open(&path), Err(ArchiveError::Damaged { .. })));
}

#[test]
fn what_was_left_unfinished_is_no_file_and_goes() {
    let (home, folder) = folder();
    let rows = rows(3, 7);
    write(&folder, &rows[..2]);
    let mut writer = folder.begin(week()).unwrap();
    writer.push(&rows[2]).unwrap();
    drop(writer);
    assert_eq!(read(&folder).unwrap(), rows[..2]);
    drop(folder);
    let folder = ArchiveFolder::open(&home.path().join("archive")).unwrap();
    assert_eq!(read(&folder).unwrap(), rows[..2]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "the file, the id and the lock");
}
