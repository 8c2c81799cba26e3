// Names and words that are meant to do harm, on the pages of all who are shown them: nothing of them is run (a page that
// is left has complained of nothing, see `leave`), and nobody else's row is moved, covered or changed by them.

import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { person } from "../support/acts.js";
import { assistant } from "../support/assistant.js";
import { Ear } from "../support/ear.js";
import { eventually } from "../support/hub.js";
import { drawn, foreign, placeOf } from "../support/neighbours.js";
import { go } from "../support/pages.js";
import { added, views } from "../support/report.js";
import { scene } from "../support/scene.js";
import { EMOJI, TEXTS } from "../support/texts.js";

const at = scene({ "limits.analytics_cache_s": 0 });

const PHONE = { viewport: { width: 360, height: 740 } };

/** It comes to say exactly this. */
async function says(what: string, place: Locator, text: string): Promise<void> {
  let last: string | null = null;
  await eventually(`${what}: ${text}`, async () => {
    last = await place.textContent();
    return last === text;
  }).catch((error) => {
    throw new Error(`${error.message}, but ${last}`);
  });
}

/** A page on which one row is going to change: all others have to stay as they are now. */
async function still(page: Page, rows: string, text: string) {
  const all = page.locator(rows);
  const own = await placeOf(all, text);
  const before = await drawn(page, all, own);
  expect(before.tooWide).toBe(0);
  return {
    row: all.nth(own),
    check: async (what: string) => {
      expect(await drawn(page, all, own), what).toEqual(before);
      expect(await foreign(page), what).toBe(0);
    },
  };
}

const rename = (who: string, displayName: string) =>
  at.hub.service("PUT", `/api/directory/users/${at.id(who)}`, { displayName });

describe("a status", () => {
  it("of hostile text is words to all who see it", async () => {
    const set = (customStatus: string, customEmoji: string) =>
      at.hub.as(at.id("finn"))("PUT", "/api/presence/settings", { customStatus, customEmoji });
    await set("On site", "📸");
    const finn = await at.open("finn", "#/privacy");
    const [anna, ben] = [
      await at.open("anna", "#/teams"),
      await at.open("ben", "#/teams", { context: PHONE }),
    ];
    const words = (page: Page) => person(page, "Finn Larsen").locator(".person-words");
    for (const page of [anna, ben]) await says("status", words(page), "📸On site");
    const lists = [await still(anna, ".person", "Finn Larsen"), await still(ben, ".person", "Finn Larsen")];
    for (const [nth, [what, text]] of Object.entries(TEXTS).entries()) {
      await set(text, EMOJI[nth % EMOJI.length] ?? "");
      const kept = await at.hub.as(at.id("anna"))<{
        customStatus: string;
        customEmoji: string;
      }>("GET", `/api/presence/users/${at.id("finn")}`);
      // What turns the direction of what is behind it is not kept by the hub.
      expect(kept.customStatus).not.toMatch(/[\u202a-\u202e\u2066-\u2069\p{Cc}]/u);
      for (const page of [anna, ben]) await says(what, words(page), kept.customEmoji + kept.customStatus);
      for (const { check } of lists) await check(what);
      const preview = finn.locator(".preview .person-words").first();
      await says(what, preview, kept.customEmoji + kept.customStatus);
      await says(what, finn.locator(".history-change").first(), `Status “${kept.customStatus}”`);
      expect(await foreign(finn)).toBe(0);
    }
  });
});

describe("a name", () => {
  it("of hostile text is words in a badge, and no more than that", async () => {
    const ear = new Ear();
    const [olga, adam] = [
      await at.open("olga", "#/accounts"),
      await at.open("adam", "#/accounts", { context: PHONE }),
    ];
    const vera = await at.open("vera", "#/accounts", { prepare: ear.listen });
    await (await assistant(at, "vic")).enter("Bookings");
    for (const page of [olga, adam, vera]) await page.locator(".badge").waitFor();
    const lists = await Promise.all([olga, adam].map((page) => still(page, ".row", "Bookings")));
    const members = await still(vera, ".row", "Bookings");
    const told = ear.count("diff");
    for (const [what, text] of Object.entries(TEXTS)) {
      await rename("vic", text);
      const { accounts } = await at.hub.as(at.id("olga"))<{
        accounts: { displayName: string }[];
      }>("GET", `/api/presence/accounts?organizationId=${at.of.organization}`);
      const name = accounts[0]?.displayName ?? "";
      for (const { row, check } of lists) {
        await says(what, row.locator(".badge-name"), name);
        await check(what);
        await inOrder(row, [".row-name", ".badge-name", ".badge-time", "button"]);
      }
      await lists[0]?.row.getByRole("button", { name: "Clear Bookings" }).click();
      await says(what, olga.getByRole("dialog").locator("bdi").first(), name);
      expect(await foreign(olga)).toBe(0);
      await olga.keyboard.press("Escape");
    }
    // To an assistant nothing has happened at all.
    await members.check("a member's page");
    expect(ear.count("diff")).toBe(told);
  });

  it("of an account is words, as high and as wide as any other", async () => {
    const accounts = Object.values(TEXTS).map((name) => ({ id: crypto.randomUUID(), name }));
    for (const { id, name } of accounts)
      await at.hub.service("PUT", `/api/directory/accounts/${id}`, {
        organization: at.of.organization,
        name,
      });
    const path = `/api/presence/me/names?channel=organization:${at.of.organization}`;
    const names = await at.hub.as(at.id("olga"))<{
      accounts: { accountId: string; name: string }[];
    }>("GET", path);
    const [olga, vera] = [
      await at.open("olga", "#/accounts", { context: { viewport: { width: 1280, height: 4_000 } } }),
      await at.open("vera", "#/accounts", { context: { viewport: { width: 360, height: 4_000 } } }),
    ];
    for (const page of [olga, vera]) {
      await page.getByText("Atelier Nord").waitFor();
      const shown = await page.locator(".row-name").allTextContents();
      expect(shown.sort()).toEqual(names.accounts.map(({ name }) => name).sort());
      const boxes = await page.locator(".row").evaluateAll((rows) =>
        rows.map((row) => {
          const { x, width, height } = row.getBoundingClientRect();
          return [x, width, height].join();
        }),
      );
      expect(new Set(boxes).size).toBe(1);
      expect(await foreign(page)).toBe(0);
    }
  });

  it("of anybody and anything is words on every page", async () => {
    const hostile = TEXTS.markup ?? "";
    const page = "/<img src=x onerror=window.hacked=1>";
    await rename("val", hostile);
    await at.hub.service("PUT", `/api/directory/organizations/${at.of.organization}`, {
      name: hostile,
      plan: "enterprise",
    });
    for (const who of ["val", "olga", "adam"]) await views(at, who, page, 2);
    await added(at, 6);
    const val = await at.open("val", "#/privacy");
    await val.locator(".preview").getByText(hostile).first().waitFor();
    const olga = await at.open("olga", "#/accounts");
    await olga.locator(".page-sub").getByText(hostile).waitFor();
    await go(olga, "#/teams");
    await olga.locator(".column-head").getByText(hostile).waitFor();
    await person(olga, hostile).getByText("Online").waitFor();
    await go(olga, "#/analytics");
    await olga.getByRole("rowheader", { name: page }).waitFor();
    await olga.locator(".list-name").getByText(hostile).waitFor();
    await go(olga, "#/why");
    await olga.getByLabel("Who looks").selectOption({ label: hostile });
    await olga.getByText(`${hostile} sees you.`).waitFor();
    for (const one of [val, olga]) expect(await foreign(one)).toBe(0);
  });
});

/** Drawn one behind the other or one below the other, and none over another, whatever the direction of their letters. */
async function inOrder(row: Locator, places: readonly string[]): Promise<void> {
  const boxes = await Promise.all(places.map((place) => row.locator(place).boundingBox()));
  for (const [at, box] of boxes.slice(1).entries()) {
    const before = boxes[at];
    const isRight = (before?.x ?? 0) + (before?.width ?? 0) <= (box?.x ?? 0) + 0.5;
    const isBelow = (before?.y ?? 0) + (before?.height ?? 0) <= (box?.y ?? 0) + 0.5;
    expect(isRight || isBelow, `${places[at]} before ${places[at + 1]}`).toBe(true);
  }
}
