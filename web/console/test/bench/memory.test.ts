// What a board of 5,000 accounts keeps in its page's memory while 50 of them change in a second, and how smoothly it goes
// meanwhile. Not a part of the test suite: `npm run bench`, for as many minutes as MINUTES says (10).

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Bustle, CROWDED, kept, pace, seen, watch } from "../support/bustle.js";
import { Hub } from "../support/hub.js";
import { browser, leave, visit } from "../support/pages.js";
import { Stage } from "../support/stage.js";

/** At least three: what is held against each other are thirds. */
const MINUTES = Math.max(3, Number(process.env.MINUTES ?? 10));
/** That fewer than 50 change in a second is the hub's, or the machine's, and no measurement of this page. */
const CHANGES_PER_S = 50;
const MOST_GROWTH = 1.1;

let stage: Stage;
let hub: Hub;
let chrome: Browser;
let bustle: Bustle;

beforeAll(async () => {
  stage = await Stage.open();
  hub = await Hub.start({ origins: [stage.origin], settings: { ...CROWDED, "log.level": "warn" } });
  stage.hubPort = hub.port;
  bustle = await Bustle.begin(hub);
  chrome = await browser();
});

afterAll(async () => {
  await chrome?.close();
  await hub?.end();
  stage?.end();
});

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2);
const mean = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;

it("keeps its memory", { timeout: (MINUTES + 5) * 60_000 }, async () => {
  const page = await visit(chrome, stage, hub, bustle.of.people.olga ?? "", { at: "#/accounts" });
  await page.locator(".row").first().waitFor();
  await watch(page);
  const session = await page.context().newCDPSession(page);
  const heaps: number[] = [];
  for (let minute = 1; minute <= MINUTES; minute += 1) {
    await seen(page);
    const { changesPerS, tookMs } = await bustle.moves(60);
    const drawn = pace(await seen(page), tookMs);
    const { heap, nodes, listeners } = await kept(session);
    process.stdout.write(
      `minute ${minute}: heap ${megabytes(heap)} MB, ${nodes} nodes, ${listeners} listeners, ` +
        `${changesPerS.toFixed(0)} changes/s, ${drawn.says}\n`,
    );
    expect(changesPerS).toBeGreaterThanOrEqual(CHANGES_PER_S);
    heaps.push(heap);
  }
  const third = Math.floor(MINUTES / 3);
  const [second, last] = [mean(heaps.slice(-2 * third, -third)), mean(heaps.slice(-third))];
  process.stdout.write(
    `memory: ${megabytes(second)} MB in the second third, ${megabytes(last)} MB in the last\n`,
  );
  expect(last).toBeLessThanOrEqual(second * MOST_GROWTH);
  await leave(page);
});
