//! Bytes to frames. First the outer shape ([`crate::scan`]), then `t` and `id`, then the fields of that kind: so
//! an error can say which request it answers.

mod head;

use std::{fmt, sync::Arc};

use model::{
    Encoding, EntryId, ErrorCode, Phase, Record, RequestError, RequestId, SharedRecord, SubscriptionId,
    ViewFrame, limits,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::{
    ClientFrame, FRAME_NESTING, Hello, REQUEST_NESTING, ServerFrame, scan::ScanError, strict::Strict,
};
use head::Head;

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeErrorKind {
    /// Not the encoding, or a field is unknown, missing, named twice or of the wrong type.
    Malformed,
    /// No such kind of frame.
    UnknownKind,
    /// Nested deeper than [`REQUEST_NESTING`] (from the hub: [`FRAME_NESTING`]).
    TooDeep,
    /// Longer than [`limits::INBOUND_BYTES`].
    TooLarge,
}

/// A frame that could not be read. Its text says what is wrong and never repeats a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// The request, where its id could be read: the error answer carries it.
    pub re: Option<RequestId>,
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// A sentence for the developer of the client, at most 240 characters long.
    pub message: String,
}

/// Characters of an error's text.
const MESSAGE_CHARS: usize = 240;
/// Characters of a word in an error's text; longer ones came from the frame. Our own longest words are
/// `organization:<uuid>` and `showCurrentPage` in its quotes; an access code, in its quotes, is longer.
const WORD_CHARS: usize = 20;

impl DecodeError {
    fn new(kind: DecodeErrorKind, re: Option<RequestId>, text: impl fmt::Display) -> Self {
        Self { re, kind, message: discreet(&text.to_string()) }
    }

    fn malformed(re: Option<RequestId>, text: impl fmt::Display) -> Self {
        Self::new(DecodeErrorKind::Malformed, re, text)
    }

    /// The stable code of the error answer.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self.kind {
            DecodeErrorKind::TooLarge => ErrorCode::TooLarge,
            _ => ErrorCode::Malformed,
        }
    }
}

impl From<DecodeError> for RequestError {
    fn from(error: DecodeError) -> Self {
        Self::new(error.code(), error.message)
    }
}

impl From<ScanError> for DecodeError {
    fn from(error: ScanError) -> Self {
        let kind = match error {
            ScanError::TooDeep(_) => DecodeErrorKind::TooDeep,
            _ => DecodeErrorKind::Malformed,
        };
        Self::new(kind, None, error)
    }
}

/// Leaves out what serde quotes of the frame and must not be repeated: long words, which may be a token in the
/// wrong field, and words with anything but plain characters, which may disturb a log or a terminal.
fn discreet(text: &str) -> String {
    // What stands in double quotes is a value of the frame; our own names stand in backticks.
    let mut parts = text.split('"');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    while let (Some(_), after) = (parts.next(), parts.next()) {
        shown.push('…');
        shown.push_str(after.unwrap_or_default());
    }
    let text = &shown;
    let is_plain = |word: &str| word.len() <= WORD_CHARS && word.chars().all(|c| c.is_ascii_graphic());
    let words = text.split_whitespace().map(|word| if is_plain(word) { word } else { "…" });
    words.collect::<Vec<_>>().join(" ").chars().take(MESSAGE_CHARS).collect()
}

/// Reads a frame from a client: strictly, every field known, in its documented type.
///
/// # Errors
/// [`DecodeError`]; the connection goes on, and the error's `re` goes into the answer.
pub fn decode_client(encoding: Encoding, bytes: &[u8]) -> Result<ClientFrame, DecodeError> {
    if bytes.len() > limits::INBOUND_BYTES {
        let text = format_args!("a message has at most {} bytes", limits::INBOUND_BYTES);
        return Err(DecodeError::new(DecodeErrorKind::TooLarge, None, text));
    }
    let head = Head::of(encoding, bytes, REQUEST_NESTING)?;
    let body = RequestBody { encoding, bytes, re: head.re };
    Ok(match head.kind.as_str() {
        "hello" => ClientFrame::Hello(hello(body)?),
        "subscribe" => ClientFrame::Subscribe(body.read()?),
        "unsubscribe" => ClientFrame::Unsubscribe(body.read()?),
        "track" => ClientFrame::Track(body.read()?),
        "untrack" => ClientFrame::Untrack(body.read()?),
        "activity" => ClientFrame::Activity(body.read()?),
        "signOut" => ClientFrame::SignOut(body.read()?),
        "setSettings" => ClientFrame::SetSettings(body.read()?),
        "refresh" => ClientFrame::Refresh(body.read()?),
        "clockOut" => ClientFrame::ClockOut(body.read()?),
        "changeAccount" => ClientFrame::ChangeAccount(body.read()?),
        "renew" => ClientFrame::Renew(body.read()?),
        "ping" => ClientFrame::Ping(body.read()?),
        "heartbeat" => body.read::<Nothing>().map(|_| ClientFrame::Heartbeat)?,
        unknown => {
            let text = format_args!("no frame to the hub has the kind `{unknown}`");
            return Err(DecodeError::new(DecodeErrorKind::UnknownKind, head.re, text));
        }
    })
}

/// Whoever clocks in with a code has no token yet, and nothing to come back to.
fn hello(body: RequestBody<'_>) -> Result<Hello, DecodeError> {
    let hello: Hello = body.read()?;
    let alone = hello.token.is_none() && hello.resume.is_none() && hello.track.is_none();
    if hello.clock_in.is_some() && !alone {
        let text = "a hello with `clockIn` has no `token`, `resume` or `track`";
        return Err(DecodeError::malformed(body.re, text));
    }
    Ok(hello)
}

/// Reads a frame from the hub: fields that a later version adds are passed over, and a kind that it adds is
/// [`ServerFrame::Unknown`].
///
/// # Errors
/// [`DecodeError`]; the hub is at fault, or something between.
pub fn decode_server(encoding: Encoding, bytes: &[u8]) -> Result<ServerFrame, DecodeError> {
    let head = Head::of(encoding, bytes, FRAME_NESTING)?;
    server_body(&head.kind, encoding, bytes).map_err(|text| DecodeError::malformed(None, text))
}

fn server_body(kind: &str, encoding: Encoding, bytes: &[u8]) -> Result<ServerFrame, String> {
    Ok(match kind {
        "welcome" => ServerFrame::Welcome(read(encoding, bytes)?),
        "subscribed" => ServerFrame::Subscribed(read(encoding, bytes)?),
        "snapshot" => ServerFrame::View(read::<View>(encoding, bytes)?.into_frame(true)),
        "diff" => ServerFrame::View(read::<View>(encoding, bytes)?.into_frame(false)),
        "ended" => ServerFrame::Ended(read(encoding, bytes)?),
        "ack" => ServerFrame::Ack(read(encoding, bytes)?),
        "error" => ServerFrame::Error(read(encoding, bytes)?),
        "settings" => ServerFrame::Settings(read(encoding, bytes)?),
        "heartbeat" => ServerFrame::Heartbeat,
        "expiring" => ServerFrame::Expiring(read(encoding, bytes)?),
        "stale" => ServerFrame::Stale(read(encoding, bytes)?),
        "clockedIn" => ServerFrame::ClockedIn(read(encoding, bytes)?),
        "clockedOut" => ServerFrame::ClockedOut(read(encoding, bytes)?),
        "closing" => ServerFrame::Closing(read(encoding, bytes)?),
        _ => ServerFrame::Unknown,
    })
}

fn read<T: DeserializeOwned>(encoding: Encoding, bytes: &[u8]) -> Result<T, String> {
    match encoding {
        Encoding::Json => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
        Encoding::MessagePack => rmp_serde::from_slice(bytes).map_err(|error| error.to_string()),
    }
}

/// The fields of a request behind its `t`.
#[derive(Clone, Copy)]
struct RequestBody<'a> {
    encoding: Encoding,
    bytes: &'a [u8],
    re: Option<RequestId>,
}

impl RequestBody<'_> {
    fn read<T: DeserializeOwned>(self) -> Result<T, DecodeError> {
        let frame: Result<Untagged<T>, String> = read(self.encoding, self.bytes);
        frame.map(|frame| frame.0).map_err(|text| DecodeError::malformed(self.re, text))
    }
}

/// A request, read strictly and without its `t`.
struct Untagged<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Untagged<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Strict::frame(deserializer, "t")).map(Self)
    }
}

/// A request without fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A `snapshot` or `diff`.
#[derive(Deserialize)]
struct View {
    sub: SubscriptionId,
    seq: u32,
    #[serde(default)]
    join: Vec<Record>,
    #[serde(default)]
    update: Vec<Record>,
    #[serde(default)]
    leave: Vec<EntryId>,
    #[serde(default)]
    more: bool,
}

impl View {
    fn into_frame(self, is_snapshot: bool) -> ViewFrame {
        let shared = |records: Vec<Record>| {
            records.into_iter().map(|record| Arc::new(SharedRecord::new(record))).collect()
        };
        ViewFrame {
            subscription: self.sub,
            sequence: self.seq,
            phase: if is_snapshot { Phase::Snapshot { more: self.more } } else { Phase::Live },
            join: shared(self.join),
            update: shared(self.update),
            leave: self.leave,
        }
    }
}

#[cfg(test)]
mod tests;
