// Being there, leaving, hiding and being counted, as the pages of others and the API tell it at the same time.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { asked, caughtUp, choose, live, minute, person, say } from "../support/acts.js";
import { Ear } from "../support/ear.js";
import { eventually } from "../support/hub.js";
import { ask, party } from "../support/party.js";
import { added, views } from "../support/report.js";
import { scene } from "../support/scene.js";

const JUNE = "June in the garden";

const at = scene({
  // Sessions without a socket last as long as a test.
  "presence.rest_session_ms": 600_000,
  // Each report is made anew.
  "limits.analytics_cache_s": 0,
});

async function team(who: string, ear?: Ear): Promise<Page> {
  const page = await at.open(who, "#/teams", ear && { prepare: ear.listen });
  await person(page, "Finn Larsen").waitFor();
  return page;
}

const words = (page: Page, name: string) => person(page, name).textContent();

describe("somebody who is there", () => {
  it("stays so for others over a cut and a reload", async () => {
    const ear = new Ear();
    const anna = await team("anna", ear);
    const finn = await at.open("finn", "#/teams", { stage: at.far });
    await say(at, finn, "finn", "Busy");
    await person(anna, "Finn Larsen").getByText("Busy").waitFor();
    await caughtUp(at, ear, "cora");
    const before = ear.of(at.id("finn")).length;
    at.far.cut(true);
    await finn
      .locator(".connection")
      .getByText(/Reconnecting/)
      .waitFor();
    at.far.cut(false);
    await live(finn);
    await finn.reload();
    await live(finn);
    // Whose tab is closed now is let go behind the session that was there before the reload.
    const milo = await at.open("milo", "#/teams");
    await person(anna, "Milo Fischer").getByText("Online").waitFor();
    await milo.goto("about:blank");
    await person(anna, "Milo Fischer").getByText("Last seen").waitFor();
    await caughtUp(at, ear, "rosa");
    expect(ear.words(at.id("milo"))).toEqual(["join offline", "update online", "update offline"]);
    expect(ear.of(at.id("finn")).slice(before)).toEqual([]);
    expect(await words(anna, "Finn Larsen")).toContain("Busy");
    await finn.getByRole("button", { name: "Your status: Busy" }).waitFor();
  });

  it("was last seen when they left, as long ago as it is", async () => {
    const anna = await team("anna");
    const finn = await at.open("finn", "#/teams");
    const seen = person(anna, "Finn Larsen");
    await seen.getByText("Online").waitFor();
    expect(await words(anna, "Inês Carvalho")).toContain("Not seen yet");
    const from = minute();
    await finn.getByRole("button", { name: "Sign out" }).click();
    await seen.getByText(/^Last seen (just now|1 minute ago)$/).waitFor();
    const until = minute();
    const { answers } = await asked(at, "anna", "finn", JUNE);
    const lastSeen = answers[0]?.lastSeen ?? "";
    expect([from, until]).toContain(lastSeen);
    for (const answer of answers)
      expect(answer).toEqual({ userId: at.id("finn"), status: "offline", lastSeen });
    // Later that day, by the clock of who looks.
    await anna.evaluate(
      (now) => {
        Date.now = () => now;
      },
      Date.parse(lastSeen) + 12.5 * 60_000,
    );
    await seen.getByText("Last seen 12 minutes ago").waitFor();
  });
});

describe("one's privacy", () => {
  it("is in force on the socket and at the API as soon as it is acknowledged", async () => {
    const ear = new Ear();
    const anna = await team("anna", ear);
    const finn = await at.open("finn", "#/privacy");
    const row = person(anna, "Finn Larsen");
    await row.getByText("Online").waitFor();
    await choose(finn, "Show current page");
    await row.getByText("/console/privacy").waitFor();
    expect((await asked(at, "anna", "finn", JUNE)).answers).toEqual(
      Array(4).fill(expect.objectContaining({ currentPage: "/console/privacy", device: "desktop" })),
    );

    // No answer that is asked for now has it, and nothing that the page is told from here on.
    const shown = ear.of(at.id("finn")).length;
    await choose(finn, "Show current page");
    const without = await asked(at, "anna", "finn", JUNE);
    for (const answer of without.answers) expect(answer).not.toHaveProperty("currentPage");
    await choose(finn, "Show activity");
    for (const answer of (await asked(at, "anna", "finn", JUNE)).answers)
      expect(answer).not.toHaveProperty("device");
    await choose(finn, "Nobody");
    const nobody = { visible: false, answers: Array(4).fill(undefined) };
    expect(await asked(at, "anna", "finn", JUNE)).toEqual(nobody);
    await say(at, finn, "finn", "Busy");
    await caughtUp(at, ear, "cora");
    const told = ear.of(at.id("finn")).slice(shown);
    expect(told.map(({ how }) => how)).toEqual(["update", "update", "leave"]);
    expect(told[0]?.entry).toEqual({ userId: at.id("finn"), status: "online", device: "desktop" });
    expect(told[1]?.entry).toEqual({ userId: at.id("finn"), status: "online" });
    await row.waitFor({ state: "detached" });
    // Nor is there anything for who comes now.
    const late = new Ear();
    const ben = await at.open("ben", "#/teams", { prepare: late.listen });
    await person(ben, "Rosa Delgado").waitFor();
    expect(late.text).not.toContain(at.id("finn"));
    expect(await asked(at, "ben", "finn", JUNE)).toEqual(nobody);

    await choose(finn, "My collaborators");
    expect((await asked(at, "anna", "finn", JUNE)).visible).toBe(true);
    // By name, also where the name was not told before.
    for (const page of [anna, ben]) await person(page, "Finn Larsen").getByText("Busy").waitFor();
  });

  it("lets one appear offline, which is all that others see or are told", async () => {
    const ear = new Ear();
    const anna = await team("anna", ear);
    const finn = await at.open("finn", "#/privacy");
    const row = person(anna, "Finn Larsen");
    await row.getByText("Online").waitFor();
    const before = ear.of(at.id("finn")).length;
    const from = minute();
    await choose(finn, "Appear offline");
    const hidden = await asked(at, "anna", "finn", JUNE);
    const lastSeen = hidden.answers[0]?.lastSeen ?? "";
    expect([from, minute()]).toContain(lastSeen);
    const offline = { userId: at.id("finn"), status: "offline", lastSeen };
    expect(hidden).toEqual({ visible: true, answers: Array(4).fill(offline) });
    // They go on as ever, and see it themselves.
    await say(at, finn, "finn", "Busy");
    await finn.getByRole("button", { name: "Your status: Busy" }).waitFor();
    await caughtUp(at, ear, "cora");
    expect(ear.of(at.id("finn")).slice(before)).toEqual([{ how: "update", entry: offline }]);
    expect(await asked(at, "anna", "finn", JUNE)).toEqual(hidden);
    expect(await words(anna, "Finn Larsen")).toMatch(/Last seen/);
    await choose(finn, "Appear offline");
    await row.getByText("Busy").waitFor();
  });
});

describe("activity", () => {
  it("of who shows it is in the report, and of nobody else", async () => {
    // Val keeps it to herself, and Vic is hidden.
    await at.hub.as(at.id("val"))("PUT", "/api/presence/settings", { showActivity: false });
    await at.hub.as(at.id("vic"))("PUT", "/api/presence/settings", { appearOffline: true });
    const [olga, vera] = [await at.open("olga", "#/analytics"), await at.open("vera", "#/accounts")];
    await olga.getByText("Nothing in these days").waitFor();
    for (const who of ["val", "vic", "olga", "adam", "vera"])
      await views(at, who, "/inbox/weekly?token=1", 4);
    for (const who of ["val", "vic", "olga", "adam"]) await views(at, who, "/two/of-them", 1);
    const report = await added(at, 12);
    expect(report.pageViews).toEqual([{ page: "/inbox/weekly", views: 12, uniqueUsers: 3 }]);
    await olga.reload();
    const table = olga.getByRole("table").filter({ hasText: "Views" });
    await table.getByRole("row", { name: /^\/inbox\/weekly 12 3$/ }).waitFor();
    expect(await table.getByRole("row").count()).toBe(2);
    // How many are active now is counted every 15 s, for the report and for the badge beside its link.
    const figure = olga.locator(".metric").filter({ hasText: "Active now" }).getByRole("definition");
    const active = "Analytics3 active now";
    const counted = async () => {
      await olga.reload();
      await expect.poll(() => figure.textContent()).toBe("3");
      await expect.poll(() => olga.getByRole("link", { name: "Analytics" }).textContent()).toBe(active);
      return true;
    };
    await eventually("three who are active", counted, 60_000);
    // Names come by themselves.
    const most = olga.locator(".card").filter({ hasText: "Most active" }).locator(".list-name");
    const named = async () => (await most.allTextContents()).sort();
    await expect.poll(named, { timeout: 30_000 }).toEqual(["Adam Brandt", "Olga Novak", "Vera Lind"]);
    // Who is no admin is told nothing of it, on the page or by the API.
    expect(await vera.getByRole("link", { name: /Analytics/ }).count()).toBe(0);
    const day = new Date().toISOString().slice(0, 10);
    const path = `/api/presence/analytics?organizationId=${at.of.organization}&from=${day}&to=${day}`;
    await expect(at.hub.as(at.id("vera"))("GET", path)).rejects.toThrow("forbidden");
  });
});

describe("twenty who ask about fifty again and again", () => {
  it("are answered right, while pages live on", async () => {
    const guests = await party(at);
    const ear = new Ear();
    const [cora, finn] = [await team("cora", ear), await at.open("finn", "#/teams")];
    const column = cora.getByRole("region", { name: `Wedding ${guests.name}` });
    const seen = column.locator(".person").filter({ hasText: "Finn Larsen" });
    await seen.getByText("Online").waitFor();
    let over = false;
    let answered = 0;
    const asking = guests.callers.map(async (caller) => {
      do {
        expect(await ask(at, guests, caller)).toEqual(guests.seen);
        answered += 1;
      } while (!over);
    });
    const all = Promise.all(asking);
    // What goes wrong there ends the wait for it.
    await Promise.race([all, eventually("answer for each", () => answered >= guests.callers.length)]);
    const before = answered;
    for (const status of ["Busy", "Away", "Online"] as const) {
      await say(at, finn, "finn", status);
      await seen.getByText(status).waitFor();
    }
    // They did not wait for one another.
    await eventually("answers meanwhile", () => answered > before);
    over = true;
    await all;
    expect(ear.count("welcome")).toBe(1);
    for (const page of [cora, finn]) await live(page);
  });
});
