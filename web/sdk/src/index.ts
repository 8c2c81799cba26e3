/**
 * Realtime presence: who is here, as this viewer may see it.
 *
 * ```ts
 * const presence = createPresence({ url: "wss://presence.example.com/ws", token: () => session.accessToken() });
 * const wedding = presence.channel("wedding:6f9619ff-8b86-4d01-b42d-00cf4fc964ff");
 * wedding.subscribe(({ people, phase }) => render(people, phase));
 * wedding.track({ currentPage: "/timeline" });
 * presence.connect();
 * ```
 *
 * @module
 */

export type { Me } from "./announcer.js";
export type { Channel } from "./channel.js";
export type { ChannelOptions, ChannelState } from "./channels.js";
export type { Codec } from "./codec.js";
export { PresenceError } from "./errors.js";
export type { Connection, Reason, Socket, SocketConstructor } from "./link.js";
export type { Change, Person } from "./list.js";
export type { ChosenStatus, PersonPatch, PlacePatch } from "./own.js";
export { createPresence, type Presence, type PresenceOptions } from "./presence.js";
export type { ActivityState, Device, SettingsPatch, TrackState, Visibility } from "./protocol/client.js";
export type {
  Account,
  OfflinePerson,
  PresentPerson,
  Record as PresenceRecord,
  SettingsNow as Settings,
} from "./protocol/server.js";
export type { Readable, Unsubscribe } from "./store.js";
export type { TokenSource } from "./token.js";
