// The golden frames of the protocol hold this client to the same bytes as the hub.

import { decode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { json } from "../../src/codec.js";
import { msgpack } from "../../src/msgpack.js";
import type { ClientFrame } from "../../src/protocol/client.js";
import type { PresentPerson, Record, ServerFrame } from "../../src/protocol/server.js";
import { Replica } from "../../src/replica.js";
import { WELCOME } from "../support/fake.js";
import { bytes, passedOver, vectors } from "../support/vectors.js";

const WEDDING = "wedding:2a4c6e80-1b3d-4f5a-8c7e-9d0b1c2d3e04";
const CLIENT = vectors<ClientFrame>("client");
const SERVER = vectors<ServerFrame>("server");

describe("a golden frame of the hub", () => {
  it("is there, of each kind", () => {
    expect(new Set(SERVER.map(([, { json }]) => json.t)).size).toBe(14);
    expect(new Set(CLIENT.map(([, { json }]) => json.t)).size).toBe(14);
  });

  it.each(SERVER)("%s reads alike from both encodings", (_, golden) => {
    expect(json.decode(JSON.stringify(golden.json))).toEqual(golden.json);
    expect(msgpack.decode(bytes(golden.msgpack))).toEqual(golden.json);
    // As it comes from a browser.
    expect(msgpack.decode(bytes(golden.msgpack).buffer)).toEqual(golden.json);
  });

  it.each(SERVER)("%s is none where it is cut off", (_, golden) => {
    const whole = bytes(golden.msgpack);
    for (let end = 0; end < whole.length; end += 1)
      expect(msgpack.decode(whole.slice(0, end)), `${end} bytes`).toBeUndefined();
    const text = JSON.stringify(golden.json);
    for (let end = 0; end < text.length; end += 1)
      expect(json.decode(text.slice(0, end)), `${end} characters`).toBeUndefined();
  });

  it.each(SERVER)("%s never throws where a byte is another one", (_, golden) => {
    const whole = bytes(golden.msgpack);
    for (let at = 0; at < whole.length; at += 1)
      for (const byte of [0x00, 0xc1, 0xd9, 0xdf]) {
        const broken = whole.with(at, byte);
        // A frame or none, and nothing else.
        const frame = msgpack.decode(broken);
        if (frame !== undefined) expect(typeof frame.t).toBe("string");
      }
  });
});

describe("a golden frame of the client", () => {
  it.each(CLIENT)("%s is what is written", (_, golden) => {
    expect(JSON.parse(json.encode(golden.json) as string)).toEqual(golden.json);
    const written = msgpack.encode(golden.json) as Uint8Array;
    const read = decode(written);
    // Bytes are the same bytes: every id is 16 of `bin`, a channel is text, numbers are whole.
    expect(read).toEqual(decode(bytes(golden.msgpack)));
    expect(written.length).toBe(bytes(golden.msgpack).length);
    expect(ids(read).every((id) => id.length === 16)).toBe(true);
  });

  it("has ids among them", () => {
    expect(
      CLIENT.flatMap(([, golden]) => ids(decode(msgpack.encode(golden.json) as Uint8Array))).length,
    ).toBeGreaterThan(10);
  });

  it("leaves out what is undefined", () => {
    const frame = { t: "track", id: 1, track: { status: "online", currentPage: undefined } } as never;
    expect(decode(msgpack.encode(frame) as Uint8Array)).toEqual({
      t: "track",
      id: 1,
      track: { status: "online" },
    });
  });

  it("leaves an id that is none to be refused by the hub", () => {
    const frame = { t: "clockOut", id: 1, accountId: "not an id", epoch: 2 ** 53 } as const;
    expect(decode(msgpack.encode(frame) as Uint8Array)).toEqual(frame);
  });
});

describe("what is no frame", () => {
  const garbage: unknown[] = [
    undefined,
    null,
    7,
    "",
    "{",
    "[]",
    "null",
    '"t"',
    '{"t":7}',
    "{}",
    '{"t":null}',
    new ArrayBuffer(0),
    // An extension type, a reserved byte, an array, a number, `nil`, a map whose key is no text, one without `t`,
    // one and a half frames.
    bytes("d40100"),
    bytes("c1"),
    bytes("91a161"),
    bytes("07"),
    bytes("c0"),
    bytes("810102"),
    bytes("80"),
    bytes("81a174a9686561727462656174ff"),
    // More entries promised than there are bytes.
    bytes("dfffffffffa174"),
    bytes("ddffffffff"),
    bytes("c6ffffffff"),
  ];

  it.each(garbage.map((value): [unknown] => [value]))("%o reads as none", (value) => {
    expect(json.decode(value)).toBeUndefined();
    expect(msgpack.decode(value)).toBeUndefined();
  });

  it("is a frame of the other encoding, too", () => {
    for (const [, golden] of SERVER) {
      expect(json.decode(bytes(golden.msgpack))).toBeUndefined();
      expect(msgpack.decode(JSON.stringify(golden.json))).toBeUndefined();
    }
  });
});

describe("a frame of a later hub", () => {
  it.each(passedOver<ServerFrame>())("%s reads alike from both encodings", (_, vector) => {
    expect(json.decode(JSON.stringify(vector.json))).toEqual(vector.json);
    expect(msgpack.decode(bytes(vector.msgpack))).toEqual(vector.json);
  });

  it.each(passedOver<ServerFrame>())("%s does what it is read as, and no more", (_, vector) => {
    const [raw, reads, untouched] = [following(), following(), following()];
    const applied = raw.apply(vector.json as ServerFrame);
    if (vector.reads) expect(known(applied)).toEqual(known(reads.apply(vector.reads)));
    else expect(applied).toEqual({ kind: "nothing" });
    expect(state(raw)).toEqual(state(vector.reads ? reads : untouched));
  });
});

/** A replica that follows one wedding as subscription 1, with the people of the vectors in it, before its first diff. */
function following(): Replica {
  const replica = new Replica();
  replica.apply(WELCOME);
  replica.apply({ t: "subscribed", re: 1, channels: [{ channel: WEDDING, subscription: 1 }] });
  const person: PresentPerson = { userId: "6f1c0c1e-0a3b-4c55-9d0e-3f7f5f6b1a01", status: "busy" };
  replica.apply({ t: "snapshot", sub: 1, seq: 1, join: [person], more: false });
  // The golden diff counts from 1.
  const list = replica.lists.get(WEDDING);
  if (list) list.sequence = 0;
  return replica;
}

/** All that a replica knows, in known fields. The name of a close code is the hub's word, of which nothing depends. */
function state(replica: Replica) {
  const { welcome, settings, session, closing } = replica;
  const lists = [...replica.lists].map(([channel, list]) => [
    channel,
    { sequence: list.sequence, phase: replica.phase(channel), entries: list.entries.all().map(known) },
  ]);
  const reconnectAfterMs = closing && { reconnectAfterMs: closing.reconnectAfterMs };
  return { welcome, settings, session, reconnectAfterMs, lists, resume: replica.resume() };
}

const RECORD = new Set(
  "userId status currentPage customStatus customEmoji isTyping device lastSeen accountId holder displayName since staleSince".split(
    " ",
  ),
);

/** Without the fields of records that version 1 does not have. */
function known(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(known);
  if (typeof value !== "object" || value === null) return value;
  const isRecord = "userId" in value || "accountId" in value;
  const fields = Object.entries(value as Record).filter(([key]) => !isRecord || RECORD.has(key));
  return Object.fromEntries(fields.map(([key, field]) => [key, known(field)]));
}

function ids(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(ids) : [];
}
