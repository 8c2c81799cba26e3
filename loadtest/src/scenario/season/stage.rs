//! Where it all happens: the clients, the back-end's calls, and what is so at every moment.

mod answers;

use std::{collections::BTreeMap, time::Duration};

use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Hours, Town,
    deed::{self, Deed},
};
use crate::{
    engine::{
        calls::Call,
        clock::{Nanos, RunClock, SECOND},
        drive::Target,
        judge::Tally,
        swarm::Swarm,
    },
    hub::{Hub, named},
    outcome::{Check, Outcome, Recorder},
    world::{Person, World, user, uuid_of},
};
use answers::{Meant, Pending};

/// Connections of the back-end; what concerns one person goes over one of them.
pub(super) const CALLERS: usize = 32;
/// Between two reports that the admin asks for.
const REPORT_EVERY: Nanos = 2 * SECOND;
/// Strangers in a question about some people.
const STRANGERS: u32 = 10;
/// How long people are away: within the grace, and beyond it.
const AWAY_MS: std::ops::Range<u64> = 300..5_000;
const LOST: Duration = Duration::from_secs(12);
/// Words kept of what went wrong; the rest is counted.
const COMPLAINTS: usize = 8;

/// How it went.
#[derive(Default)]
struct Found {
    latency: BTreeMap<&'static str, Recorder>,
    /// Calls that were refused for a while.
    unavailable: u64,
    wrongs: u64,
    forbidden: u64,
    complaints: Vec<String>,
    /// People in answers who were held against what is so.
    judged: u64,
    settings: u64,
    cuts: u64,
    losses: u64,
}

/// The scenario at work.
pub(super) struct Stage<'a> {
    swarm: &'a mut Swarm,
    hub: &'a Hub,
    town: Town,
    pub(super) world: World,
    dice: SmallRng,
    deeds: &'static [(Deed, u32)],
    pending: BTreeMap<u32, Pending>,
    /// What is asked for again, and when.
    again: Vec<(Nanos, Pending)>,
    tags: u32,
    /// By person, whether something about them is under way that nothing else may meet.
    busy: Vec<bool>,
    /// By person, when something about them was changed last.
    touched: Vec<Nanos>,
    /// Who is not back yet after the grace.
    lost: Vec<Person>,
    report_due: Nanos,
    found: Found,
}

impl<'a> Stage<'a> {
    pub(super) fn new(swarm: &'a mut Swarm, hub: &'a Hub, town: &Town, world: World, seed: u64) -> Self {
        let people = world.people() as usize;
        let report_due = swarm.clock().now();
        Self {
            swarm,
            hub,
            town: *town,
            world,
            dice: SmallRng::seed_from_u64(seed),
            deeds: &[],
            pending: BTreeMap::new(),
            again: Vec::new(),
            tags: 0,
            busy: vec![false; people],
            touched: vec![0; people],
            lost: Vec::new(),
            report_due,
            found: Found::default(),
        }
    }

    /// The next hours of the day begin.
    pub(super) fn begin(&mut self, hours: &Hours) {
        self.swarm.sit_at(hours.device);
        self.swarm.judge.begin();
        self.deeds = hours.deeds;
    }

    pub(super) fn tally(&self) -> &Tally {
        self.swarm.tally()
    }

    /// The clients, with what they are shown.
    pub(super) fn swarm(&self) -> &Swarm {
        self.swarm
    }

    /// Settings whose change was acknowledged.
    pub(super) fn settings(&self) -> u64 {
        self.found.settings
    }

    /// Whether everybody is back, and everything answered and shown.
    pub(super) fn is_quiet(&self) -> bool {
        self.swarm.live() == self.swarm.len() && self.lost.is_empty() && self.outstanding() == 0
    }

    fn act(&mut self, person: Person, due: Nanos) -> anyhow::Result<()> {
        let deed = deed::draw(&mut self.dice, self.deeds);
        let person = if deed == Deed::Collaboration {
            let Some(dropped) = Town::dropped(&self.world, person) else { return Ok(()) };
            dropped
        } else {
            person
        };
        // Who has no connection does nothing; and what is under way is waited for.
        if self.busy[person as usize] || self.swarm.session_of(person).is_none() {
            return Ok(());
        }
        match deed {
            Deed::Track => return self.swarm.change(person, due),
            Deed::Announce => self.announce(person, due),
            Deed::Settings => self.choose(person, due),
            Deed::Collaboration => self.collaborate(person, due),
            Deed::Cut | Deed::Silence | Deed::Loss => self.cut(person, deed),
            Deed::Several | Deed::Team | Deed::One | Deed::Why => self.question(person, deed, due),
        }
        Ok(())
    }

    fn announce(&mut self, person: Person, due: Nanos) {
        let Some(session) = self.swarm.session_of(person) else { return };
        let words = self.swarm.change_elsewhere(person, due);
        let mut body = serde_json::to_value(words).unwrap_or_default();
        body["sessionId"] = json!(session);
        self.busy[person as usize] = true;
        self.ask(Meant::Announce(person), due, ("POST", "/api/presence/track"), (person, &body));
    }

    fn choose(&mut self, person: Person, due: Nanos) {
        let choice = deed::another(&mut self.dice, self.world.choice(person));
        self.world.choose(person, choice);
        self.unsettle(person, due);
        let what = ("PUT", "/api/presence/settings");
        let message = self.hub.request(what, Some(user(person)), &choice.settings()).unwrap_or_default();
        // Asked for again under its name it is done once.
        let message = named(&message, Uuid::from_u128(self.dice.random()));
        self.begin_call(Meant::Settings(person), due, person, message);
    }

    /// Takes a supplier's part from them, or gives it back.
    fn collaborate(&mut self, person: Person, due: Nanos) {
        let Some(wedding) = self.world.wedding_of(person) else { return };
        let client = self.world.entries(wedding).start;
        let path = format!(
            "/api/directory/weddings/{}/collaborations/{}/{}",
            uuid_of(wedding),
            user(person),
            user(client)
        );
        let outside = !self.world.is_outside(person);
        self.world.put_outside(person, outside);
        self.unsettle(person, due);
        let body = if outside { Value::Null } else { json!({ "supplierType": "photographer" }) };
        let message = self.hub.request((if outside { "DELETE" } else { "PUT" }, &path), None, &body);
        self.begin_call(Meant::Collaboration(person), due, person, message.unwrap_or_default());
    }

    /// From now on what is so of a person may be what it was or what comes.
    fn unsettle(&mut self, person: Person, now: Nanos) {
        self.busy[person as usize] = true;
        self.touched[person as usize] = now.max(self.swarm.clock().now());
        self.swarm.judge.allow(&self.world, person);
        self.swarm.judge.excuse(person, true);
    }

    /// It was acknowledged: what was sent before has arrived, and what comes now is as it has to be.
    fn settle(&mut self, person: Person) -> anyhow::Result<()> {
        self.swarm.read_all()?;
        self.swarm.judge.restrict(&self.world, person);
        self.swarm.judge.excuse(person, false);
        self.touched[person as usize] = self.swarm.clock().now();
        self.busy[person as usize] = false;
        Ok(())
    }

    fn cut(&mut self, person: Person, deed: Deed) {
        // Whose other tab stays is not gone.
        let is_loss = deed == Deed::Loss && self.world.weddings_of(person).count() == 1;
        if is_loss {
            self.swarm.judge.excuse(person, true);
            self.touched[person as usize] = Nanos::MAX / 2;
            self.busy[person as usize] = true;
            self.lost.push(person);
            self.found.losses += 1;
            return self.swarm.cut(person, false, LOST);
        }
        self.found.cuts += 1;
        let away = Duration::from_millis(self.dice.random_range(AWAY_MS));
        self.swarm.cut(person, deed == Deed::Silence, away);
    }

    fn question(&mut self, viewer: Person, deed: Deed, due: Nanos) {
        // Whose part was taken away has no wedding to ask about.
        let wedding = self.world.wedding_of(viewer).filter(|_| !self.world.is_outside(viewer));
        let Some(wedding) = wedding else { return };
        let team: Vec<Person> = self.world.entries(wedding).collect();
        let another = team[self.dice.random_range(0..team.len())];
        match deed {
            Deed::Several => self.ask_about_some(viewer, team, due),
            Deed::Team => {
                let path = format!("/api/presence/weddings/{}", uuid_of(wedding));
                self.ask(Meant::Team(viewer, team), due, ("GET", &path), (viewer, &Value::Null));
            }
            Deed::One => {
                let path = format!("/api/presence/users/{}", user(another));
                self.ask(Meant::One(viewer, another), due, ("GET", &path), (viewer, &Value::Null));
            }
            _ => {
                // Asked by the subject, who is told in full.
                let path = format!("/api/presence/why?subject={}&viewer={}", user(viewer), user(another));
                self.ask(Meant::Why(another, viewer), due, ("GET", &path), (viewer, &Value::Null));
            }
        }
    }

    fn ask_about_some(&mut self, viewer: Person, mut people: Vec<Person>, due: Nanos) {
        let all = self.world.people();
        people.extend((0..STRANGERS).map(|_| self.dice.random_range(0..all)));
        people.sort_unstable();
        people.dedup();
        let ids: Vec<_> = people.iter().map(|person| user(*person)).collect();
        let body = json!({ "userIds": ids });
        self.ask(Meant::Several(viewer, people), due, ("POST", "/api/presence/users/query"), (viewer, &body));
    }

    fn report(&mut self, due: Nanos) {
        let admin = self.town.admin();
        let Some(organization) = self.world.organization_of(admin) else { return };
        let of = uuid_of(organization);
        let path = format!("/api/presence/analytics?organizationId={of}&from=2026-01-01&to=2026-03-31");
        self.ask(Meant::Report, due, ("GET", &path), (admin, &Value::Null));
    }

    fn ask(&mut self, meant: Meant, due: Nanos, what: (&str, &str), (who, body): (Person, &Value)) {
        // Without a token nobody is answered, which is seen.
        let message = self.hub.request(what, Some(user(who)), body).unwrap_or_default();
        self.begin_call(meant, due, who, message);
    }

    fn begin_call(&mut self, meant: Meant, due: Nanos, who: Person, message: Vec<u8>) {
        self.send(Pending { meant, caller: who as usize % CALLERS, due, message, refused: 0 });
    }

    fn send(&mut self, pending: Pending) {
        self.tags += 1;
        let Pending { caller, due, message, .. } = &pending;
        self.swarm.ask(Call { caller: *caller, tag: self.tags, due: *due, message: message.clone() });
        self.pending.insert(self.tags, pending);
    }

    fn complain(&mut self, what: String) {
        self.found.wrongs += 1;
        if self.found.complaints.len() < COMPLAINTS {
            self.found.complaints.push(what);
        }
    }

    /// Those who are back after the grace may be gone no more.
    fn welcome_back(&mut self) {
        let (back, lost): (Vec<_>, Vec<_>) =
            self.lost.drain(..).partition(|person| self.swarm.session_of(*person).is_some());
        self.lost = lost;
        for person in back {
            self.swarm.judge.excuse(person, false);
            self.touched[person as usize] = self.swarm.clock().now();
            self.busy[person as usize] = false;
        }
    }

    /// Figures of the calls, and what must hold of their answers.
    pub(super) fn tell(&self, outcome: &mut Outcome) {
        for (name, recorder) in &self.found.latency {
            let latency = recorder.latency();
            outcome.figure(&format!("calls: {name}"), latency.count as f64, "");
            outcome.figure(&format!("p50 {name}"), latency.p50_ms, "ms");
            outcome.figure(&format!("p99 {name}"), latency.p99_ms, "ms");
        }
        // A view is kept for longer than a session.
        let (comeback, cut) = (self.swarm.comeback(), self.found.cuts + self.found.losses);
        outcome.figure("people in answers who were judged", self.found.judged as f64, "");
        outcome.figure("people who were cut off and back within the grace", self.found.cuts as f64, "");
        outcome.figure("people who were back after it", self.found.losses as f64, "");
        outcome.forbidden += self.found.forbidden;
        outcome.errors += self.found.wrongs;
        outcome.notes.extend(self.found.complaints.iter().cloned());
        outcome.checks.extend([
            Check::exactly("cut off and resumed", comeback.resumed as f64, cut as f64),
            Check::exactly("calls refused because of the database", self.found.unavailable as f64, 0.0)
                .into_aim(),
            Check::exactly("clients in the end", self.swarm.live() as f64, self.swarm.len() as f64),
        ]);
    }
}

impl Target for Stage<'_> {
    fn clock(&self) -> RunClock {
        self.swarm.clock()
    }

    fn run_until(&mut self, until: Nanos) -> anyhow::Result<()> {
        self.swarm.run_until(until)?;
        self.take_answers()?;
        self.ask_again();
        self.welcome_back();
        Ok(())
    }

    /// Lets a person do something. Who tells, tells.
    fn change(&mut self, person: Person, due: Nanos) -> anyhow::Result<()> {
        if due >= self.report_due {
            self.report_due = due + REPORT_EVERY;
            self.report(due);
        }
        if self.town.tellers().contains(&person) {
            return self.swarm.change(person, due);
        }
        self.act(person, due)
    }

    fn outstanding(&self) -> u64 {
        self.swarm.tally().outstanding() + (self.swarm.asking() + self.again.len()) as u64
    }

    fn stay_awake(&mut self, awake: bool) {
        self.swarm.stay_awake(awake);
    }

    fn idle(&self) -> Duration {
        self.swarm.idle()
    }
}
