// People with named relations, in ids of their own: tests on one hub do not meet.

import { randomUUID } from "node:crypto";
import type { Hub } from "./hub.js";

/** Two weddings, and an agency with shared accounts. The fields are ids; channels say so. */
export interface World {
  /** The couple of the wedding. */
  readonly anna: string;
  readonly ben: string;
  /** Photographer at both weddings. */
  readonly finn: string;
  /** Florist at the wedding. */
  readonly rosa: string;
  /** The client of the other wedding. */
  readonly bea: string;
  /** Owner and admin of the agency. */
  readonly olga: string;
  readonly adam: string;
  /** Members of the agency: virtual assistants. */
  readonly vera: string;
  readonly vic: string;
  readonly val: string;
  /** In the directory, and related to nobody. */
  readonly sam: string;
  readonly organization: string;
  /** Accounts of the organization. */
  readonly inbox: string;
  readonly studio: string;
  readonly archive: string;
  /** `wedding:<id>`. */
  readonly wedding: string;
  readonly otherWedding: string;
  /** `organization:<id>`. */
  readonly agency: string;
}

/** Tells the hub of new people, their weddings and their agency. */
export async function world(hub: Hub): Promise<World> {
  const id = () => randomUUID();
  const organization = id();
  const of: World = {
    anna: id(),
    ben: id(),
    finn: id(),
    rosa: id(),
    bea: id(),
    olga: id(),
    adam: id(),
    vera: id(),
    vic: id(),
    val: id(),
    sam: id(),
    organization,
    inbox: id(),
    studio: id(),
    archive: id(),
    wedding: `wedding:${id()}`,
    otherWedding: `wedding:${id()}`,
    agency: `organization:${organization}`,
  };
  await hub.service("POST", "/api/directory/import", document(of));
  return of;
}

/** Tells the hub of so many more people who take part in a new wedding. Their ids, and the channel. */
export async function people(hub: Hub, count: number): Promise<{ users: string[]; wedding: string }> {
  const users = Array.from({ length: count }, () => randomUUID());
  const [client = "", ...suppliers] = users;
  const wedding = randomUUID();
  const collaborations = suppliers.map((supplier) => ({ supplier, client, supplierType: "venue" }));
  await hub.service("POST", "/api/directory/import", {
    users: users.map((id) => ({ id, displayName: "Somebody" })),
    weddings: [{ id: wedding, name: "Wedding", collaborations }],
  });
  return { users, wedding: `wedding:${wedding}` };
}

const USERS = ["anna", "ben", "finn", "rosa", "bea", "olga", "adam", "vera", "vic", "val", "sam"] as const;

function document(of: World) {
  const collaboration = (supplier: string, client: string, supplierType: string) => ({
    supplier,
    client,
    supplierType,
  });
  return {
    users: USERS.map((name) => ({ id: of[name], displayName: `${name[0]?.toUpperCase()}${name.slice(1)}` })),
    organizations: [
      {
        id: of.organization,
        name: "Agency",
        plan: "enterprise",
        members: [
          { user: of.olga, role: "owner" },
          { user: of.adam, role: "admin" },
          ...[of.vera, of.vic, of.val].map((user) => ({ user, role: "member" })),
        ],
        accounts: [
          { id: of.inbox, name: "Inbox" },
          { id: of.studio, name: "Studio" },
          { id: of.archive, name: "Archive" },
        ],
      },
    ],
    weddings: [
      {
        id: of.wedding.replace("wedding:", ""),
        name: "June in the garden",
        collaborations: [of.anna, of.ben].flatMap((client) => [
          collaboration(of.finn, client, "photographer"),
          collaboration(of.rosa, client, "florist"),
        ]),
      },
      {
        id: of.otherWedding.replace("wedding:", ""),
        name: "July by the sea",
        collaborations: [collaboration(of.finn, of.bea, "photographer")],
      },
    ],
  };
}
