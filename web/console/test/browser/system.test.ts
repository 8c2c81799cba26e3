// The hub itself, as its operator sees it in a browser and nobody else does.

import { createPresence, type Presence } from "@presence-hub/sdk";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { NodeSocket } from "../../../sdk/test/support/hub.js";
import { eventually, Hub, QUICK } from "../support/hub.js";
import { hire, OPERATED, OPERATOR } from "../support/operator.js";
import { browser, leave, visit } from "../support/pages.js";
import { Stage } from "../support/stage.js";
import { type Town, town } from "../support/town.js";

let stage: Stage;
let hub: Hub;
let chrome: Browser;
let of: Town;
let pages: Page[];
let people: Presence[];

beforeAll(async () => {
  stage = await Stage.open();
  hub = await Hub.start({ origins: [stage.origin], settings: { ...QUICK, ...OPERATED } });
  stage.hubPort = hub.port;
  of = await town(hub);
  await hire(hub, of);
  chrome = await browser();
});

afterAll(async () => {
  await chrome?.close();
  await hub?.end();
  stage?.end();
});

beforeEach(() => {
  pages = [];
  people = [];
});

afterEach(async () => {
  for (const presence of people) presence.close();
  for (const page of pages) await leave(page);
});

const id = (who: string) => of.people[who] ?? "";

async function as(userId: string): Promise<Page> {
  const page = await visit(chrome, stage, hub, userId, { at: "#/system" });
  pages.push(page);
  return page;
}

async function operator(): Promise<Page> {
  const page = await as(OPERATOR);
  await page.getByText("The hub is well.").waitFor();
  return page;
}

/** Somebody connects from elsewhere. */
async function connect(who: string): Promise<void> {
  const presence = createPresence({
    url: hub.url,
    token: () => hub.token(id(who)),
    WebSocket: NodeSocket,
    device: "desktop",
  });
  people.push(presence);
  presence.connect();
  await eventually(`connection of ${who}`, () => presence.connection.get().state === "connected");
}

const figure = async (page: Page, name: string) =>
  Number(await page.locator(".fact").filter({ hasText: name }).locator("dd").textContent());

describe("an operator", () => {
  it("sees live who comes and who goes", async () => {
    const page = await operator();
    const sockets = (n: number) =>
      eventually(`${n} people's sockets`, async () => (await figure(page, "People's sockets")) === n);
    await sockets(1);
    for (const who of ["anna", "ben", "cora"]) await connect(who);
    await sockets(4);
    const tile = page.locator(".tile").filter({ hasText: "Connections" });
    expect(await tile.locator(".tile-value").textContent()).toBe("4");
    expect(await tile.locator(".tile-most").textContent()).toBe("at most 4");
    expect(await tile.locator(".spark-line").getAttribute("d")).toContain("L");
    for (const presence of people) presence.close();
    await sockets(1);
    expect(await tile.locator(".tile-most").textContent()).toBe("at most 4");
    await page.getByText("A unit of work, p99").waitFor();
    expect(await page.locator(".fact").filter({ hasText: "Inputs" }).locator("dd").textContent()).toMatch(
      /\/s$/,
    );
  });

  it("is told that the hub is away, sees what was, and that it was started again", async () => {
    const page = await operator();
    await page.getByText("Pool “writer”").waitFor();
    await hub.stop();
    await page.getByText("It is not known how the hub is.").waitFor();
    await page.getByText(/What you see is \d+ s old\./).waitFor();
    await page.getByText("Pool “writer”").waitFor();
    expect(await page.title()).toBe("(?) System · Presence");
    await hub.start();
    await page.getByText("The hub was started again.").waitFor();
    expect(await page.title()).toMatch(/^\(\d+\) System/);
    await page.getByRole("button", { name: "Mark as seen" }).click();
    await page.getByText("The hub is well.").waitFor();
    expect(await page.title()).toBe("System · Presence");
  });
});

describe("everybody else", () => {
  it("has no such page, never asks for it, and would be refused", async () => {
    const asked: string[] = [];
    const page = await visit(chrome, stage, hub, id("olga"));
    pages.push(page);
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.evaluate(() => {
      location.hash = "#/system";
    });
    await page.getByRole("heading", { name: "Accounts" }).waitFor();
    expect(await page.getByRole("link", { name: "System" }).count()).toBe(0);
    await page.reload();
    await page.getByRole("heading", { name: "Accounts" }).waitFor();
    await page.getByRole("link", { name: "Why" }).waitFor();
    expect(await page.getByRole("link", { name: "System" }).count()).toBe(0);
    expect(asked).toContain("/api/presence/me/channels");
    expect(asked).not.toContain("/api/system");
    await expect(hub.as(id("olga"))("GET", "/api/system")).rejects.toThrow(/403 .*"code":"forbidden"/);
    await expect(hub.as(OPERATOR)("GET", "/api/system")).resolves.toMatchObject({ health: { ready: true } });
  });
});
