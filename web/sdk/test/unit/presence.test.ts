// Channels and tracking, as an application sees them.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPresence, type Presence } from "../../src/index.js";
import { fakeHub, settled, snapshot, USER, WELCOME } from "../support/fake.js";

const WEDDING = "wedding:2a4c6e80-1b3d-4f5a-8c7e-9d0b1c2d3e04";
const AGENCY = "organization:4c6e80a2-3d5f-4b7c-8e90-1f2d3e4f5a06";
const BEN = "8b7a2d44-52f3-4f0a-8f6e-0c9d2e4b5a02";
const ANNA = "1b7a2d44-52f3-4f0a-8f6e-0c9d2e4b5a02";
const ACCOUNT = "5d7f91b3-4e60-4c8d-9fa1-203e4f5a6b07";

let hub: ReturnType<typeof fakeHub>;
let presence: Presence;

beforeEach(() => {
  vi.useFakeTimers();
  hub = fakeHub();
  presence = createPresence({
    url: "ws://hub/ws",
    token: () => "token",
    WebSocket: hub.WebSocket,
    device: "desktop",
  });
});

afterEach(() => {
  presence.close();
  vi.useRealTimers();
});

async function connected(): Promise<void> {
  presence.connect();
  await settled();
  await hub.last().welcome();
}

async function refuse(re: number, code: string, retryAfterMs?: number): Promise<void> {
  hub.last().say({ t: "error", re, code, message: code, ...(retryAfterMs && { retryAfterMs }) } as never);
  await settled();
}

describe("a channel", () => {
  it("is followed from the first listener on, and shows what came", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    expect(hub.last().count("subscribe")).toBe(0);
    const changes: unknown[] = [];
    wedding.subscribe((state, change) => changes.push([state.phase, change?.joined.length]));
    await settled();
    expect(hub.last().last("subscribe").channels).toEqual([
      { channel: WEDDING, people: "present", accounts: true },
    ]);
    await hub.last().grant(1, [{ userId: BEN, status: "busy" }]);
    expect(wedding.get()).toMatchObject({ phase: "live", people: [{ userId: BEN, status: "busy" }] });
    expect(changes).toEqual([["live", 1]]);
    expect(wedding.get()).toBe(wedding.get());
  });

  it("is sorted by id, whatever came first", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    wedding.subscribe(() => {});
    await settled();
    await hub.last().grant(1, [{ userId: BEN, status: "busy" }]);
    hub.last().say({ t: "diff", sub: 1, seq: 2, join: [{ userId: ANNA, status: "online" }] });
    expect(wedding.get().people.map(({ userId }) => userId)).toEqual([ANNA, BEN]);
    expect(wedding.person(ANNA)).toEqual({ userId: ANNA, status: "online" });
  });

  it("is one subscription for all its handles, as wide as the widest, each shown what it asked for", async () => {
    await connected();
    const here = presence.channel(AGENCY);
    const roster = presence.channel(AGENCY, { people: "roster", accounts: false });
    const board = presence.channel(AGENCY, { people: "none" });
    for (const handle of [here, roster, board]) handle.subscribe(() => {});
    await settled();
    expect(hub.last().count("subscribe")).toBe(1);
    expect(hub.last().last("subscribe").channels).toEqual([
      { channel: AGENCY, people: "roster", accounts: true },
    ]);
    await hub.last().grant(1, [
      { userId: ANNA, status: "offline", lastSeen: null },
      { userId: BEN, status: "busy" },
      { accountId: ACCOUNT, holder: "occupied" },
    ]);
    const shown = (handle: typeof here) => [handle.get().people.length, handle.get().accounts.length];
    expect([here, roster, board].map(shown)).toEqual([
      [1, 1],
      [2, 0],
      [0, 1],
    ]);
    expect(board.account(ACCOUNT)).toEqual({ accountId: ACCOUNT, holder: "occupied" });
  });

  it("is asked for anew where somebody wants more of it, and shows what it has meanwhile", async () => {
    await connected();
    const here = presence.channel(AGENCY, { accounts: false });
    here.subscribe(() => {});
    await settled();
    await hub.last().grant(1, [{ userId: BEN, status: "busy" }]);
    presence.channel(AGENCY, { people: "roster" }).subscribe(() => {});
    await settled();
    expect(hub.last().count("subscribe")).toBe(2);
    expect(here.get().people).toHaveLength(1);
    await hub.last().grant(2, [{ userId: BEN, status: "busy" }]);
    expect(here.get()).toMatchObject({ phase: "live", people: [{ userId: BEN }] });
  });

  it("is given back a second after its last listener, and not where one comes back", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    const stop = wedding.subscribe(() => {});
    await settled();
    await hub.last().grant(1);
    stop();
    await vi.advanceTimersByTimeAsync(999);
    const again = wedding.subscribe(() => {});
    await vi.advanceTimersByTimeAsync(5_000);
    expect(hub.last().count("unsubscribe")).toBe(0);
    again();
    again();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(hub.last().last("unsubscribe").subscription).toBe(1);
    expect(wedding.get()).toMatchObject({ phase: "loading", people: [] });
  });

  it("that was given back before it was granted is given back then", async () => {
    await connected();
    presence.channel(WEDDING).subscribe(() => {})();
    await settled();
    await vi.advanceTimersByTimeAsync(1_000);
    await hub.last().grant(5);
    expect(hub.last().last("unsubscribe").subscription).toBe(5);
  });

  it("that is not there is refused and not asked for again, not even by another connection", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    wedding.subscribe(() => {});
    await settled();
    const re = hub.last().last("subscribe").id;
    hub.last().say({ t: "subscribed", re, channels: [{ channel: WEDDING, error: "unknown_channel" }] });
    await settled();
    expect(wedding.get()).toMatchObject({ phase: "refused", error: { code: "unknown_channel" } });
    hub.last().end();
    await vi.advanceTimersByTimeAsync(0);
    await hub.last().welcome();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(hub.last().count("subscribe")).toBe(0);
  });

  it("of very many is asked for in frames that the hub can read", async () => {
    await connected();
    for (let one = 0; one < 130; one += 1)
      presence.channel(`wedding:2a4c6e80-1b3d-4f5a-8c7e-${`${one}`.padStart(12, "0")}`).subscribe(() => {});
    await settled();
    const frames = hub
      .last()
      .sent.flatMap((frame) => (frame.t === "subscribe" ? [frame.channels.length] : []));
    expect(frames).toEqual([64, 64, 2]);
  });

  it("that cannot be is refused without asking, and spoils nothing for others", async () => {
    await connected();
    const none = presence.channel("wedding:june");
    none.subscribe(() => {});
    presence.channel(WEDDING).subscribe(() => {});
    await settled();
    expect(
      hub
        .last()
        .last("subscribe")
        .channels.map(({ channel }) => channel),
    ).toEqual([WEDDING]);
    expect(none.get()).toMatchObject({ phase: "refused", error: { code: "malformed" } });
    await expect(none.track()).rejects.toMatchObject({ code: "malformed" });
    expect(presence.me.get().track).toBeUndefined();
  });

  it("that ends is told, and is empty", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    const phases: string[] = [];
    wedding.subscribe(({ phase }) => phases.push(phase));
    await settled();
    await hub.last().grant(1, [{ userId: BEN, status: "busy" }]);
    hub.last().say({ t: "ended", sub: 1, reason: "unknown_channel" });
    expect(wedding.get()).toMatchObject({ phase: "refused", people: [] });
    expect(phases).toEqual(["live", "refused"]);
  });

  it("for which there was no place is asked for again later", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    wedding.subscribe(() => {});
    await settled();
    await refuse(hub.last().last("subscribe").id, "unavailable", 700);
    expect(wedding.get()).toMatchObject({ phase: "refused", error: { code: "unavailable" } });
    await vi.advanceTimersByTimeAsync(700);
    expect(wedding.get().phase).toBe("loading");
    await hub.last().grant(1);
    expect(wedding.get().phase).toBe("live");
  });

  it("says when the hub has lost sight of it", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    wedding.subscribe(() => {});
    await settled();
    await hub.last().grant(1);
    hub.last().say({ t: "stale", stale: true });
    expect(wedding.get().phase).toBe("stale");
    hub.last().say({ t: "stale", sub: 1, stale: false });
    expect(wedding.get().phase).toBe("live");
  });

  it("is shown page by page only the first time", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    wedding.subscribe(() => {});
    await settled();
    const re = hub.last().last("subscribe").id;
    hub.last().say({ t: "subscribed", re, channels: [{ channel: WEDDING, subscription: 1 }] });
    const page = snapshot(1, [{ userId: BEN, status: "busy" }]);
    hub.last().say({ ...page, more: true } as never);
    expect(wedding.get()).toMatchObject({ phase: "loading", people: [{ userId: BEN }] });
  });

  it("whose listener throws goes on for all others", async () => {
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    await connected();
    const wedding = presence.channel(WEDDING);
    const heard = vi.fn();
    const theirs = vi.fn().mockImplementationOnce(() => {
      throw new Error("theirs");
    });
    wedding.subscribe(theirs);
    wedding.subscribe(heard);
    await settled();
    await hub.last().grant(1, [{ userId: BEN, status: "busy" }]);
    expect(heard).toHaveBeenCalledTimes(1);
    expect(reported).toHaveBeenCalledTimes(1);
    expect(presence.connection.get().state).toBe("connected");
    vi.unstubAllGlobals();
  });
});

describe("tracking", () => {
  it("shows at once, and tells the hub as fast as it takes it", async () => {
    void presence.track({ status: "busy" });
    expect(presence.me.get()).toMatchObject({ track: { status: "busy" }, pending: true });
    await connected();
    expect(hub.last().last("hello").track).toEqual({ status: "busy", device: "desktop" });
    expect(presence.me.get()).toMatchObject({ userId: USER, pending: false });
    for (const customStatus of ["a", "ab", "abc"]) {
      void presence.say({ customStatus });
      await settled();
    }
    expect(hub.last().last("track").track).toMatchObject({ customStatus: "a" });
    await hub.last().ack("track");
    await vi.advanceTimersByTimeAsync(1_100);
    expect(hub.last().count("track")).toBe(2);
    expect(hub.last().last("track").track).toMatchObject({ customStatus: "abc" });
  });

  it("tells in one frame what is said in one breath", async () => {
    await connected();
    void presence.channel(WEDDING).track({ currentPage: "/a" });
    await hub.last().ack("track");
    await vi.advanceTimersByTimeAsync(2_000);
    void presence.channel(WEDDING).untrack();
    void presence.channel(AGENCY).track({ currentPage: "/b" });
    await settled();
    expect(hub.last().count("track")).toBe(2);
    expect(hub.last().last("track").track).toMatchObject({ currentPage: "/b", in: [AGENCY] });
  });

  it("ends every promise when the newest is there", async () => {
    await connected();
    const all = [presence.track({ customStatus: "a" })];
    await settled();
    for (const customStatus of ["ab", "abc"]) all.push(presence.track({ customStatus }));
    await hub.last().ack("track");
    await vi.advanceTimersByTimeAsync(1_100);
    await hub.last().ack("track");
    await expect(Promise.all(all)).resolves.toHaveLength(3);
    expect(presence.me.get().pending).toBe(false);
  });

  it("that came too soon is told when the hub wants it, as it is then", async () => {
    await connected();
    const told = presence.track({ status: "busy" });
    await settled();
    await refuse(hub.last().last("track").id, "rate_limited", 740);
    void presence.say({ status: "away" });
    await vi.advanceTimersByTimeAsync(739);
    expect(hub.last().count("track")).toBe(1);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(hub.last().last("track").track.status).toBe("away");
    await hub.last().ack("track");
    await expect(told).resolves.toBeUndefined();
    expect(presence.me.get().error).toBeUndefined();
  });

  it("that the hub does not take is taken back, and says why", async () => {
    await connected();
    void presence.track({ status: "busy" });
    await hub.last().ack("track");
    await vi.advanceTimersByTimeAsync(2_000);
    const told = presence.say({ customStatus: "x".repeat(101) });
    await settled();
    await refuse(hub.last().last("track").id, "invalid_value");
    await expect(told).rejects.toMatchObject({ code: "invalid_value" });
    expect(presence.me.get()).toMatchObject({
      track: { status: "busy", device: "desktop" },
      pending: false,
      error: { code: "invalid_value" },
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(hub.last().count("track")).toBe(2);
  });

  it("that the hub does not take in a hello costs one connection, and not the client", async () => {
    const told = presence.track({ customStatus: "x".repeat(101) });
    presence.connect();
    await settled();
    hub.last().open();
    hub.last().say({ t: "error", code: "invalid_value", message: "too long" });
    hub.last().end(4300);
    await vi.advanceTimersByTimeAsync(0);
    await hub.last().welcome();
    expect(hub.last().last("hello").track).toBeUndefined();
    await refuse(hub.last().last("track").id, "invalid_value");
    await expect(told).rejects.toMatchObject({ code: "invalid_value" });
    expect(presence.me.get().track?.customStatus).toBeUndefined();
    expect(hub.connections).toHaveLength(2);
  });

  it("that was lost with its connection is told by the next one", async () => {
    await connected();
    void presence.track({});
    await hub.last().ack("track");
    await vi.advanceTimersByTimeAsync(2_000);
    const told = presence.say({ status: "busy" });
    await settled();
    expect(hub.last().count("track")).toBe(2);
    hub.last().end();
    await vi.advanceTimersByTimeAsync(0);
    await hub.last().welcome();
    expect(hub.last().last("hello").track?.status).toBe("busy");
    await expect(told).resolves.toBeUndefined();
  });

  it("ends while the connection is away, where it was ended meanwhile", async () => {
    await connected();
    void presence.track({});
    await hub.last().ack("track");
    hub.last().end();
    void presence.untrack();
    await vi.advanceTimersByTimeAsync(0);
    hub.last().open();
    hub.last().say({ ...WELCOME, resume: { resumed: true, subscriptions: [] } });
    await settled();
    expect(hub.last().last("hello").track).toBeUndefined();
    expect(hub.last().count("untrack")).toBe(1);
  });

  it("forgets typing when it ends by itself, without a word to the hub", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    void wedding.track({ isTyping: true });
    await hub.last().ack("track");
    expect(presence.me.get().track?.isTyping).toBe(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(presence.me.get().track?.isTyping).toBeUndefined();
    expect(presence.me.get().pending).toBe(false);
    expect(hub.last().count("track")).toBe(1);
  });
});

describe("a person who signs out", () => {
  it("leaves nothing behind for the next one", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    wedding.subscribe(() => {});
    void presence.track({ status: "busy" });
    await settled();
    await hub.last().grant(1, [{ userId: BEN, status: "busy" }]);
    void presence.signOut();
    await hub.last().ack("signOut");
    hub.last().end(1000);
    expect(wedding.get()).toMatchObject({ phase: "loading", people: [] });
    expect(presence.me.get()).toMatchObject({ userId: undefined, track: undefined });
    expect(presence.settings.get()).toBeUndefined();
    presence.connect();
    await settled();
    hub.last().open();
    expect(hub.last().last("hello")).toEqual({ t: "hello", token: "token" });
  });

  it("without a word is noticed by who comes next", async () => {
    await connected();
    const wedding = presence.channel(WEDDING);
    wedding.subscribe(() => {});
    await settled();
    await hub.last().grant(1, [{ userId: BEN, status: "busy" }]);
    hub.last().end();
    await vi.advanceTimersByTimeAsync(0);
    const resume = { resumed: false as const, reason: "unknown_session" };
    await hub.last().welcome({ user: ANNA, session: ACCOUNT, resume });
    expect(wedding.get()).toMatchObject({ phase: "loading", people: [] });
    await hub.last().grant(2);
    expect(wedding.get()).toMatchObject({ phase: "live", people: [] });
  });
});

describe("settings", () => {
  it("are those that the hub told last", async () => {
    await connected();
    const heard = vi.fn();
    presence.settings.subscribe(heard);
    const settings = { ...WELCOME.settings, visibility: "nobody" as const };
    hub.last().say({ t: "settings", settings });
    expect(presence.settings.get()?.visibility).toBe("nobody");
    expect(heard).toHaveBeenCalledTimes(1);
  });
});

describe("requests", () => {
  it("are bounded", async () => {
    const asked = Array.from({ length: 257 }, () => presence.activity({ activityType: "focus" }));
    await expect(asked[256]).rejects.toMatchObject({ code: "too_many_requests" });
    await connected();
    expect(hub.last().count("activity")).toBe(256);
  });
});
