// What a newcomer would paste: every snippet of the README is compiled with its types, and runs in a page against a real hub.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createPresence, type Presence } from "../../src/index.js";
import { browser, Pages } from "../support/chromium.js";
import { Hub, NodeSocket, until, type World, world } from "../support/hub.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}test/snippets`;
const entries = {
  "@presence-hub/sdk": "src/index.ts",
  "@presence-hub/sdk/react": "src/react/index.ts",
  "@presence-hub/sdk/extension": "src/extension/index.ts",
  "@presence-hub/sdk/msgpack": "src/msgpack.ts",
};
const FENCE = /<!-- runs: (\w+) -->\n```(tsx?)\n([\s\S]*?)```/g;
const snippets = [...readFileSync(`${root}README.md`, "utf8").matchAll(FENCE)].map(
  ([, name = "", language = "", code = ""]) => ({ name, file: `${name}.${language}`, code }),
);

let hub: Hub;
let pages: Pages;
let chrome: Browser;
let of: World;
let page: Page;
let other: Presence | undefined;
const uncaught: string[] = [];

beforeAll(async () => {
  pages = await Pages.serve();
  hub = await Hub.start({ origins: [pages.origin] });
  of = await world(hub);
  chrome = await browser();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
});

afterEach(async () => {
  other?.close();
  other = undefined;
  await page?.close();
  expect(uncaught).toEqual([]);
});

afterAll(async () => {
  await chrome?.close();
  await hub?.end();
  pages?.end();
  rmSync(folder, { recursive: true, force: true });
});

/** The snippet as it stands, with the addresses and ids of this test in the place of the examples'. */
function real(code: string): string {
  return code
    .replaceAll("wss://presence.example.com/ws", hub.url)
    .replaceAll("6f9619ff-8b86-4d01-b42d-00cf4fc964ff", of.wedding.replace("wedding:", ""))
    .replaceAll("4c6e80a2-3d5f-4b7c-8e90-1f2d3e4f5a06", of.organization)
    .replaceAll("5d7f91b3-4e60-4c8d-9fa1-203e4f5a6b07", of.inbox);
}

const SHOWN = `import { App } from "./App";
import { createElement, StrictMode } from "react";
import { createRoot } from "react-dom/client";
createRoot(document.querySelector("#app")).render(createElement(StrictMode, null, createElement(App)));`;

/** Runs a snippet in a page of somebody. A component is shown, as `main.tsx` would. */
async function run(name: string, userId: string, before = ""): Promise<Page> {
  const { file, code } = snippets.find((snippet) => snippet.name === name) ?? { file: "", code: "" };
  writeFileSync(`${folder}/${file}`, real(code));
  if (file.endsWith("x")) writeFileSync(`${folder}/main.ts`, SHOWN.replace("./App", `./${file}`));
  const { outputFiles } = await build({
    entryPoints: [`${folder}/${file.endsWith("x") ? "main.ts" : file}`],
    bundle: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": "'development'" },
    alias: Object.fromEntries(Object.entries(entries).map(([entry, source]) => [entry, root + source])),
    write: false,
  });
  page = await chrome.newPage();
  page.on("pageerror", (error) => uncaught.push(`${name}: ${error}`));
  await page.goto(`${pages.origin}/elsewhere`);
  await page.evaluate((token) => {
    document.body.innerHTML = '<ul id="people"></ul><p id="me"></p><p id="banner"></p><div id="app"></div>';
    Object.assign(window, { session: { accessToken: async () => token }, announced: [] });
    Object.assign(window, { announce: (text: string) => (window as unknown as Said).announced.push(text) });
  }, hub.token(userId));
  await page.addScriptTag({
    content: `${before + outputFiles[0]?.text}\nwindow.ran = true;`,
    type: "module",
  });
  // The tag is there before its module was run.
  await page.waitForFunction(() => (window as unknown as { ran?: boolean }).ran);
  return page;
}

interface Said extends Window {
  announced: string[];
}

/** Somebody else, who is there. */
async function present(userId: string): Promise<Presence> {
  other = createPresence({ url: hub.url, token: () => hub.token(userId), WebSocket: NodeSocket });
  void other.track();
  other.connect();
  await until("connection", other.connection, ({ state }) => state === "connected");
  return other;
}

const text = (selector: string, wanted: string) =>
  page.waitForFunction(
    ([at, part]) => document.querySelector(at as string)?.textContent?.includes(part as string),
    [selector, wanted],
  );

describe("the README's snippet", () => {
  it("of each kind is run here", () => {
    const fences = readFileSync(`${root}README.md`, "utf8").match(/```tsx?\n/g) ?? [];
    expect(snippets).toHaveLength(fences.length);
    expect(snippets.map(({ name }) => name)).toEqual(Object.keys(RUNS));
  });

  const RUNS: { [name: string]: () => Promise<unknown> } = {
    async page() {
      await run("page", of.anna);
      await text("#people", `${of.anna}: online`);
      await text("#people", `${of.finn}: offline`);
    },
    async changes() {
      await run("changes", of.anna);
      await present(of.finn);
      await page.waitForFunction(
        (id) => (window as unknown as Said).announced.some((said) => said.includes(id)),
        of.finn,
      );
    },
    async status() {
      await run("status", of.anna);
      await text("#me", "busy");
      await page.waitForFunction(() => document.querySelector("#me")?.textContent === "busy");
    },
    async connection() {
      await run("connection", of.anna);
      await page.waitForFunction(() => document.querySelector<HTMLElement>("#banner")?.hidden);
    },
    async react() {
      await run("react", of.anna);
      await text("#app li", of.anna);
      await page.click("button");
      await text("button", "Busy");
    },
    async board() {
      await run("board", of.olga);
      await text("#app", "Available");
      const { code } = await hub.accessCode(of.olga, of.organization, of.vera);
      const validate = hub.with(undefined);
      const { token } = await validate<{ token: string }>("POST", "/api/access-codes/validate", {
        code,
        accountId: of.inbox,
      });
      await text("#app", "Vera •");
      expect(token).toBeTruthy();
    },
    async extension() {
      const { code } = await hub.accessCode(of.olga, of.organization, of.vic);
      await run("extension", of.vic, CHROME);
      await page.evaluate((asked) => (window as unknown as { ask: (asked: unknown) => void }).ask(asked), {
        do: "clockIn",
        code,
        accountId: of.studio,
      });
      await page.waitForFunction(() => (window as unknown as { badge: string }).badge === "IN");
      await page.evaluate(() =>
        (window as unknown as { ask: (asked: unknown) => void }).ask({ do: "clockOut" }),
      );
      await page.waitForFunction(() => (window as unknown as { badge: string }).badge === "");
    },
    async msgpack() {
      const viewer = await present(of.anna);
      const list = viewer.channel(of.wedding);
      await run("msgpack", of.finn);
      await until("finn", list, ({ people }) => people.some(({ userId }) => userId === of.finn));
    },
  };

  it.each(Object.entries(RUNS))("%s runs", async (_, check) => {
    await check();
  });

  it("has the right types", () => {
    rmSync(`${folder}/main.ts`);
    for (const { file, code } of snippets) writeFileSync(`${folder}/${file}`, code);
    writeFileSync(`${folder}/globals.d.ts`, GLOBALS);
    const paths = Object.fromEntries(
      Object.entries(entries).map(([entry, source]) => [entry, [`../../${source}`]]),
    );
    const config = { extends: "../../tsconfig.json", compilerOptions: { paths }, include: ["."] };
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config));
    const tsc = `${root}../node_modules/.bin/tsc`;
    expect(() => execFileSync(tsc, ["-p", folder], { encoding: "utf8", stdio: "pipe" })).not.toThrow();
  });
});

/** The little of an extension's world that the snippet touches; the whole one is in extension.test.ts. */
const CHROME = `
  const area = () => { const kept = new Map(); return {
    get: async (key) => (kept.has(key) ? { [key]: kept.get(key) } : {}),
    set: async (items) => { for (const [key, value] of Object.entries(items)) kept.set(key, value); },
    remove: async (key) => { kept.delete(key); } }; };
  window.chrome = {
    storage: { local: area(), session: area() },
    action: { setBadgeText: ({ text }) => { window.badge = text; } },
    alarms: { create() {}, onAlarm: { addListener() {} } },
    runtime: { onMessage: { addListener(listener) { window.ask = listener; } } },
  };
`;

const GLOBALS = `
declare const session: { accessToken(): Promise<string> };
declare function announce(text: string): void;
`;
