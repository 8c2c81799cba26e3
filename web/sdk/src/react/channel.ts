// A channel in a component.

import { useCallback, useMemo } from "react";
import type { Channel } from "../channel.js";
import type { ChannelOptions, ChannelState } from "../channels.js";
import type { Readable } from "../store.js";
import type { Client } from "./client.js";
import { useClient } from "./provider.js";
import { shallow, useSelected } from "./select.js";

/** Finds one entry by its id, without looking through the list. */
export type Find = Pick<Channel, "person" | "account">;

/** Picks what a component shows of a channel. It is called with each change, so it should be quick, and ask nothing else. */
export type Selector<T> = (state: ChannelState, find: Find) => T;

/** A channel before anything has come of it: on a server, and where there is none. */
export const LOADING: ChannelState = { phase: "loading", people: [], accounts: [], error: undefined };

export const NO_CHANNEL: Readable<ChannelState> & Find = {
  get: () => LOADING,
  subscribe: () => () => {},
  person: () => undefined,
  account: () => undefined,
};

/**
 * A channel as this viewer may see it, watched for as long as the component is shown. Components that watch the same
 * channel share one subscription, which is given back a second after the last one has gone.
 *
 * With a selector the component is drawn anew only when what is picked is another: not the same value, nor a list or plain
 * object with the same in it. The selector may be written in place. A row of a long list picks itself:
 *
 * ```tsx
 * const person = usePresence(channel, (_, find) => find.person(userId));
 * ```
 *
 * Nothing is thrown where something fails: `phase` is `stale` while the list may be old, and `refused` where there is no
 * such channel for this viewer; `error` says why. A change of `options` is a change of what is asked for; the object may
 * be another each time. Without a channel (`undefined`, `null` or `""`, because its id is not known yet) nothing is
 * watched, and the phase is `loading`.
 *
 * @throws Error where no `PresenceProvider` is above.
 */
export function usePresence(channel: string | null | undefined, options?: ChannelOptions): ChannelState;
export function usePresence<T>(
  channel: string | null | undefined,
  selector: Selector<T>,
  options?: ChannelOptions,
): T;
export function usePresence<T>(
  channel: string | null | undefined,
  what?: Selector<T> | ChannelOptions,
  more?: ChannelOptions,
): T | ChannelState {
  const selector = typeof what === "function" ? what : undefined;
  const options = typeof what === "function" ? more : what;
  const handle = useHandle(useClient("usePresence"), channel, options);
  const select = useCallback(
    (state: ChannelState): T | ChannelState =>
      selector ? selector(state, state === LOADING ? NO_CHANNEL : handle) : state,
    [selector, handle],
  );
  return useSelected(handle, LOADING, select, selector ? shallow : alike);
}

/** The handle of a channel: the same for as long as name and options say the same. */
export function useHandle(
  client: Client,
  channel: string | null | undefined,
  { people, accounts }: ChannelOptions = {},
): Readable<ChannelState> & Find {
  return useMemo(
    () => (channel ? client.channel(channel, people, accounts) : NO_CHANNEL),
    [client, channel, people, accounts],
  );
}

/** Whether two states of a channel are the same to look at. */
function alike(a: unknown, b: unknown): boolean {
  const [before, now] = [a as ChannelState, b as ChannelState];
  return (
    before.phase === now.phase &&
    before.error === now.error &&
    shallow(before.people, now.people) &&
    shallow(before.accounts, now.accounts)
  );
}
