// Each task of the console by keyboard alone: every place is reached with Tab and shows that it has the focus, and the
// clearing of an account, from signing in on, is in `badges`.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { person } from "../support/acts.js";
import { press, tabTo, write } from "../support/keys.js";
import { scene } from "../support/scene.js";

const at = scene();

/** Goes to another page by its link. */
async function follow(page: Page, link: string, heading: string): Promise<void> {
  await press(page, page.getByRole("link", { name: link }));
  await page.getByRole("heading", { name: heading }).waitFor();
}

describe("without a mouse", () => {
  it("one says how one is, in one's own words, and takes them back", async () => {
    const [cora, finn] = [await at.open("cora", "#/teams"), await at.open("finn", "#/teams")];
    const seen = person(cora, "Finn Larsen");
    const menu = (status: string) => finn.getByRole("button", { name: `Your status: ${status}` });
    await press(finn, menu("Online"));
    await press(finn, finn.getByRole("button", { name: /^Busy/ }));
    await seen.getByText("Busy", { exact: true }).waitFor();
    await menu("Busy").and(finn.locator(":focus")).waitFor();
    await finn.keyboard.press("Enter");
    await write(finn, finn.getByLabel("Emoji"), "📸");
    await write(finn, finn.getByLabel("Status in your own words"), "Shooting the ceremony");
    await finn.keyboard.press("Enter");
    await seen.getByText("📸Shooting the ceremony").waitFor();
    await press(finn, menu("Busy, 📸 Shooting the ceremony"));
    await press(finn, finn.getByRole("button", { name: "Clear" }));
    await seen.getByText("Shooting the ceremony").waitFor({ state: "detached" });
    await finn.keyboard.press("Enter");
    await finn.getByLabel("Emoji").waitFor();
    await finn.keyboard.press("Escape");
    await finn.getByLabel("Emoji").waitFor({ state: "detached" });
    await press(finn, finn.getByRole("button", { name: "Dark colors" }));
    await finn.getByRole("button", { name: "Light colors" }).waitFor();
    await press(finn, finn.getByRole("button", { name: "Sign out" }));
    await finn.getByLabel("Your platform's token").waitFor();
    await seen.getByText("Last seen").waitFor();
  });

  it("one chooses who sees what, takes a copy, and erases it", async () => {
    const [cora, finn] = [await at.open("cora", "#/teams"), await at.open("finn", "#/teams")];
    const seen = person(cora, "Finn Larsen");
    await seen.getByText("Online").waitFor();
    await follow(finn, "Privacy", "My privacy");
    await tabTo(finn, finn.getByRole("radio", { name: "Everyone" }));
    await finn.keyboard.press("ArrowDown");
    await seen.waitFor({ state: "detached" });
    await finn.getByRole("radio", { name: "My colleagues", checked: true }).waitFor();
    await finn.keyboard.press("ArrowDown");
    await seen.getByText("Online").waitFor();
    await press(finn, finn.getByRole("switch", { name: "Show current page" }), "Space");
    await seen.getByText("/console/privacy").waitFor();
    await write(finn, finn.getByLabel("Your own words"), "On site until seven");
    await finn.keyboard.press("Enter");
    await seen.getByText("On site until seven").waitFor();
    await press(finn, finn.getByRole("switch", { name: "Appear offline" }), "Space");
    await seen.getByText("Last seen").waitFor();
    await tabTo(finn, finn.getByRole("button", { name: "Download" }));
    await Promise.all([finn.waitForEvent("download"), finn.keyboard.press("Enter")]);
    await press(finn, finn.getByRole("button", { name: "Erase…" }));
    await write(finn, finn.getByLabel("Type erase me to go on"), "erase me");
    await finn.keyboard.press("Enter");
    await finn.getByText("It is erased.").waitFor();
  });

  it("one chooses teams and days, and asks why", async () => {
    const olga = await at.open("olga", "#/accounts");
    const cora = await at.open("cora", "#/teams");
    const chip = cora.getByRole("button", { name: "Harbour wedding" });
    const column = cora.getByRole("region", { name: "Wedding Harbour wedding" });
    await column.waitFor();
    await press(cora, chip, "Space");
    await column.waitFor({ state: "detached" });
    await cora.keyboard.press("Enter");
    await column.waitFor();

    await olga.getByText("Atelier Nord").waitFor();
    await press(olga, olga.getByRole("region", { name: "Accounts" }), "End");
    await olga.getByText("Petal & Stem", { exact: true }).waitFor();
    await follow(olga, "Analytics", "Presence analytics");
    await tabTo(olga, olga.getByRole("radio", { name: "30 days" }));
    const [week] = await Promise.all([
      olga.waitForRequest((request) => request.url().includes("/analytics?")),
      olga.keyboard.press("ArrowLeft"),
    ]);
    expect(days(week.url())).toBe(7);
    for (let steps = 0; steps < 3; steps += 1) await olga.keyboard.press("ArrowRight");
    await olga.getByRole("radio", { name: "Custom", checked: true }).waitFor();
    await tabTo(olga, olga.getByLabel("From"));
    await olga.keyboard.type("01022026");
    await tabTo(olga, olga.getByLabel("to", { exact: true }));
    const [custom] = await Promise.all([
      olga.waitForRequest((request) => request.url().includes("from=2026-01-02&to=2026-01-31")),
      olga.keyboard.type("01312026"),
    ]);
    expect(days(custom.url())).toBe(30);

    await follow(olga, "Why", "Why?");
    await tabTo(olga, olga.getByLabel("Who looks"));
    await olga.keyboard.type("Vera");
    await olga.getByText("Vera Lind sees you.").waitFor();
    await tabTo(olga, olga.getByLabel("Who is looked at"));
    await olga.keyboard.type("Adam");
    await olga.getByText("Vera Lind and Adam Brandt share an organization.").waitFor();
  });
});

/** How many days a report is asked for. */
function days(url: string): number {
  const { searchParams: range } = new URL(url);
  return (Date.parse(range.get("to") ?? "") - Date.parse(range.get("from") ?? "")) / 86_400_000 + 1;
}
