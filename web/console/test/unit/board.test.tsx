// @vitest-environment happy-dom
// The board in front of a fake hub: what each change draws anew, and the texts of all that can be in a row.

import { createPresence, type PresenceRecord } from "@presence-hub/sdk";
import { PresenceProvider } from "@presence-hub/sdk/react";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeHub, settled } from "../../../sdk/test/support/fake.js";
import { AccountsPage } from "../../src/accounts/page.js";
import type { Mine, Role } from "../../src/contract.js";
import { clock } from "../../src/format.js";
import { Loader } from "../../src/loaded.js";
import { Named, type Session, SessionContext } from "../../src/session.js";

// Every badge with a time asks for its text when it is drawn, and only then.
vi.mock(import("../../src/format.js"), async (original) => {
  const real = await original();
  return { ...real, clock: vi.fn((iso: string) => real.clock(iso, Date.parse(iso), "en-US", "UTC")) };
});

const ORGANIZATION = "4c6e80a2-3d5f-4b7c-8e90-1f2d3e4f5a06";
const id = (at: number) => `5d7f91b3-4e60-4c8d-9fa1-${`${at}`.padStart(12, "0")}`;
const taken = (at: number, displayName = "Vera", since = "2026-11-21T14:30:00Z") =>
  ({ accountId: id(at), holder: "named", userId: id(900), displayName, since }) satisfies PresenceRecord;

let hub: ReturnType<typeof fakeHub>;
let box: HTMLElement;

beforeEach(() => {
  hub = fakeHub();
  box = document.body.appendChild(document.createElement("div"));
});

afterEach(async () => {
  await act(() => render(null, box));
  box.remove();
});

/** The page of a board of so many accounts, and the hub's side of it. */
async function board(role: Role, count: number, join: PresenceRecord[]) {
  const presence = createPresence({
    url: "ws://hub/ws",
    token: "token",
    WebSocket: hub.WebSocket,
    device: "desktop",
    remember: false,
  });
  const accounts = Array.from({ length: count }, (_, at) => ({ accountId: id(at), name: `Account ${at}` }));
  const names = new Loader(async () => new Named({ people: [], accounts }));
  const session = { userId: id(900), presence, names: () => names, nameless: () => {} } as unknown as Session;
  const mine: Mine = {
    user: { userId: id(900), displayName: "Olga" },
    organizations: [{ organizationId: ORGANIZATION, name: "Agency", role, plan: "enterprise" }],
    weddings: [],
    operator: false,
  };
  const page = (
    <SessionContext.Provider value={session}>
      <PresenceProvider presence={presence}>
        <AccountsPage mine={mine} rest="" />
      </PresenceProvider>
    </SessionContext.Provider>
  );
  await act(() => render(page, box));
  await act(settled);
  await act(() => hub.last().welcome());
  await act(settled);
  await act(() => hub.last().grant(1, join));
  return {
    say: (seq: number, diff: object) =>
      act(async () => {
        hub.last().say({ t: "diff", sub: 1, seq, ...diff } as never);
        await settled();
      }),
  };
}

const rows = () => [...box.querySelectorAll(".row")].map((row) => row.textContent);

describe("a row", () => {
  it("says to an admin who is in it and since when", async () => {
    await board("owner", 3, [taken(1)]);
    expect(rows()).toEqual(["Account 0", "Account 1Vera • 2:30 PM", "Account 2"]);
    expect(box.querySelectorAll("button[aria-label='Clear Account 1']")).toHaveLength(1);
  });

  it("says to a member that it is occupied, or their own, and offers nothing", async () => {
    await board("member", 3, [
      { accountId: id(0), holder: "own", since: "2026-11-21T14:30:00Z" },
      { accountId: id(1), holder: "occupied" },
    ]);
    expect(rows()).toEqual(["Account 0You • since 2:30 PM", "Account 1Occupied", "Account 2"]);
    expect(box.querySelectorAll(".row button")).toHaveLength(0);
    expect(box.textContent).not.toContain("Longest first");
  });

  it("says when somebody who is lost was last heard of", async () => {
    const staleSince = new Date(Date.now() - 12 * 60_000 - 5_000).toISOString();
    await board("admin", 1, [{ ...taken(0), staleSince }]);
    expect(rows()).toEqual(["Account 0Vera • 2:30 PMlast seen 12 minutes ago"]);
  });

  it("takes a name for a text", async () => {
    await board("admin", 1, [taken(0, "<img src=x onerror=alert(1)>")]);
    expect(box.querySelector("img")).toBeNull();
    expect(rows()[0]).toContain("<img src=x onerror=alert(1)>");
  });
});

describe("a change", () => {
  it("draws its own row anew, and no other", async () => {
    const { say } = await board("admin", 5_000, [taken(0), taken(1), taken(2), taken(4_000)]);
    expect(box.querySelectorAll(".row").length).toBeLessThan(50);
    vi.mocked(clock).mockClear();
    await say(2, { update: [taken(1, "Vic")] });
    expect(vi.mocked(clock)).toHaveBeenCalledTimes(1);
    expect(rows()[1]).toContain("Vic");
    await say(3, { update: [taken(4_000, "Vic")] });
    await say(4, { leave: [{ accountId: id(2) }] });
    expect(vi.mocked(clock)).toHaveBeenCalledTimes(1);
    expect(rows()[2]).toBe("Account 2");
    expect(box.textContent).toContain("3 of 5,000 occupied");
  });

  it("of many accounts in one frame draws each once", async () => {
    const { say } = await board("admin", 9, [taken(0), taken(1), taken(2)]);
    vi.mocked(clock).mockClear();
    await say(2, { update: [taken(0, "A"), taken(1, "B"), taken(2, "C")] });
    expect(vi.mocked(clock)).toHaveBeenCalledTimes(3);
  });
});
