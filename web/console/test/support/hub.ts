// The real hub of the SDK's tests.

export { Hub, type HubOptions } from "../../../sdk/test/support/hub.js";
export { eventually } from "../../../sdk/test/support/wait.js";

/** Who is lost is stale after 5 s. */
export const QUICK = {
  "presence.heartbeat_ms": 2_000,
  "presence.heartbeat_timeout_ms": 2_000,
  "occupancy.stale_after_s": 5,
};
