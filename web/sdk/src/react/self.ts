// What is one's own, in a component: what is announced, the settings, the connection.

import { useCallback } from "react";
import type { Me } from "../announcer.js";
import type { Connection } from "../link.js";
import type { PersonPatch } from "../own.js";
import type { SettingsPatch } from "../protocol/client.js";
import type { SettingsNow } from "../protocol/server.js";
import { useClient } from "./provider.js";
import { same, useSelected } from "./select.js";

// What there is before a connection: on a server, and until its page has been taken over.
const NOT_CONNECTED: Connection = { state: "closed" };
const NOT_PRESENT: Me = { userId: undefined, track: undefined, pending: false, error: undefined };

/**
 * What this session announces of itself, and a function, always the same, that changes what is said of the person: status,
 * custom status, custom emoji. What is left out stays, `null` takes back.
 *
 * A change is in `me` at once (`pending` until the hub has it); one that the hub does not take is taken back, with `error`.
 * The promise ends when the hub has it, or something newer; nobody has to await it. Saying something does not make one
 * present: that is `useTrack`, and until then `me.track` is `undefined`.
 *
 * @throws Error where no `PresenceProvider` is above.
 */
export function useMyPresence(): readonly [me: Me, update: (patch: PersonPatch) => Promise<void>] {
  const { presence } = useClient("useMyPresence");
  const me = useSelected(presence.me, NOT_PRESENT, same);
  const update = useCallback((patch: PersonPatch) => presence.say(patch), [presence]);
  return [me, update];
}

/**
 * The user's settings, wherever they are changed (`undefined` before the first welcome), and a function, always the same,
 * that changes them: what is left out stays. They show what the hub has, never what is only asked for: nobody is to
 * believe themselves hidden too early. The promise ends when the change is in force, or fails with a `PresenceError`.
 *
 * @throws Error where no `PresenceProvider` is above.
 */
export function useSettings(): readonly [
  settings: SettingsNow | undefined,
  setSettings: (settings: SettingsPatch) => Promise<{ durable: boolean }>,
] {
  const { presence } = useClient("useSettings");
  const settings = useSelected(presence.settings, undefined, same);
  const setSettings = useCallback((patch: SettingsPatch) => presence.setSettings(patch), [presence]);
  return [settings, setSettings];
}

/**
 * Where the connection stands; `closed` on a server.
 *
 * @throws Error where no `PresenceProvider` is above.
 */
export function useConnection(): Connection {
  const { presence } = useClient("useConnection");
  return useSelected(presence.connection, NOT_CONNECTED, same);
}
