// A board of 5,000 accounts with 50 changes a second: how smoothly it goes, what is drawn, and how soon it is there.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Hub } from "../support/hub.js";
import { blank, browser, leave } from "../support/pages.js";
import { Stage } from "../support/stage.js";
import { type Town, town } from "../support/town.js";

const ACCOUNTS = 5_000;
const ASSISTANTS = 50;
/** Each move frees one account and takes another. */
const MOVES_PER_S = 28;
const SECONDS = 10;

let stage: Stage;
let hub: Hub;
let chrome: Browser;
let of: Town;
let codes: string[];

beforeAll(async () => {
  stage = await Stage.open();
  hub = await Hub.start({ origins: [stage.origin] });
  stage.hubPort = hub.port;
  of = await town(hub, ACCOUNTS);
  stage.directory = of.directory;
  const members = Array.from({ length: ASSISTANTS }, () => crypto.randomUUID());
  await hub.service("POST", "/api/directory/import", {
    users: members.map((id, at) => ({ id, displayName: `Assistant ${at + 1}` })),
  });
  codes = [];
  for (const id of members) {
    const path = `/api/directory/organizations/${of.organization}/members/${id}`;
    await hub.service("PUT", path, { role: "member" });
    // One mints five a second.
    const { code } = await mint(id);
    codes.push(code);
  }
  chrome = await browser();
});

afterAll(async () => {
  await chrome?.close();
  await hub?.end();
  stage?.end();
});

async function mint(userId: string): Promise<{ code: string }> {
  for (;;) {
    try {
      return await hub.accessCode(of.people.olga ?? "", of.organization, userId);
    } catch (error) {
      if (!`${error}`.includes("rate_limited")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** Assistants move among accounts, steadily; a quarter of the moves is near the top of the list. */
async function moves(seconds: number): Promise<{ made: number; tookMs: number }> {
  const names = Object.keys(of.accounts).sort(
    new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare,
  );
  const near = names.slice(0, 40);
  let made = 0;
  const began = performance.now();
  const underWay: Promise<unknown>[] = [];
  for (let at = 0; at < seconds * MOVES_PER_S; at += 1) {
    const wait = began + (at * 1_000) / MOVES_PER_S - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const among = at % 4 === 0 ? near : names;
    const account = among[Math.floor(Math.random() * among.length)] ?? "";
    const body = { code: codes[at % ASSISTANTS], accountId: of.accounts[account] };
    const asked = hub.with(undefined)("POST", "/api/access-codes/validate", body);
    // Somebody else may be in it: that is no change.
    underWay.push(asked.then(() => (made += 1)).catch(() => {}));
  }
  await Promise.all(underWay);
  return { made, tookMs: performance.now() - began };
}

/** Bytes of JavaScript objects that are in use. */
async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}

interface Watched {
  frames: number[];
  long: number[];
  rowsTouched: number;
  rowsAdded: number;
}

async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: Watched = { frames: [], long: [], rowsTouched: 0, rowsAdded: 0 };
    (window as unknown as { seen: Watched }).seen = seen;
    let last = performance.now();
    const frame = (now: number) => {
      seen.frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.long.push(duration);
    }).observe({ type: "longtask" });
    const rows = document.querySelector(".rows");
    new MutationObserver((changes) => {
      const touched = new Set(
        changes.map(({ target }) => (target as Element).closest?.(".row")).filter((row) => row),
      );
      seen.rowsTouched += touched.size;
      for (const { target, addedNodes } of changes) if (target === rows) seen.rowsAdded += addedNodes.length;
    }).observe(rows as Node, { subtree: true, childList: true, attributes: true, characterData: true });
  });
}

describe("5,000 accounts", () => {
  it("are there soon, and go on smoothly while 50 change in a second", async () => {
    const page = await blank(chrome);
    await page.goto(`${stage.origin}/#token=${hub.token(of.people.olga ?? "")}`);
    await page.locator(".row").first().waitFor();
    await page.reload();
    await page.locator(".row").first().waitFor();
    const there = await page.evaluate(() => performance.now());
    expect(await page.locator(".row").count()).toBeLessThan(60);
    await watch(page);
    const before = await heap(page);
    const { made, tookMs } = await moves(SECONDS);
    const grown = (await heap(page)) - before;
    const seen = await page.evaluate(() => (window as unknown as { seen: Watched }).seen);
    const sorted = seen.frames.slice(5).sort((a, b) => a - b);
    const late = sorted.filter((ms) => ms > 34).length;
    const p = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
    process.stdout.write(
      `board: first rows after ${there.toFixed(0)} ms; ${((made * 2_000) / tookMs).toFixed(0)} changes/s, ` +
        `${((sorted.length * 1_000) / tookMs).toFixed(0)} frames/s, p50 ${p(0.5)} p95 ${p(0.95)} p99 ${p(0.99)} ms, ` +
        `${late} of ${sorted.length} late, long tasks ${seen.long.length} (${Math.max(0, ...seen.long)} ms), ` +
        `rows drawn anew ${seen.rowsTouched}, heap ${(before / 1e6).toFixed(1)} MB and ${(grown / 1e6).toFixed(1)} MB\n`,
    );
    expect(seen.rowsAdded).toBe(0);
    // A change draws one row, and most changes are out of sight.
    expect(seen.rowsTouched).toBeLessThan(made * 2);
    expect(Number(p(0.5))).toBeLessThan(17.5);
    await leave(page);
  });

  it("are scrolled through to the end, and found", async () => {
    const page = await blank(chrome);
    await page.goto(`${stage.origin}/#token=${hub.token(of.people.olga ?? "")}`);
    await page.locator(".row").first().waitFor();
    await page.getByRole("region", { name: "Accounts" }).focus();
    await page.keyboard.press("End");
    await page.getByText("Petal & Stem", { exact: true }).waitFor();
    await page.getByRole("searchbox").fill("account 4999");
    await page.getByText("Account 4999", { exact: true }).waitFor();
    expect(await page.locator(".row").count()).toBe(1);
    await leave(page);
  });
});
