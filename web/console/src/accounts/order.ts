// Which accounts a board lists, and in which order. No I/O.

import type { Account, NamedAccount } from "../contract.js";

export type Sort = "name" | "occupied" | "since";

/** An account with what searching and sorting need, made once for each list of names. */
export interface Ranked {
  readonly account: NamedAccount;
  /** In the order of names. */
  readonly rank: number;
  readonly folded: string;
}

/** As people type: without case and accents. */
export function fold(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
}

/** Comparing names is slow, so it is done here and never again while things change. */
export function ranked(accounts: readonly NamedAccount[], locale?: string): readonly Ranked[] {
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
  return [...accounts]
    .sort((a, b) => collator.compare(a.name, b.name) || (a.accountId < b.accountId ? -1 : 1))
    .map((account, rank) => ({ account, rank, folded: fold(account.name) }));
}

/** Those whose name, or whose occupant's name where it is known, has the words of `search` in it. */
export function found(
  list: readonly Ranked[],
  search: string,
  occupant: (accountId: string) => Account | undefined,
): readonly Ranked[] {
  const words = fold(search).split(/\s+/).filter(Boolean);
  if (words.length === 0) return list;
  return list.filter(({ account, folded }) => {
    const holder = occupant(account.accountId);
    const name = holder?.holder === "named" ? fold(holder.displayName) : "";
    return words.every((word) => folded.includes(word) || name.includes(word));
  });
}

/** `since`: who has been in for longest comes first; to a member, whose list tells no times, it is `occupied`. */
export function ordered(
  list: readonly Ranked[],
  sort: Sort,
  occupant: (accountId: string) => Account | undefined,
): readonly Ranked[] {
  if (sort === "name") return list;
  const taken: { of: Ranked; since: string }[] = [];
  const free: Ranked[] = [];
  for (const of of list) {
    const holder = occupant(of.account.accountId);
    if (!holder) free.push(of);
    else taken.push({ of, since: sort === "since" && "since" in holder ? holder.since : "" });
  }
  // Times of one form, in UTC: their order is that of the texts.
  taken.sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : a.of.rank - b.of.rank));
  return [...taken.map(({ of }) => of), ...free];
}
