// How frames become messages. The core speaks JSON; MessagePack comes from its own entry.

import type { ClientFrame } from "./protocol/client.js";
import type { ServerFrame } from "./protocol/server.js";

/** One of the encodings of the protocol. */
export interface Codec {
  /** The WebSocket subprotocol that stands for it. */
  readonly protocol: string;
  encode(frame: ClientFrame): string | Uint8Array<ArrayBuffer>;
  /** `undefined`: what came is no frame of this encoding. */
  decode(message: unknown): ServerFrame | undefined;
}

/** Every frame is a map with a kind. What it holds besides is the hub's word. */
export function frameOf(value: unknown): ServerFrame | undefined {
  const kind = (value as { t?: unknown } | null | undefined)?.t;
  return typeof kind === "string" ? (value as ServerFrame) : undefined;
}

/** `presence.v1.json`. */
export const json: Codec = {
  protocol: "presence.v1.json",
  encode: (frame) => JSON.stringify(frame),
  decode(message) {
    if (typeof message !== "string") return undefined;
    try {
      return frameOf(JSON.parse(message));
    } catch {
      return undefined;
    }
  },
};
