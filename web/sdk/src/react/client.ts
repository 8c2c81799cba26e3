// What the components that use one presence have in common: its connection, the handles of channels, and being somewhere.
// All of it outlives its last user by a moment, because React lets go of a thing and takes it again: in StrictMode, when a
// list is sorted anew, when one page follows another.

import type { Channel } from "../channel.js";
import type { ChannelOptions } from "../channels.js";
import type { Presence } from "../presence.js";
import { Place, type Stay } from "./place.js";

/** For how long a connection is kept after its last provider: longer than what it has to say when that goes. */
const LINGER_MS = 2_000;

const clients = new WeakMap<Presence, Client>();

/** One for each presence, however many providers show it. */
export function clientOf(presence: Presence): Client {
  const client = clients.get(presence) ?? new Client(presence);
  clients.set(presence, client);
  return client;
}

export class Client {
  readonly presence: Presence;
  /** A handle keeps its sorted list, so a thousand rows share one. Who uses it holds it; nobody else does. */
  readonly #handles: Map<string, WeakRef<Channel>> = new Map();
  readonly #places: Map<string | undefined, Place> = new Map();
  #providers = 0;
  #linger: ReturnType<typeof setTimeout> | undefined;

  constructor(presence: Presence) {
    this.presence = presence;
    // Who has signed out and in again is where the components are that are shown. Otherwise it says nothing new.
    presence.connection.subscribe((connection) => {
      if (connection.state !== "connected" || connection.resumed) return;
      for (const place of this.#places.values()) place.again();
    });
  }

  /** Is connected until the returned function is called, once. */
  retain(): () => void {
    clearTimeout(this.#linger);
    this.#providers += 1;
    this.presence.connect();
    return () => {
      this.#providers -= 1;
      if (this.#providers === 0) this.#linger = setTimeout(this.presence.close, LINGER_MS);
    };
  }

  /** The same handle for the same channel and options, as long as somebody has it. */
  channel(
    name: string,
    people: ChannelOptions["people"] = "present",
    accounts: ChannelOptions["accounts"] = true,
  ): Channel {
    const key = `${name} ${people} ${accounts}`;
    const known = this.#handles.get(key)?.deref();
    if (known) return known;
    for (const [other, handle] of this.#handles) if (!handle.deref()) this.#handles.delete(other);
    const handle = this.presence.channel(name, { people, accounts });
    this.#handles.set(key, new WeakRef(handle));
    return handle;
  }

  /** Is in the channel until the stay is ended; without one, in all of the user's. */
  enter(channel: string | undefined, currentPage: string | undefined): Stay {
    const known = this.#places.get(channel);
    if (known) return known.enter(currentPage);
    const place = this.#place(channel);
    const stay = place.enter(currentPage);
    for (const other of this.#places.values()) other.hurry();
    this.#places.set(channel, place);
    return stay;
  }

  #place(channel: string | undefined): Place {
    const what = channel === undefined ? this.presence : this.presence.channel(channel);
    return new Place(what, () => this.#places.delete(channel));
  }
}
