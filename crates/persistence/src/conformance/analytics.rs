//! Reports: what is told of an organization is what plain code makes of the rows, in every time zone; and small groups,
//! strangers and the erased are not told of.

mod tally;

use model::{ActivityType, Device, DirectoryChange, OrganizationId, Plan, Role, UserId, Wall};

use super::{
    Shared,
    behind::{activity, page, session, stretch},
    exported::{now, soon},
    later, organization, put, put_member, put_organization, put_user, remove_user, user, wedding,
};
use crate::{
    ActivityRow, AnalyticsQuery, BUCKET_MS, DateRange, Stretch, StretchId, WEEK_MS, Week,
    analytics::{ACTIVE_NOW_MS, Devices, HourUsers, Minutes, PAGES_TOLD, Report, USERS_TOLD},
};
use tally::{Dice, Raw};

/// Quarters that are rolled up at once.
const SLICE: usize = 64;
const HOUR_MS: i64 = 60 * 60 * 1_000;
/// Members of organization 1, and again of organization 2.
const MEMBERS: u128 = 14;
/// When clocks were changed in New York and on Lord Howe Island, and a month began in all of them: in 2024, the 10th of
/// March, the 6th of April, the 5th of October, the 3rd of November.
const CHANGES: [Wall; 4] =
    [Wall(1_710_054_000_000), Wall(1_712_415_600_000), Wall(1_728_142_200_000), Wall(1_730_613_600_000)];
const ZONES: [&str; 4] = ["UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"];

/// All members in both organizations. The first twelve are suppliers: five photographers, of whom four are florists too,
/// six venues, and a planner.
async fn put_suppliers(store: &Shared) {
    let mut changes: Vec<_> = (1..=MEMBERS).map(put_user).collect();
    changes.extend([put_organization(1), put_organization(2)]);
    for of in [1, 2] {
        changes.extend((1..=MEMBERS).map(|n| put_member(of, n, Role::Member)));
    }
    changes.extend((1..=2).map(super::put_wedding));
    changes.extend(
        (1..=12).map(|n| supplies(1, n, ["photographer", "venue", "planner"][(n as usize - 1) / 5 % 3])),
    );
    changes.push(supplies(1, 11, "venue"));
    changes.extend((1..=4).map(|n| supplies(2, n, "florist")));
    put(store, changes).await;
}

fn supplies(at: u128, supplier: u128, supplier_type: &str) -> DirectoryChange {
    DirectoryChange::PutCollaboration {
        wedding: wedding(at),
        supplier: user(supplier),
        client: user(MEMBERS),
        supplier_type: supplier_type.to_owned(),
    }
}

/// What [`put_suppliers`] says of a user.
fn supplied_by(of: UserId) -> Vec<&'static str> {
    let mut supplied = match of.0.as_u128() {
        1..=5 => vec!["photographer"],
        6..=11 => vec!["venue"],
        12 => vec!["planner"],
        _ => vec![],
    };
    supplied.extend((of.0.as_u128() <= 4).then_some("florist"));
    supplied
}

/// Opens weeks that are past, so that rows of them have a place.
async fn open_weeks(store: &Shared) {
    for at in CHANGES.iter().flat_map(|at| [at.0 - 3 * 24 * HOUR_MS, at.0 + 3 * 24 * HOUR_MS]) {
        let week = Week::of(Wall(at));
        store.restore_week(week, later(0)).await.expect("the week is back");
        store.end_restoration(week).await.expect("it is all there");
    }
}

async fn write(store: &Shared, raw: &Raw) {
    let activity: Vec<_> = raw.activity.clone();
    let done = store.write_activity(&activity).await.unwrap();
    assert_eq!(done.passed_over, 0, "all of them have a place");
    let done = store.write_stretches(&raw.stretches).await.unwrap();
    assert_eq!(done.passed_over, 0, "all of them have a place");
    while store.roll_up(SLICE).await.expect("the store can be written").more {}
}

/// Around a change of clocks, often on the bound of a quarter, and in few quarters, so that people meet in them.
fn random_instant(dice: &mut Dice) -> Wall {
    let change = CHANGES[dice.below(4) as usize];
    let quarter = (i64::from(dice.below(300)) - 150) * BUCKET_MS;
    let within = [0, 1, BUCKET_MS - 1, i64::from(dice.below(BUCKET_MS as u32))];
    Wall(change.0 + quarter + within[dice.below(4) as usize])
}

fn random_user(dice: &mut Dice) -> u128 {
    1 + u128::from(dice.below(MEMBERS as u32))
}

fn random_organization(dice: &mut Dice) -> OrganizationId {
    organization(1 + u128::from(dice.below(8) / 7))
}

/// A few pages have most of the views, and many have one or two.
fn random_activity(id: u128, dice: &mut Dice) -> ActivityRow {
    let pages = if dice.below(2) == 0 { 4 } else { 120 };
    let path = format!("/gärten/{}", dice.below(pages));
    ActivityRow {
        organization: random_organization(dice),
        kind: if dice.below(4) > 0 { ActivityType::PageView } else { ActivityType::Focus },
        page: if dice.below(5) > 0 { page(&path) } else { None },
        ..activity(id, random_user(dice), random_instant(dice))
    }
}

/// Tablets are one person's.
fn random_stretch(id: u128, dice: &mut Dice) -> Stretch {
    let (started, by) = (random_instant(dice), random_user(dice));
    let lengths = [0, 1, BUCKET_MS, i64::from(dice.below(6 * BUCKET_MS as u32)), 30 * HOUR_MS];
    let devices = [None, Some(Device::Desktop), Some(Device::Mobile)];
    Stretch {
        id: StretchId { organization: random_organization(dice), session: session(id), started },
        user: user(by),
        seen: Wall(started.0 + lengths[dice.below(5) as usize]),
        ended: false,
        device: if by == 3 { Some(Device::Tablet) } else { devices[dice.below(3) as usize] },
    }
}

fn random_rows() -> Raw {
    let dice = &mut Dice::new(8);
    let activity = (0..900).map(|id| random_activity(id, dice)).collect();
    let stretches = (0..250).map(|id| random_stretch(id, dice)).collect();
    Raw { activity, stretches }
}

fn query(of: u128, from: &str, to: &str, zone: &str) -> AnalyticsQuery {
    let range = DateRange::parse(from, to, Some(zone)).expect("a range");
    AnalyticsQuery { organization: organization(of), range }
}

/// Random rows around changes of clocks: whatever days are asked for, in whatever zone.
pub async fn reports_equal_the_rows(store: Shared) {
    put_suppliers(&store).await;
    open_weeks(&store).await;
    let raw = random_rows();
    write(&store, &raw).await;
    for zone in ZONES {
        for (from, to) in [
            ("2024-03-10", "2024-03-10"),
            ("2024-03-09", "2024-03-11"),
            ("2024-04-06", "2024-04-07"),
            ("2024-10-05", "2024-10-06"),
            ("2024-10-31", "2024-11-03"),
            ("2024-11-03", "2024-11-04"),
            ("2024-01-01", "2024-12-31"),
            ("2024-06-01", "2024-06-30"),
        ] {
            for of in [1, 2] {
                let report = store.analytics(&query(of, from, to, zone)).await.unwrap();
                let told = raw.told(organization(of), (from, to), zone, supplied_by);
                assert_eq!(report, told, "organization {of} from {from} to {to} in {zone}");
            }
        }
    }
    assert_is_worth_it(&raw);
}

/// The rows have everything in them that a report can leave out or cut off.
fn assert_is_worth_it(raw: &Raw) {
    let year = raw.told(organization(1), ("2024-01-01", "2024-12-31"), "UTC", supplied_by);
    assert_eq!((year.peak_hours.len(), year.weekdays.len() > 3), (24, true), "{year:?}");
    assert_eq!((year.most_active_users.len(), year.device_breakdown.tablet), (USERS_TOLD, 0));
    assert!(year.page_views.len() > 4 && year.page_views.len() < PAGES_TOLD, "{}", year.page_views.len());
    let types: Vec<_> = year.supplier_types.iter().map(|of| of.r#type.as_str()).collect();
    assert_eq!(types, ["florist", "photographer", "venue"]);
    let days = raw.told(organization(2), ("2024-11-03", "2024-11-04"), "America/New_York", supplied_by);
    assert!(days.total_sessions > 0 && !days.peak_hours.is_empty(), "{days:?}");
    assert!(days.peak_hours.len() < 24, "{days:?}");
}

/// The day on which next week begins, in UTC.
fn next_monday() -> AnalyticsQuery {
    let day = chrono::DateTime::from_timestamp_millis(soon(0).0).expect("an instant of this age");
    let day = day.format("%Y-%m-%d").to_string();
    query(1, &day, &day, "UTC")
}

/// Of two people nothing is told but that they are there; of three it is.
pub async fn small_groups_are_not_told_of(store: Shared) {
    put_suppliers(&store).await;
    let view = |id, n, path| ActivityRow {
        kind: ActivityType::PageView,
        page: page(path),
        ..activity(id, n, soon(9 * HOUR_MS))
    };
    let stays = |n| stretch(n, n, soon(9 * HOUR_MS), soon(9 * HOUR_MS + 150_000));
    let two = Raw { activity: vec![view(1, 1, "/a"), view(2, 2, "/a")], stretches: vec![stays(1), stays(2)] };
    write(&store, &two).await;
    let minutes = |n| Minutes { user_id: user(n), total_minutes: 2 };
    let expected = Report {
        total_sessions: 2,
        average_session_duration: 2.5,
        most_active_users: vec![minutes(1), minutes(2)],
        ..Report::default()
    };
    assert_eq!(store.analytics(&next_monday()).await.unwrap(), expected);
    write(&store, &Raw { activity: vec![view(3, 3, "/a")], stretches: vec![stays(3)] }).await;
    let told = store.analytics(&next_monday()).await.unwrap();
    assert_eq!(told.peak_hours, [HourUsers { hour: 9, active_users: 3 }]);
    assert_eq!(told.device_breakdown, Devices { desktop: 3, ..Devices::default() });
    assert_eq!((told.page_views[0].views, told.page_views[0].unique_users), (3, 3));
    assert_eq!((told.weekdays[0].weekday, told.peak_months.len()), (1, 1));
    let types: Vec<_> =
        told.supplier_types.iter().map(|of| (of.r#type.as_str(), of.average_sessions)).collect();
    assert_eq!(types, [("florist", 1.0), ("photographer", 1.0)]);
}

/// Pages past the most viewed are cut off after small groups are left out, so that no rank is theirs.
pub async fn the_most_viewed_pages_are_told(store: Shared) {
    put_suppliers(&store).await;
    let pages = PAGES_TOLD as u128 + 10;
    let view = |id: u128, n, path: String| ActivityRow {
        kind: ActivityType::PageView,
        page: page(&path),
        ..activity(id, n, soon(id as i64))
    };
    let rows = (0..pages).flat_map(|of| {
        // Page 0 has two people and the most views; the others three, and those with odd numbers one view more.
        let views = if of == 0 { 8 } else { 3 + of % 2 };
        let people = if of == 0 { 2 } else { 3 };
        (0..views).map(move |nth| view(of * 10 + nth, 1 + nth % people, format!("/{of:03}")))
    });
    write(&store, &Raw { activity: rows.collect(), stretches: vec![] }).await;
    let told = store.analytics(&next_monday()).await.unwrap().page_views;
    let odd = (1..pages).filter(|of| of % 2 == 1);
    let expected = odd.chain((1..pages).filter(|of| of % 2 == 0)).take(PAGES_TOLD);
    let expected: Vec<_> = expected.map(|of| format!("/{of:03}")).collect();
    assert_eq!(told.iter().map(|of| of.page.clone()).collect::<Vec<_>>(), expected);
}

/// Whoever was erased or removed is in no report, and nobody is left behind where they were the third.
pub async fn the_erased_are_not_told_of(store: Shared) {
    put_suppliers(&store).await;
    let stays = |n| stretch(n, n, soon(0), soon(60_000 * n as i64));
    write(&store, &Raw { activity: vec![activity(1, 4, soon(0))], stretches: (1..=4).map(stays).collect() })
        .await;
    assert_eq!(store.analytics(&next_monday()).await.unwrap().peak_hours[0].active_users, 4);
    store.erase(user(4), soon(WEEK_MS)).await.unwrap();
    put(&store, vec![remove_user(3)]).await;
    let told = store.analytics(&next_monday()).await.unwrap();
    let minutes = |n| Minutes { user_id: user(n), total_minutes: n as u64 };
    assert_eq!((told.total_sessions, told.most_active_users), (2, vec![minutes(2), minutes(1)]));
    assert_eq!((told.peak_hours, told.device_breakdown.desktop), (vec![], 0));
}

/// Without the plan, or without the organization, there is nothing to tell.
pub async fn who_keeps_no_log_has_an_empty_report(store: Shared) {
    put_suppliers(&store).await;
    let rows = (1..=3).map(|n| activity(n, n, now())).collect();
    let stretches = (1..=3).map(|n| stretch(n, n, soon(0), soon(60_000))).collect();
    write(&store, &Raw { activity: rows, stretches }).await;
    assert_ne!(store.analytics(&next_monday()).await.unwrap(), Report::default());
    assert_eq!(store.active_now(organization(1)).await.unwrap(), 3);
    let plan =
        DirectoryChange::PutOrganization { id: organization(1), name: "Agency".into(), plan: Plan::Standard };
    put(&store, vec![plan]).await;
    assert_eq!(store.analytics(&next_monday()).await.unwrap(), Report::default());
    assert_eq!(store.active_now(organization(1)).await.unwrap(), 0);
    let stranger = AnalyticsQuery { organization: organization(9), ..next_monday() };
    assert_eq!(store.analytics(&stranger).await.unwrap(), Report::default());
    assert_eq!(store.active_now(organization(9)).await.unwrap(), 0);
}

/// Who did something or was there in the last 15 minutes, each once; not who was there before, nor elsewhere.
pub async fn active_now_is_of_the_last_minutes(store: Shared) {
    put_suppliers(&store).await;
    let ago = |ms: i64| Wall(now().0 - ms);
    let elsewhere = ActivityRow { organization: organization(2), ..activity(5, 5, ago(0)) };
    let rows = vec![
        activity(1, 1, ago(1_000)),
        activity(2, 1, ago(2_000)),
        activity(3, 2, ago(ACTIVE_NOW_MS - 120_000)),
        activity(4, 3, ago(ACTIVE_NOW_MS + 1_000)),
        elsewhere,
        activity(6, 6, soon(WEEK_MS)),
    ];
    let over = |n, from, until| Stretch { ended: true, ..stretch(n, n, ago(from), ago(until)) };
    let stretches = vec![
        stretch(1, 1, ago(1_000), ago(0)),
        over(7, 2 * HOUR_MS, 10_000),
        over(8, 50 * HOUR_MS, 20_000),
        over(9, 2 * HOUR_MS, ACTIVE_NOW_MS + 1_000),
        over(10, 50 * HOUR_MS, ACTIVE_NOW_MS + 1_000),
    ];
    store.write_activity(&rows).await.unwrap();
    store.write_stretches(&stretches).await.unwrap();
    assert_eq!(store.active_now(organization(1)).await.unwrap(), 4, "1, 2, 7 and 8");
    assert_eq!(store.active_now(organization(2)).await.unwrap(), 1);
    store.erase(user(7), now()).await.unwrap();
    assert_eq!(store.active_now(organization(1)).await.unwrap(), 3);
}
