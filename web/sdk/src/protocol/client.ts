// Made from proto/schema/client.json by `npm run protocol`: change that.

/**
 * presence.v1, in its JSON encoding. In MessagePack the same, with ids as 16 bytes. Unknown fields are errors.
 */
export type ClientFrame =
  | Hello
  | Subscribe
  | Unsubscribe
  | Track
  | Untrack
  | Activity
  | SignOut
  | SetSettings
  | Refresh
  | ClockOut
  | ChangeAccount
  | Renew
  | Ping
  | Heartbeat;
/**
 * A secret. Never in a URL, never in a log.
 */
export type Token = string;
/**
 * An id: hyphenated text here, 16 bytes of bin in MessagePack.
 */
export type Uuid = string;
/**
 * A subscription of the session: 1, 2, 3 in the order in which they were made.
 */
export type Subscription = number;
/**
 * Counts the frames of one subscription: 1, 2, 3.
 */
export type Sequence = number;
export type Device = "desktop" | "mobile" | "tablet";
/**
 * Text in both encodings.
 */
export type Channel = string;
/**
 * The client's number for the request; the answer carries it as `re`.
 */
export type RequestId = number;
export type Visibility = "everyone" | "team" | "contacts" | "nobody";
/**
 * Of the hold that is meant, as `clockedIn` told it.
 */
export type Epoch = number;

/**
 * The first frame of a connection.
 */
export interface Hello {
  t: "hello";
  token?: Token;
  resume?: Resume;
  track?: TrackState;
  clockIn?: ClockIn;
}
/**
 * The session to come back to.
 */
export interface Resume {
  session: Uuid;
  /**
   * Items: The last sequence number applied; 0 before the first frame.
   */
  subscriptions?: {
    subscription: Subscription;
    sequence: Sequence;
  }[];
}
/**
 * What a session says about itself.
 */
export interface TrackState {
  status: "online" | "idle" | "away" | "busy";
  /**
   * At most 512 characters once query and fragment are cut.
   */
  currentPage?: string;
  isTyping?: boolean;
  device?: Device;
  /**
   * At most 100 characters once cleaned.
   */
  customStatus?: string;
  /**
   * At most 10 characters once cleaned.
   */
  customEmoji?: string;
  /**
   * The only channels in which the session exists; left out: all of the user's.
   *
   * @maxItems 64
   */
  in?: Channel[];
}
/**
 * An extension's: wants to be in an account, by an access code. No token, resume or track beside it.
 */
export interface ClockIn {
  /**
   * The access code: a secret, like a token.
   */
  code: string;
  accountId: Uuid;
  opId?: Uuid;
}
/**
 * Wants to see channels.
 */
export interface Subscribe {
  t: "subscribe";
  id: RequestId;
  channels: SubscribeChannel[];
}
/**
 * A channel, and what to see of it.
 */
export interface SubscribeChannel {
  channel: Channel;
  /**
   * Left out: present.
   */
  people?: "none" | "present" | "roster";
  /**
   * Left out: true.
   */
  accounts?: boolean;
}
/**
 * Wants to see a channel no more.
 */
export interface Unsubscribe {
  t: "unsubscribe";
  id: RequestId;
  subscription: Subscription;
}
/**
 * Announces the session's state, whole: what is left out is gone.
 */
export interface Track {
  t: "track";
  id: RequestId;
  track: TrackState;
}
/**
 * The session is present no more.
 */
export interface Untrack {
  t: "untrack";
  id: RequestId;
}
/**
 * Tells what was done, for the organizations that keep a log.
 */
export interface Activity {
  t: "activity";
  id: RequestId;
  activity: ActivityState;
}
/**
 * What was done.
 */
export interface ActivityState {
  activityType:
    "page_view" | "focus" | "interaction" | "status_update" | "clock_in" | "clock_out" | "session_end";
  /**
   * At most 512 characters once query and fragment are cut.
   */
  page?: string;
  device?: Device;
  /**
   * An id: hyphenated text here, 16 bytes of bin in MessagePack.
   */
  sessionId?: string;
  /**
   * An id: hyphenated text here, 16 bytes of bin in MessagePack.
   */
  organizationId?: string;
  /**
   * Listed keys only; texts have at most 100 characters once cleaned.
   */
  metadata?: {
    action?: string;
    section?: string;
    element?: string;
    referrer?: string;
    durationMs?: number;
    count?: number;
    status?: string;
    previousStatus?: string;
    reason?: string;
  };
}
/**
 * The session ends at once.
 */
export interface SignOut {
  t: "signOut";
  id: RequestId;
}
/**
 * Changes the user's settings: what is left out stays.
 */
export interface SetSettings {
  t: "setSettings";
  id: RequestId;
  settings: SettingsPatch;
  opId?: Uuid;
}
/**
 * What changes.
 */
export interface SettingsPatch {
  visibility?: Visibility;
  showActivity?: boolean;
  showCurrentPage?: boolean;
  appearOffline?: boolean;
  /**
   * At most 100 characters; empty or null removes it.
   */
  customStatus?: string | null;
  /**
   * At most 10 characters; empty or null removes it.
   */
  customEmoji?: string | null;
}
/**
 * A newer token of the same person.
 */
export interface Refresh {
  t: "refresh";
  id: RequestId;
  token: Token;
}
/**
 * An extension's: ends the hold of an account.
 */
export interface ClockOut {
  t: "clockOut";
  id: RequestId;
  accountId: Uuid;
  epoch: Epoch;
  opId?: Uuid;
}
/**
 * An extension's: moves from the account that is held to another one.
 */
export interface ChangeAccount {
  t: "changeAccount";
  id: RequestId;
  /**
   * An id: hyphenated text here, 16 bytes of bin in MessagePack.
   */
  accountId: string;
  epoch: Epoch;
  /**
   * An id: hyphenated text here, 16 bytes of bin in MessagePack.
   */
  to: string;
  opId?: Uuid;
}
/**
 * An extension's: asks for a newer token of the same hold.
 */
export interface Renew {
  t: "renew";
  id: RequestId;
}
/**
 * Asks for an acknowledgement.
 */
export interface Ping {
  t: "ping";
  id: RequestId;
}
/**
 * The answer to the hub's heartbeat.
 */
export interface Heartbeat {
  t: "heartbeat";
}
