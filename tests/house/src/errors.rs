//! The catalogue of codes, `docs/errors.md`. Each list is a match: a code without a row does not compile.

use model::{CloseCode, ErrorCode};
use server::problem::{Kind, Problem};

use crate::documents::{hold, table};

/// What is told of a code.
#[derive(Clone, Copy)]
struct Row {
    by: By,
    cause: &'static str,
    cure: &'static str,
}

/// Where a code is told.
#[derive(Clone, Copy)]
enum By {
    Rest,
    Socket,
    Both,
}

impl By {
    fn words(self) -> &'static str {
        match self {
            Self::Rest => "REST",
            Self::Socket => "socket",
            Self::Both => "REST, socket",
        }
    }
}

/// Variants of a closed set with a row of each, and a match over the set, which does not compile while one is missing.
macro_rules! rows {
    (
        $all:ident, $row:ident of $set:ident {
            $($variant:ident $by:ident $cause:literal $cure:literal)+
        } $(else $other:pat => $told:expr)?
    ) => {
        const $all: &[$set] = &[$($set::$variant),+];

        fn $row(code: $set) -> Row {
            match code {
                $($set::$variant => Row { by: By::$by, cause: $cause, cure: $cure },)+
                $($other => $told,)?
            }
        }
    };
}

rows! { ERRORS, error of ErrorCode {
    Malformed Both
        "The frame, body, query or path cannot be read: broken JSON, a field that is unknown, missing, given twice or of the wrong type, a word that is none, a header that is no UUID"
        "Mend the client; the message says what was found where"
    Unauthorized Both
        "No token, or one that does not hold here, has ended, or is of another kind than this asks for; or the directory does not know the person, or has disabled them"
        "Get a new token of the right kind; ask whether the person was imported"
    InvalidCode Both
        "The access code is wrong, unknown, used up, expired or revoked; which of these is not told"
        "Ask the person for another; an owner or admin makes it"
    Forbidden Rest
        "A member asked for what only owners and admins of the organization may do"
        "Let an admin do it; do not ask again"
    UnknownChannel Both
        "A wedding, organization, account or access code that does not exist, or that is none of the caller's: both are answered alike"
        "Check the id and whether the caller still takes part; do not ask again by itself"
    UnknownSubscription Socket
        "A subscription that the session does not have, or not any more"
        "Forget it; subscribe again if it is wanted"
    OperationConflict Both
        "The operation's id (`opId`, `Idempotency-Key`) was used in the last 24 h for another change"
        "Take a new id for each change, and the same one only to ask for the same again"
    Occupied Both
        "Somebody else is clocked in to the account; nothing was changed and no code used up"
        "Tell the person; an owner or admin can clear the account"
    NotHeld Both
        "That hold of the account is over, or never was: somebody clocked out, moved, or was cleared out"
        "Take it for clocked out; forget the token and the epoch"
    TooLarge Both
        "A body over its limit (16 KiB, a question about many people 32 KiB, an import of the directory more), or a frame over it"
        "Send less at once"
    InvalidValue Both
        "It can be read, but a value is past its limit: a text too long, too many ids, a date that is none; or a rule of the database refuses it"
        "Show the message to the person who typed it, or mend the client"
    ChannelLimit Socket
        "More subscriptions than a session may have (64)"
        "Unsubscribe elsewhere first"
    RateLimited Both
        "Too often for this caller: one presence update a second and user, and other rates for other calls"
        "Wait as told (`retryAfterMs`, `Retry-After`), then send what is true then"
    Internal Both
        "The hub failed. It is in its log, with the request's id where there is one"
        "Try once more, later; operators look at the log"
    Unavailable Both
        "The database, the keys of the token's issuer or a place for the work is out of reach for the moment; nothing was done, or it is not known whether it was"
        "Wait as told, then ask again under the same operation id"
} }

rows! { KINDS, kind of Kind {
    NoRoute Rest
        "There is no such path"
        "Compare it with the documentation; nothing behind it depends on the caller"
    MethodNotAllowed Rest
        "The path is there, with another method"
        "The header `Allow` lists the methods"
    ForeignOrigin Rest
        "A page of an origin that is not in `listen.allowed_origins`, or a program without one where that is not allowed"
        "Operators add the origin; nobody else can"
    UpgradeRequired Rest
        "`/ws` was called without an upgrade to a WebSocket of version 13 and a subprotocol of this hub"
        "Open it as a WebSocket with `presence.v1.json` or `presence.v1.msgpack`; look whether a proxy strips `Upgrade`"
    UnsupportedMediaType Rest
        "The body is not `application/json` by its header"
        "Send `Content-Type: application/json`"
    HeadTooLarge Rest
        "The request's line and headers together have more than 16 KiB, or there are more than 64 headers: mostly an address with a list in it that is too long"
        "Ask about fewer at once, or by `POST` where there is one; look what a proxy adds"
    Timeout Rest
        "The request took longer than `listen.request_timeout_ms`; what is durable of it may still be done"
        "Ask again under the same operation id"
    Overloaded Rest
        "No room for another connection: in all, or for this address"
        "Wait as told; operators look at `presence_hub_refused_connections_total`"
    NoJob Rest
        "No job, or no run of a job, has this name"
        "`GET /api/jobs` lists them"
    JobTaken Rest
        "Another hub or command is doing this job, or the archive is that of another hub"
        "Ask again when it is done, or ask the hub that has the archive"
    JobFailed Rest
        "The job was not done to its end; the detail says why"
        "Mend the cause; it may be begun again at any time"
    UnknownUser Rest
        "There is nobody by this id, or nobody whom the caller may see: both are answered alike"
        "Show nobody; do not ask again by itself"
    UnknownSession Rest
        "The caller has no session of this id"
        "Leave `sessionId` out, or take the one that `welcome` told"
    TooManySessions Rest
        "The caller has as many sessions as there may be (32), and none that can give way"
        "End one with `DELETE /api/presence/track`, or close a tab"
} else Kind::Error(code) => error(code) }

rows! { CLOSES, close of CloseCode {
    Normal Socket
        "The person signed out, here or everywhere, or was erased"
        "Stay away until somebody signs in"
    ProtocolError Socket
        "A frame that breaks RFC 6455, or a proxy in between that does"
        "Come back with a growing, random delay; look at the client's library and at the proxies"
    UnsupportedData Socket
        "A binary message on the JSON subprotocol, or a text message on MessagePack"
        "Mend the client"
    InvalidPayload Socket
        "Text that is not UTF-8"
        "Mend the client"
    MessageTooBig Socket
        "A message over 16 KiB"
        "Mend the client: send less at once"
    InternalError Socket
        "The hub failed; it is in its log"
        "Come back with a growing, random delay; operators look at the log"
    HeartbeatTimeout Socket
        "No answer to a heartbeat within 10 s: the machine slept, the network is gone, or the page was frozen"
        "Come back at once and resume"
    Replaced Socket
        "The same session came back on another connection: a reload, or a duplicated tab"
        "If it was not this client, come back without `resume`"
    Restarting Socket
        "The hub is being restarted"
        "Come back after `reconnectAfterMs` and resume"
    TooSlow Socket
        "The client read nothing for 10 s while there was something to read"
        "Come back within a minute and resume; look at what keeps the client from reading"
    Overloaded Socket
        "No room, too many tries, or the database or the keys of the token's issuer are out of reach"
        "Come back after the delay told, or within a minute"
    TooManySessions Socket
        "The user has as many sessions as there may be (32), and none that can give way"
        "Come back within a minute; close other tabs"
    Timeout Socket
        "No hello within 10 s of the upgrade, or a message that was begun and not ended in time"
        "Come back within a minute; send the hello at once"
    TokenExpired Socket
        "The token ended and no new one came; the hub said so one minute before"
        "Come back with a new token"
    TokenInvalid Socket
        "The token, or an extension's access code, does not hold here: another issuer, audience or kind, or a changed signature"
        "Come back with a token that holds; operators compare the issuer with `auth.issuers`"
    SubjectChanged Socket
        "A new token of another person was given to a live connection"
        "Open a connection of that person's own"
    BadHello Socket
        "The first message was not a hello that can be read, or a second one was"
        "Mend the client"
    AccountDisabled Socket
        "The directory does not know the person, or has disabled them"
        "Stay away; ask whoever keeps the directory"
    TooManyErrors Socket
        "More than 10 malformed frames in a minute"
        "Mend the client"
    ClockedOut Socket
        "The extension's hold of its account is over; `clockedOut` came before and says why"
        "Forget the token; come back with a code when the person clocks in again"
} }

/// The code of a kind of problem, as its document has it.
fn told(kind: Kind) -> (u64, String) {
    let document: serde_json::Value =
        serde_json::from_slice(&Problem::new(kind, "").to_json()).expect("JSON");
    let code = document["code"].as_str().expect("a code").to_owned();
    (document["status"].as_u64().expect("a status"), code)
}

fn cells((number, code): (u64, String), Row { by, cause, cure }: Row) -> Vec<String> {
    vec![number.to_string(), format!("`{code}`"), by.words().to_owned(), cause.to_owned(), cure.to_owned()]
}

fn rows_of_errors() -> Vec<Vec<String>> {
    let shared = ErrorCode::ALL.iter().map(|code| Kind::Error(*code));
    let mut rows: Vec<_> = shared.chain(KINDS.iter().copied()).map(|it| (told(it), kind(it))).collect();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    rows.into_iter().map(|(told, row)| cells(told, row)).collect()
}

fn rows_of_closes() -> Vec<Vec<String>> {
    let row = |code: &CloseCode| cells((code.number().into(), code.name().to_owned()), close(*code));
    CLOSES.iter().map(row).collect()
}

const HEAD: &[&str] = &["number", "code", "where", "cause", "cure"];

#[test]
fn the_catalogue_of_codes_is_what_the_code_says() {
    hold("docs/errors.md", "error codes", &table(HEAD, rows_of_errors()));
    hold("docs/errors.md", "close codes", &table(HEAD, rows_of_closes()));
}

#[test]
fn every_code_has_one_row() {
    assert_eq!((ERRORS, CLOSES), (ErrorCode::ALL, CloseCode::ALL));
    let mut codes: Vec<_> = rows_of_errors().into_iter().map(|row| row[1].clone()).collect();
    codes.sort();
    let before = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), before, "two errors share a code");
}
