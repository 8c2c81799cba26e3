// The end of a connection, of a token and of a hold: each row of the protocol, and what the person is told.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createClock } from "../../src/extension/index.js";
import { CODE, clockedIn, closing, DESK, Desk, held, INBOX, over, refusal } from "../support/clock.js";

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

describe("the end of a connection", () => {
  it.each([
    [1006, 0],
    [1005, 0],
    [4000, 0],
    [4001, 0],
    [1001, 500],
    [1011, 500],
    [4101, 30_000],
    [4103, 30_000],
    [4104, 30_000],
    [4177, 30_000],
  ])("%i: comes back with the token, after %i ms", async (code, ms) => {
    await desk.enter();
    await desk.end(code);
    expect(desk.state).toMatchObject({ state: "lost", hold: held(), retryAt: Date.now() + ms });
    await vi.advanceTimersByTimeAsync(ms);
    await desk.back();
    expect(desk.state).toEqual({ state: "in", hold: held(), pending: undefined });
    expect(desk.told.map(({ state }) => state)).toEqual(["entering", "in", "lost", "lost", "in"]);
  });

  it.each([
    [4100, "restarting"],
    [4102, "overloaded"],
  ])("%i: comes back when the hub says", async (code, name) => {
    await desk.enter();
    await desk.say(closing(name, 42_000));
    await desk.end(code);
    expect(desk.state).toMatchObject({
      state: "lost",
      retryAt: Date.now() + 42_000,
      reason: { kind: "closed", code, name },
    });
    await vi.advanceTimersByTimeAsync(41_999);
    expect(connections()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await desk.back();
  });

  it.each([
    [4200, "token_expired"],
    [4201, "token_invalid"],
    [4202, "subject_changed"],
    [4300, "bad_hello"],
    [4301, "account_disabled"],
    [4302, "too_many_errors"],
    [4250, "closed"],
    [4399, "closed"],
    [1000, "closed"],
  ])("%i: asks the person (%s), who may be in the account still", async (code, name) => {
    await desk.enter();
    await desk.end(code);
    expect(desk.state).toMatchObject({
      state: "refused",
      error: { code: name },
      accountId: DESK,
      hold: held(),
    });
    await expect(desk.clock.clockOut()).rejects.toMatchObject({ code: name });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(connections()).toBe(1);
    // The same hold, by the code once more.
    await desk.enter();
    expect(desk.state).toEqual({ state: "in", hold: held(), pending: undefined });
  });

  it("4303: is out, and does not come back", async () => {
    await desk.enter();
    await desk.end(4303);
    expect(desk.state).toEqual({ state: "out", reason: undefined, hold: held() });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(connections()).toBe(1);
  });

  it("is noticed where nothing says so", async () => {
    await desk.enter();
    await vi.advanceTimersByTimeAsync(34_999);
    expect(desk.state.state).toBe("in");
    await vi.advanceTimersByTimeAsync(1);
    expect(desk.state.state).toBe("lost");
    expect(desk.hub.connections[0]?.closedWith).toBe(3000);
  });

  it("an address that is none is told", async () => {
    const WebSocket = class {
      constructor() {
        throw new SyntaxError("no address");
      }
    } as never;
    const clock = createClock({ url: "nonsense", WebSocket });
    await expect(clock.clockIn({ code: CODE, accountId: DESK })).rejects.toMatchObject({ code: "url" });
    expect(clock.state.get()).toMatchObject({ state: "refused", error: { code: "url" } });
  });
});

describe("what the hub says by itself", () => {
  it.each(["clocked_out", "moved", "force_cleared", "inactive", "code_revoked", "removed"])(
    "clockedOut, %s: is told, and it does not come back",
    async (reason) => {
      await desk.enter();
      await desk.say(over(reason), closing("clocked_out"));
      await desk.end(4303);
      expect(desk.state).toEqual({ state: "out", reason, hold: held() });
      await vi.advanceTimersByTimeAsync(3_600_000);
      expect(connections()).toBe(1);
      expect(desk.told.map(({ state }) => state)).toEqual(["entering", "in", "out"]);
    },
  );

  it.each([undefined, "tea_time"])("clockedOut, %s: over it is all the same", async (reason) => {
    await desk.enter();
    await desk.say(over(reason));
    expect(desk.state).toEqual({ state: "out", reason: undefined, hold: held() });
  });

  it("the end of an earlier hold says nothing", async () => {
    await desk.enter(DESK, 1);
    await desk.say(over("moved", DESK, 0), over("moved", INBOX, 1), { t: "news" });
    expect(desk.state.state).toBe("in");
  });

  it.each([
    { t: "clockedIn" },
    { ...clockedIn(), adminsSee: "name" },
    { ...clockedIn(), epoch: "7" },
    { ...clockedIn(), token: undefined },
  ])(
    "what is not what its kind holds is another protocol, and asked for with growing waits",
    async (frame) => {
      void desk.clock.clockIn({ code: CODE, accountId: DESK });
      await desk.hello();
      await desk.say(frame);
      expect(desk.state).toMatchObject({
        state: "entering",
        retryAt: Date.now() + 500,
        reason: { kind: "protocol" },
      });
      expect(connections()).toBe(1);
    },
  );

  it("what nobody knows yet is passed over", async () => {
    await desk.enter();
    const before = desk.state;
    await desk.say({ t: "news" }, { t: "snapshot", sub: 1 } as never, { t: "ack", re: 99 } as never);
    expect(desk.state).toBe(before);
  });

  it("a heartbeat is answered", async () => {
    await desk.enter();
    await desk.say({ t: "heartbeat" });
    expect(desk.hub.last().count("heartbeat")).toBe(1);
  });

  it("expiring: is renewed, and the newest token comes back", async () => {
    await desk.enter();
    const before = desk.state;
    await desk.say({ t: "expiring", inMs: 60_000 });
    const { id } = desk.hub.last().last("renew");
    await desk.say(clockedIn(DESK, 0, { re: id, token: "newer" }));
    expect(desk.state).toBe(before);
    await desk.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(await desk.hello()).toEqual({ t: "hello", token: "newer" });
  });

  it("expiring: a renewal that the hub cannot make now is asked for again, others are not", async () => {
    await desk.enter();
    await desk.say({ t: "expiring", inMs: 60_000 });
    const first = desk.hub.last().last("renew");
    await desk.say(refusal("unavailable", { re: first.id, retryAfterMs: 2_000 }));
    await vi.advanceTimersByTimeAsync(1_999);
    expect(desk.hub.last().count("renew")).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await desk.say(refusal("internal", { re: desk.hub.last().last("renew").id }));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(desk.hub.last().count("renew")).toBe(2);
    expect(desk.state.state).toBe("in");
  });
});
