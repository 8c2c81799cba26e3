// Badges, as an owner, an admin and assistants read them side by side while assistants come, move, are lost and are
// cleared. The assistants have the clock of the SDK, the hub is a real one.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { minute } from "../support/acts.js";
import { assistant } from "../support/assistant.js";
import { badge, reads, row, time } from "../support/board.js";
import { Ear } from "../support/ear.js";
import { eventually } from "../support/hub.js";
import { press, tabTo, write } from "../support/keys.js";
import { scene } from "../support/scene.js";

const at = scene();

async function board(who: string, ear?: Ear): Promise<Page> {
  const page = await at.open(who, "#/accounts", ear && { prepare: ear.listen });
  await page.getByText("Atelier Nord").waitFor();
  return page;
}

/** From now on each state of the list in which other accounts are taken than before is noted. */
async function follow(page: Page): Promise<void> {
  await page.evaluate(() => {
    const taken = () =>
      [...document.querySelectorAll(".row")]
        .filter((one) => one.querySelector(".badge"))
        .map((one) => one.querySelector(".row-name")?.textContent)
        .join();
    const states = [taken()];
    (window as unknown as { states: string[] }).states = states;
    new MutationObserver(() => {
      if (taken() !== states.at(-1)) states.push(taken());
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}

function followed(page: Page): Promise<string[]> {
  return page.evaluate(() => (window as unknown as { states: string[] }).states);
}

/** Where in its row the badge is, and how far from the left of the page. */
async function place(page: Page, account: string) {
  const [box, mark] = await Promise.all([
    row(page, account).boundingBox(),
    row(page, account).locator(".badge").boundingBox(),
  ]);
  if (!box || !mark) throw new Error(`${account} has no badge`);
  return { x: mark.x, middle: mark.y + mark.height / 2 - box.y };
}

interface Occupied {
  readonly accountId: string;
  readonly staleSince?: string;
}

/** What the API tells of an account. */
async function told(who: string, account: string): Promise<Occupied | undefined> {
  const path = `/api/presence/accounts?organizationId=${at.of.organization}`;
  const { accounts } = await at.hub.as(at.id(who))<{ accounts: Occupied[] }>("GET", path);
  return accounts.find(({ accountId }) => accountId === at.of.accounts[account]);
}

describe("a badge", () => {
  it("has the name and the time for owner and admin, a word for assistants, and one's own for oneself", async () => {
    const ear = new Ear();
    const [olga, vera, vic] = [await board("olga"), await board("vera", ear), await board("vic")];
    const { since } = await (await assistant(at, "vic")).enter("Bookings");
    await reads(olga, "Bookings", `Vic Moreau • ${time(since)}`);
    await reads(vera, "Bookings", "Occupied");
    await reads(vic, "Bookings", `You • since ${time(since)}`);
    for (const page of [olga, vera, vic]) await page.getByText("1 of 20 occupied").waitFor();
    // Who opens the page later reads the same.
    const adam = await board("adam");
    await reads(adam, "Bookings", `Vic Moreau • ${time(since)}`);
    const pages = [olga, vera, vic, adam];
    const [first, ...others] = await Promise.all(pages.map((page) => place(page, "Bookings")));
    for (const other of others) expect(other).toEqual(first);
    for (const page of pages) expect(await page.locator(".badge").count()).toBe(1);
    // An assistant's page was never told who it is: it cannot show what it does not have.
    const accountId = at.of.accounts.Bookings ?? "";
    expect(ear.of(accountId)).toEqual([{ how: "join", entry: { accountId, holder: "occupied" } }]);
    expect(ear.text).not.toContain(at.id("vic"));
    expect(await vera.locator("body").textContent()).not.toContain("Moreau");
  });

  it("of somebody who hides from all has their name for admins, and for nobody else", async () => {
    const [adam, vera] = [await board("adam"), await board("vera")];
    await at.hub.as(at.id("vic"))("PUT", "/api/presence/settings", { visibility: "nobody" });
    const { since, adminsSee } = await (await assistant(at, "vic")).enter("Bookings");
    await reads(adam, "Bookings", `Vic Moreau • ${time(since)}`);
    await reads(vera, "Bookings", "Occupied");
    // They are told so.
    expect(adminsSee).toContain("name");
  });

  it("moves in one step before everybody's eyes, and goes", async () => {
    const pages = [await board("olga"), await board("vera"), await board("vic")] as const;
    const [olga, vera, vic] = pages;
    const { enter, move, clock } = await assistant(at, "vic");
    await enter("Bookings");
    for (const page of pages) await reads(page, "Bookings", /./);
    for (const page of pages) await follow(page);
    const { since } = await move("Inbox");
    await reads(olga, "Inbox", `Vic Moreau • ${time(since)}`);
    await reads(vera, "Inbox", "Occupied");
    await reads(vic, "Inbox", `You • since ${time(since)}`);
    for (const page of pages) await reads(page, "Bookings", "");
    // Nobody saw them in two accounts, or in none.
    for (const page of pages) expect(await followed(page)).toEqual(["Bookings", "Inbox"]);
    await clock.clockOut();
    for (const page of pages) await page.getByText("0 of 20 occupied").waitFor();
    for (const page of pages) expect(await page.locator(".badge").count()).toBe(0);
  });

  it("says when a lost assistant was last seen, to admins alone, until they are back", async () => {
    const ear = new Ear();
    const [olga, vera, vic] = [await board("olga"), await board("vera", ear), await board("vic")];
    const [one, other] = [await assistant(at, "vic"), await assistant(at, "val")];
    const from = minute();
    const { since, epoch } = await one.enter("Bookings");
    await reads(olga, "Bookings", `Vic Moreau • ${time(since)}`);
    one.lose();
    const until = minute();
    const stale = row(olga, "Bookings").locator(".row-stale");
    await stale.getByText(/^last seen (just now|1 minute ago)$/).waitFor();
    await row(olga, "Bookings").locator(".badge-stale").waitFor();
    expect([from, until]).toContain((await told("olga", "Bookings"))?.staleSince);
    // It was no clock-out, and no change to anybody else: what came behind it is there, and it is not.
    await other.enter("Inbox");
    await reads(vera, "Inbox", "Occupied");
    expect(ear.of(at.of.accounts.Bookings ?? "")).toHaveLength(1);
    expect(await badge(vera, "Bookings")).toBe("Occupied");
    expect(await badge(vic, "Bookings")).toBe(`You • since ${time(since)}`);
    for (const page of [vera, vic]) expect(await page.locator(".row-stale, .badge-stale").count()).toBe(0);
    await one.back();
    await stale.waitFor({ state: "detached" });
    expect(await badge(olga, "Bookings")).toBe(`Vic Moreau • ${time(since)}`);
    expect(one.clock.state.get()).toMatchObject({ state: "in", hold: { epoch } });
  });
});

describe("clearing", () => {
  it("is done by keyboard alone, from signing in to the reason, and all see it", async () => {
    const [vera, vic] = [await board("vera"), await board("vic")];
    const [one, other] = [await assistant(at, "vic"), await assistant(at, "val")];
    await one.enter("Bookings");
    const { since } = await other.enter("Inbox");
    const olga = await at.nobody();
    await write(olga, olga.getByLabel("Your platform's token"), at.hub.token(at.id("olga")));
    await press(olga, olga.getByRole("button", { name: "Sign in" }));
    await reads(olga, "Bookings", /^Vic Moreau/);
    await reads(vic, "Bookings", /^You/);
    await tabTo(olga, olga.getByRole("radio", { name: "Name" }));
    await olga.keyboard.press("ArrowRight");
    await eventually("occupied first", async () => {
      const names = await olga.locator(".row-name").allInnerTexts();
      return names.slice(0, 2).join() === "Bookings,Inbox";
    });
    await write(olga, olga.getByRole("searchbox", { name: "Search accounts and people" }), "moreau");
    await olga.getByText("Inbox", { exact: true }).waitFor({ state: "detached" });
    await write(olga, olga.getByRole("searchbox", { name: "Search accounts and people" }), "bo");
    const open = olga.getByRole("button", { name: "Clear Bookings" });
    await press(olga, open);
    const dialog = olga.getByRole("dialog", { name: "Clear this account?" });
    await dialog.getByText("Vic Moreau has been in Bookings since").waitFor();
    await olga.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await open.and(olga.locator(":focus")).waitFor();
    await olga.keyboard.press("Enter");
    // Not without a reason.
    expect(await dialog.getByRole("button", { name: "Clear account" }).isDisabled()).toBe(true);
    await write(olga, dialog.getByLabel("Reason"), "end of shift");
    await press(olga, dialog.getByRole("button", { name: "Clear account" }));
    await dialog.waitFor({ state: "detached" });
    for (const page of [olga, vera, vic]) await reads(page, "Bookings", "");
    // Nobody else is touched by it.
    await write(olga, olga.getByRole("searchbox", { name: "Search accounts and people" }), "");
    await reads(olga, "Inbox", `Valentina Okoye • ${time(since)}`);
    for (const page of [vera, vic]) expect(await badge(page, "Inbox")).toBe("Occupied");
    // Whoever was in it is told, and the reason is kept with who gave it.
    await eventually("end of the hold", () => one.clock.state.get().state === "out");
    expect(one.clock.state.get()).toMatchObject({ state: "out", reason: "force_cleared" });
    const audit = await at.hub.as(at.id("adam"))<{
      entries: object[];
    }>("GET", `/api/presence/audit?organizationId=${at.of.organization}`);
    const kept = audit.entries
      .map((entry) => JSON.stringify(entry))
      .find((text) => text.includes("end of shift"));
    expect(kept ?? "").toContain(at.id("olga"));
    expect(kept ?? "").toContain(at.id("vic"));
    for (const page of [vera, vic])
      expect(await page.getByRole("button", { name: /^Clear / }).count()).toBe(0);
  });
});
