// Clock-outs and moves: answered, refused, and with their answers lost.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CODE, clockedIn, DESK, Desk, EPOCH, held, INBOX, outcome, over, refusal } from "../support/clock.js";
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

describe("a clock-out", () => {
  it("names the hold, and is done when it is acknowledged", async () => {
    const connection = await desk.enter();
    const out = outcome(desk.clock.clockOut());
    await settled();
    expect(connection.last("clockOut")).toMatchObject({ accountId: DESK, epoch: EPOCH });
    expect(desk.state).toEqual({ state: "in", hold: held(), pending: "clockOut" });
    expect(out.now).toBe("pending");
    await connection.ack("clockOut");
    expect(desk.state).toEqual({ state: "out", reason: "clocked_out", hold: held() });
    expect(out.now).toBeUndefined();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections()).toBe(1);
    await desk.clock.clockOut();
  });

  it("asked for twice is one", async () => {
    const connection = await desk.enter();
    const both = [outcome(desk.clock.clockOut()), outcome(desk.clock.clockOut())];
    await settled();
    await connection.ack("clockOut");
    expect(both.map(({ now }) => now)).toEqual([undefined, undefined]);
    expect(connection.count("clockOut")).toBe(1);
  });

  it("that a cut left unanswered is asked again under its name", async () => {
    const connection = await desk.enter();
    const out = outcome(desk.clock.clockOut());
    await settled();
    const first = connection.last("clockOut");
    await desk.end();
    expect(desk.state).toMatchObject({ state: "lost", pending: "clockOut" });
    await vi.advanceTimersByTimeAsync(0);
    const next = await desk.back();
    expect(next.last("clockOut")).toEqual({ ...first, id: expect.any(Number) });
    expect(next.count("clockOut")).toBe(1);
    expect(out.now).toBe("pending");
    await next.ack("clockOut");
    expect(out.now).toBeUndefined();
  });

  it("whose hold is over when it comes back needs nothing more", async () => {
    await desk.enter();
    const out = outcome(desk.clock.clockOut());
    await settled();
    await desk.end();
    await vi.advanceTimersByTimeAsync(0);
    await desk.hello();
    await desk.say(over("clocked_out"));
    await desk.end(4303);
    expect([desk.state, out.now]).toEqual([{ state: "out", reason: "clocked_out", hold: held() }, undefined]);
  });

  it("not_held: is done", async () => {
    const connection = await desk.enter();
    const out = outcome(desk.clock.clockOut());
    await settled();
    await desk.say(refusal("not_held", { re: connection.last("clockOut").id }));
    expect([desk.state.state, out.now]).toEqual(["out", undefined]);
  });

  it.each(["unavailable", "rate_limited"])("%s: waits and asks again under its name", async (code) => {
    const connection = await desk.enter();
    const out = outcome(desk.clock.clockOut());
    await settled();
    const first = connection.last("clockOut");
    await desk.say(refusal(code, { re: first.id, retryAfterMs: 3_000 }));
    expect(desk.state).toMatchObject({ state: "in", pending: "clockOut" });
    await vi.advanceTimersByTimeAsync(2_999);
    expect(connection.count("clockOut")).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.last("clockOut").opId).toBe(first.opId);
    await connection.ack("clockOut");
    expect(out.now).toBeUndefined();
  });

  it("that the hub fails is told, to all who asked for it, and one stays in", async () => {
    const connection = await desk.enter();
    const both = [outcome(desk.clock.clockOut()), outcome(desk.clock.clockOut())];
    await settled();
    await desk.say(refusal("internal", { re: connection.last("clockOut").id }));
    expect(desk.state).toEqual({ state: "in", hold: held(), pending: undefined });
    expect(both.map(({ now }) => now)).toEqual(["internal", "internal"]);
    expect(connection.count("clockOut")).toBe(1);
  });
});

describe("a move", () => {
  it("names the hold, and the next one the hold that it made", async () => {
    const connection = await desk.enter();
    const moves = [outcome(desk.clock.move(INBOX)), outcome(desk.clock.move(DESK))];
    await settled();
    const first = connection.last("changeAccount");
    expect(first).toMatchObject({ accountId: DESK, epoch: EPOCH, to: INBOX });
    expect(connection.count("changeAccount")).toBe(1);
    await desk.say(clockedIn(INBOX, 1, { re: first.id }));
    expect(desk.state).toEqual({ state: "in", hold: held(INBOX, 1), pending: "move" });
    const second = connection.last("changeAccount");
    expect(second).toMatchObject({ accountId: INBOX, epoch: EPOCH + 1, to: DESK });
    expect(second.opId).not.toBe(first.opId);
    await desk.say(clockedIn(DESK, 2, { re: second.id }));
    expect(moves.map(({ now }) => now)).toEqual([held(INBOX, 1), held(DESK, 2)]);
    await desk.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(await desk.hello()).toEqual({ t: "hello", token: "token 2" });
  });

  it.each(["occupied", "unknown_channel", "operation_conflict", "unavailable", "not_held", "invalid_code"])(
    "%s: is told, and one stays",
    async (code) => {
      const connection = await desk.enter();
      const move = outcome(desk.clock.move(INBOX));
      await settled();
      await desk.say(refusal(code, { re: connection.last("changeAccount").id }));
      expect([desk.state, move.now]).toEqual([{ state: "in", hold: held(), pending: undefined }, code]);
      await vi.advanceTimersByTimeAsync(30_000);
      expect(connection.count("changeAccount")).toBe(1);
    },
  );

  it("waits for a renewal under way, so that no old token is taken for the new one", async () => {
    const connection = await desk.enter();
    await desk.say({ t: "expiring", inMs: 60_000 });
    void desk.clock.move(INBOX);
    await settled();
    expect([connection.count("renew"), connection.count("changeAccount")]).toEqual([1, 0]);
    await desk.say(clockedIn(DESK, 0, { re: connection.last("renew").id, token: "newer" }));
    expect(connection.count("changeAccount")).toBe(1);
  });

  it("that a cut left unanswered is asked again under its name", async () => {
    const connection = await desk.enter();
    const move = outcome(desk.clock.move(INBOX));
    await settled();
    const first = connection.last("changeAccount");
    await desk.end();
    await vi.advanceTimersByTimeAsync(0);
    const next = await desk.back();
    const second = next.last("changeAccount");
    expect(second).toEqual({ ...first, id: expect.any(Number) });
    await desk.say(clockedIn(INBOX, 1, { re: second.id }));
    expect(move.now).toEqual(held(INBOX, 1));
  });

  it("that was made behind a cut is found by the code", async () => {
    const connection = await desk.enter();
    const move = outcome(desk.clock.move(INBOX));
    await settled();
    const { opId } = connection.last("changeAccount");
    await desk.end();
    await vi.advanceTimersByTimeAsync(0);
    await desk.hello();
    await desk.say(over("moved"));
    const hello = await desk.hello();
    expect(hello.clockIn).toEqual({ code: CODE, accountId: INBOX, opId: expect.any(String) });
    expect(hello.clockIn?.opId).not.toBe(opId);
    expect(desk.state).toMatchObject({ state: "entering", accountId: INBOX });
    await desk.say(clockedIn(INBOX, 1));
    expect([desk.state, move.now]).toEqual([
      { state: "in", hold: held(INBOX, 1), pending: undefined },
      held(INBOX, 1),
    ]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(desk.hub.last().count("changeAccount")).toBe(0);
    expect(connections()).toBe(3);
  });

  it("is looked for by the code once, and not for ever", async () => {
    await desk.enter();
    const move = outcome(desk.clock.move(INBOX));
    await settled();
    await desk.end();
    await vi.advanceTimersByTimeAsync(0);
    await desk.hello();
    await desk.say(over("moved"));
    await desk.hello();
    await desk.say(over("moved", INBOX, 1));
    expect([desk.state.state, move.now]).toEqual(["out", "clocked_out"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections()).toBe(3);
  });

  it.each(["force_cleared", "inactive", "removed", undefined])(
    "is not made by the code after another end (%s)",
    async (reason) => {
      await desk.enter();
      const move = outcome(desk.clock.move(INBOX));
      await settled();
      await desk.end();
      await vi.advanceTimersByTimeAsync(0);
      await desk.hello();
      await desk.say(over(reason));
      expect([desk.state, move.now]).toEqual([{ state: "out", reason, hold: held() }, "clocked_out"]);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(connections()).toBe(2);
    },
  );

  it("that was never sent is not looked for when another browser moved", async () => {
    await desk.enter();
    await desk.end();
    const move = outcome(desk.clock.move(INBOX));
    await vi.advanceTimersByTimeAsync(0);
    await desk.hello();
    await desk.say(over("moved"));
    expect([desk.state, move.now]).toEqual([{ state: "out", reason: "moved", hold: held() }, "clocked_out"]);
  });

  it("that nobody waits for any more is not made", async () => {
    await desk.enter();
    await desk.end();
    const move = outcome(desk.clock.move(INBOX));
    for (let second = 0; second < 180; second += 1) {
      await settled();
      if (desk.hub.last().onclose) await desk.end();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(move.now).toBe("timeout");
    expect(desk.state).toMatchObject({ state: "lost", pending: undefined });
    while (!desk.hub.last().onclose) await vi.advanceTimersByTimeAsync(1_000);
    const connection = await desk.back();
    expect(connection.count("changeAccount")).toBe(0);
  });

  it("gives way to a clock-out, where the hub does not know of it yet", async () => {
    await desk.enter();
    await desk.end();
    const move = outcome(desk.clock.move(INBOX));
    void desk.clock.clockOut();
    await vi.advanceTimersByTimeAsync(0);
    const connection = await desk.back();
    expect([move.now, connection.count("changeAccount"), connection.count("clockOut")]).toEqual([
      "superseded",
      0,
      1,
    ]);
  });

  it("to where one is, and from nowhere, asks nothing", async () => {
    await expect(desk.clock.move(INBOX)).rejects.toMatchObject({ code: "not_held" });
    const connection = await desk.enter();
    expect(await desk.clock.move(DESK)).toEqual(held());
    expect(connection.count("changeAccount")).toBe(0);
  });
});
