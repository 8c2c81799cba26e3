// What a store of 5,000 entries costs its page while 200 of them change every second, against a real hub. Not a part of
// the test suite: `npm run bench`, for as many minutes as MINUTES says.

import { type Browser, type CDPSession, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createPresence, type Presence } from "../../src/index.js";
import { executable, FLAGS, open, Pages } from "../support/chromium.js";
import { Hub, NodeSocket, people, until } from "../support/hub.js";
import type { Here } from "../support/in-page.js";

declare const here: Here;

const MINUTES = Number(process.env.MINUTES ?? 10);
const ENTRIES = 5_000;
const CHANGING = 200;
/** The rate limit of a user is one change a second. */
const EVERY_MS = 1_050;

let hub: Hub;
let pages: Pages;
let chrome: Browser;
const crowd: Presence[] = [];

beforeAll(async () => {
  pages = await Pages.serve();
  hub = await Hub.start({ origins: [pages.origin], settings: { "log.level": "warn" } });
  chrome = await chromium.launch({ executablePath: executable(), args: FLAGS });
});

afterAll(async () => {
  for (const one of crowd) one.close();
  await chrome?.close();
  await hub?.end();
  pages?.end();
});

it("costs under a tenth of a core, and keeps its memory", { timeout: (MINUTES + 3) * 60_000 }, async () => {
  const { users, wedding } = await people(hub, ENTRIES);
  const page = await open(chrome, pages.origin, {
    url: hub.url,
    token: hub.token(users[0] ?? ""),
    channel: wedding,
    draw: false,
  });
  expect(await page.evaluate(() => here.wedding.get().people.length)).toBe(ENTRIES);
  for (const user of users.slice(1, CHANGING + 1)) crowd.push(await present(user));
  const stop = change();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  const heaps: number[] = [];
  let before = await measure(page, cdp);
  for (let minute = 1; minute <= MINUTES; minute += 1) {
    await page.waitForTimeout(60_000);
    const now = await measure(page, cdp);
    const core = (100 * (now.busyS - before.busyS)) / (now.atS - before.atS);
    const changes = (now.changes - before.changes) / (now.atS - before.atS);
    process.stdout.write(
      `minute ${minute}: ${core.toFixed(1)} % of a core, ${changes.toFixed(0)} changes/s, heap ${now.heapMb.toFixed(2)} MB\n`,
    );
    heaps.push(now.heapMb);
    before = now;
    expect(core).toBeLessThan(10);
  }
  stop();
  const [, second = heaps[0] ?? 0] = heaps;
  expect(heaps.at(-1)).toBeLessThan(second * 1.05);
});

async function present(user: string): Promise<Presence> {
  const one = createPresence({ url: hub.url, token: () => hub.token(user), WebSocket: NodeSocket });
  one.connect();
  await until("connection", one.connection, ({ state }) => state === "connected");
  return one;
}

/** Everybody of the crowd changes their status as often as the hub takes it, spread over the second. */
function change(): () => void {
  let round = 0;
  const timer = setInterval(() => {
    const at = round % CHANGING;
    void crowd[at]?.track({ status: Math.floor(round / CHANGING) % 2 ? "busy" : "away" });
    round += 1;
  }, EVERY_MS / CHANGING);
  return () => clearInterval(timer);
}

/** After a collection of garbage: what is left is kept. */
async function measure(page: Page, cdp: CDPSession) {
  await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const metric = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0;
  const changes = await page.evaluate(() => {
    const count = here.changed;
    here.changes.length = 0;
    return count;
  });
  return {
    atS: metric("Timestamp"),
    busyS: metric("TaskDuration"),
    heapMb: metric("JSHeapUsedSize") / 1e6,
    changes,
  };
}
