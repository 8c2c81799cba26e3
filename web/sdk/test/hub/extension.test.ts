// The clock of an extension against a real hub: what the protocol says of holds, tokens and lost answers, in both encodings.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { json } from "../../src/codec.js";
import { type Clock, type ClockOptions, type ClockState, createClock } from "../../src/extension/index.js";
import type { SocketConstructor } from "../../src/link.js";
import { msgpack } from "../../src/msgpack.js";
import { FakeStorage } from "../support/clock.js";
import { eventually, Hub, until, type World, world } from "../support/hub.js";

/** Sockets that can be cut, and whose answers can be lost before. */
class Line {
  deaf = false;
  readonly sockets: WebSocket[] = [];

  get constructor_(): SocketConstructor {
    const line = this;
    return class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        line.sockets.push(this);
      }

      override emit(event: string | symbol, ...rest: unknown[]): boolean {
        return (event === "message" && line.deaf) || super.emit(event, ...rest);
      }
    } as unknown as SocketConstructor;
  }

  cut(): void {
    this.deaf = false;
    this.sockets.at(-1)?.terminate();
  }
}

let hub: Hub;
let of: World;
let line: Line;
let clocks: Clock[];

beforeAll(async () => {
  const settings = {
    "occupancy.token_s": 4,
    "presence.expiry_warning_ms": 2_000,
  };
  hub = await Hub.start({ settings });
});

afterAll(() => hub?.end());

beforeEach(async () => {
  of = await world(hub);
  line = new Line();
  clocks = [];
});

afterEach(() => {
  for (const clock of clocks) clock.close();
});

function make(options: Partial<ClockOptions> = {}): Clock {
  const clock = createClock({ url: hub.url, WebSocket: line.constructor_, ...options });
  clocks.push(clock);
  return clock;
}

async function codeOf(user: string): Promise<{ id: string; code: string }> {
  return hub.accessCode(of.adam, of.organization, user);
}

function state<S extends ClockState["state"]>(clock: Clock, wanted: S) {
  return until(wanted, clock.state, (now) => now.state === wanted) as Promise<
    Extract<ClockState, { state: S }>
  >;
}

/** Works on, so that it is not clocked out for doing nothing. */
function works(clock: Clock): () => void {
  const timer = setInterval(
    () => void clock.activity({ activityType: "focus", page: `/${Date.now()}` }),
    500,
  );
  return () => clearInterval(timer);
}

function tokenIn(storage: FakeStorage): string | undefined {
  return JSON.parse(storage.kept.get("presence-hub.clock") ?? "{}").token;
}

async function occupied(accountId: string): Promise<object | undefined> {
  const path = `/api/presence/accounts?organizationId=${of.organization}`;
  const { accounts } = await hub.as(of.adam)<{ accounts: { accountId: string }[] }>("GET", path);
  return accounts.find((account) => account.accountId === accountId);
}

describe.each([
  ["json", json],
  ["msgpack", msgpack],
])("in %s", (_name, codec) => {
  it("clocks in, moves, and clocks out", async () => {
    const clock = make({ codec });
    const { code } = await codeOf(of.vera);
    const held = await clock.clockIn({ code, accountId: of.inbox });
    expect(held).toMatchObject({ accountId: of.inbox, organization: of.organization, userId: of.vera });
    expect(held.adminsSee).toContain("name");
    await clock.activity();
    const moved = await clock.move(of.studio);
    expect(moved.epoch).toBeGreaterThan(held.epoch);
    expect([await occupied(of.inbox), !!(await occupied(of.studio))]).toEqual([undefined, true]);
    await clock.clockOut();
    expect(clock.state.get()).toMatchObject({ state: "out", reason: "clocked_out" });
    expect(await occupied(of.studio)).toBeUndefined();
  });

  it("is in the same hold after a cut", async () => {
    const clock = make({ codec });
    const held = await clock.clockIn({ ...(await codeOf(of.vera)), accountId: of.inbox });
    line.cut();
    await state(clock, "lost");
    expect((await state(clock, "in")).hold).toEqual(held);
    expect(line.sockets.length).toBe(2);
  });
});

describe("an answer that is lost", () => {
  it("of a clock-in: it is asked for again and done once", async () => {
    const clock = make();
    const { code } = await codeOf(of.vera);
    line.deaf = true;
    const entered = clock.clockIn({ code, accountId: of.inbox });
    await eventually("hold", () => occupied(of.inbox));
    line.cut();
    await entered;
    const path = `/api/presence/audit?organizationId=${of.organization}`;
    const { entries } = await hub.as(of.adam)<{ entries: object[] }>("GET", path);
    expect(entries.filter((entry) => JSON.stringify(entry).includes('"occupancy"')).length).toBe(1);
  });

  it("of a clock-out: it is done", async () => {
    const clock = make();
    await clock.clockIn({ ...(await codeOf(of.vera)), accountId: of.inbox });
    line.deaf = true;
    const out = clock.clockOut();
    await eventually("end of the hold", async () => !(await occupied(of.inbox)));
    line.cut();
    await out;
    expect(clock.state.get().state).toBe("out");
  });

  it("of a move: it is found by the code", async () => {
    const clock = make();
    const held = await clock.clockIn({ ...(await codeOf(of.vera)), accountId: of.inbox });
    line.deaf = true;
    const moved = clock.move(of.studio);
    await eventually("move", () => occupied(of.studio));
    line.cut();
    expect((await moved).epoch).toBeGreaterThan(held.epoch);
    expect(clock.state.get()).toMatchObject({ state: "in", hold: { accountId: of.studio } });
  });

  it("of a move, and the worker too: the next one finds it by the code that is kept in memory", async () => {
    const [storage, session] = [new FakeStorage(), new FakeStorage()];
    const clock = make({ storage, session });
    await clock.clockIn({ ...(await codeOf(of.vera)), accountId: of.inbox });
    line.deaf = true;
    void clock.move(of.studio);
    await eventually("move", () => occupied(of.studio));
    clock.close();
    line.deaf = false;
    const next = make({ storage, session });
    await next.restore();
    expect((await state(next, "in")).hold.accountId).toBe(of.studio);
  });
});

describe("a worker that is killed", () => {
  it("is followed by one in the same hold", async () => {
    const [storage, session] = [new FakeStorage(), new FakeStorage()];
    const clock = make({ storage, session });
    const held = await clock.clockIn({ ...(await codeOf(of.vera)), accountId: of.inbox });
    clock.close();
    const next = make({ storage, session });
    await next.restore();
    expect((await state(next, "in")).hold).toEqual(held);
    await next.clockOut();
  });
});

describe("the hub", () => {
  it("says expiring in time, and the hold outlives its tokens", async () => {
    const storage = new FakeStorage();
    const clock = make({ storage });
    const held = await clock.clockIn({ ...(await codeOf(of.vera)), accountId: of.inbox });
    const tokens = new Set<string>();
    await eventually("third token", () => tokens.add(tokenIn(storage) ?? "").size > 3);
    expect(clock.state.get()).toEqual({ state: "in", hold: held, pending: undefined });
    expect(line.sockets.length).toBe(1);
  });

  it("does not take a token that is worth nothing: the code does it, and the hold is the same", async () => {
    const storage = new FakeStorage();
    const { code } = await codeOf(of.vera);
    const held = await make({ storage }).clockIn({ code, accountId: of.inbox });
    await eventually("token", () => tokenIn(storage));
    const all = await storage.get("presence-hub.clock");
    await storage.set("presence-hub.clock", { ...(all as object), token: `${tokenIn(storage)}x` });
    const next = make({ storage });
    await next.restore();
    const refused = await state(next, "refused");
    expect([refused.error.code, refused.hold]).toEqual(["token_invalid", held]);
    expect(await next.clockIn({ code, accountId: of.inbox })).toEqual(held);
  });

  it("clocks out who does nothing, and not who works", async () => {
    const settings = { "occupancy.inactive_after_s": 3 };
    const impatient = await Hub.start({ settings });
    try {
      const here = await world(impatient);
      const code = (user: string) => impatient.accessCode(here.adam, here.organization, user);
      const [vera, vic] = [make({ url: impatient.url }), make({ url: impatient.url })];
      await vera.clockIn({ ...(await code(here.vera)), accountId: here.inbox });
      await vic.clockIn({ ...(await code(here.vic)), accountId: here.studio });
      const rest = works(vic);
      expect((await state(vera, "out")).reason).toBe("inactive");
      expect(vic.state.get().state).toBe("in");
      rest();
      expect((await state(vic, "out")).reason).toBe("inactive");
    } finally {
      await impatient.end();
    }
  });

  it("is restarted, and the hold goes on", async () => {
    const clock = make();
    const held = await clock.clockIn({ ...(await codeOf(of.vera)), accountId: of.inbox });
    for (const end of [() => hub.stop(), () => hub.kill()]) {
      await end();
      await state(clock, "lost");
      await hub.start();
      expect((await state(clock, "in")).hold).toEqual(held);
    }
  });

  it("tells both browsers when one of them moves or leaves", async () => {
    const [one, two] = [make(), make()];
    const { code } = await codeOf(of.vera);
    await one.clockIn({ code, accountId: of.inbox });
    await two.clockIn({ code, accountId: of.inbox });
    await two.move(of.studio);
    expect((await state(one, "out")).reason).toBe("moved");
    await one.clockIn({ code, accountId: of.studio });
    await one.clockOut();
    expect((await state(two, "out")).reason).toBe("clocked_out");
  });

  it.each(["force_cleared", "code_revoked", "removed"])("tells why: %s", async (reason) => {
    const clock = make();
    const { id, code } = await codeOf(of.vera);
    await clock.clockIn({ code, accountId: of.inbox });
    const admin = hub.as(of.adam);
    if (reason === "force_cleared") await admin("DELETE", `/api/presence/accounts/${of.inbox}`);
    if (reason === "code_revoked") await admin("DELETE", `/api/access-codes/${id}?clockOut=true`);
    if (reason === "removed")
      await hub.service("DELETE", `/api/directory/organizations/${of.organization}/members/${of.vera}`);
    expect((await state(clock, "out")).reason).toBe(reason);
  });

  it("tells who is disabled, and does not hear of them again", async () => {
    const clock = make();
    const held = await clock.clockIn({ ...(await codeOf(of.vera)), accountId: of.inbox });
    await hub.service("PUT", `/api/directory/users/${of.vera}`, { displayName: "Vera", disabled: true });
    const refused = await state(clock, "refused");
    expect([refused.error.code, refused.hold]).toEqual(["account_disabled", held]);
    expect(line.sockets.length).toBe(1);
  });
});

describe("what is refused", () => {
  it("a wrong code, an account that is not there, and one that is taken", async () => {
    const [vera, vic] = [make(), make()];
    const { code } = await codeOf(of.vera);
    await vic.clockIn({ ...(await codeOf(of.vic)), accountId: of.inbox });
    await expect(vera.clockIn({ code: "nobody-knows-this", accountId: of.inbox })).rejects.toMatchObject({
      code: "invalid_code",
    });
    await expect(vera.clockIn({ code, accountId: of.anna })).rejects.toMatchObject({
      code: "unknown_channel",
    });
    await expect(vera.clockIn({ code, accountId: of.inbox })).rejects.toMatchObject({ code: "occupied" });
    expect(vera.state.get()).toMatchObject({ state: "refused", error: { code: "occupied" } });
    const held = await vera.clockIn({ code, accountId: of.studio });
    await expect(vera.move(of.inbox)).rejects.toMatchObject({ code: "occupied" });
    await expect(vera.move(of.anna)).rejects.toMatchObject({ code: "unknown_channel" });
    expect(vera.state.get()).toEqual({ state: "in", hold: held, pending: undefined });
  });

  it("of two who race for an account, one is in", async () => {
    const [vera, vic] = [make(), make()];
    const codes = [await codeOf(of.vera), await codeOf(of.vic)];
    const all = await Promise.allSettled([
      vera.clockIn({ code: codes[0]?.code ?? "", accountId: of.inbox }),
      vic.clockIn({ code: codes[1]?.code ?? "", accountId: of.inbox }),
    ]);
    expect(all.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});
