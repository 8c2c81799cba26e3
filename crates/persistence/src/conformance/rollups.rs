//! Rollups: kept or rebuilt, they equal what plain code makes of the same rows.

mod tally;

use model::{ActivityType, Device, OrganizationId, UserId, Wall};

use super::{
    Shared,
    behind::{activity, page, put_offices, session, stretch},
    exported::{exported, instant, soon},
    later, organization, put, put_user, remove_user, user,
};
use crate::{ActivityRow, ArchivedRows, BUCKET_MS, ExportPart, Stretch, StretchId, WEEK_MS, Week};
use tally::{Dice, Raw, Tally, Totals};

/// Quarters that are rolled up at once.
const SLICE: usize = 64;

async fn roll_up(store: &Shared) {
    while store.roll_up(SLICE).await.expect("the store can be written").more {}
}

fn number(row: &serde_json::Value, column: &str) -> u64 {
    row[column].as_u64().unwrap_or_else(|| panic!("{column} is no number in {row}"))
}

fn place(row: &serde_json::Value) -> (OrganizationId, Wall, UserId) {
    let id = |column: &str| serde_json::from_value(row[column].clone()).expect("an id");
    (OrganizationId(id("organization_id")), instant(&row["bucket"]), UserId(id("user_id")))
}

/// All rollups of the users 1 to 3, as the store has them.
async fn stored(store: &Shared) -> Tally {
    let mut tally = Tally::default();
    for n in 1..=3 {
        for row in exported(store, n, ExportPart::Rollups).await {
            let column = |name| number(&row, name);
            let totals = Totals {
                events: column("events"),
                sessions: column("sessions"),
                millis: column("millis"),
                devices: [column("desktop"), column("mobile"), column("tablet")],
            };
            assert_eq!(tally.users.insert(place(&row), totals), None, "twice: {row}");
        }
        for row in exported(store, n, ExportPart::Pages).await {
            let page = row["page"].as_str().expect("a page").to_owned();
            assert_eq!(tally.pages.insert((place(&row), page), number(&row, "views")), None, "twice: {row}");
        }
    }
    tally
}

/// Everything that can be random about a row. An id is one row's: given again, it is the same.
fn random_activity(id: u128) -> ActivityRow {
    let dice = &mut Dice::new(id as u64);
    let pages = ["/a", "/b/ü", "/c's \"garden\""];
    ActivityRow {
        organization: organization(1 + u128::from(dice.below(2))),
        kind: if dice.below(2) == 0 { ActivityType::PageView } else { ActivityType::Focus },
        page: (dice.below(4) > 0).then(|| page(pages[dice.below(3) as usize])).flatten(),
        ..activity(id, 1 + u128::from(dice.below(3)), random_instant(dice))
    }
}

/// In the first two days of next week, often on the bound of a quarter.
fn random_instant(dice: &mut Dice) -> Wall {
    let quarter = i64::from(dice.below(192)) * BUCKET_MS;
    let within = [0, 1, BUCKET_MS - 1, i64::from(dice.below(BUCKET_MS as u32))];
    soon(quarter + within[dice.below(4) as usize])
}

/// One of few sessions, so that some are noted again: a session is one user's, on a device that may change.
fn random_stretch(dice: &mut Dice) -> Stretch {
    let of = u128::from(dice.below(24));
    let started = soon((of as i64 % 8) * 3 * BUCKET_MS + (of as i64 % 3) * 1_000);
    let lengths = [0, 1, BUCKET_MS, i64::from(dice.below(6 * BUCKET_MS as u32)), 90 * BUCKET_MS];
    let devices = [None, Some(Device::Desktop), Some(Device::Mobile), Some(Device::Tablet)];
    Stretch {
        id: StretchId { organization: organization(1 + of % 2), session: session(of), started },
        user: user(1 + of % 3),
        seen: Wall(started.0 + lengths[dice.below(5) as usize]),
        ended: dice.below(8) == 0,
        // A later note may say another device: what it says depends on nothing else, so that any order gives the same.
        device: devices[(of % 4) as usize],
    }
}

/// What is stored is what plain code makes of the rows.
async fn assert_tally(store: &Shared, raw: &Raw, when: &str) {
    assert_eq!(stored(store).await.beside(&raw.tally()), [] as [String; 0], "{when}");
}

async fn write(store: &Shared, raw: &mut Raw, activity: &[ActivityRow], stretches: &[Stretch]) {
    store.write_activity(activity).await.unwrap();
    store.write_stretches(stretches).await.unwrap();
    raw.take(activity, stretches);
}

/// Row by row, what a quarter has: its events by page, the beginnings of sessions by device, their time.
pub async fn quarters_have_their_parts(store: Shared) {
    put_offices(&store).await;
    let view =
        |id, path, at| ActivityRow { kind: ActivityType::PageView, page: page(path), ..activity(id, 1, at) };
    let rows = [
        view(1, "/a", soon(0)),
        view(2, "/a", soon(BUCKET_MS - 1)),
        view(3, "/b", soon(BUCKET_MS)),
        ActivityRow { page: page("/a"), ..activity(4, 1, soon(BUCKET_MS)) },
        ActivityRow { organization: organization(2), ..view(5, "/a", soon(1)) },
        ActivityRow { user: user(2), ..view(6, "/a", soon(2)) },
    ];
    let on = |of, device| Stretch { device, ..stretch(of, 1, soon(0), soon(1_000)) };
    let stretches =
        [on(1, Some(Device::Mobile)), on(2, Some(Device::Tablet)), on(3, None), on(4, Some(Device::Mobile))];
    store.write_activity(&rows).await.unwrap();
    store.write_stretches(&stretches).await.unwrap();
    let done = store.roll_up(SLICE).await.unwrap();
    assert_eq!((done.buckets, done.more), (2, false));
    let totals = |events, sessions, millis, devices| Totals { events, sessions, millis, devices };
    let at = |of, quarter, n| (organization(of), soon(quarter * BUCKET_MS), user(n));
    let kept = stored(&store).await;
    let users = [
        (at(1, 0, 1), totals(2, 4, 4_000, [0, 2, 1])),
        (at(1, 0, 2), totals(1, 0, 0, [0, 0, 0])),
        (at(1, 1, 1), totals(2, 0, 0, [0, 0, 0])),
        (at(2, 0, 1), totals(1, 0, 0, [0, 0, 0])),
    ];
    assert_eq!(kept.users.into_iter().collect::<Vec<_>>(), users);
    let pages =
        [(at(1, 0, 1), "/a", 2), (at(1, 0, 2), "/a", 1), (at(1, 1, 1), "/b", 1), (at(2, 0, 1), "/a", 1)];
    let pages = pages.map(|(place, path, views)| ((place, path.to_owned()), views));
    assert_eq!(kept.pages.into_iter().collect::<Vec<_>>(), pages);
}

/// Over midnight, over several quarters, begun or ended exactly on a bound, and without any length.
pub async fn stretches_are_cut_at_the_quarters(store: Shared) {
    put_offices(&store).await;
    const DAY: i64 = 96;
    let quarter = |n: i64| n * BUCKET_MS;
    for (of, from, until, expected) in [
        (1, quarter(DAY) - 1_000, quarter(DAY) + 2_000, vec![(DAY - 1, 1, 1_000), (DAY, 0, 2_000)]),
        (
            2,
            quarter(3) + 5,
            quarter(6) + 7,
            vec![(3, 1, BUCKET_MS - 5), (4, 0, BUCKET_MS), (5, 0, BUCKET_MS), (6, 0, 7)],
        ),
        (3, quarter(8), quarter(9), vec![(8, 1, BUCKET_MS)]),
        (4, quarter(11), quarter(11), vec![(11, 1, 0)]),
        (5, quarter(13) - 1, quarter(13) - 1, vec![(12, 1, 0)]),
        (6, quarter(16) - 1, quarter(16) + 1, vec![(15, 1, 1), (16, 0, 1)]),
    ] {
        store.write_stretches(&[stretch(of, 1, soon(from), soon(until))]).await.unwrap();
        roll_up(&store).await;
        let found: Vec<_> = stored(&store).await.users.into_iter().collect();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(n, sessions, millis)| {
                let totals = Totals { sessions, millis: millis as u64, devices: [sessions, 0, 0], events: 0 };
                ((organization(1), soon(quarter(n)), user(1)), totals)
            })
            .collect();
        assert_eq!(found, expected, "from {from} to {until}");
        put(&store, vec![remove_user(1), put_user(1)]).await;
    }
}

/// To a quarter that was rolled up long ago, and to a stretch that has grown since.
pub async fn late_rows_are_added(store: Shared) {
    put_offices(&store).await;
    let mut raw = Raw::default();
    let begun = stretch(1, 1, soon(10), soon(20));
    write(&store, &mut raw, &[activity(1, 1, soon(0))], std::slice::from_ref(&begun)).await;
    roll_up(&store).await;
    let grown = Stretch { seen: soon(3 * BUCKET_MS), ..begun };
    write(&store, &mut raw, &[activity(2, 1, soon(1)), activity(1, 1, soon(0))], &[grown]).await;
    assert_ne!(stored(&store).await, raw.tally());
    roll_up(&store).await;
    assert_tally(&store, &raw, "with what came late").await;
    assert_eq!(store.roll_up(SLICE).await.unwrap().buckets, 0);
}

/// Random rows in random batches, rolled up now and then: what was kept equals what plain code makes of the rows, and so
/// does what is made of all of them anew.
pub async fn kept_and_rebuilt_ones_equal_the_rows(store: Shared) {
    put_offices(&store).await;
    let (mut raw, mut dice) = (Raw::default(), Dice::new(20));
    for round in 0..12 {
        for _ in 0..=dice.below(3) {
            let id = |n| round * 10_000 + n;
            let first = u128::from(dice.below(2) * 20);
            let rows: Vec<_> = (0..60).map(|n| random_activity(id(first + n))).collect();
            let stretches: Vec<_> = (0..20).map(|_| random_stretch(&mut dice)).collect();
            write(&store, &mut raw, &rows, &stretches).await;
            store.roll_up(dice.below(30) as usize).await.unwrap();
        }
        roll_up(&store).await;
        assert_tally(&store, &raw, &format!("round {round}")).await;
    }
    let marked = store.mark_for_rollup(soon(0), soon(WEEK_MS)).await.unwrap();
    assert_eq!(marked, raw.quarters());
    assert!(store.roll_up(1).await.unwrap().more);
    roll_up(&store).await;
    assert_tally(&store, &raw, "rebuilt").await;
}

/// Whoever was erased is in no rollup, whatever is rolled up afterwards; the others' stay as they were.
pub async fn the_erased_are_in_no_total(store: Shared) {
    put_offices(&store).await;
    let (mut raw, mut dice) = (Raw::default(), Dice::new(7));
    let rows: Vec<_> = (0..200).map(random_activity).collect();
    let stretches: Vec<_> = (0..60).map(|_| random_stretch(&mut dice)).collect();
    write(&store, &mut raw, &rows, &stretches).await;
    store.roll_up(40).await.unwrap();
    store.erase(user(1), soon(3 * WEEK_MS)).await.unwrap();
    raw.forget(user(1));
    assert!(stored(&store).await.users.keys().all(|(_, _, of)| *of != user(1)));
    roll_up(&store).await;
    assert_tally(&store, &raw, "after the erasure").await;
    store.write_activity(&rows).await.unwrap();
    store.write_stretches(&stretches).await.unwrap();
    store.mark_for_rollup(soon(0), soon(WEEK_MS)).await.unwrap();
    roll_up(&store).await;
    assert_tally(&store, &raw, "after the same batches again").await;
}

/// Its raw rows are on their way out of the log, or are out of it.
pub async fn weeks_set_aside_stay_as_they_are(store: Shared) {
    put_offices(&store).await;
    let mut raw = Raw::default();
    write(&store, &mut raw, &[activity(1, 1, soon(0))], &[stretch(1, 1, soon(0), soon(5))]).await;
    roll_up(&store).await;
    store.write_activity(&[activity(2, 1, soon(1))]).await.unwrap();
    store.set_week_aside(Week::of(soon(0))).await.unwrap();
    roll_up(&store).await;
    store.mark_for_rollup(soon(0), soon(WEEK_MS)).await.unwrap();
    roll_up(&store).await;
    assert_tally(&store, &raw, "set aside").await;
    assert!(store.drop_week(Week::of(soon(0)), 2).await.unwrap());
    store.mark_for_rollup(soon(0), soon(WEEK_MS)).await.unwrap();
    roll_up(&store).await;
    assert_tally(&store, &raw, "dropped").await;
}

/// A week with 300 activities and a stretch that was added up, archived and dropped; its rows.
async fn archived_week(store: &Shared) -> (Raw, Week, ArchivedRows) {
    put_offices(store).await;
    let mut raw = Raw::default();
    let rows: Vec<_> = (0..300).map(random_activity).collect();
    write(store, &mut raw, &rows, &[stretch(1, 1, soon(0), soon(5))]).await;
    roll_up(store).await;
    let week = Week::of(soon(0));
    store.set_week_aside(week).await.unwrap();
    let archived = store.week_rows(week, None, 1_000).await.unwrap();
    assert!(store.drop_week(week, archived.len() as u64).await.unwrap());
    (raw, week, archived)
}

/// The same again, from the rows that were put back.
pub async fn a_restored_week_is_rolled_up_again(store: Shared) {
    let (raw, week, archived) = archived_week(&store).await;
    store.restore_week(week, later(0)).await.unwrap();
    for part in archived.chunks(100) {
        store.restore_rows(week, part).await.unwrap();
        roll_up(&store).await;
    }
    store.end_restoration(week).await.unwrap();
    roll_up(&store).await;
    assert_tally(&store, &raw, "restored").await;
    store.mark_for_rollup(soon(0), soon(WEEK_MS)).await.unwrap();
    roll_up(&store).await;
    assert_tally(&store, &raw, "rebuilt").await;
}

/// While some of a week's rows are back and others are not, its totals stay, whoever writes or marks; what was written
/// meanwhile waits, also while whoever restores begins again, and is in them in the end.
pub async fn half_a_week_makes_no_totals(store: Shared) {
    let (mut raw, week, archived) = archived_week(&store).await;
    let (half, next_week) = (&archived[..150], activity(2_000, 2, soon(WEEK_MS)));
    let mut late = Raw::default();
    for begun in 0..2 {
        store.restore_week(week, later(0)).await.unwrap();
        store.restore_rows(week, half).await.unwrap();
        write(&store, &mut late, &[activity(1_000 + begun, 1, soon(0))], &[]).await;
        store.mark_for_rollup(soon(0), soon(WEEK_MS)).await.unwrap();
        roll_up(&store).await;
        assert_tally(&store, &raw, "half restored").await;
    }
    write(&store, &mut raw, &[next_week], &[]).await;
    roll_up(&store).await;
    assert_tally(&store, &raw, "the week after is no part of it").await;
    store.restore_rows(week, &archived).await.unwrap();
    store.end_restoration(week).await.unwrap();
    roll_up(&store).await;
    raw.take(&[activity(1_000, 1, soon(0)), activity(1_001, 1, soon(0))], &[]);
    assert_tally(&store, &raw, "restored").await;
}

/// Stretches that ended, and quarters that ended, before that; what reaches past it stays.
pub async fn old_totals_are_dropped(store: Shared) {
    put_offices(&store).await;
    let view = |id, at| ActivityRow { kind: ActivityType::PageView, page: page("/a"), ..activity(id, 1, at) };
    store
        .write_activity(&[view(1, soon(0)), view(2, soon(BUCKET_MS)), view(3, soon(2 * BUCKET_MS))])
        .await
        .unwrap();
    let reaching = stretch(2, 1, soon(0), soon(3 * BUCKET_MS));
    store.write_stretches(&[stretch(1, 1, soon(0), soon(5)), reaching]).await.unwrap();
    roll_up(&store).await;
    let mut dropped = 0;
    loop {
        match store.drop_old_totals(soon(2 * BUCKET_MS)).await.unwrap() {
            0 => break,
            more => dropped += more,
        }
    }
    assert_eq!(dropped, 1 + 2 + 2, "a stretch, two quarters of the user and two of the page");
    assert_eq!(exported(&store, 1, ExportPart::Sessions).await.len(), 1);
    let kept = stored(&store).await;
    assert!(kept.users.keys().all(|(_, bucket, _)| *bucket >= soon(2 * BUCKET_MS)), "{kept:?}");
    assert_eq!((kept.users.len(), kept.pages.len()), (1, 1));
}

/// Slice by slice, however small, and none twice.
pub async fn slices_go_on_where_they_stopped(store: Shared) {
    put_offices(&store).await;
    let mut raw = Raw::default();
    let rows: Vec<_> = (0..10).map(|n| activity(n, 1, soon(n as i64 * BUCKET_MS))).collect();
    write(&store, &mut raw, &rows, &[]).await;
    for (slice, buckets, more) in [(0, 0, true), (3, 3, true), (6, 6, true), (1, 1, false), (5, 0, false)] {
        let done = store.roll_up(slice).await.unwrap();
        assert_eq!((done.buckets, done.more), (buckets, more));
    }
    assert_tally(&store, &raw, "in slices").await;
}
