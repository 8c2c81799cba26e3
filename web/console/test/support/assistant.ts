// An assistant with a browser extension, of which the clock of the SDK is the heart.

import { type Clock, createClock, type Hold } from "@presence-hub/sdk/extension";
import { NodeSocket } from "../../../sdk/test/support/hub.js";
import { codeOf } from "./life.js";
import type { Scene } from "./scene.js";

export interface Assistant {
  readonly clock: Clock;
  enter(account: string): Promise<Hold>;
  move(account: string): Promise<Hold>;
  /** The connection breaks, as when the laptop is closed: that is no clock-out. */
  lose(): void;
  /** The extension is back. */
  back(): Promise<void>;
}

export async function assistant({ hub, of, afterwards }: Scene, who: string): Promise<Assistant> {
  const code = await codeOf(hub, of, who);
  const kept = new Map<string, string>();
  const clock = createClock({
    url: hub.url,
    WebSocket: NodeSocket,
    storage: {
      get: async (key) => JSON.parse(kept.get(key) ?? "null") ?? undefined,
      set: async (key, value) => void kept.set(key, JSON.stringify(value)),
      remove: async (key) => void kept.delete(key),
    },
  });
  afterwards(clock.close);
  const id = (account: string) => of.accounts[account] ?? "";
  return {
    clock,
    enter: (account) => clock.clockIn({ code, accountId: id(account) }),
    move: (account) => clock.move(id(account)),
    lose: clock.close,
    back: clock.restore,
  };
}
