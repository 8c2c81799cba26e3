//! The golden frames of the protocol, as this client takes them.

use std::{fs, path::PathBuf};

use model::Encoding;
use serde_json::Value;

use super::*;

fn vectors(kind: &str) -> Vec<(String, ServerFrame)> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../proto/vectors/server/{kind}.json"));
    let rows: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let read = |row: Value| {
        let bytes = serde_json::to_vec(&row["json"]).unwrap();
        (row["name"].to_string(), wire::decode_server(Encoding::Json, &bytes).unwrap())
    };
    rows.into_iter().map(read).collect()
}

/// A replica that has what a golden view frame builds on.
fn prepared(view: &ViewFrame) -> Replica {
    let mut replica = Replica::new();
    let channel = SubscribedChannel { channel: wedding(1), outcome: Ok(view.subscription) };
    let answer = Subscribed { re: model::RequestId(1), channels: vec![channel] };
    replica.apply(&ServerFrame::Subscribed(answer)).unwrap();
    let is_snapshot = matches!(view.phase, FramePhase::Snapshot { .. });
    let list = replica.lists.get_mut(&wedding(1)).unwrap();
    let known = view.update.iter().map(|shared| shared.record().clone());
    let left = view.leave.iter().map(|id| (*id, record(0, Status::Online)));
    *list = List::at(view.sequence - 1, !is_snapshot, known.map(|record| (record.id(), record)).chain(left));
    replica
}

#[test]
fn view_frames_apply_and_are_what_they_say() {
    for (name, frame) in vectors("snapshot").into_iter().chain(vectors("diff")) {
        let ServerFrame::View(view) = &frame else { panic!("{name} is a view frame") };
        let mut replica = prepared(view);
        replica.apply(&frame).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let list = replica.list(wedding(1)).unwrap();
        for shared in view.join.iter().chain(&view.update) {
            assert_eq!(list.entries()[&shared.record().id()], *shared.record(), "{name}");
        }
        assert!(view.leave.iter().all(|id| !list.entries().contains_key(id)), "{name}");
        assert_eq!(list.sequence(), view.sequence, "{name}");
        let more = matches!(view.phase, FramePhase::Snapshot { more: true });
        assert_eq!(list.phase() == Phase::CatchingUp, more, "{name}");
    }
}

#[test]
fn every_other_frame_is_taken_without_complaint() {
    for kind in ServerFrame::KINDS.iter().filter(|kind| !matches!(**kind, "snapshot" | "diff")) {
        let mut replica = following();
        for (name, frame) in vectors(kind) {
            replica.apply(&frame).unwrap_or_else(|fault| panic!("{kind}, {name}: {fault}"));
        }
    }
}

#[test]
fn welcomes_are_remembered() {
    for (name, frame) in vectors("welcome") {
        let ServerFrame::Welcome(welcome) = &frame else { panic!("{name} is a welcome") };
        let mut replica = following();
        replica.apply(&frame).unwrap();
        assert_eq!(replica.welcome(), Some(&**welcome), "{name}");
        assert_eq!(replica.session(), Some(welcome.session), "{name}");
        assert_eq!(replica.settings(), Some(&welcome.settings), "{name}");
    }
}
