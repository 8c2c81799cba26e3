// People with names and work of their own: an agency with shared accounts, and weddings that they meet at.

import { randomUUID } from "node:crypto";
import type { Role } from "../../src/contract.js";
import type { Hub } from "./hub.js";

/** Texts that are more than words where somebody takes them for markup, and that are long, high or of another direction. */
export const HOSTILE = {
  name: `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`,
  account: `"><svg onload=window.hacked=1> ${"long ".repeat(30)}`,
  high: `Z${"\u0300\u0316".repeat(40)}algo`,
  rtl: "مكتب الاستقبال ‏(1)",
  status: `</p><iframe srcdoc="<script>parent.hacked=1</script>">{{7*7}} javascript:alert(1)`,
} as const;

export interface Town {
  readonly people: { readonly [name: string]: string };
  readonly organization: string;
  /** Ids of the accounts, by name. */
  readonly accounts: { readonly [name: string]: string };
  readonly weddings: { readonly [name: string]: string };
}

const PEOPLE: { readonly [key: string]: string } = {
  olga: "Olga Novak",
  adam: "Adam Brandt",
  vera: "Vera Lind",
  vic: "Vic Moreau",
  val: "Valentina Okoye",
  cora: "Cora Jensen",
  anna: "Anna Weber",
  ben: "Ben Okafor",
  clara: "Clara Rossi",
  david: "David Kim",
  finn: "Finn Larsen",
  rosa: "Rosa Delgado",
  milo: "Milo Fischer",
  ines: "Inês Carvalho",
  jun: "Jun Takeda",
  mallory: HOSTILE.name,
};

const MEMBERS: { readonly [key: string]: Role } = {
  olga: "owner",
  adam: "admin",
  vera: "member",
  vic: "member",
  val: "member",
  mallory: "member",
};

const ACCOUNTS = [
  "Inbox",
  "Bookings",
  "Atelier Nord",
  "Bloom & Co",
  "Casa Verde",
  "Daylight Studio",
  "Elm Street Venue",
  "Fête Blanche",
  "Golden Hour Films",
  "Harbour House",
  "Ivy Lane Catering",
  "Juniper Events",
  "Kettle & Rye",
  "Lakeside Manor",
  "Maison Claire",
  "North Pier Band",
  "Orchard Barn",
  "Petal & Stem",
  HOSTILE.account,
  HOSTILE.rtl,
];

type Part = readonly [key: string, type: string];
const WEDDINGS: readonly { name: string; clients: readonly string[]; suppliers: readonly Part[] }[] = [
  {
    name: "June in the garden",
    clients: ["anna", "ben"],
    suppliers: [
      ["cora", "venue"],
      ["finn", "photographer"],
      ["rosa", "florist"],
      ["milo", "band"],
      ["ines", "catering"],
    ],
  },
  {
    name: "Harbour wedding",
    clients: ["clara", "david"],
    suppliers: [
      ["cora", "venue"],
      ["finn", "photographer"],
      ["jun", "cake"],
      ["mallory", "planner"],
    ],
  },
];

/** Tells a hub of them. `more`: so many more accounts. */
export async function town(hub: Hub, more = 0): Promise<Town> {
  const id = () => randomUUID();
  const ids = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, id()]));
  const people = ids(Object.keys(PEOPLE));
  const names = [...ACCOUNTS, ...Array.from({ length: more }, (_, at) => `Account ${at + 1}`)];
  const accounts = ids(names);
  const weddings = ids(WEDDINGS.map(({ name }) => name));
  const organization = id();
  const of = (key: string) => people[key] ?? "";
  await hub.service("POST", "/api/directory/import", {
    users: Object.entries(PEOPLE).map(([key, displayName]) => ({ id: of(key), displayName })),
    organizations: [
      {
        id: organization,
        name: "Lumen Agency",
        plan: "enterprise",
        members: Object.entries(MEMBERS).map(([key, role]) => ({ user: of(key), role })),
        accounts: names.map((name) => ({ id: accounts[name], name })),
      },
    ],
    weddings: WEDDINGS.map(({ name, clients, suppliers }) => ({
      id: weddings[name],
      name,
      collaborations: clients.flatMap((client) =>
        suppliers.map(([key, supplierType]) => ({ supplier: of(key), client: of(client), supplierType })),
      ),
    })),
  });
  return { people, organization, accounts, weddings };
}
