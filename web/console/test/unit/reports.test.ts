import { describe, expect, it } from "vitest";
import {
  bars,
  devices,
  hours,
  isEmpty,
  lastDays,
  months,
  peak,
  scale,
  weekdays,
  wrong,
} from "../../src/analytics/figures.js";
import { OWN_CHOICE, type Report, type Rule, type Settings, type Why } from "../../src/contract.js";
import { changes, shownTo } from "../../src/privacy/preview.js";
import { type Named, steps, verdict } from "../../src/why/rules.js";

const NOTHING: Report = {
  totalSessions: 0,
  averageSessionDuration: 0,
  peakHours: [],
  weekdays: [],
  peakMonths: [],
  mostActiveUsers: [],
  pageViews: [],
  deviceBreakdown: { desktop: 0, mobile: 0, tablet: 0 },
  supplierTypes: [],
  activeNow: 0,
};

describe("a report", () => {
  it("has every hour, weekday and month, those not told as 0", () => {
    const of: Report = {
      ...NOTHING,
      peakHours: [{ hour: 23, activeUsers: 4 }],
      weekdays: [{ weekday: 7, activeUsers: 3 }],
      peakMonths: [{ month: 1, activeUsers: 5 }],
    };
    expect(hours(of.peakHours)).toHaveLength(24);
    expect(hours(of.peakHours)[23]).toEqual({ key: 23, value: 4 });
    expect(weekdays(of).map(({ value }) => value)).toEqual([0, 0, 0, 0, 0, 0, 3]);
    expect(months(of)[0]).toEqual({ key: 1, value: 5 });
    expect(bars(1, 2, [{ key: 9, value: 9 }])).toEqual([
      { key: 1, value: 0 },
      { key: 2, value: 0 },
    ]);
  });

  it("has a peak, the first of several, or none", () => {
    expect(
      peak(
        bars(0, 3, [
          { key: 1, value: 3 },
          { key: 2, value: 3 },
        ]),
      ),
    ).toEqual({ key: 1, value: 3 });
    expect(peak(hours([]))).toBeUndefined();
  });

  it("has devices that add up", () => {
    const parts = devices({ ...NOTHING, deviceBreakdown: { desktop: 3, mobile: 1, tablet: 0 } });
    expect(parts.map(({ share }) => share)).toEqual([0.75, 0.25, 0]);
    expect(devices(NOTHING).every(({ share }) => share === 0)).toBe(true);
  });

  it("knows when there is nothing to tell", () => {
    expect(isEmpty(NOTHING)).toBe(true);
    expect(isEmpty({ ...NOTHING, totalSessions: 1 })).toBe(false);
    expect(isEmpty({ ...NOTHING, peakHours: [{ hour: 1, activeUsers: 3 }] })).toBe(false);
  });

  it.each([
    [0, 4],
    [3, 4],
    [6, 10],
    [12, 20],
    [37, 40],
    [41, 50],
    [99, 100],
    [101, 200],
  ])("scales %i to %i", (highest, to) => expect(scale(highest)).toBe(to));
});

describe("a range", () => {
  it("has as many days as it says, over the ends of months", () => {
    expect(lastDays(7, new Date(2026, 2, 3, 1))).toEqual({ from: "2026-02-25", to: "2026-03-03" });
    expect(lastDays(1, new Date(2026, 0, 1, 23, 59))).toEqual({ from: "2026-01-01", to: "2026-01-01" });
  });

  it.each([
    ["2026-01-01", "2026-01-01", undefined],
    ["2026-01-01", "2027-01-01", undefined],
    ["2026-01-01", "2027-01-02", "366 days"],
    ["2026-01-02", "2026-01-01", "after the last"],
    ["", "2026-01-01", "both days"],
  ])("from %s to %s: %s", (from, to, says) => {
    const problem = wrong({ from, to });
    if (says) expect(problem).toContain(says);
    else expect(problem).toBeUndefined();
  });
});

const OPEN: Settings = {
  visibility: "everyone",
  showActivity: true,
  showCurrentPage: true,
  appearOffline: false,
  customStatus: null,
  customEmoji: null,
};
const TRACK = { status: "idle", device: "mobile", currentPage: "/inbox", isTyping: true } as const;
const VIEWERS = ["colleague", "collaborator", "stranger"] as const;

describe("what others see", () => {
  it.each([
    ["everyone", [true, true, true]],
    ["team", [true, false, false]],
    ["contacts", [false, true, false]],
    ["nobody", [false, false, false]],
  ] as const)("with %s", (visibility, seen) => {
    expect(VIEWERS.map((viewer) => shownTo(viewer, { ...OPEN, visibility }, TRACK) !== undefined)).toEqual(
      seen,
    );
  });

  it("has only the fields that are shown", () => {
    expect(shownTo("stranger", OPEN, TRACK)).toEqual({
      userId: "",
      status: "idle",
      device: "mobile",
      currentPage: "/inbox",
    });
    const closed = { ...OPEN, showActivity: false, showCurrentPage: false };
    expect(shownTo("stranger", closed, TRACK)).toEqual({ userId: "", status: "online" });
    expect(shownTo("stranger", closed, { status: "away" })).toEqual({ userId: "", status: "away" });
  });

  it("is nothing but offline while one appears so", () => {
    const hidden = { ...OPEN, appearOffline: true, customStatus: "here" };
    expect(shownTo("stranger", hidden, TRACK)).toEqual({ userId: "", status: "offline", lastSeen: null });
    expect(shownTo("stranger", { ...hidden, visibility: "team" }, TRACK)).toBeUndefined();
  });

  it("has the words of the session before those of the settings", () => {
    const settings = { ...OPEN, customStatus: "on site", customEmoji: "📸" };
    expect(shownTo("stranger", settings, { status: "online", customStatus: "lunch" })).toMatchObject({
      customStatus: "lunch",
      customEmoji: "📸",
    });
  });
});

describe("one's history", () => {
  it("says what was changed, and nothing else", () => {
    const after = { ...OPEN, visibility: "team", showActivity: false, customStatus: "on site" } as const;
    expect(changes({ at: "", before: OPEN, after })).toEqual([
      "Seen by my colleagues",
      "Activity not shown",
      "Status “on site”",
    ]);
    expect(changes({ at: "", before: after, after: { ...OPEN, appearOffline: true } })).toEqual([
      "Seen by everyone",
      "Appear offline switched on",
      "Activity shown",
      "Status removed",
    ]);
    expect(changes({ at: "", before: OPEN, after: OPEN })).toEqual(["Saved without a change"]);
  });
});

describe("why", () => {
  const of: Named = {
    subject: "Adam",
    viewer: "Vera",
    subjectIsYou: false,
    viewerIsYou: false,
    channel: (channel) => (channel === "wedding:1" ? "June" : "a wedding"),
  };
  const why = (rules: Rule[], visible?: boolean): Why => ({
    subject: "1",
    viewer: "2",
    rules,
    ...(visible !== undefined && { visible }),
  });

  it("is told in words, by whom it is about", () => {
    const [shared, choice] = steps(
      why([
        {
          rule: "wedding_collaborator",
          holds: true,
          channels: [{ channel: "wedding:1" }, { channel: "wedding:2" }],
        },
        { rule: "visibility", choice: "contacts" },
      ]),
      of,
    );
    expect(shared).toEqual({
      kind: "yes",
      says: "Vera and Adam take part in one wedding.",
      more: "June, a wedding",
    });
    expect(choice?.says).toBe("Adam lets collaborators see them.");
    const [own] = steps(why([{ rule: "visibility", choice: "nobody" }]), { ...of, subjectIsYou: true });
    expect(own?.says).toBe("You let nobody see you.");
  });

  it("never says what is only the subject's to know", () => {
    const told = steps(
      why([
        { rule: "visibility", choice: OWN_CHOICE },
        { rule: "appear_offline", choice: OWN_CHOICE },
        { rule: "show_activity", choice: OWN_CHOICE },
        { rule: "show_current_page", choice: OWN_CHOICE },
      ]),
      of,
    );
    expect(told.every(({ kind, says }) => kind === "theirs" && says.includes("own choice"))).toBe(true);
    expect(verdict(why([]), of)).toEqual({ kind: "theirs", says: "That depends on what Adam chose." });
  });

  it("comes to an end in one sentence", () => {
    expect(verdict(why([], true), of).says).toBe("Vera sees Adam.");
    expect(verdict(why([], false), { ...of, viewerIsYou: true }).says).toBe("You do not see Adam.");
    expect(verdict(why([], true), { ...of, subjectIsYou: true }).says).toBe("Vera sees you.");
    expect(verdict(why([], true), { ...of, viewerIsYou: true, subjectIsYou: true }).says).toBe(
      "You see yourself.",
    );
  });
});
