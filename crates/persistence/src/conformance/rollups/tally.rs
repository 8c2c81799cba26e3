//! The second opinion: the same totals by plain code over plain rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use model::{ActivityType, Device, OrganizationId, UserId, Wall};
use uuid::Uuid;

use crate::{ActivityRow, BUCKET_MS, Stretch, StretchId};

/// An organization, a quarter of an hour, a user.
type Place = (OrganizationId, Wall, UserId);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) events: u64,
    pub(super) sessions: u64,
    pub(super) millis: u64,
    /// Of the sessions: desktop, mobile, tablet.
    pub(super) devices: [u64; 3],
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) users: BTreeMap<Place, Totals>,
    pub(super) pages: BTreeMap<(Place, String), u64>,
}

/// What was written.
#[derive(Default)]
pub(super) struct Raw {
    activity: BTreeMap<Uuid, ActivityRow>,
    stretches: BTreeMap<StretchId, Stretch>,
}

fn quarter(at: Wall) -> Wall {
    Wall(at.0 - at.0.rem_euclid(BUCKET_MS))
}

impl Raw {
    /// As a store takes them: a row once, a stretch as far as it is known.
    pub(super) fn take(&mut self, activity: &[ActivityRow], stretches: &[Stretch]) {
        for row in activity {
            self.activity.entry(row.id).or_insert_with(|| row.clone());
        }
        for note in stretches {
            let known = self.stretches.entry(note.id).or_insert_with(|| note.clone());
            known.seen = known.seen.max(note.seen);
        }
    }

    pub(super) fn forget(&mut self, user: UserId) {
        self.activity.retain(|_, row| row.user != user);
        self.stretches.retain(|_, stretch| stretch.user != user);
    }

    /// How many quarters have something.
    pub(super) fn quarters(&self) -> u64 {
        self.tally().users.keys().map(|(_, quarter, _)| *quarter).collect::<BTreeSet<_>>().len() as u64
    }

    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.activity.values().for_each(|row| tally.add_activity(row));
        self.stretches.values().for_each(|stretch| tally.add_stretch(stretch));
        tally
    }
}

impl Tally {
    /// Where the two differ.
    pub(super) fn beside(&self, other: &Self) -> Vec<String> {
        let mut differ = different(&self.users, &other.users);
        differ.extend(different(&self.pages, &other.pages));
        differ
    }

    fn add_activity(&mut self, row: &ActivityRow) {
        let place = (row.organization, quarter(row.at), row.user);
        self.users.entry(place).or_default().events += 1;
        if let (ActivityType::PageView, Some(page)) = (row.kind, &row.page) {
            *self.pages.entry((place, page.as_str().to_owned())).or_default() += 1;
        }
    }

    /// Walks from bound to bound.
    fn add_stretch(&mut self, stretch: &Stretch) {
        let of = |at| (stretch.id.organization, quarter(at), stretch.user);
        let first = self.users.entry(of(stretch.id.started)).or_default();
        first.sessions += 1;
        if let Some(device) = stretch.device {
            let column =
                [Device::Desktop, Device::Mobile, Device::Tablet].iter().position(|one| *one == device);
            first.devices[column.expect("there are three")] += 1;
        }
        let mut at = stretch.id.started;
        while at < stretch.seen {
            let bound = Wall(quarter(at).0 + BUCKET_MS).min(stretch.seen);
            self.users.entry(of(at)).or_default().millis += (bound.0 - at.0) as u64;
            at = bound;
        }
    }
}

fn different<K: Ord + Debug, V: PartialEq + Debug>(
    one: &BTreeMap<K, V>,
    two: &BTreeMap<K, V>,
) -> Vec<String> {
    let keys: BTreeSet<_> = one.keys().chain(two.keys()).collect();
    let differ = keys.into_iter().filter(|key| one.get(key) != two.get(key));
    differ.map(|key| format!("{key:?}: {:?} and {:?}", one.get(key), two.get(key))).collect()
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `bound`.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % u64::from(bound.max(1))) as u32
    }
}
