// Random transcripts with what the Rust client makes of them (crates/client/examples/transcripts), and the same words for
// what this client makes of them.

import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Change } from "../../src/list.js";
import type { Record, ServerFrame } from "../../src/protocol/server.js";
import type { Applied, Replica } from "../../src/replica.js";

/** What a client does besides taking frames. */
type Deed = { do: "disconnected" } | { do: "leaveSession" } | { do: "forget"; channel: string };

export type Step = ServerFrame | Deed;

export interface Transcript {
  readonly seed: number;
  readonly steps: Step[];
  /** For each step what it came to, and where each channel stands then. */
  readonly outcomes: string[];
  /** All that a client has in the end. */
  readonly end: unknown;
}

/** So many transcripts, a line each: made now, or of the file that `PRESENCE_HUB_TRANSCRIPTS` names. */
export async function* transcripts(count: number, seed: number): AsyncGenerator<Transcript> {
  const file = process.env.PRESENCE_HUB_TRANSCRIPTS;
  const made = file ? undefined : make(count, seed);
  try {
    const input = made?.stdout ?? createReadStream(file ?? "");
    for await (const line of createInterface(input)) yield JSON.parse(line);
    if (made && (await made.ended) !== 0) throw new Error(`no transcripts: ${made.said()}`);
  } finally {
    made?.kill();
  }
}

function make(count: number, seed: number) {
  const words = "run --quiet -p client --example transcripts --".split(" ");
  const cwd = fileURLToPath(new URL("../../../../", import.meta.url));
  const child = spawn("cargo", [...words, "--count", `${count}`, "--seed", `${seed}`], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (some) => {
    said += some;
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on("error", (error) => {
      said += error.message;
      resolve(null);
    });
    child.on("close", resolve);
  });
  return { stdout: child.stdout, ended, said: () => said, kill: () => child.kill() };
}

/** Takes a step, and says what it came to. */
export function take(step: Step, replica: Replica): string {
  if ("do" in step) {
    if (step.do === "disconnected") replica.disconnected();
    if (step.do === "leaveSession") replica.leaveSession();
    if (step.do === "forget") replica.forget(step.channel);
    return `done | ${standing(replica)}`;
  }
  return `${cameTo(replica.apply(step))} | ${standing(replica)}`;
}

function cameTo(applied: Applied): string {
  switch (applied.kind) {
    case "welcomed":
      return `welcomed ${applied.resumed} ${applied.lost.sort().join(" ")}`;
    case "changed":
      return `changed ${applied.channel} ${differences(applied.change)}`;
    case "fault":
      return `fault ${applied.channel} ${applied.fault}`;
    case "ended":
      return `ended ${applied.channel}`;
    default:
      return applied.kind;
  }
}

/** Who came (`+`), changed (`~`) and went (`-`), sorted. */
function differences({ joined, updated, left }: Change): string {
  const name = (of: Record) => ("accountId" in of ? `account:${of.accountId}` : `person:${of.userId}`);
  const signs = [
    ...joined.map((record) => `+${name(record)}`),
    ...updated.map((record) => `~${name(record)}`),
    ...left.map((record) => `-${name(record)}`),
  ];
  return signs.sort().join(" ");
}

function standing(replica: Replica): string {
  const one = (channel: string) => {
    const list = replica.lists.get(channel);
    return `${channel} ${replica.phase(channel)} ${list?.sequence} ${list?.entries.size}`;
  };
  return channels(replica).map(one).join(", ");
}

/** All that a replica has. */
export function dump(replica: Replica): unknown {
  const resume = replica.resume();
  return {
    user: replica.welcome?.user ?? null,
    session: replica.session ?? null,
    settings: replica.settings ?? null,
    closing: replica.closing ?? null,
    resume: resume
      ? {
          ...resume,
          subscriptions: resume.subscriptions?.toSorted((a, b) => a.subscription - b.subscription),
        }
      : null,
    channels: channels(replica).map((channel) => {
      const list = replica.lists.get(channel);
      const people = [...(list?.entries.people ?? [])].sort(byKey);
      const accounts = [...(list?.entries.accounts ?? [])].sort(byKey);
      return {
        channel,
        phase: replica.phase(channel),
        sequence: list?.sequence,
        subscription: replica.subscription(channel) ?? null,
        entries: [...people, ...accounts].map(([, record]) => record),
      };
    }),
  };
}

const KINDS = ["wedding", "organization", "account"];

/** By kind, then by id. */
function channels(replica: Replica): string[] {
  const key = (channel: string) => {
    const [kind = "", id] = channel.split(":");
    return `${KINDS.indexOf(kind)} ${id}`;
  };
  return [...replica.lists.keys()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
