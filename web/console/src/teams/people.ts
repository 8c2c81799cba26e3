// The people of a column: named, in the order in which one looks for them. No I/O.

import type { PresenceRecord } from "@presence-hub/sdk";
import type { NamedPerson } from "../contract.js";
import { capital } from "../format.js";

export type Person = Exclude<PresenceRecord, { accountId: string }>;

export interface Entry {
  readonly person: Person;
  readonly name: string;
  /** What they are here: `Photographer`, `Couple`, `Owner`. */
  readonly part: string;
}

/** For somebody whose name is on its way. */
const NAMELESS = "Somebody new";

/** Who is here by name, then who was here last. */
export function entries(
  people: readonly Person[],
  names: ReadonlyMap<string, NamedPerson> | undefined,
  locale?: string,
): readonly Entry[] {
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
  return people
    .map((person) => {
      const named = names?.get(person.userId);
      return { person, name: named?.displayName || NAMELESS, part: part(named) };
    })
    .sort(
      (a, b) =>
        here(b.person) - here(a.person) ||
        later(a.person, b.person) ||
        collator.compare(a.name, b.name) ||
        (a.person.userId < b.person.userId ? -1 : 1),
    );
}

export function part(named: NamedPerson | undefined): string {
  if (named?.supplierTypes?.length) return named.supplierTypes.map(capital).join(", ");
  if (named?.part) return named.part === "client" ? "Couple" : "Supplier";
  return named?.role && named.role !== "member" ? capital(named.role) : "";
}

export function present(people: readonly Person[]): number {
  return people.filter(({ status }) => status !== "offline").length;
}

function here({ status }: Person): number {
  return status === "offline" ? 0 : 1;
}

/** Of two who are not here, whoever was here later comes first. */
function later(a: Person, b: Person): number {
  if (a.status !== "offline" || b.status !== "offline") return 0;
  const [one, other] = [a.lastSeen ?? "", b.lastSeen ?? ""];
  return one === other ? 0 : one > other ? -1 : 1;
}
