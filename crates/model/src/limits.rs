//! Every limit has a name here, with its memory arithmetic. [`Limits`] holds those an installation can change.

/// Characters of a custom status.
pub const CUSTOM_STATUS_CHARS: usize = 100;
/// Characters of a custom emoji: one emoji with its modifiers.
pub const CUSTOM_EMOJI_CHARS: usize = 10;
/// Characters of a page, after query and fragment are cut.
pub const PAGE_CHARS: usize = 512;
/// Characters of a name in the directory.
pub const NAME_CHARS: usize = 200;
/// People whom a query in a URL may ask about. 100 x 51 B = 5 KiB of URL.
pub const BULK_USERS: usize = 100;
/// People whom a query in a body may ask about. 500 x 39 B = 19.5 KiB would be past [`INBOUND_BYTES`] with spaces: such a
/// body may have [`QUERY_BYTES`].
pub const QUERY_USERS: usize = 500;
/// Bytes of a body that asks about people.
pub const QUERY_BYTES: usize = 2 * INBOUND_BYTES;
/// Channels that `in` of a track may name: as many as a session may subscribe to. 64 x 24 B = 1.5 KiB.
pub const SCOPE_CHANNELS: usize = 64;
/// Subscriptions that an installation may allow a session: 64 outcomes x 96 B + 400 B fit into one turn.
pub const SUBSCRIPTIONS_MAX: usize = 64;
/// Bytes of one inbound message or body.
pub const INBOUND_BYTES: usize = 16 * 1024;
/// Bytes of one turn of a connection: all frames written together, and so also of one frame.
pub const TURN_BYTES: usize = 8 * 1024;
/// Bytes of a turn left to envelopes and control frames; the rest is for records.
pub const TURN_OVERHEAD_BYTES: usize = 1024;
/// Bytes of pongs and close frames that may wait for a socket to take them: the last words are under 300, a pong under
/// 130. Past half of it, the hub reads no further from the connection.
pub const OUTBOX_CONTROL_BYTES: usize = 1024;
/// Bytes that wait for a socket to take them: one turn, and the control frames. 8 + 1 = 9 KiB.
pub const OUTBOX_BYTES: usize = TURN_BYTES + OUTBOX_CONTROL_BYTES;
/// Users whose last-seen waits to be written, so that 100,000 who are seen at once find room. 131,072 x (about 200 B + a
/// page) = 25 MiB with pages under 25 bytes, 90 MiB with the longest ASCII ones, 281 MiB where every character of
/// theirs takes four bytes.
pub const LAST_SEEN_PENDING_USERS: usize = 131_072;
/// Stretches of sessions that wait to be written: one a session and organization. 131,072 x about 220 B = 27 MiB.
pub const STRETCHES_PENDING: usize = 131_072;
/// Bytes of activity that waits in memory. A row is 192 B and its texts: 174,762 of the shortest, 35 s of 5,000 rows
/// a second; from half of it on, what waits goes to the disk ahead of time.
pub const ACTIVITY_PENDING_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of one file of activity that waits on the disk, and so of what is dropped at once where the disk is to hold no
/// more. About 4,000 rows.
pub const BACKLOG_SEGMENT_BYTES: u64 = 1024 * 1024;
/// Bytes of lines that were set aside for people to look at, because they are damaged; and again as many of rows that
/// the database refused. About 4,000 rows each; of more there is only the count.
pub const BACKLOG_ASIDE_BYTES: u64 = 1024 * 1024;
/// Characters of a text in an activity's metadata. Nine keys of it are under 4 KiB in UTF-8.
pub const METADATA_CHARS: usize = 100;
/// Organizations whose logs one activity of a user goes into, in the order of their ids.
pub const ACTIVITY_ORGANIZATIONS: usize = 16;
/// Tightenings that wait for the database on disk and in memory. 10,000 x about 400 B = 4 MB.
pub const SPOOLED_CHANGES: usize = 10_000;
/// Of those, changes of one user.
pub const SPOOLED_CHANGES_OF_A_USER: usize = 64;
/// Changes of the directory in one transaction. 100,000 x about 250 B = 25 MiB.
pub const DIRECTORY_CHANGES: usize = 100_000;
/// Changes of one transaction that the audit lists one by one; of more it keeps counts.
/// 1,000 x about 200 B = 200 KiB.
pub const AUDIT_LISTED_CHANGES: usize = 1_000;
/// Changes of settings that a history shows, the newest ones. 1,000 x about 700 B = 0.7 MiB.
pub const HISTORY_ENTRIES: usize = 1_000;
/// Entries of an organization's audit in one answer. 100 x at most 200 KiB, which only changes of a thousand reach.
pub const AUDIT_ENTRIES: usize = 100;
/// Access codes of one member of one organization that are good at once.
pub const ACCESS_CODES_OF_A_MEMBER: usize = 100;
/// Clock-ins and moves that an access code may be good for, where they are counted.
pub const ACCESS_CODE_USES: u32 = 1_000_000;
/// Access codes of an organization that are listed, the newest ones. 1,000 x about 250 B = 250 KiB.
pub const ACCESS_CODES_LISTED: usize = 1_000;
/// Organizations, and as many weddings, of a user that are named in one answer. 1,000 x about 300 B = 0.3 MB.
pub const NAMED_PLACES: usize = 1_000;
/// People of a channel, and as many accounts, that are named in one answer. 10,000 x about 300 B = 3 MB.
pub const NAMED_ENTRIES: usize = 10_000;
/// Signs of life that are written in one transaction. 1,000 x 100 B = 100 KiB.
pub const SIGNS_AT_ONCE: usize = 1_000;
/// Characters of the reason of a force-clear.
pub const REASON_CHARS: usize = 200;
/// Requests of one connection that may be unanswered; past it the hub reads no further.
/// 16 x about 100 B of answer = 1.6 KiB.
pub const REQUESTS_IN_FLIGHT: usize = 16;

/// Limits and times that an installation can change. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a session stays as it was after its connection was lost.
    pub grace_ms: u64,
    /// How long typing lasts without being said again.
    pub typing_ms: u64,
    /// How long further changes are gathered after a visible one was sent, at least.
    pub window_ms: u64,
    /// And at most.
    pub window_max_ms: u64,
    /// By how much, in microseconds, each entry that the viewer has lengthens it in between. A room of 20 stays at the
    /// shortest, so that a change is seen at once; from 600 on it is the longest, and what changes meanwhile costs
    /// one write instead of many.
    pub window_us_per_entry: u64,
    /// How long the views of a lost connection are kept to be resumed.
    pub resume_ms: u64,
    /// Between two heartbeats.
    pub heartbeat_ms: u64,
    /// Within which a heartbeat wants its answer.
    pub heartbeat_timeout_ms: u64,
    /// How long a connection may take to read one turn.
    pub stall_ms: u64,
    /// How long before its end a token's expiry is announced.
    pub expiry_warning_ms: u64,
    /// How long a session without a socket lives after its last call.
    pub rest_session_ms: u64,
    /// At most one last-seen note per user in this time goes to the writer.
    pub last_seen_note_ms: u64,
    /// Subscriptions of a session. A view of 20 entries is about 1.5 KiB.
    pub subscriptions_per_session: usize,
    /// Sessions of a user, those kept for resume included.
    pub sessions_per_user: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            grace_ms: 10_000,
            typing_ms: 10_000,
            window_ms: 10,
            window_max_ms: 120,
            window_us_per_entry: 200,
            resume_ms: 120_000,
            heartbeat_ms: 20_000,
            heartbeat_timeout_ms: 10_000,
            stall_ms: 10_000,
            expiry_warning_ms: 60_000,
            rest_session_ms: 90_000,
            last_seen_note_ms: 1_000,
            subscriptions_per_session: 64,
            sessions_per_user: 32,
        }
    }
}

impl Limits {
    /// How long a viewer's changes are gathered who has so many entries, in milliseconds.
    #[must_use]
    pub fn window_ms_for(&self, entries: usize) -> u64 {
        let wanted = (entries as u64).saturating_mul(self.window_us_per_entry) / 1_000;
        wanted.clamp(self.window_ms, self.window_max_ms.max(self.window_ms))
    }
}

#[cfg(test)]
mod tests;
