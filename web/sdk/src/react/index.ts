"use client";

/**
 * Presence in React: who is here, where one is oneself, and the connection that both need.
 *
 * ```tsx
 * const presence = createPresence({ url: "wss://presence.example.com/ws", token: () => session.accessToken() });
 *
 * <PresenceProvider presence={presence}>
 *   <Wedding id={id} />
 * </PresenceProvider>;
 *
 * function Wedding({ id }: { id: string }) {
 *   const channel = `wedding:${id}`;
 *   const { people, phase } = usePresence(channel);
 *   const typing = useTrack(channel, { currentPage: "/timeline" });
 *   return <textarea aria-busy={phase === "loading"} onInput={() => typing(true)} placeholder={`${people.length} here`} />;
 * }
 * ```
 *
 * On a server all hooks show what is known before there is a connection, and none is made.
 *
 * @module
 */

export { type Find, type Selector, usePresence } from "./channel.js";
export { useTrack, useTrackEverywhere } from "./here.js";
export { type Occupancy, useOccupancy } from "./occupancy.js";
export { PresenceProvider, type PresenceProviderProps, usePresenceClient } from "./provider.js";
export { useConnection, useMyPresence, useSettings } from "./self.js";
