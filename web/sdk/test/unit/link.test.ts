// What a connection goes through: how it ends, and whether and when the next one is made.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPresence, type Presence, type PresenceOptions } from "../../src/index.js";
import { fakeHub, SESSION, settled, snapshot, WELCOME } from "../support/fake.js";

const WEDDING = "wedding:2a4c6e80-1b3d-4f5a-8c7e-9d0b1c2d3e04";

let hub: ReturnType<typeof fakeHub>;
let presence: Presence;

function make(options: Partial<PresenceOptions> = {}): void {
  hub = fakeHub();
  presence = createPresence({
    url: "https://hub/ws",
    token: () => "token",
    WebSocket: hub.WebSocket,
    ...options,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  make();
});

afterEach(() => {
  presence.close();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function connect(): Promise<void> {
  presence.connect();
  await settled();
}

async function connected(): Promise<void> {
  await connect();
  await hub.last().welcome();
}

const state = () => presence.connection.get();

describe("opening", () => {
  it("offers the protocol, and keeps the token out of the address", async () => {
    await connect();
    expect(hub.last()).toMatchObject({ url: "wss://hub/ws", protocols: ["presence.v1.json"] });
    expect(hub.last().sent).toEqual([]);
    hub.last().open();
    expect(hub.last().sent).toEqual([{ t: "hello", token: "token" }]);
  });

  it("gives up an attempt that is not welcomed in time", async () => {
    await connect();
    hub.last().open();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(state()).toMatchObject({ state: "waiting", reason: { kind: "lost" } });
    expect(hub.last().closedWith).toBe(3000);
  });

  it("is unreachable where nothing opens, and tries less and less often", async () => {
    await connect();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      hub.last().end();
      const now = state();
      expect(now).toMatchObject({ state: "waiting", reason: { kind: "unreachable" } });
      waits.push(now.state === "waiting" ? now.ms : -1);
      await vi.advanceTimersByTimeAsync(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    expect(hub.connections).toHaveLength(9);
  });

  it("ends where the address is none", async () => {
    make({
      WebSocket: class {
        constructor() {
          throw new SyntaxError("no address");
        }
      } as never,
    });
    await connect();
    expect(state()).toEqual({ state: "ended", reason: { kind: "url" } });
  });
});

describe("a close", () => {
  const CASES: [number, string, number | undefined][] = [
    [1000, "ended", undefined],
    [1001, "waiting", 500],
    [1006, "waiting", 0],
    [1011, "waiting", 500],
    [4000, "waiting", 0],
    [4100, "waiting", 30_000],
    [4199, "waiting", 30_000],
    [4200, "waiting", 0],
    [4300, "ended", undefined],
    [4399, "ended", undefined],
    [4400, "waiting", 500],
  ];
  it.each(CASES)("with %i: %s, %s ms", async (code, then, ms) => {
    await connected();
    hub.last().end(code);
    expect(state().state).toBe(then);
    const now = state();
    if (now.state === "waiting") expect(now.ms).toBe(ms);
  });

  it("comes back when the hub wants it, and nothing shortens that", async () => {
    await connected();
    hub.last().say({ t: "closing", code: "restarting", message: "soon", reconnectAfterMs: 4_200 });
    hub.last().end(4100);
    expect(state()).toEqual({
      state: "waiting",
      ms: 4_200,
      reason: { kind: "closed", code: 4100, name: "restarting", message: "soon" },
    });
    await vi.advanceTimersByTimeAsync(4_199);
    expect(hub.connections).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(hub.connections).toHaveLength(2);
  });

  it("of connections that are welcomed and closed at once is no reason to hurry", async () => {
    await connected();
    for (let attempt = 0; attempt < 6; attempt += 1) {
      hub.last().end();
      const now = state();
      await vi.advanceTimersByTimeAsync(now.state === "waiting" ? now.ms : 0);
      await hub.last().welcome();
    }
    hub.last().end();
    expect(state()).toMatchObject({ state: "waiting", ms: 15_000 });
  });

  it("is forgotten when a connection has held", async () => {
    await connected();
    hub.last().end();
    await vi.advanceTimersByTimeAsync(0);
    await hub.last().welcome();
    await vi.advanceTimersByTimeAsync(10_000);
    hub.last().end();
    expect(state()).toMatchObject({ state: "waiting", ms: 0 });
  });

  it("by `replaced` leaves the session to whoever has it now", async () => {
    await connected();
    hub.last().end(4001);
    await vi.advanceTimersByTimeAsync(0);
    hub.last().open();
    expect(hub.last().last("hello").resume).toBeUndefined();
  });
});

describe("heartbeats", () => {
  it("are answered when everything before them is applied", async () => {
    const order: string[] = [];
    await connected();
    presence.channel(WEDDING).subscribe(({ people }) => order.push(`${people.length}`));
    await settled();
    const { id } = hub.last().last("subscribe");
    hub.last().say({ t: "subscribed", re: id, channels: [{ channel: WEDDING, subscription: 1 }] });
    const send = vi.spyOn(hub.last(), "send").mockImplementation(() => void order.push("heartbeat"));
    hub.last().say(snapshot(1, [{ userId: SESSION, status: "online" }]), { t: "heartbeat" });
    expect(order).toEqual(["1", "heartbeat"]);
    send.mockRestore();
  });

  it("that stay away mean that the connection is lost", async () => {
    await connected();
    await vi.advanceTimersByTimeAsync(34_000);
    hub.last().say({ t: "heartbeat" });
    await vi.advanceTimersByTimeAsync(34_999);
    expect(state().state).toBe("connected");
    await vi.advanceTimersByTimeAsync(1);
    expect(state()).toMatchObject({ state: "waiting", ms: 0, reason: { kind: "lost" } });
  });
});

describe("coming back", () => {
  it("names the session and where each view stands, and says what is announced", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    wedding.subscribe(() => {});
    await settled();
    await hub.last().grant(7);
    void wedding.track({ currentPage: "/timeline" });
    await hub.last().ack("track");
    hub.last().end();
    expect(wedding.get().phase).toBe("stale");
    await vi.advanceTimersByTimeAsync(0);
    hub.last().open();
    expect(hub.last().last("hello")).toEqual({
      t: "hello",
      token: "token",
      resume: { session: SESSION, subscriptions: [{ subscription: 7, sequence: 1 }] },
      track: expect.objectContaining({ status: "online", currentPage: "/timeline", in: [WEDDING] }),
    });
    const subscriptions = [{ subscription: 7, resumed: true as const }];
    hub.last().say({ ...WELCOME, resume: { resumed: true, subscriptions } });
    await settled();
    expect(state()).toEqual({ state: "connected", resumed: true });
    expect(wedding.get().phase).toBe("live");
    expect(hub.last().sent.map(({ t }) => t)).toEqual(["hello"]);
  });

  it("asks for everything anew where the session is gone, and shows what was until then", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    wedding.subscribe(() => {});
    await settled();
    await hub.last().grant(1, [{ userId: SESSION, status: "busy" }]);
    hub.last().end();
    await vi.advanceTimersByTimeAsync(0);
    await hub.last().welcome({ session: "other", resume: { resumed: false, reason: "unknown_session" } });
    expect(wedding.get()).toMatchObject({ phase: "stale", people: [{ status: "busy" }] });
    await hub.last().grant(1);
    expect(wedding.get()).toMatchObject({ phase: "live", people: [] });
  });

  it("asks again for what was not answered, once, under the same name", async () => {
    await connected();
    const set = presence.setSettings({ visibility: "nobody" });
    const before = hub.last().last("setSettings");
    hub.last().end();
    await vi.advanceTimersByTimeAsync(0);
    await hub.last().welcome();
    expect(hub.last().last("setSettings")).toMatchObject({ settings: before.settings, opId: before.opId });
    hub.last().say({ t: "ack", re: hub.last().last("setSettings").id, durable: false });
    await expect(set).resolves.toEqual({ durable: false });
    expect(hub.last().count("setSettings")).toBe(1);
  });
});

describe("a request that is too large", () => {
  it("is refused here, because the hub would close for it", async () => {
    await connected();
    const { messageBytes } = WELCOME.limits;
    const fits = '{"t":"activity","activity":{"activityType":"focus","page":""},"id":1}'.length;
    const page = (length: number) => presence.activity({ activityType: "focus", page: "ü".repeat(length) });
    void page((messageBytes - fits - 1) / 2);
    const tooLarge = page((messageBytes - fits + 1) / 2);
    await expect(tooLarge).rejects.toMatchObject({ code: "too_large" });
    expect(hub.last().count("activity")).toBe(1);
  });

  it("in a hello costs one connection", async () => {
    void presence.track({ customStatus: "x".repeat(20_000) });
    await connect();
    hub.last().open();
    hub.last().end(1009);
    await vi.advanceTimersByTimeAsync(0);
    await hub.last().welcome();
    expect(hub.last().last("hello").track).toBeUndefined();
    await settled();
    expect(presence.me.get()).toMatchObject({ track: undefined, error: { code: "too_large" } });
  });
});

describe("nonsense from the hub", () => {
  it("of unknown kinds is passed over", async () => {
    await connected();
    hub.last().say({ t: "weather" }, { t: "ack" }, { t: "diff", sub: 9, seq: 4 } as never);
    expect(state().state).toBe("connected");
  });

  it.each([
    ["text", "{"],
    ["a list", "[]"],
    ["nothing", "null"],
    ["bytes", new ArrayBuffer(3)],
  ])("that is no frame (%s) ends the connection, not the client", async (_, data) => {
    await connected();
    hub.last().onmessage?.({ data });
    expect(state()).toMatchObject({ state: "waiting", ms: 500, reason: { kind: "protocol" } });
  });

  it("in a frame of a known kind does the same", async () => {
    await connected();
    hub.last().say({ t: "subscribed", channels: 7 } as never);
    expect(state()).toMatchObject({ state: "waiting", reason: { kind: "protocol" } });
  });

  it("that leaves out a frame makes the channel be asked for anew, and no other", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    wedding.subscribe(() => {});
    await settled();
    await hub.last().grant(1, [{ userId: SESSION, status: "busy" }]);
    hub.last().say({ t: "diff", sub: 1, seq: 3, leave: [{ userId: SESSION }] });
    await settled();
    expect(wedding.get()).toMatchObject({ phase: "stale", people: [{ status: "busy" }] });
    hub.last().say({ t: "diff", sub: 1, seq: 4 });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(hub.last().count("subscribe")).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(hub.last().count("subscribe")).toBe(2);
    await hub.last().grant(2);
    expect(wedding.get()).toMatchObject({ phase: "live", people: [] });
  });
});

describe("tokens", () => {
  it("that end soon are replaced on the same connection", async () => {
    let token = "first";
    make({ token: () => token });
    await connected();
    token = "second";
    for (let beat = 0; beat < 3; beat += 1) {
      await vi.advanceTimersByTimeAsync(20_000);
      hub.last().say({ t: "heartbeat" });
    }
    hub.last().say({ t: "expiring", inMs: 60_000 });
    await vi.advanceTimersByTimeAsync(0);
    expect(hub.last().last("refresh").token).toBe("second");
    await hub.last().ack("refresh");
    expect(hub.connections).toHaveLength(1);
  });

  it("that never last longer than the warning are replaced in the middle of each", async () => {
    let tokens = 0;
    make({
      token() {
        tokens += 1;
        return `token ${tokens}`;
      },
    });
    await connected();
    for (let round = 0; round < 5; round += 1) {
      hub.last().say({ t: "expiring", inMs: 30_000 });
      await vi.advanceTimersByTimeAsync(14_999);
      expect(hub.last().count("refresh")).toBe(round);
      await vi.advanceTimersByTimeAsync(1);
      await hub.last().ack("refresh");
    }
  });

  it("that were refused are not offered again", async () => {
    let token = "first";
    make({ token: () => token });
    await connect();
    hub.last().open();
    hub.last().end(4201);
    for (let attempt = 0; attempt < 5; attempt += 1) await vi.advanceTimersByTimeAsync(30_000);
    expect(hub.connections).toHaveLength(1);
    expect(state()).toMatchObject({ state: "waiting", reason: { kind: "token" } });
    token = "second";
    await vi.advanceTimersByTimeAsync(30_000);
    expect(hub.connections).toHaveLength(2);
  });

  it("that are text and refused end it", async () => {
    make({ token: "only" });
    await connected();
    hub.last().end(4200);
    await vi.advanceTimersByTimeAsync(0);
    expect(state()).toMatchObject({ state: "ended", reason: { kind: "token" } });
    await expect(presence.setSettings({ visibility: "nobody" })).rejects.toMatchObject({ code: "ended" });
  });

  it("that cannot be had are asked for less and less often", async () => {
    const source = vi.fn(() => Promise.reject(new Error("signed out")));
    make({ token: source });
    await connect();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(source.mock.calls.length).toBeGreaterThan(3);
    expect(source.mock.calls.length).toBeLessThan(12);
    expect(hub.connections).toHaveLength(0);
  });

  it("that never come are given up after a while", async () => {
    make({ token: () => new Promise(() => {}) });
    await connect();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(state()).toMatchObject({
      state: "waiting",
      reason: { kind: "token", error: { code: "timeout" } },
    });
  });
});

describe("closing", () => {
  it("keeps the session, and leaves nobody waiting", async () => {
    await connected();
    const set = presence.setSettings({ showActivity: false });
    presence.close();
    expect(hub.last().closedWith).toBe(3000);
    await expect(set).rejects.toMatchObject({ code: "closed" });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(hub.connections).toHaveLength(1);
    presence.connect();
    await settled();
    expect(hub.connections).toHaveLength(2);
  });

  it("for good comes with a sign-out", async () => {
    await connected();
    void presence.track();
    await hub.last().ack("track");
    const out = presence.signOut();
    await hub.last().ack("signOut");
    hub.last().end(1000);
    await out;
    expect(state()).toMatchObject({ state: "ended", reason: { kind: "closed", code: 1000 } });
    expect(presence.me.get().track).toBeUndefined();
  });
});
