// What an extension must not lose when its worker is killed, and where it is kept.

import { PresenceError } from "../errors.js";
import type { Ask } from "./asks.js";
import { type Ended, type Hold, reasonOf } from "./state.js";

/** Where something is kept. Values are plain data. What fails is taken for empty: it costs a code, and never the clock. */
export interface ClockStorage {
  /** `undefined`: nothing is kept under this key. */
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  remove(key: string): Promise<void>;
}

/** The part of `chrome.storage.local` and `chrome.storage.session` that is used here. */
export interface StorageArea {
  get(key: string): Promise<Record<string, unknown>>;
  set(items: Record<string, unknown>): Promise<void>;
  remove(key: string): Promise<void>;
}

/** A storage in an area of the browser: `chromeStorage(chrome.storage.local)`. */
export function chromeStorage(area: StorageArea): ClockStorage {
  return {
    get: async (key) => (await area.get(key))[key],
    set: (key, value) => area.set({ [key]: value }),
    remove: (key) => area.remove(key),
  };
}

/** A clock-in that is not answered yet. The code is kept apart. */
export interface Entering {
  readonly accountId: string;
  readonly opId: string;
  /** Whether the hub may have heard of it. */
  tried: boolean;
  /** Whether it has its second name: the first one was taken. */
  renamed?: boolean;
}

/** How long the hub does not want this client back: until when, as `Date.now()` has it, and how long that was. */
export interface Told {
  readonly until: number;
  readonly ms: number;
}

export interface Kept {
  /** The hub that it is about: no other gets its token. */
  readonly url: string;
  readonly hold?: Hold | undefined;
  readonly token?: string | undefined;
  readonly entering?: Entering | undefined;
  readonly asks?: readonly Ask[];
  readonly ended?: Ended | undefined;
  readonly told?: Told | undefined;
}

const KEY = "presence-hub.clock";
const CODE_KEY = "presence-hub.code";
/** How long a storage is waited for. */
const PATIENCE_MS = 1_000;

/** Writes in the order in which they were wanted. */
export class Keeper {
  readonly #storage: ClockStorage | undefined;
  readonly #session: ClockStorage | undefined;
  readonly #url: string;
  #last: Promise<unknown> = Promise.resolve();
  #code: string | undefined;

  constructor(url: string, storage: ClockStorage | undefined, session: ClockStorage | undefined) {
    this.#url = url;
    this.#storage = storage;
    this.#session = session;
  }

  async load(): Promise<{ kept: Kept | undefined; code: string | undefined }> {
    const [kept, code] = await Promise.all([
      soon(this.#storage && (() => this.#storage?.get(KEY))),
      soon(this.#session && (() => this.#session?.get(CODE_KEY))),
    ]);
    this.#code = typeof code === "string" ? code : undefined;
    return { kept: keptOf(kept, this.#url), code: this.#code };
  }

  /** Ends when it is written, or cannot be. */
  save(kept: Omit<Kept, "url"> | undefined, code: string | undefined): Promise<void> {
    const value = kept && JSON.parse(JSON.stringify({ ...kept, url: this.#url }, plain));
    const writes = [write(this.#storage, KEY, value)];
    if (code !== this.#code) writes.push(write(this.#session, CODE_KEY, code));
    this.#code = code;
    const written = this.#last.then(() => Promise.all(writes.map((it) => soon(it))));
    this.#last = written;
    return soon(() => written).then(() => {});
  }
}

function write(storage: ClockStorage | undefined, key: string, value: unknown) {
  return storage && (() => (value === undefined ? storage.remove(key) : storage.set(key, value)));
}

/** What comes of it within the patience; `undefined` where nothing does. */
async function soon<T>(what: (() => Promise<T> | undefined) | undefined): Promise<T | undefined> {
  if (!what) return undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<undefined>((done) => {
    timer = setTimeout(done, PATIENCE_MS, undefined);
  });
  try {
    return await Promise.race([what(), enough]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** An error has no enumerable message. */
function plain(_key: string, value: unknown): unknown {
  if (!(value instanceof PresenceError)) return value;
  const { code, message, retryAfterMs } = value;
  return { code, message, retryAfterMs };
}

type Fields = Record<string, unknown>;

/** What is not as it was written is passed over whole: another version wrote it, or somebody else. */
function keptOf(value: unknown, url: string): Kept | undefined {
  const kept = fields(value);
  if (kept?.url !== url) return undefined;
  const hold = heldOf(kept.hold);
  const ended = endedOf(kept.ended);
  const entering = enteringOf(kept.entering);
  const asks = Array.isArray(kept.asks) ? kept.asks.filter(isAsk) : [];
  const token = typeof kept.token === "string" ? kept.token : undefined;
  const told = toldOf(kept.told);
  if (!ended && !entering && !(hold && token)) return undefined;
  return { url, hold, token, entering, asks, ended, told };
}

function heldOf(value: unknown): Hold | undefined {
  const hold = fields(value);
  const texts = ["accountId", "organization", "userId", "since"].every((name) => texted(hold?.[name]));
  return texts && typeof hold?.epoch === "number" && Array.isArray(hold.adminsSee)
    ? (hold as unknown as Hold)
    : undefined;
}

function enteringOf(value: unknown): Entering | undefined {
  const entering = fields(value);
  return texted(entering?.accountId) && texted(entering?.opId)
    ? (entering as unknown as Entering)
    : undefined;
}

function toldOf(value: unknown): Told | undefined {
  const told = fields(value);
  return typeof told?.until === "number" && typeof told.ms === "number"
    ? (told as unknown as Told)
    : undefined;
}

function isAsk(value: unknown): value is Ask {
  const ask = fields(value);
  const kind = ask?.kind === "clockOut" || (ask?.kind === "move" && texted(ask.to));
  return kind && texted(ask?.opId) && typeof ask?.at === "number";
}

function endedOf(value: unknown): Ended | undefined {
  const ended = fields(value);
  const hold = heldOf(ended?.hold);
  if (ended?.state === "out") return { state: "out", reason: reasonOf(String(ended.reason)), hold };
  const error = fields(ended?.error);
  if (ended?.state !== "refused" || !texted(error?.code)) return undefined;
  const accountId = texted(ended.accountId) ? ended.accountId : undefined;
  const wait = typeof error?.retryAfterMs === "number" ? error.retryAfterMs : undefined;
  return {
    state: "refused",
    error: new PresenceError(error?.code as string, String(error?.message), wait),
    accountId,
    hold,
  };
}

function fields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null ? (value as Fields) : undefined;
}

function texted(value: unknown): value is string {
  return typeof value === "string";
}
