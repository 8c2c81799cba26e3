// Clients of a real hub, as pages have them: each ends with its test.

import { afterAll, expect, onTestFinished, vi } from "vitest";
import {
  type Change,
  type Channel,
  createPresence,
  type Presence,
  type PresenceOptions,
} from "../../src/index.js";
import type { SocketConstructor } from "../../src/link.js";
import type { ClientFrame } from "../../src/protocol/client.js";
import type { ServerFrame } from "../../src/protocol/server.js";
import { NodeSocket } from "./hub.js";

/** A client that connects now, and is closed when the test has ended. */
export function enter(options: PresenceOptions): Presence {
  const presence = createPresence({ WebSocket: NodeSocket, device: "desktop", ...options });
  onTestFinished(() => presence.close());
  presence.connect();
  return presence;
}

/** What a listener of a channel was told, by the end of ids: `+` came, `~` changed, `-` went. */
export function log(channel: Channel, names: { readonly [name: string]: string }): string[] {
  const told: string[] = [];
  const name = (id: string) => Object.keys(names).find((key) => names[key] === id) ?? id;
  onTestFinished(
    channel.subscribe((_, change) => {
      told.push(...(change ? signs(change).map((sign) => `${sign[0]}${name(sign.slice(1))}`) : []));
    }),
  );
  return told;
}

function signs({ joined, updated, left }: Change): string[] {
  const all: ["+" | "~" | "-", Change["joined"]][] = [
    ["+", joined],
    ["~", updated],
    ["-", left],
  ];
  return all.flatMap(([sign, records]) =>
    records.map((record) => `${sign}${"accountId" in record ? record.accountId : record.userId}`),
  );
}

/** What went over a wire in JSON, frame by frame. */
export interface Tap {
  readonly sent: ClientFrame[];
  readonly received: ServerFrame[];
  readonly WebSocket: SocketConstructor;
}

/** Sockets that write down what is said over them. */
export function tap(): Tap {
  const sent: ClientFrame[] = [];
  const received: ServerFrame[] = [];
  class Tapped extends NodeSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      const listener = (event: { data: unknown }) => received.push(JSON.parse(`${event.data}`));
      (this as unknown as EventTarget).addEventListener("message", listener as never);
    }

    override send(message: string | Uint8Array<ArrayBuffer>): void {
      sent.push(JSON.parse(`${message}`));
      super.send(message);
    }
  }
  return { sent, received, WebSocket: Tapped };
}

/** How many frames of a kind. */
export function count(frames: readonly { t: string }[], t: string): number {
  return frames.filter((frame) => frame.t === t).length;
}

/** In this file of tests no promise may fail without anybody who looks at it. */
export function noRejections(): void {
  const rejected: unknown[] = [];
  const listener = (reason: unknown) => rejected.push(reason);
  process.on("unhandledRejection", listener);
  afterAll(() => {
    process.off("unhandledRejection", listener);
    expect(rejected).toEqual([]);
  });
}

/** Lets time pass in which something must not happen. Milliseconds. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** How often a client tries in 3.5 s whose waits are as long as they may be: at once, after 1 s and after 2 s more. */
export const LONG_WAITS = 3;

/** Until the test has ended each wait that is drawn at random is as long as it may be. */
export function longWaits(): void {
  const random = vi.spyOn(Math, "random").mockReturnValue(0.999);
  onTestFinished(() => random.mockRestore());
}
