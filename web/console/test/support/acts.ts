// What people see and do on the pages of teams and of privacy.

import type { Locator, Page } from "playwright-core";
import type { Ear } from "./ear.js";
import { eventually } from "./hub.js";
import type { Scene } from "./scene.js";

/** Somebody's row: in the first of the columns that have them. */
export function person(page: Page, name: string): Locator {
  return page.locator(".column .person").filter({ hasText: name }).first();
}

/** The page's connection stands. */
export async function live(page: Page): Promise<void> {
  await page.locator(".connection").getByText("Live", { exact: true }).waitFor();
}

/** Somebody chooses a status in the menu of their page. When this ends the hub has it. */
export async function say(
  { hub, id }: Scene,
  page: Page,
  who: string,
  status: "Online" | "Away" | "Busy",
): Promise<void> {
  await page.getByRole("button", { name: /^Your status/ }).click();
  await page.getByRole("button", { name: new RegExp(`^${status}`) }).click();
  await eventually(`${who} who is ${status}`, async () => {
    const own = await hub.as(id(who))<Answer>("GET", `/api/presence/users/${id(who)}`);
    return own.status === status.toLowerCase();
  });
}

/** Chooses something on the page of one's privacy. When this ends the page has been told that it is in force. */
export async function choose(page: Page, label: string): Promise<void> {
  await page.getByLabel(label).click();
  await page.getByText("Saved. It is in force.").waitFor();
}

/** The minute in which this is called, as the hub writes it. */
export function minute(): string {
  return `${new Date().toISOString().slice(0, 16)}:00Z`;
}

/**
 * Waits until a change of somebody else has come to whoever listens: all that was said to them before has come too. Each
 * time another person, because each may change once a second.
 */
export async function caughtUp({ hub, id }: Scene, ear: Ear, by: string): Promise<void> {
  await hub.as(id(by))("POST", "/api/presence/track", { status: "away" });
  await eventually(`word of ${by}`, () => ear.words(id(by)).at(-1) === "update away");
}

interface Answer {
  readonly userId: string;
  readonly status: string;
  readonly lastSeen: string | null;
  readonly currentPage?: string;
  readonly device?: string;
}

/** What the API answers to one about another, each way to ask: it is the same answer. `undefined`: there is nobody. */
export async function asked({ hub, id, of }: Scene, viewer: string, subject: string, wedding: string) {
  const call = hub.as(id(viewer));
  const list = (path: string, body?: object) =>
    call<{ users: readonly Answer[] }>(body ? "POST" : "GET", path, body);
  const userIds = [id(subject)];
  const [queried, inUrl, team, { visible }] = await Promise.all([
    list("/api/presence/users/query", { userIds }),
    list(`/api/presence/users?userIds[]=${userIds}&context=wedding:${of.weddings[wedding]}`),
    list(`/api/presence/weddings/${of.weddings[wedding]}`),
    call<{ visible: boolean }>("GET", `/api/presence/permissions?subject=${userIds}`),
  ]);
  const one = await call<Answer>("GET", `/api/presence/users/${userIds}`).catch((error: Error) => {
    if (!error.message.includes("unknown_user")) throw error;
    return undefined;
  });
  const answers = [queried, inUrl, team].map(({ users }) =>
    users.find(({ userId }) => userId === userIds[0]),
  );
  return { visible, answers: [one, ...answers] };
}
