// Pages of the console as somebody sees them, in a real browser.

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { browser } from "../../../sdk/test/support/chromium.js";
import type { Hub } from "./hub.js";
import type { Stage } from "./stage.js";

export { browser };

/** What a page must never do: throw, complain, ask somebody in a dialog, or be stopped by the policy. */
const complaints: WeakMap<Page, string[]> = new WeakMap();

/** What the browser itself says of a network that is cut, and of calls that are refused. */
const OF_THE_NETWORK = /^(Failed to load resource|WebSocket connection to )/;

export interface Visit {
  readonly at?: string;
  readonly context?: BrowserContextOptions;
  /** Called before the page asks for anything. */
  readonly prepare?: (page: Page) => unknown;
}

/** Opens the console, signed in as somebody, on a device of its own. */
export async function visit(
  chrome: Browser,
  stage: Stage,
  hub: Hub,
  userId: string,
  { at = "", context: options = {}, prepare = () => {} }: Visit = {},
): Promise<Page> {
  const page = await blank(chrome, options);
  await prepare(page);
  await page.goto(`${stage.origin}/#token=${hub.token(userId)}`);
  await page.getByRole("status").filter({ hasText: "The view is live." }).waitFor({ state: "attached" });
  if (at) await go(page, at);
  return page;
}

/** A page of a context of its own, in which nothing goes wrong unseen. */
export async function blank(chrome: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await chrome.newContext({
    locale: "en-US",
    timezoneId: "Europe/Amsterdam",
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  const page = await context.newPage();
  const told: string[] = [];
  complaints.set(page, told);
  page.on("pageerror", (error) => told.push(error.message));
  page.on("dialog", (dialog) => {
    told.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    const text = message.text();
    const isError = message.type() === "error" && !OF_THE_NETWORK.test(text);
    if (isError || /Content Security Policy|TrustedHTML/i.test(text)) told.push(text);
  });
  return page;
}

export async function go(page: Page, at: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, at);
}

/** Closes it; nothing went wrong in it, and no text of anybody's was run. */
export async function leave(page: Page): Promise<void> {
  const hacked = await page.evaluate(() => (window as unknown as { hacked?: unknown }).hacked);
  await page.context().close();
  expect(hacked).toBeUndefined();
  expect(complaints.get(page)).toEqual([]);
}
