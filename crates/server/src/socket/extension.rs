//! An assistant's extension: one task, from the clock-in to the parting.
//!
//! It takes no part in presence. Everything that it asks for is durable or small, so it is served one request after the
//! other: what comes meanwhile waits in the socket.

mod timing;

use std::{future::poll_fn, net::IpAddr, sync::Arc};

use hub::{ExtensionSeat, Farewell, OperationError, Parting};
use model::{
    Activity, ActivityRequest, ClockOutReason, CloseCode, ErrorCode, Hold, RequestError, RequestId, Wall,
};
use persistence::{ClockedIn, OperationId, StoreError};
use wire::{
    ADMINS_SEE, Ack, ActivityFrame, ChangeAccount, ClientFrame, ClockInRequest, ClockOut, Failure,
    ServerFrame,
};

use super::{
    greeting::{Refusal, refuse_token},
    inbound::{Inbound, Pace},
    stream::Stream,
};
use crate::{app::App, clocking::NoSeat, failure, rate::Call};
use timing::{Due, Timing};

/// A hold that somebody came with.
pub(super) struct Working {
    seat: ExtensionSeat,
    since: Wall,
}

/// Clocks in by the code of a hello.
pub(super) async fn by_code(
    app: &Arc<App>,
    stream: &mut Stream,
    address: IpAddr,
    request: ClockInRequest,
) -> Result<Working, Refusal> {
    let operation = request.op_id.map(OperationId);
    match app.clock_in(address, request.code.reveal(), request.account_id, operation).await {
        Ok(ClockedIn { hold, .. }) => sit(app, stream, hold).await,
        Err(error) => Err(refuse(app, stream, error).await),
    }
}

/// Comes back by the token of a hold.
pub(super) async fn by_token(app: &Arc<App>, stream: &mut Stream, token: &str) -> Result<Working, Refusal> {
    let hold = app.extension_tokens.verify(token).map_err(|error| refuse_token(&error))?;
    sit(app, stream, hold).await
}

/// Takes a place, or says why there is none.
async fn sit(app: &Arc<App>, stream: &mut Stream, hold: Hold) -> Result<Working, Refusal> {
    match app.seat(hold).await {
        Ok((seat, since)) => Ok(Working { seat, since }),
        Err(NoSeat::Disabled) => Err(Some(CloseCode::AccountDisabled)),
        Err(NoSeat::Failed(error)) => Err(refuse(app, stream, error).await),
        Err(NoSeat::Over(reason)) => {
            let said = stream.say(&clocked_out(hold, reason), app.bounds.stall).await;
            Err(said.then_some(CloseCode::ClockedOut))
        }
    }
}

fn clocked_out(hold: Hold, reason: Option<ClockOutReason>) -> ServerFrame {
    let Hold { account: account_id, epoch, .. } = hold;
    ServerFrame::ClockedOut(wire::ClockedOut { account_id, epoch, reason })
}

/// Says why there is no hold, and with which code the connection is closed.
async fn refuse(app: &App, stream: &mut Stream, error: RequestError) -> Refusal {
    let code = match error.code {
        ErrorCode::InvalidCode => CloseCode::TokenInvalid,
        ErrorCode::RateLimited | ErrorCode::Unavailable => CloseCode::Overloaded,
        ErrorCode::Internal => CloseCode::InternalError,
        _ => CloseCode::BadHello,
    };
    let said = stream.say(&ServerFrame::Error(Failure::new(None, error)), app.bounds.stall).await;
    said.then_some(code)
}

/// How a conversation ended.
enum End {
    /// The other end is gone.
    Gone,
    /// This hub closes.
    Close(Farewell),
}

impl From<CloseCode> for End {
    fn from(code: CloseCode) -> Self {
        Self::Close(Farewell::new(code, None))
    }
}

/// Serves the extension to its end.
pub(super) async fn converse(app: &Arc<App>, stream: &mut Stream, working: Working) {
    let Working { seat, since } = working;
    let timing = Timing::new(&app.bounds, app.extension_tokens.lasts());
    let mut conversation = Conversation { app, stream, seat, since, timing, pace: Pace::new(&app.bounds) };
    let end = conversation.run().await;
    // Given back before the goodbye, which may take a moment: the extension is no sign of life any more.
    let Conversation { stream, seat, .. } = conversation;
    drop(seat);
    match end {
        End::Close(farewell) => stream.close(farewell).await,
        End::Gone => stream.finish().await,
    }
}

struct Conversation<'a> {
    app: &'a Arc<App>,
    stream: &'a mut Stream,
    seat: ExtensionSeat,
    since: Wall,
    timing: Timing,
    pace: Pace,
}

/// What wakes the task.
enum Wake {
    Parting(Parting),
    Inbound(Inbound),
    Due(Due),
}

impl Conversation<'_> {
    async fn run(&mut self) -> End {
        let mut done = self.tell_hold(None).await;
        while done.is_ok() {
            done = match self.wake().await {
                Wake::Parting(parting) => Err(self.part(parting).await),
                Wake::Due(due) => self.heed(due).await,
                Wake::Inbound(inbound) => self.take(inbound).await,
            };
        }
        done.err().unwrap_or(End::Gone)
    }

    async fn wake(&mut self) -> Wake {
        let Self { stream, seat, timing, pace, .. } = self;
        tokio::select! {
            biased;
            parting = seat.parting() => Wake::Parting(parting),
            due = timing.due() => Wake::Due(due),
            inbound = poll_fn(|context| stream.poll_receive(pace, context)) => Wake::Inbound(inbound),
        }
    }

    async fn say(&mut self, frame: ServerFrame) -> Result<(), End> {
        let said = self.stream.say(&frame, self.app.bounds.stall).await;
        if said { Ok(()) } else { Err(CloseCode::TooSlow.into()) }
    }

    async fn answer(&mut self, re: RequestId, done: Result<(), RequestError>) -> Result<(), End> {
        let frame = match done {
            Ok(()) => ServerFrame::Ack(Ack { re, durable: true }),
            Err(error) => ServerFrame::Error(Failure::new(Some(re), error)),
        };
        self.say(frame).await
    }

    /// Tells where the assistant is, with a token for it.
    async fn tell_hold(&mut self, re: Option<RequestId>) -> Result<(), End> {
        let Hold { user, organization, account, epoch } = self.seat.hold();
        let (token, token_ms) = match self.app.extension_token(self.seat.hold()) {
            Ok(made) => made,
            Err(error) => {
                self.say(ServerFrame::Error(Failure::new(re, error))).await?;
                return Err(CloseCode::InternalError.into());
            }
        };
        self.timing.renewed(&self.app.bounds, self.app.extension_tokens.lasts());
        let frame = wire::ClockedIn {
            re,
            user,
            organization,
            account_id: account,
            epoch,
            since: self.since.minute(),
            token,
            token_ms,
            heartbeat_ms: timing::ms(self.app.bounds.heartbeat),
            heartbeat_timeout_ms: timing::ms(self.app.bounds.heartbeat_timeout),
            admins_see: ADMINS_SEE.iter().map(|&word| word.to_owned()).collect(),
        };
        self.say(ServerFrame::ClockedIn(Box::new(frame))).await
    }

    /// The last words.
    async fn part(&mut self, parting: Parting) -> End {
        let reason = match parting {
            Parting::Disabled => return CloseCode::AccountDisabled.into(),
            Parting::Restarting(reconnect) => {
                return End::Close(Farewell::new(CloseCode::Restarting, Some(reconnect)));
            }
            Parting::Ended(reason) => reason,
        };
        match self.say(clocked_out(self.seat.hold(), reason)).await {
            Ok(()) => CloseCode::ClockedOut.into(),
            Err(end) => end,
        }
    }

    async fn heed(&mut self, due: Due) -> Result<(), End> {
        match due {
            Due::Heartbeat => self.say(ServerFrame::Heartbeat).await,
            Due::Silence => Err(CloseCode::HeartbeatTimeout.into()),
            Due::Expiring(in_ms) => self.say(ServerFrame::Expiring(wire::Expiring { in_ms })).await,
            Due::Expired => Err(CloseCode::TokenExpired.into()),
        }
    }

    async fn take(&mut self, inbound: Inbound) -> Result<(), End> {
        match inbound {
            Inbound::Frame(frame) => {
                self.seat.heard();
                self.timing.heard(&self.app.bounds);
                self.request(*frame).await
            }
            Inbound::Unreadable(_) if !self.pace.forgives() => Err(CloseCode::TooManyErrors.into()),
            Inbound::Unreadable(error) => {
                let re = error.re;
                self.say(ServerFrame::Error(Failure::new(re, error.into()))).await
            }
            Inbound::Broken(code) => Err(code.into()),
            Inbound::Closed(_) => Err(End::Gone),
        }
    }

    async fn request(&mut self, frame: ClientFrame) -> Result<(), End> {
        match frame {
            ClientFrame::Heartbeat => Ok(()),
            ClientFrame::Hello(_) => Err(CloseCode::BadHello.into()),
            ClientFrame::Ping(request) => self.answer(request.id, Ok(())).await,
            ClientFrame::Renew(request) => self.renew(request.id).await,
            ClientFrame::Activity(request) => self.activity(request).await,
            ClientFrame::ClockOut(request) => self.clock_out(request).await,
            ClientFrame::ChangeAccount(request) => self.change_account(request).await,
            other => {
                let words = "this needs the token of a person";
                let error = RequestError::new(ErrorCode::Unauthorized, words);
                self.say(ServerFrame::Error(Failure::new(other.id(), error))).await
            }
        }
    }

    /// A new token, for a hold that lasts.
    async fn renew(&mut self, re: RequestId) -> Result<(), End> {
        let hold = self.seat.hold();
        if let Err(error) = self.app.user_limits.check_hold(hold) {
            return self.answer(re, Err(error)).await;
        }
        match self.app.operations.find_hold(hold).await {
            Ok(_) => self.tell_hold(Some(re)).await,
            Err(error) => self.answer(re, Err(failure::of_operation(&error))).await,
        }
    }

    async fn activity(&mut self, request: ActivityFrame) -> Result<(), End> {
        let told = self.tell_activity(request.activity).await;
        self.answer(request.id, told).await
    }

    /// Tells the heart, which decides whether it may be logged: for the account's organization and no other.
    async fn tell_activity(&self, request: ActivityRequest) -> Result<(), RequestError> {
        let Hold { user, organization, .. } = self.seat.hold();
        let invalid = |words: String| RequestError::new(ErrorCode::InvalidValue, words);
        if request.session_id.is_some() {
            return Err(invalid("an extension has no session: leave sessionId out".to_owned()));
        }
        let activity = request.clean().map_err(|error| invalid(error.to_string()))?;
        if activity.organization.is_some_and(|named| named != organization) {
            return Err(RequestError::new(ErrorCode::UnknownChannel, "there is no such organization"));
        }
        self.app.user_limits.check(user, Call::Activity)?;
        self.seat.active();
        let activity = Activity { organization: Some(organization), ..activity };
        let told = self.app.hub.activity(user, activity).await;
        told.map(drop).map_err(|gone| failure::of_operation(&gone.into()))
    }

    async fn clock_out(&mut self, request: ClockOut) -> Result<(), End> {
        let ClockOut { id, account_id: account, epoch, op_id } = request;
        let done = match self.named(account, epoch) {
            Ok(hold) => {
                let done = self.app.operations.clock_out(hold, op_id.map(OperationId)).await;
                done.map(drop).map_err(|error| failure::of_operation(&error))
            }
            Err(error) => Err(error),
        };
        let is_done = done.is_ok();
        self.answer(id, done).await?;
        if is_done {
            return Err(self.part(Parting::Ended(Some(ClockOutReason::ClockedOut))).await);
        }
        Ok(())
    }

    async fn change_account(&mut self, request: ChangeAccount) -> Result<(), End> {
        let ChangeAccount { id, account_id: account, epoch, to, op_id } = request;
        let done = match self.named(account, epoch) {
            Ok(hold) => {
                let done = self.app.operations.change_account(hold, to, op_id.map(OperationId)).await;
                done.map_err(|error| failure::of_operation(&error))
            }
            Err(error) => Err(error),
        };
        match done {
            Ok(ClockedIn { hold, .. }) => self.sit_elsewhere(id, hold).await,
            Err(error) => self.answer(id, Err(error)).await,
        }
    }

    /// The place of the hold that was moved to; what the old one was told meanwhile is not lost: the new one is asked for.
    async fn sit_elsewhere(&mut self, re: RequestId, hold: Hold) -> Result<(), End> {
        match self.app.seat(hold).await {
            Ok((seat, since)) => {
                (self.seat, self.since) = (seat, since);
                self.seat.active();
                self.tell_hold(Some(re)).await
            }
            Err(NoSeat::Disabled) => Err(CloseCode::AccountDisabled.into()),
            Err(NoSeat::Over(reason)) => {
                self.say(clocked_out(hold, reason)).await?;
                Err(CloseCode::ClockedOut.into())
            }
            Err(NoSeat::Failed(error)) => {
                // Moved, but nobody can say whether it lasts: the client comes back with the old token and learns it.
                self.answer(re, Err(error)).await?;
                Err(CloseCode::Overloaded.into())
            }
        }
    }

    /// The hold that a request names. Only the connection's own is it; the store says whether it lasts.
    fn named(&self, account: model::AccountId, epoch: u64) -> Result<Hold, RequestError> {
        let hold = self.seat.hold();
        self.app.user_limits.check_hold(hold)?;
        if (account, epoch) == (hold.account, hold.epoch) {
            return Ok(hold);
        }
        Err(failure::of_operation(&OperationError::Store(StoreError::NotHeld)))
    }
}
