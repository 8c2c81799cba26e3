//! The list. In the order in which an operator reads it: what comes in, what goes out, what waits, what fails.

use metrics::Unit::{self, Bytes, Count, Seconds};
use model::{CloseCode, ErrorCode};
use persistence::JobName;

use super::{
    Metric, Part,
    Sort::{self, Counter, Gauge, Histogram},
    Values::{self, Closed, Open},
};
use crate::rate::Call;

const fn metric(name: &'static str, sort: Sort, unit: Unit, about: &'static str) -> Metric {
    Metric { name, sort, unit, labels: &[], about }
}

impl Metric {
    const fn by(self, labels: &'static [(&'static str, Values)]) -> Self {
        Self { labels, ..self }
    }
}

fn close_codes() -> Vec<&'static str> {
    CloseCode::ALL.iter().map(|code| code.name()).collect()
}

fn error_codes() -> Vec<&'static str> {
    ErrorCode::ALL.iter().map(|code| code.name()).collect()
}

fn jobs() -> Vec<&'static str> {
    JobName::ALL.iter().map(|job| job.name()).collect()
}

fn calls() -> Vec<&'static str> {
    Call::ALL.iter().map(|call| call.name()).chain(["hold", "code"]).collect()
}

const REASONS: (&str, Values) = ("reason", Closed(|| vec!["total", "address"]));
const WAYS: (&str, Values) = ("way", Closed(|| vec!["rest", "socket"]));
const CODES: (&str, Values) = ("code", Closed(error_codes));
const CLOSE_CODES: (&str, Values) = ("code", Closed(close_codes));
const NAMES: (&str, Values) = ("name", Closed(jobs));
const CALLS: (&str, Values) = ("call", Closed(calls));
const BATCHES: (&str, Values) = ("rows", Closed(|| vec!["activity", "last-seen", "stretches"]));
const LEVELS: (&str, Values) = ("level", Closed(|| vec!["error", "warn"]));
const POOLS: (&str, Values) =
    ("pool", Open("`usual` and `reserved` with Postgres, `writer` and `readers` with SQLite"));
const CONDITIONS: (&str, Values) = ("condition", Open("the names in `/readyz`"));
const VERSION: (&str, Values) = ("version", Closed(|| vec![env!("CARGO_PKG_VERSION")]));
const METHODS: (&str, Values) = ("method", Open("the HTTP method"));
const ROUTES: (&str, Values) = ("route", Open("the pattern of the route, `none` where there is none"));
const STATUSES: (&str, Values) = ("status", Open("the HTTP status"));

/// Every metric, by the part of the hub that it tells of.
pub const PARTS: &[Part] = &[
    Part { title: "Who is connected", metrics: CONNECTED },
    Part { title: "Requests and refusals", metrics: ASKED },
    Part { title: "The heart and what it sends", metrics: HEART },
    Part { title: "What is committed, and following it", metrics: STORE },
    Part { title: "The writer and its backlog", metrics: WRITER },
    Part { title: "Jobs", metrics: JOBS },
    Part { title: "The hub itself", metrics: HUB },
];

const CONNECTED: &[Metric] = &[
    metric("presence_hub_connections", Gauge, Count, "people's sockets that were welcomed"),
    metric("presence_hub_extensions", Gauge, Count, "extensions' sockets that are clocked in"),
    metric("presence_hub_seats_taken", Gauge, Count, "TCP connections on both ports, whatever they are for"),
    metric(
        "presence_hub_handshakes_waiting",
        Gauge,
        Count,
        "connections that wait for their turn to be served",
    ),
    metric(
        "presence_hub_refused_connections_total",
        Counter,
        Count,
        "connections for which there was no room: in all, or for their address",
    )
    .by(&[REASONS]),
    metric(
        "presence_hub_accept_errors_total",
        Counter,
        Count,
        "connections that the system could not give, as for want of file descriptors",
    ),
    metric("presence_hub_sessions", Gauge, Count, "sessions, those that wait for their client included"),
    metric("presence_hub_users", Gauge, Count, "people whom the hub knows"),
    metric("presence_hub_accounts", Gauge, Count, "accounts that the hub knows"),
    metric("presence_hub_channels", Gauge, Count, "channels with a member or a viewer"),
    metric("presence_hub_views", Gauge, Count, "subscriptions, those kept to be resumed included"),
];

const ASKED: &[Metric] = &[
    metric("presence_hub_requests_total", Counter, Count, "HTTP requests that were answered")
        .by(&[METHODS, ROUTES, STATUSES]),
    metric(
        "presence_hub_request_seconds",
        Histogram,
        Seconds,
        "from the head of an HTTP request to the head of its answer",
    ),
    metric("presence_hub_requests_under_way", Gauge, Count, "HTTP requests that are being answered"),
    metric("presence_hub_acting_calls_total", Counter, Count, "calls that the back-end made as a user"),
    metric(
        "presence_hub_reports_under_way",
        Gauge,
        Count,
        "analytics that are being made or wait for the database",
    ),
    metric(
        "presence_hub_report_seconds",
        Histogram,
        Seconds,
        "what analytics took to be made, with their waiting",
    ),
    metric(
        "presence_hub_exports_under_way",
        Gauge,
        Count,
        "exports of people's own data that are being sent",
    ),
    metric(
        "presence_hub_errors_total",
        Counter,
        Count,
        "errors told, by code: docs/errors.md says what each means",
    )
    .by(&[WAYS, CODES]),
    metric(
        "presence_hub_close_codes_total",
        Counter,
        Count,
        "sockets that the hub closed, by the code that it gave",
    )
    .by(&[CLOSE_CODES]),
    metric("presence_hub_rate_limited_total", Counter, Count, "calls past a limit, by what was called")
        .by(&[CALLS]),
    metric(
        "presence_hub_slowed_reads_total",
        Counter,
        Count,
        "times that a socket spoke too fast and was read later",
    ),
    metric(
        "presence_hub_rate_limit_entries",
        Gauge,
        Count,
        "users and holds in the tables of the limits, when these were last swept",
    ),
    metric("presence_hub_tokens_refused_total", Counter, Count, "sockets whose token does not hold"),
    metric(
        "presence_hub_key_fetches_total",
        Counter,
        Count,
        "attempts to fetch the keys of an issuer of tokens",
    ),
    metric(
        "presence_hub_key_fetch_failures_total",
        Counter,
        Count,
        "of those, the ones that brought none: the keys at hand stay in use",
    ),
    metric("presence_hub_clock_ins_total", Counter, Count, "clock-ins and moves by access code"),
    metric(
        "presence_hub_codes_refused_total",
        Counter,
        Count,
        "wrong access codes; a steep rise is somebody guessing",
    ),
    metric("presence_hub_code_guessers", Gauge, Count, "addresses with wrong codes in the last minute"),
];

const HEART: &[Metric] = &[
    metric("presence_hub_mailbox_waiting", Gauge, Count, "inputs that wait for the heart, of at most 4,096"),
    metric(
        "presence_hub_mailbox_seconds",
        Histogram,
        Seconds,
        "how long an input waits for the heart and is answered; one is sent a second to know it",
    ),
    metric("presence_hub_inputs_total", Counter, Count, "inputs that the heart handled"),
    metric("presence_hub_frames_total", Counter, Count, "frames made for sockets, of every kind"),
    metric(
        "presence_hub_frame_bytes_total",
        Counter,
        Bytes,
        "their bytes, without those of WebSocket itself",
    ),
    metric("presence_hub_snapshots_total", Counter, Count, "of those frames, pages of snapshots"),
    metric("presence_hub_diffs_total", Counter, Count, "of those frames, diffs"),
    metric("presence_hub_changes_total", Counter, Count, "joins, updates and leaves in snapshots and diffs"),
    metric("presence_hub_closes_total", Counter, Count, "sockets that the heart closed"),
    metric(
        "presence_hub_turns_kept_total",
        Counter,
        Count,
        "turns of which a socket did not take all at once",
    ),
    metric("presence_hub_outboxes_waiting", Gauge, Count, "sockets that have something left to take"),
    metric("presence_hub_outbox_bytes", Gauge, Bytes, "what is kept for them, at most 9 KiB each"),
];

const STORE: &[Metric] = &[
    metric(
        "presence_hub_store_followed",
        Gauge,
        Count,
        "1 while the last question of the follower was answered",
    ),
    metric(
        "presence_hub_follower_age_seconds",
        Gauge,
        Seconds,
        "since the store answered the follower last; from 30 s on views are marked stale",
    ),
    metric(
        "presence_hub_follower_round_seconds",
        Histogram,
        Seconds,
        "one round of the follower: what changed, read and shown",
    ),
    metric("presence_hub_follower_errors_total", Counter, Count, "rounds that broke off"),
    metric(
        "presence_hub_follower_asks_waiting",
        Gauge,
        Count,
        "operations that wait to be heard by the follower, of at most 1,024",
    ),
    metric(
        "presence_hub_change_lines",
        Gauge,
        Count,
        "users whose changes of settings are under way or wait for one another",
    ),
    metric(
        "presence_hub_settings_spooled",
        Gauge,
        Count,
        "hidings that are in force and wait on the hub's disk for the database",
    ),
    metric(
        "presence_hub_spool_refusals_total",
        Counter,
        Count,
        "hidings that could not be put there, and were refused",
    ),
    metric("presence_hub_database_connections", Gauge, Count, "open connections to the database")
        .by(&[POOLS]),
    metric(
        "presence_hub_database_connections_busy",
        Gauge,
        Count,
        "of those, the ones in use when one was last asked for",
    )
    .by(&[POOLS]),
    metric(
        "presence_hub_database_acquire_seconds",
        Histogram,
        Seconds,
        "waiting for a connection of the pool",
    )
    .by(&[POOLS]),
    metric(
        "presence_hub_database_seconds",
        Histogram,
        Seconds,
        "a unit of work, from asking for a connection to the end of its commit",
    ),
    metric(
        "presence_hub_database_failures_total",
        Counter,
        Count,
        "units of work that were given up: the database was out of reach, or too slow",
    ),
    metric("presence_hub_database_retries_total", Counter, Count, "units of work that were tried again"),
];

const WRITER: &[Metric] = &[
    metric(
        "presence_hub_writer_pending",
        Gauge,
        Count,
        "rows in memory alone; a saw-tooth of 5 s in good times",
    ),
    metric("presence_hub_writer_noted_total", Counter, Count, "notes taken"),
    metric("presence_hub_writer_coalesced_total", Counter, Count, "of those, merged with one that waited"),
    metric(
        "presence_hub_writer_dropped_total",
        Counter,
        Count,
        "of those, dropped because memory and disk are full: activity is being lost",
    ),
    metric("presence_hub_writer_batch_rows", Histogram, Count, "rows of a batch").by(&[BATCHES]),
    metric(
        "presence_hub_writer_batch_seconds",
        Histogram,
        Seconds,
        "how long the store took for it, or to refuse it",
    )
    .by(&[BATCHES]),
    metric(
        "presence_hub_writer_written_total",
        Counter,
        Count,
        "rows that the store has and did not have before",
    ),
    metric(
        "presence_hub_writer_passed_over_total",
        Counter,
        Count,
        "rows of people who are gone or erased, and of a time without a place in the log",
    ),
    metric(
        "presence_hub_writer_refused_total",
        Counter,
        Count,
        "rows that the store will never take; they are set aside in a file",
    ),
    metric(
        "presence_hub_writer_failed_batches_total",
        Counter,
        Count,
        "batches that the store did not take; each is tried again",
    ),
    metric(
        "presence_hub_backlog_rows",
        Gauge,
        Count,
        "rows that wait on the hub's disk; above 0: an outage, or the catching up after it",
    ),
    metric(
        "presence_hub_backlog_bytes",
        Gauge,
        Bytes,
        "all files of the backlog, those set aside for people included",
    ),
    metric(
        "presence_hub_backlog_syncs_total",
        Counter,
        Count,
        "times that what waits was put safely on the disk",
    ),
    metric(
        "presence_hub_backlog_failures_total",
        Counter,
        Count,
        "times that this failed: what waits is in memory alone",
    ),
    metric("presence_hub_backlog_corrupt_lines_total", Counter, Count, "damaged lines, set aside in a file"),
    metric(
        "presence_hub_backlog_torn_lines_total",
        Counter,
        Count,
        "last lines that a crash cut short, dropped at the start",
    ),
    metric("presence_hub_gaps_total", Counter, Count, "marks of missing rows that the store was given"),
];

const JOBS: &[Metric] = &[
    metric("presence_hub_job_runs_total", Counter, Count, "jobs that this hub did, or tried to").by(&[NAMES]),
    metric("presence_hub_job_failures_total", Counter, Count, "of those, the ones that failed").by(&[NAMES]),
    metric("presence_hub_job_seconds", Histogram, Seconds, "how long they took").by(&[NAMES]),
];

const HUB: &[Metric] = &[
    metric("presence_hub_ready", Gauge, Count, "1 where `/readyz` says 200"),
    metric("presence_hub_degraded", Gauge, Count, "1 for each condition of `/readyz` that does not hold")
        .by(&[CONDITIONS]),
    metric("presence_hub_log_lines_total", Counter, Count, "lines of the log that somebody should read")
        .by(&[LEVELS]),
    metric("presence_hub_build_info", Gauge, Count, "1, with the version of the hub").by(&[VERSION]),
];
