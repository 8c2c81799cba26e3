// Each page as it looks: light, dark and on a phone. The pictures are in `screenshots-out`, to be looked at.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, serious } from "../support/axe.js";
import { evening, outage } from "../support/figures.js";
import { eventually, Hub, QUICK } from "../support/hub.js";
import { busy, type Life } from "../support/life.js";
import { hire, OPERATED, OPERATOR } from "../support/operator.js";
import { blank, browser, go, leave, visit } from "../support/pages.js";
import { season } from "../support/season.js";
import { Stage } from "../support/stage.js";
import { type Town, town } from "../support/town.js";

const OUT = fileURLToPath(new URL("../../screenshots-out/", import.meta.url));

const LOOKS = [
  { look: "light", context: { colorScheme: "light" } },
  { look: "dark", context: { colorScheme: "dark" } },
  {
    look: "phone",
    context: { colorScheme: "light", viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 },
  },
] as const;

const PAGES = [
  { name: "accounts", who: "olga", at: "#/accounts", shows: "Bloom & Co" },
  { name: "accounts-va", who: "vera", at: "#/accounts", shows: "You" },
  { name: "teams", who: "cora", at: "#/teams", shows: "Finn Larsen" },
  { name: "analytics", who: "olga", at: "#/analytics", shows: "Busiest hour" },
  { name: "privacy", who: "finn", at: "#/privacy", shows: "Current page shown" },
  { name: "why", who: "olga", at: "#/why", shows: "Who looks" },
] as const;

let stage: Stage;
let hub: Hub;
let chrome: Browser;
let of: Town;
let life: Life;

beforeAll(async () => {
  mkdirSync(OUT, { recursive: true });
  stage = await Stage.open();
  hub = await Hub.start({ origins: [stage.origin], settings: { ...QUICK, ...OPERATED } });
  stage.hubPort = hub.port;
  of = await town(hub);
  await hire(hub, of);
  life = await busy(hub, of);
  chrome = await browser();
});

afterAll(async () => {
  await chrome?.close();
  life?.end();
  await hub?.end();
  stage?.end();
});

/** What lies over a page lies over what is in sight of it. */
const OVER = ["menu", "clear", "erase"];

async function shoot(page: Page, name: string, look: string): Promise<void> {
  await page.screenshot({
    path: `${OUT}${name}-${look}.png`,
    fullPage: look !== "phone" && !OVER.includes(name),
  });
  if (look === "phone") await page.screenshot({ path: `${OUT}${name}-phone-whole.png`, fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wide, `${name} is wider than its ${look} screen`).toBeLessThanOrEqual(0);
}

it("axe finds what is wrong", async () => {
  const page = await visit(chrome, stage, hub, of.people.olga ?? "", { at: "#/accounts" });
  await page.evaluate(() => {
    const button = document.createElement("button");
    button.style.color = "#ccc";
    document.querySelector("main")?.append(button);
  });
  expect(serious(await axe(page)).join()).toContain("button-name");
  await leave(page);
});

describe.each(LOOKS)("$look", ({ look, context }) => {
  it.each(PAGES)("$name", async ({ name, who, at, shows }) => {
    const page = await visit(chrome, stage, hub, of.people[who] ?? "", { at, context });
    await page.getByText(shows).first().waitFor();
    if (name === "why") {
      await page.getByLabel("Who looks").selectOption({ label: "Vera Lind" });
      await page.getByLabel("Who is looked at").selectOption({ label: "Adam Brandt" });
      await page.getByText("share an organization").first().waitFor();
    }
    await shoot(page, name, look);
    expect(serious(await axe(page))).toEqual([]);
    await leave(page);
  });

  it("the hub itself", async () => {
    const page = await visit(chrome, stage, hub, OPERATOR, { at: "#/system", context });
    await page.getByText("The hub is well.").waitFor();
    await shoot(page, "system", look);
    expect(serious(await axe(page))).toEqual([]);
    await leave(page);
  });

  it("a season", async () => {
    stage.report = season(of);
    const page = await visit(chrome, stage, hub, of.people.olga ?? "", { at: "#/analytics", context });
    await page.getByText("Busiest hour", { exact: true }).waitFor();
    await page.getByRole("link", { name: /^Analytics 100\+/ }).waitFor();
    await shoot(page, "analytics-season", look);
    expect(serious(await axe(page))).toEqual([]);
    stage.report = undefined;
    await leave(page);
  });

  it("an emptiness, and a cut", async () => {
    const page = await visit(chrome, stage, hub, of.people.olga ?? "", { at: "#/accounts", context });
    await page.getByRole("searchbox").fill("nothing like it");
    // What never was live cannot be old.
    await page.getByText("of 20 occupied").waitFor();
    stage.cut(true);
    await page.getByText("This list may be old.").waitFor();
    await shoot(page, "accounts-lost", look);
    expect(serious(await axe(page))).toEqual([]);
    stage.cut(false);
    await leave(page);
  });

  it("signing in", async () => {
    const page = await blank(chrome, context);
    stage.personas = undefined;
    await page.goto(stage.origin);
    await page.getByLabel("Your platform's token").waitFor();
    await shoot(page, "sign-in", look);
    expect(serious(await axe(page))).toEqual([]);
    stage.personas = life.personas;
    await page.reload();
    await page.getByRole("button", { name: /Olga Novak/ }).waitFor();
    await shoot(page, "sign-in-demo", look);
    expect(serious(await axe(page))).toEqual([]);
    stage.personas = undefined;
    await leave(page);
  });

  it("the dialogs and the menu", async () => {
    const page = await visit(chrome, stage, hub, of.people.olga ?? "", { at: "#/accounts", context });
    await page.getByRole("button", { name: /^Your status/ }).click();
    await page.getByLabel("Status in your own words").waitFor();
    await shoot(page, "menu", look);
    expect(serious(await axe(page))).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Clear Bookings" }).click();
    await page.getByLabel("Reason").waitFor();
    await shoot(page, "clear", look);
    expect(serious(await axe(page))).toEqual([]);
    await page.keyboard.press("Escape");
    await go(page, "#/privacy");
    await page.getByRole("button", { name: "Erase…" }).click();
    await page.getByLabel("Type erase me to go on").waitFor();
    await shoot(page, "erase", look);
    expect(serious(await axe(page))).toEqual([]);
    await leave(page);
  });
});

/** Answers of a hub, until the lines of the page have a shape. */
const ANSWERS = 12;

it("the hub on a busy evening, and while its database is away", async () => {
  let asked = 0;
  stage.system = () => evening(asked++);
  const page = await visit(chrome, stage, hub, OPERATOR, { at: "#/system" });
  await eventually("lines", () => asked > ANSWERS, ANSWERS * 5_000);
  await looks(page, "system-evening");
  stage.system = () => outage(asked++);
  await page.getByText("The hub is not well.").waitFor();
  await looks(page, "system-outage");
  stage.system = () => undefined;
  await page.getByText("It is not known how the hub is.").waitFor();
  await looks(page, "system-unknown");
  stage.system = undefined;
  await leave(page);
});

/** One page in all looks: it would have nothing to show in a new one. */
async function looks(page: Page, name: string): Promise<void> {
  for (const { look, context } of LOOKS) {
    await page.emulateMedia({ colorScheme: context.colorScheme });
    await page.setViewportSize("viewport" in context ? context.viewport : { width: 1_280, height: 800 });
    await shoot(page, name, look);
    expect(serious(await axe(page))).toEqual([]);
  }
}
