// A handle of a channel: its list, who listens to it, and being there.

import type { Announcer } from "./announcer.js";
import { type ChannelOptions, type ChannelState, type Channels, isChannel } from "./channels.js";
import { PresenceError, quiet } from "./errors.js";
import type { Change, Person } from "./list.js";
import type { PlacePatch } from "./own.js";
import type { Account } from "./protocol/server.js";
import type { Readable, Unsubscribe } from "./store.js";

/**
 * A channel, as this viewer may see it. Listening is what subscribes: the list comes with the first listener and is given
 * back a second after the last one has gone. Handles of the same channel share one subscription.
 */
export class Channel implements Readable<ChannelState> {
  readonly name: string;
  readonly options: ChannelOptions;
  readonly #channels: Channels;
  readonly #announcer: Announcer;
  #state: ChannelState | undefined;
  #version = -1;

  /** @internal */
  constructor(name: string, options: ChannelOptions, channels: Channels, announcer: Announcer) {
    this.name = name;
    this.options = options;
    this.#channels = channels;
    this.#announcer = announcer;
  }

  /** The channel now: the same object until something has changed. */
  get = (): ChannelState => {
    const version = this.#channels.version(this.name);
    if (!this.#state || version !== this.#version)
      this.#state = this.#channels.state(this.name, this.options);
    this.#version = version;
    return this.#state;
  };

  /**
   * Calls `listener` after each change: with the state, and with who came, changed and went, where it was the list that
   * changed. One who went out of sight and one who left are told alike.
   */
  subscribe = (listener: (state: ChannelState, change?: Change) => void): Unsubscribe =>
    this.#channels.watch(this.name, this.options, (change) => listener(this.get(), change));

  /** One person, by id, without looking through the list. */
  person(userId: string): Person | undefined {
    return this.#channels.replica.lists.get(this.name)?.entries.people.get(userId);
  }

  /** The occupancy of one account; `undefined`: it is free, or not shown. */
  account(accountId: string): Account | undefined {
    return this.#channels.replica.lists.get(this.name)?.entries.accounts.get(accountId);
  }

  /**
   * Is present here: from now on this session exists only in the channels in which it is tracked. A page and typing are
   * seen here and nowhere else; while the session is tracked in several channels, only what is the same in all of them
   * is shown. The promise ends when the hub has it, or something newer; it rejects with `malformed` where there can be no
   * such channel. A channel that is none of one's own is taken, and one is seen nowhere.
   */
  track(patch: PlacePatch = {}): Promise<void> {
    if (!isChannel(this.name))
      return quiet(Promise.reject(new PresenceError("malformed", `${this.name} is no channel`)));
    this.#announcer.own.enter(this.name, patch, performance.now());
    return quiet(this.#announcer.changed());
  }

  /** Is not present here any more. Watching goes on. */
  untrack(): Promise<void> {
    this.#announcer.own.leave(this.name);
    return quiet(this.#announcer.changed());
  }
}
