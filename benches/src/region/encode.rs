//! Regions of the encoder alone.

use std::{hint::black_box, sync::Arc};

use model::{
    Encoding, Limits, Outgoing, PersonRecord, PersonState, Phase, Record, SharedRecord, SubscriptionId,
    ViewFrame,
};

use super::Work;
use crate::scene::{track, user};

/// Frames, or records, that are encoded.
pub(super) const FRAMES: u64 = 1_000;

/// The same change for one viewer after the other.
pub(super) fn diffs(encoding: Encoding) -> Work {
    let record = Arc::new(SharedRecord::new(record(1)));
    black_box(wire::encoded_once(encoding, &record));
    let frames: Vec<_> = (1..=FRAMES).map(|n| diff(n, record.clone())).collect();
    let (limits, mut turn) = (Limits::default(), Vec::with_capacity(4096));
    Box::new(move || {
        for frame in &frames {
            turn.clear();
            wire::message_into(&mut turn, encoding, frame, &limits);
            black_box(&turn);
        }
        frames.len() as u64
    })
}

fn diff(sequence: u64, record: Arc<SharedRecord>) -> Outgoing {
    Outgoing::View(ViewFrame {
        subscription: SubscriptionId(1),
        sequence: sequence as u32,
        phase: Phase::Live,
        join: Vec::new(),
        update: vec![record],
        leave: Vec::new(),
    })
}

/// Records that nobody has encoded yet.
pub(super) fn records(encoding: Encoding) -> Work {
    let records: Vec<_> = (0..FRAMES).map(|n| SharedRecord::new(record(n))).collect();
    Box::new(move || {
        for record in &records {
            black_box(wire::encoded_once(encoding, record));
        }
        records.len() as u64
    })
}

fn record(n: u64) -> Record {
    let track = track(n);
    let state = PersonState::Present {
        status: track.status,
        page: track.page,
        is_typing: false,
        device: None,
        custom_status: track.custom_status,
        custom_emoji: None,
    };
    Record::Person(PersonRecord { user_id: user(n), state })
}
