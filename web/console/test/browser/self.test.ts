// What one does for oneself: signing in, choosing who sees it, and asking why.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { person } from "../support/acts.js";
import { go } from "../support/pages.js";
import { scene } from "../support/scene.js";

const at = scene();

describe("signing in", () => {
  it("takes a token that is pasted, and says so where it is none", async () => {
    const page = await at.nobody();
    const field = page.getByLabel("Your platform's token");
    await field.fill("no token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This is no token of a user.").waitFor();
    await field.fill(at.hub.token(at.id("olga")));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Accounts" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Accounts" }).waitFor();
  });

  it("takes a token behind the address away at once", async () => {
    const page = await at.open("olga", "");
    expect(page.url()).not.toContain("token");
    expect(await page.evaluate(() => history.length)).toBeLessThanOrEqual(2);
    await page.getByRole("heading", { name: "Accounts" }).waitFor();
  });

  it("is one click on somebody in a demo, and begins where they begin", async () => {
    at.stage.personas = [
      {
        id: "cora",
        name: "Cora Jensen",
        says: "Venue coordinator",
        token: at.hub.token(at.id("cora")),
        start: "#/teams",
      },
    ];
    at.afterwards(() => {
      at.stage.personas = undefined;
    });
    const page = await at.nobody();
    await page.getByRole("button", { name: "Cora Jensen Venue coordinator" }).click();
    await page.getByRole("heading", { name: "June in the garden" }).waitFor();
  });

  it("says that it has ended, and begins anew", async () => {
    const page = await at.nobody(`#token=${at.hub.token(at.id("olga"), { expiresInS: -60 })}`);
    await page.getByText("Your sign-in has ended. What you see may be old.").waitFor();
    await page.getByRole("button", { name: "Sign in again" }).click();
    await page.getByLabel("Your platform's token").waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  it("ends for everybody at once", async () => {
    const [cora, finn] = [await at.open("cora", "#/teams"), await at.open("finn", "#/teams")];
    await person(cora, "Finn Larsen").getByText("Online").waitFor();
    await finn.getByRole("button", { name: "Sign out" }).click();
    await person(cora, "Finn Larsen").getByText("Last seen").waitFor();
    await finn.getByLabel("Your platform's token").waitFor();
  });

  it("opens the reports at their own address", async () => {
    const page = await at.nobody("admin/presence/analytics");
    await page.getByLabel("Your platform's token").fill(at.hub.token(at.id("olga")));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Presence analytics" }).waitFor();
  });
});

describe("privacy", () => {
  it("is in force for others, and the preview says what they see", async () => {
    const [cora, finn] = [await at.open("cora", "#/teams"), await at.open("finn", "#/privacy")];
    await person(cora, "Finn Larsen").getByText("Online").waitFor();
    await finn.getByLabel("My colleagues").click();
    await finn.getByText("Saved. It is in force.").waitFor();
    await person(cora, "Finn Larsen").waitFor({ state: "detached" });
    const preview = (viewer: string) => finn.locator(".preview").filter({ hasText: viewer });
    await preview("A collaborator").getByText("Nothing: you are not there").waitFor();
    await preview("A colleague").getByText("Online").waitFor();
    await finn.getByText("Seen by my colleagues").waitFor();
    await finn.getByLabel("My collaborators").click();
    await person(cora, "Finn Larsen").getByText("Online").waitFor();
    await finn.getByLabel("Appear offline").click();
    await person(cora, "Finn Larsen").getByText("Last seen").waitFor();
    await preview("A collaborator").getByText("Offline").waitFor();
    await preview("A stranger").getByText("Nothing").waitFor();
  });

  it("shows what the hub has where a change does not reach it", async () => {
    const finn = await at.open("finn", "#/privacy");
    await finn.getByLabel("Show activity").waitFor();
    at.stage.cut(true);
    await finn
      .getByText(/Reconnecting/)
      .first()
      .waitFor();
    await finn.getByLabel("Show activity").click();
    expect(await finn.getByLabel("Show activity").isChecked()).toBe(true);
    at.stage.cut(false);
    await finn.getByText("Activity not shown").waitFor();
    expect(await finn.getByLabel("Show activity").isChecked()).toBe(false);
  });

  it("gives a copy, and erases it for good", async () => {
    const finn = await at.open("finn", "#/privacy");
    const [download] = await Promise.all([
      finn.waitForEvent("download"),
      finn.getByRole("button", { name: "Download" }).click(),
    ]);
    const copy = JSON.parse(readFileSync(await download.path(), "utf8")) as { userId: string };
    expect(copy.userId).toBe(at.id("finn"));
    await finn.getByRole("button", { name: "Erase…" }).click();
    const erase = finn.getByRole("button", { name: "Erase everything" });
    expect(await erase.isDisabled()).toBe(true);
    await finn.getByLabel("Type erase me to go on").fill("erase me");
    await erase.click();
    await finn.getByText("It is erased.").waitFor();
  });
});

describe("why", () => {
  it("is told in full about oneself, and as far as may be known about others", async () => {
    const olga = await at.open("olga", "#/why");
    await olga.getByLabel("Who looks").selectOption({ label: "Vera Lind" });
    await olga.getByText("Vera Lind sees you.").waitFor();
    await olga.getByText("You let everyone see you.").waitFor();
    await olga.getByLabel("Who is looked at").selectOption({ label: "Adam Brandt" });
    await olga.getByText("That depends on what Adam Brandt chose.").waitFor();
    await olga.getByText("Vera Lind and Adam Brandt share an organization.").waitFor();
    await go(olga, "#/privacy");
    await olga.getByLabel("Nobody").click();
    await olga.getByText("Saved. It is in force.").waitFor();
    await go(olga, "#/why");
    await olga.getByLabel("Who looks").selectOption({ label: "Vera Lind" });
    await olga.getByText("Vera Lind does not see you.").waitFor();
  });
});

describe("reports", () => {
  it("are about the days that are chosen, and no others", async () => {
    const olga = await at.open("olga", "#/analytics");
    await olga.getByText("Nothing in these days").waitFor();
    await olga.getByRole("radio", { name: "Custom" }).check();
    await olga.getByLabel("to", { exact: true }).fill("2026-09-30");
    await olga.getByLabel("From").fill("2026-10-01");
    await olga.getByText("The first day is after the last.").waitFor();
    const [asked] = await Promise.all([
      olga.waitForRequest((request) => request.url().includes("from=2026-09-01&to=2026-09-30")),
      olga.getByLabel("From").fill("2026-09-01"),
    ]);
    expect(asked.url()).toContain("timeZone=Europe%2FAmsterdam");
    await olga.getByText("The first day is after the last.").waitFor({ state: "detached" });
  });

  it("are not there for assistants", async () => {
    const vera = await at.open("vera", "#/analytics");
    await vera.getByRole("heading", { name: "Accounts" }).waitFor();
    expect(await vera.getByRole("link", { name: /Analytics/ }).count()).toBe(0);
  });
});

describe("without a mouse", () => {
  it("one skips to the page, and goes to another", async () => {
    const olga = await at.open("olga", "#/accounts");
    await olga.getByText("Atelier Nord").waitFor();
    await olga.keyboard.press("Tab");
    await olga.getByRole("button", { name: "Skip to the page" }).and(olga.locator(":focus")).waitFor();
    await olga.keyboard.press("Enter");
    expect(await olga.evaluate(() => document.activeElement?.id)).toBe("main");
    await olga.getByRole("link", { name: "Why" }).focus();
    await olga.keyboard.press("Enter");
    await olga.getByRole("heading", { name: "Why?" }).waitFor();
    expect(await olga.evaluate(() => document.activeElement?.id)).toBe("main");
    expect(await olga.title()).toBe("Why · Presence");
  });
});
