//! The open loop: changes are made when they are due, whatever has arrived by then.

use std::time::Duration;

use super::{
    clock::{MILLISECOND, Nanos, RunClock, nanos},
    schedule::Arrival,
    swarm::Swarm,
};
use crate::world::Person;

/// Between two looks whether something has come about.
const LOOK_EVERY: Nanos = 5 * MILLISECOND;
/// The last stretch before a change is due is not slept: the kernel wakes late by some 50 us.
const AWAKE: Nanos = 60_000;

/// What a schedule drives: clients of the hub, or of the floor.
pub(crate) trait Target {
    fn clock(&self) -> RunClock;

    /// Takes what arrives, until a moment has come.
    ///
    /// # Errors
    /// The kernel's.
    fn run_until(&mut self, until: Nanos) -> anyhow::Result<()>;

    /// Lets a person make a change.
    ///
    /// # Errors
    /// They cannot.
    fn change(&mut self, person: Person, due: Nanos) -> anyhow::Result<()>;

    /// Deliveries and answers that have still to come.
    fn outstanding(&self) -> u64;

    /// Whether waiting is done awake, as it is while anything is measured.
    fn stay_awake(&mut self, awake: bool);

    /// How long it has waited awake and in vain.
    fn idle(&self) -> Duration;
}

impl Target for Swarm {
    fn clock(&self) -> RunClock {
        Self::clock(self)
    }

    fn run_until(&mut self, until: Nanos) -> anyhow::Result<()> {
        Self::run_until(self, until)
    }

    fn change(&mut self, person: Person, due: Nanos) -> anyhow::Result<()> {
        Self::change(self, person, due)
    }

    fn outstanding(&self) -> u64 {
        self.tally().outstanding()
    }

    fn stay_awake(&mut self, awake: bool) {
        Self::stay_awake(self, awake);
    }

    fn idle(&self) -> Duration {
        Self::idle(self)
    }
}

/// Makes the changes at their times. `tick` is called after each, with the moment and how late the change was made:
/// that is the generator's own lag, which counts against the hub all the same.
///
/// # Errors
/// Of the target.
pub(crate) fn play(
    target: &mut impl Target,
    arrivals: impl Iterator<Item = Arrival>,
    mut tick: impl FnMut(Nanos, Nanos),
) -> anyhow::Result<()> {
    let clock = target.clock();
    for arrival in arrivals {
        if clock.now() + AWAKE < arrival.due {
            target.run_until(arrival.due - AWAKE)?;
        }
        target.run_until(clock.now())?;
        while clock.now() < arrival.due {
            target.run_until(clock.now())?;
        }
        let now = clock.now();
        target.change(arrival.person, arrival.due)?;
        tick(now, now - arrival.due);
    }
    Ok(())
}

/// Waits until all has been delivered, at most `patience`; whether it has.
///
/// # Errors
/// Of the target.
pub(crate) fn settle(target: &mut impl Target, patience: Duration) -> anyhow::Result<bool> {
    wait_for(target, patience, |target| target.outstanding() == 0)
}

/// Takes what arrives for a while.
///
/// # Errors
/// Of the target.
pub(crate) fn rest(target: &mut impl Target, duration: Duration) -> anyhow::Result<()> {
    let until = target.clock().now() + nanos(duration);
    while target.clock().now() < until {
        target.run_until(until)?;
    }
    Ok(())
}

/// Takes what arrives until something has come about, at most `patience`; whether it has.
///
/// # Errors
/// Of the target.
pub(crate) fn wait_for<T: Target>(
    target: &mut T,
    patience: Duration,
    mut come_about: impl FnMut(&T) -> bool,
) -> anyhow::Result<bool> {
    let clock = target.clock();
    let deadline = clock.now() + nanos(patience);
    while !come_about(target) {
        if clock.now() >= deadline {
            return Ok(false);
        }
        target.run_until(clock.now() + LOOK_EVERY)?;
    }
    Ok(true)
}
