//! A view by itself.

use std::{collections::BTreeMap, sync::Arc};

use model::{
    EntryId, Interest, PeopleInterest, Phase, SessionId, SharedRecord, SubscriptionId, ViewFrame, Wall,
    limits,
};

use super::stage::*;
use crate::{
    leak::Leaks,
    table::{ChannelKey, Entry, EntryKey, Key, UserKey},
    view::{Place, Sights, Turn, View},
};

/// What may be seen now. The key of an entry is its number.
type Truth = BTreeMap<EntryKey, Arc<SharedRecord>>;

impl<'a> Sights<'a> for &'a Truth {
    fn id(&self, entry: EntryKey) -> EntryId {
        match entry.entry() {
            Entry::Person(key) => EntryId::Person(user(key.row() as u64)),
            Entry::Account(key) => EntryId::Account(acc(key.row() as u64)),
        }
    }

    fn record(&self, _: &Place, entry: EntryKey) -> Option<&'a Arc<SharedRecord>> {
        self.get(&entry)
    }
}

fn entry(number: u32) -> EntryKey {
    UserKey::from_row(number).into()
}

fn id(number: u64) -> EntryId {
    EntryId::Person(user(number))
}

fn record(number: u64, minute: i64) -> Arc<SharedRecord> {
    Arc::new(SharedRecord::new(policy::offline(user(number), Some(Wall(minute * 60_000)))))
}

fn view(entries: &[u32]) -> View {
    let place = Place {
        session: SessionId(uuid::Uuid::nil()),
        subscription: SubscriptionId(1),
        viewer: UserKey::from_row(0),
        channel: ChannelKey::from_row(0),
        related: None,
        interest: Interest { people: PeopleInterest::Roster, accounts: false },
    };
    View::new(place, None, entries.iter().map(|number| entry(*number)))
}

fn turn_within(view: &mut View, truth: &Truth, budget: usize) -> Turn {
    view.turn(budget, Leaks::default(), &truth)
}

fn frame(view: &mut View, truth: &Truth) -> ViewFrame {
    match turn_within(view, truth, limits::TURN_BYTES) {
        Turn::Frame(frame, _) => frame,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_view_says_so_once() {
    let mut view = view(&[1, 2]);
    assert!(view.wants_turn() && !view.is_caught_up());
    let first = frame(&mut view, &Truth::new());
    assert_eq!((first.sequence, first.phase), (1, Phase::Snapshot { more: false }));
    assert!(view.is_caught_up() && !view.wants_turn());
    view.mark(entry(1));
    assert!(matches!(turn_within(&mut view, &Truth::new(), 9_999), Turn::Nothing));
    view.mark(entry(1));
    let next = frame(&mut view, &Truth::from([(entry(1), record(1, 0))]));
    assert_eq!((next.sequence, next.phase), (2, Phase::Live), "no number without a frame");
}

#[test]
fn an_equal_record_is_no_change_though_it_is_another_one() {
    let mut view = view(&[1]);
    frame(&mut view, &Truth::from([(entry(1), record(1, 0))]));
    view.mark(entry(1));
    let again = Truth::from([(entry(1), record(1, 0))]);
    assert!(matches!(turn_within(&mut view, &again, 9_999), Turn::Nothing));
}

#[test]
fn what_does_not_fit_waits_and_a_budget_of_exactly_its_weight_is_enough() {
    let truth: Truth = [1, 2].map(|number| (entry(number), record(number.into(), 0))).into();
    let weight = truth[&entry(1)].record().weight();
    let mut narrow = view(&[1, 2]);
    assert!(matches!(turn_within(&mut narrow, &truth, weight - 1), Turn::NoRoom));
    let Turn::Frame(first, _) = turn_within(&mut narrow, &truth, weight) else { panic!("it fits") };
    assert_eq!((first.join.len(), first.phase), (1, Phase::Snapshot { more: true }));
    let Turn::Frame(second, _) = turn_within(&mut narrow, &truth, weight) else { panic!("it fits") };
    assert_eq!((second.join.len(), second.phase), (1, Phase::Snapshot { more: false }));
    assert_eq!(narrow.sizes(), (2, 0, 0));
}

#[test]
fn leaves_are_counted_too() {
    let mut view = view(&[1, 2, 3]);
    frame(&mut view, &[1, 2, 3].map(|number| (entry(number), record(number.into(), 0))).into());
    (1..=3).for_each(|number| view.mark(entry(number)));
    let Turn::Frame(first, _) = turn_within(&mut view, &Truth::new(), 128) else { panic!("two fit") };
    assert_eq!(first.leave, [id(1), id(2)]);
    assert_eq!(frame(&mut view, &Truth::new()).leave, [id(3)]);
}

/// Frames 1 to 4 let entry 1 join, leave, join and change.
fn in_and_out() -> View {
    let (mut view, here) = (view(&[1]), |minute| Truth::from([(entry(1), record(1, minute))]));
    for truth in [here(0), Truth::new(), here(0), here(1)] {
        view.mark(entry(1));
        frame(&mut view, &truth);
    }
    view
}

#[test]
fn a_resume_takes_back_what_came_later() {
    for (applied, shown) in [(1, 1), (2, 0), (3, 1), (4, 1)] {
        let mut view = in_and_out();
        view.resume(applied, Leaks::default()).unwrap();
        assert_eq!(view.sizes(), (shown, usize::from(applied < 4), 0), "after frame {applied}");
        view.mark(entry(1));
        let truth = Truth::from([(entry(1), record(1, 7))]);
        let next = frame(&mut view, &truth);
        assert_eq!((next.sequence, next.join.len(), next.update.len()), (applied + 1, 1 - shown, shown));
    }
}

/// However often a client comes back to the same frame, nothing of the frames it lost stays behind.
#[test]
fn nothing_is_kept_of_frames_that_were_taken_back() {
    let (mut view, mut truth) = (view(&[]), Truth::new());
    frame(&mut view, &truth);
    view.resume(1, Leaks::default()).unwrap();
    for number in 1..20 {
        truth.insert(entry(number), record(number.into(), 0));
        view.mark(entry(number));
        frame(&mut view, &truth);
        truth.clear();
        view.mark(entry(number));
        frame(&mut view, &truth);
        assert_eq!(view.sizes(), (0, 0, 1));
        view.resume(1, Leaks::default()).unwrap();
        view.tidy(|_| false);
        assert_eq!(view.sizes(), (0, 0, 0));
    }
}

/// What was taken back once must not count when the client is cut again.
#[test]
fn a_second_resume_counts_only_what_was_said_since_the_first() {
    for first in 1..=4 {
        for leaves_again in [false, true] {
            let mut view = in_and_out();
            view.resume(first, Leaks::default()).unwrap();
            let truth = if leaves_again { Truth::new() } else { Truth::from([(entry(1), record(1, 9))]) };
            view.mark(entry(1));
            let told = matches!(turn_within(&mut view, &truth, 9_999), Turn::Frame(..));
            view.resume(first, Leaks::default()).unwrap();
            let had = usize::from(first != 2);
            assert_eq!(view.sizes().0, had, "as it stood after frame {first}, told: {told}");
        }
    }
}

#[test]
fn confirmed_frames_are_forgotten_and_the_others_kept() {
    let mut view = in_and_out();
    view.heartbeat_sent();
    view.mark(entry(1));
    frame(&mut view, &Truth::new());
    view.heartbeat_answered();
    assert_eq!(view.sizes(), (0, 0, 1), "the fifth is not confirmed");
    view.resume(4, Leaks::default()).unwrap();
    let (shown, dirty, _) = view.sizes();
    assert_eq!((shown, dirty), (1, 1));
    assert!(view.resume(3, Leaks::default()).is_err(), "and the third cannot be gone back to");
    view.heartbeat_sent();
    view.heartbeat_answered();
    assert!(view.resume(5, Leaks::default()).is_err(), "the fifth was taken back");
}

#[test]
fn starting_anew_forgets_all() {
    let mut view = in_and_out();
    view.restart([entry(1), entry(2)].into_iter());
    assert_eq!(view.sizes(), (0, 2, 0));
    let first = frame(&mut view, &Truth::from([(entry(2), record(2, 0))]));
    assert_eq!((first.sequence, first.phase, first.join.len()), (1, Phase::Snapshot { more: false }, 1));
}

#[test]
fn what_is_listed_no_more_and_was_never_shown_is_not_looked_at() {
    let mut view = in_and_out();
    [1, 2, 3].into_iter().for_each(|number| view.mark(entry(number)));
    view.tidy(|listed| listed == entry(2));
    assert_eq!(view.sizes().1, 2, "1 is shown, 2 is listed");
}
