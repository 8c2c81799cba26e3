// Being in one place, for as long as any component wants it.

import type { PlacePatch } from "../own.js";

/** For how long one is still there after the last component has gone: the next page is shown meanwhile. */
const LINGER_MS = 1_000;

/** What one can be present in: a channel, or the presence itself, which is all of them. */
interface Trackable {
  track(patch: PlacePatch): Promise<void>;
  untrack(): Promise<void>;
}

/** One component's part in being there. */
export interface Stay {
  /** Says that somebody types, or does not any more. After the end it says nothing. */
  typing(isTyping: boolean): void;
  end(): void;
}

interface Claim {
  readonly currentPage: string | undefined;
  typed: boolean;
}

export class Place {
  readonly #what: Trackable;
  readonly #left: () => void;
  readonly #claims: Set<Claim> = new Set();
  #linger: ReturnType<typeof setTimeout> | undefined;
  #due = false;
  #over = false;
  /** Whether a page was ever named here: one that was said in another way is left alone. */
  #paged = false;
  /** Whether somebody who typed has gone. */
  #typed = false;

  constructor(what: Trackable, left: () => void) {
    this.#what = what;
    this.#left = left;
  }

  enter(currentPage: string | undefined): Stay {
    const claim: Claim = { currentPage, typed: false };
    this.#claims.add(claim);
    this.#changed();
    return {
      typing: (isTyping) => {
        if (!this.#claims.has(claim)) return;
        claim.typed = isTyping;
        void this.#what.track({ isTyping });
      },
      end: () => {
        this.#claims.delete(claim);
        this.#typed ||= claim.typed;
        this.#changed();
      },
    };
  }

  /** What was said may be forgotten. */
  again(): void {
    if (this.#claims.size > 0) this.#changed();
  }

  /** One has gone on to another place: if nobody is here when this turn is over, that is not waited out. */
  hurry(): void {
    queueMicrotask(() => {
      if (this.#claims.size === 0) this.#leave();
    });
  }

  /** One component goes and another comes in the same turn: only what they come to is said. */
  #changed(): void {
    if (!this.#due) queueMicrotask(() => this.#say());
    this.#due = true;
  }

  #say(): void {
    this.#due = false;
    if (this.#over) return;
    clearTimeout(this.#linger);
    const typed = this.#typed && { isTyping: false };
    this.#typed = false;
    if (this.#claims.size > 0) {
      const currentPage = this.#page();
      this.#paged ||= currentPage !== null;
      void this.#what.track({ ...(this.#paged && { currentPage }), ...typed });
      return;
    }
    if (typed) void this.#what.track(typed);
    this.#linger = setTimeout(() => this.#leave(), LINGER_MS);
  }

  #leave(): void {
    clearTimeout(this.#linger);
    if (this.#over) return;
    this.#over = true;
    this.#left();
    void this.#what.untrack();
  }

  /** Who names no page takes none from another. */
  #page(): string | null {
    const pages = [...this.#claims].flatMap(({ currentPage }) => currentPage ?? []);
    return pages.at(-1) ?? null;
  }
}
