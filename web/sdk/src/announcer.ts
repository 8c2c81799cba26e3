// Tells the hub what this session announces: the newest state wins, no faster than the hub takes it.

import { type PresenceError, quiet } from "./errors.js";
import type { Link } from "./link.js";
import { Own, same } from "./own.js";
import type { Device, TrackState } from "./protocol/client.js";
import { Store } from "./store.js";

/** What this session announces of itself. */
export interface Me {
  /** The user, as the hub says; `undefined` before the first welcome. */
  readonly userId: string | undefined;
  /** What is announced, as wanted: it is shown here at once. `undefined`: not present. */
  readonly track: TrackState | undefined;
  /** Whether the hub does not have it yet. */
  readonly pending: boolean;
  /** Why the hub did not take the last change. What it did not take is taken back. */
  readonly error: PresenceError | undefined;
}

/** The wait after a refusal that names none, in milliseconds. */
const UNTOLD_MS = 1_000;

interface Waiter {
  done: () => void;
  failed: (error: PresenceError) => void;
}

export class Announcer {
  readonly own: Own;
  readonly me: Store<Me> = new Store<Me>({
    userId: undefined,
    track: undefined,
    pending: false,
    error: undefined,
  });
  readonly #link: Link;
  #waiters: Waiter[] = [];
  #inFlight = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether a hello may announce what the hub has not taken yet. */
  #trusted = true;
  #greeted = false;

  constructor(link: Link, device: Device) {
    this.#link = link;
    this.own = new Own(device);
  }

  /** Something is wanted otherwise now. The promise ends when the hub has it, or a newer one. */
  changed(): Promise<void> {
    const told = quiet(
      new Promise<void>((done, failed) => {
        this.#waiters.push({ done, failed });
      }),
    );
    this.#trusted = true;
    this.#show(undefined);
    // What is said in one breath is told in one frame.
    queueMicrotask(() => this.pump());
    return told;
  }

  /** Sends what is due, and sees to it that the rest is sent when it is. */
  pump(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const due = this.own.due(now);
    const connected = this.#link.connection.get().state === "connected";
    if (due === undefined && !this.#inFlight) this.#settle();
    if (due !== undefined && due <= now && connected && !this.#inFlight) this.#send(now);
    this.#show(this.me.get().error);
    const ends = this.own.typingEnds();
    const next = Math.min(due !== undefined && due > now ? due : Infinity, ends ?? Infinity);
    if (next < Infinity) this.#timer = setTimeout(() => this.pump(), next - now);
  }

  /** The state for a hello: what the hub has, or will have. One that it did not take is not said in a hello again. */
  greeting(): TrackState | undefined {
    const wanted = this.#trusted ? this.own.wanted(performance.now()) : this.own.taken;
    this.#greeted = wanted !== undefined && !same(wanted, this.own.taken);
    return wanted;
  }

  /** The hub said welcome to what the hello announced. A session that goes on announces what it did, if nothing else. */
  welcomed(userId: string, announced: TrackState | undefined, resumed: boolean): void {
    this.own.told(announced ?? (resumed ? this.own.taken : undefined));
    this.me.set({ ...this.me.get(), userId });
  }

  /** Whether the hub may have refused the hello for what it announced: the next one is without. */
  distrust(): boolean {
    const was = this.#greeted && this.#trusted;
    this.#trusted &&= !this.#greeted;
    return was;
  }

  /** Is nowhere any more, and says nothing: the session ends. */
  withdraw(): void {
    this.own.clear();
    this.#settle();
    this.me.set({ userId: undefined, track: undefined, pending: false, error: undefined });
  }

  /** Nothing will be told any more. */
  end(error: PresenceError): void {
    clearTimeout(this.#timer);
    for (const { failed } of this.#waiters.splice(0)) failed(error);
  }

  #send(now: number): void {
    const state = this.own.wanted(now);
    const waiters = this.#waiters.splice(0);
    this.#inFlight = true;
    this.own.telling(state, now);
    const asked = this.#link.ask(() => (state ? { t: "track", track: state } : { t: "untrack" }), false);
    asked.then(
      () => {
        this.own.told(state);
        for (const { done } of waiters) done();
        this.#answered();
      },
      (error: PresenceError) => this.#refused(error, waiters),
    );
  }

  #refused(error: PresenceError, waiters: Waiter[]): void {
    if (error.code === "lost" || error.code === "rate_limited") this.#waiters.unshift(...waiters);
    else for (const { failed } of waiters) failed(error);
    if (error.code === "lost" || error.code === "ended" || error.code === "closed") {
      this.#inFlight = false;
      return;
    }
    if (error.retryAfterMs !== undefined || error.code === "rate_limited")
      this.own.hold(error.retryAfterMs ?? UNTOLD_MS, performance.now());
    else {
      this.own.revert();
      // With it goes what was wanted on top of it.
      for (const { failed } of this.#waiters.splice(0)) failed(error);
      this.#show(error);
    }
    this.#answered();
  }

  #answered(): void {
    this.#inFlight = false;
    this.pump();
  }

  #settle(): void {
    for (const { done } of this.#waiters.splice(0)) done();
  }

  #show(error: PresenceError | undefined): void {
    const now = performance.now();
    const wanted = this.own.wanted(now);
    const before = this.me.get();
    const track = same(before.track, wanted) ? before.track : wanted;
    const pending = !same(wanted, this.own.taken);
    if (track !== before.track || pending !== before.pending || error !== before.error)
      this.me.set({ ...before, track, pending, error });
  }
}
