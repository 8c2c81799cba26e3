// What the tests of a clock have in common: frames of a hub, and a storage that can be looked into and be denied.

import { expect } from "vitest";
import {
  type Clock,
  type ClockState,
  type ClockStorage,
  createClock,
  type Hold,
} from "../../src/extension/index.js";
import type { ClockedIn } from "../../src/protocol/server.js";
import { type FakeConnection, fakeHub, settled, USER } from "./fake.js";

export const ORGANIZATION = "4c6e80a2-3d5f-4b7c-8e90-1f2d3e4f5a06";
export const DESK = "5d7f91b3-4e60-4c8d-9fa1-203e4f5a6b07";
export const INBOX = "6e80a2c4-5f71-4d9e-80b2-314f5a6b7c08";
export const CODE = "k7Qm-2vXp-9dRt-4wHs-8bNc";
export const EPOCH = 1_795_248_000_000;
export const URL = "ws://hub/ws";

/** In an account, as its `moves`th hold. */
export function clockedIn(accountId = DESK, moves = 0, more: Partial<ClockedIn> = {}): ClockedIn {
  return {
    t: "clockedIn",
    user: USER,
    organization: ORGANIZATION,
    accountId,
    epoch: EPOCH + moves,
    since: `2026-11-21T0${8 + moves}:00:00Z`,
    token: `token ${moves}`,
    tokenMs: 43_200_000,
    heartbeatMs: 20_000,
    heartbeatTimeoutMs: 10_000,
    adminsSee: ["name", "since", "lastSeen"],
    ...more,
  };
}

export function held(accountId = DESK, moves = 0): Hold {
  const { user: userId, organization, epoch, since, adminsSee } = clockedIn(accountId, moves);
  return { accountId, organization, userId, since, epoch, adminsSee };
}

/** The end of a hold, as the hub tells it. */
export function over(reason?: string, accountId = DESK, moves = 0) {
  return { t: "clockedOut", accountId, epoch: EPOCH + moves, ...(reason && { reason }) };
}

export function refusal(code: string, more: { re?: number; retryAfterMs?: number } = {}) {
  return { t: "error", code, message: "because", ...more };
}

export function closing(code: string, reconnectAfterMs?: number | undefined) {
  return { t: "closing", code, ...(reconnectAfterMs && { reconnectAfterMs }) };
}

/** A storage as a browser has it: what goes in is copied. */
export class FakeStorage implements ClockStorage {
  readonly kept = new Map<string, string>();
  /** What becomes of calls: they work, take half a second, fail, or never end. */
  mood: "well" | "slow" | "denied" | "asleep" = "well";

  async get(key: string): Promise<unknown> {
    await this.#answer();
    const text = this.kept.get(key);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async set(key: string, value: unknown): Promise<void> {
    await this.#answer();
    this.kept.set(key, JSON.stringify(value));
  }

  async remove(key: string): Promise<void> {
    await this.#answer();
    this.kept.delete(key);
  }

  get text(): string {
    return [...this.kept.values()].join("\n");
  }

  async #answer(): Promise<void> {
    if (this.mood === "denied") throw new Error("denied");
    if (this.mood === "slow") await new Promise((done) => setTimeout(done, 500));
    if (this.mood === "asleep") await new Promise(() => {});
  }
}

/** A hub, a browser's storage, and the clock of the worker that lives now. */
export class Desk {
  readonly hub = fakeHub();
  readonly storage = new FakeStorage();
  readonly session = new FakeStorage();
  clock: Clock = this.worker();
  /** What the state was, one after the other, since this was asked for. */
  told: ClockState[] = [];

  /** Kills the worker and starts another: the connection breaks without a word, and nobody is told. */
  worker(): Clock {
    for (const connection of this.hub.connections) silence(connection);
    // For its timers, which die with it: a clock that is closed writes nothing.
    this.clock?.close();
    const { storage, session } = this;
    const { WebSocket } = this.hub;
    this.clock = createClock({ url: URL, storage, session, WebSocket });
    this.told = [];
    this.clock.state.subscribe((state) => this.told.push(state));
    return this.clock;
  }

  get state(): ClockState {
    return this.clock.state.get();
  }

  /** The newest connection opens and says hello. */
  async hello() {
    await settled();
    const connection = this.hub.last();
    connection.open();
    await settled();
    return connection.last("hello");
  }

  /** In an account, by code. */
  async enter(accountId = DESK, moves = 0): Promise<FakeConnection> {
    void this.clock.clockIn({ code: CODE, accountId });
    await this.hello();
    await this.say(clockedIn(accountId, moves));
    expect(this.state).toMatchObject({ state: "in" });
    return this.hub.last();
  }

  /** Back in the account, on a new connection. */
  async back(accountId = DESK, moves = 0): Promise<FakeConnection> {
    const hello = await this.hello();
    expect(hello).toEqual({ t: "hello", token: `token ${moves}` });
    await this.say(clockedIn(accountId, moves));
    return this.hub.last();
  }

  async say(...frames: Parameters<FakeConnection["say"]>): Promise<void> {
    this.hub.last().say(...frames);
    await settled();
  }

  async end(code = 1006): Promise<void> {
    this.hub.last().end(code);
    await settled();
  }
}

function silence(connection: FakeConnection): void {
  connection.onopen = connection.onmessage = connection.onclose = null;
  connection.send = () => {};
}

/** What a promise came to, if it has: its value, or its error's code. */
export function outcome(promise: Promise<unknown>): { now: unknown } {
  const seen: { now: unknown } = { now: "pending" };
  promise.then(
    (value) => {
      seen.now = value;
    },
    (error) => {
      seen.now = error.code;
    },
  );
  return seen;
}
