// A board of 5,000 accounts on which 50 change in a second, and what that does to a page that shows it.

import type { CDPSession, Page } from "playwright-core";
import type { Hub } from "./hub.js";
import { type Town, town } from "./town.js";

const ACCOUNTS = 5_000;
const ASSISTANTS = 50;
/** Each move frees one account and takes another; a few find theirs taken, and are none. */
const MOVES_PER_S = 30;
/** Of those, one in so many is near the top of the list, where it is seen. */
const IN_SIGHT = 4;

/** All assistants come from one address: while a busy hub looks at their codes, each counts as one that may be wrong. */
export const CROWDED = { "limits.wrong_codes_per_address": 1_000 };

export interface Moved {
  /** Moves that were made. */
  readonly moves: number;
  readonly changesPerS: number;
  readonly tookMs: number;
}

export class Bustle {
  readonly of: Town;
  readonly #hub: Hub;
  readonly #codes: readonly string[];
  /** Ids of the accounts, in the order of the list. */
  readonly #accounts: readonly string[];

  private constructor(hub: Hub, of: Town, codes: readonly string[]) {
    this.#hub = hub;
    this.of = of;
    this.#codes = codes;
    const { compare } = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
    const names = Object.keys(of.accounts).sort(compare);
    this.#accounts = names.map((name) => of.accounts[name] ?? "");
  }

  /** Tells a hub of a town with so many accounts, and of assistants, each with a code. */
  static async begin(hub: Hub): Promise<Bustle> {
    const of = await town(hub, ACCOUNTS);
    const members = Array.from({ length: ASSISTANTS }, () => crypto.randomUUID());
    await hub.service("POST", "/api/directory/import", {
      users: members.map((id, at) => ({ id, displayName: `Assistant ${at + 1}` })),
    });
    const codes: string[] = [];
    for (const id of members) {
      const path = `/api/directory/organizations/${of.organization}/members/${id}`;
      await hub.service("PUT", path, { role: "member" });
      codes.push(await mint(hub, of, id));
    }
    return new Bustle(hub, of, codes);
  }

  /** Assistants move among the accounts, steadily. */
  async moves(seconds: number): Promise<Moved> {
    let moves = 0;
    let failed: Error | undefined;
    const began = performance.now();
    const underWay: Promise<unknown>[] = [];
    for (let at = 0; at < seconds * MOVES_PER_S; at += 1) {
      const wait = began + (at * 1_000) / MOVES_PER_S - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const count = at % IN_SIGHT === 0 ? 40 : this.#accounts.length;
      const accountId = this.#accounts[Math.floor(Math.random() * count)];
      const body = { code: this.#codes[at % ASSISTANTS], accountId };
      const asked = this.#hub.with(undefined)("POST", "/api/access-codes/validate", body);
      const made = () => {
        moves += 1;
      };
      // Somebody else is in it, or the disk of a busy machine is slow: that is no change, and not counted.
      const not = (error: Error) => {
        if (!/occupied|unavailable/.test(error.message)) failed = error;
      };
      underWay.push(asked.then(made, not));
    }
    await Promise.all(underWay);
    if (failed) throw failed;
    const tookMs = performance.now() - began;
    return { moves, tookMs, changesPerS: (moves * 2_000) / tookMs };
  }
}

/** One mints five a second. */
async function mint(hub: Hub, of: Town, userId: string): Promise<string> {
  for (;;) {
    try {
      return (await hub.accessCode(of.people.olga ?? "", of.organization, userId)).code;
    } catch (error) {
      if (!`${error}`.includes("rate_limited")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

export interface Watched {
  /** From one frame to the next. Milliseconds. */
  frames: number[];
  /** Tasks of over 50 ms. Milliseconds. */
  long: number[];
  rowsTouched: number;
  rowsAdded: number;
}

/** Begins to watch how a board is drawn. */
export async function watch(page: Page): Promise<void> {
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

/** What was seen since it was last asked; the page keeps nothing of it. */
export function seen(page: Page): Promise<Watched> {
  return page.evaluate(() => {
    const { seen } = window as unknown as { seen: Watched };
    const taken = { ...seen };
    Object.assign(seen, { frames: [], long: [], rowsTouched: 0, rowsAdded: 0 });
    return taken;
  });
}

/** How frames came: for how long each was shown, and how many came a frame late. */
export function pace({ frames, long }: Watched, tookMs: number) {
  const sorted = frames.toSorted((a, b) => a - b);
  const p = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  const late = sorted.filter((ms) => ms > 34).length;
  const perS = (sorted.length * 1_000) / tookMs;
  const says =
    `${perS.toFixed(1)} frames/s, p50 ${p(0.5).toFixed(1)} p95 ${p(0.95).toFixed(1)} p99 ${p(0.99).toFixed(1)} ms, ` +
    `${late} of ${sorted.length} late, long tasks ${long.length} (at most ${Math.max(0, ...long)} ms)`;
  return { p50: p(0.5), perS, says };
}

/** What the page keeps once all garbage is collected. */
export async function kept(session: CDPSession) {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const { nodes, jsEventListeners } = await session.send("Memory.getDOMCounters");
  return { heap: usedSize, nodes, listeners: jsEventListeners };
}
