// The first tables of the protocol on extensions: a clock-in, and each way in which it is refused.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  CODE,
  clockedIn,
  closing,
  DESK,
  Desk,
  held,
  INBOX,
  outcome,
  over,
  refusal,
  URL,
} from "../support/clock.js";
import { settled } from "../support/fake.js";

let desk: Desk;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  desk = new Desk();
});

afterEach(() => {
  desk.clock.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const connections = () => desk.hub.connections.length;

describe("a clock-in", () => {
  it("is a hello with code, account and name, and nothing else, and tells what admins see", async () => {
    expect(desk.state).toEqual({ state: "out", reason: undefined, hold: undefined });
    const entered = outcome(desk.clock.clockIn({ code: CODE, accountId: DESK }));
    const hello = await desk.hello();
    expect(desk.state).toMatchObject({ state: "entering", accountId: DESK });
    expect(hello).toEqual({ t: "hello", clockIn: { code: CODE, accountId: DESK, opId: expect.any(String) } });
    expect([desk.hub.last().url, desk.hub.last().protocols]).toEqual([URL, ["presence.v1.json"]]);
    await desk.say(clockedIn());
    expect(desk.state).toEqual({ state: "in", hold: held(), pending: undefined });
    expect(entered.now).toEqual(held());
    expect(desk.told.map(({ state }) => state)).toEqual(["entering", "in"]);
    expect(JSON.stringify(desk.told)).not.toMatch(/token|k7Qm/);
  });

  it("whose answer was lost is asked for again under its name", async () => {
    void desk.clock.clockIn({ code: CODE, accountId: DESK });
    const first = await desk.hello();
    await desk.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(await desk.hello()).toEqual(first);
    await desk.say(clockedIn());
    expect(desk.state.state).toBe("in");
  });

  it("whose hold is over by then says so", async () => {
    const entered = outcome(desk.clock.clockIn({ code: CODE, accountId: DESK }));
    await desk.hello();
    await desk.say(over("force_cleared"), closing("clocked_out"));
    await desk.end(4303);
    expect(desk.state).toEqual({ state: "out", reason: "force_cleared", hold: undefined });
    expect(entered.now).toBe("clocked_out");
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(connections()).toBe(1);
  });

  it("waits for a hub that is down, and says when it tries again", async () => {
    void desk.clock.clockIn({ code: CODE, accountId: DESK });
    await settled();
    await desk.end();
    expect(desk.state).toMatchObject({
      state: "entering",
      retryAt: Date.now() + 500,
      reason: { kind: "unreachable" },
    });
    await vi.advanceTimersByTimeAsync(500);
    expect(connections()).toBe(2);
  });

  it("never asks more often than the backoff lets it", async () => {
    void desk.clock.clockIn({ code: CODE, accountId: DESK });
    for (let minute = 0; minute < 600; minute += 1) {
      await settled();
      if (desk.hub.last().onclose) await desk.end();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(connections()).toBeLessThan(50);
    expect(connections()).toBeGreaterThan(20);
  });

  it("is not made where one is in already, and takes the place of one that is under way", async () => {
    const first = outcome(desk.clock.clockIn({ code: "wrong", accountId: DESK }));
    await desk.hello();
    await desk.enter();
    expect(first.now).toBe("superseded");
    await expect(desk.clock.clockIn({ code: CODE, accountId: INBOX })).rejects.toMatchObject({
      code: "clocked_in",
    });
    await desk.end();
    expect(desk.state.state).toBe("lost");
    await expect(desk.clock.clockIn({ code: CODE, accountId: INBOX })).rejects.toMatchObject({
      code: "clocked_in",
    });
  });

  it("can be given up while the hub has not heard of it", async () => {
    const entered = outcome(desk.clock.clockIn({ code: CODE, accountId: DESK }));
    await settled();
    const out = outcome(desk.clock.clockOut());
    await desk.end();
    expect([desk.state.state, entered.now, out.now]).toEqual(["out", "clocked_out", undefined]);
    void desk.clock.clockIn({ code: CODE, accountId: DESK });
    await settled();
    await desk.end();
    await desk.clock.clockOut();
    expect(desk.state).toEqual({ state: "out", reason: undefined, hold: undefined });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections()).toBe(2);
  });

  it("that the hub may have heard of is clocked out of once it is known", async () => {
    void desk.clock.clockIn({ code: CODE, accountId: DESK });
    await desk.hello();
    await desk.end();
    const out = outcome(desk.clock.clockOut());
    await vi.advanceTimersByTimeAsync(0);
    await desk.hello();
    expect(desk.state).toMatchObject({ state: "entering", pending: "clockOut" });
    await desk.say(clockedIn());
    await desk.hub.last().ack("clockOut");
    expect([desk.state.state, out.now]).toEqual(["out", undefined]);
  });
});

describe("a hello that is refused", () => {
  it.each([
    ["invalid_code", 4201],
    ["unknown_channel", 4300],
    ["occupied", 4300],
    // The close was lost.
    ["occupied", 1006],
    ["invalid_code", 1006],
  ])("%s, %i: is told and not tried again", async (code, close) => {
    const entered = outcome(desk.clock.clockIn({ code: CODE, accountId: DESK }));
    await desk.hello();
    await desk.say(refusal(code));
    await desk.end(close);
    expect(desk.state).toMatchObject({ state: "refused", error: { code }, accountId: DESK, hold: undefined });
    expect(entered.now).toBe(code);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(connections()).toBe(1);
  });

  it.each(["rate_limited", "unavailable"])("%s, 4102: comes back after the time told", async (code) => {
    const entered = outcome(desk.clock.clockIn({ code: CODE, accountId: DESK }));
    const first = await desk.hello();
    await desk.say(refusal(code, { retryAfterMs: 7_000 }), closing("overloaded", 7_000));
    await desk.end(4102);
    expect(desk.state).toMatchObject({
      state: "entering",
      retryAt: Date.now() + 7_000,
      reason: { kind: "refused", error: { code } },
    });
    await vi.advanceTimersByTimeAsync(6_999);
    expect(connections()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await desk.hello()).toEqual(first);
    expect(entered.now).toBe("pending");
  });

  it.each([
    ["occupied", 4102, 7_000, 7_000],
    ["unavailable", 4102, undefined, 30_000],
    ["unavailable", 4100, 7_000, 7_000],
  ])("%s, %i: the close says whether and when", async (code, close, told, ms) => {
    void desk.clock.clockIn({ code: CODE, accountId: DESK });
    await desk.hello();
    await desk.say(refusal(code), closing("overloaded", told));
    await desk.end(close);
    expect(desk.state).toMatchObject({ state: "entering", retryAt: Date.now() + ms });
  });

  it.each([
    ["rate_limited", { retryAfterMs: 9_000 }, 9_000],
    ["unavailable", {}, 500],
    ["a_code_of_tomorrow", {}, 500],
  ])("%s whose close was lost: comes back too", async (code, more, ms) => {
    void desk.clock.clockIn({ code: CODE, accountId: DESK });
    await desk.hello();
    await desk.say(refusal(code as string, more as object));
    await desk.end();
    expect(desk.state).toMatchObject({ state: "entering", retryAt: Date.now() + (ms as number) });
  });

  it("operation_conflict: makes a new name, once", async () => {
    const entered = outcome(desk.clock.clockIn({ code: CODE, accountId: DESK }));
    const first = await desk.hello();
    await desk.say(refusal("operation_conflict"));
    await desk.end(4300);
    await vi.advanceTimersByTimeAsync(0);
    const second = await desk.hello();
    expect(second.clockIn).toEqual({ ...first.clockIn, opId: expect.any(String) });
    expect(second.clockIn?.opId).not.toBe(first.clockIn?.opId);
    await desk.say(refusal("operation_conflict"));
    await desk.end(4300);
    expect([desk.state.state, entered.now]).toEqual(["refused", "operation_conflict"]);
  });

  it("not_held: the hold is over", async () => {
    await desk.enter();
    await desk.end();
    await vi.advanceTimersByTimeAsync(0);
    await desk.hello();
    await desk.say(refusal("not_held"));
    await desk.end(4303);
    expect(desk.state).toEqual({ state: "out", reason: undefined, hold: held() });
  });

  it("a person's other code is tried", async () => {
    void desk.clock.clockIn({ code: "wrong", accountId: DESK });
    await desk.hello();
    await desk.say(refusal("invalid_code"));
    await desk.end(4201);
    await desk.enter();
    expect(desk.hub.last().last("hello").clockIn?.code).toBe(CODE);
  });
});
