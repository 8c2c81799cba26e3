// The other end of a socket, in the test's own hands: what the client sends is there to be read, and what the test says is
// heard at once. For what no real hub can be made to do; everything else is tested against a real one.

import { json } from "../../src/codec.js";
import type { Socket } from "../../src/link.js";
import type { ClientFrame } from "../../src/protocol/client.js";
import type { ServerFrame, Welcome } from "../../src/protocol/server.js";

export const USER = "6f1c0c1e-0a3b-4c55-9d0e-3f7f5f6b1a01";
export const SESSION = "9fa1c3e5-7193-4fb0-82d4-536b7c8d9e0a";

/** One connection, as its hub sees it. */
export class FakeConnection implements Socket {
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  /** What the client has sent, in order. */
  readonly sent: ClientFrame[] = [];
  /** The code with which the client closed. */
  closedWith: number | undefined;
  readonly url: string;
  readonly protocols: string[];

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(message: string | Uint8Array): void {
    this.sent.push(JSON.parse(message as string));
  }

  close(code = 1005): void {
    this.closedWith = code;
  }

  open(): void {
    this.onopen?.();
  }

  say(...frames: (ServerFrame | { t: string })[]): void {
    for (const frame of frames) this.onmessage?.({ data: json.encode(frame as never) });
  }

  /** The connection ends; 1006: the network broke. */
  end(code = 1006): void {
    this.onclose?.({ code });
  }

  /** Opens and says welcome, and answers what is asked meanwhile with nothing. */
  async welcome(terms: Partial<Welcome> = {}): Promise<void> {
    this.open();
    this.say({ ...WELCOME, ...terms });
    await settled();
  }

  /** What the client asked last of this kind. */
  last<T extends ClientFrame["t"]>(t: T): Extract<ClientFrame, { t: T }> {
    const frame = this.sent.findLast((sent) => sent.t === t);
    if (!frame) throw new Error(`no ${t} in ${JSON.stringify(this.sent)}`);
    return frame as Extract<ClientFrame, { t: T }>;
  }

  count(t: ClientFrame["t"]): number {
    return this.sent.filter((sent) => sent.t === t).length;
  }

  /** Acknowledges what was asked last of this kind. */
  async ack(t: ClientFrame["t"]): Promise<void> {
    await settled();
    this.say({ t: "ack", re: (this.last(t) as { id: number }).id });
    await settled();
  }

  /** Grants what was subscribed to last, with these numbers, and completes its lists. */
  async grant(first = 1, join: Parameters<typeof snapshot>[1] = []): Promise<void> {
    const { id, channels } = this.last("subscribe");
    const granted = channels.map(({ channel }, at) => ({ channel, subscription: first + at }));
    this.say({ t: "subscribed", re: id, channels: granted });
    for (const { subscription } of granted) this.say(snapshot(subscription, join));
    await settled();
  }
}

export const WELCOME: Welcome = {
  t: "welcome",
  user: USER,
  session: SESSION,
  heartbeatMs: 20_000,
  heartbeatTimeoutMs: 10_000,
  resumeMs: 120_000,
  limits: { messageBytes: 16_384, subscriptions: 64 },
  settings: {
    visibility: "contacts",
    showActivity: true,
    showCurrentPage: false,
    appearOffline: false,
    customStatus: null,
    customEmoji: null,
  },
};

export function snapshot(sub: number, join: Extract<ServerFrame, { t: "snapshot" }>["join"]): ServerFrame {
  return { t: "snapshot", sub, seq: 1, join, more: false };
}

/** A constructor for `WebSocket`, and the connections that were made with it. */
export function fakeHub() {
  const connections: FakeConnection[] = [];
  const WebSocket = class extends FakeConnection {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      connections.push(this);
    }
  };
  const last = (): FakeConnection => {
    const connection = connections.at(-1);
    if (!connection) throw new Error("nobody has connected");
    return connection;
  };
  return { WebSocket, connections, last };
}

/** Lets promises that are settled run on; no time passes. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
