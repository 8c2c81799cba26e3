//! What the people of enterprise organizations did in the weeks before the demonstration: reports of nothing say nothing.

use model::{
    ActivityType, ChannelId, CleanText, Device, DirectoryChange, Metadata, OrganizationId, Plan, SessionId,
    UserId, Wall, limits,
};
use persistence::{ActivityRow, BATCH_ROWS, Behind, StoreError, Stretch, StretchId, Upkeep};
use persistence_sqlite::SqliteStore;
use uuid::Uuid;

use super::{
    dice::Dice,
    world::{Choice, World},
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Days before the day of the demonstration.
const DAYS: i64 = 30;
/// Quarters of an hour that are added up at once.
const QUARTERS: usize = 256;

const PAGES: &[&str] = &[
    "/timeline",
    "/timeline",
    "/timeline",
    "/inbox",
    "/inbox",
    "/guests",
    "/guests",
    "/seating",
    "/invoices",
    "/documents",
];
const DEVICES: &[Device] =
    &[Device::Desktop, Device::Desktop, Device::Desktop, Device::Mobile, Device::Mobile, Device::Tablet];
/// Of ten days of that weekday, from Sunday on, somebody works on so many: weddings are at the end of the week.
const BUSY: [u64; 7] = [3, 5, 6, 6, 8, 9, 9];
/// Hours in which people begin, in UTC: the morning, and the coordination from five to seven.
const BEGINNINGS: &[i64] = &[8, 9, 9, 10, 13, 14, 16, 17, 17, 17, 18];

/// What is to be written.
#[derive(Default)]
pub(super) struct Past {
    pub(super) stretches: Vec<Stretch>,
    pub(super) activity: Vec<ActivityRow>,
}

impl Past {
    /// The days before `now` of everybody in `world` who shows their activity; the same seed makes the same days.
    pub(super) fn of(world: &World, seed: u64, now: Wall) -> Self {
        let today = now.0.div_euclid(DAY_MS);
        let mut past = Self::default();
        for (person, number) in world.people.iter().zip(0..) {
            let mut dice = Dice::new(!seed, number);
            let shows = person.choice.patch().show_activity == Some(true) && person.choice != Choice::Nobody;
            for organization in enterprises(world)
                .filter(|id| shows && person.channels.contains(&ChannelId::Organization(*id)))
            {
                for day in today - DAYS..today {
                    past.add_day(&mut dice, organization, person.id, day);
                }
            }
        }
        past
    }

    fn add_day(&mut self, dice: &mut Dice, organization: OrganizationId, user: UserId, day: i64) {
        // The first of January 1970 was a Thursday.
        let weekday = (day + 4).rem_euclid(7) as usize;
        if dice.between(0, 10) >= BUSY[weekday] {
            return;
        }
        let begins = dice.pick(BEGINNINGS) * 60 + dice.between(0, 60) as i64;
        let started = Wall(day * DAY_MS + begins * MINUTE_MS);
        let minutes = dice.between(25, 240) as i64;
        let (session, device) = (SessionId(Uuid::new_v4()), Some(*dice.pick(DEVICES)));
        let seen = Wall(started.0 + minutes * MINUTE_MS);
        let id = StretchId { organization, session, started };
        self.stretches.push(Stretch { id, user, seen, ended: true, device });
        let mut minute = 0;
        while minute < minutes {
            let page = *dice.pick(PAGES);
            let page = CleanText::parse_page(page, "page", limits::PAGE_CHARS).ok().flatten();
            self.activity.push(ActivityRow {
                id: Uuid::new_v4(),
                organization,
                user,
                kind: ActivityType::PageView,
                page,
                at: Wall(started.0 + minute * MINUTE_MS),
                device,
                session: Some(session),
                metadata: Metadata::default(),
            });
            minute += dice.between(4, 25) as i64;
        }
    }
}

/// Organizations that have a log.
pub(super) fn enterprises(world: &World) -> impl Iterator<Item = OrganizationId> {
    world.changes.iter().filter_map(|change| match change {
        DirectoryChange::PutOrganization { id, plan: Plan::Enterprise, .. } => Some(*id),
        _ => None,
    })
}

/// Gives the world its past.
pub(super) async fn write(store: &SqliteStore, past: &Past) -> Result<(), StoreError> {
    let first = past.stretches.iter().map(|stretch| stretch.id.started).min();
    store.know_users_since(first.unwrap_or(Wall(0))).await?;
    for batch in past.stretches.chunks(BATCH_ROWS) {
        store.write_stretches(batch).await?;
    }
    for batch in past.activity.chunks(BATCH_ROWS) {
        store.write_activity(batch).await?;
    }
    while store.roll_up(QUARTERS).await?.more {}
    Ok(())
}
