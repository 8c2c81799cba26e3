// Who sees whom, over a real hub.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { json } from "../../src/codec.js";
import type { ChannelState, PresenceOptions } from "../../src/index.js";
import { msgpack } from "../../src/msgpack.js";
import { Hub, until, type World, world } from "../support/hub.js";
import { enter, log, noRejections } from "../support/tab.js";

const GRACE_MS = 2_000;

let hub: Hub;
let of: World;

noRejections();
beforeAll(async () => {
  hub = await Hub.start({ settings: { "presence.grace_ms": GRACE_MS } });
});
afterAll(() => hub?.end());
beforeEach(async () => {
  of = await world(hub);
});

function as(user: string, more: Partial<PresenceOptions> = {}) {
  return enter({ url: hub.url, token: () => hub.token(user), ...more });
}

function sees(user: string, what: object = {}) {
  return ({ people }: ChannelState) => people.some((person) => person.userId === user && holds(person, what));
}

function holds(person: object, what: object): boolean {
  return Object.entries(what).every(([key, value]) => (person as { [key: string]: unknown })[key] === value);
}

describe.each([json, msgpack])("two people ($protocol)", (codec) => {
  it("see each other come, change and go", async () => {
    const finn = as(of.finn, { codec });
    await finn.track({ status: "busy" });
    const wedding = as(of.anna, { codec }).channel(of.wedding);
    const told = log(wedding, { ...of });
    await until("Finn, of the snapshot", wedding, sees(of.finn, { status: "busy", device: "desktop" }));
    expect(wedding.get().phase).toBe("live");
    const rosa = as(of.rosa, { codec });
    await rosa.track();
    await until("Rosa", wedding, sees(of.rosa, { status: "online" }));
    await rosa.say({ customStatus: "Peonies", customEmoji: "🌷" });
    await until("Rosa's words", wedding, sees(of.rosa, { customStatus: "Peonies", customEmoji: "🌷" }));
    await rosa.untrack();
    await until("Rosa going", wedding, (state) => !sees(of.rosa)(state));
    expect(told).toEqual(["+finn", "+rosa", "~rosa", "-rosa"]);
    expect(wedding.get().people).toEqual([{ userId: of.finn, status: "busy", device: "desktop" }]);
  });

  it("see a whole roster, and who was there last", async () => {
    const agency = as(of.vera, { codec }).channel(of.agency, { people: "roster" });
    const everybody = [of.olga, of.adam, of.vera, of.vic, of.val].sort();
    const told = log(agency, { ...of });
    const first = await until("roster", agency, ({ phase }) => phase === "live");
    expect(first.people.map(({ userId }) => userId)).toEqual(everybody);
    expect(first.people.every((person) => person.status === "offline" && person.lastSeen === null)).toBe(
      true,
    );
    told.length = 0;
    const vic = as(of.vic, { codec });
    await vic.track({ status: "away" });
    await until("Vic", agency, sees(of.vic, { status: "away" }));
    await vic.signOut();
    const last = await until("Vic offline", agency, sees(of.vic, { status: "offline" }));
    expect(last.people.find(({ userId }) => userId === of.vic)).toEqual({
      userId: of.vic,
      status: "offline",
      lastSeen: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:00Z$/),
    });
    expect(told).toEqual(["~vic", "~vic"]);
  });

  it("see who is in an account, as they may", async () => {
    const [olga, vic] = [as(of.olga, { codec }), as(of.vic, { codec })];
    const boards = [olga, vic].map((who) => who.channel(of.agency, { people: "none" }));
    for (const board of boards) log(board, {});
    for (const board of boards) await until("board", board, ({ phase }) => phase === "live");
    const { code } = await hub.accessCode(of.olga, of.organization, of.vera);
    const clockIn = { code, accountId: of.inbox };
    await hub.with(undefined)("POST", "/api/access-codes/validate", clockIn);
    const [named, occupied] = await Promise.all(
      boards.map((board) => until("account", board, ({ accounts }) => accounts.length === 1)),
    );
    expect(named?.accounts).toEqual([
      {
        accountId: of.inbox,
        holder: "named",
        userId: of.vera,
        displayName: "Vera",
        since: expect.stringMatching(/:00Z$/),
      },
    ]);
    expect(occupied?.accounts).toEqual([{ accountId: of.inbox, holder: "occupied" }]);
    expect(boards.flatMap((board) => board.get().people)).toEqual([]);
  });
});

describe("tracking in a channel", () => {
  it("is seen there and nowhere else", async () => {
    const finn = as(of.finn);
    await finn.setSettings({ showCurrentPage: true });
    const here = as(of.anna).channel(of.wedding);
    const there = as(of.bea).channel(of.otherWedding);
    log(here, {});
    const thereTold = log(there, {});
    await finn.channel(of.wedding).track({ currentPage: "/weddings/7/guests?table=3#top" });
    await until("Finn and his page", here, sees(of.finn, { currentPage: "/weddings/7/guests" }));
    await until("list", there, ({ phase }) => phase === "live");
    expect(there.get().people).toEqual([]);
    // In both now, of which neither is shown what is done in the other one.
    await finn.channel(of.otherWedding).track({ currentPage: "/weddings/8" });
    await until("Finn", there, sees(of.finn, { currentPage: undefined }));
    await until("Finn without a page", here, sees(of.finn, { currentPage: undefined }));
    await finn.channel(of.wedding).untrack();
    await until("Finn going", here, ({ people }) => people.length === 0);
    await until("Finn's page", there, sees(of.finn, { currentPage: "/weddings/8" }));
    expect(thereTold.map((sign) => sign[0]).join("")).toBe("+~");
  });

  it("shows no page that is not to be shown", async () => {
    const wedding = as(of.anna).channel(of.wedding);
    log(wedding, {});
    const finn = as(of.finn);
    await finn.track({ currentPage: "/weddings/7" });
    await until("Finn", wedding, sees(of.finn));
    expect(wedding.get().people).toEqual([{ userId: of.finn, status: "online", device: "desktop" }]);
    await finn.setSettings({ showCurrentPage: true });
    await until("his page", wedding, sees(of.finn, { currentPage: "/weddings/7" }));
  });

  it("shows typing until it ends", async () => {
    const wedding = as(of.anna).channel(of.wedding);
    log(wedding, {});
    const finn = as(of.finn);
    await finn.track();
    await finn.track({ isTyping: true });
    await until("typing", wedding, sees(of.finn, { isTyping: true }));
    await finn.track({ isTyping: false });
    await until("end of typing", wedding, sees(of.finn, { isTyping: undefined }));
  });
});

describe("settings", () => {
  it("are what the hub says, in every tab", async () => {
    const [one, other] = [as(of.finn), as(of.finn)];
    await until("settings", one.settings, (settings) => settings?.visibility === "everyone");
    await until("settings", other.settings, (settings) => settings?.visibility === "everyone");
    const changed = one.setSettings({ visibility: "contacts", customStatus: "On leave" });
    expect(one.settings.get()?.visibility).toBe("everyone");
    expect(await changed).toEqual({ durable: true });
    for (const tab of [one, other])
      await until("settings", tab.settings, (now) => now?.customStatus === "On leave");
    await hub.as(of.finn)("PUT", "/api/presence/settings", { customStatus: null });
    for (const tab of [one, other])
      await until("settings", tab.settings, (now) => now?.customStatus === null);
    await expect(one.setSettings({ customStatus: "x".repeat(101) })).rejects.toMatchObject({
      code: "invalid_value",
    });
    expect(one.settings.get()).toMatchObject({ visibility: "contacts", customStatus: null });
  });

  it("hide who appears offline from everybody but themselves", async () => {
    const finn = as(of.finn);
    await finn.track();
    const own = finn.channel(of.wedding);
    const wedding = as(of.anna).channel(of.wedding);
    for (const list of [own, wedding]) log(list, {});
    for (const list of [own, wedding]) await until("Finn", list, sees(of.finn));
    await finn.setSettings({ appearOffline: true });
    await until("nobody", wedding, ({ people }) => people.length === 0);
    await finn.say({ status: "busy" });
    await until("himself", own, sees(of.finn, { status: "busy" }));
    expect(wedding.get().people).toEqual([]);
    await finn.setSettings({ appearOffline: false });
    await until("Finn again", wedding, sees(of.finn, { status: "busy" }));
  });
});

describe("going", () => {
  it("is seen at once by who signs out, and is for good", async () => {
    const finn = as(of.finn);
    await finn.track();
    const rosa = as(of.rosa);
    await rosa.track();
    const wedding = as(of.anna).channel(of.wedding);
    const told = log(wedding, { ...of });
    await until("both", wedding, ({ people }) => people.length === 2);
    // Who only closes has a time of grace: longer than this takes.
    rosa.close();
    await finn.signOut();
    await until("nobody", wedding, ({ people }) => people.length === 0);
    expect(told.slice(2)).toEqual(["-finn", "-rosa"]);
    const ended = await until("end", finn.connection, ({ state }) => state === "ended");
    expect(ended).toMatchObject({ reason: { kind: "closed", code: 1000 } });
    expect(finn.me.get().track).toBeUndefined();
    finn.connect();
    await finn.track();
    await until("Finn again", wedding, sees(of.finn));
  });

  it("is seen after the time of grace where a connection is only closed", async () => {
    const finn = as(of.finn);
    await finn.track();
    const wedding = as(of.anna).channel(of.wedding);
    const told = log(wedding, { ...of });
    await until("Finn", wedding, sees(of.finn));
    const began = performance.now();
    finn.close();
    await until("nobody", wedding, ({ people }) => people.length === 0);
    expect(performance.now() - began).toBeGreaterThan(GRACE_MS * 0.9);
    expect(told).toEqual(["+finn", "-finn"]);
    expect(finn.connection.get()).toEqual({ state: "closed" });
  });
});
