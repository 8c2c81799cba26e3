// What files of tests begin with: a hub, a browser, and for each test a town of its own, whose pages are left well.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { Hub, QUICK } from "./hub.js";
import { blank, browser, leave, type Visit, visit } from "./pages.js";
import { Stage } from "./stage.js";
import { type Town, town } from "./town.js";

interface Opened extends Visit {
  /** The origin that they come from; the first one, if nothing is said. */
  readonly stage?: Stage;
}

export interface Scene {
  readonly hub: Hub;
  readonly stage: Stage;
  /** Another origin of the same hub, which is cut apart from the first: somebody's own network. */
  readonly far: Stage;
  readonly of: Town;
  /** The id of somebody of the town. */
  id(who: string): string;
  /** A page of somebody's, side by side with the others. */
  open(who: string, at: string, options?: Opened): Promise<Page>;
  /** The page of nobody yet, at an address behind the origin. */
  nobody(at?: string): Promise<Page>;
  /** Called when the test has ended. */
  afterwards(end: () => unknown): void;
}

/** Call it once in a file, before its tests. */
export function scene(settings: { readonly [key: string]: string | number | boolean } = QUICK): Scene {
  let stages: readonly [Stage, Stage];
  let hub: Hub;
  let chrome: Browser;
  let of: Town;
  let pages: Page[] = [];
  let ends: (() => unknown)[] = [];

  beforeAll(async () => {
    stages = [await Stage.open(), await Stage.open()];
    hub = await Hub.start({ origins: stages.map(({ origin }) => origin), settings });
    for (const stage of stages) stage.hubPort = hub.port;
    chrome = await browser();
  });

  afterAll(async () => {
    await chrome?.close();
    await hub?.end();
    for (const stage of stages ?? []) stage.end();
  });

  beforeEach(async () => {
    of = await town(hub);
    pages = [];
    ends = [];
  });

  afterEach(async () => {
    for (const end of ends) await end();
    for (const page of pages) await leave(page);
  });

  const id = (who: string) => of.people[who] ?? "";
  return {
    get hub() {
      return hub;
    },
    get stage() {
      return stages[0];
    },
    get far() {
      return stages[1];
    },
    get of() {
      return of;
    },
    id,
    async open(who, at, { stage = stages[0], ...more } = {}) {
      const page = await visit(chrome, stage, hub, id(who), { ...more, at });
      pages.push(page);
      return page;
    },
    async nobody(at = "") {
      const page = await blank(chrome);
      pages.push(page);
      await page.goto(`${stages[0].origin}/${at}`);
      return page;
    },
    afterwards(end) {
      ends.push(end);
    },
  };
}
