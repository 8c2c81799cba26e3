//! A client that believes every frame it gets, and checks what it can.

use std::collections::BTreeMap;

use model::{
    CloseCode, ConnectionId, EntryId, Mono, Outgoing, Phase, Record, ResumeOutcome, SessionId,
    SubscribeRequest, SubscriptionId, UserId, ViewFrame, WelcomeFrame,
};

/// What a client has of one subscription.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) request: SubscribeRequest,
    pub(crate) sequence: u32,
    pub(crate) entries: BTreeMap<EntryId, Record>,
    pub(crate) complete: bool,
}

/// A client: one session, on one connection at most.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) views: BTreeMap<SubscriptionId, Seen>,
    pub(crate) welcome: Option<WelcomeFrame>,
    pub(crate) asked: Vec<Vec<SubscribeRequest>>,
    pub(crate) next_request: u32,
    /// Requests that were not answered yet; a shell reads no more than so many.
    pub(crate) unanswered: usize,
    /// Frames that were sent and not read: none while it reads at once.
    pub(crate) unread: Option<Vec<Outgoing>>,
    /// Whether it answers heartbeats.
    pub(crate) answers: bool,
    /// Whether it checks what it gets; a heart with a seeded leak would not pass.
    pub(crate) checks: bool,
    pub(crate) frames: Vec<(Mono, Outgoing)>,
    pub(crate) closed: Option<CloseCode>,
}

impl Client {
    pub(crate) fn new(user: UserId, session: SessionId) -> Self {
        Self {
            user,
            session,
            connection: None,
            views: BTreeMap::new(),
            welcome: None,
            asked: Vec::new(),
            next_request: 0,
            unanswered: 0,
            unread: None,
            answers: true,
            checks: true,
            frames: Vec::new(),
            closed: None,
        }
    }

    pub(crate) fn apply(&mut self, at: Mono, frame: Outgoing) {
        match &frame {
            Outgoing::Welcome(welcome) => self.welcomed(welcome.clone()),
            Outgoing::Subscribed { channels, .. } => {
                let requests = self.asked.remove(0);
                for (request, channel) in requests.into_iter().zip(channels) {
                    assert_eq!(request.channel, channel.channel);
                    self.views.retain(|_, seen| {
                        seen.request.channel != request.channel || channel.outcome.is_err()
                    });
                    if let Ok(subscription) = channel.outcome {
                        let seen = Seen { request, sequence: 0, entries: BTreeMap::new(), complete: false };
                        self.views.insert(subscription, seen);
                    }
                }
            }
            Outgoing::View(view) => {
                if let Some(seen) = self.views.get_mut(&view.subscription) {
                    if self.checks {
                        seen.check(view);
                    }
                    seen.apply(view);
                }
            }
            Outgoing::Ended { subscription, .. } => drop(self.views.remove(subscription)),
            _ => {}
        }
        self.frames.push((at, frame));
    }

    fn welcomed(&mut self, welcome: WelcomeFrame) {
        assert_eq!(welcome.session, self.session);
        match &welcome.resume {
            Some(ResumeOutcome::Resumed(outcomes)) => {
                for (subscription, outcome) in outcomes {
                    match outcome {
                        Ok(()) => {}
                        Err(model::NotResumed::Sequence) => {
                            let seen = self.views.get_mut(subscription).expect("named by the client");
                            (seen.sequence, seen.complete) = (0, false);
                            seen.entries.clear();
                        }
                        Err(_) => drop(self.views.remove(subscription)),
                    }
                }
            }
            _ => self.views.clear(),
        }
        self.welcome = Some(welcome);
    }
}

impl Seen {
    fn check(&self, frame: &ViewFrame) {
        assert_eq!(frame.sequence, self.sequence + 1, "a gap in the sequence");
        let ids = |records: &[std::sync::Arc<model::SharedRecord>]| -> Vec<EntryId> {
            records.iter().map(|record| record.record().id()).collect()
        };
        assert!(ids(&frame.join).is_sorted(), "joins in the order of ids");
        assert!(ids(&frame.update).is_sorted(), "updates too");
        assert!(frame.leave.is_sorted(), "leaves too");
        assert!(frame.leave.iter().all(|id| self.entries.contains_key(id)), "a leave of one never shown");
        assert!(self.complete || frame.phase != Phase::Live, "a diff before the snapshot was complete");
    }

    fn apply(&mut self, frame: &ViewFrame) {
        self.sequence = frame.sequence;
        for record in frame.join.iter().chain(&frame.update) {
            self.entries.insert(record.record().id(), record.record().clone());
        }
        for id in &frame.leave {
            self.entries.remove(id);
        }
        if let Phase::Snapshot { more } = frame.phase {
            self.complete = !more;
        }
    }
}
