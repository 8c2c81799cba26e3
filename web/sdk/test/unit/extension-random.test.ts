// A hub, a network, a browser and a person who do anything at any time: what must hold all the same.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ClientFrame } from "../../src/protocol/client.js";
import { CODE, clockedIn, DESK, Desk, EPOCH, INBOX } from "../support/clock.js";
import { type FakeConnection, settled } from "../support/fake.js";

const STEPS = 60;
const RUNS = 300;
const ACCOUNTS = [DESK, INBOX];
const ERRORS = [
  "invalid_code",
  "unknown_channel",
  "occupied",
  "operation_conflict",
  "rate_limited",
  "unavailable",
  "not_held",
  "internal",
  "tea_time",
];
const CLOSES = [
  1000, 1001, 1005, 1006, 1011, 4000, 4001, 4100, 4102, 4104, 4200, 4201, 4250, 4300, 4301, 4303, 4399,
];
const REASONS = ["clocked_out", "moved", "force_cleared", "inactive", "tea_time", undefined];

let desk: Desk;
let seed: number;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockImplementation(chance);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** From [0, 1), by the seed. */
function chance(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

function one<T>(of: readonly T[]): T {
  return of[Math.floor(chance() * of.length)] as T;
}

function live(): FakeConnection | undefined {
  return desk.hub.connections.findLast(({ onmessage, closedWith }) => onmessage && closedWith === undefined);
}

type Numbered = Extract<ClientFrame, { id: number }>;

/** A hub that may answer what was asked last, or say anything else. */
const HUB: ((connection: FakeConnection) => void)[] = [
  (connection) => connection.open(),
  (connection) => connection.open(),
  (connection) => connection.say(clockedIn(one(ACCOUNTS), Math.floor(chance() * 3))),
  (connection) => connection.say(clockedIn(one(ACCOUNTS), Math.floor(chance() * 3))),
  (connection) => connection.say({ t: "ack", re: asked(connection) }),
  (connection) => connection.say(clockedIn(one(ACCOUNTS), 1, { re: asked(connection) })),
  (connection) =>
    connection.say({
      t: "error",
      re: asked(connection),
      code: one(ERRORS),
      message: "",
      retryAfterMs: 2_000,
    }),
  (connection) => connection.say({ t: "error", code: one(ERRORS), message: "" }),
  (connection) => connection.say({ t: "expiring", inMs: 60_000 }),
  (connection) => connection.say({ t: "heartbeat" }),
  (connection) => connection.say({ t: "closing", code: "restarting", reconnectAfterMs: 9_000 }),
  (connection) => {
    const reason = one(REASONS);
    const epoch = EPOCH + Math.floor(chance() * 3);
    connection.say({ t: "clockedOut", accountId: one(ACCOUNTS), epoch, ...(reason && { reason }) });
  },
  (connection) => connection.say({ t: "clockedIn" }),
  (connection) => connection.end(one(CLOSES)),
];

const PERSON: (() => unknown)[] = [
  () => desk.clock.clockIn({ code: CODE, accountId: one(ACCOUNTS) }),
  () => desk.clock.clockIn({ code: CODE, accountId: one(ACCOUNTS) }),
  () => desk.clock.move(one(ACCOUNTS)),
  () => desk.clock.clockOut(),
  () => desk.clock.activity(),
  () => desk.clock.restore(),
  () => desk.clock.close(),
  () => desk.worker().restore(),
];

function asked(connection: FakeConnection): number {
  return (connection.sent.findLast((frame) => "id" in frame) as Numbered | undefined)?.id ?? 0;
}

async function step(): Promise<void> {
  const connection = live();
  const who = chance();
  if (who < 0.6 && connection) one(HUB)(connection);
  else if (who < 0.8) void one(PERSON)();
  else await vi.advanceTimersByTimeAsync(one([1, 500, 5_000, 40_000]));
  await settled();
}

/** What holds whatever was said. */
function holds(): void {
  const open = desk.hub.connections.filter(
    ({ onmessage, closedWith }) => onmessage && closedWith === undefined,
  );
  expect(open.length).toBeLessThan(2);
  expect(desk.storage.text).not.toContain(CODE);
  expect(JSON.stringify(desk.state)).not.toMatch(/"token"|k7Qm/);
  const { state } = desk.state;
  if (state === "out" || state === "refused") {
    expect(open.length).toBe(0);
    expect(desk.storage.text + desk.session.text).not.toMatch(/"token":|k7Qm/);
  }
}

/** An operation is the same wherever it is asked for, and none is asked beside another. */
function operations(): number {
  const bodies = new Map<string, string>();
  for (const { sent } of desk.hub.connections) {
    for (const frame of sent) {
      if (frame.t !== "clockOut" && frame.t !== "changeAccount") continue;
      const { id: _id, ...body } = frame;
      const told = bodies.get(body.opId ?? "") ?? JSON.stringify(body);
      expect(JSON.stringify(body)).toBe(told);
      bodies.set(body.opId ?? "", told);
    }
  }
  return bodies.size;
}

describe("a clock", () => {
  it("holds to its word whatever happens", async () => {
    const states = new Map<string, number>();
    let asked = 0;
    for (let run = 1; run <= RUNS; run += 1) {
      seed = run;
      desk = new Desk();
      const began = Date.now();
      try {
        for (let at = 0; at < STEPS; at += 1) {
          await step();
          holds();
          states.set(desk.state.state, (states.get(desk.state.state) ?? 0) + 1);
        }
        asked += operations();
        // A person's acts and the hub's codes bring it back at once; else it keeps to the backoff.
        expect(desk.hub.connections.length).toBeLessThan(STEPS + (Date.now() - began) / 1_000);
      } catch (error) {
        throw new Error(`seed ${run}`, { cause: error });
      }
      desk.clock.close();
      await settled();
    }
    expect([...states.keys()].sort()).toEqual(["entering", "in", "lost", "out", "refused"]);
    expect(Math.min(...states.values())).toBeGreaterThan(RUNS / 3);
    expect(asked).toBeGreaterThan(RUNS / 10);
  });
});
