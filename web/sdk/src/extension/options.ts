// What a clock is made with, and what an assistant clocks in with.

import type { Codec } from "../codec.js";
import type { SocketConstructor } from "../link.js";
import type { ClockStorage } from "./kept.js";

export interface ClockOptions {
  /** Where the hub is: `wss://presence.example.com/ws`. `http:` and `https:` are taken for `ws:` and `wss:`. */
  readonly url: string;
  /**
   * Where the hold, its token and what is asked for are kept over the death of the worker. The token opens this one hold,
   * for 12 hours at most, and nothing once it is over. The access code is never kept there. Without it a new worker knows
   * nothing, and the assistant clocks in again with the code.
   */
  readonly storage?: ClockStorage;
  /**
   * Where the access code may be kept while it may be needed: a place that does not outlive the browser and is not on the
   * disk, as `chrome.storage.session`. Without it the code is in memory only.
   */
  readonly session?: ClockStorage;
  /** The encoding; JSON, if nothing else is said. */
  readonly codec?: Codec;
  /** Where there is no global `WebSocket`, or another one is wanted. */
  readonly WebSocket?: SocketConstructor;
}

/** With what an assistant clocks in. */
export interface ClockIn {
  /** The access code: a secret of the assistant's. */
  readonly code: string;
  /** Where to. */
  readonly accountId: string;
}
