// The golden frames of the protocol, where this package keeps them: in the repository that it is part of.

import { readdirSync, readFileSync } from "node:fs";

const VECTORS = new URL("../../../../proto/vectors/", import.meta.url);

/** A golden frame: the same in both encodings. */
export interface Vector<F> {
  readonly name: string;
  readonly json: F;
  /** In hexadecimal. */
  readonly msgpack: string;
}

/** A frame of a later hub, and as what it is read; `null`: passed over whole. */
export interface PassedOver<F> extends Vector<unknown> {
  readonly reads: F | null;
}

/** All frames of one direction, each with the name of its file before its own. */
export function vectors<F>(direction: "client" | "server"): [name: string, vector: Vector<F>][] {
  const files = readdirSync(new URL(`${direction}/`, VECTORS)).sort();
  return files.flatMap((file) =>
    read<Vector<F>[]>(`${direction}/${file}`).map((vector): [string, Vector<F>] => [
      `${file.replace(".json", "")}: ${vector.name}`,
      vector,
    ]),
  );
}

export function passedOver<F>(): [name: string, vector: PassedOver<F>][] {
  return read<PassedOver<F>[]>("server-passed-over.json").map((vector) => [vector.name, vector]);
}

export function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, VECTORS), "utf8"));
}
