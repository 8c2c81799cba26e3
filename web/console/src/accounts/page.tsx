// The occupancy board of an organization: which accounts are taken, by whom as far as the viewer may know, since when.

import { useOccupancy } from "@presence-hub/sdk/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Account, mayAdminister, type NamedAccount, type Organization } from "../contract.js";
import { number } from "../format.js";
import { address } from "../router.js";
import { useNames, useSession } from "../session.js";
import type { PageProps } from "../shell/shell.js";
import { Icon } from "../ui/icon.js";
import { Empty, Failed, Loading, PageHead, Segmented, says } from "../ui/parts.js";
import { ClearDialog } from "./clear.js";
import { found, ordered, type Ranked, ranked, type Sort } from "./order.js";
import { type Named, ROW, Row } from "./row.js";
import { useWindow } from "./window.js";

export function AccountsPage({ mine, rest }: PageProps) {
  const { organizations } = mine;
  const organization =
    organizations.find(({ organizationId }) => organizationId === rest) ?? organizations[0];
  if (!organization)
    return (
      <>
        <PageHead title="Accounts" />
        <Empty title="You are in no organization.">Accounts belong to organizations.</Empty>
      </>
    );
  return <Board key={organization.organizationId} organization={organization} all={organizations} />;
}

/** Where the user is in several. */
export function OrganizationChoice(props: {
  readonly page: "accounts" | "analytics";
  readonly now: Organization;
  readonly all: readonly Organization[];
}) {
  if (props.all.length < 2) return <p class="page-sub words">{props.now.name}</p>;
  return (
    <select
      class="input organization-choice"
      aria-label="Organization"
      value={props.now.organizationId}
      onChange={(event) => {
        location.hash = address(props.page, event.currentTarget.value);
      }}
    >
      {props.all.map(({ organizationId, name }) => (
        <option key={organizationId} value={organizationId}>
          {name}
        </option>
      ))}
    </select>
  );
}

const SORTS: readonly { value: Sort; label: string }[] = [
  { value: "name", label: "Name" },
  { value: "occupied", label: "Occupied first" },
  { value: "since", label: "Longest first" },
];

interface BoardProps {
  readonly organization: Organization;
  readonly all: readonly Organization[];
}

function Board({ organization, all }: BoardProps) {
  const { organizationId } = organization;
  const admin = mayAdminister(organization.role);
  const channel = `organization:${organizationId}`;
  const { value: names, error } = useNames(channel);
  const board = useOccupancy(organizationId);
  const [search, setSearch] = useState("");
  const [sort, setSort] = useState<Sort>("name");
  const list = useMemo(() => (names ? ranked(names.accounts) : undefined), [names]);
  useNameless(channel, list, board.accounts, board.phase === "live");
  const shown = useMemo(
    () => list && ordered(found(list, search, board.account), sort, board.account),
    [list, search, sort, board],
  );
  return (
    <>
      <PageHead title="Accounts">
        <OrganizationChoice page="accounts" now={organization} all={all} />
        {board.phase !== "loading" && list && (
          <p class="page-figure">
            <b>{number(board.accounts.length)}</b> of {number(list.length)} occupied
          </p>
        )}
      </PageHead>
      <div class="toolbar">
        <label class="search">
          <span class="sr-only">Search accounts{admin && " and people"}</span>
          <Icon name="search" />
          <input
            class="input"
            type="search"
            placeholder={admin ? "Search accounts and people" : "Search accounts"}
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
        <Segmented
          label="Order"
          value={sort}
          onChange={setSort}
          options={admin ? SORTS : SORTS.filter(({ value }) => value !== "since")}
        />
      </div>
      {board.phase === "stale" && (
        <p class="note">This list may be old. It is brought up to date by itself.</p>
      )}
      {board.error && (
        <p class="note note-bad" role="alert">
          {says(board.error)}
        </p>
      )}
      {!shown && (error ? <Failed error={error} /> : <Loading what="accounts" />)}
      {shown && list && list.length === 0 && <Empty title="No accounts yet">Your platform adds them.</Empty>}
      {shown && list && list.length > 0 && shown.length === 0 && (
        <Empty title="Nothing found">
          {admin ? "No account and nobody in one has this name." : "No account has this name."}
        </Empty>
      )}
      {shown && shown.length > 0 && <Rows organizationId={organizationId} admin={admin} list={shown} />}
    </>
  );
}

/** Accounts that were added while the board is open have no name yet. */
function useNameless(
  channel: string,
  list: readonly Ranked[] | undefined,
  taken: readonly Account[],
  live: boolean,
): void {
  const session = useSession();
  const known = useMemo(() => new Set(list?.map(({ account }) => account.accountId)), [list]);
  const missing = live && list !== undefined && taken.some(({ accountId }) => !known.has(accountId));
  // With each list that lacks it: the directory may be behind.
  useEffect(() => {
    if (missing && list) session.nameless(channel);
  }, [missing, list, session, channel]);
}

interface RowsProps {
  readonly organizationId: string;
  readonly admin: boolean;
  readonly list: readonly Ranked[];
}

function Rows({ organizationId, admin, list }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const { from, to } = useWindow(box, ROW, list.length);
  const [clearing, setClearing] = useState<{ account: NamedAccount; holder: Named }>();
  const clear = useCallback((account: NamedAccount, holder: Named) => setClearing({ account, holder }), []);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard. */}
      <section class="board" ref={box} tabIndex={0} aria-label="Accounts">
        <ul class="rows" style={{ height: `${list.length * ROW}px` }}>
          {list.slice(from, to).map(({ account }, at) => (
            <Row
              key={account.accountId}
              organizationId={organizationId}
              account={account}
              index={from + at}
              count={list.length}
              onClear={admin ? clear : undefined}
            />
          ))}
        </ul>
      </section>
      {clearing && (
        <ClearDialog
          account={clearing.account}
          holder={clearing.holder}
          onClose={() => setClearing(undefined)}
        />
      )}
    </>
  );
}
