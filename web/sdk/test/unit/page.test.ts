// @vitest-environment happy-dom
// What a page goes through, and what a reload keeps.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPresence, type Presence } from "../../src/index.js";
import { fakeHub, SESSION, settled, WELCOME } from "../support/fake.js";

let hub: ReturnType<typeof fakeHub>;
let presence: Presence;

function make(): void {
  hub = fakeHub();
  presence = createPresence({
    url: "ws://hub/ws",
    token: () => "token",
    WebSocket: hub.WebSocket,
    idleAfterMs: 60_000,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
  make();
});

afterEach(() => {
  presence.close();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function connected(): Promise<void> {
  presence.connect();
  await settled();
  await hub.last().welcome();
}

/** Nothing but heartbeats for this long. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 20_000) {
    await vi.advanceTimersByTimeAsync(Math.min(left, 20_000));
    hub.last().say({ t: "heartbeat" });
  }
}

function on(target: EventTarget, name: string): void {
  target.dispatchEvent(new Event(name));
}

describe("a page that is put aside", () => {
  it("lets go of its connection, and resumes when it is shown again", async () => {
    await connected();
    on(window, "pagehide");
    expect(hub.last().closedWith).toBe(3000);
    expect(presence.connection.get()).toMatchObject({ state: "waiting", reason: { kind: "suspended" } });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(hub.connections).toHaveLength(1);
    on(window, "pageshow");
    await settled();
    hub.last().open();
    expect(hub.last().last("hello").resume?.session).toBe(SESSION);
  });

  it("does so too when it is frozen, and resumes when it thaws", async () => {
    await connected();
    on(document, "freeze");
    expect(hub.last().closedWith).toBe(3000);
    on(document, "resume");
    await settled();
    hub.last().open();
    expect(hub.last().last("hello").resume?.session).toBe(SESSION);
  });

  it("stays closed where it was closed", async () => {
    await connected();
    presence.close();
    on(window, "pagehide");
    on(window, "pageshow");
    await settled();
    expect(hub.connections).toHaveLength(1);
  });
});

describe("a network or a machine that comes back", () => {
  it.each([
    ["online", () => on(window, "online")],
    ["resume", () => on(document, "resume")],
    ["visibilitychange", () => on(document, "visibilitychange")],
  ])("%s: doubts the connection, and gives it up where the hub is silent", async (_, back) => {
    await connected();
    back();
    await settled();
    expect(hub.last().count("ping")).toBe(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(presence.connection.get()).toMatchObject({ state: "waiting", reason: { kind: "lost" } });
  });

  it("keeps a connection over which the hub answers", async () => {
    await connected();
    await vi.advanceTimersByTimeAsync(1);
    on(window, "online");
    await vi.advanceTimersByTimeAsync(10);
    await hub.last().ack("ping");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(hub.connections).toHaveLength(1);
  });

  it("does not wait out a wait of its own, but one that the hub asked for", async () => {
    await connected();
    for (let attempt = 0; attempt < 9; attempt += 1) {
      hub.last().end();
      on(window, "online");
      await settled();
    }
    expect(hub.connections).toHaveLength(10);
    await hub.last().welcome();
    hub.last().say({ t: "closing", code: "overloaded", reconnectAfterMs: 9_000 });
    hub.last().end(4102);
    on(window, "online");
    await settled();
    expect(hub.connections).toHaveLength(10);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(hub.connections).toHaveLength(11);
  });

  it("is noticed by the clock on the wall after a sleep", async () => {
    await connected();
    await vi.advanceTimersByTimeAsync(10_000);
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(hub.last().count("ping")).toBe(1);
  });
});

describe("idleness", () => {
  it("is told after a while without a sign, and taken back with the next one", async () => {
    await connected();
    void presence.track();
    await hub.last().ack("track");
    await pass(59_999);
    expect(presence.me.get().track?.status).toBe("online");
    on(window, "keydown");
    await pass(60_000);
    expect(hub.last().last("track").track.status).toBe("idle");
    await hub.last().ack("track");
    await pass(2_000);
    on(window, "pointermove");
    await settled();
    expect(hub.last().last("track").track.status).toBe("online");
  });

  it("makes nobody present who is not", async () => {
    await connected();
    await pass(200_000);
    on(window, "keydown");
    await pass(2_000);
    expect(hub.last().count("track")).toBe(0);
  });
});

describe("a reload", () => {
  it("keeps the status that was chosen", async () => {
    void presence.track({ status: "busy", customStatus: "on site", currentPage: "/a" });
    presence.close();
    make();
    void presence.track();
    await connected();
    expect(hub.last().last("hello").track).toMatchObject({ status: "busy", customStatus: "on site" });
    expect(hub.last().last("hello").track?.currentPage).toBeUndefined();
  });

  it("forgets it after a sign-out", async () => {
    await connected();
    void presence.track({ status: "busy" });
    void presence.signOut();
    presence.close();
    make();
    void presence.track();
    expect(presence.me.get().track?.status).toBe("online");
  });

  it.each(["{", "7", "null", '{"status":{"a":1}}', '{"status":"on fire"}'])(
    "is not disturbed by what others left in the storage: %s",
    async (left) => {
      sessionStorage.setItem("presence-hub", left);
      make();
      void presence.track();
      expect(presence.me.get().track?.status).toBe("online");
    },
  );

  it("does without a storage that is denied", async () => {
    vi.stubGlobal(
      "sessionStorage",
      new Proxy(
        {},
        {
          get() {
            throw new DOMException("denied", "SecurityError");
          },
        },
      ),
    );
    make();
    void presence.track({ status: "busy" });
    await connected();
    expect(hub.last().last("hello").track?.status).toBe("busy");
    void presence.signOut();
    expect(WELCOME.t).toBe("welcome");
  });
});
