// The channels that are watched: asked for when somebody listens, followed over every cut, given back when nobody does.

import { PresenceError } from "./errors.js";
import type { Link } from "./link.js";
import type { Change, Person, Phase } from "./list.js";
import type { SubscribeChannel } from "./protocol/client.js";
import type { Account, ServerFrame, SubscribedChannel } from "./protocol/server.js";
import { Replica } from "./replica.js";
import { Listeners } from "./store.js";

/** Which entries of a channel are wanted. */
export interface ChannelOptions {
  /** Who is here (`present`, the default), offline members too with their last-seen (`roster`), or nobody. */
  readonly people?: "none" | "present" | "roster";
  /** Whether the occupancy of accounts is wanted. The default is yes. */
  readonly accounts?: boolean;
}

/** A channel as this viewer may see it now. Never changed in place. */
export interface ChannelState {
  /**
   * `loading`: the first list is on its way. `live`: what may be seen now. `stale`: what could be seen some time ago; the
   * connection or the hub's sight is lost. `refused`: there is no such channel for you, or no place for it; see `error`.
   */
  readonly phase: Phase | "refused";
  /** Sorted by id. */
  readonly people: readonly Person[];
  /** Sorted by id. An account that is free is not listed. */
  readonly accounts: readonly Account[];
  readonly error: PresenceError | undefined;
}

/** How long a channel is kept after its last listener: a page that draws itself anew costs nothing. */
const LINGER_MS = 1_000;
/** The wait before a channel that had no place is asked for again. */
const RETRY_MS = 5_000;

/** What the hub can read; of any other name it would not read the whole request. */
const NAME = /^(wedding|organization|account):[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** Refusals that no waiting changes. */
const FINAL = /^(unknown_channel|malformed)$/;

/** Channels in one request, which is a message of under 10 KiB then. */
const AT_ONCE = 64;

const PEOPLE = ["none", "present", "roster"] as const;

/** One channel that somebody watches, or watched a moment ago. */
export class Watched {
  readonly name: string;
  readonly listeners: Listeners<[Change | undefined]> = new Listeners();
  /** Counts what changed in the lists, so that each handle knows whether its picture is old. */
  version = 0;
  error: PresenceError | undefined;
  /** What all its listeners want together. */
  wants: Required<ChannelOptions> = { people: "none", accounts: false };
  /** What was asked for last, when, and whether that is not answered yet. */
  asked: ChannelOptions | undefined;
  askedAt = Number.NEGATIVE_INFINITY;
  asking = false;
  /** Until it is given back, and until it is asked for again. */
  linger: ReturnType<typeof setTimeout> | undefined;
  retry: ReturnType<typeof setTimeout> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Widens what is wanted; says whether it had to. */
  widen({ people = "present", accounts = true }: ChannelOptions): boolean {
    const before = this.wants;
    const more = PEOPLE.indexOf(people) > PEOPLE.indexOf(before.people);
    if (!more && (before.accounts || !accounts)) return false;
    this.wants = { people: more ? people : before.people, accounts: before.accounts || accounts };
    return true;
  }
}

export class Channels {
  readonly replica: Replica = new Replica();
  readonly #link: Link;
  readonly #watched: Map<string, Watched> = new Map();
  /** Channels to ask for in one frame, when the code that asked for them has ended. */
  readonly #due: Set<Watched> = new Set();
  /** Counted over all channels and lives of them, so that no handle takes another life's picture for this one's. */
  #versions = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** The channel as somebody with these options is shown it. */
  state(name: string, { people = "present", accounts = true }: ChannelOptions): ChannelState {
    const error = this.#watched.get(name)?.error;
    const entries = this.replica.lists.get(name)?.entries;
    const shown = people === "none" ? [] : [...(entries?.people.values() ?? [])];
    return {
      phase: error ? "refused" : (this.replica.phase(name) ?? "loading"),
      people: (people === "present" ? shown.filter(isHere) : shown).sort(byId),
      accounts: accounts ? [...(entries?.accounts.values() ?? [])].sort(byId) : [],
      error,
    };
  }

  version(name: string): number {
    return this.#watched.get(name)?.version ?? 0;
  }

  watch(name: string, options: ChannelOptions, listener: (change: Change | undefined) => void): () => void {
    const watched = this.#watched.get(name) ?? new Watched(name);
    this.#watched.set(name, watched);
    clearTimeout(watched.linger);
    const stop = watched.listeners.add(listener);
    if (watched.widen(options)) this.#want(watched);
    return () => {
      stop();
      if (watched.listeners.size > 0) return;
      clearTimeout(watched.linger);
      watched.linger = setTimeout(() => this.#giveUp(watched), LINGER_MS);
    };
  }

  frame(frame: ServerFrame): void {
    const applied = this.replica.apply(frame);
    if (applied.kind === "welcomed") this.#welcomed();
    if (applied.kind === "staleness") this.#all();
    if (applied.kind === "changed") this.#changed(this.#watched.get(applied.channel), applied.change);
    if (applied.kind === "fault") this.#mend(this.#watched.get(applied.channel));
    if (applied.kind === "ended") this.#refuse(this.#watched.get(applied.channel), "unknown_channel");
  }

  disconnected(): void {
    this.replica.disconnected();
    for (const watched of this.#watched.values()) watched.asking = false;
    this.#all();
  }

  /** Another person, or nobody: nothing that was shown is theirs. */
  reset(): void {
    this.replica.reset();
    this.#all();
  }

  #welcomed(): void {
    for (const watched of this.#watched.values()) {
      const follows =
        this.replica.subscription(watched.name) !== undefined && watched.asked === watched.wants;
      if (!watched.error && !follows) this.#want(watched);
    }
    this.#all();
  }

  #all(): void {
    for (const watched of this.#watched.values()) this.#changed(watched);
  }

  #changed(watched: Watched | undefined, change?: Change): void {
    if (!watched) return;
    watched.version = this.#versions += 1;
    watched.listeners.tell(change);
  }

  /** A list that does not add up is asked for anew, but not all the time; until it is there, it is old. */
  #mend(watched: Watched | undefined): void {
    if (!watched) return;
    this.#later(watched, watched.askedAt + RETRY_MS - performance.now());
    this.#changed(watched);
  }

  #later(watched: Watched, ms: number): void {
    clearTimeout(watched.retry);
    watched.retry = setTimeout(() => this.#want(watched), ms);
  }

  #want(watched: Watched): void {
    if (!isChannel(watched.name)) {
      this.#refuse(watched, "malformed");
      return;
    }
    if (watched.error) {
      watched.error = undefined;
      this.#changed(watched);
    }
    if (this.#due.size === 0) queueMicrotask(() => this.#ask());
    this.#due.add(watched);
  }

  /** While there is no connection nothing is asked: the welcome does it for all. */
  #ask(): void {
    const due = [...this.#due].filter((watched) => this.#watched.has(watched.name) && !watched.asking);
    this.#due.clear();
    if (due.length === 0 || this.#link.connection.get().state !== "connected") return;
    for (let at = 0; at < due.length; at += AT_ONCE) this.#subscribe(due.slice(at, at + AT_ONCE));
  }

  #subscribe(due: Watched[]): void {
    for (const watched of due) {
      watched.asking = true;
      watched.asked = watched.wants;
      watched.askedAt = performance.now();
    }
    const channels = due.map(({ name, wants }): SubscribeChannel => ({ channel: name, ...wants }));
    this.#link
      .ask(() => ({ t: "subscribe", channels }), false)
      .then(
        (answer) => {
          if (answer.t === "subscribed") for (const outcome of answer.channels) this.#settle(outcome);
        },
        (error: PresenceError) => {
          for (const watched of due) this.#failed(watched, error);
        },
      );
  }

  #settle(outcome: SubscribedChannel): void {
    const watched = this.#watched.get(outcome.channel);
    if (!watched) {
      if ("subscription" in outcome) this.#unsubscribe(outcome.channel);
      return;
    }
    watched.asking = false;
    if ("error" in outcome) this.#refuse(watched, outcome.error);
    // Wanted wider meanwhile.
    else if (watched.asked !== watched.wants) this.#want(watched);
  }

  /** The whole request failed; a lost connection asks again with its next welcome. */
  #failed(watched: Watched, error: PresenceError): void {
    watched.asking = false;
    watched.asked = undefined;
    if (error.code === "lost" || error.code === "closed" || error.code === "ended") return;
    this.#refused(watched, error);
  }

  /** What does not exist for this viewer is not asked for again; what had no place is. */
  #refuse(watched: Watched | undefined, code: string): void {
    if (!watched) return;
    this.#refused(watched, new PresenceError(code, `${watched.name}: ${code}`));
  }

  #refused(watched: Watched, error: PresenceError): void {
    watched.error = error;
    clearTimeout(watched.retry);
    if (!FINAL.test(error.code)) this.#later(watched, error.retryAfterMs ?? RETRY_MS);
    this.#changed(watched);
  }

  #giveUp(watched: Watched): void {
    clearTimeout(watched.retry);
    if (this.#watched.get(watched.name) !== watched) return;
    this.#watched.delete(watched.name);
    this.#unsubscribe(watched.name);
  }

  #unsubscribe(name: string): void {
    const subscription = this.replica.subscription(name);
    this.replica.forget(name);
    if (subscription === undefined || this.#link.connection.get().state !== "connected") return;
    void this.#link.ask(() => ({ t: "unsubscribe", subscription }), false).catch(() => {});
  }
}

/** Whether there can be such a channel. */
export function isChannel(name: string): boolean {
  return NAME.test(name);
}

function isHere(person: Person): boolean {
  return person.status !== "offline";
}

function byId<T extends Person | Account>(a: T, b: T): number {
  return id(a) < id(b) ? -1 : 1;
}

function id(record: Person | Account): string {
  return "accountId" in record ? record.accountId : record.userId;
}
