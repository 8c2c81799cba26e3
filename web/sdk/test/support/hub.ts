// A real hub for tests: its binary in a folder of its own, with an embedded database. It can be stopped, killed and started
// again on the same port with the same data. Whatever becomes of the test, nothing of it is left behind.

import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import type { SocketConstructor } from "../../src/link.js";
import { eventually, within } from "./wait.js";

export { cuttable, Network } from "./proxy.js";
export { eventually, until } from "./wait.js";
export { people, type World, world } from "./world.js";

/** The sockets of Node, for `PresenceOptions.WebSocket`. */
export const NodeSocket = WebSocket as unknown as SocketConstructor;

const SECRET = "the secret of an issuer has at least 32 bytes";
const SERVICE_TOKEN = "the token of the back-end has at least 32 bytes";

export interface HubOptions {
  /** Origins of pages that may connect, such as `http://127.0.0.1:5173`. Programs without one always may. */
  readonly origins?: readonly string[];
  /** More settings, as in `presence-hub.toml`: `{ "presence.heartbeat_ms": 1_000 }`. */
  readonly settings?: { readonly [key: string]: string | number | boolean };
}

export interface TokenOptions {
  /** How long it is good, in seconds; an hour by default. Below 0: it has expired. */
  readonly expiresInS?: number;
  /** Another secret than the hub's: a token that does not hold. */
  readonly secret?: string;
  /** Its `jti`: a token like another one, but not the same. */
  readonly id?: string;
}

/** A REST call: method, path from `/api` on, body. Its answer's JSON; rejects where the status is 400 or more. */
export type Call = <T = unknown>(method: string, path: string, body?: unknown) => Promise<T>;

/** Everybody sees everybody, and nobody waits long for a restart; the rest is as an installation has it. */
const DEFAULTS = {
  "presence.default_visibility": "everyone",
  "shutdown.drain_s": 2,
  "shutdown.reconnect_spread_s": 1,
};

export class Hub {
  /** Where clients connect. The same over restarts. */
  port = 0;
  readonly #folder = mkdtempSync(join(tmpdir(), "presence-hub-"));
  readonly #settings: { readonly [key: string]: string | number | boolean };
  #child: ChildProcess | undefined;
  #guard: ChildProcess | undefined;

  /** Starts a hub, and waits until it is ready. `end()` it when the test has ended. */
  static async start(options: HubOptions = {}): Promise<Hub> {
    const hub = new Hub(options);
    await hub.start();
    return hub;
  }

  private constructor({ origins = [], settings = {} }: HubOptions) {
    this.#settings = { ...DEFAULTS, ...settings };
    const path = (name: string) => JSON.stringify(join(this.#folder, name));
    writeFileSync(
      join(this.#folder, "hub.toml"),
      `[auth]
service_token = ${JSON.stringify(SERVICE_TOKEN)}
issuers = [{ hs256_secret = ${JSON.stringify(SECRET)} }]
[store]
sqlite_path = ${path("hub.db")}
spool_path = ${path("spool")}
[jobs]
archive_path = ${path("archive")}
[listen]
port = 0
allowed_origins = ${JSON.stringify(origins)}
[operations]
port = 0
`,
    );
  }

  /** `ws://…/ws`, for `createPresence`. */
  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  /** `http://…`, for REST. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The process, for who weighs it. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What it wrote to its log. */
  get log(): string {
    const file = join(this.#folder, "log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** Starts it, the first time or again: then with the same data, on the same port. */
  async start(): Promise<void> {
    if (this.#child) throw new Error("the hub is running");
    const config = ["serve", "--config", join(this.#folder, "hub.toml"), "--port", `${this.port}`];
    const settings = Object.entries(this.#settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const log = openSync(join(this.#folder, "log"), "a");
    const child = spawn(binary(), [...config, ...settings], { stdio: ["ignore", "pipe", log] });
    closeSync(log);
    this.#child = child;
    this.#guard = guard(child.pid, this.#folder);
    const operations = await within("start of the hub", this.#addresses(child)).catch((error) => {
      throw new Error(`${error.message}: ${this.log}`);
    });
    await eventually("hub that is ready", async () => (await fetch(`${operations}/readyz`)).ok);
  }

  /** SIGTERM: it asks its clients to come back, writes what waits, and ends. */
  stop(): Promise<void> {
    return this.#ended("SIGTERM");
  }

  /** SIGKILL: it is gone at once. */
  kill(): Promise<void> {
    return this.#ended("SIGKILL");
  }

  /** Kills it, where it runs, and removes its folder. */
  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A token of a user, as the platform signs it. */
  token(userId: string, { expiresInS = 3_600, secret = SECRET, id }: TokenOptions = {}): string {
    const now = Math.floor(Date.now() / 1_000);
    const claims = { sub: userId, aud: "authenticated", iat: now, exp: now + expiresInS, jti: id };
    const said = `${base64({ alg: "HS256", typ: "JWT" })}.${base64(claims)}`;
    return `${said}.${createHmac("sha256", secret).update(said).digest("base64url")}`;
  }

  /** A call of the platform's back-end. */
  readonly service: Call = (method, path, body) => this.#call(SERVICE_TOKEN, method, path, body);

  /** Calls of a user. */
  as(userId: string): Call {
    return (method, path, body) => this.#call(this.token(userId), method, path, body);
  }

  /** Calls of whoever has this token, such as that of a clock-in; `undefined`: without one. */
  with(token: string | undefined): Call {
    return (method, path, body) => this.#call(token, method, path, body);
  }

  /** An access code of a member, minted by an owner or admin of the organization. */
  accessCode(
    admin: string,
    organizationId: string,
    userId: string,
    more: { expiresInMs?: number; maxUses?: number } = {},
  ): Promise<{ id: string; code: string }> {
    return this.as(admin)("POST", "/api/access-codes", { organizationId, userId, ...more });
  }

  async #call<T>(token: string | undefined, method: string, path: string, body: unknown): Promise<T> {
    const answer = await fetch(`${this.origin}${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        // A hub that is restarted has forgotten connections that were kept.
        connection: "close",
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** Reads the two lines that it begins with; resolves with where operators connect. */
  async #addresses(child: ChildProcess): Promise<string> {
    if (!child.stdout) throw new Error("no output");
    for await (const line of createInterface(child.stdout)) {
      const port = /ws:\/\/[^/]*:(\d+)\//.exec(line)?.[1];
      if (port) this.port = Number(port);
      const operations = /http:\/\/[^/]*/.exec(line)?.[0];
      if (operations) {
        child.stdout.resume();
        return operations;
      }
    }
    throw new Error("the hub did not start");
  }

  async #ended(signal: NodeJS.Signals): Promise<void> {
    const [child, watcher] = [this.#child, this.#guard];
    this.#child = this.#guard = undefined;
    if (!child) return;
    const exit = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await within("end of the hub", exit).catch((error) => {
        child.kill("SIGKILL");
        throw error;
      });
    }
    watcher?.kill("SIGKILL");
  }
}

/** Ends the hub and its folder with this process, however this process ends: it waits for the end of its input. */
function guard(pid: number | undefined, folder: string): ChildProcess {
  const script = 'cat >/dev/null; kill -9 "$1" 2>/dev/null; rm -rf "$2"';
  const child = spawn("sh", ["-c", script, "sh", `${pid}`, folder], {
    stdio: ["pipe", "ignore", "ignore"],
    // An interrupt from the keyboard is for the test alone.
    detached: true,
  });
  child.unref();
  return child;
}

function binary(): string {
  const file =
    process.env.PRESENCE_HUB_BIN ??
    fileURLToPath(new URL("../../../../target/debug/presence-hub", import.meta.url));
  if (!existsSync(file))
    throw new Error(`there is no hub at ${file}: cargo build -p server, or name one in PRESENCE_HUB_BIN`);
  return file;
}

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
