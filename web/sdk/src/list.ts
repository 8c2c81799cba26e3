// The list of one channel, as far as its frames have come. No I/O and no clock.

import type {
  Account,
  Diff,
  Leave,
  OfflinePerson,
  PresentPerson,
  Record,
  Snapshot,
} from "./protocol/server.js";

/** A person as this viewer may see them. */
export type Person = PresentPerson | OfflinePerson;

/** How far a list can be relied on: its first snapshot is not complete; it is what may be seen now; it may be old. */
export type Phase = "loading" | "live" | "stale";

/** What is wrong with a frame that does not follow from what came before it. */
export type Fault = "gap" | "phase" | "join" | "update" | "leave";

/** What a frame changed. A frame that only adds a page to a snapshot that is not shown yet changes nothing. */
export interface Change {
  readonly joined: readonly Record[];
  readonly updated: readonly Record[];
  readonly left: readonly Record[];
}

/** The entries by the name that the protocol gives them: an account by its id, anybody else by theirs. */
export class Entries {
  readonly people: Map<string, Person> = new Map();
  readonly accounts: Map<string, Account> = new Map();

  find(of: Record | Leave): Record | undefined {
    return "accountId" in of ? this.accounts.get(of.accountId) : this.people.get(of.userId);
  }

  put(record: Record): void {
    if ("accountId" in record) this.accounts.set(record.accountId, record);
    else this.people.set(record.userId, record);
  }

  remove(of: Record | Leave): void {
    if ("accountId" in of) this.accounts.delete(of.accountId);
    else this.people.delete(of.userId);
  }

  all(): Record[] {
    return [...this.people.values(), ...this.accounts.values()];
  }

  get size(): number {
    return this.people.size + this.accounts.size;
  }
}

export class List {
  entries: Entries = new Entries();
  /** The number of the last frame that was applied; 0 before the first. */
  sequence = 0;
  stale = false;
  /** The pages of a new snapshot, while the list of before is still shown. */
  #pages: Entries | undefined;
  #complete = false;
  #faulty = false;

  get phase(): Phase {
    if (this.stale || this.#faulty || this.#pages) return "stale";
    return this.#complete ? "live" : "loading";
  }

  /** A snapshot will come. What is listed is shown until it is complete. */
  restart(): void {
    const shown = this.#complete || this.#pages || this.entries.size > 0;
    this.#pages = shown ? new Entries() : undefined;
    this.sequence = 0;
    this.stale = this.#complete = this.#faulty = false;
  }

  /** The subscription goes on behind the last frame applied: what came after it will be said again. */
  resumed(): void {
    this.stale = this.#faulty = false;
  }

  /** Applies a frame whole or not at all. */
  apply(frame: Snapshot | Diff): Change | Fault {
    const fault = this.#check(frame);
    if (fault) {
      this.#faulty = true;
      return fault;
    }
    this.sequence = frame.seq;
    this.#complete = !(frame.t === "snapshot" && frame.more);
    const change = merge(this.#pages ?? this.entries, frame);
    if (!this.#pages) return change;
    if (!this.#complete) return { joined: [], updated: [], left: [] };
    const old = this.entries;
    this.entries = this.#pages;
    this.#pages = undefined;
    return difference(old, this.entries);
  }

  #check(frame: Snapshot | Diff): Fault | undefined {
    if (frame.seq !== this.sequence + 1) return "gap";
    if (this.#complete !== (frame.t === "diff")) return "phase";
    const entries = this.#pages ?? this.entries;
    const listed = (of: Record | Leave) => entries.find(of) !== undefined;
    if (frame.join?.some(listed)) return "join";
    if (frame.update && !frame.update.every(listed)) return "update";
    if (frame.leave && !frame.leave.every(listed)) return "leave";
    return undefined;
  }
}

function merge(entries: Entries, frame: Snapshot | Diff): Change {
  const joined = frame.join ?? [];
  const updated = frame.update ?? [];
  const left = (frame.leave ?? []).flatMap((leave) => entries.find(leave) ?? []);
  for (const record of joined) entries.put(record);
  for (const record of updated) entries.put(record);
  for (const leave of left) entries.remove(leave);
  return { joined, updated, left };
}

/** What is different in a new snapshot from the list of before. A record that says the same is the one that it was. */
function difference(old: Entries, now: Entries): Change {
  const joined: Record[] = [];
  const updated: Record[] = [];
  for (const record of now.all()) {
    const before = old.find(record);
    if (!before) joined.push(record);
    else if (alike(before, record)) now.put(before);
    else updated.push(record);
  }
  return { joined, updated, left: old.all().filter((record) => !now.find(record)) };
}

/** Whether two flat values say the same, in whatever order of fields. */
export function alike(a: object, b: object): boolean {
  const said = Object.entries(a).filter(([, value]) => value !== undefined);
  const other = b as { [key: string]: unknown };
  const as = Object.values(b).filter((value) => value !== undefined).length;
  return said.length === as && said.every(([key, value]) => other[key] === value);
}
