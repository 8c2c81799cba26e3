// A hub that says what this client does not know, does not expect, or should never hear.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { encode } from "@msgpack/msgpack";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Channel, ChannelState, Connection, Presence, PresenceOptions } from "../../src/index.js";
import { msgpack } from "../../src/msgpack.js";
import { eventually, Hub, NodeSocket, until, type World, world } from "../support/hub.js";
import { Middleman } from "../support/middleman.js";
import { count, enter, LONG_WAITS, log, longWaits, noRejections, pass, tap } from "../support/tab.js";

let hub: Hub;
let of: World;
let middleman: Middleman;

noRejections();
beforeAll(async () => {
  hub = await Hub.start();
});
afterAll(() => hub?.end());
beforeEach(async () => {
  of = await world(hub);
  middleman = await Middleman.between(hub.url);
  onTestFinished(() => middleman.end());
});

const isLive = ({ phase }: ChannelState) => phase === "live";
const isConnected = ({ state }: Connection) => state === "connected";

/** Behind the man in the middle, with Finn before her eyes, who is beside. */
async function scene(more: Partial<PresenceOptions> = {}) {
  const finn = enter({ url: hub.url, token: () => hub.token(of.finn) });
  await finn.track({ status: "busy" });
  const anna = enter({ url: middleman.url, token: () => hub.token(of.anna), ...more });
  const wedding = anna.channel(of.wedding);
  const told = log(wedding, { ...of });
  await until("Finn", wedding, ({ people }) => people.length === 1);
  return { anna, wedding, told, finn };
}

/** What Finn says now comes through. */
async function goesOn(finn: Presence, wedding: Channel): Promise<void> {
  const customStatus = `${Math.random()}`;
  await finn.say({ customStatus });
  await until("what Finn says", wedding, ({ people, phase }) =>
    people.some(
      (person) => phase === "live" && "customStatus" in person && person.customStatus === customStatus,
    ),
  );
}

/** Of a later version, of somebody else, or of long ago. */
const PASSED_OVER = [
  { t: "weather", sky: "blue", sub: 1, seq: 2 },
  { t: "heartBeat" },
  { t: "toString" },
  { t: "__proto__", join: [] },
  { t: "ack", re: 4_000_000_000 },
  { t: "ack", re: 4_000_000_001, durable: false, tookMs: 3 },
  { t: "error", code: "tea_time", message: "come back later" },
  { t: "error", re: 4_000_000_002, code: "tea_time", message: "come back later", retryAfterMs: 10 },
  { t: "diff", sub: 77, seq: 1, join: [{ userId: "x", status: "online" }] },
  { t: "snapshot", sub: 78, seq: 9, join: [], more: true },
  { t: "ended", sub: 79, reason: "tea_time" },
  { t: "stale", sub: 80, stale: true },
  { t: "clockedOut", accountId: "5d7f91b3-4e60-4c8d-9fa1-203e4f5a6b07", epoch: 1, reason: "tea_time" },
  { t: "heartbeat", mood: "calm" },
];

describe("frames that mean nothing here", () => {
  it("do nothing", async () => {
    const { anna, wedding, told, finn } = await scene();
    const before = wedding.get();
    const [settings, me] = [anna.settings.get(), anna.me.get()];
    middleman.say(...PASSED_OVER, `{"t":"weather","deep":${"[".repeat(5_000)}${"]".repeat(5_000)}}`);
    await goesOn(finn, wedding);
    expect(told).toEqual(["+finn", "~finn"]);
    expect(before.people).toHaveLength(1);
    expect(anna.settings.get()).toBe(settings);
    expect(anna.me.get()).toBe(me);
    expect(anna.connection.get()).toEqual({ state: "connected", resumed: false });
    expect(middleman.tried).toBe(1);
  });

  it("do nothing in MessagePack", async () => {
    const { anna, wedding, told, finn } = await scene({ codec: msgpack });
    middleman.say(...PASSED_OVER.map((frame) => Buffer.from(encode(frame))));
    await goesOn(finn, wedding);
    expect(told).toEqual(["+finn", "~finn"]);
    expect(anna.connection.get()).toEqual({ state: "connected", resumed: false });
  });

  it("do nothing before the welcome", async () => {
    middleman.rewrite = (message) => [
      ...PASSED_OVER.filter(({ t }) => t !== "error").map((f) => JSON.stringify(f)),
      message,
    ];
    const { anna, wedding, finn } = await scene();
    await goesOn(finn, wedding);
    expect(anna.connection.get()).toEqual({ state: "connected", resumed: false });
    expect(middleman.tried).toBe(1);
  });
});

describe("what is no frame", () => {
  it.each<[string, string | Buffer]>([
    ["no JSON", "{"],
    ["no map", "[1]"],
    ["no kind", '{"re":1}'],
    ["bytes", Buffer.from([0xc1, 0x00])],
    ["a list that is none", '{"t":"diff","sub":1,"seq":2,"join":7}'],
    ["a list of nothing", '{"t":"diff","sub":1,"seq":2,"join":[null]}'],
    ["no channels", '{"t":"subscribed","re":1}'],
    ["a second welcome of nothing", '{"t":"welcome"}'],
  ])("(%s) is a reason to come back, and then it goes on", async (_, message) => {
    const { anna, wedding, finn } = await scene();
    const states: Connection[] = [];
    anna.connection.subscribe((connection) => states.push(connection));
    middleman.say(message);
    await goesOn(finn, wedding);
    await until("connection", anna.connection, isConnected);
    const reasons = states.flatMap((state) => ("reason" in state ? [state.reason.kind] : []));
    // It may be no frame at all, or one that this client can live with.
    expect(reasons.every((kind) => kind === "protocol")).toBe(true);
    expect(middleman.tried).toBeLessThanOrEqual(2);
    expect(wedding.get().people.map(({ userId }) => userId)).toEqual([of.finn]);
  });

  it("time and again is no storm", async () => {
    longWaits();
    middleman.rewrite = () => ["{"];
    const anna = enter({ url: middleman.url, token: () => hub.token(of.anna) });
    const waiting = await until("wait", anna.connection, ({ state }) => state === "waiting");
    expect(waiting).toMatchObject({ reason: { kind: "protocol" } });
    await pass(3_500);
    expect(middleman.tried).toBeLessThanOrEqual(LONG_WAITS);
    middleman.rewrite = (message) => [message];
    await until("connection", anna.connection, isConnected);
  });
});

describe("a frame that does not follow", () => {
  const isDiff = (message: string | Buffer) => `${message}`.startsWith('{"t":"diff"');

  it.each<[string, (message: string | Buffer) => (string | Buffer)[]]>([
    ["because one was lost", () => []],
    ["because it comes twice", (message) => [message, message]],
    ["because it is out of order", (message) => [`${message}`.replace(/"seq":\d+/, '"seq":40')]],
  ])("(%s) is not shown, and the list is mended", async (_, rewrite) => {
    const { wedding, finn, anna } = await scene();
    let once = true;
    middleman.rewrite = (message) => {
      if (!once || !isDiff(message)) return [message];
      once = false;
      return rewrite(message);
    };
    // Of whom nothing more is said than this.
    const rosa = enter({ url: hub.url, token: () => hub.token(of.rosa) });
    await rosa.track();
    await eventually("that frame", () => !once);
    await goesOn(finn, wedding);
    await until("Rosa", wedding, ({ people, phase }) => phase === "live" && people.length === 2);
    const fresh = enter({ url: hub.url, token: () => hub.token(of.anna) }).channel(of.wedding);
    log(fresh, {});
    expect(wedding.get().people).toEqual((await until("list", fresh, isLive)).people);
    expect(anna.connection.get()).toMatchObject({ state: "connected" });
  });

  it("time and again is no storm", async () => {
    const tapped = tap();
    const { wedding, anna } = await scene({ WebSocket: tapped.WebSocket });
    middleman.rewrite = (message) => [`${message}`.replace(/"seq":\d+/, '"seq":40')];
    middleman.say({ t: "diff", sub: 1, seq: 40 });
    await until("notice", wedding, ({ phase }) => phase === "stale");
    await pass(3_000);
    expect(count(tapped.sent, "subscribe")).toBeLessThan(12);
    // Who was seen is still shown.
    expect(wedding.get()).toMatchObject({ phase: "stale", people: [{ userId: of.finn }] });
    middleman.rewrite = (message) => [message];
    await until("list", wedding, isLive);
    expect(anna.connection.get()).toMatchObject({ state: "connected" });
  });
});

describe("a close code that is not known here", () => {
  it.each([
    [4_077, "connected", 10],
    [4_177, "waiting", 60_000],
    [4_277, "connected", 10],
    [4_377, "ended", 0],
    [4_999, "waiting", 1_000],
    [3_456, "waiting", 1_000],
  ])("%i is understood by its range: %s", async (code, state, mostMs) => {
    let asked = 0;
    const { anna } = await scene({
      token: () => {
        asked += 1;
        return hub.token(of.anna, { id: `${asked}` });
      },
    });
    const states: Connection[] = [];
    anna.connection.subscribe((connection) => states.push(connection));
    middleman.close(code);
    const lost = await until(
      "end",
      anna.connection,
      (now) => now.state === "waiting" || now.state === "ended",
    );
    expect(lost).toMatchObject({ reason: { kind: "closed", code } });
    if (lost.state === "waiting") expect(lost.ms).toBeLessThanOrEqual(mostMs);
    if (state === "connected") await until("connection", anna.connection, isConnected);
    else expect(lost.state).toBe(state);
  });
});

describe("an address where no hub is", () => {
  it("that speaks HTTP is unreachable, and asked again more and more slowly", async () => {
    longWaits();
    let asked = 0;
    const server = createServer((_, response) => {
      response.writeHead(404).end();
    }).on("upgrade", (_, socket) => {
      asked += 1;
      socket.end("HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const anna = enter({ url: `http://127.0.0.1:${port}/ws`, token: () => hub.token(of.anna) });
    const waiting = await until("wait", anna.connection, ({ state }) => state === "waiting");
    expect(waiting).toMatchObject({ reason: { kind: "unreachable" } });
    await pass(3_500);
    expect(asked).toBeLessThanOrEqual(LONG_WAITS);
  });

  it("that is no address ends it", async () => {
    const anna = enter({ url: "presence.example.com", token: () => hub.token(of.anna) });
    const ended = await until("end", anna.connection, ({ state }) => state === "ended");
    expect(ended).toMatchObject({ reason: { kind: "url" } });
  });

  it("that takes no connection from this page is unreachable", async () => {
    class Foreign extends NodeSocket {
      constructor(url: string, protocols: string[]) {
        // @ts-expect-error Node's sockets take headers; a browser sets this one itself.
        super(url, protocols, { headers: { origin: "https://elsewhere.example" } });
      }
    }
    const anna = enter({ url: hub.url, token: () => hub.token(of.anna), WebSocket: Foreign });
    const waiting = await until("wait", anna.connection, ({ state }) => state === "waiting");
    expect(waiting).toMatchObject({ reason: { kind: "unreachable" } });
  });
});
