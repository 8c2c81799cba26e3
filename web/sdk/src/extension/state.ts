// Where an assistant is, as far as the extension knows.

import type { PresenceError } from "../errors.js";
import type { Reason } from "../link.js";
import type { ClockedIn } from "../protocol/server.js";

/** An account that the assistant is in: what the hub knows of it, without its secrets. */
export interface Hold {
  readonly accountId: string;
  readonly organization: string;
  /** The assistant. */
  readonly userId: string;
  /** Since when. RFC 3339 in UTC, cut to the minute. */
  readonly since: string;
  /** Tells holds of one account apart: each has a higher one than those before it. */
  readonly epoch: number;
  /**
   * What owners and admins of the organization see of the assistant meanwhile, also of one who hides: now `name`, `since`
   * and `lastSeen`. **Show it to the person**; a word that you do not know is to be shown as it is.
   */
  readonly adminsSee: readonly string[];
}

const REASONS = ["clocked_out", "moved", "force_cleared", "inactive", "code_revoked", "removed"] as const;

/**
 * Why a hold is over: the assistant left (`clocked_out`) or `moved` with another browser; an admin cleared the account
 * (`force_cleared`) or revoked the code (`code_revoked`); nothing was done for an hour (`inactive`); the membership, the
 * account or the person is gone (`removed`).
 */
export type ClockOutReason = (typeof REASONS)[number];

/** What the assistant wants and the hub has not answered yet. */
export type Pending = "move" | "clockOut";

/** Where an assistant is, as far as the extension knows. Never changed in place. */
export type ClockState =
  /** In no account. `hold`: the one that ended, and why; `reason` is `undefined` where nobody knows. */
  | { readonly state: "out"; readonly reason: ClockOutReason | undefined; readonly hold: Hold | undefined }
  /** On the way in: it tries, at `retryAt` (milliseconds as `Date.now()` has them; `undefined`: now). */
  | {
      readonly state: "entering";
      readonly accountId: string;
      readonly retryAt: number | undefined;
      readonly reason: Reason | undefined;
      readonly pending: Pending | undefined;
    }
  /** In the account, and connected. */
  | { readonly state: "in"; readonly hold: Hold; readonly pending: Pending | undefined }
  /** In the account, and not connected: a lost connection is no clock-out. It tries again at `retryAt`, as above. */
  | {
      readonly state: "lost";
      readonly hold: Hold;
      readonly retryAt: number | undefined;
      readonly reason: Reason | undefined;
      readonly pending: Pending | undefined;
    }
  /**
   * The hub does not let the extension in, and nothing is tried again without a person's act. `error.code` says what to do:
   * `invalid_code` (another code), `occupied` and `unknown_channel` (another account); `token_expired`, `token_invalid` and
   * `code_needed` (the code once more; with the same `accountId` it is the same hold), `account_disabled`.
   * `hold`: where the assistant may well be still.
   */
  | {
      readonly state: "refused";
      readonly error: PresenceError;
      readonly accountId: string | undefined;
      readonly hold: Hold | undefined;
    };

/** The states that end by a person's act alone. */
export type Ended = Extract<ClockState, { state: "out" | "refused" }>;

export const OUT: Ended = { state: "out", reason: undefined, hold: undefined };

/** A reason that is not known is as good as none. */
export function reasonOf(word: string | undefined): ClockOutReason | undefined {
  return REASONS.find((reason) => reason === word);
}

/** Throws where the frame is not what its kind holds. */
export function holdOf(frame: ClockedIn): Hold {
  const { accountId, organization, user: userId, since, epoch, adminsSee, token } = frame;
  const texts = [accountId, organization, userId, since, token].every((text) => typeof text === "string");
  if (!texts || typeof epoch !== "number" || !Array.isArray(adminsSee)) throw new TypeError("not a hold");
  return { accountId, organization, userId, since, epoch, adminsSee };
}

/** Whether two values are told alike: plain data, except for what is the same object. */
export function alike(a: object | undefined, b: object | undefined): boolean {
  if (a === b) return true;
  if (!a || !b) return false;
  const [left, right] = [a, b].map((value) => Object.entries(value));
  return (
    left?.length === right?.length &&
    left?.every(([key, value]) => {
      const other = (b as Record<string, unknown>)[key];
      return Array.isArray(value) ? String(value) === String(other) : value === other;
    }) === true
  );
}
