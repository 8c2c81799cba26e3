//! The second opinion: a report by plain code over plain rows, each with what the clocks of the zone showed then.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};
use chrono_tz::Tz;
use model::{ActivityType, Device, OrganizationId, UserId, Wall};

use crate::{
    ActivityRow, BUCKET_MS, Stretch,
    analytics::{Devices, HourUsers, Minutes, MonthUsers, PageViews, Report, SupplierTypeUse, WeekdayUsers},
};

/// What was written, each row once.
pub(super) struct Raw {
    pub(super) activity: Vec<ActivityRow>,
    pub(super) stretches: Vec<Stretch>,
}

type People = BTreeSet<UserId>;

/// Who did what.
#[derive(Default)]
struct Tally {
    hours: BTreeMap<u32, People>,
    months: BTreeMap<u32, People>,
    weekdays: BTreeMap<u32, People>,
    sessions: BTreeMap<UserId, u64>,
    millis: BTreeMap<UserId, i64>,
    devices: BTreeMap<Device, Vec<UserId>>,
    pages: BTreeMap<String, Vec<UserId>>,
}

/// Which rows count, and what the clock shows.
struct Scope<'a> {
    of: OrganizationId,
    days: (&'a str, &'a str),
    zone: Tz,
}

impl Scope<'_> {
    /// What the clock shows at an instant of the range.
    fn local(&self, at: Wall) -> Option<NaiveDateTime> {
        let at = DateTime::from_timestamp_millis(at.0).expect("an instant of this age");
        let local = at.with_timezone(&self.zone).naive_local();
        let day = local.date().to_string();
        (self.days.0 <= day.as_str() && day.as_str() <= self.days.1).then_some(local)
    }
}

impl Raw {
    /// What is to be told of an organization about the days from one to another.
    pub(super) fn told(
        &self,
        of: OrganizationId,
        days: (&str, &str),
        zone: &str,
        supplied_by: impl Fn(UserId) -> Vec<&'static str>,
    ) -> Report {
        let scope = Scope { of, days, zone: zone.parse().expect("a zone") };
        let mut tally = Tally::default();
        self.activity.iter().for_each(|row| tally.add_activity(&scope, row));
        self.stretches.iter().for_each(|stretch| tally.add_stretch(&scope, stretch));
        tally.report(supplied_by)
    }
}

impl Tally {
    fn add_activity(&mut self, scope: &Scope<'_>, row: &ActivityRow) {
        let Some(local) = scope.local(row.at).filter(|_| row.organization == scope.of) else { return };
        self.was_active(row.user, local);
        if let (ActivityType::PageView, Some(page)) = (row.kind, &row.page) {
            self.pages.entry(page.as_str().to_owned()).or_default().push(row.user);
        }
    }

    fn was_active(&mut self, user: UserId, local: NaiveDateTime) {
        self.hours.entry(local.hour()).or_default().insert(user);
        self.months.entry(local.month()).or_default().insert(user);
        self.weekdays.entry(local.weekday().number_from_monday()).or_default().insert(user);
        self.millis.entry(user).or_default();
    }

    /// Quarter by quarter.
    fn add_stretch(&mut self, scope: &Scope<'_>, stretch: &Stretch) {
        if stretch.id.organization != scope.of {
            return;
        }
        let user = stretch.user;
        if let Some(local) = scope.local(stretch.id.started) {
            self.was_active(user, local);
            *self.sessions.entry(user).or_default() += 1;
            stretch.device.into_iter().for_each(|device| self.devices.entry(device).or_default().push(user));
        }
        let mut at = stretch.id.started;
        while at < stretch.seen {
            let bound = Wall((at.0.div_euclid(BUCKET_MS) + 1) * BUCKET_MS).min(stretch.seen);
            if let Some(local) = scope.local(at) {
                self.was_active(user, local);
                *self.millis.entry(user).or_default() += bound.0 - at.0;
            }
            at = bound;
        }
    }

    fn report(&self, supplied_by: impl Fn(UserId) -> Vec<&'static str>) -> Report {
        let total_sessions: u64 = self.sessions.values().sum();
        let minutes = self.millis.values().sum::<i64>() as f64 / 60_000.0;
        let device =
            |device| self.devices.get(&device).filter(|by| distinct(by) >= 3).map_or(0, |by| by.len() as u64);
        Report {
            total_sessions,
            average_session_duration: one_decimal(minutes, total_sessions),
            peak_hours: hours(&self.hours),
            most_active_users: self.most_active(),
            page_views: self.page_views(),
            device_breakdown: Devices {
                desktop: device(Device::Desktop),
                mobile: device(Device::Mobile),
                tablet: device(Device::Tablet),
            },
            peak_months: told(&self.months)
                .map(|(month, active_users)| MonthUsers { month, active_users })
                .collect(),
            weekdays: told(&self.weekdays)
                .map(|(weekday, active_users)| WeekdayUsers { weekday, active_users })
                .collect(),
            supplier_types: self.supplier_types(supplied_by),
        }
    }

    fn most_active(&self) -> Vec<Minutes> {
        let minutes = |(user, millis): (&UserId, &i64)| Minutes {
            user_id: *user,
            total_minutes: *millis as u64 / 60_000,
        };
        let mut users: Vec<_> = self.millis.iter().map(minutes).collect();
        users.sort_by_key(|user| (-(user.total_minutes as i64), user.user_id));
        users.into_iter().take(10).collect()
    }

    fn page_views(&self) -> Vec<PageViews> {
        let of = |(page, by): (&String, &Vec<UserId>)| PageViews {
            page: page.clone(),
            views: by.len() as u64,
            unique_users: distinct(by) as u64,
        };
        let mut pages: Vec<_> = self.pages.iter().map(of).filter(|page| page.unique_users > 2).collect();
        pages.sort_by(|one, two| two.views.cmp(&one.views).then_with(|| one.page.cmp(&two.page)));
        pages.into_iter().take(50).collect()
    }

    fn supplier_types(&self, supplied_by: impl Fn(UserId) -> Vec<&'static str>) -> Vec<SupplierTypeUse> {
        let mut types: BTreeMap<&str, People> = BTreeMap::new();
        for user in self.millis.keys() {
            supplied_by(*user).into_iter().for_each(|of| _ = types.entry(of).or_default().insert(*user));
        }
        let told = types.into_iter().filter(|(_, people)| people.len() > 2);
        told.map(|(of, people)| self.supplier_type(of, &people)).collect()
    }

    fn supplier_type(&self, of: &str, people: &People) -> SupplierTypeUse {
        let sessions: u64 = people.iter().filter_map(|user| self.sessions.get(user)).sum();
        let among = |(hour, by): (&u32, &People)| (*hour, by.intersection(people).copied().collect());
        let mut peak_hours = hours(&self.hours.iter().map(among).collect());
        peak_hours.sort_by_key(|of| (100 - of.active_users, of.hour));
        peak_hours.truncate(3);
        let average_sessions = one_decimal(sessions as f64, people.len() as u64);
        SupplierTypeUse { r#type: of.to_owned(), average_sessions, peak_hours }
    }
}

fn distinct(people: &[UserId]) -> usize {
    people.iter().collect::<BTreeSet<_>>().len()
}

fn hours(people: &BTreeMap<u32, People>) -> Vec<HourUsers> {
    told(people).map(|(hour, active_users)| HourUsers { hour, active_users }).collect()
}

fn told(people: &BTreeMap<u32, People>) -> impl Iterator<Item = (u32, usize)> + '_ {
    people.iter().map(|(of, people)| (*of, people.len())).filter(|(_, count)| *count > 2)
}

fn one_decimal(of: f64, by: u64) -> f64 {
    if by == 0 { 0.0 } else { (of / by as f64 * 10.0).round() / 10.0 }
}

/// Numbers that look random and are the same for the same seed (xorshift).
pub(super) struct Dice(u64);

impl Dice {
    /// The seed is not 0.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `bound`.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 20) % u64::from(bound.max(1))) as u32
    }
}
