// A wedding with many guests, and what each of them comes to look like for the others.

import { randomUUID } from "node:crypto";
import type { Scene } from "./scene.js";

export interface Guest {
  readonly userId: string;
  readonly status: string;
  readonly customStatus?: string;
}

export interface Party {
  readonly channel: string;
  readonly name: string;
  /** Whom to ask about. */
  readonly guests: readonly string[];
  /** Who asks: twenty more who take part. */
  readonly callers: readonly string[];
  /** The guests as all others may see them, sorted by id. */
  readonly seen: readonly Guest[];
}

const GUESTS = 50;
const CALLERS = 20;

/** What every tenth of them is, and what others see of it. */
const KINDS = ["busy", "online", "away", "nobody", "hidden", "never"] as const;

/** Fifty guests and twenty callers at a wedding to which Cora and Finn come too. */
export async function party({ hub, id }: Scene): Promise<Party> {
  const name = "A large wedding";
  const wedding = randomUUID();
  const make = (count: number) => Array.from({ length: count }, () => randomUUID());
  const [client = "", ...suppliers] = [...make(GUESTS), ...make(CALLERS)];
  const all = [client, ...suppliers];
  await hub.service("POST", "/api/directory/import", {
    users: all.map((user, at) => ({ id: user, displayName: `Guest ${at + 1}` })),
    weddings: [
      {
        id: wedding,
        name,
        collaborations: [...suppliers, id("cora"), id("finn")].map((supplier) => ({
          supplier,
          client,
          supplierType: "guest",
        })),
      },
    ],
  });
  const guests = all.slice(0, GUESTS);
  const seen = await Promise.all(guests.map((guest, at) => become({ hub }, guest, at)));
  return {
    channel: `wedding:${wedding}`,
    name,
    guests,
    callers: all.slice(GUESTS),
    seen: seen.flat().sort((a, b) => (a.userId < b.userId ? -1 : 1)),
  };
}

/** What somebody announces and chooses, and so what others see: nothing at all of who is seen by nobody. */
async function become({ hub }: Pick<Scene, "hub">, userId: string, at: number): Promise<readonly Guest[]> {
  const kind = KINDS[at % KINDS.length];
  const call = hub.as(userId);
  const here = (status: string, customStatus?: string) =>
    call("POST", "/api/presence/track", { status, ...(customStatus && { customStatus }) });
  switch (kind) {
    case "busy":
      await here("busy", `At table ${at}`);
      return [{ userId, status: "busy", customStatus: `At table ${at}` }];
    case "nobody":
      await call("PUT", "/api/presence/settings", { visibility: "nobody" });
      await here("online");
      return [];
    case "hidden":
      await call("PUT", "/api/presence/settings", { appearOffline: true });
      await here("online");
      return [{ userId, status: "offline" }];
    case "online":
    case "away":
      await here(kind);
      return [{ userId, status: kind }];
    default:
      return [{ userId, status: "offline" }];
  }
}

/** Asks about all guests, as one of the callers. */
export async function ask({ hub }: Scene, { guests, channel }: Party, caller: string): Promise<Guest[]> {
  const body = { userIds: guests, context: channel };
  const { users } = await hub.as(caller)<{
    users: (Guest & { lastSeen: string | null })[];
  }>("POST", "/api/presence/users/query", body);
  return users.map(({ lastSeen: _, ...guest }) => guest);
}
