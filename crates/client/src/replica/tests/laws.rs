//! What holds for any frames: the list is the hub's list, what is told of it adds up, and a wrong frame changes
//! nothing.

use proptest::prelude::*;

use super::*;
use crate::{
    Standing,
    shared::{Event, Shared},
};

/// A step of a life.
#[derive(Clone, Debug)]
enum Step {
    /// The hub wants these entries to be so; `None`: not listed.
    Set(Vec<(u8, Option<Status>)>),
    /// The listener takes what is new.
    Listen,
    /// The connection is cut, the last frames are lost, and the client resumes.
    Cut { lost: u8 },
    /// The hub has forgotten everything, and the client subscribes again.
    Anew,
    /// A frame with another number than the next.
    Wrong(u32),
}

fn status() -> impl Strategy<Value = Option<Status>> {
    prop_oneof![Just(None), Just(Some(Status::Online)), Just(Some(Status::Idle)), Just(Some(Status::Busy)),]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((0..6_u8, status()), 0..4).prop_map(Step::Set),
        3 => Just(Step::Listen),
        1 => (0..4_u8).prop_map(|lost| Step::Cut { lost }),
        1 => Just(Step::Anew),
        1 => any::<u32>().prop_map(Step::Wrong),
    ]
}

/// The hub of these laws: what should be listed, what it has sent, and what a client has applied when.
struct Hub {
    truth: BTreeMap<u8, Status>,
    /// What a client has that applied all frames so far, frame by frame.
    shown: Vec<BTreeMap<u8, Status>>,
    subscription: u32,
}

impl Hub {
    fn sequence(&self) -> u32 {
        u32::try_from(self.shown.len()).unwrap()
    }

    /// The frame that brings a client from what was shown to the truth; the first one is a snapshot.
    fn frame(&mut self) -> ServerFrame {
        let before = self.shown.last().cloned().unwrap_or_default();
        let phase = if self.shown.is_empty() { LAST_PAGE } else { LIVE };
        let mut view = frame(self.subscription, self.sequence() + 1, phase);
        for (id, status) in &self.truth {
            let (number, status) = (u128::from(*id), *status);
            view = match before.get(id) {
                None => view.join(number, status),
                Some(old) if *old != status => view.update(number, status),
                Some(_) => view,
            };
        }
        for id in before.keys().filter(|id| !self.truth.contains_key(id)) {
            view = view.leave(u128::from(*id));
        }
        self.shown.push(self.truth.clone());
        view.said()
    }

    fn records(&self) -> BTreeMap<EntryId, Record> {
        self.truth.iter().map(|(id, status)| (person((*id).into()), record((*id).into(), *status))).collect()
    }
}

/// What a listener makes of the events.
#[derive(Default)]
struct Listener {
    list: BTreeMap<EntryId, Record>,
}

impl Listener {
    fn listen(&mut self, shared: &Shared) {
        while let Some(event) = shared.next_event() {
            let Event::Channel(event) = event else { continue };
            assert!(matches!(event.standing, Standing::Followed(_)), "{event:?}");
            for change in event.changes {
                assert_eq!(self.list.get(&change.id), change.before.as_ref(), "it was told before");
                assert_ne!(change.before, change.now, "a change changes something");
                match change.now {
                    Some(record) => self.list.insert(change.id, record),
                    None => self.list.remove(&change.id),
                };
            }
        }
    }
}

fn connect(hub: &mut Hub, shared: &Shared, session: u128) {
    shared.apply(&ServerFrame::Welcome(Box::new(welcome_to(session)))).unwrap();
    hub.subscription += 1;
    hub.shown.clear();
    shared.apply(&subscribed(model::RequestId(1), hub.subscription, &[wedding(1)])).unwrap();
    shared.apply(&hub.frame()).unwrap();
}

fn take(step: Step, hub: &mut Hub, shared: &Shared, listener: &mut Listener) {
    match step {
        Step::Set(entries) => {
            for (id, status) in entries {
                match status {
                    Some(status) => hub.truth.insert(id, status),
                    None => hub.truth.remove(&id),
                };
            }
            shared.apply(&hub.frame()).unwrap();
        }
        Step::Listen => listener.listen(shared),
        Step::Cut { lost } => {
            // Frames that the hub sends and nobody receives.
            for number in 0..lost {
                hub.truth.insert(number, Status::Away);
                hub.frame();
            }
            let point = shared.read(|replica| replica.resume()).unwrap().subscriptions[0];
            hub.shown.truncate(point.sequence as usize);
            shared.apply(&resumed(&[(hub.subscription, Ok(()))])).unwrap();
            shared.apply(&hub.frame()).unwrap();
        }
        Step::Anew => connect(hub, shared, 8),
        Step::Wrong(sequence) if sequence != hub.sequence() + 1 => {
            let wrong = frame(hub.subscription, sequence, LIVE).join(77, Status::Online).said();
            shared.apply(&wrong).unwrap_err();
        }
        Step::Wrong(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_list_is_the_hubs_and_a_listener_makes_the_same_of_its_events(
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let (shared, mut listener) = (Shared::new(), Listener::default());
        let mut hub = Hub { truth: BTreeMap::new(), shown: Vec::new(), subscription: 0 };
        connect(&mut hub, &shared, 7);
        for step in steps {
            take(step, &mut hub, &shared, &mut listener);
            let list = shared.read(|replica| replica.list(wedding(1)).unwrap().entries().clone());
            prop_assert_eq!(list, hub.records());
        }
        listener.listen(&shared);
        prop_assert_eq!(listener.list, hub.records());
        prop_assert_eq!(shared.next_event(), None);
    }
}
