// A worker that is killed, and the one after it: what it finds, what it goes on with, and what is nowhere to be found.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { chromeStorage, createClock } from "../../src/extension/index.js";
import { CODE, clockedIn, DESK, Desk, EPOCH, held, INBOX, outcome, URL } from "../support/clock.js";
import { fakeHub, settled } from "../support/fake.js";

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

const over = (reason: string) => ({ t: "clockedOut", accountId: DESK, epoch: EPOCH, reason });
const connections = () => desk.hub.connections.length;

/** Another worker in the place of the one that is killed. */
async function another(): Promise<void> {
  desk.worker();
  await desk.clock.restore();
  await settled();
}

describe("a worker that is killed", () => {
  it("is followed by one that is in the same hold, by its token", async () => {
    await desk.enter();
    await another();
    expect(desk.state).toMatchObject({ state: "lost", hold: held(), reason: { kind: "suspended" } });
    await desk.back();
    expect(desk.state).toEqual({ state: "in", hold: held(), pending: undefined });
  });

  it("is followed by one that has the newest token, after a move and a renewal", async () => {
    const connection = await desk.enter();
    void desk.clock.move(INBOX);
    await settled();
    await desk.say(clockedIn(INBOX, 1, { re: connection.last("changeAccount").id }));
    await desk.say({ t: "expiring", inMs: 60_000 });
    await desk.say(clockedIn(INBOX, 1, { re: connection.last("renew").id, token: "newer" }));
    await another();
    expect(await desk.hello()).toEqual({ t: "hello", token: "newer" });
  });

  it("restores once, however often it is woken", async () => {
    await desk.enter();
    desk.worker();
    await Promise.all([desk.clock.restore(), desk.clock.restore()]);
    await desk.back();
    for (let alarm = 0; alarm < 10; alarm += 1) await desk.clock.restore();
    expect(connections()).toBe(2);
    await desk.end();
    for (let alarm = 0; alarm < 10; alarm += 1) await desk.clock.restore();
    await settled();
    expect(connections()).toBe(2);
  });

  it("knows nothing where nothing was", async () => {
    await another();
    expect(desk.state).toEqual({ state: "out", reason: undefined, hold: undefined });
    expect(connections()).toBe(0);
  });

  it("still says why the clock-in was over", async () => {
    await desk.enter();
    await desk.say(over("force_cleared"));
    await another();
    expect(desk.state).toEqual({ state: "out", reason: "force_cleared", hold: held() });
    expect(connections()).toBe(1);
    expect(desk.storage.text + desk.session.text).not.toMatch(/token 0|k7Qm/);
  });

  it("still says what was refused", async () => {
    await desk.enter();
    await desk.end(4200);
    await another();
    expect(desk.state).toMatchObject({
      state: "refused",
      error: { name: "PresenceError", code: "token_expired", message: expect.stringContaining("token") },
      accountId: DESK,
      hold: held(),
    });
    expect(connections()).toBe(1);
  });

  it("obeys the wait that the hub told the one before it", async () => {
    await desk.enter();
    await desk.say({ t: "closing", code: "restarting", reconnectAfterMs: 40_000 });
    await desk.end(4100);
    await vi.advanceTimersByTimeAsync(10_000);
    await another();
    expect(desk.state).toMatchObject({ state: "lost", retryAt: Date.now() + 30_000 });
    await vi.advanceTimersByTimeAsync(29_999);
    expect(connections()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await desk.back();
    await another();
    expect(connections()).toBe(3);
  });

  it("does not wait longer than that where the machine's clock was set back", async () => {
    await desk.enter();
    await desk.say({ t: "closing", code: "restarting", reconnectAfterMs: 40_000 });
    await desk.end(4100);
    desk.clock.close();
    vi.setSystemTime(Date.now() - 3_600_000);
    await another();
    await vi.advanceTimersByTimeAsync(40_000);
    expect(connections()).toBe(2);
  });

  it("does not wait where the one before it only spread its attempts", async () => {
    await desk.enter();
    await desk.end(1001);
    expect(desk.state).toMatchObject({ state: "lost", retryAt: Date.now() + 500 });
    await another();
    expect(connections()).toBe(2);
  });

  it("asks for the clock-out again that it did not see answered, by the same name", async () => {
    const connection = await desk.enter();
    void desk.clock.clockOut();
    await settled();
    const first = connection.last("clockOut");
    await another();
    expect(desk.state).toMatchObject({ state: "lost", pending: "clockOut" });
    const next = await desk.back();
    expect(next.last("clockOut")).toEqual({ ...first, id: expect.any(Number) });
    await next.ack("clockOut");
    expect(desk.state).toMatchObject({ state: "out", reason: "clocked_out" });
    await another();
    expect(connections()).toBe(2);
  });

  it("has kept the clock-out before the hub hears of it", async () => {
    const connection = await desk.enter();
    desk.storage.mood = "asleep";
    void desk.clock.clockOut();
    await settled();
    expect(connection.count("clockOut")).toBe(0);
    desk.storage.mood = "well";
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connection.count("clockOut")).toBe(1);
    desk.worker();
    void desk.clock.restore();
  });

  it("clocks out when it is back, where it could not before", async () => {
    await desk.enter();
    await desk.end();
    void desk.clock.clockOut();
    await settled();
    await another();
    const next = await desk.back();
    expect(next.last("clockOut")).toMatchObject({ accountId: DESK, epoch: EPOCH });
  });

  it("asks for the move again, and finds one that was made by the code", async () => {
    const connection = await desk.enter();
    void desk.clock.move(INBOX);
    await settled();
    const first = connection.last("changeAccount");
    await another();
    const next = await desk.back();
    expect(next.last("changeAccount")).toEqual({ ...first, id: expect.any(Number) });
    await another();
    await desk.hello();
    await desk.say(over("moved"));
    const hello = await desk.hello();
    expect(hello.clockIn).toMatchObject({ code: CODE, accountId: INBOX });
    await desk.say(clockedIn(INBOX, 1));
    expect(desk.state).toEqual({ state: "in", hold: held(INBOX, 1), pending: undefined });
  });

  it("does not make a move of long ago", async () => {
    await desk.enter();
    void desk.clock.move(INBOX);
    await settled();
    desk.clock.close();
    await vi.advanceTimersByTimeAsync(130_000);
    await another();
    const next = await desk.back();
    expect(next.count("changeAccount")).toBe(0);
    expect(desk.state).toEqual({ state: "in", hold: held(), pending: undefined });
  });

  it("asks the person for the code where the move is to be found and the code is gone", async () => {
    await desk.enter();
    void desk.clock.move(INBOX);
    await settled();
    desk.session.kept.clear();
    await another();
    await desk.hello();
    await desk.say(over("moved"));
    expect(desk.state).toMatchObject({ state: "refused", error: { code: "code_needed" }, accountId: INBOX });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections()).toBe(2);
    await desk.enter(INBOX, 1);
  });

  it("goes on clocking in, under the same name", async () => {
    void desk.clock.clockIn({ code: CODE, accountId: DESK });
    const first = await desk.hello();
    await another();
    expect(desk.state).toMatchObject({ state: "entering", accountId: DESK });
    expect(await desk.hello()).toEqual(first);
    await desk.say(clockedIn());
    expect(desk.state.state).toBe("in");
  });

  it("asks the person for the code where the clock-in is unanswered and the code is gone", async () => {
    void desk.clock.clockIn({ code: CODE, accountId: DESK });
    await desk.hello();
    desk.session.kept.clear();
    await another();
    expect(desk.state).toMatchObject({ state: "refused", error: { code: "code_needed" }, accountId: DESK });
    expect(connections()).toBe(1);
  });

  it("lets everything else wait until it is restored", async () => {
    await desk.enter();
    desk.worker();
    void desk.clock.restore();
    const out = outcome(desk.clock.clockOut());
    const next = await desk.back();
    await settled();
    await next.ack("clockOut");
    expect([desk.state.state, out.now]).toEqual(["out", undefined]);
  });
});

describe("what is kept", () => {
  it("the code is in the session's storage alone, and only while it may be needed", async () => {
    await desk.enter();
    expect(desk.session.text).toContain(CODE);
    expect(desk.storage.text).toContain("token 0");
    expect(desk.storage.text).not.toContain(CODE);
    void desk.clock.clockOut();
    await settled();
    await desk.hub.last().ack("clockOut");
    expect(desk.session.text + desk.storage.text).not.toMatch(/k7Qm|token 0/);
  });

  it("a token goes to no other hub", async () => {
    await desk.enter();
    const elsewhere = fakeHub();
    const { storage, WebSocket } = { storage: desk.storage, WebSocket: elsewhere.WebSocket };
    const clock = createClock({ url: `${URL}/elsewhere`, storage, WebSocket });
    await clock.restore();
    expect(clock.state.get().state).toBe("out");
    expect(elsewhere.connections.length).toBe(0);
  });

  it.each([
    "nonsense",
    "null",
    "7",
    `{"url":"${URL}"}`,
    `{"url":"${URL}","hold":{"accountId":1},"token":"t"}`,
    `{"url":"${URL}","hold":7,"token":["t"]}`,
    `{"url":"${URL}","ended":{"state":"refused"}}`,
    `{"url":"${URL}","entering":{"accountId":"a"},"asks":[7,{"kind":"move"}]}`,
  ])("nonsense is passed over: %s", async (text) => {
    desk.storage.kept.set("presence-hub.clock", text);
    await another();
    expect(desk.state).toEqual({ state: "out", reason: undefined, hold: undefined });
    expect(connections()).toBe(0);
    await desk.enter();
  });

  it.each(["denied", "asleep"] as const)(
    "a storage that is %s costs nothing but what is kept",
    async (mood) => {
      desk.storage.mood = desk.session.mood = mood;
      void desk.clock.restore();
      void desk.clock.clockIn({ code: CODE, accountId: DESK });
      await vi.advanceTimersByTimeAsync(3_000);
      await desk.hello();
      await desk.say(clockedIn());
      const out = outcome(desk.clock.clockOut());
      await vi.advanceTimersByTimeAsync(3_000);
      await desk.hub.last().ack("clockOut");
      expect([desk.state.state, out.now]).toEqual(["out", undefined]);
    },
  );

  it("is written in the order in which it became so", async () => {
    await desk.enter();
    for (const [mood, token] of [
      ["slow", "newer"],
      ["well", "newest"],
    ] as const) {
      desk.storage.mood = mood;
      await desk.say({ t: "expiring", inMs: 60_000 });
      await desk.say(clockedIn(DESK, 0, { re: desk.hub.last().last("renew").id, token }));
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(desk.storage.text).toContain("newest");
  });

  it("can be in an area of Chrome's storage", async () => {
    const area: Record<string, unknown> = {};
    const storage = chromeStorage({
      get: async (key) => (key in area ? { [key]: area[key] } : {}),
      set: async (items) => void Object.assign(area, items),
      remove: async (key) => void delete area[key],
    });
    expect(await storage.get("a")).toBeUndefined();
    await storage.set("a", { b: 1 });
    expect(await storage.get("a")).toEqual({ b: 1 });
    await storage.remove("a");
    expect(area).toEqual({});
  });
});

describe("closing it", () => {
  it("is no clock-out, and is restored", async () => {
    const connection = await desk.enter();
    desk.clock.close();
    expect(connection.closedWith).toBe(3000);
    expect(desk.state).toMatchObject({ state: "lost", hold: held() });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections()).toBe(1);
    await desk.clock.restore();
    await desk.back();
    expect(desk.state.state).toBe("in");
  });

  it("tells who waits, and what was wanted is wanted all the same", async () => {
    await desk.enter();
    await desk.end();
    const out = outcome(desk.clock.clockOut());
    await settled();
    desk.clock.close();
    await settled();
    expect(out.now).toBe("closed");
    await desk.clock.restore();
    const next = await desk.back();
    expect(next.count("clockOut")).toBe(1);
  });
});
