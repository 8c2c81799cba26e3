//! What was asked of the client and not answered yet. No I/O.
//!
//! Every request can be made twice: settings are named by an operation id, the rest is a state that is wanted. So
//! what a cut left unanswered is asked again on the next connection.

mod tracking;

use std::collections::{BTreeMap, VecDeque};

use model::{
    ActivityRequest, ChannelId, RequestError, RequestId, SettingsPatch, SubscribeRequest, SubscribedChannel,
    SubscriptionId, TrackRequest, limits,
};
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;
use wire::{
    ActivityFrame, ClientFrame, Failure, Refresh, Request, SetSettings, Subscribe, Token, Unsubscribe,
};

use crate::RequestFailed;
use tracking::Tracking;

/// How an answer gets back to whoever asked.
pub(crate) type Reply = oneshot::Sender<Result<Answer, RequestFailed>>;

/// What the hub answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Done,
    Subscribed(Vec<SubscribedChannel>),
}

/// What can be asked besides a track.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Subscribe(Vec<SubscribeRequest>),
    Unsubscribe(SubscriptionId),
    Untrack,
    Activity(ActivityRequest),
    SignOut,
    SetSettings(SettingsPatch, Uuid),
    Refresh(Token),
    Ping,
}

#[derive(Debug)]
struct Open {
    ask: Ask,
    /// `None`: the client asks for itself.
    reply: Option<Reply>,
}

/// What was asked and not answered yet. Bounded by `REQUESTS_IN_FLIGHT`, past which the client takes no more, and by
/// what the client asks for itself: one subscribe per list that failed, one refresh.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    last: u32,
    open: BTreeMap<RequestId, Open>,
    unsent: VecDeque<RequestId>,
    pub(crate) tracking: Tracking,
}

impl Ledger {
    pub(crate) fn new(track: Option<TrackRequest>) -> Self {
        Self { tracking: Tracking::new(track), ..Self::default() }
    }

    /// Whether the client may take another request.
    pub(crate) fn has_room(&self) -> bool {
        self.open.len() < limits::REQUESTS_IN_FLIGHT && self.tracking.has_room()
    }

    pub(crate) fn ask(&mut self, ask: Ask, reply: Option<Reply>) {
        if matches!(ask, Ask::Untrack | Ask::SignOut) {
            self.tracking.withdraw();
        }
        let id = self.number();
        self.open.insert(id, Open { ask, reply });
        self.unsent.push_back(id);
    }

    /// Whether a subscribe to the channel waits for its answer.
    pub(crate) fn is_subscribing(&self, channel: ChannelId) -> bool {
        let names = |open: &Open| matches!(&open.ask, Ask::Subscribe(all) if all.iter().any(|one| one.channel == channel));
        self.open.values().any(names)
    }

    /// Whether a sign-out waits for its answer: a normal close is one.
    pub(crate) fn is_signing_out(&self) -> bool {
        self.open.values().any(|open| matches!(open.ask, Ask::SignOut))
    }

    /// The next frame to send, on a connection that was welcomed.
    pub(crate) fn next_frame(&mut self, now: Instant) -> Option<ClientFrame> {
        while let Some(id) = self.unsent.pop_front() {
            if let Some(open) = self.open.get(&id) {
                return Some(open.ask.clone().frame(id));
            }
        }
        let id = RequestId(self.last.wrapping_add(1));
        let frame = self.tracking.next_frame(id, now)?;
        self.last = id.0;
        Some(frame)
    }

    /// When [`Ledger::next_frame`] has something that it has not now.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.tracking.next_due()
    }

    pub(crate) fn acked(&mut self, re: RequestId) {
        if !self.tracking.acked(re) {
            self.answer(re, Ok(Answer::Done));
        }
    }

    pub(crate) fn subscribed(&mut self, re: RequestId, channels: Vec<SubscribedChannel>) {
        self.answer(re, Ok(Answer::Subscribed(channels)));
    }

    /// Returns what was asked, where it was no track.
    pub(crate) fn failed(&mut self, failure: &Failure, now: Instant) -> Option<Ask> {
        let Failure { re, code, message, retry_after_ms } = failure.clone();
        let Some(re) = re else {
            tracing::warn!(code = code.name(), message, "the hub could not read a frame of this client");
            return None;
        };
        let error = RequestError { code, message, retry_after_ms };
        if self.tracking.failed(re, &error, now) {
            return None;
        }
        let Open { ask, reply } = self.open.remove(&re)?;
        answer(reply, Err(RequestFailed::Refused(error)));
        Some(ask)
    }

    /// The connection is gone: what was sent will be sent again, unless nobody waits for it any more.
    pub(crate) fn disconnected(&mut self) {
        self.tracking.disconnected();
        let gone = |ask: &Ask| matches!(ask, Ask::Unsubscribe(_) | Ask::Refresh(_));
        let done: Vec<_> = self.open.iter().filter(|(_, open)| gone(&open.ask)).map(|(id, _)| *id).collect();
        // A subscription that is not named when the client comes back is over, and the hello brings the newest token.
        done.into_iter().for_each(|id| self.answer(id, Ok(Answer::Done)));
        self.open.retain(|_, open| open.reply.as_ref().is_some_and(|reply| !reply.is_closed()));
        self.unsent = self.open.keys().copied().collect();
    }

    /// Nothing will be answered any more.
    pub(crate) fn end(&mut self, failed: &RequestFailed) {
        self.tracking.end(failed);
        for open in std::mem::take(&mut self.open).into_values() {
            answer(open.reply, Err(failed.clone()));
        }
    }

    /// The connection was closed as the sign-out asked for.
    pub(crate) fn signed_out(&mut self) {
        let asked: Vec<_> = self
            .open
            .iter()
            .filter(|(_, open)| matches!(open.ask, Ask::SignOut))
            .map(|(id, _)| *id)
            .collect();
        asked.into_iter().for_each(|id| self.answer(id, Ok(Answer::Done)));
    }

    fn answer(&mut self, re: RequestId, result: Result<Answer, RequestFailed>) {
        if let Some(open) = self.open.remove(&re) {
            answer(open.reply, result);
        }
    }

    fn number(&mut self) -> RequestId {
        self.last = self.last.wrapping_add(1);
        RequestId(self.last)
    }
}

/// Whoever asked may have given up.
fn answer(reply: Option<Reply>, result: Result<Answer, RequestFailed>) {
    if let Some(reply) = reply {
        let _ = reply.send(result);
    }
}

impl Ask {
    fn frame(self, id: RequestId) -> ClientFrame {
        match self {
            Self::Subscribe(channels) => ClientFrame::Subscribe(Subscribe { id, channels }),
            Self::Unsubscribe(subscription) => ClientFrame::Unsubscribe(Unsubscribe { id, subscription }),
            Self::Untrack => ClientFrame::Untrack(Request { id }),
            Self::Activity(activity) => ClientFrame::Activity(ActivityFrame { id, activity }),
            Self::SignOut => ClientFrame::SignOut(Request { id }),
            Self::SetSettings(settings, op_id) => {
                ClientFrame::SetSettings(SetSettings { id, settings, op_id: Some(op_id) })
            }
            Self::Refresh(token) => ClientFrame::Refresh(Refresh { id, token }),
            Self::Ping => ClientFrame::Ping(Request { id }),
        }
    }
}
