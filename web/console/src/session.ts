// Who is signed in: their token, their presence, what they are in and what it is called.

import { createPresence, type Presence } from "@presence-hub/sdk";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { Api } from "./api.js";
import type { Mine, NamedAccount, NamedPerson, Names } from "./contract.js";
import { Loader, useLoader } from "./loaded.js";
import { kept, subjectOf } from "./token.js";

/** How often names that are missing may be asked for. Milliseconds. */
const NAMES_EVERY_MS = 5_000;

export class Session {
  readonly userId: string;
  readonly api: Api;
  readonly presence: Presence;
  readonly mine: Loader<Mine>;
  /** Called when the hub does not take the token any more. */
  onRefused: () => void = () => {};
  readonly #names: Map<string, Loader<Named>> = new Map();
  #token: string;

  constructor(token: string, userId: string) {
    this.userId = userId;
    this.#token = token;
    this.api = new Api(
      () => this.#token,
      () => this.onRefused(),
    );
    this.presence = createPresence({ url: `${location.origin}/ws`, token: () => this.#token });
    this.mine = new Loader(() => this.api.mine());
  }

  /** The names in a channel. */
  names(channel: string): Loader<Named> {
    const known = this.#names.get(channel);
    if (known) return known;
    const loader = new Loader(async () => new Named(await this.api.names(channel)));
    this.#names.set(channel, loader);
    return loader;
  }

  /** Somebody came who has no name yet. */
  nameless(channel: string): void {
    this.names(channel).refreshAfter(NAMES_EVERY_MS);
  }

  /** A newer token of the same user. */
  renew(token: string): void {
    this.#token = token;
    kept.set(token);
    this.presence.connect();
  }

  async signOut(): Promise<void> {
    kept.set(undefined);
    await this.presence.signOut().catch(() => {});
    this.presence.close();
  }
}

/** Names, to be found by id. */
export class Named {
  readonly people: ReadonlyMap<string, NamedPerson>;
  readonly accounts: readonly NamedAccount[];

  constructor({ people, accounts = [] }: Names) {
    this.people = new Map(people.map((person) => [person.userId, person]));
    this.accounts = accounts;
  }
}

/** The session of a token; `undefined` where it is no token of a user. */
export function begin(token: string): Session | undefined {
  const userId = subjectOf(token);
  if (!userId) return undefined;
  kept.set(token);
  return new Session(token, userId);
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("nobody is signed in");
  return session;
}

/** What the user is in; empty until it is known. */
export function useMine() {
  return useLoader(useSession().mine);
}

export function useNames(channel: string) {
  return useLoader(useSession().names(channel));
}
