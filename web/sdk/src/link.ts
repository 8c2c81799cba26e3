// One connection that comes back: it opens, says hello, answers heartbeats, notices silence, and knows when to return.

import type { Codec } from "./codec.js";
import { PresenceError } from "./errors.js";
import type { ClientFrame, Hello } from "./protocol/client.js";
import type { Closing, ServerFrame } from "./protocol/server.js";
import { type Answer, type Body, Requests } from "./requests.js";
import { afterClose, type Comeback, waitFor } from "./retry.js";
import { Store } from "./store.js";

/** Why there is no connection. */
export type Reason =
  /** The hub did not let us open a connection: it is down, full, of another version, or does not allow this origin. */
  | { readonly kind: "unreachable" }
  /** The network broke, or nothing came for longer than the hub is ever silent. */
  | { readonly kind: "lost" }
  /** The hub closed it: by number and, where it said so, by name (docs/errors.md). */
  | { readonly kind: "closed"; readonly code: number; readonly name?: string; readonly message?: string }
  /** The hub refused what was asked for in the hello. */
  | { readonly kind: "refused"; readonly error: PresenceError }
  /** No token was to be had, or only one that was refused before. */
  | { readonly kind: "token"; readonly error: unknown }
  /** What came is not of this protocol. */
  | { readonly kind: "protocol" }
  /** The browser has put the page aside. */
  | { readonly kind: "suspended" }
  /** The address is none. */
  | { readonly kind: "url" };

/** Where the connection stands. */
export type Connection =
  /** Not begun yet, or closed here. */
  | { readonly state: "closed" }
  | { readonly state: "connecting" }
  /** `resumed`: the session and its views go on where they were. */
  | { readonly state: "connected"; readonly resumed: boolean }
  /** The next attempt is made after `ms` milliseconds, or sooner when the page comes back to life. */
  | { readonly state: "waiting"; readonly ms: number; readonly reason: Reason }
  /** It does not come back by itself: only `connect()` tries again. */
  | { readonly state: "ended"; readonly reason: Reason };

/** The part of the browser's WebSocket that is used here. */
export interface Socket {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  send(message: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

/** On what terms a connection was welcomed. */
export interface Terms {
  readonly heartbeatMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly resumed: boolean;
  /** The most that a message may have, where it was told. */
  readonly messageBytes?: number;
}

/** Who speaks over a link. */
export interface Party {
  /** The hello of a new connection. Rejects where there is no token. */
  hello(): Promise<Hello>;
  /** The terms, if the frame is the answer to the hello. */
  welcomed(frame: ServerFrame): Terms | undefined;
  /** Any frame, in the order in which they came. */
  frame(frame: ServerFrame): void;
  /** The connection is gone, or was not made; says when to come back. */
  lost(reason: Reason, comeback: Comeback): Comeback;
}

/** Within which a connection must be welcomed, the token fetched included. */
const CONNECT_MS = 15_000;
/** What a hub may be late with a heartbeat. */
const PATIENCE_MS = 5_000;
/** Within which a hub answers who has reason to doubt it. */
const PROBE_MS = 5_000;
/** A connection that lasted this long counts as having held. */
const SETTLED_MS = 10_000;
/** What every hub takes. */
const MESSAGE_BYTES = 16_384;
/** Any code but 1000 keeps the session; a page can send 1000 and 3000 to 4999. */
const COMES_BACK = 3000;

export class Link {
  readonly connection: Store<Connection> = new Store<Connection>({ state: "closed" });
  readonly #requests: Requests = new Requests();
  readonly #open: () => Socket;
  readonly #codec: Codec;
  readonly #party: Party;
  #socket: Socket | undefined;
  /** Set while the connection is welcomed. */
  #silenceMs: number | undefined;
  #messageBytes = 0;
  #opened = false;
  #closing: Closing | undefined;
  #refusal: PresenceError | undefined;
  #heard = 0;
  #since = 0;
  #attempt = 0;
  /** Whether the wait was asked for by the hub, which nothing shortens. */
  #told = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts attempts, so that what belongs to an earlier one is passed over. */
  #turn = 0;

  constructor(party: Party, codec: Codec, open: () => Socket) {
    this.#party = party;
    this.#codec = codec;
    this.#open = open;
  }

  /** Connects, unless it is connected or will be. */
  start(): void {
    const { state } = this.connection.get();
    if (state === "closed" || state === "ended") void this.#connect();
  }

  /** Closes the connection; the session stays as it was for its time of grace. */
  stop(): void {
    this.#drop();
    this.#requests.end(new PresenceError("closed", "closed by this client"));
    this.connection.set({ state: "closed" });
  }

  /** Closes the connection until `nudge`: what a page does that is put aside. */
  suspend(): void {
    const { state } = this.connection.get();
    if (state === "closed" || state === "ended") return;
    const reason: Reason = { kind: "suspended" };
    this.#drop();
    this.#requests.disconnected();
    this.#party.lost(reason, { when: "at_once" });
    this.#attempt = 0;
    this.#told = false;
    this.connection.set({ state: "waiting", ms: Number.POSITIVE_INFINITY, reason });
  }

  /** There is reason to believe that the network is back, or was away unnoticed. */
  nudge(): void {
    const { state } = this.connection.get();
    if (state === "waiting" && !this.#told) void this.#connect();
    if (state === "connected") this.#probe();
  }

  ask(body: () => Body, again = true): Promise<Answer> {
    const answer = this.#requests.ask(body, again);
    const { state, reason } = this.connection.get() as { state: string; reason?: Reason };
    if (state === "ended") this.#requests.end(ended(reason));
    this.#flush();
    return answer;
  }

  async #connect(): Promise<void> {
    this.#drop();
    const turn = this.#turn;
    this.#opened = false;
    this.#closing = this.#refusal = undefined;
    this.connection.set({ state: "connecting" });
    let reason: Reason = { kind: "token", error: new PresenceError("timeout", "no token came in time") };
    this.#timer = setTimeout(() => this.#lost(reason, { when: "backoff" }), CONNECT_MS);
    try {
      const hello = await this.#party.hello();
      if (turn !== this.#turn) return;
      reason = { kind: "lost" };
      this.#speak(hello);
    } catch (error) {
      if (turn === this.#turn) this.#lost({ kind: "token", error }, { when: "backoff" });
    }
  }

  #speak(hello: Hello): void {
    let socket: Socket;
    try {
      socket = this.#open();
    } catch {
      this.#lost({ kind: "url" }, { when: "never" });
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#opened = true;
      this.#send(hello);
    };
    socket.onmessage = (event) => this.#message(event.data);
    socket.onclose = (event) => this.#closed(event.code);
    socket.onerror = () => {};
  }

  #message(data: unknown): void {
    const turn = this.#turn;
    const frame = this.#codec.decode(data);
    try {
      if (!frame) throw new TypeError("not a frame");
      this.#heard = now();
      this.#take(frame);
    } catch {
      // Of a known kind, but not what that kind holds: the hub speaks something else.
      if (turn === this.#turn) this.#lost({ kind: "protocol" }, { when: "backoff" });
    }
  }

  #take(frame: ServerFrame): void {
    const terms = this.#silenceMs === undefined ? this.#party.welcomed(frame) : undefined;
    if (frame.t === "closing") this.#closing = frame;
    if (frame.t === "error" && this.#silenceMs === undefined)
      this.#refusal = new PresenceError(frame.code, frame.message, frame.retryAfterMs);
    this.#party.frame(frame);
    this.#requests.answered(frame);
    if (frame.t === "heartbeat") this.#send({ t: "heartbeat" });
    if (terms) this.#live(terms);
    this.#flush();
  }

  #live(terms: Terms): void {
    this.#silenceMs = terms.heartbeatMs + terms.heartbeatTimeoutMs + PATIENCE_MS;
    this.#messageBytes = terms.messageBytes ?? MESSAGE_BYTES;
    this.#since = now();
    this.#listen(this.#silenceMs);
    this.connection.set({ state: "connected", resumed: terms.resumed });
  }

  /** Notices when nothing has come for longer than the hub is ever silent. */
  #listen(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const left = this.#heard + (this.#silenceMs ?? 0) - now();
      if (left > 0) this.#listen(left);
      else this.#lost({ kind: "lost" }, { when: "at_once" });
    }, ms);
  }

  #probe(): void {
    const turn = this.#turn;
    const heard = this.#heard;
    void this.ask(() => ({ t: "ping" }), false).catch(() => {});
    setTimeout(() => {
      if (turn === this.#turn && this.#heard === heard) this.#lost({ kind: "lost" }, { when: "at_once" });
    }, PROBE_MS);
  }

  #closed(code: number): void {
    const told = this.#closing?.reconnectAfterMs;
    // 1005 and 1006: there was no code.
    const said = code === 1005 || code === 1006 ? undefined : code;
    if (this.#opened) this.#lost(this.#reason(said), afterClose(said, told));
    else this.#lost({ kind: "unreachable" }, { when: "backoff" });
  }

  #reason(code: number | undefined): Reason {
    if (this.#refusal) return { kind: "refused", error: this.#refusal };
    if (code === undefined) return { kind: "lost" };
    const { code: name, message } = this.#closing ?? {};
    return { kind: "closed", code, ...(name && { name }), ...(message && { message }) };
  }

  #lost(reason: Reason, asked: Comeback): void {
    if (this.#silenceMs !== undefined && now() - this.#since >= SETTLED_MS) this.#attempt = 0;
    this.#drop();
    this.#requests.disconnected();
    const comeback = this.#party.lost(reason, asked);
    const ms = waitFor(comeback, this.#attempt, Math.random());
    this.#attempt += 1;
    if (ms === undefined) {
      this.#attempt = 0;
      this.#requests.end(ended(reason));
      this.connection.set({ state: "ended", reason });
      return;
    }
    this.#told = comeback.when === "after" || comeback.when === "within";
    this.#timer = setTimeout(() => void this.#connect(), ms);
    this.connection.set({ state: "waiting", ms, reason });
  }

  /** Lets go of the socket, whatever it still has to say. */
  #drop(): void {
    clearTimeout(this.#timer);
    this.#turn += 1;
    this.#silenceMs = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(COMES_BACK);
  }

  #flush(): void {
    while (this.#silenceMs !== undefined) {
      const frame = this.#requests.next();
      if (!frame) return;
      const message = this.#codec.encode(frame);
      if (bytes(message) <= this.#messageBytes) this.#socket?.send(message);
      // The hub would close the connection for it, each time.
      else
        this.#requests.answered({
          t: "error",
          re: frame.id,
          code: "too_large",
          message: "too large to send",
        });
    }
  }

  /** A socket that is closing says so itself. */
  #send(frame: ClientFrame): void {
    this.#socket?.send(this.#codec.encode(frame));
  }
}

function ended(reason: Reason | undefined): PresenceError {
  return new PresenceError("ended", `the connection has ended: ${reason?.kind}`);
}

function bytes(message: string | Uint8Array): number {
  return (typeof message === "string" ? new TextEncoder().encode(message) : message).length;
}

/** A clock that nobody sets. */
function now(): number {
  return performance.now();
}
