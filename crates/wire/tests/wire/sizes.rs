//! What frames weigh. `cargo test -p wire sizes -- --nocapture` prints the figures.

use std::sync::Arc;

use model::{
    Encoding, Kept, Limits, Outgoing, PersonRecord, PersonState, Phase, Record, RequestId, SharedRecord,
    Status, SubscriptionId, UserId, ViewFrame,
};
use wire::{encode, encode_record};

fn person(status: Status) -> Record {
    let state = PersonState::Present {
        status,
        page: None,
        is_typing: false,
        device: None,
        custom_status: None,
        custom_emoji: None,
    };
    Record::Person(PersonRecord { user_id: UserId(uuid::Uuid::from_u128(u128::MAX)), state })
}

fn status_change() -> Outgoing {
    Outgoing::View(ViewFrame {
        subscription: SubscriptionId(64),
        sequence: 9_999,
        phase: Phase::Live,
        join: Vec::new(),
        update: vec![Arc::new(SharedRecord::new(person(Status::Online)))],
        leave: Vec::new(),
    })
}

fn sizes_of(outgoing: &Outgoing) -> [usize; 2] {
    Encoding::ALL.map(|encoding| encode(encoding, outgoing, &Limits::default()).len())
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what this test is read for")]
fn sizes_of_the_frequent_frames() {
    let record = Encoding::ALL.map(|encoding| encode_record(encoding, &person(Status::Online)).len());
    let [json, msgpack] = sizes_of(&status_change());
    println!("bytes, JSON and MessagePack");
    println!("a person's status          {record:?}");
    println!("diff: one status changed   {:?}", [json, msgpack]);
    println!("heartbeat                  {:?}", sizes_of(&Outgoing::Heartbeat));
    println!(
        "ack                        {:?}",
        sizes_of(&Outgoing::Ack { re: RequestId(9_999), kept: Kept::Durably })
    );
    assert!(record[0] <= 80 && record[1] <= 44, "{record:?}");
    assert!(json <= 120 && msgpack <= 70, "{json}, {msgpack}");
}
