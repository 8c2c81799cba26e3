// Tokens that end, that do not hold, and that are not to be had.

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Connection, PresenceOptions, TokenSource } from "../../src/index.js";
import { cuttable, eventually, Hub, type Network, until, type World, world } from "../support/hub.js";
import { count, enter, LONG_WAITS, log, longWaits, noRejections, pass, tap } from "../support/tab.js";

/** The hub's clock may be so far behind that of an issuer: a token is good for so much longer. Seconds. */
const LEEWAY_S = 1;

let hub: Hub;
let of: World;
let network: Network;

noRejections();
beforeAll(async () => {
  hub = await Hub.start({ settings: { "auth.leeway_s": LEEWAY_S } });
});
afterAll(() => hub?.end());
beforeEach(async () => {
  of = await world(hub);
  network = await cuttable(hub.port);
  onTestFinished(() => network.end());
});

function anna(token: TokenSource, more: Partial<PresenceOptions> = {}) {
  return enter({ url: network.url, token, ...more });
}

const isConnected = ({ state }: Connection) => state === "connected";
const isOver = ({ state }: Connection) => state === "waiting" || state === "ended";

describe("a token that ends soon", () => {
  it("is replaced on the connection that there is", async () => {
    const tapped = tap();
    let asked = 0;
    const token = async () => {
      asked += 1;
      return hub.token(of.anna, { expiresInS: asked === 1 ? 4 : 3_600 });
    };
    const presence = anna(token, { WebSocket: tapped.WebSocket });
    const states: Connection[] = [];
    presence.connection.subscribe((connection) => states.push(connection));
    await until("connection", presence.connection, isConnected);
    // The first has ended long since.
    await pass((4 + LEEWAY_S + 1) * 1_000);
    expect(presence.connection.get()).toEqual({ state: "connected", resumed: false });
    expect(states.map(({ state }) => state)).toEqual(["connected"]);
    expect({ asked, tried: network.tried, refreshed: count(tapped.sent, "refresh") }).toEqual({
      asked: 2,
      tried: 1,
      refreshed: 1,
    });
  });

  it("is replaced on the next connection where none came in time, and nobody is lost", async () => {
    const first = hub.token(of.anna, { expiresInS: 2 });
    let renewed = false;
    const presence = anna(() => (renewed ? hub.token(of.anna) : first));
    const wedding = presence.channel(of.wedding);
    const told = log(wedding, { ...of });
    await presence.track();
    await until("list", wedding, ({ people, phase }) => phase === "live" && people.length === 1);
    const lost = await until("end of the token", presence.connection, isOver);
    expect(lost).toMatchObject({ reason: { kind: "closed", code: 4200, name: "token_expired" } });
    renewed = true;
    const back = await until("connection", presence.connection, isConnected);
    expect(back).toMatchObject({ resumed: true });
    await until("list", wedding, ({ phase }) => phase === "live");
    expect(told).toEqual(["+anna"]);
  });

  it("before the hub would warn of it is replaced as often as it has to be", async () => {
    const tapped = tap();
    let asked = 0;
    const token = () => {
      asked += 1;
      // Each another one, as of an issuer that numbers them.
      return hub.token(of.anna, { expiresInS: 8, id: `${asked}` });
    };
    const presence = anna(token, { WebSocket: tapped.WebSocket });
    const states: Connection[] = [];
    presence.connection.subscribe((connection) => states.push(connection));
    await until("connection", presence.connection, isConnected);
    await pass(16_000);
    expect(states.map(({ state }) => state)).toEqual(["connected"]);
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThan(10);
  });

  it("that cannot be renewed ends the connection, once", async () => {
    const presence = anna(hub.token(of.anna, { expiresInS: 1 }));
    const tracked = presence.track();
    await until("connection", presence.connection, isConnected);
    await tracked;
    const ended = await until("end", presence.connection, ({ state }) => state === "ended");
    expect(ended).toMatchObject({ reason: { kind: "token", error: { code: "same_token" } } });
    await pass(2_000);
    expect(network.tried).toBe(1);
    await expect(presence.setSettings({ showActivity: true })).rejects.toMatchObject({ code: "ended" });
  });

  it("and is all that the callback has does not make a storm", async () => {
    const only = hub.token(of.anna, { expiresInS: 1 });
    let asked = 0;
    const presence = anna(() => {
      asked += 1;
      return only;
    });
    await until("connection", presence.connection, isConnected);
    const waiting = await until("wait", presence.connection, (connection) => {
      return connection.state === "waiting" && connection.reason.kind === "token";
    });
    expect(waiting).toMatchObject({ reason: { error: { code: "same_token" } } });
    const before = asked;
    await pass(3_000);
    expect(network.tried).toBe(1);
    expect(asked - before).toBeLessThan(12);
  });
});

describe("a token that does not hold", () => {
  const secret = "a secret of somebody else who has 32 bytes";

  it("ends the connection where there is no other", async () => {
    const presence = anna(hub.token(of.anna, { secret }));
    const ended = await until("end", presence.connection, ({ state }) => state === "ended");
    expect(ended).toMatchObject({ reason: { kind: "token", error: { code: "same_token" } } });
    await pass(1_000);
    expect(network.tried).toBe(1);
  });

  it("is asked for again, more and more slowly, where there may be another", async () => {
    longWaits();
    let good = false;
    let number = 0;
    const presence = anna(() => {
      number += 1;
      return good ? hub.token(of.anna) : hub.token(of.anna, { secret, expiresInS: 3_600 + number });
    });
    const wedding = presence.channel(of.wedding);
    log(wedding, {});
    const waiting = await until("wait", presence.connection, isOver);
    expect(waiting).toMatchObject({ reason: { kind: "closed", code: 4201, name: "token_invalid" } });
    await pass(3_500);
    // With a new token at once, the first time.
    expect(network.tried).toBeLessThanOrEqual(LONG_WAITS + 1);
    good = true;
    await until("connection", presence.connection, isConnected);
    await until("list", wedding, ({ phase }) => phase === "live");
  });

  it("is one of nobody, of no hub, or nothing", async () => {
    for (const token of ["", "not a token", "a.b.c", hub.token(of.anna, { expiresInS: -60 })]) {
      const presence = anna(token);
      const ended = await until("end", presence.connection, ({ state }) => state === "ended");
      expect(ended, token).toMatchObject({ reason: { kind: "token" } });
    }
    expect(network.tried).toBe(3);
  });

  it("is one of somebody who is shut out, who does not come back", async () => {
    const presence = anna(() => hub.token(of.anna));
    await until("connection", presence.connection, isConnected);
    await hub.service("PUT", `/api/directory/users/${of.anna}`, { displayName: "Anna", disabled: true });
    const ended = await until("end", presence.connection, ({ state }) => state === "ended");
    expect(ended).toMatchObject({ reason: { kind: "closed", code: 4301, name: "account_disabled" } });
    expect(network.tried).toBe(1);
  });
});

describe("a callback for tokens", () => {
  it("that throws is asked again, and nothing is rejected unheard", async () => {
    let fails = true;
    const presence = anna(() => {
      if (fails) throw new Error("the platform is down");
      return hub.token(of.anna);
    });
    const waiting = await until("wait", presence.connection, isOver);
    expect(waiting).toMatchObject({
      state: "waiting",
      reason: { kind: "token", error: new Error("the platform is down") },
    });
    expect(network.tried).toBe(0);
    fails = false;
    await until("connection", presence.connection, isConnected);
  });

  it("that fails while a connection stands leaves it", async () => {
    let asked = 0;
    const presence = anna(async () => {
      asked += 1;
      if (asked > 1) throw new Error("the platform is down");
      return hub.token(of.anna, { expiresInS: 4 });
    });
    await until("connection", presence.connection, isConnected);
    await eventually("question for another", () => asked === 2);
    await pass(200);
    expect(presence.connection.get()).toEqual({ state: "connected", resumed: false });
  });

  it("that brings a token of somebody else is somebody else's connection", async () => {
    let asked = 0;
    const presence = anna(() => {
      asked += 1;
      return asked === 1 ? hub.token(of.anna, { expiresInS: 4 }) : hub.token(of.ben);
    });
    const me = await until("Ben", presence.me, ({ userId }) => userId === of.ben);
    expect(me.userId).toBe(of.ben);
    await until("connection", presence.connection, isConnected);
    expect(network.tried).toBeLessThanOrEqual(3);
  });
});
