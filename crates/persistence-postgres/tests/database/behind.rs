//! What is written behind: how fast, by which plans, and beside everything else that goes on.

mod analytics;
mod aside;
pub(crate) mod days;
mod erased;
pub(crate) mod erasure;
mod jobs;
mod oracle;
pub(crate) mod plans;
mod room;
mod season;
mod speed;
mod totals;

use model::{
    ActivityType, CleanText, Device, Metadata, MetadataKey, MetadataValue, OrganizationId, SessionId, UserId,
    Wall,
};
use persistence::{ActivityRow, Stretch, StretchId, WEEK_MS, Week};
use persistence_postgres::PostgresStore;
use rand::{Rng, rngs::SmallRng};
use uuid::Uuid;

use crate::fixture::{self, Home};

/// Members of an organization.
const TEAM: u32 = 50;

fn user(n: u32) -> UserId {
    UserId(Uuid::from_u128(u128::from(n)))
}

fn organization(n: u32) -> OrganizationId {
    OrganizationId(Uuid::from_u128(1_000_000 + u128::from(n)))
}

/// The first instant of this week.
fn this_week() -> Wall {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Week::of(Wall(i64::try_from(now.as_millis()).expect("in our age"))).start()
}

/// So many users, 50 in an organization, who have been there for long; a fifth of them has settings.
async fn populated(users: u32) -> (Home, PostgresStore) {
    let home = fixture::shared_home().await;
    populate(&home, users);
    let store = home.store().await;
    (home, store)
}

fn populate(home: &Home, users: u32) {
    let (organizations, first) = (users.div_ceil(TEAM), organization(0));
    home.psql(&format!(
        "CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql AS $$ SELECT lpad(to_hex(n), 32, '0')::uuid $$;
         INSERT INTO users (id, display_name, created_at)
            SELECT pg_temp.id(n), 'User ' || n, '2020-01-01Z' FROM generate_series(0, {users} - 1) AS n;
         INSERT INTO organizations (id, name, plan)
            SELECT pg_temp.id(1000000 + n), 'Agency ' || n, 'enterprise' FROM generate_series(0, {organizations} - 1) AS n;
         INSERT INTO presence_settings SELECT id, 'team', true, false, false, NULL, NULL, now() FROM users
            WHERE get_byte(uuid_send(id), 15) % 5 = 0;
         ANALYZE"
    ));
    assert_eq!(
        home.count(&format!("SELECT count(*) FROM organizations WHERE id >= '{first}'")),
        u64::from(organizations)
    );
}

fn page(random: &mut SmallRng) -> Option<CleanText> {
    let path = format!("/weddings/{}/timeline", random.random_range(0..400));
    CleanText::parse_page(&path, "page", 512).expect("it is short")
}

/// A row as people make them: half of them page views, a quarter with something to say.
fn activity(random: &mut SmallRng, users: u32, at: Wall) -> ActivityRow {
    let by = random.random_range(0..users);
    let kind = if random.random_bool(0.5) { ActivityType::PageView } else { ActivityType::Interaction };
    let mut metadata = Metadata::new();
    if random.random_bool(0.25) {
        metadata.insert(MetadataKey::Element, MetadataValue::Text("add-guest".into()));
        metadata.insert(MetadataKey::DurationMs, MetadataValue::Number(random.random_range(0..9_000)));
    }
    ActivityRow {
        id: Uuid::from_u128(random.random()),
        organization: organization(by / TEAM),
        user: user(by),
        kind,
        page: if random.random_bool(0.7) { page(random) } else { None },
        at,
        device: Some([Device::Desktop, Device::Mobile, Device::Tablet][random.random_range(0..3)]),
        session: Some(SessionId(Uuid::from_u128(u128::from(by) << 64))),
        metadata,
    }
}

/// A stretch of one of few sessions, so that many are noted again.
fn stretch(random: &mut SmallRng, users: u32, around: Wall) -> Stretch {
    let by = random.random_range(0..users);
    let started = Wall(around.0 - i64::from(by) * 60_000);
    Stretch {
        id: StretchId {
            organization: organization(by / TEAM),
            session: SessionId(Uuid::from_u128(u128::from(by) << 64)),
            started,
        },
        user: user(by),
        seen: Wall(started.0 + random.random_range(0..7_200_000)),
        ended: random.random_bool(0.2),
        device: Some([Device::Desktop, Device::Mobile][(by % 2) as usize]),
    }
}

fn activities(random: &mut SmallRng, count: usize, users: u32, later_ms: i64) -> Vec<ActivityRow> {
    let mut one = || {
        let at = Wall(instant(random).0 + later_ms);
        activity(random, users, at)
    };
    (0..count).map(|_| one()).collect()
}

fn stretches(random: &mut SmallRng, count: usize, users: u32) -> Vec<Stretch> {
    let mut one = || {
        let around = instant(random);
        stretch(random, users, around)
    };
    (0..count).map(|_| one()).collect()
}

/// Well within a week, so that it has a place.
fn instant(random: &mut SmallRng) -> Wall {
    Wall(this_week().0 + random.random_range(WEEK_MS / 4..WEEK_MS / 2))
}
