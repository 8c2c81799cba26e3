// What somebody else is shown of a user with these settings: the tables of the privacy page, for the preview alone. The
// hub decides what is really shown.

import type { TrackState } from "@presence-hub/sdk";
import type { Settings, SettingsChange, Visibility } from "../contract.js";
import type { Person } from "../teams/people.js";

export type Relation = "colleague" | "collaborator" | "stranger";

const SEEN_BY: { readonly [V in Visibility]: readonly Relation[] } = {
  everyone: ["colleague", "collaborator", "stranger"],
  team: ["colleague"],
  contacts: ["collaborator"],
  nobody: [],
};

/** `undefined`: nothing at all. */
export function shownTo(relation: Relation, settings: Settings, track: TrackState): Person | undefined {
  if (!SEEN_BY[settings.visibility].includes(relation)) return undefined;
  const userId = "";
  if (settings.appearOffline) return { userId, status: "offline", lastSeen: null };
  const { status, device, currentPage, customStatus, customEmoji } = track;
  const words = customStatus ?? settings.customStatus;
  const emoji = customEmoji ?? settings.customEmoji;
  return {
    userId,
    status: status === "idle" && !settings.showActivity ? "online" : status,
    ...(settings.showActivity && device && { device }),
    ...(settings.showCurrentPage && currentPage && { currentPage }),
    ...(words && { customStatus: words }),
    ...(emoji && { customEmoji: emoji }),
  };
}

export const VISIBILITY: { readonly [V in Visibility]: { readonly name: string; readonly says: string } } = {
  everyone: { name: "Everyone", says: "Whoever looks for you." },
  team: { name: "My colleagues", says: "Those who share an organization with you." },
  contacts: { name: "My collaborators", says: "Those who share a wedding with you." },
  nobody: { name: "Nobody", says: "To all others you are not there, as if you did not exist." },
};

/** What a change of settings was, in words. */
export function changes({ before, after }: SettingsChange): readonly string[] {
  const said: string[] = [];
  if (after.visibility && before.visibility !== after.visibility)
    said.push(`Seen by ${VISIBILITY[after.visibility].name.toLowerCase()}`);
  const turned = (key: "appearOffline" | "showActivity" | "showCurrentPage", on: string, off: string) => {
    if (before[key] !== after[key]) said.push(after[key] ? on : off);
  };
  turned("appearOffline", "Appear offline switched on", "Appear offline switched off");
  turned("showActivity", "Activity shown", "Activity not shown");
  turned("showCurrentPage", "Current page shown", "Current page not shown");
  const words = (key: "customStatus" | "customEmoji", what: string) => {
    const [old, now] = [before[key] ?? "", after[key] ?? ""];
    if (old !== now) said.push(now ? `${what} “${now}”` : `${what} removed`);
  };
  words("customStatus", "Status");
  words("customEmoji", "Emoji");
  return said.length > 0 ? said : ["Saved without a change"];
}
