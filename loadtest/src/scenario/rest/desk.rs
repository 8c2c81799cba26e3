//! Who asks for what, and what has to be answered.

use std::net::SocketAddr;

use chrono::{DateTime, Days, Utc};
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};
use serde_json::{Value, json};

use super::{Load, Scene, answer::People};
use crate::{
    hub::{Hub, request},
    world::{Channel, Person, World, user, uuid_of},
};

/// Callers who each wait for a report, all of them at once.
pub(super) const REPORTS_AT_ONCE: u32 = 10;
/// People whom a bulk query asks about.
const BULK: u32 = 50;
/// Days by which the beginnings of reports differ, and by which their ends do.
pub(super) const SHIFTS: u32 = 8;
/// Days and hours by clocks all over the world. With the shifts there are 1,536 reports: more than the hub keeps, and more
/// than are asked for before the admins come to those of others.
const ZONES: [&str; 24] = [
    "Europe/Rome",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Africa/Cairo",
    "Africa/Lagos",
    "America/Chicago",
    "America/Denver",
    "America/St_Johns",
    "Asia/Tehran",
    "Asia/Dubai",
    "Asia/Shanghai",
    "Europe/Lisbon",
    "Europe/Athens",
    "Pacific/Honolulu",
    "UTC",
];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Track,
    Bulk,
    One,
    Settings,
    Report,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Track, Self::Bulk, Self::One, Self::Settings, Self::Report];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Bulk => "bulk of 50",
            Self::One => "single user",
            Self::Settings => "settings",
            Self::Report => "report of 90 days",
        }
    }

    /// Of each caller; a report follows a report.
    pub(super) fn calls_per_s(self) -> f64 {
        match self {
            Self::Track | Self::Bulk | Self::One => 1.0,
            Self::Settings => 0.2,
            Self::Report => 0.0,
        }
    }

    /// What 99 in a hundred may take, in ms: aimed at, and required.
    pub(super) fn limits_ms(self) -> (f64, f64) {
        match self {
            Self::Track => (20.0, 200.0),
            Self::Bulk => (20.0, 500.0),
            Self::One => (5.0, 50.0),
            Self::Settings => (50.0, 300.0),
            Self::Report => (200.0, 2_000.0),
        }
    }

    /// How many callers there are.
    fn callers(self, crowd: u32) -> u32 {
        let share = match self {
            Self::Track => 20,
            Self::Bulk => 50,
            Self::One | Self::Settings => 100,
            Self::Report => return REPORTS_AT_ONCE,
        };
        (crowd / share).max(1)
    }
}

/// A caller.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) kind: Kind,
    pub(super) person: Person,
    pub(super) token: String,
    /// What is asked in turn; empty: it is made for each call.
    pub(super) asks: Vec<Ask>,
}

/// A call that is ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) message: Vec<u8>,
    pub(super) status: u16,
    /// Who has to be in the answer; none: nobody looks.
    pub(super) people: Option<People>,
}

/// All callers, each somebody else of the crowd, and the admins.
pub(super) fn desks(
    scene: &Scene,
    load: &Load,
    hub: &Hub,
    organization: Channel,
) -> anyhow::Result<Vec<Desk>> {
    let mut dice = SmallRng::seed_from_u64(u64::from(scene.crowd));
    let mut crowd: Vec<Person> = (0..scene.crowd).collect();
    crowd.shuffle(&mut dice);
    let mut people = crowd.into_iter();
    let mut desks = Vec::new();
    for kind in Kind::ALL {
        for number in 0..kind.callers(scene.crowd) {
            let of_crowd = if kind == Kind::Report { None } else { people.next() };
            let person = of_crowd.unwrap_or(scene.admins().start + number);
            let token = hub.token(user(person))?.reveal().to_owned();
            let desk = Desk { kind, person, token, asks: Vec::new() };
            desks.push(desk.ready((scene, &load.world, organization), hub.address(), &mut dice));
        }
    }
    Ok(desks)
}

impl Desk {
    fn ready(
        self,
        (scene, world, organization): (&Scene, &World, Channel),
        host: SocketAddr,
        dice: &mut SmallRng,
    ) -> Self {
        let asks = match self.kind {
            Kind::Track => Vec::new(),
            Kind::Bulk => vec![self.bulk(world, scene.crowd, host, dice)],
            Kind::One => {
                colleagues(world, self.person).map(|subject| self.one(world, subject, host)).collect()
            }
            Kind::Settings => ["\u{1f389}", "\u{1f48d}"].map(|emoji| self.settings(emoji, host)).into(),
            Kind::Report => {
                reports(scene.days).map(|asked| self.report(organization, &asked, host)).collect()
            }
        };
        Self { asks, ..self }
    }

    /// The wedding, and others whom chance names.
    fn bulk(&self, world: &World, crowd: u32, host: SocketAddr, dice: &mut SmallRng) -> Ask {
        let mut people: Vec<Person> = colleagues(world, self.person).collect();
        while people.len() < BULK.min(crowd) as usize {
            let another = dice.random_range(0..crowd);
            if !people.contains(&another) {
                people.push(another);
            }
        }
        let body = json!({ "userIds": people.iter().map(|person| user(*person)).collect::<Vec<_>>() });
        people.sort_unstable();
        let expected = people.iter().copied().filter(|subject| world.knows(self.person, *subject)).collect();
        let message = request(host, ("POST", "/api/presence/users/query"), &self.token, &body);
        Ask { message, status: 200, people: Some(People { viewer: self.person, asked: people, expected }) }
    }

    fn one(&self, world: &World, subject: Person, host: SocketAddr) -> Ask {
        let path = format!("/api/presence/users/{}", user(subject));
        let status = if world.knows(self.person, subject) { 200 } else { 404 };
        self.ask(("GET", &path), &Value::Null, status, host)
    }

    fn settings(&self, emoji: &str, host: SocketAddr) -> Ask {
        self.ask(("PUT", "/api/presence/settings"), &json!({ "customEmoji": emoji }), 200, host)
    }

    fn report(&self, organization: Channel, (from, to, zone): &Asked, host: SocketAddr) -> Ask {
        let of = uuid_of(organization);
        let query = format!("organizationId={of}&from={from}&to={to}&timeZone={}", zone.replace('/', "%2F"));
        let path = format!("/api/presence/analytics?{query}");
        self.ask(("GET", &path), &Value::Null, 200, host)
    }

    fn ask(&self, what: (&str, &str), body: &Value, status: u16, host: SocketAddr) -> Ask {
        Ask { message: request(host, what, &self.token, body), status, people: None }
    }
}

/// First day, last day, time zone.
type Asked = (String, String, &'static str);

/// All reports that differ: as many days as there are, or a few less, up to yesterday or a few days before.
fn reports(days: u32) -> impl Iterator<Item = Asked> {
    let today = DateTime::<Utc>::from(std::time::SystemTime::now()).date_naive();
    let day = move |ago: u32| (today - Days::new(ago.into())).to_string();
    let shifts = (0..SHIFTS).flat_map(|shorter| (0..SHIFTS).map(move |ago| (shorter, ago)));
    shifts.flat_map(move |(shorter, ago)| {
        ZONES.map(|zone| (day(ago + days - shorter), day(ago + 1), zone)).into_iter()
    })
}

/// Those who take part in the person's wedding, themself among them.
fn colleagues(world: &World, person: Person) -> impl Iterator<Item = Person> {
    world.wedding_of(person).map_or(person..person + 1, |wedding| world.entries(wedding))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::world::{Choice, Visibility};

    #[test]
    fn no_report_is_asked_for_again_while_it_is_kept() {
        let different: BTreeSet<_> = reports(90).collect();
        assert_eq!(different.len(), 1_536);
        assert!(different.iter().all(|(from, to, _)| from < to));
    }

    #[test]
    fn who_may_not_be_seen_is_not_expected() {
        let world = World::new(60).with_weddings(0..60, 20).with_choices(|person| match person {
            1 => Choice::of(Visibility::Nobody),
            _ => Choice::NONE,
        });
        let desk = Desk { kind: Kind::Bulk, person: 0, token: String::new(), asks: Vec::new() };
        let host = "127.0.0.1:1".parse().unwrap();
        let ask = desk.bulk(&world, 60, host, &mut SmallRng::seed_from_u64(1));
        let expected = ask.people.unwrap().expected;
        assert_eq!(expected.len(), 19, "their wedding without one of them, and none of another");
        assert!(!expected.contains(&1));
        assert_eq!((desk.one(&world, 1, host).status, desk.one(&world, 2, host).status), (404, 200));
    }
}
