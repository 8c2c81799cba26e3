// The accounts of an organization in a component: who is in which.

import { useCallback } from "react";
import type { ChannelState } from "../channels.js";
import type { Account } from "../protocol/server.js";
import { LOADING, useHandle } from "./channel.js";
import { useClient } from "./provider.js";
import { shallow, useSelected } from "./select.js";

/** The occupied accounts of an organization, as this viewer may see them. Never changed in place. */
export interface Occupancy extends Pick<ChannelState, "phase" | "accounts" | "error"> {
  /** The occupancy of one account, without looking through the list; `undefined`: it is free, or not shown. */
  account(accountId: string): Account | undefined;
}

/** One for each state of a channel, so that the rows of a board make one index together. */
const occupancies = new WeakMap<ChannelState, Occupancy>();

/**
 * Who is in which account of an organization, for as long as the component is shown. What is shown of an occupant is the
 * hub's choice, by the viewer's role: `holder` is `named` (to owners and admins, with name, `since` and `staleSince`),
 * `own`, or `occupied`. A free account is not listed. All boards and rows share one subscription.
 *
 * With a selector the component is drawn anew only when what is picked is another, as with `usePresence`. A row of a board:
 *
 * ```tsx
 * const occupant = useOccupancy(organizationId, (board) => board.account(accountId));
 * ```
 *
 * Failing, and `undefined` or `null` for an organization that is not known yet, are as in `usePresence`.
 *
 * @throws Error where no `PresenceProvider` is above.
 */
export function useOccupancy(organizationId: string | null | undefined): Occupancy;
export function useOccupancy<T>(
  organizationId: string | null | undefined,
  selector: (occupancy: Occupancy) => T,
): T;
export function useOccupancy<T>(
  organizationId: string | null | undefined,
  selector?: (occupancy: Occupancy) => T,
): T | Occupancy {
  const client = useClient("useOccupancy");
  const handle = useHandle(client, organizationId && `organization:${organizationId}`, { people: "none" });
  const select = useCallback(
    (state: ChannelState): T | Occupancy => {
      const occupancy = occupancyOf(state);
      return selector ? selector(occupancy) : occupancy;
    },
    [selector],
  );
  return useSelected(handle, LOADING, select, selector ? shallow : alike);
}

function occupancyOf(state: ChannelState): Occupancy {
  const occupancy = occupancies.get(state) ?? index(state);
  occupancies.set(state, occupancy);
  return occupancy;
}

function index({ phase, accounts, error }: ChannelState): Occupancy {
  let byId: Map<string, Account> | undefined;
  return {
    phase,
    accounts,
    error,
    account(accountId) {
      byId ??= new Map(accounts.map((account) => [account.accountId, account]));
      return byId.get(accountId);
    },
  };
}

/** Whether two boards are the same to look at. */
function alike(a: unknown, b: unknown): boolean {
  const [before, now] = [a as Occupancy, b as Occupancy];
  return before.phase === now.phase && before.error === now.error && shallow(before.accounts, now.accounts);
}
