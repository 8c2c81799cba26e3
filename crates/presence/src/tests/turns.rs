//! Turns: at most so many bytes, whole views in pages, live changes in between.

use std::collections::BTreeMap;

use model::{
    CloseCode, ConnectionId, Device, EntryId, Mono, Now, Outgoing, Phase, Record, Status, SubscribeRequest,
    Track, ViewFrame, Wall, limits,
};

use super::stage::*;
use crate::{Command, Note, Sink, Taken};

/// The longest that a person can announce, in characters that JSON escapes.
fn long(who: u64) -> Track {
    let quotes = |n: usize| text(&format!("{who}{}", "\"".repeat(n - who.to_string().len())));
    Track {
        status: Status::Busy,
        page: quotes(limits::PAGE_CHARS),
        is_typing: true,
        device: Some(Device::Desktop),
        custom_status: quotes(limits::CUSTOM_STATUS_CHARS),
        custom_emoji: quotes(limits::CUSTOM_EMOJI_CHARS),
        scope: None,
    }
}

fn apply(entries: &mut BTreeMap<EntryId, Record>, view: &ViewFrame) {
    for record in view.join.iter().chain(&view.update) {
        entries.insert(record.record().id(), record.record().clone());
    }
    for id in &view.leave {
        assert!(entries.remove(id).is_some(), "a leave of one never shown");
    }
}

/// The stage itself asserts that no turn is over `TURN_BYTES`.
#[test]
fn five_hundred_people_with_long_texts_come_in_pages_with_live_changes_between() {
    let mut stage = Stage::new();
    for who in 1_000..1_500 {
        stage.put(who, facts(&[1], &[])).come(who, who, long(who));
    }
    stage.slow.insert(20);
    stage.connect(20, 2).flush(20);
    stage.subscribe(20, SubscribeRequest::of(wedding(1)));
    let (mut entries, mut pages, mut interleaved) = (BTreeMap::new(), 0, 0);
    for turn in 0.. {
        // An early page changes, a late one leaves before it was shown, another page joins.
        stage.track(1_000, on_page(&format!("/{turn}")));
        if turn == 3 {
            stage.close(1_499).put(500, facts(&[1], &[])).come(500, 500, long(500));
        }
        let views = stage.views.remove(&20).unwrap_or_default();
        let last = views.iter().any(|view| view.phase == Phase::Snapshot { more: false });
        for view in &views {
            pages += 1;
            interleaved += usize::from(!view.update.is_empty());
            assert_eq!(view.sequence, pages);
            apply(&mut entries, view);
        }
        if last {
            break;
        }
        stage.flush(20);
    }
    assert!(
        pages > 100 && interleaved > 50,
        "{pages} pages, {interleaved} of them with changes of earlier ones"
    );
    stage.flush(20);
    let at = stage.mono + 1_000;
    stage.at(at);
    stage.views.remove(&20).into_iter().flatten().for_each(|view| apply(&mut entries, &view));
    assert_eq!(entries.len(), 500);
    assert!(
        entries.contains_key(&EntryId::Person(user(500)))
            && !entries.contains_key(&EntryId::Person(user(1_499)))
    );
    let Record::Person(person) = &entries[&EntryId::Person(user(1_000))] else { panic!("a person") };
    let model::PersonState::Present { page, .. } = &person.state else { panic!("here") };
    assert_eq!(page.as_ref().map(|page| page.as_str().len() > 1), Some(true), "the last page, not the first");
}

#[test]
fn as_many_empty_views_as_a_session_may_have_do_not_fit_one_turn() {
    let mut stage = Stage::new();
    let weddings: Vec<u64> = (1..=64).collect();
    stage.put(2, facts(&weddings, &[])).connect(20, 2);
    let requests = weddings.iter().map(|id| SubscribeRequest::of(wedding(*id)));
    stage.ask(20, Command::Subscribe(requests.collect()));
    let views = stage.views.remove(&20).unwrap_or_default();
    assert_eq!(views.len(), 64, "each gets its empty snapshot");
    assert!(stage.turns.len() > 2);
}

#[test]
fn everybody_leaving_at_once_comes_in_turns() {
    let mut stage = Stage::watched();
    for who in 1_000..1_500 {
        stage.put(who, facts(&[1], &[])).come(who, who, online());
    }
    stage.at(1_000).heard(20);
    stage.slow.insert(20);
    stage.ask(20, Command::Ping);
    stage.views.clear();
    for who in 1_000..1_500 {
        stage.close(who);
    }
    let mut left = 0;
    for _ in 0..10 {
        stage.flush(20);
        left += stage.views.remove(&20).into_iter().flatten().map(|view| view.leave.len()).sum::<usize>();
    }
    assert_eq!(left, 500);
}

#[test]
fn answers_that_wait_are_split_over_turns() {
    let mut stage = Stage::new();
    stage.slow.insert(1);
    stage.connect(1, 1);
    for _ in 0..limits::REQUESTS_IN_FLIGHT {
        let missing = (0..64).map(|id| SubscribeRequest::of(wedding(1_000 + id))).collect();
        stage.ask(1, Command::Subscribe(missing));
    }
    for turn in 1..=limits::REQUESTS_IN_FLIGHT {
        stage.flush(1);
        assert_eq!(stage.turns.len(), turn + 1);
    }
    assert_eq!(stage.heard(1).len(), limits::REQUESTS_IN_FLIGHT + 1);
}

#[test]
fn a_full_turn_opens_no_window_and_the_last_one_does() {
    let mut stage = Stage::watched();
    stage.ask(20, Command::Ping);
    stage.slow.insert(20);
    stage.ask(20, Command::Ping);
    for who in 1_000..1_010 {
        stage.put(who, facts(&[1], &[])).come(who, who, long(who));
    }
    let joined = |stage: &mut Stage| {
        stage.views.remove(&20).into_iter().flatten().map(|view| view.join.len()).sum::<usize>()
    };
    joined(&mut stage);
    let mut told = Vec::new();
    for _ in 0..6 {
        stage.flush(20);
        told.push(joined(&mut stage));
    }
    assert_eq!(told.iter().sum::<usize>(), 10, "without waiting for time: {told:?}");
    stage.come(1, 1, online());
    assert_eq!(joined(&mut stage), 0, "now it gathers");
    stage.at(150);
    assert_eq!(joined(&mut stage), 1);
}

#[test]
fn a_view_is_not_heard_of_before_the_answer_that_announces_it() {
    let mut stage = Stage::new();
    stage.slow.insert(20);
    stage.put(2, facts(&[1, 2], &[])).connect(20, 2);
    for real in [1, 2] {
        let missing = (0..63).map(|id| SubscribeRequest::of(wedding(1_000 + id)));
        let requests = missing.chain([SubscribeRequest::of(wedding(real))]);
        stage.ask(20, Command::Subscribe(requests.collect()));
    }
    stage.flush(20);
    assert!(stage.views.get(&20).is_none_or(Vec::is_empty), "the second answer still waits");
    stage.flush(20);
    assert_eq!(stage.views.get(&20).map(Vec::len), Some(2));
}

/// Sockets with room for everything: who was sent a turn, in order.
#[derive(Default)]
struct Wide(Vec<u64>);

impl Sink for Wide {
    fn send(&mut self, connection: ConnectionId, frames: &mut Vec<Outgoing>) -> Taken {
        frames.clear();
        self.0.push(connection.0);
        Taken::Whole
    }

    fn close(&mut self, _: ConnectionId, _: CloseCode) {}

    fn note(&mut self, _: Note) {}
}

#[test]
fn who_has_much_to_be_told_takes_four_turns_in_a_row_and_then_the_others_have_theirs() {
    let mut stage = Stage::watched();
    stage.connect(21, 2).subscribe(21, SubscribeRequest::of(wedding(1)));
    for who in 1_000..1_100 {
        stage.put(who, facts(&[1], &[])).come(who, who, online());
    }
    stage.at(1_000).track(1_000, on_page("/opens the windows"));
    for who in 1_000..1_100 {
        stage.track(who, long(who));
    }
    let mut wide = Wide::default();
    stage.presence.tick(Now { mono: Mono(1_050), wall: Wall(0) }, &mut wide);
    assert_eq!(wide.0[..9], [20, 20, 20, 20, 21, 21, 21, 21, 20], "{:?}", wide.0);
}
