// Asks the hub what the assistant wants: on this connection or the next, kept before it is sent. One at a time, a renewal
// too: each names the hold that the one before it left, and no answer tells of an older one.

import type { PresenceError } from "../errors.js";
import type { Link } from "../link.js";
import { type Ask, Asks, bodyOf } from "./asks.js";
import type { ClockOutReason, Hold } from "./state.js";

/** Whose errands they are. */
export interface Home {
  hold(): Hold | undefined;
  /** Keeps what is wanted. Ends when it is kept, or cannot be. */
  save(): Promise<void>;
  /** What is wanted is otherwise now. */
  changed(): void;
  /** The clock-out is done. */
  out(reason: ClockOutReason | undefined): void;
}

/** The wait after a refusal that passes by itself and names no time, and the shortest one. */
const UNTOLD_MS = 5_000;
const LEAST_MS = 1_000;
/** Refusals of a clock-out or a renewal that pass by themselves. */
const PASSES = new Set(["unavailable", "rate_limited"]);

export class Errands {
  readonly asks: Asks = new Asks();
  readonly #link: Link;
  readonly #home: Home;
  #open = false;
  #asking = false;
  /** Whether a newer token is wanted. */
  #renew = false;
  /** Counts connections, so that what belongs to an earlier one is passed over. */
  #turn = 0;
  #timers: Set<ReturnType<typeof setTimeout>> = new Set();

  constructor(link: Link, home: Home) {
    this.#link = link;
    this.#home = home;
  }

  /** Whether there is a connection that is in the hold. */
  get open(): boolean {
    return this.#open;
  }

  /** The connection is in this hold. */
  entered(hold: Hold): void {
    this.#open = true;
    this.asks.entered(hold);
    void this.#next();
  }

  /** The connection is gone, and with it what belonged to it. */
  gone(): void {
    this.#turn += 1;
    this.#open = this.#asking = this.#renew = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.asks.expire();
  }

  /** Something was added to what is wanted. */
  wanted(): void {
    void this.#home.save();
    this.#home.changed();
    void this.#next();
  }

  /** The token ends soon. Where there is no newer one the hub closes when it does. */
  renew(): void {
    this.#renew = true;
    void this.#next();
  }

  async #next(): Promise<void> {
    const hold = this.#home.hold();
    if (!this.#open || this.#asking || !hold) return;
    const ask = this.asks.front;
    if (this.#renew) this.#askToken();
    else if (ask) await this.#ask(ask, hold);
  }

  #askToken(): void {
    this.#asking = true;
    this.#renew = false;
    const turn = this.#turn;
    const answered = (error?: PresenceError) => {
      if (turn !== this.#turn) return;
      this.#asking = false;
      if (error && PASSES.has(error.code)) this.#later(error, () => this.renew());
      void this.#next();
    };
    this.#link.ask(() => ({ t: "renew" }), false).then(() => answered(), answered);
  }

  async #ask(ask: Ask, { accountId, epoch }: Hold): Promise<void> {
    this.#asking = true;
    const turn = this.#turn;
    ask.hold ??= { accountId, epoch };
    await this.#home.save();
    if (turn !== this.#turn) return;
    this.#link
      .ask(() => bodyOf(ask), false)
      .then(
        () => this.#answered(ask),
        (error: PresenceError) => this.#failed(ask, error, turn),
      );
  }

  #answered(ask: Ask): void {
    if (this.asks.front !== ask) return;
    this.#asking = false;
    if (ask.kind === "clockOut") this.#home.out("clocked_out");
    else this.#settled(() => this.asks.done(this.#home.hold()));
  }

  /** What the connection took with it is asked again on the next one. */
  #failed(ask: Ask, error: PresenceError, turn: number): void {
    if (this.asks.front !== ask || turn !== this.#turn) return;
    this.#asking = false;
    const out = ask.kind === "clockOut";
    if (out && error.code === "not_held") this.#home.out(undefined);
    else if (out && PASSES.has(error.code)) this.#later(error, () => void this.#next());
    else this.#settled(() => this.asks.failed(error));
  }

  #settled(settle: () => void): void {
    settle();
    this.wanted();
  }

  #later({ retryAfterMs }: PresenceError, call: () => void): void {
    const wait = Math.max(retryAfterMs ?? UNTOLD_MS, LEAST_MS);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      call();
    }, wait);
    this.#timers.add(timer);
  }
}
