//! After a cut with k visible changes, a resume carries k members and no snapshot, whatever was lost.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    ChannelId, EntryId, NotResumed, Outgoing, Phase, ResumeOutcome, SessionId, Settings, Status,
    SubscribeRequest, Track, UserFacts, UserId, Visibility, WeddingId,
};
use oracle::Act;
use presence::Ending;

use crate::{
    for_each_seed,
    rig::{Rig, limits},
    script::{self, Dice},
};

const PEOPLE: usize = 20;

/// A wedding in which everybody sees everybody, and one who looks on.
struct Wedding {
    rig: Rig,
    dice: Dice,
    people: Vec<(UserId, SessionId)>,
    hidden: (UserId, SessionId),
    viewer: SessionId,
    changes: usize,
}

impl Wedding {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let wedding = WeddingId(dice.id());
        let mut rig = Rig::new(limits());
        let invite = |dice: &mut Dice, rig: &mut Rig, visibility| {
            let (user, session) = (UserId(dice.id()), SessionId(dice.id()));
            rig.act(&Act::Facts { user, facts: Some(guest(wedding, visibility)) });
            rig.act(&Act::Connect { session, user });
            (user, session)
        };
        let people = (0..PEOPLE).map(|_| invite(&mut dice, &mut rig, Visibility::Everyone)).collect();
        let hidden = invite(&mut dice, &mut rig, Visibility::Nobody);
        let (_, viewer) = invite(&mut dice, &mut rig, Visibility::Everyone);
        rig.subscribe(viewer, vec![SubscribeRequest::of(ChannelId::Wedding(wedding))]);
        Self { rig, dice, people, hidden, viewer, changes: 0 }
    }

    /// Somebody changes to something they never were before.
    fn change(&mut self, at: usize) -> EntryId {
        self.changes += 1;
        let (user, session) = self.people[at];
        let status = script::text(&format!("change {}", self.changes));
        self.rig.act(&Act::Track {
            session,
            track: Track { custom_status: status, ..Track::of(Status::Online) },
        });
        EntryId::Person(user)
    }

    fn change_some(&mut self, from: usize, to: usize) -> BTreeSet<EntryId> {
        let n = self.dice.below(1 + (to - from) as u64) as usize;
        (from..from + n).map(|at| self.change(at)).collect()
    }

    fn pass(&mut self, ms: u64) {
        let until = self.rig.mono + ms;
        while let Some(at) = self.rig.next_tick(until) {
            self.rig.tick(at);
        }
        self.rig.tick(until);
    }

    fn seen(&self) -> BTreeMap<EntryId, model::Record> {
        let views = &self.rig.clients[&self.viewer].views;
        views.values().next().map(|seen| seen.entries.clone()).unwrap_or_default()
    }

    /// What the frames since the last welcome carried, and whether any was a snapshot.
    fn carried(&self) -> (Vec<EntryId>, bool) {
        let frames = &self.rig.clients[&self.viewer].frames;
        let welcome =
            frames.iter().rposition(|(_, frame)| matches!(frame, Outgoing::Welcome(_))).unwrap_or(0);
        let views = frames[welcome..].iter().filter_map(|(_, frame)| match frame {
            Outgoing::View(view) => Some(view),
            _ => None,
        });
        let mut carried = Vec::new();
        let mut snapshot = false;
        for view in views {
            snapshot |= matches!(view.phase, Phase::Snapshot { .. });
            carried.extend(view.join.iter().chain(&view.update).map(|record| record.record().id()));
            carried.extend(&view.leave);
        }
        (carried, snapshot)
    }
}

fn guest(wedding: WeddingId, visibility: Visibility) -> UserFacts {
    UserFacts {
        display_name: String::new(),
        disabled: false,
        organizations: BTreeMap::new(),
        enterprise: Default::default(),
        erased: false,
        weddings: BTreeSet::from([wedding]),
        settings: Some(Settings { visibility, ..Settings::default() }),
        last_seen: None,
    }
}

#[test]
fn a_resume_carries_what_changed_and_nothing_else() {
    for_each_seed("a_resume_carries_what_changed_and_nothing_else", 1_000, |seed| {
        let mut w = Wedding::new(seed);
        for at in 0..PEOPLE {
            if w.dice.one_in(2) {
                w.change(at);
            }
        }
        w.pass(1_000);
        // The last turn is lost with the connection: nobody reads it.
        let viewer = w.viewer;
        w.rig.clients.get_mut(&viewer).expect("the viewer").unread = Some(Vec::new());
        let mut expected = w.change_some(0, 5);
        if w.dice.one_in(2) {
            w.pass(200);
        }
        w.rig.disconnect(viewer, Ending::Lost);
        w.rig.clients.get_mut(&viewer).expect("the viewer").unread = None;
        expected.extend(w.change_some(3, 15));
        let (_, hidden) = w.hidden;
        w.rig.act(&Act::Track { session: hidden, track: Track::of(Status::Busy) });
        // One who comes and goes meanwhile is not mentioned, unless a frame told of them before.
        let (passing, session) = w.people[19];
        if !w.seen().contains_key(&EntryId::Person(passing)) {
            w.rig.act(&Act::Track { session, track: Track::of(Status::Away) });
            w.rig.act(&Act::Untrack { session });
        }
        let away = w.dice.below(9_000);
        w.pass(away);
        w.rig.act(&Act::Resume { session: viewer, track: None });
        let (carried, snapshot) = w.carried();
        assert!(!snapshot, "a resume is no snapshot");
        assert_eq!(carried.len(), expected.len(), "each once");
        assert_eq!(carried.into_iter().collect::<BTreeSet<_>>(), expected);
        let fresh = SessionId(w.dice.id());
        let user = w.rig.clients[&viewer].user;
        w.rig.act(&Act::Connect { session: fresh, user });
        let request = w.rig.clients[&viewer].views.values().next().expect("a view").request.clone();
        w.rig.subscribe(fresh, vec![request]);
        let fresh = &w.rig.clients[&fresh].views;
        assert_eq!(
            w.seen(),
            fresh.values().next().expect("a view").entries,
            "a later snapshot says the same"
        );
    });
}

#[test]
fn not_resumed_says_why() {
    let mut w = Wedding::new(1);
    let viewer = w.viewer;
    w.change(0);
    w.pass(100);
    w.rig.disconnect(viewer, Ending::Lost);
    let subscription = *w.rig.clients[&viewer].views.keys().next().expect("a view");
    let outcome = |w: &mut Wedding| {
        w.rig.act(&Act::Resume { session: viewer, track: None });
        w.rig.clients[&viewer].welcome.clone().expect("a welcome").resume.expect("an outcome")
    };
    w.rig.clients.get_mut(&viewer).expect("the viewer").views.get_mut(&subscription).expect("it").sequence =
        99;
    let expected = ResumeOutcome::Resumed(vec![(subscription, Err(NotResumed::Sequence))]);
    assert_eq!(outcome(&mut w), expected, "a number never sent");
    assert!(w.carried().1, "the view starts anew with a snapshot");
    assert_eq!(w.seen().len(), 1);

    // A heartbeat confirms all before it: going back behind it is not possible.
    w.change(1);
    w.pass(30_000);
    w.rig.clients.get_mut(&viewer).expect("the viewer").views.get_mut(&subscription).expect("it").sequence =
        1;
    w.rig.disconnect(viewer, Ending::Lost);
    assert_eq!(outcome(&mut w), expected, "a number before a confirmed one");
}
