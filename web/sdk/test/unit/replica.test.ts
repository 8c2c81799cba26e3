// The reducer by hand, case by case. At length it is held to the Rust client by transcripts (test/hub/transcripts.test.ts).

import { beforeEach, describe, expect, it } from "vitest";
import type { Diff, Record, ResumeOutcome, ServerFrame, Snapshot } from "../../src/protocol/server.js";
import { Replica } from "../../src/replica.js";
import { SESSION, WELCOME } from "../support/fake.js";

const WEDDING = "wedding:2a4c6e80-1b3d-4f5a-8c7e-9d0b1c2d3e04";
const AGENCY = "organization:4c6e80a2-3d5f-4b7c-8e90-1f2d3e4f5a06";
const ONE = { userId: "6f1c0c1e-0a3b-4c55-9d0e-3f7f5f6b1a01", status: "online" } as const;
const TWO = { userId: "8b7a2d44-52f3-4f0a-8f6e-0c9d2e4b5a02", status: "busy" } as const;
const THREE = { userId: "c3d9e8f1-7b60-4a2c-b1d4-5e6f70819203", status: "away" } as const;
/** An account with the id of a person, which means nothing. */
const ACCOUNT = { accountId: ONE.userId, holder: "occupied" } as const;

let replica: Replica;

/** Follows one wedding as subscription 1, with one and two in it. */
beforeEach(() => {
  replica = new Replica();
  replica.apply(WELCOME);
  replica.apply(granted(1));
  replica.apply(page(1, { join: [ONE, TWO] }));
});

function granted(subscription: number): ServerFrame {
  return { t: "subscribed", re: 1, channels: [{ channel: WEDDING, subscription }] };
}

function page(seq: number, what: Partial<Snapshot> = {}): Snapshot {
  return { t: "snapshot", sub: 1, seq, join: [], more: false, ...what };
}

function diff(seq: number, what: Partial<Diff> = {}): Diff {
  return { t: "diff", sub: 1, seq, ...what };
}

function welcomed(subscriptions: (ResumeOutcome & { resumed: true })["subscriptions"]): ServerFrame {
  return { ...WELCOME, resume: { resumed: true, subscriptions } };
}

function listed(): Record[] {
  return replica.lists.get(WEDDING)?.entries.all() ?? [];
}

describe("a list", () => {
  it("is its snapshot, page by page, and its diffs", () => {
    replica = new Replica();
    replica.apply(granted(1));
    expect(replica.phase(WEDDING)).toBe("loading");
    replica.apply(page(1, { join: [ONE], more: true }));
    expect([replica.phase(WEDDING), listed()]).toEqual(["loading", [ONE]]);
    const idle = { ...ONE, status: "idle" as const };
    replica.apply(page(2, { join: [ACCOUNT], update: [idle] }));
    expect([replica.phase(WEDDING), listed()]).toEqual(["live", [idle, ACCOUNT]]);
    const applied = replica.apply(diff(3, { join: [TWO], leave: [{ userId: ONE.userId }] }));
    const change = { joined: [TWO], updated: [], left: [idle] };
    expect(applied).toEqual({ kind: "changed", channel: WEDDING, change });
    expect(listed()).toEqual([TWO, ACCOUNT]);
  });

  it("puts each record in its place whole", () => {
    replica.apply(diff(2, { update: [{ ...TWO, customStatus: "Fitting" }] }));
    replica.apply(diff(3, { update: [TWO] }));
    expect(listed()).toEqual([ONE, TWO]);
    expect(listed()[1]).not.toHaveProperty("customStatus");
  });

  it.each<[string, Snapshot | Diff]>([
    ["gap", diff(3, { leave: [ONE] })],
    ["gap", diff(1, { leave: [ONE] })],
    ["phase", page(2, { leave: [ONE] })],
    ["join", diff(2, { leave: [TWO], join: [ONE] })],
    ["update", diff(2, { leave: [TWO], update: [THREE] })],
    ["leave", diff(2, { leave: [ONE, THREE] })],
    ["leave", diff(2, { leave: [{ accountId: ONE.userId }] })],
  ])("takes nothing of a frame that does not follow (%s)", (fault, frame) => {
    expect(replica.apply(frame)).toEqual({ kind: "fault", channel: WEDDING, fault });
    expect([listed(), replica.phase(WEDDING)]).toEqual([[ONE, TWO], "stale"]);
    expect(replica.resume()?.subscriptions).toEqual([{ subscription: 1, sequence: 1 }]);
    // Nor is it well again with the next that follows.
    expect(replica.apply(diff(2))).toMatchObject({ kind: "changed" });
    expect(replica.phase(WEDDING)).toBe("stale");
  });

  it("of nobody's subscription is passed over", () => {
    expect(replica.apply({ ...diff(2), sub: 9 })).toEqual({ kind: "nothing" });
    expect(replica.apply({ t: "ended", sub: 9, reason: "unknown_channel" })).toEqual({ kind: "nothing" });
    expect(replica.apply({ t: "stale", sub: 9, stale: true })).toEqual({ kind: "nothing" });
    expect(replica.phase(WEDDING)).toBe("live");
  });

  it("may be old, alone or with all others", () => {
    const said = (frame: { sub?: number; stale: boolean }) => {
      replica.apply({ t: "stale", ...frame });
      return replica.phase(WEDDING);
    };
    expect(said({ sub: 1, stale: true })).toBe("stale");
    expect(said({ stale: false })).toBe("live");
    expect(said({ stale: true })).toBe("stale");
    expect(said({ sub: 1, stale: false })).toBe("live");
  });

  it("is forgotten when it ends, and when it is not there", () => {
    expect(replica.apply({ t: "ended", sub: 1, reason: "tea_time" })).toEqual({
      kind: "ended",
      channel: WEDDING,
    });
    expect(replica.phase(WEDDING)).toBeUndefined();
    replica.apply(granted(2));
    replica.apply({ t: "subscribed", re: 2, channels: [{ channel: WEDDING, error: "unknown_channel" }] });
    expect([replica.phase(WEDDING), replica.resume()?.subscriptions]).toEqual([undefined, []]);
  });

  it("stays as it is where one more had no place", () => {
    replica.apply({ t: "subscribed", re: 2, channels: [{ channel: WEDDING, error: "channel_limit" }] });
    replica.apply({ t: "subscribed", re: 3, channels: [{ channel: AGENCY, error: "channel_limit" }] });
    expect([replica.phase(WEDDING), replica.phase(AGENCY)]).toEqual(["live", undefined]);
  });
});

describe("coming back", () => {
  it("is old until a welcome says that it goes on", () => {
    replica.apply(diff(2, { leave: [TWO] }));
    expect(replica.resume()).toEqual({ session: SESSION, subscriptions: [{ subscription: 1, sequence: 2 }] });
    replica.disconnected();
    expect([replica.phase(WEDDING), listed()]).toEqual(["stale", [ONE]]);
    const applied = replica.apply(welcomed([{ subscription: 1, resumed: true }]));
    expect(applied).toEqual({ kind: "welcomed", resumed: true, lost: [] });
    expect(replica.phase(WEDDING)).toBe("live");
    expect(replica.apply(diff(3, { join: [TWO] }))).toMatchObject({ kind: "changed" });
  });

  it("mends a gap", () => {
    replica.apply(diff(3));
    replica.disconnected();
    replica.apply(welcomed([{ subscription: 1, resumed: true }]));
    expect(replica.phase(WEDDING)).toBe("live");
    expect(replica.apply(diff(2, { leave: [ONE] }))).toMatchObject({ kind: "changed" });
  });

  it("shows the old list until a new one is complete, and tells what is different", () => {
    replica.apply(welcomed([{ subscription: 1, resumed: false, reason: "sequence" }]));
    const nothing = { joined: [], updated: [], left: [] };
    const first = replica.apply(page(1, { join: [THREE, { ...TWO }], more: true }));
    expect(first).toMatchObject({ kind: "changed", change: nothing });
    expect([replica.phase(WEDDING), listed()]).toEqual(["stale", [ONE, TWO]]);
    const last = replica.apply(page(2));
    expect(last).toMatchObject({ change: { joined: [THREE], updated: [], left: [ONE] } });
    expect([replica.phase(WEDDING), listed()]).toEqual(["live", [THREE, TWO]]);
    // Who is as before is the same object, so that nobody draws them anew.
    expect(listed()[1]).toBe(TWO);
  });

  it.each<[string, ServerFrame]>([
    ["refused", welcomed([{ subscription: 1, resumed: false, reason: "unknown_channel" }])],
    ["for a reason that nobody knows", welcomed([{ subscription: 1, resumed: false, reason: "tea_time" }])],
    ["not named", welcomed([])],
    ["of a session that is gone", { ...WELCOME, resume: { resumed: false, reason: "unknown_session" } }],
    ["of a session that was not asked for", WELCOME],
  ])("has to ask again for what is %s", (_, welcome) => {
    replica.disconnected();
    expect(replica.apply(welcome)).toMatchObject({ kind: "welcomed", lost: [WEDDING] });
    expect([replica.phase(WEDDING), listed()]).toEqual(["stale", [ONE, TWO]]);
    expect(replica.resume()?.subscriptions).toEqual([]);
    replica.apply(granted(5));
    replica.apply({ ...page(1), sub: 5 });
    expect([replica.phase(WEDDING), listed()]).toEqual(["live", []]);
  });

  it("names no session that goes on elsewhere, and none of a client that was reset", () => {
    replica.leaveSession();
    expect(replica.resume()).toBeUndefined();
    replica.apply(WELCOME);
    replica.reset();
    expect(replica.resume()).toBeUndefined();
    expect([replica.lists.size, replica.welcome, replica.settings]).toEqual([0, undefined, undefined]);
  });
});

it("keeps the settings, and the farewell until the next welcome", () => {
  const settings = { ...WELCOME.settings, appearOffline: true };
  expect(replica.apply({ t: "settings", settings })).toEqual({ kind: "settings" });
  replica.apply({ t: "closing", code: "restarting", reconnectAfterMs: 4_200 });
  expect(replica).toMatchObject({ settings, closing: { reconnectAfterMs: 4_200 } });
  replica.apply(WELCOME);
  expect([replica.closing, replica.settings]).toEqual([undefined, WELCOME.settings]);
});
