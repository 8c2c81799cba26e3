// What this session announces of itself: wanted at once, told to the hub as fast as it takes it. No I/O; time comes in.

import { alike } from "./list.js";
import type { Device, TrackState } from "./protocol/client.js";

/** The status that a person chooses. `idle` is detected. */
export type ChosenStatus = "online" | "away" | "busy";

/** What a person says of themselves, wherever they are. `null` takes it back; what is left out stays. */
export interface PersonPatch {
  status?: ChosenStatus | null;
  /** At most 100 characters. */
  customStatus?: string | null;
  /** At most 10 characters. */
  customEmoji?: string | null;
}

/** What a person does in a place. `null` takes it back; what is left out stays. */
export interface PlacePatch {
  /** At most 512 characters; the hub cuts query and fragment. */
  currentPage?: string | null;
  /** Ends by itself after 10 s: say it again with each keystroke, the hub is told no more often than it has to be. */
  isTyping?: boolean;
}

interface Place {
  currentPage?: string | undefined;
  /** Typing until then; 0: not typing. */
  typingUntil: number;
}

type Chosen = { [K in keyof PersonPatch]?: NonNullable<PersonPatch[K]> | undefined };

/** After which typing has ended, for this client as for the hub. */
export const TYPING_MS = 10_000;
/** How often typing that goes on is said again. */
const TYPING_AGAIN_MS = 4_000;
/** What the hub takes: one change a second, and one `isTyping: true` besides. A little more, for the way there. */
const EVERY_MS = 1_050;

/** The wanted state, the state that the hub has, and when the next may be sent. */
export class Own {
  readonly #device: Device;
  readonly #places: Map<string, Place> = new Map();
  #everywhere: Place | undefined;
  #person: Chosen = {};
  #idle = false;
  /** What the hub has acknowledged; `undefined`: not present. */
  #taken: TrackState | undefined;
  #sent = Number.NEGATIVE_INFINITY;
  #typed = Number.NEGATIVE_INFINITY;
  /** Until when the hub wants to be told nothing. */
  #heldUntil = Number.NEGATIVE_INFINITY;

  constructor(device: Device) {
    this.#device = device;
  }

  /** What is remembered over a reload. */
  get person(): Chosen {
    return this.#person;
  }

  set person(chosen: Chosen) {
    this.#person = chosen;
  }

  set idle(idle: boolean) {
    this.#idle = idle;
  }

  say(patch: PersonPatch): void {
    const said: { [key: string]: unknown } = { ...this.#person };
    for (const key of ["status", "customStatus", "customEmoji"] as const)
      if (patch[key] !== undefined) said[key] = patch[key] ?? undefined;
    this.#person = said as Chosen;
  }

  /** Is in this channel; without one, in all of the user's. */
  enter(channel: string | undefined, patch: PlacePatch, now: number): void {
    const before = channel === undefined ? this.#everywhere : this.#places.get(channel);
    const place: Place = before ?? { typingUntil: 0 };
    if (patch.currentPage !== undefined) place.currentPage = patch.currentPage ?? undefined;
    if (patch.isTyping !== undefined) place.typingUntil = patch.isTyping ? now + TYPING_MS : 0;
    if (channel === undefined) this.#everywhere = place;
    else this.#places.set(channel, place);
  }

  leave(channel: string | undefined): void {
    if (channel === undefined) this.#everywhere = undefined;
    else this.#places.delete(channel);
  }

  /** Is nowhere any more. */
  clear(): void {
    this.#everywhere = this.#taken = undefined;
    this.#places.clear();
    this.#person = {};
  }

  /**
   * The state that is wanted; `undefined`: not present. Who tracks in channels is in those alone. One session has one
   * page: what is done in one of several channels is told only where it is true of all of them.
   */
  wanted(now: number): TrackState | undefined {
    const channels = [...this.#places.keys()].sort();
    const places =
      channels.length > 0 ? [...this.#places.values()] : this.#everywhere ? [this.#everywhere] : [];
    const [first] = places;
    if (!first) return undefined;
    const { status = "online", ...said } = this.#person;
    const page = places.every((place) => place.currentPage === first.currentPage) && first.currentPage;
    return {
      status: this.#idle && status === "online" ? "idle" : status,
      device: this.#device,
      ...(page && { currentPage: page }),
      ...(places.every((place) => place.typingUntil > now) && { isTyping: true }),
      ...(said.customStatus && { customStatus: said.customStatus }),
      ...(said.customEmoji && { customEmoji: said.customEmoji }),
      ...(channels.length > 0 && { in: channels }),
    };
  }

  /** When the next change may be told: now or before, later, or `undefined` where there is nothing to tell. */
  due(now: number): number | undefined {
    this.#typingEnds(now);
    const wanted = this.wanted(now);
    const free = this.#heldUntil;
    if (same(wanted, this.#taken)) {
      if (!wanted?.isTyping || !this.#typesOn()) return undefined;
      return Math.max(free, this.#typed + TYPING_AGAIN_MS);
    }
    // Going is free, and so is an end of typing.
    if (!wanted || (!wanted.isTyping && same(wanted, without(this.#taken)))) return free;
    if (wanted.isTyping && same(without(wanted), without(this.#taken)))
      return Math.max(free, this.#typed + EVERY_MS);
    return Math.max(free, this.#sent + EVERY_MS);
  }

  /** When typing ends by itself, if nothing is said before. */
  typingEnds(): number | undefined {
    const until = Math.min(...this.#all().flatMap(({ typingUntil }) => typingUntil || []));
    return Number.isFinite(until) ? until : undefined;
  }

  /** It was sent. */
  telling(state: TrackState | undefined, now: number): void {
    if (state?.isTyping) this.#typed = now;
    if (state && !same(without(state), without(this.#taken))) this.#sent = now;
  }

  /** The hub has it. */
  told(state: TrackState | undefined): void {
    this.#taken = state;
  }

  /** The hub wants to be told nothing for so long. */
  hold(ms: number, now: number): void {
    this.#heldUntil = now + ms;
  }

  get taken(): TrackState | undefined {
    return this.#taken;
  }

  /** The hub does not take it: back to what it has. */
  revert(): void {
    const { status, customStatus, customEmoji, currentPage, in: channels } = this.#taken ?? {};
    this.#person = { status: status === "idle" ? undefined : status, customStatus, customEmoji };
    if (!this.#taken) this.#everywhere = undefined;
    for (const channel of this.#places.keys()) if (!channels?.includes(channel)) this.#places.delete(channel);
    for (const place of this.#all()) Object.assign(place, { currentPage, typingUntil: 0 });
  }

  #all(): Place[] {
    return [...this.#places.values(), ...(this.#everywhere ? [this.#everywhere] : [])];
  }

  /** Whether somebody has gone on typing since it was last said. */
  #typesOn(): boolean {
    const places = this.#places.size > 0 ? [...this.#places.values()] : [this.#everywhere];
    return places.some((place) => (place?.typingUntil ?? 0) > this.#typed + TYPING_MS);
  }

  /** As the hub does, at the same time, by itself. */
  #typingEnds(now: number): void {
    for (const place of this.#all()) if (place.typingUntil <= now) place.typingUntil = 0;
    if (this.#taken?.isTyping && this.#typed + TYPING_MS <= now) this.#taken = without(this.#taken);
  }
}

function without(state: TrackState | undefined): TrackState | undefined {
  if (!state) return undefined;
  const { isTyping: _, ...rest } = state;
  return rest;
}

export function same(a: TrackState | undefined, b: TrackState | undefined): boolean {
  if (!a || !b) return a === b;
  const { in: ins, ...as } = a;
  const { in: others, ...bs } = b;
  return `${ins}` === `${others}` && alike(as, bs);
}
