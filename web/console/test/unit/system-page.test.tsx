// @vitest-environment happy-dom
// The page System in front of a hub that answers, does not, or does not answer this user: what is shown, and when it asks.

import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../src/api.js";
import type { System } from "../../src/contract.js";
import { type Session, SessionContext } from "../../src/session.js";
import { SystemPage } from "../../src/system/page.js";
import { outage, system } from "../support/figures.js";

let box: HTMLElement;
let visibility: DocumentVisibilityState;
let asked: number;
let answer: () => Promise<System>;

beforeEach(() => {
  vi.useFakeTimers();
  visibility = "visible";
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visibility);
  asked = 0;
  box = document.body.appendChild(document.createElement("div"));
});

afterEach(async () => {
  await act(() => render(null, box));
  box.remove();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const pass = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

async function open(first: () => Promise<System>): Promise<void> {
  answer = first;
  const ask = () => {
    asked += 1;
    return answer();
  };
  const session = { api: { system: ask } } as unknown as Session;
  await act(() =>
    render(
      <SessionContext.Provider value={session}>
        <SystemPage />
      </SessionContext.Provider>,
      box,
    ),
  );
  await pass(0);
}

async function show(now: DocumentVisibilityState): Promise<void> {
  visibility = now;
  document.dispatchEvent(new Event("visibilitychange"));
  await pass(0);
}

const well = async () => system({ connections: 7 });
const refused = (code: string, status: number, retryAfterMs?: number) => () =>
  Promise.reject(new ApiError(code, status, "", retryAfterMs));

/** What is said at a glance. */
const glance = () => box.querySelector(".glance-says")?.textContent;
const tile = () => box.querySelector(".tile-value")?.textContent;

describe("the page", () => {
  it("says that it loads, until there is an answer", async () => {
    await open(() => new Promise(() => {}));
    expect(box.textContent).toContain("Loading how the hub is…");
    expect(box.querySelector(".system")).toBeNull();
  });

  it("says how the hub is, and of when", async () => {
    await open(well);
    expect(glance()).toBe("The hub is well.");
    expect(box.textContent).toContain("presence-hub 0.1.0");
    expect(tile()).toBe("7");
    expect(box.querySelector("time")?.dateTime).toBe(new Date(Date.now()).toISOString());
    expect(document.title).toBe("System · Presence");
  });

  it("says what is wrong, at the top and in the name of the tab", async () => {
    await open(async () => outage(1));
    expect(glance()).toBe("The hub is not well.");
    expect(box.querySelectorAll(".warning")).toHaveLength(4);
    expect(box.querySelector(".warnings + *, .warnings button")).toBeNull();
    expect(document.title).toBe("(4) System · Presence");
  });

  it("says what was counted, when, and not any more once it is seen", async () => {
    let errors = 2;
    await open(async () => system({ "log_lines_total{level=error}": errors }));
    expect(box.querySelector(".warning, button")).toBeNull();
    errors = 3;
    await pass(2_000);
    expect(glance()).toBe("The hub works, and something should be looked at.");
    expect(box.querySelector(".warning")?.textContent).toMatch(
      /^Soon: The log has 1 new line at level error\..* Last at \d+:\d\d [AP]M\.$/,
    );
    await act(() => box.querySelector("button")?.click());
    expect(glance()).toBe("The hub is well.");
    await pass(2_000);
    expect(glance()).toBe("The hub is well.");
  });

  it("keeps what it showed while there is no answer, and says how old it is", async () => {
    await open(well);
    answer = refused("unreachable", 0);
    await pass(2_000);
    expect(glance()).toBe("It is not known how the hub is.");
    expect(box.textContent).toContain("The hub cannot be reached.");
    expect(box.textContent).toContain("What you see is 2 s old.");
    expect(tile()).toBe("7");
    await pass(10_000);
    expect(box.textContent).toContain("What you see is 12 s old.");
    expect(document.title).toBe("(?) System · Presence");
    answer = async () => system({ connections: 8 });
    await pass(2_000);
    expect(glance()).toBe("The hub is well.");
    expect(tile()).toBe("8");
    expect(box.textContent).not.toContain("What you see");
  });

  it("says so as well where an answer does not come at all", async () => {
    await open(well);
    answer = () => new Promise(() => {});
    await pass(6_000);
    expect(glance()).toBe("The hub is well.");
    await pass(1_000);
    expect(glance()).toBe("It is not known how the hub is.");
    expect(box.textContent).toContain("What you see is 7 s old.");
  });

  it("says that it failed where there was no answer yet, and goes on asking", async () => {
    await open(refused("unavailable", 503));
    expect(box.querySelector("[role=alert]")?.textContent).toContain("cannot reach its database");
    answer = well;
    await pass(2_000);
    expect(glance()).toBe("The hub is well.");
    expect(box.querySelector("[role=alert]")).toBeNull();
  });

  it("says for whom it is to who is no operator, and never asks again", async () => {
    await open(refused("forbidden", 403));
    expect(box.textContent).toContain("This page is for the operators of the hub.");
    expect(box.querySelector(".system, [role=alert]")).toBeNull();
    await pass(600_000);
    expect(asked).toBe(1);
  });

  it("shows nothing any more to who is none any more", async () => {
    await open(well);
    answer = refused("forbidden", 403);
    await pass(2_000);
    expect(box.textContent).toContain("This page is for the operators of the hub.");
    expect(box.querySelector(".system")).toBeNull();
  });
});

describe("asking", () => {
  it("is every two seconds, however long an answer takes, and one at a time", async () => {
    await open(well);
    await pass(1_999);
    expect(asked).toBe(1);
    await pass(1);
    expect(asked).toBe(2);
    answer = () => new Promise((resolve) => setTimeout(() => resolve(system()), 1_500));
    await pass(2_000);
    expect(asked).toBe(3);
    await pass(1_999);
    expect(asked).toBe(3);
    await pass(1);
    expect(asked).toBe(4);
    answer = () => new Promise((resolve) => setTimeout(() => resolve(system()), 5_000));
    await pass(2_000);
    expect(asked).toBe(5);
    await pass(4_999);
    expect(asked).toBe(5);
    await pass(2);
    expect(asked).toBe(6);
  });

  it("rests while nobody looks, and goes on at once when somebody does", async () => {
    await open(well);
    await show("hidden");
    await pass(60_000);
    expect(asked).toBe(1);
    await show("visible");
    expect(asked).toBe(2);
    await pass(2_000);
    expect(asked).toBe(3);
    await show("hidden");
    await show("visible");
    expect(asked).toBe(3);
  });

  it("begins when somebody looks first", async () => {
    visibility = "hidden";
    await open(well);
    await pass(60_000);
    expect(asked).toBe(0);
    await show("visible");
    expect(glance()).toBe("The hub is well.");
  });

  it("waits as it is told, and seldom asks with a token that has ended", async () => {
    await open(refused("rate_limited", 429, 9_000));
    await pass(8_999);
    expect(asked).toBe(1);
    answer = refused("unauthorized", 401);
    await pass(1);
    expect(asked).toBe(2);
    await pass(29_999);
    expect(asked).toBe(2);
    await pass(1);
    expect(asked).toBe(3);
  });

  it("ends with the page", async () => {
    await open(well);
    await act(() => render(null, box));
    await pass(60_000);
    await show("visible");
    expect(asked).toBe(1);
  });
});
