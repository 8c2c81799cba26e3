// A row of the board. It is drawn anew when its own account changes, and for no other.

import { useOccupancy } from "@presence-hub/sdk/react";
import { memo } from "preact/compat";
import { useNow } from "../clock.js";
import type { Account, NamedAccount } from "../contract.js";
import { clock, lastSeen } from "../format.js";
import { Icon } from "../ui/icon.js";
import { Words } from "../ui/parts.js";

export type Named = Extract<Account, { holder: "named" }>;

interface Props {
  readonly organizationId: string;
  readonly account: NamedAccount;
  /** Its place in the list, from 0, and how long the list is. */
  readonly index: number;
  readonly count: number;
  /** Clears the account; left out for who may not. */
  readonly onClear?: ((account: NamedAccount, holder: Named) => void) | undefined;
}

export const Row = memo(function Row({ organizationId, account, index, count, onClear }: Props) {
  const holder = useOccupancy(organizationId, (board) => board.account(account.accountId));
  return (
    <li
      class={holder ? "row row-occupied" : "row"}
      style={{ top: `${index * ROW}px` }}
      aria-setsize={count}
      aria-posinset={index + 1}
    >
      <Words text={account.name} class="row-name" />
      <span class="row-badge">
        {holder && <Badge holder={holder} />}
        {holder?.holder === "named" && holder.staleSince && <Stale since={holder.staleSince} />}
      </span>
      <span class="row-action">
        {holder?.holder === "named" && onClear && (
          <button
            type="button"
            class="button quiet icon-button"
            aria-label={`Clear ${account.name}`}
            title="Clear this account"
            onClick={() => onClear(account, holder)}
          >
            <Icon name="clear" />
          </button>
        )}
      </span>
    </li>
  );
});

/** The height of a row, in CSS pixels; the stylesheet has the same. */
export const ROW = 60;

function Badge({ holder }: { readonly holder: Account }) {
  switch (holder.holder) {
    case "named":
      return (
        <span class={holder.staleSince ? "badge badge-stale" : "badge"}>
          <Words text={holder.displayName} class="badge-name" />
          <span class="badge-time"> • {clock(holder.since)}</span>
        </span>
      );
    case "own":
      return (
        <span class="badge badge-own">
          <span class="badge-name">You</span>
          <span class="badge-time"> • since {clock(holder.since)}</span>
        </span>
      );
    default:
      return <span class="badge">Occupied</span>;
  }
}

function Stale({ since }: { readonly since: string }) {
  return <span class="row-stale">{lastSeen(since, useNow())}</span>;
}
