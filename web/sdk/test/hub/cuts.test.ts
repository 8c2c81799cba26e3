// Networks that break, and hubs that go: nobody is lost, and nobody else notices what is over in time.

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { json } from "../../src/codec.js";
import type { Channel, ChannelState, Presence, PresenceOptions } from "../../src/index.js";
import { msgpack } from "../../src/msgpack.js";
import { cuttable, eventually, Hub, type Network, until, type World, world } from "../support/hub.js";
import { count, enter, LONG_WAITS, log, longWaits, noRejections, pass, tap } from "../support/tab.js";

const GRACE_MS = 3_000;
const HEARTBEAT_MS = 1_000;

let hub: Hub;
let of: World;
let network: Network;

noRejections();
beforeAll(async () => {
  hub = await Hub.start({
    settings: {
      "presence.grace_ms": GRACE_MS,
      "presence.heartbeat_ms": HEARTBEAT_MS,
      "presence.heartbeat_timeout_ms": HEARTBEAT_MS,
    },
  });
});
afterAll(() => hub?.end());
beforeEach(async () => {
  of = await world(hub);
  network = await cuttable(hub.port);
  onTestFinished(() => network.end());
});

/** Behind the network that breaks. */
function behind(user: string, more: Partial<PresenceOptions> = {}): Presence {
  return enter({ url: network.url, token: () => hub.token(user), ...more });
}

/** On a network that holds. */
function beside(user: string): Presence {
  return enter({ url: hub.url, token: () => hub.token(user) });
}

function sees(...users: string[]) {
  return ({ people, phase }: ChannelState) =>
    phase === "live" && `${people.map(({ userId }) => userId)}` === `${users.sort()}`;
}

async function connected(presence: Presence): Promise<{ resumed: boolean }> {
  const connection = await until("connection", presence.connection, ({ state }) => state === "connected");
  return connection as { resumed: boolean };
}

/** Cuts, and waits until it is back. */
async function cut(presence: Presence): Promise<{ resumed: boolean }> {
  network.cut();
  await until("notice", presence.connection, ({ state }) => state !== "connected");
  return connected(presence);
}

/** What a client sees that has seen nothing before. */
async function afresh(user: string, channel: string): Promise<ChannelState> {
  const list = beside(user).channel(channel);
  log(list, {});
  return until("list", list, ({ phase }) => phase === "live");
}

describe("a cut", () => {
  it("that is over in time is seen by nobody", async () => {
    const anna = behind(of.anna);
    await anna.track({ status: "busy", currentPage: "/" });
    const wedding = beside(of.finn).channel(of.wedding);
    const told = log(wedding, { ...of });
    await until("Anna", wedding, sees(of.anna));
    expect(await cut(anna)).toEqual({ state: "connected", resumed: true });
    expect(await cut(anna)).toEqual({ state: "connected", resumed: true });
    await pass(GRACE_MS * 1.5);
    expect(told).toEqual(["+anna"]);
    // And the session is the one that is announced on.
    await anna.say({ status: "away" });
    await until("change", wedding, ({ people }) => people[0]?.status === "away");
    expect(told).toEqual(["+anna", "~anna"]);
  });

  it("by the page itself is over when the page connects again", async () => {
    const anna = behind(of.anna);
    await anna.track();
    const own = anna.channel(of.wedding);
    log(own, {});
    const wedding = beside(of.finn).channel(of.wedding);
    const told = log(wedding, { ...of });
    await until("Anna", wedding, sees(of.anna));
    await until("herself", own, sees(of.anna));
    anna.close();
    await until("notice", own, ({ phase }) => phase === "stale");
    anna.connect();
    expect(await connected(anna)).toMatchObject({ resumed: true });
    await until("herself", own, sees(of.anna));
    await pass(GRACE_MS * 1.5);
    expect(told).toEqual(["+anna"]);
  });

  it.each([json, msgpack])(
    "takes nothing from a list, and brings what was missed ($protocol)",
    async (codec) => {
      const [finn, ben] = [beside(of.finn), beside(of.ben)];
      await Promise.all([finn.track(), ben.track()]);
      const anna = behind(of.anna, { codec });
      const wedding = anna.channel(of.wedding);
      const told = log(wedding, { ...of });
      await until("list", wedding, sees(of.finn, of.ben));
      network.refuse(true);
      network.cut();
      await until("notice", wedding, ({ phase }) => phase === "stale");
      expect(wedding.get().people.map(({ userId }) => userId)).toEqual([of.finn, of.ben].sort());
      await finn.say({ status: "busy", customStatus: "Fitting" });
      await ben.signOut();
      await beside(of.rosa).track();
      network.refuse(false);
      anna.connect();
      await until("what was missed", wedding, sees(of.finn, of.rosa));
      expect(anna.connection.get()).toEqual({ state: "connected", resumed: true });
      expect(wedding.get().people).toEqual((await afresh(of.anna, of.wedding)).people);
      expect(told.slice(2).sort()).toEqual(["+rosa", "-ben", "~finn"]);
    },
  );

  it("loses no request that can be made again", async () => {
    const anna = behind(of.anna);
    await connected(anna);
    network.refuse(true);
    network.cut();
    await until("notice", anna.connection, ({ state }) => state === "waiting");
    const done = [
      anna.setSettings({ customStatus: "Just married" }),
      anna.activity({ activityType: "focus" }),
      anna.track({ status: "busy" }),
    ];
    network.refuse(false);
    expect(await Promise.all(done)).toEqual([{ durable: true }, undefined, undefined]);
    expect(anna.settings.get()?.customStatus).toBe("Just married");
    expect(anna.me.get()).toMatchObject({ pending: false, track: { status: "busy" } });
  });

  it("in which somebody wants to see more does not keep it from them", async () => {
    const vera = behind(of.vera);
    const [narrow, wide] = [vera.channel(of.agency), vera.channel(of.agency, { people: "roster" })];
    log(narrow, {});
    await until("list", narrow, sees());
    network.refuse(true);
    network.cut();
    await until("notice", narrow, ({ phase }) => phase === "stale");
    log(wide, {});
    network.refuse(false);
    expect(await connected(vera)).toMatchObject({ resumed: true });
    await until("roster", wide, ({ people, phase }) => phase === "live" && people.length === 5);
    expect(narrow.get().people).toEqual([]);
  });

  it("again and again leaves the same list, and one subscription", async () => {
    const finn = beside(of.finn);
    const tapped = tap();
    const anna = behind(of.anna, { WebSocket: tapped.WebSocket });
    const wedding = anna.channel(of.wedding);
    log(wedding, {});
    for (let round = 0; round < 5; round += 1) {
      void finn.say({ customStatus: `${round}` });
      await finn.track();
      await until("change", wedding, ({ people, phase }) => {
        const [person] = people;
        return phase === "live" && person?.status === "online" && person.customStatus === `${round}`;
      });
      expect(await cut(anna)).toMatchObject({ resumed: true });
    }
    expect(count(tapped.sent, "subscribe")).toBe(1);
  });
});

describe.each(["stop", "kill"] as const)("a hub that is restarted (%s)", (how) => {
  it("is found again, with all that was watched and announced", async () => {
    const [anna, finn] = [behind(of.anna), beside(of.finn)];
    await Promise.all([anna.track(), finn.track({ status: "busy" })]);
    const wedding = anna.channel(of.wedding);
    log(wedding, {});
    await until("list", wedding, sees(of.anna, of.finn));
    await hub[how]();
    await until("notice", wedding, ({ phase }) => phase === "stale");
    expect(wedding.get().people).toHaveLength(2);
    const waiting = await until("wait", anna.connection, ({ state }) => state === "waiting");
    expect(waiting).toMatchObject({ ms: expect.any(Number), reason: { kind: expect.any(String) } });
    await hub.start();
    // Nobody who resumes is known to a hub that knows nobody yet.
    expect(await connected(anna)).toMatchObject({ resumed: false });
    await until("list", wedding, sees(of.anna, of.finn));
    await finn.say({ customStatus: "Still here" });
    await until("change", wedding, ({ people }) =>
      people.some((person) => "customStatus" in person && person.customStatus === "Still here"),
    );
  });
});

describe("a hub that is down", () => {
  it("is found when it is up, and not asked all the time", async () => {
    longWaits();
    network.refuse(true);
    const anna = behind(of.anna);
    const wedding = anna.channel(of.wedding);
    log(wedding, {});
    const tracked = anna.track();
    const waiting = await until("wait", anna.connection, ({ state }) => state === "waiting");
    expect(waiting).toMatchObject({ reason: { kind: "unreachable" } });
    expect(wedding.get()).toMatchObject({ phase: "loading", people: [], error: undefined });
    await pass(3_500);
    expect(network.tried).toBeLessThanOrEqual(LONG_WAITS);
    network.refuse(false);
    await tracked;
    await until("Anna", wedding, sees(of.anna));
  });
});

describe("a network that is silent", () => {
  it("is noticed, and left", async () => {
    const anna = behind(of.anna);
    await connected(anna);
    const tried = network.tried;
    network.stall();
    const began = performance.now();
    await until("notice", anna.connection, ({ state }) => state !== "connected");
    const noticed = performance.now() - began;
    // Not before two heartbeats are missing.
    expect(noticed).toBeGreaterThan(2 * HEARTBEAT_MS);
    expect(await connected(anna)).toMatchObject({ resumed: true });
    expect(network.tried).toBe(tried + 1);
  });

  it("is no reason to go where heartbeats come through", async () => {
    network.cutIdle(HEARTBEAT_MS * 2.5);
    const anna = behind(of.anna);
    await connected(anna);
    await pass(HEARTBEAT_MS * 6);
    expect(anna.connection.get()).toMatchObject({ state: "connected" });
    expect(network.tried).toBe(1);
  });

  it("that cuts before a heartbeat comes is borne, without a storm", async () => {
    const anna = behind(of.anna);
    const wedding = anna.channel(of.wedding);
    const told = log(wedding, { ...of });
    await anna.track();
    await until("Anna", wedding, sees(of.anna));
    network.cutIdle(HEARTBEAT_MS / 4);
    await pass(4_000);
    expect(network.tried).toBeLessThan(20);
    network.cutIdle(0);
    await connected(anna);
    await until("Anna", wedding, sees(of.anna));
    expect(told.filter((sign) => sign === "-anna")).toEqual([]);
  });
});

describe("many tabs of one user", () => {
  const TABS = 10;

  function tabs(): { tabs: Presence[]; lists: Channel[]; tapped: ReturnType<typeof tap> } {
    const tapped = tap();
    const tabs = Array.from({ length: TABS }, () => behind(of.anna, { WebSocket: tapped.WebSocket }));
    return { tabs, lists: tabs.map((tab) => tab.channel(of.wedding)), tapped };
  }

  it("are one person, and come back one by one", async () => {
    const { tabs: all, lists } = tabs();
    for (const list of lists) log(list, {});
    await Promise.all(all.map((tab) => tab.track()));
    const wedding = beside(of.finn).channel(of.wedding);
    const told = log(wedding, { ...of });
    await until("Anna", wedding, sees(of.anna));
    const tried = network.tried;
    network.cut();
    await eventually("all", () => network.open === TABS);
    for (const tab of all) await connected(tab);
    for (const list of lists) await until("list", list, sees(of.anna));
    expect(network.tried).toBe(tried + TABS);
    expect(told).toEqual(["+anna"]);
  });

  it("share the hub's rate without a storm, and all come to what they want", async () => {
    const { tabs: all, tapped } = tabs();
    await Promise.all(all.map((tab) => tab.track()));
    const sent = count(tapped.sent, "track");
    await Promise.all(all.map((tab) => tab.say({ status: "busy" })));
    const wedding = beside(of.finn).channel(of.wedding);
    log(wedding, {});
    await until("Anna", wedding, ({ people }) => people[0]?.status === "busy");
    expect(all.every((tab) => tab.me.get().error === undefined && !tab.me.get().pending)).toBe(true);
    // The hub takes one a second; who has to wait may have to wait again, but asks only when told to.
    expect(count(tapped.sent, "track") - sent).toBeLessThanOrEqual(TABS ** 2);
  });
});
