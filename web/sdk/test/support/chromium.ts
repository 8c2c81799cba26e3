// A real browser, and pages with the SDK in them.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Nothing that looks for hosts that are not there, and nothing that needs a screen. */
export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function executable(): string {
  return process.env.CHROMIUM ?? "/usr/bin/chromium";
}

export function browser(flags: string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: executable(),
    args: [...FLAGS, ...flags],
    // As people's browsers have it.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
}

/** Pages on an origin of their own: `/` has the SDK as `window.sdk`, `/elsewhere` has nothing. */
export class Pages {
  readonly #server: Server;
  readonly #script: string;

  static async serve(): Promise<Pages> {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL("./in-page.ts", import.meta.url))],
      bundle: true,
      format: "iife",
      target: "es2022",
      write: false,
    });
    const pages = new Pages(outputFiles[0]?.text ?? "");
    await new Promise<void>((resolve) => pages.#server.listen(0, "127.0.0.1", resolve));
    return pages;
  }

  private constructor(script: string) {
    this.#script = script;
    this.#server = createServer(({ url = "/" }, answer) => {
      if (url === "/sdk.js") answer.setHeader("content-type", "text/javascript").end(this.#script);
      else answer.setHeader("content-type", "text/html").end(url.startsWith("/elsewhere") ? ELSEWHERE : HOME);
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  end(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const HOME = `<!doctype html><meta charset="utf-8"><title>presence</title>
<body style="font:16px system-ui"><p id="state"></p><ul id="people"></ul><script src="/sdk.js"></script>`;
const ELSEWHERE = `<!doctype html><meta charset="utf-8"><title>elsewhere</title><body>elsewhere`;

/** What a page needs to be somebody. */
export interface Who {
  url: string;
  token: string;
  /** The channel to watch, and to be in. */
  channel: string;
  track?: boolean;
  /** Whether the page shows the list. */
  draw?: boolean;
}

/** Opens a page as somebody: each has a browser context of its own, as on a device of its own. */
export async function open(
  chrome: Browser,
  origin: string,
  who: Who,
  prepare: (context: BrowserContext) => Promise<unknown> = async () => {},
): Promise<Page> {
  const context = await chrome.newContext();
  await prepare(context);
  const page = await context.newPage();
  await page.goto(`${origin}/#${encodeURIComponent(JSON.stringify(who))}`);
  await connected(page);
  return page;
}

/** The page is connected, and its list is what may be seen now. */
export async function connected(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const { presence, wedding } = (window as unknown as Window & { here: import("./in-page.js").Here }).here;
    return presence.connection.get().state === "connected" && wedding.get().phase === "live";
  });
}
