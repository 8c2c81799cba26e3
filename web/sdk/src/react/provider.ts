// The presence that the components below use, and its connection.

import {
  type Context,
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
} from "react";
import type { Presence } from "../presence.js";
import { type Client, clientOf } from "./client.js";

export interface PresenceProviderProps {
  /** From `createPresence`. Make it once, outside of components: another one is another connection. */
  readonly presence: Presence;
  readonly children?: ReactNode;
}

const Clients: Context<Client | undefined> = createContext<Client | undefined>(undefined);

/**
 * Lets the components below use this presence. It connects when it is shown, and closes two seconds after the last
 * provider of the same presence has gone; nothing happens when it is shown again before. On a server it does not connect,
 * so there one presence can serve all requests.
 */
export function PresenceProvider({ presence, children }: PresenceProviderProps): ReactElement {
  const client = clientOf(presence);
  useEffect(() => client.retain(), [client]);
  return createElement(Clients.Provider, { value: client }, children);
}

/**
 * The presence itself, for what has no hook: `signOut`, `activity`, listening to a channel without drawing anything.
 *
 * @throws Error where no `PresenceProvider` is above.
 */
export function usePresenceClient(): Presence {
  return useClient("usePresenceClient").presence;
}

export function useClient(hook: string): Client {
  const client = useContext(Clients);
  if (!client) throw new Error(`${hook}: there is no <PresenceProvider> above this component`);
  return client;
}
