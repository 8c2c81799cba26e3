/**
 * Clocking in and out of accounts: the part of a browser extension.
 *
 * ```ts
 * const clock = createClock({
 *   url: "wss://presence.example.com/ws",
 *   storage: chromeStorage(chrome.storage.local),
 *   session: chromeStorage(chrome.storage.session),
 * });
 * clock.state.subscribe((state) => showOnTheIcon(state));
 * clock.restore();
 * chrome.alarms.create("clock", { periodInMinutes: 0.5 });
 * chrome.alarms.onAlarm.addListener(() => clock.restore());
 * ```
 *
 * @module
 */

export type { Codec } from "../codec.js";
export { PresenceError } from "../errors.js";
export type { Reason, Socket, SocketConstructor } from "../link.js";
export type { Readable, Unsubscribe } from "../store.js";
export { type Clock, createClock } from "./clock.js";
export { type ClockStorage, chromeStorage, type StorageArea } from "./kept.js";
export type { ClockIn, ClockOptions } from "./options.js";
export type { ClockActivity } from "./pulse.js";
export type { ClockOutReason, ClockState, Hold, Pending } from "./state.js";
