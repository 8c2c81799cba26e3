// The list of accounts as an owner works with it: searched, sorted, cut off, and changed under their hands. What its badges
// say, and to whom, is in `badges`.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { badge, reads } from "../support/board.js";
import { eventually } from "../support/hub.js";
import { clockIn, codeOf } from "../support/life.js";
import { scene } from "../support/scene.js";

const at = scene();

async function board(who: string): Promise<Page> {
  const page = await at.open(who, "#/accounts");
  await page.getByText("Atelier Nord").waitFor();
  return page;
}

describe("clearing", () => {
  it("does nothing to somebody who came meanwhile", async () => {
    const olga = await board("olga");
    await clockIn(at.hub, at.of, "vic", "Bookings");
    await olga.getByRole("button", { name: "Clear Bookings" }).click();
    await clockIn(at.hub, at.of, "vic", "Inbox");
    await clockIn(at.hub, at.of, "val", "Bookings");
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
    await clockIn(at.hub, at.of, "val", "Bookings");
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

  it("says that it may be old while the connection is lost, and is live again", async () => {
    const olga = await board("olga");
    at.stage.cut(true);
    await olga.getByText("This list may be old.").waitFor();
    await olga.getByText(/Reconnecting in \d+ s/).waitFor();
    await clockIn(at.hub, at.of, "vic", "Bookings");
    at.stage.cut(false);
    await reads(olga, "Bookings", /^Vic Moreau/);
    await olga.getByText("This list may be old.").waitFor({ state: "detached" });
    await olga.locator(".connection").getByText("Live", { exact: true }).waitFor();
  });

  it("draws a new account's name when somebody is in it", async () => {
    const olga = await board("olga");
    const account = crypto.randomUUID();
    await at.hub.service("PUT", `/api/directory/accounts/${account}`, {
      organization: at.of.organization,
      name: "Zinnia",
    });
    const code = await codeOf(at.hub, at.of, "vic");
    await at.hub.with(undefined)("POST", "/api/access-codes/validate", { code, accountId: account });
    await olga.getByRole("searchbox").fill("zinnia");
    await reads(olga, "Zinnia", /^Vic Moreau/);
  });
});
