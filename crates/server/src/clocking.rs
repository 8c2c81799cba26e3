//! Clocking in: what REST and the sockets of extensions have in common.

use std::net::IpAddr;

use hub::{ExtensionSeat, OperationError};
use model::{AccountId, ClockOutReason, ErrorCode, Hold, RequestError, Wall};
use persistence::{ClockIn, ClockedIn, OperationId, StoreError};
use wire::Token;

use crate::{app::App, auth::code, failure};

/// Why an extension has no place.
#[derive(Debug)]
pub(crate) enum NoSeat {
    /// The hold is over; why, where that is known.
    Over(Option<ClockOutReason>),
    /// The assistant may not sign in.
    Disabled,
    /// It cannot be known.
    Failed(RequestError),
}

impl App {
    /// Clocks in by code, as often as may be tried.
    pub(crate) async fn clock_in(
        &self,
        address: IpAddr,
        typed: &str,
        account: AccountId,
        operation: Option<OperationId>,
    ) -> Result<ClockedIn, RequestError> {
        let read = code::read(typed);
        let counted = self.guesses.begin(address, read)?;
        let done = match read {
            Some(code) => self.operations.clock_in(ClockIn { code, account, operation }).await,
            None => Err(StoreError::InvalidCode.into()),
        };
        if matches!(done, Err(OperationError::Store(StoreError::InvalidCode))) {
            metrics::counter!("presence_hub_codes_refused_total").increment(1);
            counted.was_wrong();
        }
        if done.as_ref().is_ok_and(|clocked_in| clocked_in.new) {
            metrics::counter!("presence_hub_clock_ins_total").increment(1);
        }
        done.map_err(|error| failure::of_operation(&error))
    }

    /// A place for an extension of this hold. The place first, then the question whether the hold lasts: whatever
    /// happens from then on is told there. Also of a hold that was made a moment ago, which may be over by now.
    ///
    /// # Errors
    /// How the hold ended, or why that cannot be known.
    pub(crate) async fn seat(&self, hold: Hold) -> Result<(ExtensionSeat, Wall), NoSeat> {
        let seat = self.operations.extensions().join(hold);
        match self.operations.find_hold(hold).await {
            Ok(ClockedIn { since, .. }) => Ok((seat, since)),
            Err(OperationError::Store(StoreError::NotHeld)) => Err(self.over(&seat).await),
            Err(error) => Err(NoSeat::Failed(failure::of_operation(&error))),
        }
    }

    /// To a person who is not let in nothing is held; for them it is another matter than a hold that is over.
    async fn over(&self, seat: &ExtensionSeat) -> NoSeat {
        match self.hub.settings_of(seat.hold().user).await {
            Ok(None) => NoSeat::Disabled,
            _ => NoSeat::Over(seat.ended()),
        }
    }

    /// A token for a hold, with the milliseconds for which it is good.
    pub(crate) fn extension_token(&self, hold: Hold) -> Result<(Token, u64), RequestError> {
        let minted = self.extension_tokens.mint(hold).map_err(|error| {
            tracing::error!(%error, "a token cannot be signed");
            RequestError::new(ErrorCode::Internal, "the hub failed; it is logged")
        })?;
        let lasts = u64::try_from(self.extension_tokens.lasts().as_millis()).unwrap_or(u64::MAX);
        Ok((Token::new(minted.expose()), lasts))
    }
}
