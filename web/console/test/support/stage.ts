// The console as it is served: the built files with their policy, and the hub behind the same origin.

import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { extname, join } from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Persona, Report, System } from "../../src/contract.js";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

/** Nothing but the page's own: no script or style in the page, nothing from elsewhere, no frames. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const TYPES: { readonly [extension: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

export class Stage {
  /** The hub behind it; set before a page asks. */
  hubPort = 0;
  /** Who can be tried out; nobody, as in production. */
  personas: readonly Persona[] | undefined;
  /** Answered in place of the hub's report: a hub that was just started knows no season. */
  report: Report | undefined;
  /** Answered in place of how the hub is, each time anew; `undefined`: it does not answer. */
  system: (() => System | undefined) | undefined;
  readonly #server: Server;
  readonly #sockets: Set<Socket | Duplex> = new Set();
  #cut = false;

  static async open(): Promise<Stage> {
    const stage = new Stage();
    await new Promise<void>((resolve) => stage.#server.listen(0, "127.0.0.1", resolve));
    return stage;
  }

  private constructor() {
    this.#server = createServer((asked, answer) => void this.#answer(asked, answer));
    this.#server.on("upgrade", (asked, socket, head) => this.#upgrade(asked, socket, head));
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks all connections to the hub, and lets none come back until it is taken back. */
  cut(cut: boolean): void {
    this.#cut = cut;
    if (cut) for (const socket of this.#sockets) socket.destroy();
  }

  end(): void {
    this.cut(true);
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = new URL(asked.url ?? "/", this.origin);
    if (this.report && url.pathname === "/api/presence/analytics") {
      answer.setHeader("content-type", "application/json").end(JSON.stringify(this.report));
      return;
    }
    if (this.system && url.pathname === "/api/system") {
      const said = this.system();
      answer.statusCode = said ? 200 : 503;
      answer.setHeader("content-type", "application/json").end(JSON.stringify(said ?? {}));
      return;
    }
    if (url.pathname.startsWith("/api/")) return this.#forward(asked, answer);
    if (url.pathname === "/demo/personas") {
      answer.statusCode = this.personas ? 200 : 404;
      answer.end(JSON.stringify(this.personas ?? {}));
      return;
    }
    const name = url.pathname.startsWith("/assets/") ? url.pathname : "index.html";
    const file = await readFile(join(DIST, name)).catch(() => undefined);
    answer.statusCode = file ? 200 : 404;
    answer.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream");
    answer.setHeader("content-security-policy", POLICY);
    answer.setHeader("x-content-type-options", "nosniff");
    answer.end(file);
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, headers } = asked;
    const to = { host: "127.0.0.1", port: this.hubPort, path: asked.url, method, headers };
    const hub = request(to, (said) => {
      answer.writeHead(said.statusCode ?? 502, said.headers);
      said.pipe(answer);
    });
    hub.on("error", () => answer.writeHead(502).end());
    asked.pipe(hub);
  }

  #upgrade(asked: IncomingMessage, near: Duplex, head: Buffer): void {
    if (this.#cut) {
      near.destroy();
      return;
    }
    const far = connect(this.hubPort, "127.0.0.1", () => {
      const lines = [`${asked.method} ${asked.url} HTTP/1.1`];
      for (let at = 0; at < asked.rawHeaders.length; at += 2)
        lines.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}`);
      far.write(`${lines.join("\r\n")}\r\n\r\n`);
      far.write(head);
      near.pipe(far).pipe(near);
    });
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
  }
}
