//! What is logged: of nobody who does not want it, of no hidden instant, and without a gap or an overlap.

use std::collections::{BTreeMap, BTreeSet};

use model::{ActivityType, OrganizationId, SessionId, UserFacts, UserId, Wall};
use oracle::{Act, Event, Oracle, World};
use presence::{ActivityNote, Note, StretchNote};

use crate::{
    for_each_seed,
    rig::{Rig, limits},
    script::{self, Cast, Dice, Known, START_WALL},
};

/// The stretches of a run, each as it was told last.
type Stretches = BTreeMap<(SessionId, OrganizationId, Wall), StretchNote>;

/// A run, and who may be logged at each moment of it.
struct Run {
    rig: Rig,
    dice: Dice,
    cast: Cast,
    world: World,
    people: BTreeMap<UserId, UserFacts>,
    stretches: Stretches,
}

#[test]
fn nothing_is_logged_of_who_does_not_want_it() {
    for_each_seed("nothing_is_logged_of_who_does_not_want_it", 600, |seed| Run::new(seed).play());
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x10_66ed);
        let cast = Cast::new(&mut dice);
        let world = Oracle::new(START_WALL, limits()).start();
        Self {
            rig: Rig::new(limits()),
            dice,
            cast,
            world,
            people: BTreeMap::new(),
            stretches: Stretches::new(),
        }
    }

    fn play(mut self) {
        for act in script::beginning(&mut self.dice, &self.cast) {
            self.act(&act);
        }
        let mut known: BTreeMap<UserId, Known> = BTreeMap::new();
        for _ in 0..120 {
            self.advance();
            let user = self.dice.pick(&self.cast.users);
            let act = match self.dice.below(6) {
                0 => script::act_of_directory(&mut self.dice, &self.cast),
                _ => script::act_of(&mut self.dice, &self.cast, user, known.entry(user).or_default()),
            };
            self.act(&act);
        }
        self.no_stretch_overlaps();
    }

    /// Timers of the world fire too, and nothing that they cause is logged of the hidden.
    fn advance(&mut self) {
        let until = model::Mono(self.rig.mono.0 + script::pause(&mut self.dice));
        while let Some(at) = self.rig.next_tick(until) {
            self.world.advance(at);
            let before = self.loggable();
            self.rig.tick(at);
            self.check(&before);
        }
        self.rig.mono = until;
        self.world.advance(until);
    }

    fn act(&mut self, act: &Act) {
        let mut allowed = self.loggable();
        if let Act::Facts { user, facts } = act {
            match facts {
                Some(facts) => self.people.insert(*user, facts.clone()),
                None => self.people.remove(user),
            };
        }
        self.world.apply(&Event { at: self.rig.mono, act: act.clone() });
        // An act that ends it is logged as the end; one that begins it as the beginning.
        let after = self.loggable();
        for (user, organizations) in after {
            allowed.entry(user).or_default().extend(organizations);
        }
        self.rig.act(act);
        self.check(&allowed);
    }

    /// In whose logs everybody may be now.
    fn loggable(&self) -> BTreeMap<UserId, BTreeSet<OrganizationId>> {
        let wants = |(user, facts): (&UserId, &UserFacts)| {
            let settings = self.world.settings(*user)?;
            let logged = settings.show_activity && !settings.hidden() && !facts.disabled;
            logged.then(|| (*user, facts.enterprise.clone()))
        };
        self.people.iter().filter_map(wants).collect()
    }

    fn check(&mut self, allowed: &BTreeMap<UserId, BTreeSet<OrganizationId>>) {
        for note in std::mem::take(&mut self.rig.notes) {
            let (user, organizations) = match &note {
                Note::LastSeen(_) => continue,
                Note::Activity(ActivityNote { user, organizations, .. })
                | Note::Stretch(StretchNote { user, organizations, .. }) => (user, organizations),
            };
            let of_user = allowed.get(user).cloned().unwrap_or_default();
            let all_allowed = organizations.iter().all(|organization| of_user.contains(organization));
            assert!(all_allowed, "at {:?}: {note:?}, allowed: {of_user:?}", self.rig.mono);
            assert!(!organizations.is_empty(), "a note for nobody: {note:?}");
            match note {
                Note::Stretch(note) => self.remember(&note),
                Note::Activity(note) => self.is_now_or_an_end(&note),
                Note::LastSeen(_) => {}
            }
        }
    }

    /// Only the end of a session may be of an instant before: its last sign of life.
    fn is_now_or_an_end(&self, note: &ActivityNote) {
        let now = Wall(START_WALL.0 + self.rig.mono.0 as i64);
        assert!(note.at == now || (note.kind == ActivityType::SessionEnd && note.at < now), "{note:?}");
    }

    fn remember(&mut self, note: &StretchNote) {
        assert!(note.seen >= note.started, "{note:?}");
        for organization in &note.organizations {
            let key = (note.session, *organization, note.started);
            if let Some(before) = self.stretches.insert(key, note.clone()) {
                assert!(!before.ended, "told again after its end: {note:?}");
                assert!(note.ended || note.seen >= before.seen, "{before:?} and then {note:?}");
            }
        }
    }

    fn no_stretch_overlaps(&self) {
        let mut last: BTreeMap<(SessionId, OrganizationId), Wall> = BTreeMap::new();
        for ((session, organization, started), stretch) in &self.stretches {
            let before = last.insert((*session, *organization), stretch.seen);
            assert!(before.is_none_or(|before| before <= *started), "two at once: {stretch:?}");
        }
    }
}
