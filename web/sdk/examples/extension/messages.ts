// What the popup and the worker tell each other. Messages are plain data: an error is its code and its words.

import type { ClockState, Hold } from "./sdk.js";

/** What the popup wants. */
export type Order =
  | { readonly want: "clockIn"; readonly code: string; readonly accountId: string }
  | { readonly want: "move"; readonly accountId: string }
  | { readonly want: "clockOut" };

export interface Trouble {
  readonly code: string;
  readonly message: string;
}

/** What became of it; nothing: it was done. */
export type Outcome = Trouble | undefined;

/** The state as the popup is told it. */
export interface Shown {
  readonly state: ClockState["state"];
  readonly hold?: Hold;
  readonly accountId?: string;
  /** Why one is out. */
  readonly reason?: string;
  /** Why one was refused. */
  readonly error?: Trouble;
  /** When the next attempt is made, as `Date.now()` has it. */
  readonly retryAt?: number;
  readonly pending?: "move" | "clockOut";
}

export function shown(now: ClockState): Shown {
  const { state } = now;
  const hold = "hold" in now && now.hold ? { hold: now.hold } : {};
  switch (now.state) {
    case "out":
      return { state, ...hold, ...(now.reason && { reason: now.reason }) };
    case "refused": {
      const { code, message } = now.error;
      return { state, ...hold, error: { code, message }, ...(now.accountId && { accountId: now.accountId }) };
    }
    case "entering":
      return { state, accountId: now.accountId, ...waits(now) };
    case "in":
    case "lost":
      return { state, ...hold, ...waits(now) };
  }
}

function waits(now: { retryAt?: number | undefined; pending: Shown["pending"] | undefined }) {
  return {
    ...(now.retryAt !== undefined && { retryAt: now.retryAt }),
    ...(now.pending && { pending: now.pending }),
  };
}
