import { describe, expect, it } from "vitest";
import { fold, found, ordered, ranked } from "../../src/accounts/order.js";
import { windowOf } from "../../src/accounts/window.js";
import type { Account } from "../../src/contract.js";
import { entries, type Person, part, present } from "../../src/teams/people.js";

const accounts = ["Zebra", "Account 10", "Fête", "account 2", "Fete"].map((name, at) => ({
  accountId: `${at}`,
  name,
}));
const list = ranked(accounts, "en");
const names = (of: readonly { account: { name: string } }[]) => of.map(({ account }) => account.name);

function taken(holders: { readonly [accountId: string]: Partial<Account> }) {
  return (accountId: string) => {
    const holder = holders[accountId];
    return holder && ({ accountId, holder: "occupied", ...holder } as Account);
  };
}
const named = (displayName: string, since = "2026-11-21T08:00:00Z") =>
  ({ holder: "named", userId: "u", displayName, since }) as const;

describe("a board", () => {
  it("is in the order of names, with numbers as numbers", () => {
    expect(names(list)).toEqual(["account 2", "Account 10", "Fête", "Fete", "Zebra"]);
  });

  it("has the taken first, by name among themselves", () => {
    const board = taken({ 0: {}, 1: {} });
    expect(names(ordered(list, "occupied", board))).toEqual([
      "Account 10",
      "Zebra",
      "account 2",
      "Fête",
      "Fete",
    ]);
    expect(ordered(list, "name", board)).toBe(list);
  });

  it("has whoever is in for longest first; to a member, who knows no times, the taken", () => {
    const board = taken({
      0: named("A", "2026-11-21T08:00:00Z"),
      1: named("B", "2026-11-21T09:00:00Z"),
      3: { holder: "own", since: "2026-11-21T07:00:00Z" },
    });
    expect(names(ordered(list, "since", board)).slice(0, 3)).toEqual(["account 2", "Zebra", "Account 10"]);
    expect(names(ordered(list, "since", taken({ 0: {}, 1: {} }))).slice(0, 2)).toEqual([
      "Account 10",
      "Zebra",
    ]);
  });

  it("is searched by all words, in any order, without case and accents", () => {
    const nobody = taken({});
    expect(names(found(list, " FETE ", nobody))).toEqual(["Fête", "Fete"]);
    expect(names(found(list, "10 acc", nobody))).toEqual(["Account 10"]);
    expect(found(list, "  ", nobody)).toBe(list);
    expect(found(list, "nobody", nobody)).toEqual([]);
    expect(fold("Ünïcode")).toBe("unicode");
  });

  it("is searched by a name only where it is shown", () => {
    expect(names(found(list, "olga", taken({ 0: named("Olga Novak") })))).toEqual(["Zebra"]);
    expect(found(list, "olga", taken({ 0: {} }))).toEqual([]);
  });
});

describe("the rows that are drawn", () => {
  it.each([
    { scrolled: 0, height: 600, count: 5_000, from: 0, to: 19 },
    { scrolled: 6_000, height: 600, count: 5_000, from: 92, to: 119 },
    { scrolled: 299_400, height: 600, count: 5_000, from: 4_982, to: 5_000 },
    { scrolled: 0, height: 600, count: 3, from: 0, to: 3 },
    { scrolled: -50, height: 600, count: 5_000, from: 0, to: 19 },
    { scrolled: 9_000_000, height: 600, count: 100, from: 89, to: 100 },
    { scrolled: 0, height: 0, count: 0, from: 0, to: 0 },
  ])("at $scrolled of $count are $from to $to", ({ scrolled, height, count, from, to }) => {
    expect(windowOf(scrolled, height, 60, count)).toEqual({ from, to });
  });
});

describe("a team", () => {
  const at = (userId: string, status: Person["status"], lastSeen: string | null = null) =>
    (status === "offline" ? { userId, status, lastSeen } : { userId, status }) as Person;

  it("has who is here first, by name, then who was here last", () => {
    const people = [
      at("1", "offline", "2026-11-20T08:00:00Z"),
      at("2", "busy"),
      at("3", "offline"),
      at("4", "online"),
      at("5", "offline", "2026-11-21T08:00:00Z"),
    ];
    const known = new Map(
      [..."12345"].map((userId) => [userId, { userId, displayName: `N${9 - Number(userId)}` }]),
    );
    expect(entries(people, known, "en").map(({ name }) => name)).toEqual(["N5", "N7", "N4", "N8", "N6"]);
    expect(present(people)).toBe(2);
  });

  it("names those whose name has not come yet so", () => {
    expect(entries([at("1", "online")], undefined)[0]?.name).toBe("Somebody new");
  });

  it("says what somebody is there", () => {
    const of = { userId: "1", displayName: "A" };
    expect(part({ ...of, part: "supplier", supplierTypes: ["photographer", "venue"] })).toBe(
      "Photographer, Venue",
    );
    expect(part({ ...of, part: "client" })).toBe("Couple");
    expect(part({ ...of, part: "supplier" })).toBe("Supplier");
    expect(part({ ...of, role: "owner" })).toBe("Owner");
    expect([part({ ...of, role: "member" }), part(undefined)]).toEqual(["", ""]);
  });
});
