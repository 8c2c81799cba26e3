// Made from proto/schema/server.json by `npm run protocol`: change that.

/**
 * presence.v1, in its JSON encoding. In MessagePack the same, with ids as 16 bytes. Later versions may add kinds and fields: pass over what you do not know.
 */
export type ServerFrame =
  | Welcome
  | Subscribed
  | Snapshot
  | Diff
  | Ended
  | Ack
  | Error
  | Settings
  | Heartbeat
  | Expiring
  | Stale
  | ClockedIn
  | ClockedOut
  | Closing;
/**
 * An id: hyphenated text here, 16 bytes of bin in MessagePack.
 */
export type Uuid = string;
/**
 * What became of the request to resume.
 */
export type ResumeOutcome =
  | {
      resumed: true;
      subscriptions: (
        | {
            subscription: Subscription;
            resumed: true;
          }
        | {
            subscription: Subscription;
            resumed: false;
            reason: NotResumed;
          }
      )[];
    }
  | {
      resumed: false;
      reason: NotResumed;
    };
/**
 * A subscription of the session: 1, 2, 3 in the order in which they were made.
 */
export type Subscription = number;
/**
 * One of the examples; later versions may add words.
 */
export type NotResumed = string;
export type Visibility = "everyone" | "team" | "contacts" | "nobody";
/**
 * The client's number for the request; the answer carries it as `re`.
 */
export type RequestId = number;
export type SubscribedChannel =
  | {
      channel: Channel;
      subscription: Subscription;
    }
  | {
      channel: Channel;
      error: ErrorCode;
    };
/**
 * Text in both encodings.
 */
export type Channel = string;
/**
 * One of the examples; later versions may add words: read an unknown one as `internal`.
 */
export type ErrorCode = string;
/**
 * Counts the frames of one subscription: 1, 2, 3.
 */
export type Sequence = number;
/**
 * An entry as this viewer may see it.
 */
export type Record = PresentPerson | OfflinePerson | Account;
export type Device = "desktop" | "mobile" | "tablet";
/**
 * RFC 3339 in UTC, cut to the minute.
 */
export type Minute = string;
/**
 * The occupancy of an account. An available account has no record.
 */
export type Account =
  | {
      accountId: Uuid;
      holder: "occupied";
    }
  | {
      accountId: Uuid;
      holder: "own";
      since: Minute;
    }
  | {
      accountId: Uuid;
      holder: "named";
      userId: Uuid;
      displayName: string;
      since: Minute;
      staleSince?: Minute;
    };
/**
 * An entry that is seen no more.
 */
export type Leave =
  | {
      userId: Uuid;
    }
  | {
      accountId: Uuid;
    };
/**
 * Of a hold: higher than that of every hold of the account before.
 */
export type Epoch = number;
/**
 * One of the examples; later versions may add words: the number in the close frame says what to do.
 */
export type CloseCode = string;

/**
 * The answer to a hello.
 */
export interface Welcome {
  t: "welcome";
  user: Uuid;
  session: Uuid;
  resume?: ResumeOutcome;
  /**
   * Between two heartbeats.
   */
  heartbeatMs: number;
  /**
   * Within which a heartbeat wants its answer.
   */
  heartbeatTimeoutMs: number;
  /**
   * For which a session can be resumed after a cut.
   */
  resumeMs: number;
  limits: Limits;
  settings: SettingsNow;
}
/**
 * What the client must keep to.
 */
export interface Limits {
  /**
   * Bytes of one message to the hub.
   */
  messageBytes: number;
  /**
   * Subscriptions of one session.
   */
  subscriptions: number;
}
/**
 * All of them, always.
 */
export interface SettingsNow {
  visibility: Visibility;
  showActivity: boolean;
  showCurrentPage: boolean;
  appearOffline: boolean;
  customStatus: string | null;
  customEmoji: string | null;
}
/**
 * The answer to a subscribe request, channel by channel in the order asked.
 */
export interface Subscribed {
  t: "subscribed";
  re: RequestId;
  channels: SubscribedChannel[];
}
/**
 * A page of a view; `more` pages follow.
 */
export interface Snapshot {
  t: "snapshot";
  sub: Subscription;
  seq: Sequence;
  join: Record[];
  update?: Record[];
  leave?: Leave[];
  more: boolean;
}
/**
 * Somebody who is here. A field that is not shown is not there.
 */
export interface PresentPerson {
  userId: Uuid;
  status: "online" | "idle" | "away" | "busy";
  currentPage?: string;
  customStatus?: string;
  customEmoji?: string;
  isTyping?: true;
  device?: Device;
}
/**
 * Somebody who is not: in rosters only.
 */
export interface OfflinePerson {
  userId: Uuid;
  status: "offline";
  /**
   * null: never seen.
   */
  lastSeen: Minute | null;
}
/**
 * What changed in a view. Empty lists are left out.
 */
export interface Diff {
  t: "diff";
  sub: Subscription;
  seq: Sequence;
  join?: Record[];
  update?: Record[];
  leave?: Leave[];
}
/**
 * A subscription ended without being asked to.
 */
export interface Ended {
  t: "ended";
  sub: Subscription;
  /**
   * unknown_channel; later versions may add words.
   */
  reason: string;
}
/**
 * A request was done.
 */
export interface Ack {
  t: "ack";
  re: RequestId;
  /**
   * Left out: true. False: in force, but the database, which is out of reach, gets it later.
   */
  durable?: boolean;
}
/**
 * A request was not done.
 */
export interface Error {
  t: "error";
  re?: RequestId;
  code: ErrorCode;
  message: string;
  /**
   * To wait before asking again.
   */
  retryAfterMs?: number;
}
/**
 * The user's settings as they are now.
 */
export interface Settings {
  t: "settings";
  settings: SettingsNow;
}
/**
 * Are you there? Answer with a heartbeat.
 */
export interface Heartbeat {
  t: "heartbeat";
}
/**
 * The token ends soon: send a newer one.
 */
export interface Expiring {
  t: "expiring";
  /**
   * Left.
   */
  inMs: number;
}
/**
 * A view may be old, or is fresh again. Without `sub`: all of the connection.
 */
export interface Stale {
  t: "stale";
  sub?: Subscription;
  stale: boolean;
}
/**
 * To an extension: the hold as it is now. Without `re`: the answer to the hello.
 */
export interface ClockedIn {
  t: "clockedIn";
  re?: RequestId;
  user: Uuid;
  organization: Uuid;
  accountId: Uuid;
  epoch: Epoch;
  since: Minute;
  /**
   * A secret. Never in a URL, never in a log.
   */
  token: string;
  /**
   * For which the token is good.
   */
  tokenMs: number;
  /**
   * Between two heartbeats.
   */
  heartbeatMs: number;
  /**
   * Within which a heartbeat wants its answer.
   */
  heartbeatTimeoutMs: number;
  /**
   * What owners and admins see of the assistant meanwhile. Now these examples; later versions may add words.
   */
  adminsSee: string[];
}
/**
 * To an extension: the hold is over, and the connection is closed behind it.
 */
export interface ClockedOut {
  t: "clockedOut";
  accountId: Uuid;
  epoch: Epoch;
  /**
   * One of the examples; later versions may add words. Left out: not known.
   */
  reason?: string;
}
/**
 * The connection is about to be closed.
 */
export interface Closing {
  t: "closing";
  code: CloseCode;
  message?: string;
  /**
   * To wait before coming back.
   */
  reconnectAfterMs?: number;
}
