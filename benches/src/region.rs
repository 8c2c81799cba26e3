//! What is measured: each region prepares, and then does what is counted and nothing else.

mod encode;
mod heart;
mod permission;
mod projection;

use anyhow::ensure;
use model::Encoding::{Json, MessagePack};

pub(crate) use permission::{CHECKS as PERMISSION_CHECKS, prepare as permission};

/// What remains to be done when all is prepared; says how many units it did. It is called once, and by reference:
/// that a scene is torn down afterwards is not counted.
pub(crate) type Work = Box<dyn FnMut() -> u64>;

/// Something that is counted.
pub(crate) struct Region {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) means: &'static str,
    /// How many things it does.
    pub(crate) units: u64,
    /// What such a thing is.
    pub(crate) unit: &'static str,
    prepare: fn() -> Work,
}

impl Region {
    /// Does it.
    ///
    /// # Errors
    /// It did something else than it says.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let mut work = (self.prepare)();
        let done = measured_region(&mut *work);
        ensure!(done == self.units, "{} did {done} of {} units", self.name, self.units);
        Ok(())
    }
}

/// The counter counts from the call of this function to its return. It knows it by its name.
#[inline(never)]
fn measured_region(work: &mut dyn FnMut() -> u64) -> u64 {
    std::hint::black_box(work())
}

/// All regions.
pub(crate) const ALL: &[Region] = &[
    Region {
        name: "projection",
        means: "whether one sees the other, and the record that the other shows",
        units: projection::PAIRS,
        unit: "entry",
        prepare: projection::prepare,
    },
    Region {
        name: "permission",
        means: "may one see the other: both looked up, the relations that count, the visibility",
        units: permission::CHECKS,
        unit: "check",
        prepare: permission::prepare,
    },
    Region {
        name: "room-change-json",
        means: "one of 20 changes, all 20 look: merge, mark, compare, encode",
        units: heart::ROUNDS * 20,
        unit: "viewer",
        prepare: || heart::changes(heart::room(20, Json), 20),
    },
    Region {
        name: "room-change-messagepack",
        means: "the same in MessagePack",
        units: heart::ROUNDS * 20,
        unit: "viewer",
        prepare: || heart::changes(heart::room(20, MessagePack), 20),
    },
    Region {
        name: "room-change-hidden",
        means: "one of 20 changes whom nobody else may see: only they are sent it",
        units: heart::ROUNDS,
        unit: "change",
        prepare: || heart::hidden_changes(heart::room(20, Json)),
    },
    Region {
        name: "crowd-change",
        means: "one of 2,000 changes, all 2,000 look",
        units: 2_000,
        unit: "viewer",
        prepare: || heart::one_change(heart::crowd(2_000)),
    },
    Region {
        name: "diff-json",
        means: "a frame with one update, whose record is encoded already",
        units: encode::FRAMES,
        unit: "viewer",
        prepare: || encode::diffs(Json),
    },
    Region {
        name: "diff-messagepack",
        means: "the same in MessagePack",
        units: encode::FRAMES,
        unit: "viewer",
        prepare: || encode::diffs(MessagePack),
    },
    Region {
        name: "record-json",
        means: "a record, encoded for the first time",
        units: encode::FRAMES,
        unit: "record",
        prepare: || encode::records(Json),
    },
    Region {
        name: "record-messagepack",
        means: "the same in MessagePack",
        units: encode::FRAMES,
        unit: "record",
        prepare: || encode::records(MessagePack),
    },
    Region {
        name: "snapshot-20",
        means: "a subscription, and all 20 who are there, in as many turns as it takes",
        units: 20,
        unit: "member",
        prepare: || heart::snapshot(20),
    },
    Region {
        name: "snapshot-500",
        means: "the same with 500",
        units: 500,
        unit: "member",
        prepare: || heart::snapshot(500),
    },
    Region {
        name: "snapshot-5000",
        means: "the same with 5,000",
        units: 5_000,
        unit: "member",
        prepare: || heart::snapshot(5_000),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_does_what_it_says() {
        for region in ALL {
            region.run().unwrap();
        }
    }
}
