// Somebody who has a keyboard and no mouse.

import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** More than the stops of any page here: who has not come there by then never does. */
const STOPS = 120;

/** Goes on with Tab until the focus is on it, and can be seen there. */
export async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor({ state: "attached" });
  for (let stop = 0; stop < STOPS; stop += 1) {
    if (await isFocused(wanted)) {
      expect(await marked(wanted), `the focus on ${wanted} is marked`).toBe(true);
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not come to ${wanted}`);
}

/** Goes there with Tab, and presses a key. */
export async function press(page: Page, wanted: Locator, key = "Enter"): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press(key);
}

/** Goes there with Tab, and writes in place of what is there. */
export async function write(page: Page, wanted: Locator, text: string): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(text);
}

function isFocused(wanted: Locator): Promise<boolean> {
  return wanted.evaluate((element) => element === document.activeElement);
}

/** Whether it has an outline, or what is drawn behind it in its place. */
function marked(wanted: Locator): Promise<boolean> {
  return wanted.evaluate((element) =>
    [element, element.nextElementSibling].some((drawn) => {
      if (!drawn) return false;
      const { outlineStyle, outlineWidth } = getComputedStyle(drawn);
      return outlineStyle !== "none" && Number.parseFloat(outlineWidth) > 0;
    }),
  );
}
