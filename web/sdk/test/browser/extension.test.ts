// The example extension in Chromium, against a real hub: its worker is killed and comes back, and an admin looks on.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Channel, createPresence, type Presence } from "../../src/index.js";
import { executable, FLAGS } from "../support/chromium.js";
import {
  cuttable,
  eventually,
  Hub,
  type Network,
  NodeSocket,
  until,
  type World,
  world,
} from "../support/hub.js";

/** It follows from the key in the example's manifest. */
const ID = "bidijdmecidojbdngdjkkmaonckimnfk";
const POPUP = `chrome-extension://${ID}/popup.html`;
const BUILD = fileURLToPath(new URL("../../examples/extension/build.mjs", import.meta.url));

type Kept = { hold?: { epoch: number; since: string; accountId: string } };
type Board = { accounts: { accountId: string; holder: string; displayName?: string; since: string }[] };

let hub: Hub;
let proxy: Network;
let folder: string;
let of: World;
let chrome_: BrowserContext;
let admin: Presence;
let board: Channel;

beforeAll(async () => {
  hub = await Hub.start({ origins: [`chrome-extension://${ID}`] });
  proxy = await cuttable(hub.port);
  folder = mkdtempSync(join(tmpdir(), "presence-extension-"));
  await promisify(execFile)(process.execPath, [BUILD, "--hub", proxy.url, "--out", join(folder, "built")]);
});

afterAll(async () => {
  await proxy?.end();
  await hub?.end();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  of = await world(hub);
  chrome_ = await browser();
  admin = createPresence({
    url: hub.url,
    token: hub.token(of.adam),
    WebSocket: NodeSocket,
    remember: false,
  });
  board = admin.channel(of.agency, { people: "none" });
  board.subscribe(() => {});
  admin.connect();
  await until("board", admin.connection, ({ state }) => state === "connected");
});

afterEach(async () => {
  admin.close();
  await chrome_.close();
});

/** A browser of its own, with the extension in it. */
function browser(): Promise<BrowserContext> {
  const built = join(folder, "built");
  return chromium.launchPersistentContext(mkdtempSync(join(folder, "profile-")), {
    executablePath: executable(),
    args: [...FLAGS, `--disable-extensions-except=${built}`, `--load-extension=${built}`],
  });
}

async function popup(): Promise<Page> {
  const page = await chrome_.newPage();
  await page.goto(POPUP);
  await page.waitForFunction(() => document.body.dataset.state !== "loading");
  return page;
}

async function state(page: Page, wanted: string): Promise<void> {
  await page.waitForFunction((is) => document.body.dataset.state === is, wanted);
}

/** Vera clocks in, as a person does. */
async function clockIn(page: Page, accountId: string): Promise<void> {
  const { code } = await hub.accessCode(of.adam, of.organization, of.vera);
  await page.fill("#code", code);
  await page.fill("#account", accountId);
  await page.click("#enter button");
  await state(page, "in");
}

/** What the icon says. */
function badge(page: Page): Promise<string> {
  return page.evaluate(() => chrome.action.getBadgeText({}));
}

/** What the extension keeps of the hold. */
async function kept(page: Page): Promise<Kept> {
  const all = await page.evaluate(() => chrome.storage.local.get());
  return all["presence-hub.clock"] as Kept;
}

/** Kills the worker, as Chrome does with one that has nothing to do; its socket goes with it. */
async function kill(): Promise<void> {
  const devtools = await chrome_.browser()?.newBrowserCDPSession();
  const workers = async () => {
    const { targetInfos = [] } = (await devtools?.send("Target.getTargets")) ?? {};
    return targetInfos.filter(({ type, url }) => type === "service_worker" && url.includes(ID));
  };
  for (const { targetId } of await workers()) await devtools?.send("Target.closeTarget", { targetId });
  await eventually("end of the worker", async () => (await workers()).length === 0);
  await eventually("end of its connection", () => proxy.open === 0);
}

function seen(accountId: string) {
  return board.get().accounts.find((account) => account.accountId === accountId);
}

async function adminSees(accountId: string, holder: object | undefined): Promise<void> {
  await eventually("change on the board", () => {
    expect(seen(accountId)).toEqual(holder && expect.objectContaining(holder));
    return true;
  });
}

describe("the example extension", () => {
  it("clocks in by the popup, survives its worker, moves and clocks out", async () => {
    const page = await popup();
    await state(page, "out");
    await clockIn(page, of.inbox);
    await adminSees(of.inbox, { holder: "named", userId: of.vera, displayName: "Vera" });
    expect(await badge(page)).toBe("in");
    expect(await page.locator("#seen li").allTextContents()).toEqual([
      "your name",
      "since when you are in",
      "when you were last heard of, if the connection is lost",
    ]);
    const before = (await kept(page)).hold;
    await page.close();

    await kill();
    // The alarm wakes it, within half a minute.
    await eventually("connection", () => proxy.open === 1, 60_000);
    const again = await popup();
    await state(again, "in");
    expect((await kept(again)).hold).toEqual(before);
    expect(await badge(again)).toBe("in");

    await again.fill("#to", of.studio);
    await again.click("#move button");
    await again.waitForFunction((id) => document.getElementById("where")?.textContent === id, of.studio);
    await adminSees(of.studio, { displayName: "Vera" });
    await adminSees(of.inbox, undefined);
    expect((await kept(again)).hold?.epoch).toBeGreaterThan(before?.epoch ?? 0);

    await again.click("#out");
    await state(again, "out");
    expect(await again.textContent("#notice")).toBe("You clocked out.");
    await adminSees(of.studio, undefined);
    expect(await badge(again)).toBe("out");
    const everything = await again.evaluate(async () =>
      JSON.stringify([await chrome.storage.local.get(), await chrome.storage.session.get()]),
    );
    expect(everything).not.toMatch(/token"|presence-hub.code/);
  });

  it("shows why an admin cleared the account, also when it happened while the worker was dead", async () => {
    const page = await popup();
    await clockIn(page, of.inbox);
    await hub.as(of.adam)("DELETE", `/api/presence/accounts/${of.inbox}?reason=end+of+shift`);
    await state(page, "out");
    expect(await page.textContent("#notice")).toBe("An admin cleared the account.");
    expect(await badge(page)).toBe("out");

    await clockIn(page, of.inbox);
    await page.close();
    await kill();
    await hub.as(of.adam)("DELETE", `/api/presence/accounts/${of.inbox}`);
    const again = await popup();
    await state(again, "out");
    expect(await again.textContent("#notice")).toBe("An admin cleared the account.");
    await adminSees(of.inbox, undefined);
  });

  it("clocks out when it is back, where there was no connection and then no worker", async () => {
    const page = await popup();
    await clockIn(page, of.inbox);
    proxy.refuse(true);
    proxy.cut();
    await state(page, "lost");
    expect(await badge(page)).toBe("lost");
    await page.click("#out");
    await page.waitForFunction(() =>
      document.getElementById("notice")?.textContent?.includes("Clocking out"),
    );
    await page.close();
    await kill();
    expect(seen(of.inbox)).toMatchObject({ displayName: "Vera" });
    proxy.refuse(false);
    const again = await popup();
    await state(again, "out");
    await adminSees(of.inbox, undefined);
  });

  it("says what is wrong, and is usable at once", async () => {
    const { inbox } = of;
    const held: Board = await hub.as(of.adam)(
      "GET",
      `/api/presence/accounts?organizationId=${of.organization}`,
    );
    expect(held.accounts).toEqual([]);
    const { code } = await hub.accessCode(of.adam, of.organization, of.vic);
    await hub.with(undefined)("POST", "/api/access-codes/validate", { code, accountId: inbox });
    const page = await popup();
    await page.fill("#code", "nobody-knows-this");
    await page.fill("#account", inbox);
    await page.click("#enter button");
    await state(page, "refused");
    expect(await page.textContent("#notice")).toContain("not valid");
    expect(await badge(page)).toBe("!");
    const vera = await hub.accessCode(of.adam, of.organization, of.vera);
    await page.fill("#code", vera.code);
    await page.click("#enter button");
    await page.waitForFunction(() =>
      document.getElementById("notice")?.textContent?.includes("Somebody else"),
    );
    await clockIn(page, of.studio);
    await page.fill("#to", inbox);
    await page.click("#move button");
    await page.waitForFunction(() =>
      document.getElementById("notice")?.textContent?.includes("Somebody else"),
    );
    await adminSees(of.studio, { displayName: "Vera" });
  });
});
