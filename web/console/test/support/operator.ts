// Somebody who runs the hub. The configuration names them before the hub is started; the directory hears of them after.

import type { Hub } from "./hub.js";
import type { Town } from "./town.js";

export const OPERATOR = "6a1f0c52-98d3-4e07-b1c4-2f7d5e90a311";

/** Settings of a hub that they run. */
export const OPERATED = { "console.operators": OPERATOR };

/** Tells the hub of them: an admin of the agency. */
export async function hire(hub: Hub, of: Town): Promise<void> {
  await hub.service("POST", "/api/directory/import", {
    users: [{ id: OPERATOR, displayName: "Irene Sato" }],
  });
  const path = `/api/directory/organizations/${of.organization}/members/${OPERATOR}`;
  await hub.service("PUT", path, { role: "admin" });
}
