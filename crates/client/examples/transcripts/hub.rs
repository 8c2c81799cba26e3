//! What a hub knows of one session: its subscriptions, and what it has told of each.

use std::{collections::BTreeMap, sync::Arc};

use client::FaultKind;
use model::{ChannelId, EntryId, Phase, Record, SharedRecord, SubscriptionId, ViewFrame};

use crate::{
    chance::Chance,
    entries::{entry, record},
};

/// One subscription.
pub(crate) struct View {
    pub(crate) channel: ChannelId,
    /// What a client has that applied so many frames. The first is empty.
    told: Vec<Told>,
}

#[derive(Clone, Default)]
struct Told {
    entries: BTreeMap<EntryId, Record>,
    complete: bool,
}

/// What no hub should say.
#[derive(Clone, Copy)]
pub(crate) enum Spoil {
    Gap,
    Phase,
    Join,
    Update,
    Leave,
}

impl View {
    pub(crate) fn new(channel: ChannelId) -> Self {
        Self { channel, told: vec![Told::default()] }
    }

    /// Whether the view can go on behind this frame; what was told after it will be told again, as it is then.
    pub(crate) fn resume(&mut self, sequence: u32) -> bool {
        let kept = usize::try_from(sequence).unwrap_or(usize::MAX);
        if kept >= self.told.len() {
            return false;
        }
        self.told.truncate(kept + 1);
        true
    }

    pub(crate) fn restart(&mut self) {
        *self = Self::new(self.channel);
    }

    /// The next frame: a page while the snapshot is not complete, else a change.
    pub(crate) fn next(&mut self, subscription: u32, chance: &mut Chance) -> ViewFrame {
        let before = &self.told[self.told.len() - 1];
        let mut now = before.clone();
        now.complete = before.complete || !chance.one_in(3);
        let phase = match (before.complete, now.complete) {
            (true, _) => Phase::Live,
            (false, complete) => Phase::Snapshot { more: !complete },
        };
        let mut frame = ViewFrame {
            subscription: SubscriptionId(subscription),
            sequence: u32::try_from(self.told.len()).unwrap_or(u32::MAX),
            phase,
            join: Vec::new(),
            update: Vec::new(),
            leave: Vec::new(),
        };
        let mut touched = Vec::new();
        for _ in 0..chance.below(5) {
            let id = entry(chance);
            // Of what changes twice only the last state is told.
            if !touched.contains(&id) {
                touched.push(id);
                change(&mut now.entries, &mut frame, id, chance);
            }
        }
        self.told.push(now);
        frame
    }

    /// A frame that should not come next; it counts for nothing. `None`: this cannot be wrong here.
    pub(crate) fn wrong(&self, subscription: u32, spoil: Spoil, chance: &mut Chance) -> Option<ViewFrame> {
        let mut other = Self { channel: self.channel, told: self.told.clone() };
        let mut frame = other.next(subscription, chance);
        let entries = &self.told[self.told.len() - 1].entries;
        let listed = entries.keys().copied().find(|id| !touches(&frame, *id));
        let absent = std::iter::repeat_with(|| entry(chance))
            .take(8)
            .find(|id| !entries.contains_key(id) && !touches(&frame, *id));
        match spoil {
            Spoil::Gap if chance.one_in(3) => frame.sequence -= 1,
            Spoil::Gap => frame.sequence += 1 + u32::try_from(chance.below(3)).unwrap_or_default(),
            Spoil::Phase => frame.phase = opposite(frame.phase, chance),
            Spoil::Join => frame.join.push(shared(listed?, chance)),
            Spoil::Update => frame.update.push(shared(absent?, chance)),
            Spoil::Leave => frame.leave.push(absent?),
        }
        Some(frame)
    }
}

impl Spoil {
    pub(crate) const ALL: [Self; 5] = [Self::Gap, Self::Phase, Self::Join, Self::Update, Self::Leave];
}

/// A fault by the name that clients give it.
pub(crate) fn name(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::UnknownSubscription(_) => "unknown",
        FaultKind::Gap { .. } => "gap",
        FaultKind::Join(_) => "join",
        FaultKind::Update(_) => "update",
        FaultKind::Leave(_) => "leave",
        FaultKind::Phase => "phase",
    }
}

fn change(entries: &mut BTreeMap<EntryId, Record>, frame: &mut ViewFrame, id: EntryId, chance: &mut Chance) {
    if entries.contains_key(&id) && chance.one_in(3) {
        entries.remove(&id);
        frame.leave.push(id);
        return;
    }
    let record = record(id, chance);
    let told = Arc::new(SharedRecord::new(record.clone()));
    let place = if entries.insert(id, record).is_some() { &mut frame.update } else { &mut frame.join };
    place.push(told);
}

fn shared(id: EntryId, chance: &mut Chance) -> Arc<SharedRecord> {
    Arc::new(SharedRecord::new(record(id, chance)))
}

fn touches(frame: &ViewFrame, id: EntryId) -> bool {
    let records = frame.join.iter().chain(&frame.update);
    frame.leave.contains(&id) || records.into_iter().any(|shared| shared.record().id() == id)
}

fn opposite(phase: Phase, chance: &mut Chance) -> Phase {
    match phase {
        Phase::Live => Phase::Snapshot { more: chance.one_in(2) },
        Phase::Snapshot { .. } => Phase::Live,
    }
}
