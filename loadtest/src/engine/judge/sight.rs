//! Who may be shown whom, where that changes while people look.
//!
//! Between the asking for a change and its answer both is right: what was before, and what comes after. From the answer
//! on it is what comes after alone.

use super::{HIDDEN, Judge, Nanos, View};
use crate::world::{Choice, Person, World};

impl Judge {
    /// A person has hidden: from now on nobody but themself may be shown anything of them. What is still to be shown of
    /// them to others is not expected any more.
    pub(crate) fn hide(&mut self, person: Person) {
        self.deny(person, |viewer| viewer != person);
    }

    /// Something about a person is being changed to what `world` has: it may be in force already.
    pub(crate) fn allow(&mut self, world: &World, person: Person) {
        let newest = self.version(person);
        for view in self.views.iter().flatten().filter(|view| view.attended) {
            let Some(slot) = view.slot(person) else { continue };
            if self.seen[slot] == HIDDEN && world.shows(view.viewer, person) {
                // It is shown as it is; what was changed before that is nothing that arrives late.
                self.seen[slot] = newest;
                self.audience[person as usize] += 1;
            }
        }
        let (before, after) = (self.choices[person as usize], world.choice(person));
        self.choices[person as usize] = Choice {
            show_activity: before.show_activity || after.show_activity,
            show_current_page: before.show_current_page || after.show_current_page,
            ..after
        };
    }

    /// It is in force: nobody may be shown any more of a person than `world` says.
    pub(crate) fn restrict(&mut self, world: &World, person: Person) {
        self.deny(person, |viewer| !world.shows(viewer, person));
        self.choices[person as usize] = world.choice(person);
    }

    fn deny(&mut self, person: Person, denied: impl Fn(Person) -> bool) {
        let newest = self.version(person);
        for view in self.views.iter().flatten().filter(|view| view.attended && denied(view.viewer)) {
            let Some(slot) = view.slot(person) else { continue };
            if self.seen[slot] != HIDDEN {
                self.tally.expected -= u64::from(newest - self.seen[slot]);
                self.audience[person as usize] -= 1;
                self.seen[slot] = HIDDEN;
            }
        }
    }

    /// Whether a person may leave the views that show them, for whatever reason.
    pub(crate) fn excuse(&mut self, person: Person, excused: bool) {
        self.excused[person as usize] = excused;
    }

    /// What a view is shown later than it was due until then has nothing to do with the hub: its viewer was away.
    pub(crate) fn time_from(&mut self, view: usize, from: Nanos) {
        if let Some(view) = &mut self.views[view] {
            view.timed_from = from;
        }
    }

    /// A view begins anew, with nobody in it.
    pub(crate) fn renew(&mut self, view: usize) {
        if let Some(View { entries, offset, .. }) = &self.views[view] {
            self.there[*offset..*offset + entries.len()].fill(false);
        }
    }

    /// How many entries are in a view or not as they have to be, over all views, and how many there are to be.
    pub(crate) fn people_right(&self, world: &World) -> (u64, u64) {
        let views = self.views.iter().flatten().filter(|view| view.attended);
        let entries = views.flat_map(|view| {
            view.entries.clone().map(|person| (view.slot(person), world.shows(view.viewer, person)))
        });
        entries.fold((0, 0), |(right, all), (slot, shows)| {
            let is_there = slot.is_some_and(|slot| self.there[slot]);
            (right + u64::from(is_there == shows), all + 1)
        })
    }

    /// Somebody left a view: they were in it, and may not be seen any more or are excused.
    pub(super) fn excused_left(&mut self, view: usize, person: Person) {
        let Some(view) = self.views[view].as_ref().filter(|view| view.attended) else { return };
        let viewer = view.viewer;
        let Some(slot) = view.slot(person).filter(|slot| self.there[*slot]) else {
            return self
                .tally
                .forbid(|| format!("person {person} left the view of {viewer} without being in it"));
        };
        self.there[slot] = false;
        if self.seen[slot] != HIDDEN && !self.excused[person as usize] {
            self.tally.complain(|| format!("person {person} left the view of {viewer}, and did not mean to"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Entries, Leaves, Shown};
    use super::*;
    use crate::world::Visibility;

    /// A wedding of three who all look, and whose wishes change.
    fn scene() -> (World, Judge) {
        let world = World::new(3).with_weddings(0..3, 3);
        let views: Vec<_> = (0..3).map(|viewer| Some((viewer, 0..3))).collect();
        let mut judge = Judge::new(&world, &views, Leaves::Excused);
        for view in 0..3 {
            (0..3).for_each(|person| judge.frame(view, 0).shown(person, Shown::default()));
        }
        (world, judge)
    }

    fn version(version: u32) -> Shown {
        Shown { version, ..Shown::default() }
    }

    #[test]
    fn until_a_change_is_in_force_both_is_right() {
        let (mut world, mut judge) = scene();
        judge.changes(0, 1);
        world.choose(0, Choice::of(Visibility::Nobody));
        judge.allow(&world, 0);
        judge.frame(1, 2).shown(0, version(1));
        assert_eq!((judge.tally.forbidden, judge.tally.outstanding()), (0, 2));
        judge.restrict(&world, 0);
        assert_eq!((judge.tally.outstanding(), judge.audience(0)), (1, 1), "their own view alone");
        judge.frame(2, 3).shown(0, version(1));
        assert_eq!(judge.tally.forbidden, 1);
    }

    #[test]
    fn who_may_not_be_seen_any_more_leaves_once() {
        let (mut world, mut judge) = scene();
        world.choose(0, Choice::of(Visibility::Nobody));
        judge.restrict(&world, 0);
        assert_eq!(judge.people_right(&world), (7, 9));
        judge.frame(1, 2).left(0);
        judge.frame(2, 2).left(0);
        assert_eq!((judge.people_right(&world), judge.tally.errors, judge.tally.forbidden), ((9, 9), 0, 0));
        judge.frame(2, 3).left(0);
        assert_eq!(judge.tally.forbidden, 1, "that they were there would be told once more");
    }

    #[test]
    fn nobody_leaves_without_an_excuse() {
        let (_, mut judge) = scene();
        judge.frame(1, 2).left(0);
        assert_eq!(judge.tally.errors, 1);
        judge.excuse(0, true);
        judge.frame(2, 2).left(0);
        assert_eq!(judge.tally.errors, 1);
    }

    #[test]
    fn who_is_seen_again_is_expected_from_then_on() {
        let (mut world, mut judge) = scene();
        world.choose(0, Choice::of(Visibility::Nobody));
        judge.restrict(&world, 0);
        judge.changes(0, 1);
        world.choose(0, Choice::NONE);
        judge.allow(&world, 0);
        assert_eq!((judge.tally.outstanding(), judge.audience(0)), (1, 3));
        judge.changes(0, 2);
        judge.frame(1, 3).shown(0, version(2));
        assert_eq!((judge.tally.outstanding(), judge.tally.delivered), (3, 1));
    }

    #[test]
    fn a_page_may_be_shown_until_the_answer() {
        let (mut world, mut judge) = scene();
        let page = Shown { page: true, ..Shown::default() };
        world.choose(0, Choice { show_current_page: true, ..Choice::NONE });
        judge.allow(&world, 0);
        judge.frame(1, 1).shown(0, page);
        world.choose(0, Choice::NONE);
        judge.allow(&world, 0);
        judge.frame(1, 1).shown(0, page);
        assert_eq!(judge.tally.forbidden, 0);
        judge.restrict(&world, 0);
        judge.frame(1, 1).shown(0, page);
        assert_eq!(judge.tally.forbidden, 1);
    }

    #[test]
    fn who_was_away_has_no_latency_of_what_they_missed() {
        let (_, mut judge) = scene();
        judge.changes(0, 1);
        judge.time_from(1, 10);
        judge.frame(1, 11).shown(0, version(1));
        assert_eq!((judge.tally.delivered, judge.tally.latency.count()), (1, 0));
    }
}
