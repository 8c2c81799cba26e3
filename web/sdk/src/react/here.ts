// Being present for as long as a component is shown.

import { useCallback, useEffect, useRef } from "react";
import type { PlacePatch } from "../own.js";
import type { Client } from "./client.js";
import type { Stay } from "./place.js";
import { useClient } from "./provider.js";

/** Where in the application one is; what belongs to a person is said with `useMyPresence`. */
type Where = { readonly currentPage?: PlacePatch["currentPage"] | undefined };

/**
 * Is present in a channel for as long as the component is shown, and in no channel that is not tracked. Where several
 * components do so for one channel, it lasts until a second after the last one has gone, and the page is that of the last
 * one which names one: from page to page nobody sees anybody leave. Without a channel (`undefined`, `null` or `""`,
 * because its id is not known yet) it is nowhere.
 *
 * Returns a function, always the same, that says whether somebody types: call it with each keystroke, the hub is told no
 * more often than it has to be. Typing ends by itself after 10 s, and when the component goes.
 *
 * What the hub does not take is taken back, and is the `error` of `useMyPresence`. A page has at most 512
 * characters; the hub cuts query and fragment.
 *
 * @throws Error where no `PresenceProvider` is above.
 */
export function useTrack(
  channel: string | null | undefined,
  { currentPage }: Where = {},
): (isTyping: boolean) => void {
  const client = useClient("useTrack");
  return useStay(client, channel || null, currentPage ?? undefined);
}

/**
 * Is present in all channels of the user for as long as the component is shown; except that while any channel is tracked
 * by `useTrack`, it is present in those alone. Everything else is as in `useTrack`.
 *
 * @throws Error where no `PresenceProvider` is above.
 */
export function useTrackEverywhere({ currentPage }: Where = {}): (isTyping: boolean) => void {
  return useStay(useClient("useTrackEverywhere"), undefined, currentPage ?? undefined);
}

/** `null`: nowhere; `undefined`: everywhere. */
function useStay(
  client: Client,
  channel: string | null | undefined,
  currentPage: string | undefined,
): (isTyping: boolean) => void {
  const stay = useRef<Stay | undefined>(undefined);
  useEffect(() => {
    if (channel === null) return undefined;
    const begun = client.enter(channel, currentPage);
    stay.current = begun;
    return () => begun.end();
  }, [client, channel, currentPage]);
  return useCallback((isTyping) => stay.current?.typing(isTyping), []);
}
