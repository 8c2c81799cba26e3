/**
 * The MessagePack encoding, for who counts bytes: a frame is about two thirds of its JSON. Needs `@msgpack/msgpack`.
 *
 * ```ts
 * import { msgpack } from "@presence-hub/sdk/msgpack";
 * const presence = createPresence({ url, token, codec: msgpack });
 * ```
 *
 * @module
 */

import { decode, encode } from "@msgpack/msgpack";
import { type Codec, frameOf } from "./codec.js";

/** Fields that hold an id: 16 bytes on the wire, hyphenated text everywhere else. */
const IDS = new Set("user session userId accountId organization organizationId sessionId opId to".split(" "));

/** `presence.v1.msgpack`. */
export const msgpack: Codec = {
  protocol: "presence.v1.msgpack",
  encode: (frame) => encode(packed(frame), { ignoreUndefined: true }),
  decode(message) {
    try {
      if (!(message instanceof ArrayBuffer || message instanceof Uint8Array)) return undefined;
      return frameOf(unpacked(decode(message)));
    } catch {
      return undefined;
    }
  },
};

function packed(value: unknown, key = ""): unknown {
  if (typeof value === "string") return IDS.has(key) ? bytes(value) : value;
  return mapped(value, packed);
}

/** The protocol has no other bytes than ids. */
function unpacked(value: unknown): unknown {
  return value instanceof Uint8Array ? text(value) : mapped(value, unpacked);
}

function mapped(value: unknown, each: (value: unknown, key?: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => each(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, each(item, key)]));
}

/** What is no id stays text, for the hub to refuse. */
function bytes(id: string): Uint8Array | string {
  const digits = id.replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/i.test(digits)) return id;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function text(id: Uint8Array): string {
  const digits = Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
