//! When changes happen: an open loop. The times are drawn beforehand, and no answer moves them.

use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};

use super::clock::{Nanos, SECOND};
use crate::world::Person;

/// One change that is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) due: Nanos,
    pub(crate) person: Person,
}

/// How the gaps between changes are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Spacing {
    /// As independent people make them: exponential gaps.
    Poisson,
    /// Always the same.
    Even,
}

/// An endless stream of arrivals. The people take turns in an order that is drawn once: everybody is as far from
/// their own last change as the rate allows, so that the limit of one change a second and person is not met.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    people: Vec<Person>,
    turn: usize,
    next: f64,
    gap: f64,
    spacing: Spacing,
    dice: SmallRng,
}

impl Schedule {
    /// `rate` changes a second by `people`, the first one gap after `start`.
    pub(crate) fn new(mut people: Vec<Person>, rate: f64, spacing: Spacing, seed: u64) -> Self {
        let mut dice = SmallRng::seed_from_u64(seed);
        people.shuffle(&mut dice);
        Self { people, turn: 0, next: 0.0, gap: SECOND as f64 / rate, spacing, dice }
    }

    /// The arrivals of `duration`, counted from `start`.
    pub(crate) fn within(mut self, start: Nanos, duration: Nanos) -> impl Iterator<Item = Arrival> {
        std::iter::from_fn(move || Some(self.draw(start)))
            .take_while(move |arrival| arrival.due < start + duration)
    }

    fn draw(&mut self, start: Nanos) -> Arrival {
        self.next += self.gap
            * match self.spacing {
                Spacing::Even => 1.0,
                Spacing::Poisson => -(1.0 - self.dice.random::<f64>()).ln(),
            };
        let person = self.people[self.turn];
        self.turn = (self.turn + 1) % self.people.len();
        Arrival { due: start + self.next as Nanos, person }
    }
}

/// Two streams in the order of their times.
pub(crate) fn merged(
    one: impl Iterator<Item = Arrival>,
    other: impl Iterator<Item = Arrival>,
) -> impl Iterator<Item = Arrival> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(a), Some(b)) if b.due < a.due => other.next(),
        (Some(_), _) => one.next(),
        (None, _) => other.next(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(spacing: Spacing, seed: u64) -> Vec<Arrival> {
        Schedule::new((0..50).collect(), 1000.0, spacing, seed).within(5 * SECOND, 10 * SECOND).collect()
    }

    #[test]
    fn a_seed_is_a_schedule() {
        assert_eq!(arrivals(Spacing::Poisson, 1), arrivals(Spacing::Poisson, 1));
        assert_ne!(arrivals(Spacing::Poisson, 1), arrivals(Spacing::Poisson, 2));
    }

    #[test]
    fn the_rate_is_kept_and_the_bounds_too() {
        for spacing in [Spacing::Poisson, Spacing::Even] {
            let arrivals = arrivals(spacing, 3);
            assert!((9_600..=10_400).contains(&arrivals.len()), "{spacing:?}: {}", arrivals.len());
            assert!(arrivals.is_sorted_by_key(|arrival| arrival.due));
            assert!(arrivals[0].due > 5 * SECOND && arrivals.last().unwrap().due < 15 * SECOND);
        }
    }

    #[test]
    fn people_take_turns() {
        let arrivals = arrivals(Spacing::Even, 4);
        assert!(arrivals.iter().zip(&arrivals[50..]).all(|(one, next)| one.person == next.person));
        assert!((1..50).all(|n| arrivals[0].person != arrivals[n].person));
    }

    #[test]
    fn merging_keeps_all_in_order() {
        let streams = (arrivals(Spacing::Even, 6), arrivals(Spacing::Poisson, 7));
        let merged: Vec<_> = merged(streams.0.clone().into_iter(), streams.1.clone().into_iter()).collect();
        assert_eq!(merged.len(), streams.0.len() + streams.1.len());
        assert!(merged.is_sorted_by_key(|arrival| arrival.due));
    }

    #[test]
    fn gaps_of_people_who_do_not_wait_for_each_other_vary() {
        let arrivals = arrivals(Spacing::Poisson, 5);
        let short = arrivals.windows(2).filter(|pair| pair[1].due - pair[0].due < SECOND / 10_000);
        assert!((600..1400).contains(&short.count()), "one gap in ten is below a tenth of the mean");
    }
}
