// The clock of an assistant: in an account, out of it, and back again over every cut and every death of the worker.

import { json } from "../codec.js";
import { PresenceError, quiet } from "../errors.js";
import { Link, type Party, type Reason, type SocketConstructor, type Terms } from "../link.js";
import type { Hello } from "../protocol/client.js";
import type { ClockedIn, ClockedOut, ServerFrame } from "../protocol/server.js";
import type { Comeback } from "../retry.js";
import { type Readable, Store } from "../store.js";
import { ending } from "./ending.js";
import { Errands } from "./errands.js";
import { type Entering, Keeper, type Kept, type Told } from "./kept.js";
import type { ClockIn, ClockOptions } from "./options.js";
import { type ClockActivity, Pulse } from "./pulse.js";
import { alike, type ClockState, type Ended, type Hold, holdOf, OUT, reasonOf } from "./state.js";

interface Waiter {
  resolve: (hold: Hold) => void;
  reject: (error: PresenceError) => void;
}

/**
 * An assistant's clock. One of them in an extension: in its service worker, which tells the popup. All its promises can be
 * left alone: one that fails and is not awaited is no uncaught rejection.
 */
export class Clock {
  /** Where the assistant is, as far as the extension knows. */
  readonly state: Readable<ClockState>;
  readonly #state = new Store<ClockState>(OUT);
  readonly #link: Link;
  readonly #keeper: Keeper;
  readonly #errands: Errands;
  readonly #pulse: Pulse;
  /** Set while nothing is tried. */
  #ended: Ended | undefined = OUT;
  #hold: Hold | undefined;
  #token: string | undefined;
  #entering: Entering | undefined;
  #code: string | undefined;
  #waiter: Waiter | undefined;
  /** Until the hub wants this client back. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #why: Reason | undefined;
  #retryAt: number | undefined;
  /** Whether the wait was asked for by the hub, and which one: the next worker obeys it too. */
  #asked = false;
  #told: Told | undefined;
  /** Whether the clock-in may have been heard of before the attempt that is made now. */
  #triedBefore = false;
  #fresh = true;
  #restored: Promise<void> | undefined;

  /** @internal */
  constructor(options: ClockOptions) {
    const { url, codec = json } = options;
    const WebSocket = options.WebSocket ?? (globalThis.WebSocket as unknown as SocketConstructor);
    const open = () => new WebSocket(url.replace(/^http/, "ws"), [codec.protocol]);
    this.#link = new Link(this.#party(), codec, open);
    this.#errands = new Errands(this.#link, {
      hold: () => this.#hold,
      save: () => this.#save(),
      changed: () => this.#show(),
      out: (reason) => this.#finish({ state: "out", reason, hold: this.#hold }),
    });
    this.#keeper = new Keeper(url, options.storage, options.session);
    this.#pulse = new Pulse((activity) => this.#link.ask(() => ({ t: "activity", activity }), false));
    this.#link.connection.subscribe(() => this.#connection());
    this.state = this.#state;
  }

  /**
   * Clocks in; it tries until the hub has answered. Rejects with the hub's code where it is refused, as `state` says, and
   * with `clocked_in` where this clock is in an account (`move` then), `superseded` where another clock-in takes its place.
   */
  clockIn(entry: ClockIn): Promise<Hold> {
    return quiet(this.#clockIn(entry));
  }

  /**
   * Moves to another account of the organization, in one step. Done once, over however many connections and workers it
   * takes; after two minutes in which it could not be asked for it is given up (`timeout`). Rejects with `occupied` or
   * `unknown_channel` where one cannot go there, and one stays; with `not_held` where one is in no account.
   */
  move(accountId: string): Promise<Hold> {
    return quiet(this.#move(accountId));
  }

  /**
   * Clocks out. The promise ends when that is committed, or the hold was over anyway; without a connection it stays wanted,
   * over the death of the worker too. Rejects where the hub does not let the extension in any more: see `state`.
   */
  clockOut(): Promise<void> {
    return quiet(this.#clockOut());
  }

  /**
   * Tells that the assistant does something; without it, the hub clocks out after an hour. Call it as often as you like: the
   * same is told once a minute, anything else once a second, the newest of what came meanwhile.
   */
  activity(activity: ClockActivity = { activityType: "interaction" }): Promise<void> {
    return quiet(this.#activity(activity));
  }

  /**
   * Goes on where an earlier worker was killed. Call it first of all in a worker, and whenever an alarm wakes it: while the
   * clock runs, it does nothing. Everything else that is asked waits for it. Ends when it is known where the assistant was.
   */
  restore = (): Promise<void> => {
    this.#restored ??= this.#restore();
    return this.#restored;
  };

  /** Closes the connection **without clocking out**: the hold waits until `restore` comes back to it. */
  close = (): void => {
    this.#gone();
    this.#why = { kind: "suspended" };
    this.#restored = undefined;
    const closed = new PresenceError("closed", "closed by this client");
    this.#waiter?.reject(closed);
    this.#errands.asks.abandon(closed);
    this.#pulse.end(closed);
    this.#link.stop();
    this.#show();
  };

  async #clockIn({ code, accountId }: ClockIn): Promise<Hold> {
    await this.#restored;
    if (!this.#ended && !this.#entering)
      throw new PresenceError("clocked_in", "clocked in already: move, or clock out first");
    const superseded = new PresenceError("superseded", "another clock-in took its place");
    this.#waiter?.reject(superseded);
    this.#errands.asks.end(superseded, false);
    this.#leave();
    this.#fresh = false;
    this.#told = undefined;
    this.#code = code;
    this.#enter(accountId);
    const entered = new Promise<Hold>((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
    this.#show();
    this.#link.start();
    return entered;
  }

  async #move(to: string): Promise<Hold> {
    await this.#restored;
    if (this.#ended || this.#entering) throw new PresenceError("not_held", "clocked in nowhere");
    const { asks } = this.#errands;
    if (to === this.#hold?.accountId && !asks.front) return this.#hold;
    const moved = asks.move(to);
    this.#errands.wanted();
    return (await moved) as Hold;
  }

  async #clockOut(): Promise<void> {
    await this.#restored;
    if (this.#ended?.state === "out") return;
    if (this.#ended?.hold) throw this.#ended.error;
    if (this.#ended || this.#neverHeard()) {
      this.#finish(OUT);
      return;
    }
    const out = this.#errands.asks.clockOut();
    this.#errands.wanted();
    await out;
  }

  async #activity(activity: ClockActivity): Promise<void> {
    await this.#restored;
    if (this.#ended) throw new PresenceError("not_held", "clocked in nowhere");
    return this.#pulse.tell(activity);
  }

  async #restore(): Promise<void> {
    if (this.#fresh) {
      const { kept, code } = await this.#keeper.load();
      if (!this.#restored) return;
      this.#fresh = false;
      if (kept) this.#adopt(kept, code);
    }
    if (this.#ended) return;
    // Whatever became of the machine's clock, it is not more than was told.
    const left = Math.min((this.#told?.until ?? 0) - Date.now(), this.#told?.ms ?? 0);
    this.#retryAt = left > 0 ? Date.now() + left : undefined;
    if (left > 0) this.#timer = setTimeout(() => this.#link.start(), left);
    else this.#link.start();
    this.#show();
  }

  #adopt({ hold, token, entering, asks = [], ended, told }: Kept, code: string | undefined): void {
    if (ended || (entering && code === undefined)) {
      this.#ended = ended ?? codeNeeded(entering?.accountId);
      this.#show();
      return;
    }
    this.#ended = undefined;
    this.#why = { kind: "suspended" };
    this.#code = code;
    this.#entering = entering;
    if (!entering) [this.#hold, this.#token] = [hold, token];
    this.#errands.asks.adopt(asks);
    this.#told = told;
  }

  #party(): Party {
    return {
      hello: () => this.#hello(),
      welcomed: (frame): Terms | undefined =>
        frame.t === "clockedIn" ? { ...frame, resumed: frame.epoch === this.#hold?.epoch } : undefined,
      frame: (frame) => this.#frame(frame),
      lost: (reason, comeback) => this.#lost(reason, comeback),
    };
  }

  async #hello(): Promise<Hello> {
    if (this.#entering) {
      this.#triedBefore = this.#entering.tried;
      this.#entering.tried = true;
    }
    await this.#save();
    const [entering, code, token] = [this.#entering, this.#code, this.#token];
    if (!entering) return { t: "hello", ...(token !== undefined && { token }) };
    const { accountId, opId } = entering;
    return { t: "hello", clockIn: { code: code ?? "", accountId, opId } };
  }

  #frame(frame: ServerFrame): void {
    if (frame.t === "clockedIn") this.#clockedIn(frame);
    if (frame.t === "clockedOut") this.#clockedOut(frame);
    if (frame.t === "expiring") this.#errands.renew();
  }

  #clockedIn(frame: ClockedIn): void {
    const hold = holdOf(frame);
    if (!alike(hold, this.#hold)) this.#hold = hold;
    this.#token = frame.token;
    if (this.#errands.open) this.#show();
    else this.#welcomed(hold);
    void this.#save();
  }

  #welcomed(hold: Hold): void {
    this.#entering = this.#told = undefined;
    this.#waiter?.resolve(hold);
    this.#waiter = undefined;
    this.#errands.entered(hold);
  }

  /** That of an earlier hold says nothing new. */
  #clockedOut({ accountId, epoch, reason }: ClockedOut): void {
    const other = this.#hold?.accountId !== accountId || this.#hold.epoch !== epoch;
    if (this.#errands.open && other) return;
    const again = this.#over(reason);
    this.#gone();
    this.#link.stop();
    if (again) this.#link.start();
  }

  /**
   * The hold is over; says whether there is another to be found. `moved` behind a move of one's own means that it was made,
   * and that its token was lost with the answer. Any other end is somebody's will, and not to be undone.
   */
  #over(word: string | undefined): boolean {
    const to = word === "moved" && !this.#entering ? this.#errands.asks.movingTo() : undefined;
    if (to === undefined) this.#end({ state: "out", reason: reasonOf(word), hold: this.#hold });
    else if (this.#code === undefined) this.#end(codeNeeded(to));
    else this.#enter(to);
    this.#show();
    return this.#ended === undefined;
  }

  #lost(reason: Reason, asked: Comeback): Comeback {
    this.#gone();
    this.#asked = false;
    const entering = this.#entering;
    if (entering && reason.kind === "unreachable") entering.tried = this.#triedBefore;
    const end = ending(reason, asked);
    if (end.kind === "over") return this.#over(undefined) ? { when: "at_once" } : { when: "never" };
    if (end.kind === "refused") return this.#refused(end.error) ? { when: "at_once" } : { when: "never" };
    this.#asked = end.comeback.when === "after" || end.comeback.when === "within";
    const givenUp = this.#errands.asks.front?.kind === "clockOut" && this.#neverHeard(true);
    if (givenUp) this.#end(OUT);
    return givenUp ? { when: "never" } : end.comeback;
  }

  /** Says whether it helps to ask otherwise. */
  #refused(error: PresenceError): boolean {
    const entering = this.#entering;
    if (entering && error.code === "operation_conflict" && !entering.renamed) {
      this.#entering = { ...entering, opId: crypto.randomUUID(), renamed: true };
      return true;
    }
    const accountId = entering?.accountId ?? this.#hold?.accountId;
    const unwanted = entering && this.#errands.asks.front?.kind === "clockOut";
    this.#end(unwanted ? OUT : { state: "refused", error, accountId, hold: this.#hold });
    return false;
  }

  /** The clock-in is not done, and the hub knows nothing of it. `waiting`: the attempt is over. */
  #neverHeard(waiting = this.#link.connection.get().state === "waiting"): boolean {
    return this.#entering?.tried === false && waiting;
  }

  #enter(accountId: string): void {
    this.#ended = this.#hold = this.#token = undefined;
    this.#entering = { accountId, opId: crypto.randomUUID(), tried: false };
  }

  /** Nothing is tried any more. */
  #end(ended: Ended): void {
    const out = ended.state === "out";
    const error = out
      ? new PresenceError("clocked_out", `clocked out: ${ended.reason ?? "nobody knows why"}`)
      : ended.error;
    this.#ended = ended;
    this.#hold = this.#token = this.#code = this.#entering = this.#told = undefined;
    this.#waiter?.reject(error);
    this.#waiter = undefined;
    this.#errands.asks.end(error, out);
    this.#pulse.end(error);
    void this.#save();
    this.#show();
  }

  #finish(ended: Ended): void {
    this.#end(ended);
    this.#leave();
  }

  #leave(): void {
    this.#gone();
    this.#link.stop();
  }

  /** What belonged to the connection is over with it. */
  #gone(): void {
    clearTimeout(this.#timer);
    this.#errands.gone();
    this.#pulse.shut();
  }

  #save(): Promise<void> {
    if (this.#ended)
      return this.#keeper.save(this.#ended === OUT ? undefined : { ended: this.#ended }, undefined);
    const [hold, token, entering, told] = [this.#hold, this.#token, this.#entering, this.#told];
    return this.#keeper.save({ hold, token, entering, asks: this.#errands.asks.all, told }, this.#code);
  }

  #connection(): void {
    const connection = this.#link.connection.get();
    const waiting = connection.state === "waiting";
    this.#retryAt = waiting ? Date.now() + connection.ms : undefined;
    if (waiting) this.#why = connection.reason;
    if (waiting && this.#asked) {
      this.#told = { until: Date.now() + connection.ms, ms: connection.ms };
      void this.#save();
    }
    if (connection.state === "connected") {
      this.#why = undefined;
      this.#pulse.open();
    }
    this.#show();
  }

  #show(): void {
    const now = this.#now();
    if (!alike(now, this.#state.get())) this.#state.set(now);
  }

  #now(): ClockState {
    if (this.#ended) return this.#ended;
    const pending = this.#errands.asks.front?.kind;
    const [hold, retryAt, reason] = [this.#hold, this.#retryAt, this.#why];
    if (this.#entering)
      return { state: "entering", accountId: this.#entering.accountId, retryAt, reason, pending };
    if (!hold) return OUT;
    if (this.#link.connection.get().state === "connected") return { state: "in", hold, pending };
    return { state: "lost", hold, retryAt, reason, pending };
  }
}

function codeNeeded(accountId: string | undefined): Ended {
  const error = new PresenceError(
    "code_needed",
    "the hub's answer was lost: clock in once more with the code",
  );
  return { state: "refused", error, accountId, hold: undefined };
}

/** The clock of an assistant. It does nothing until it is told to. */
export function createClock(options: ClockOptions): Clock {
  return new Clock(options);
}
