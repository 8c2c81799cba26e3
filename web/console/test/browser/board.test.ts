// The board of accounts as an owner and as assistants see it at the same time, with a real hub.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { badge, reads } from "../support/board.js";
import { eventually, Hub, QUICK } from "../support/hub.js";
import { clockIn, codeOf, extension } from "../support/life.js";
import { browser, leave, visit } from "../support/pages.js";
import { Stage } from "../support/stage.js";
import { HOSTILE, type Town, town } from "../support/town.js";

const TIME = String.raw`\d{1,2}:\d{2} [AP]M`;

let stage: Stage;
let hub: Hub;
let chrome: Browser;
let of: Town;
let pages: Page[];
let ends: (() => void)[];

beforeAll(async () => {
  stage = await Stage.open();
  hub = await Hub.start({ origins: [stage.origin], settings: QUICK });
  stage.hubPort = hub.port;
  chrome = await browser();
});

afterAll(async () => {
  await chrome?.close();
  await hub?.end();
  stage?.end();
});

beforeEach(async () => {
  of = await town(hub);
  pages = [];
  ends = [];
});

afterEach(async () => {
  for (const end of ends) end();
  for (const page of pages) await leave(page);
});

async function board(who: string): Promise<Page> {
  const page = await visit(chrome, stage, hub, of.people[who] ?? "", { at: "#/accounts" });
  pages.push(page);
  await page.getByText("Atelier Nord").waitFor();
  return page;
}

describe("clocking in", () => {
  it("is seen by all as they may see it, and at the same place", async () => {
    const [olga, vera, vic] = [await board("olga"), await board("vera"), await board("vic")];
    await clockIn(hub, of, "vic", "Bookings");
    await reads(olga, "Bookings", new RegExp(`^Vic Moreau • ${TIME}$`));
    await reads(vera, "Bookings", "Occupied");
    await reads(vic, "Bookings", new RegExp(`^You • since ${TIME}$`));
    await olga.getByText("1 of 20 occupied").waitFor();
    const places = await Promise.all(
      [olga, vera, vic].map(async (page) => (await page.locator(".badge").boundingBox())?.x),
    );
    expect(new Set(places).size).toBe(1);
    expect(await badge(olga, "Inbox")).toBe("");
  });

  it("moves in one step, and ends", async () => {
    const [olga, vera] = [await board("olga"), await board("vera")];
    const code = await codeOf(hub, of, "vic");
    const go = (account: string) =>
      hub.with(undefined)<{ token: string; epoch: number }>("POST", "/api/access-codes/validate", {
        code,
        accountId: of.accounts[account],
      });
    await go("Bookings");
    await reads(vera, "Bookings", "Occupied");
    const { token, epoch } = await go("Inbox");
    await reads(olga, "Inbox", /^Vic Moreau/);
    await reads(olga, "Bookings", "");
    await reads(vera, "Inbox", "Occupied");
    await reads(vera, "Bookings", "");
    await hub.with(token)("POST", "/api/access-codes/logout", { accountId: of.accounts.Inbox, epoch });
    await reads(olga, "Inbox", "");
    await reads(vera, "Inbox", "");
  });

  it("of somebody whose extension is lost says since when to admins alone", async () => {
    const [olga, vera] = [await board("olga"), await board("vera")];
    const lose = await extension(hub, await codeOf(hub, of, "vic"), of.accounts.Bookings ?? "");
    ends.push(lose);
    await reads(olga, "Bookings", /^Vic Moreau/);
    expect(await olga.locator(".row-stale").count()).toBe(0);
    lose();
    await olga.getByText(/^last seen (just now|1 minute ago)$/).waitFor();
    expect(await vera.locator(".row-stale").count()).toBe(0);
    expect(await badge(vera, "Bookings")).toBe("Occupied");
  });
});

describe("clearing", () => {
  it("frees the account for all, without a mouse, and keeps the reason", async () => {
    const [olga, vera] = [await board("olga"), await board("vera")];
    await clockIn(hub, of, "vic", "Bookings");
    await reads(vera, "Bookings", "Occupied");
    const button = olga.getByRole("button", { name: "Clear Bookings" });
    await button.focus();
    await olga.keyboard.press("Enter");
    const dialog = olga.getByRole("dialog", { name: "Clear this account?" });
    await dialog.getByText("Vic Moreau has been in Bookings since").waitFor();
    await olga.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await button.and(olga.locator(":focus")).waitFor();
    await olga.keyboard.press("Enter");
    await dialog.waitFor();
    expect(await dialog.getByRole("button", { name: "Clear account" }).isDisabled()).toBe(true);
    await olga.keyboard.type("end of shift");
    await olga.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await reads(olga, "Bookings", "");
    await reads(vera, "Bookings", "");
    const audit = await hub.as(of.people.olga ?? "")<{
      entries: unknown[];
    }>("GET", `/api/presence/audit?organizationId=${of.organization}`);
    expect(JSON.stringify(audit.entries)).toContain("end of shift");
    expect(await vera.getByRole("button", { name: /^Clear / }).count()).toBe(0);
  });

  it("does nothing to somebody who came meanwhile", async () => {
    const olga = await board("olga");
    await clockIn(hub, of, "vic", "Bookings");
    await olga.getByRole("button", { name: "Clear Bookings" }).click();
    await clockIn(hub, of, "vic", "Inbox");
    await clockIn(hub, of, "val", "Bookings");
    await reads(olga, "Bookings", /^Valentina Okoye/);
    await olga.getByLabel("Reason").fill("end of shift");
    await olga.getByRole("button", { name: "Clear account" }).click();
    await olga.getByText("Nothing was changed.").waitFor();
    await olga.getByRole("button", { name: "Cancel" }).click();
    expect(await badge(olga, "Bookings")).toMatch(/^Valentina Okoye/);
  });
});

describe("the list", () => {
  it("is searched by account and by who is in it, without accents", async () => {
    const olga = await board("olga");
    await clockIn(hub, of, "val", "Bookings");
    await reads(olga, "Bookings", /Valentina/);
    const search = olga.getByRole("searchbox", { name: "Search accounts and people" });
    const shown = () => olga.locator(".row-name").allInnerTexts();
    await search.fill("fete");
    expect(await shown()).toEqual(["Fête Blanche"]);
    await search.fill("okoye");
    expect(await shown()).toEqual(["Bookings"]);
    await search.fill("nothing like it");
    await olga.getByText("Nothing found").waitFor();
    await search.fill("");
    await olga.getByRole("radio", { name: "Occupied first" }).check();
    await eventually("occupied first", async () => (await shown())[0] === "Bookings");
  });

  it("shows hostile texts as what they are", async () => {
    ends.push(await extension(hub, await codeOf(hub, of, "mallory"), of.accounts[HOSTILE.account] ?? ""));
    const olga = await board("olga");
    await reads(olga, HOSTILE.account.trim(), /^<img src=x/);
    expect(await olga.locator("img, iframe, svg[onload]").count()).toBe(0);
    const [row, name, mark] = await Promise.all([
      olga.locator(".row").first().boundingBox(),
      olga.locator(".row .badge").first().boundingBox(),
      olga
        .getByRole("button", { name: /^Clear / })
        .first()
        .boundingBox(),
    ]);
    expect((name?.x ?? 0) + (name?.width ?? 0)).toBeLessThanOrEqual(mark?.x ?? 0);
    expect((mark?.x ?? 0) + (mark?.width ?? 0)).toBeLessThanOrEqual((row?.x ?? 0) + (row?.width ?? 0));
  });

  it("says that it may be old while the connection is lost, and is live again", async () => {
    const olga = await board("olga");
    stage.cut(true);
    await olga.getByText("This list may be old.").waitFor();
    await olga.getByText(/Reconnecting in \d+ s/).waitFor();
    await clockIn(hub, of, "vic", "Bookings");
    stage.cut(false);
    await reads(olga, "Bookings", /^Vic Moreau/);
    await olga.getByText("This list may be old.").waitFor({ state: "detached" });
    await olga.locator(".connection").getByText("Live", { exact: true }).waitFor();
  });

  it("draws a new account's name when somebody is in it", async () => {
    const olga = await board("olga");
    const account = crypto.randomUUID();
    await hub.service("PUT", `/api/directory/accounts/${account}`, {
      organization: of.organization,
      name: "Zinnia",
    });
    const code = await codeOf(hub, of, "vic");
    await hub.with(undefined)("POST", "/api/access-codes/validate", { code, accountId: account });
    await olga.getByRole("searchbox").fill("zinnia");
    await reads(olga, "Zinnia", /^Vic Moreau/);
  });
});
