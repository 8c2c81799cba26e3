// What the assistant wants of the hub, one after the other: the next is asked when the one before it is answered, so that
// each names the hold that the one before it left. No I/O.

import { PresenceError, quiet } from "../errors.js";
import type { Body } from "../requests.js";
import type { Hold, Pending } from "./state.js";

/** One wish, as it is kept over the death of a worker. */
export interface Ask {
  readonly kind: Pending;
  /** Where a move goes to. */
  readonly to?: string;
  /** Names it, so that it is done once however often it is asked for. */
  readonly opId: string;
  /** When it was wanted, as `Date.now()` has it. */
  readonly at: number;
  /** The hold that it is about. Set before the hub may know of it. */
  hold?: { readonly accountId: string; readonly epoch: number };
}

/** Wishes that may wait. */
const MOST = 16;
/** After which a move is not made any more: the person does not wait for it, and may be elsewhere. */
const MOVE_GOOD_MS = 120_000;

interface Waiter {
  resolve: (hold: Hold | undefined) => void;
  reject: (error: PresenceError) => void;
}

export class Asks {
  #open: { ask: Ask; waiters: Waiter[] }[] = [];

  get front(): Ask | undefined {
    return this.#open[0]?.ask;
  }

  get all(): readonly Ask[] {
    return this.#open.map(({ ask }) => ask);
  }

  /** Those of an earlier life: nobody waits for them. */
  adopt(asks: readonly Ask[]): void {
    this.#open = asks.map((ask) => ({ ask, waiters: [] }));
  }

  move(to: string): Promise<Hold | undefined> {
    if (this.#open.length >= MOST)
      return quiet(Promise.reject(new PresenceError("too_many_requests", `${MOST} requests wait`)));
    return this.#push({ kind: "move", to, opId: crypto.randomUUID(), at: Date.now() });
  }

  /** Who wants out wants no move any more that the hub does not know of. */
  clockOut(): Promise<Hold | undefined> {
    const [gone, kept] = [this.#open.filter(unknown), this.#open.filter((open) => !unknown(open))];
    this.#open = kept;
    for (const { waiters } of gone) reject(waiters, new PresenceError("superseded", "clocked out instead"));
    const last = kept.at(-1);
    if (last?.ask.kind === "clockOut") return waiting(last.waiters);
    return this.#push({ kind: "clockOut", opId: crypto.randomUUID(), at: Date.now() });
  }

  /** Where the hub may have moved the assistant to without the extension's knowing. */
  movingTo(): string | undefined {
    const ask = this.front;
    return ask?.hold && ask.to;
  }

  /** The assistant is in this hold now: what is settled by that, or too old to be asked, is asked no more. */
  entered(hold: Hold): void {
    for (let ask = this.front; ask; ask = this.front) {
      if (ask.kind === "move" && ask.to === hold.accountId) this.done(hold);
      else if (ask.hold && !about(ask, hold)) this.#settle(ask, hold);
      else if (old(ask)) this.failed(tooLate());
      else return;
    }
  }

  /** Nobody waits longer for a move that the hub does not know of. */
  expire(): void {
    const late = this.#open.filter((open) => unknown(open) && old(open.ask));
    this.#open = this.#open.filter((open) => !late.includes(open));
    for (const { waiters } of late) reject(waiters, tooLate());
  }

  /** The first one is done. */
  done(hold: Hold | undefined): void {
    for (const { resolve } of this.#open.shift()?.waiters ?? []) resolve(hold);
  }

  /** The first one will not be done. */
  failed(error: PresenceError): void {
    reject(this.#open.shift()?.waiters ?? [], error);
  }

  /** Nothing will be asked any more; `out`: a clock-out is as good as done. */
  end(error: PresenceError, out: boolean): void {
    for (const { ask, waiters } of this.#open.splice(0)) {
      if (out && ask.kind === "clockOut") for (const { resolve } of waiters) resolve(undefined);
      else reject(waiters, error);
    }
  }

  /** Nobody is told any more; what is wanted is wanted all the same. */
  abandon(error: PresenceError): void {
    for (const { waiters } of this.#open) reject(waiters.splice(0), error);
  }

  /** It was about a hold that is over: a clock-out needs nothing more. */
  #settle(ask: Ask, hold: Hold): void {
    if (ask.kind === "clockOut") this.done(hold);
    else this.failed(new PresenceError("not_held", "the hold was over before it was left"));
  }

  #push(ask: Ask): Promise<Hold | undefined> {
    const waiters: Waiter[] = [];
    this.#open.push({ ask, waiters });
    return waiting(waiters);
  }
}

/** The request, without its number. */
export function bodyOf({ kind, to, opId, hold }: Ask): Body {
  const { accountId, epoch } = hold as Required<Ask>["hold"];
  return kind === "clockOut"
    ? { t: "clockOut", accountId, epoch, opId }
    : { t: "changeAccount", accountId, epoch, to: to as string, opId };
}

function about({ hold }: Ask, { accountId, epoch }: Hold): boolean {
  return hold?.accountId === accountId && hold.epoch === epoch;
}

function old({ kind, at }: Ask): boolean {
  return kind === "move" && Date.now() - at > MOVE_GOOD_MS;
}

function tooLate(): PresenceError {
  return new PresenceError("timeout", "the move could not be asked for in time");
}

function unknown({ ask }: { ask: Ask }): boolean {
  return ask.kind === "move" && !ask.hold;
}

function waiting(waiters: Waiter[]): Promise<Hold | undefined> {
  return quiet(new Promise((resolve, reject) => waiters.push({ resolve, reject })));
}

function reject(waiters: readonly Waiter[], error: PresenceError): void {
  for (const waiter of waiters) waiter.reject(error);
}
