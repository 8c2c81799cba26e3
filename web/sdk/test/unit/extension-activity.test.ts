// How often the hub is told that the assistant works.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clockedIn, DESK, Desk, outcome } from "../support/clock.js";
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

const told = () => desk.hub.last().count("activity");
const page = (name: string) => ({ activityType: "page_view" as const, page: name });

async function acknowledged(): Promise<void> {
  await settled();
  await desk.hub.last().ack("activity");
}

describe("activity", () => {
  it("is told at once, and its promise ends when the hub has it", async () => {
    await desk.enter();
    const done = outcome(desk.clock.activity());
    await settled();
    expect(desk.hub.last().last("activity").activity).toEqual({ activityType: "interaction" });
    expect(done.now).toBe("pending");
    await acknowledged();
    expect(done.now).toBeUndefined();
  });

  it("of the same sort is told once a minute, the last one too", async () => {
    await desk.enter();
    void desk.clock.activity();
    await acknowledged();
    for (let second = 0; second < 59; second += 1) {
      for (let sign = 0; sign < 20; sign += 1) void desk.clock.activity();
      await vi.advanceTimersByTimeAsync(1_000);
      await desk.say({ t: "heartbeat" });
    }
    expect(told()).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told()).toBe(2);
    await acknowledged();
    await desk.say({ t: "heartbeat" });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(told()).toBe(2);
  });

  it("of another sort is told once a second, the newest of what came", async () => {
    await desk.enter();
    for (const name of ["/a", "/b", "/c", "/d"]) void desk.clock.activity(page(name));
    await acknowledged();
    expect(desk.hub.last().last("activity").activity).toEqual(page("/a"));
    await vi.advanceTimersByTimeAsync(1_000);
    await acknowledged();
    expect([told(), desk.hub.last().last("activity").activity]).toEqual([2, page("/d")]);
    const done = outcome(desk.clock.activity(page("/e")));
    await vi.advanceTimersByTimeAsync(1_000);
    await acknowledged();
    expect([told(), done.now]).toEqual([3, undefined]);
  });

  it("that is too much for the hub waits as long as it says", async () => {
    await desk.enter();
    const done = outcome(desk.clock.activity());
    await settled();
    const { id } = desk.hub.last().last("activity");
    await desk.say({ t: "error", re: id, code: "rate_limited", message: "", retryAfterMs: 5_000 });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(told()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(told()).toBe(2);
    await acknowledged();
    expect(done.now).toBeUndefined();
  });

  it("that the hub does not take is told to who said it, and nothing else happens", async () => {
    await desk.enter();
    const done = outcome(desk.clock.activity(page("x".repeat(600))));
    await settled();
    const { id } = desk.hub.last().last("activity");
    await desk.say({ t: "error", re: id, code: "invalid_value", message: "" });
    expect([done.now, desk.state.state]).toEqual(["invalid_value", "in"]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told()).toBe(1);
  });

  it("behind a cut is told when the connection is back, the newest of it", async () => {
    await desk.enter();
    const first = outcome(desk.clock.activity(page("/a")));
    await settled();
    await desk.end();
    const second = outcome(desk.clock.activity(page("/b")));
    await vi.advanceTimersByTimeAsync(1_000);
    await desk.back();
    expect([told(), desk.hub.last().last("activity").activity]).toEqual([1, page("/b")]);
    await acknowledged();
    expect([first.now, second.now]).toEqual([undefined, undefined]);
  });

  it("under way when the connection broke gives way to a newer one", async () => {
    await desk.enter();
    const first = outcome(desk.clock.activity(page("/a")));
    await settled();
    const second = outcome(desk.clock.activity(page("/b")));
    await settled();
    await desk.end();
    await vi.advanceTimersByTimeAsync(1_000);
    await desk.back();
    expect(desk.hub.last().last("activity").activity).toEqual(page("/b"));
    await acknowledged();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([told(), first.now, second.now]).toEqual([1, undefined, undefined]);
  });

  it("of long ago is not told", async () => {
    await desk.enter();
    await desk.say({ t: "closing", code: "restarting", reconnectAfterMs: 150_000 });
    await desk.end(4100);
    const done = outcome(desk.clock.activity());
    await vi.advanceTimersByTimeAsync(150_000);
    await desk.back();
    expect([told(), done.now]).toEqual([0, "lost"]);
  });

  it("keeps nobody waiting when it is over, and is nothing where one is out", async () => {
    await expect(desk.clock.activity()).rejects.toMatchObject({ code: "not_held" });
    await desk.enter();
    void desk.clock.activity();
    await acknowledged();
    const due = outcome(desk.clock.activity());
    await settled();
    await desk.say({ t: "clockedOut", accountId: DESK, epoch: clockedIn().epoch, reason: "inactive" });
    expect(due.now).toBe("clocked_out");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(desk.hub.connections.length).toBe(1);
  });
});
