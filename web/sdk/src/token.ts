// Where tokens come from, and that none is offered twice that was refused.

import { PresenceError } from "./errors.js";

/** The platform's token, or where to get one. Asked for at each connection, and when the one in use ends soon. */
export type TokenSource = string | (() => string | Promise<string>);

export class Tokens {
  readonly #source: TokenSource;
  #last: string | undefined;
  #refused = false;
  /** When the last one came, by the clock that nobody sets. */
  givenAt = 0;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** Whether another one can be had at all. */
  get canRenew(): boolean {
    return typeof this.#source === "function";
  }

  /** The hub does not take the last one. */
  refuse(): void {
    this.#refused = true;
  }

  /** A token that was not refused. */
  async fetch(): Promise<string> {
    const token = typeof this.#source === "function" ? await this.#source() : this.#source;
    if (typeof token !== "string" || token === "") throw new PresenceError("no_token", "there is no token");
    if (this.#refused && token === this.#last)
      throw new PresenceError("same_token", "the hub refused this token, and there is no other");
    this.#refused = false;
    this.#last = token;
    this.givenAt = performance.now();
    return token;
  }

  /** A newer one than that in use, or none. */
  async newer(): Promise<string | undefined> {
    const before = this.#last;
    const token = await this.fetch();
    return token === before ? undefined : token;
  }
}
