// A list as it is drawn: around somebody's text it has to stay as it is, whatever the text.

import type { Locator, Page } from "playwright-core";

export interface Drawn {
  /** Where each row is, and what all but one of them say. */
  readonly rows: readonly { readonly box: readonly number[]; readonly text: string }[];
  /** The rows before and behind that one, in pixels: high letters would be drawn over them. */
  readonly pixels: readonly string[];
  /** By how much the page is wider than its window. */
  readonly tooWide: number;
}

/** The rows around the one at `own`. */
export async function drawn(page: Page, rows: Locator, own: number): Promise<Drawn> {
  const shots = [own - 1, own + 1].map((at) => rows.nth(at).screenshot({ animations: "disabled" }));
  return {
    rows: await rows.evaluateAll(
      (all, left) =>
        all.map((row, at) => {
          const { x, y, width, height } = row.getBoundingClientRect();
          return { box: [x, y, width, height], text: at === left ? "" : (row.textContent ?? "") };
        }),
      own,
    ),
    pixels: (await Promise.all(shots)).map((png) => png.toString("base64")),
    tooWide: await page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth)),
  };
}

/** The place of the row with this text among its like. */
export async function placeOf(rows: Locator, text: string): Promise<number> {
  const texts = await rows.allTextContents();
  const at = texts.findIndex((row) => row.includes(text));
  if (at < 0) throw new Error(`no row has ${text}: ${texts}`);
  return at;
}

/** Elements that no page here has: texts that were taken for markup would make them. */
export function foreign(page: Page): Promise<number> {
  const never = "img, iframe, object, embed, script:not([src]), style, svg[onload], [onerror], [onfocus]";
  return page.locator(never).count();
}
