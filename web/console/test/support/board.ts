// What a page of the board says of an account.

import type { Locator, Page } from "playwright-core";
import { eventually } from "./hub.js";

/** The row of an account. */
export function row(page: Page, account: string): Locator {
  return page.getByRole("listitem").filter({ has: page.getByText(account, { exact: true }) });
}

/** The badge of an account, as text; empty where there is none. */
export async function badge(page: Page, account: string): Promise<string> {
  return (await row(page, account).locator(".badge").allTextContents()).join();
}

/** The badge comes to read so. */
export async function reads(page: Page, account: string, text: RegExp | string): Promise<void> {
  const wanted =
    typeof text === "string" ? (said: string) => said === text : (said: string) => text.test(said);
  let last = "";
  await eventually(`badge ${text} of ${account}`, async () => {
    last = await badge(page, account);
    return wanted(last);
  }).catch((error) => {
    throw new Error(`${error.message}, but ${JSON.stringify(last)}`);
  });
}

/** A time as it is written where the pages of the tests are: `2:30 PM` in Amsterdam. */
export function time(iso: string): string {
  const format = new Intl.DateTimeFormat("en-US", {
    hour: "numeric",
    minute: "2-digit",
    timeZone: "Europe/Amsterdam",
  });
  return format.format(new Date(iso)).replaceAll("\u202f", " ");
}
