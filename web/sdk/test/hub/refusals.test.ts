// What the hub does not take: it is told where it was asked for, once, and nothing else suffers.

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChannelState, Presence, PresenceOptions } from "../../src/index.js";
import { eventually, Hub, NodeSocket, until, type World, world } from "../support/hub.js";
import { count, enter, log, noRejections, pass, tap } from "../support/tab.js";

/** As an installation has it. */
const MOST_CHANNELS = 64;

let hub: Hub;
let of: World;

noRejections();
beforeAll(async () => {
  hub = await Hub.start();
});
afterAll(() => hub?.end());
beforeEach(async () => {
  of = await world(hub);
});

function as(user: string, more: Partial<PresenceOptions> = {}): Presence {
  return enter({ url: hub.url, token: () => hub.token(user), ...more });
}

const isLive = ({ phase }: ChannelState) => phase === "live";
const isRefused = ({ phase }: ChannelState) => phase === "refused";

async function connected(presence: Presence): Promise<void> {
  await until("connection", presence.connection, ({ state }) => state === "connected");
}

describe("a channel", () => {
  it("that is not there for somebody is refused, and not asked for again", async () => {
    const tapped = tap();
    const sam = as(of.sam, { WebSocket: tapped.WebSocket });
    const unknown = [of.wedding, of.agency, `account:${of.inbox}`, `wedding:${randomUUID()}`];
    const channels = unknown.map((name) => sam.channel(name));
    for (const channel of channels) log(channel, {});
    for (const channel of channels) {
      const state = await until("refusal", channel, isRefused);
      expect(state).toMatchObject({ people: [], accounts: [], error: { code: "unknown_channel" } });
    }
    // Longer than the wait after which a channel that had no place is asked for again.
    await pass(6_000);
    expect(count(tapped.sent, "subscribe")).toBe(1);
  });

  it("that is gone is refused, and there again for who asks again", async () => {
    const anna = as(of.anna);
    const wedding = anna.channel(of.wedding);
    const stop = wedding.subscribe(() => {});
    await until("list", wedding, isLive);
    const collaborations = [of.finn, of.rosa].map(
      (supplier) =>
        `/api/directory/weddings/${of.wedding.replace("wedding:", "")}/collaborations/${supplier}/${of.anna}`,
    );
    for (const path of collaborations) await hub.service("DELETE", path);
    const gone = await until("end", wedding, isRefused);
    expect(gone).toMatchObject({ people: [], error: { code: "unknown_channel" } });
    for (const path of collaborations) await hub.service("PUT", path, { supplierType: "florist" });
    stop();
    // Until it is given back, it is the same refusal.
    await eventually("giving back", () => wedding.get().phase === "loading");
    log(wedding, {});
    await until("list", wedding, isLive);
  });

  it("is the same one in large letters", async () => {
    const wedding = as(of.anna).channel(of.wedding.replace(/[^:]+$/, (id) => id.toUpperCase()));
    log(wedding, {});
    await until("list", wedding, isLive, 5_000);
  });

  it("that is no channel's name is refused, and disturbs no other", async () => {
    const anna = as(of.anna);
    const [good, bad] = [anna.channel(of.wedding), anna.channel("wedding:june")];
    log(good, {});
    await until("list", good, isLive);
    log(bad, {});
    const state = await until("refusal", bad, isRefused);
    expect(state.error?.code).toBe("malformed");
    expect(good.get().phase).toBe("live");
  });

  it("of hundreds at once is asked for like any other", async () => {
    const anna = as(of.anna);
    const channels = Array.from({ length: 300 }, () => anna.channel(`wedding:${randomUUID()}`));
    channels.push(anna.channel(of.wedding));
    for (const channel of channels) log(channel, {});
    await until("list", channels.at(-1) ?? anna.channel(""), isLive);
    for (const channel of channels.slice(0, -1)) await until("refusal", channel, isRefused);
    expect(anna.connection.get()).toEqual({ state: "connected", resumed: false });
  });

  it("too many waits for a place", async () => {
    const weddings = Array.from({ length: MOST_CHANNELS + 1 }, () => randomUUID());
    const collaborations = [{ supplier: of.finn, client: of.anna, supplierType: "venue" }];
    await hub.service("POST", "/api/directory/import", {
      weddings: weddings.map((id) => ({ id, name: "Wedding", collaborations })),
    });
    const finn = as(of.finn);
    await connected(finn);
    const channels = weddings.map((id) => finn.channel(`wedding:${id}`));
    const stops = channels.map((channel) => channel.subscribe(() => {}));
    const last = channels.at(-1) ?? finn.channel("");
    const refused = await until("refusal", last, isRefused);
    expect(refused.error?.code).toBe("channel_limit");
    for (const channel of channels.slice(0, -1)) await until("list", channel, isLive);
    // One leaves, and is given back a second later; the one without a place asks every five.
    stops[0]?.();
    await until("place", last, isLive);
  });
});

describe("fifty quick changes", () => {
  it("are merged to what the hub takes, and the last one wins", async () => {
    const tapped = tap();
    const finn = as(of.finn, { WebSocket: tapped.WebSocket });
    const wedding = as(of.anna).channel(of.wedding);
    log(wedding, {});
    await finn.track();
    const done = [];
    const began = performance.now();
    for (let change = 1; change <= 50; change += 1) {
      done.push(finn.say({ customStatus: `${change}` }));
      await pass(20);
    }
    expect(finn.me.get().track?.customStatus).toBe("50");
    await Promise.all(done);
    expect(finn.me.get()).toMatchObject({ pending: false, error: undefined });
    await until("last", wedding, ({ people }) =>
      people.some((person) => "customStatus" in person && person.customStatus === "50"),
    );
    // The one that was there before, and then one a second.
    const seconds = (performance.now() - began) / 1_000;
    expect(count(tapped.sent, "track")).toBeLessThanOrEqual(2 + seconds);
  });

  it("of two tabs meet the hub's rate, and nobody hears of it", async () => {
    const tapped = tap();
    const tabs = [0, 1].map(() => as(of.finn, { WebSocket: tapped.WebSocket }));
    await Promise.all(tabs.map((tab) => tab.track()));
    const done = tabs.flatMap((tab, at) =>
      Array.from({ length: 25 }, (_, change) => tab.say({ customStatus: `${at} ${change}` })),
    );
    await Promise.all(done);
    expect(tabs.map((tab) => tab.me.get().error)).toEqual([undefined, undefined]);
    expect(tabs.map((tab) => tab.me.get().pending)).toEqual([false, false]);
    // It was met.
    expect(tapped.received.some((frame) => frame.t === "error" && frame.code === "rate_limited")).toBe(true);
  });
});

describe("a status that is too long", () => {
  const long = "x".repeat(101);

  it("is told to who said it, and taken back", async () => {
    const finn = as(of.finn);
    await finn.track({ status: "busy", customStatus: "Fitting" });
    const said = finn.say({ status: "away", customStatus: long });
    expect(finn.me.get()).toMatchObject({ track: { status: "away", customStatus: long }, pending: true });
    await expect(said).rejects.toMatchObject({ name: "PresenceError", code: "invalid_value" });
    expect(finn.me.get()).toMatchObject({
      track: { status: "busy", customStatus: "Fitting" },
      pending: false,
      error: { code: "invalid_value" },
    });
    await finn.say({ customStatus: "Dancing" });
    expect(finn.me.get()).toMatchObject({
      track: { status: "busy", customStatus: "Dancing" },
      error: undefined,
    });
    const wedding = as(of.anna).channel(of.wedding);
    log(wedding, {});
    const { people } = await until("Finn", wedding, ({ people }) => people.length === 1);
    expect(people[0]).toMatchObject({ status: "busy", customStatus: "Dancing" });
  });

  it("takes back what was said behind it, and tells that too", async () => {
    let behind: Promise<void> | undefined;
    class Watched extends NodeSocket {
      override send(message: string | Uint8Array<ArrayBuffer>): void {
        super.send(message);
        if (`${message}`.includes(long)) behind ??= finn.say({ status: "away" });
      }
    }
    const finn = as(of.finn, { WebSocket: Watched });
    await finn.track({ status: "busy" });
    await expect(finn.say({ customStatus: long })).rejects.toMatchObject({ code: "invalid_value" });
    await expect(behind).rejects.toMatchObject({ code: "invalid_value" });
    expect(finn.me.get()).toMatchObject({ track: { status: "busy" }, pending: false });
  });

  it("in a hello keeps nobody out", async () => {
    const finn = as(of.finn);
    const tracked = finn.track({ customStatus: long });
    await expect(tracked).rejects.toMatchObject({ code: "invalid_value" });
    await connected(finn);
    // Back to what the hub has: nothing.
    expect(finn.me.get()).toMatchObject({
      track: undefined,
      pending: false,
      error: { code: "invalid_value" },
    });
    await finn.track({ customStatus: "Dancing" });
    expect(finn.me.get()).toMatchObject({ track: { customStatus: "Dancing" }, error: undefined });
  });
});

describe("what is too large for the hub", () => {
  const long = "x".repeat(20_000);

  it("is not sent, and told to who said it", async () => {
    const finn = as(of.finn);
    await finn.track();
    const said = [
      finn.say({ customStatus: long }),
      finn.setSettings({ customStatus: long }),
      finn.activity({ activityType: "page_view", page: long }),
    ];
    const failed = await Promise.all(said.map((promise) => promise.catch(({ code }) => code)));
    expect(failed).toEqual(["too_large", "too_large", "too_large"]);
    expect(finn.connection.get()).toEqual({ state: "connected", resumed: false });
    expect(finn.me.get().track).toEqual({ status: "online", device: "desktop" });
    await finn.say({ status: "busy" });
  });

  it("in a hello keeps nobody out", async () => {
    const finn = as(of.finn);
    await expect(finn.track({ currentPage: `/${long}` })).rejects.toMatchObject({ code: "too_large" });
    await connected(finn);
    await finn.track({ currentPage: "/" });
  });

  it("is a page only without its query", async () => {
    const finn = as(of.finn);
    await finn.setSettings({ showCurrentPage: true });
    const wedding = as(of.anna).channel(of.wedding);
    log(wedding, {});
    await finn.track({ currentPage: `/guests?filter=${"é".repeat(6_000)}` });
    const { people } = await until("Finn", wedding, ({ people }) => people.length === 1);
    expect(people[0]).toMatchObject({ currentPage: "/guests" });
  });
});

describe("an activity", () => {
  it("that is none of the hub's is told to who told it", async () => {
    const finn = as(of.finn);
    await finn.activity({ activityType: "page_view", page: "/weddings/7" });
    const foreign = finn.activity({ activityType: "focus", organizationId: of.organization });
    await expect(foreign).rejects.toMatchObject({ code: "unknown_channel" });
    await expect(finn.activity({ activityType: "dance" as "focus" })).rejects.toMatchObject({
      code: "malformed",
    });
    expect(finn.connection.get()).toMatchObject({ state: "connected" });
  });
});

describe("a promise that nobody looks at", () => {
  it("may fail", async () => {
    const [finn, rosa] = [as(of.finn), as(of.rosa)];
    await finn.track();
    await rosa.track();
    for (const one of [finn, rosa]) {
      void one.say({ customStatus: "x".repeat(101) });
      void one.channel("nowhere").track();
      void one.setSettings({ customEmoji: "x".repeat(11) });
      void one.activity({ activityType: "dance" as "focus" });
    }
    // Before the answers, and behind them; those of a client that has ended, too.
    finn.close();
    await until("refusal", rosa.me, ({ error }) => error !== undefined);
    await rosa.signOut();
    await until("end", rosa.connection, ({ state }) => state === "ended");
    void rosa.setSettings({ showActivity: true });
    void rosa.track();
    void finn.setSettings({ showActivity: true });
    // `noRejections`, at the end of this file, has heard of none.
    await pass(100);
  });
});
