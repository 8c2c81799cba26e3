//! What was asked of an extension and not answered yet, one after the other: the next is asked when the one before it is
//! answered, so that each names the hold that the one before it left. No I/O.

use std::collections::VecDeque;

use model::{AccountId, ActivityRequest, Hold, RequestId, limits};
use tokio::sync::oneshot;
use uuid::Uuid;
use wire::{ActivityFrame, ChangeAccount, ClientFrame, ClockOut, Request};

use super::{ExtensionFailed, Held};

/// How an answer gets back to whoever asked; `None`: there is nothing to say but that it is done.
pub(super) type Reply = oneshot::Sender<Result<Option<Held>, ExtensionFailed>>;

/// What can be asked. Named where it must not be done twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Activity(ActivityRequest),
    Ping,
    Renew,
    ChangeAccount(AccountId, Uuid),
    ClockOut(Uuid),
}

#[derive(Debug)]
struct Open {
    ask: Ask,
    /// `None`: the extension asks for itself.
    reply: Option<Reply>,
    /// Whether the hub may know of it.
    sent: bool,
}

/// See the module. Bounded by `REQUESTS_IN_FLIGHT`, past which the extension takes no more, and one renew of its own.
#[derive(Debug, Default)]
pub(super) struct Queue {
    last: u32,
    asks: VecDeque<Open>,
    /// The number under which the first one was asked on this connection.
    asked: Option<RequestId>,
}

impl Queue {
    /// Whether the extension may take another request.
    pub(super) fn has_room(&self) -> bool {
        self.asks.len() < limits::REQUESTS_IN_FLIGHT
    }

    pub(super) fn push(&mut self, ask: Ask, reply: Option<Reply>) {
        self.asks.push_back(Open { ask, reply, sent: false });
    }

    /// Asks for a newer token, unless that is asked already.
    pub(super) fn renew(&mut self) {
        if !self.asks.iter().any(|open| open.ask == Ask::Renew) {
            self.push(Ask::Renew, None);
        }
    }

    /// The next frame to send, about `hold`.
    pub(super) fn next_frame(&mut self, hold: Hold) -> Option<ClientFrame> {
        let first = self.asks.front_mut()?;
        if self.asked.is_some() {
            return None;
        }
        self.last = self.last.wrapping_add(1);
        let id = RequestId(self.last);
        (self.asked, first.sent) = (Some(id), true);
        Some(first.ask.frame(id, hold))
    }

    /// The hub has answered; returns what it was that was asked.
    pub(super) fn answer(
        &mut self,
        re: RequestId,
        result: Result<Option<Held>, ExtensionFailed>,
    ) -> Option<Ask> {
        if self.asked != Some(re) {
            return None;
        }
        self.asked = None;
        let open = self.asks.pop_front()?;
        send(open.reply, result);
        Some(open.ask)
    }

    /// Where the hub may have moved the extension to without its knowing: the answer was lost.
    pub(super) fn moving_to(&self) -> Option<AccountId> {
        match self.asks.front()? {
            Open { ask: Ask::ChangeAccount(to, _), sent: true, .. } => Some(*to),
            _ => None,
        }
    }

    /// The extension is where the first one asked for.
    pub(super) fn moved(&mut self, held: &Held) {
        if self.moving_to() == Some(held.hold.account)
            && let Some(open) = self.asks.pop_front()
        {
            send(open.reply, Ok(Some(held.clone())));
        }
    }

    /// The connection is gone: what is not answered will be asked again, unless nobody waits for it any more. A clock-out
    /// is wanted all the same.
    pub(super) fn disconnected(&mut self) {
        self.asked = None;
        let waited = |open: &Open| open.reply.as_ref().is_some_and(|reply| !reply.is_closed());
        self.asks.retain(|open| waited(open) || matches!(open.ask, Ask::ClockOut(_)));
    }

    /// Nothing will be answered any more; `clocked_out`: a clock-out is as good as done.
    pub(super) fn end(&mut self, failed: &ExtensionFailed, clocked_out: bool) {
        for open in self.asks.drain(..) {
            let done = clocked_out && matches!(open.ask, Ask::ClockOut(_));
            send(open.reply, if done { Ok(None) } else { Err(failed.clone()) });
        }
    }
}

/// Whoever asked may have given up.
fn send(reply: Option<Reply>, result: Result<Option<Held>, ExtensionFailed>) {
    if let Some(reply) = reply {
        let _ = reply.send(result);
    }
}

impl Ask {
    fn frame(&self, id: RequestId, hold: Hold) -> ClientFrame {
        let (account_id, epoch) = (hold.account, hold.epoch);
        match self.clone() {
            Self::Activity(activity) => ClientFrame::Activity(ActivityFrame { id, activity }),
            Self::Ping => ClientFrame::Ping(Request { id }),
            Self::Renew => ClientFrame::Renew(Request { id }),
            Self::ChangeAccount(to, op_id) => {
                ClientFrame::ChangeAccount(ChangeAccount { id, account_id, epoch, to, op_id: Some(op_id) })
            }
            Self::ClockOut(op_id) => {
                ClientFrame::ClockOut(ClockOut { id, account_id, epoch, op_id: Some(op_id) })
            }
        }
    }
}
