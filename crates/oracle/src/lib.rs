//! A naive reference model of the domain, to test the heart against. Sees the model only.
//!
//! Everything is folded anew from an event log each time it is asked: no cache, no view that is kept up to date,
//! no queue of timers, and a visibility table of its own. It judges the real core, so it must be right by
//! reading; how fast it is matters little. It must not know how the core does anything.

mod log;
mod session;
mod view;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use model::{ChannelId, EntryId, Interest, Limits, Mono, Record, UserId, Wall};

pub use log::{Act, Event};
pub use world::World;

/// What a viewer may see of a channel; `None`: the channel is unknown to them.
pub type Truth = Option<BTreeMap<EntryId, Record>>;

/// Who looks at what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Who looks.
    pub viewer: UserId,
    /// At which channel.
    pub channel: ChannelId,
    /// At which entries of it.
    pub interest: Interest,
}

/// The judge: knows when the world began and the times in force, and nothing of any log.
#[derive(Clone, Debug)]
pub struct Oracle {
    /// The wall time at mono 0; the wall then runs with mono.
    pub start_wall: Wall,
    /// The times in force; counts of subscriptions and sessions are not judged.
    pub limits: Limits,
}

/// Logs are sorted by [`Event::at`]. At one instant the timers due fire first, then the events in log order.
impl Oracle {
    /// A judge of worlds that begin at `start_wall`.
    #[must_use]
    pub fn new(start_wall: Wall, limits: Limits) -> Self {
        Self { start_wall, limits }
    }

    /// The empty world at mono 0, to be walked by hand.
    #[must_use]
    pub fn start(&self) -> World {
        World::new(self.start_wall, self.limits.clone())
    }

    /// The world at `at`: with all events and all timers due up to and at that instant.
    #[must_use]
    pub fn world(&self, log: &[Event], at: Mono) -> World {
        let mut world = self.start();
        for event in log.iter().take_while(|event| event.at <= at) {
            world.apply(event);
        }
        world.advance(at);
        world
    }

    /// What a viewer may see of a channel at `at`; `None` where they may not subscribe.
    #[must_use]
    pub fn truth(&self, log: &[Event], at: Mono, watch: Watch) -> Truth {
        self.world(log, at).view(watch)
    }

    /// The stored last-seen of `user` at `at`, not yet cut to the minute.
    #[must_use]
    pub fn last_seen(&self, log: &[Event], at: Mono, user: UserId) -> Option<Wall> {
        self.world(log, at).last_seen(user)
    }

    /// Every instant at which some truth may change: events, and the ends of typing, grace, leases and of the
    /// time to resume that follow from the log.
    #[must_use]
    pub fn instants(&self, log: &[Event]) -> BTreeSet<Mono> {
        let mut instants = BTreeSet::new();
        let mut world = self.start();
        for event in log {
            instants.insert(event.at);
            instants.extend(world.apply(event));
        }
        instants.extend(world.advance(Mono(u64::MAX)));
        instants
    }

    /// The truth from mono 0 up to and at `until`: one entry for each instant at which it became another.
    #[must_use]
    pub fn timeline(&self, log: &[Event], watch: Watch, until: Mono) -> Vec<(Mono, Truth)> {
        let mut world = self.start();
        let mut events = log.iter().peekable();
        let mut timeline: Vec<(Mono, Truth)> = Vec::new();
        let mut instants = self.instants(log);
        instants.insert(Mono(0));
        for instant in instants.range(..=until).copied() {
            while let Some(event) = events.next_if(|event| event.at <= instant) {
                world.apply(event);
            }
            world.advance(instant);
            let truth = world.view(watch);
            if timeline.last().is_none_or(|(_, before)| *before != truth) {
                timeline.push((instant, truth));
            }
        }
        timeline
    }
}

#[cfg(test)]
mod tests;
