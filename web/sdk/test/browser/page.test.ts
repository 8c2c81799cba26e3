// The SDK in Chromium, against a real hub: what a page goes through, and what the page of somebody else sees of it.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { browser, connected, open, Pages } from "../support/chromium.js";
import { cuttable, eventually, Hub, type Network, type World, world } from "../support/hub.js";
import type { Here } from "../support/in-page.js";

declare const here: Here;

let hub: Hub;
let pages: Pages;
let chrome: Browser;
let of: World;
let proxy: Network;
let open_: Page[];

beforeAll(async () => {
  pages = await Pages.serve();
  hub = await Hub.start({ origins: [pages.origin] });
  chrome = await browser();
});

afterAll(async () => {
  await chrome?.close();
  await hub?.end();
  pages?.end();
});

beforeEach(async () => {
  of = await world(hub);
  proxy = await cuttable(hub.port);
  open_ = [];
});

afterEach(async () => {
  for (const page of open_) {
    expect(await page.evaluate(() => here.uncaught).catch(() => [])).toEqual([]);
    await page.context().close();
  }
  await proxy.end();
});

/** Finn, whose page is watched by Anna's. */
async function finn(prepare?: Parameters<typeof open>[3], token = hub.token(of.finn)): Promise<Page> {
  const page = await open(chrome, pages.origin, { url: proxy.url, token, channel: of.wedding }, prepare);
  open_.push(page);
  return page;
}

async function anna(): Promise<Page> {
  const who = { url: hub.url, token: hub.token(of.anna), channel: of.wedding };
  const page = await open(chrome, pages.origin, who);
  open_.push(page);
  return page;
}

/** Both are there, and each sees the other. */
async function both(): Promise<{ subject: Page; viewer: Page }> {
  const subject = await finn();
  const viewer = await anna();
  await sees(viewer, "online");
  return { subject, viewer };
}

/** The viewer's store comes to show Finn so. */
async function sees(viewer: Page, status: string): Promise<void> {
  await viewer.waitForFunction(
    ([id, wanted]) => here.wedding.person(id as string)?.status === wanted,
    [of.finn, status],
  );
}

/** What the viewer was told of Finn; a change of somebody else's behind it proves that nothing more is on its way. */
async function toldOf(viewer: Page): Promise<number> {
  const marker = await open(chrome, pages.origin, {
    url: hub.url,
    token: hub.token(of.rosa),
    channel: of.wedding,
  });
  await viewer.waitForFunction((id) => here.wedding.person(id)?.status === "online", of.rosa);
  await marker.evaluate(() => here.presence.signOut());
  await viewer.waitForFunction((id) => here.wedding.person(id)?.status === "offline", of.rosa);
  await marker.context().close();
  return viewer.evaluate(
    (id) =>
      here.changes.filter(({ joined, updated, left }) => [joined, updated, left].flat().includes(id)).length,
    of.finn,
  );
}

describe("nobody else notices", () => {
  it("a cut, and the page goes on where it was", async () => {
    const { subject, viewer } = await both();
    const before = await toldOf(viewer);
    proxy.cut();
    await subject.waitForFunction(() => here.connections.some(({ state }) => state === "waiting"));
    await connected(subject);
    expect(await subject.evaluate(() => here.presence.connection.get())).toEqual({
      state: "connected",
      resumed: true,
    });
    expect(await toldOf(viewer)).toBe(before);
  });

  it("a reload", async () => {
    const { subject, viewer } = await both();
    await subject.evaluate(() => here.presence.track({ status: "busy", customStatus: "on site" }));
    await sees(viewer, "busy");
    const before = await toldOf(viewer);
    await subject.reload();
    await connected(subject);
    // The grace of a session that is lost now ends behind that of the session before the reload.
    const later = await open(chrome, pages.origin, {
      url: hub.url,
      token: hub.token(of.ben),
      channel: of.wedding,
    });
    await viewer.waitForFunction((id) => here.wedding.person(id)?.status === "online", of.ben);
    await later.context().close();
    await viewer.waitForFunction((id) => here.wedding.person(id)?.status === "offline", of.ben);
    expect(await toldOf(viewer)).toBe(before);
    await sees(viewer, "busy");
  });

  it("a visit elsewhere and back, out of the back-forward cache", async () => {
    const { subject, viewer } = await both();
    const before = await toldOf(viewer);
    await subject.goto(`${pages.origin}/elsewhere`);
    await subject.goBack({ waitUntil: "commit" });
    await connected(subject);
    expect(await subject.evaluate(() => [here.restored, here.presence.connection.get()])).toEqual([
      true,
      { state: "connected", resumed: true },
    ]);
    expect(await toldOf(viewer)).toBe(before);
  });

  it("a clock that is an hour ahead, or behind", async () => {
    for (const hours of [1, -1]) {
      const page = await finn((context) =>
        context.addInitScript((ms) => {
          const real = Date.now;
          Date.now = () => real() + ms;
        }, hours * 3_600_000),
      );
      expect(await page.evaluate(() => here.presence.connection.get().state)).toBe("connected");
      proxy.cut();
      await page.waitForFunction(() => here.connections.some(({ state }) => state === "waiting"));
      await connected(page);
    }
  });

  it("a storage that is denied", async () => {
    const page = await finn((context) =>
      context.addInitScript(() => {
        for (const name of ["sessionStorage", "localStorage"])
          Object.defineProperty(window, name, {
            get() {
              throw new DOMException("denied", "SecurityError");
            },
          });
      }),
    );
    await page.evaluate(() => here.presence.track({ status: "busy" }));
    expect(await page.evaluate(() => here.presence.me.get())).toMatchObject({
      pending: false,
      track: { status: "busy" },
    });
  });
});

describe("a page", () => {
  it("survives the hub's restart, asked or not", async () => {
    const { subject, viewer } = await both();
    await hub.stop();
    await hub.start();
    await Promise.all([connected(subject), connected(viewer)]);
    await sees(viewer, "online");
    await hub.kill();
    await viewer.waitForFunction(() => here.wedding.get().phase === "stale");
    await hub.start();
    await Promise.all([connected(subject), connected(viewer)]);
    await sees(viewer, "online");
  });

  it("waits with an expired token until there is another, and does not knock meanwhile", async () => {
    const subject = await finn();
    const expired = hub.token(of.finn, { expiresInS: -60 });
    await subject.evaluate((token) => {
      here.token = token;
    }, expired);
    proxy.cut();
    await subject.waitForFunction(() => {
      const now = here.presence.connection.get();
      return now.state === "waiting" && now.reason.kind === "token";
    });
    const tried = proxy.tried;
    await subject.waitForFunction(
      () => here.connections.filter((c) => c.state === "waiting" && c.reason.kind === "token").length >= 2,
    );
    expect(proxy.tried).toBe(tried);
    await subject.evaluate((token) => {
      here.token = token;
    }, hub.token(of.finn));
    await connected(subject);
  });

  it("is gone for everybody when it signs out, and stays so", async () => {
    const { subject, viewer } = await both();
    await subject.evaluate(() => here.presence.signOut());
    await sees(viewer, "offline");
    await subject.waitForFunction(() => here.presence.connection.get().state === "ended");
  });

  it("tells that the hub is not reachable, and finds it again", async () => {
    const subject = await finn();
    proxy.refuse(true);
    proxy.cut();
    await subject.waitForFunction(() => {
      const now = here.presence.connection.get();
      return now.state === "waiting" && now.reason.kind === "unreachable";
    });
    expect(await subject.evaluate(() => here.wedding.get().phase)).toBe("stale");
    proxy.refuse(false);
    await connected(subject);
  });

  it("of an origin that is not allowed is told nothing but that", async () => {
    const strangers = await Pages.serve();
    const context = await chrome.newContext();
    const page = await context.newPage();
    const who = { url: hub.url, token: hub.token(of.finn), channel: of.wedding };
    await page.goto(`${strangers.origin}/#${encodeURIComponent(JSON.stringify(who))}`);
    await page.waitForFunction(() => {
      const now = here.presence.connection.get();
      return now.state === "waiting" && now.reason.kind === "unreachable";
    });
    await context.close();
    strangers.end();
  });

  it("shares a user with other tabs, and each goes as it came", async () => {
    const { subject, viewer } = await both();
    const before = await toldOf(viewer);
    const tabs = [await finn(), await finn(), await finn()];
    expect(await toldOf(viewer)).toBe(before);
    for (const tab of tabs) await tab.evaluate(() => here.presence.signOut());
    expect(await toldOf(viewer)).toBe(before);
    await subject.evaluate(() => here.presence.signOut());
    await sees(viewer, "offline");
  });
});

describe("a change", () => {
  it("is in the other store and on its screen at once", async () => {
    const { subject, viewer } = await both();
    const toStore: number[] = [];
    const toPaint: number[] = [];
    for (let change = 0; change < 10; change += 1) {
      const status = change % 2 ? "away" : "busy";
      const began = await subject.evaluate(
        async (chosen) => {
          const now = performance.timeOrigin + performance.now();
          await here.presence.say({ status: chosen });
          return now;
        },
        status as "away" | "busy",
      );
      await sees(viewer, status);
      const [arrived, painted] = await eventually("a painted change", () =>
        viewer.evaluate(() => (here.painted >= here.arrived ? [here.arrived, here.painted] : undefined)),
      );
      toStore.push((arrived ?? 0) - began);
      toPaint.push((painted ?? 0) - began);
      // The hub takes one change a second: the next is not to be measured waiting for that.
      await subject.waitForTimeout(1_100);
    }
    const median = (of: number[]) => of.sort((a, b) => a - b)[of.length >> 1] ?? 0;
    process.stdout.write(
      `latency: store ${median(toStore).toFixed(1)} ms, paint ${median(toPaint).toFixed(1)} ms (medians of 10)\n`,
    );
    expect(toStore).toHaveLength(10);
  });
});
