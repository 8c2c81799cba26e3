// What the hub has told this client: lists, settings, where each subscription stands. No I/O and no clock; a frame goes
// in, what it changed comes out. Held to the Rust client by recorded transcripts.

import { type Change, type Fault, List, type Phase } from "./list.js";
import type { Resume } from "./protocol/client.js";
import type {
  Closing,
  Diff,
  ResumeOutcome,
  ServerFrame,
  SettingsNow,
  Snapshot,
  Stale,
  SubscribedChannel,
  Welcome,
} from "./protocol/server.js";

/** What a frame came to. */
export type Applied =
  /** Answers, heartbeats, unknown kinds, frames of subscriptions that were given up. */
  | { kind: "nothing" }
  /** These channels have to be subscribed to again. */
  | { kind: "welcomed"; resumed: boolean; lost: string[] }
  | { kind: "changed"; channel: string; change: Change }
  /** Not applied: subscribe to the channel again. */
  | { kind: "fault"; channel: string; fault: Fault }
  | { kind: "ended"; channel: string }
  | { kind: "settings" }
  | { kind: "staleness" };

const NOTHING: Applied = { kind: "nothing" };

export class Replica {
  welcome: Welcome | undefined;
  settings: SettingsNow | undefined;
  /** What the hub said before it closed the last connection. */
  closing: Closing | undefined;
  readonly lists: Map<string, List> = new Map();
  /** The channel of each subscription. */
  readonly channels: Map<number, string> = new Map();
  #session: string | undefined;
  #stale = false;

  apply(frame: ServerFrame): Applied {
    switch (frame.t) {
      case "welcome":
        return this.#welcomed(frame);
      case "subscribed":
        for (const channel of frame.channels) this.#subscribed(channel);
        return NOTHING;
      case "snapshot":
      case "diff":
        return this.#view(frame);
      case "ended":
        return this.#ended(frame.sub);
      case "settings":
        this.settings = frame.settings;
        return { kind: "settings" };
      case "stale":
        return this.#staleness(frame);
      case "closing":
        this.closing = frame;
        return NOTHING;
      default:
        return NOTHING;
    }
  }

  /** The connection is gone: what is listed may be old until a welcome says that it goes on. */
  disconnected(): void {
    this.#stale = true;
  }

  /** The session goes on elsewhere: a next hello resumes nothing. */
  leaveSession(): void {
    this.#session = undefined;
  }

  /** Nothing was ever told: what comes next is told to somebody else. */
  reset(): void {
    this.lists.clear();
    this.channels.clear();
    this.#session = this.welcome = this.settings = this.closing = undefined;
  }

  get session(): string | undefined {
    return this.#session;
  }

  /** What to say in a hello to go on where this client stands. */
  resume(): Resume | undefined {
    if (!this.#session) return undefined;
    const subscriptions = [...this.channels].map(([subscription, channel]) => ({
      subscription,
      sequence: this.lists.get(channel)?.sequence ?? 0,
    }));
    return { session: this.#session, subscriptions };
  }

  /** Forgets a channel that is followed no more. */
  forget(channel: string): void {
    this.lists.delete(channel);
    const subscription = this.subscription(channel);
    if (subscription !== undefined) this.channels.delete(subscription);
  }

  subscription(channel: string): number | undefined {
    for (const [subscription, of] of this.channels) if (of === channel) return subscription;
    return undefined;
  }

  /** How far the list of a channel can be relied on; `undefined`: it is not followed. */
  phase(channel: string): Phase | undefined {
    const phase = this.lists.get(channel)?.phase;
    return this.#stale && phase === "live" ? "stale" : phase;
  }

  #welcomed(welcome: Welcome): Applied {
    const outcome = welcome.resume;
    const lost = outcome?.resumed ? this.#resumed(outcome.subscriptions) : [...this.channels.values()];
    for (const channel of lost) {
      this.#list(channel).stale = true;
      const subscription = this.subscription(channel);
      if (subscription !== undefined) this.channels.delete(subscription);
    }
    this.#stale = false;
    this.closing = undefined;
    this.settings = welcome.settings;
    this.#session = welcome.session;
    this.welcome = welcome;
    return { kind: "welcomed", resumed: outcome?.resumed === true, lost };
  }

  /** Where the hub stands differently the view starts anew; what is not there any more has to be asked for again. */
  #resumed(outcomes: (ResumeOutcome & { resumed: true })["subscriptions"]): string[] {
    // A hub that names fewer than it was asked for goes on with fewer.
    const lost = new Map(this.channels);
    for (const outcome of outcomes) {
      const channel = this.channels.get(outcome.subscription);
      if (channel === undefined) continue;
      if (outcome.resumed) this.#list(channel).resumed();
      else if (outcome.reason === "sequence") this.#list(channel).restart();
      else continue;
      lost.delete(outcome.subscription);
    }
    return [...lost.values()];
  }

  /** A second subscription that is refused because it is one too many leaves the first as it is. */
  #subscribed(outcome: SubscribedChannel): void {
    const { channel } = outcome;
    if ("subscription" in outcome) {
      const before = this.subscription(channel);
      if (before !== undefined) this.channels.delete(before);
      this.channels.set(outcome.subscription, channel);
      this.#list(channel).restart();
    } else if (outcome.error === "unknown_channel") {
      this.forget(channel);
    }
  }

  #ended(subscription: number): Applied {
    const channel = this.channels.get(subscription);
    if (channel === undefined) return NOTHING;
    this.forget(channel);
    return { kind: "ended", channel };
  }

  #staleness({ sub, stale }: Stale): Applied {
    if (sub === undefined) {
      for (const list of this.lists.values()) list.stale = stale;
      return { kind: "staleness" };
    }
    const list = this.lists.get(this.channels.get(sub) ?? "");
    if (!list) return NOTHING;
    list.stale = stale;
    return { kind: "staleness" };
  }

  #view(frame: Snapshot | Diff): Applied {
    const channel = this.channels.get(frame.sub);
    const list = this.lists.get(channel ?? "");
    if (channel === undefined || !list) return NOTHING;
    const change = list.apply(frame);
    return typeof change === "string"
      ? { kind: "fault", channel, fault: change }
      : { kind: "changed", channel, change };
  }

  #list(channel: string): List {
    const list = this.lists.get(channel) ?? new List();
    this.lists.set(channel, list);
    return list;
  }
}
